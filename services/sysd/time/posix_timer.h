/* POSIX timers and interval timers of a thread group. */
#ifndef SYSD_TIME_POSIX_TIMER_H
#define SYSD_TIME_POSIX_TIMER_H

struct signal;
struct task;
struct abi_siginfo;

/* signal_dequeue took a signal with si_code SI_TIMER: fills in its overrun count and arms the
 * timer's next period. */
void posix_timer_dequeued(struct task *t, struct abi_siginfo *info);
/* exec and exit: POSIX timers are deleted. Interval timers survive exec. */
void posix_timers_delete_all(struct signal *sig);
/* exit: stops ITIMER_*. */
void itimers_exit(struct signal *sig);
void cpulimit_exit(struct signal *sig);
/* For /proc/PID/timers. Returns the length. */
int posix_timers_show(struct signal *sig, char *buf, unsigned long size);

#endif
