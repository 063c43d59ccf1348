/* signalfd(2): what the signal code must know of it. */
#ifndef SYSD_EVENT_SIGNALFD_H
#define SYSD_EVENT_SIGNALFD_H

struct sighand;
/* Before a sighand is freed: whoever still polls its signalfd_wait (an epoll set that outlives the
 * task) leaves the queue. */
void signalfd_cleanup(struct sighand *sh);

#endif
