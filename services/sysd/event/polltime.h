/* The timeout of ppoll, select and pselect6: Linux writes back what is left of it. */
#ifndef SYSD_EVENT_POLLTIME_H
#define SYSD_EVENT_POLLTIME_H

#include <stdbool.h>
#include <stdint.h>

struct task;
struct polltime {
	uint64_t uaddr; /* where the rest goes; 0: no timeout */
	bool timeval;
	uint64_t deadline_ns; /* as pollset_sleep takes it; 0: do not wait */
};

/* Read the timeout at uaddr. 0, -EFAULT or -EINVAL. */
int polltime_timespec(struct task *t, uint64_t uaddr, struct polltime *ret);
int polltime_timeval(struct task *t, uint64_t uaddr, struct polltime *ret);
/* Writes the rest and returns the call's result: ret, or -EINTR in place of a restart when the
 * rest could not be written. */
long polltime_finish(struct task *t, const struct polltime *pt, long ret);

#endif
