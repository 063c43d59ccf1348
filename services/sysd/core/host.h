/* The executor's helper threads: workers for host calls that may block, and the epoll thread behind
 * host_watch. Started by sched_init, before confinement. */
#ifndef SYSD_CORE_HOST_H
#define SYSD_CORE_HOST_H

int host_workers_start(void);
int host_watch_start(void);
void sched_count_offload(void);
void sched_count_block(void);

#endif
