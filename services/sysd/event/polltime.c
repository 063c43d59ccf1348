/* Timeouts that are written back; see polltime.h. */
#include "services/sysd/event/polltime.h"

#include <sys/personality.h>

#include "services/sysd/core/errno.h"
#include "services/sysd/event/pollset.h"
#include "services/sysd/task/task.h"
#include "services/sysd/time/timespec.h"

int polltime_timespec(struct task *t, uint64_t uaddr, struct polltime *ret)
{
	struct abi_timespec ts;
	int err;

	*ret = (struct polltime){.uaddr = uaddr, .deadline_ns = KTIMER_NEVER};
	if (!uaddr)
		return 0;
	err = user_timespec(t, &ts, uaddr);
	if (err)
		return err;
	ret->deadline_ns = poll_deadline(timespec_ns(&ts));
	return 0;
}

int polltime_timeval(struct task *t, uint64_t uaddr, struct polltime *ret)
{
	struct abi_timeval tv;
	struct abi_timespec ts;

	*ret = (struct polltime){.uaddr = uaddr, .timeval = true, .deadline_ns = KTIMER_NEVER};
	if (!uaddr)
		return 0;
	if (user_get(t, tv, uaddr))
		return -EFAULT;
	/* select takes microseconds beyond a second */
	if (__builtin_add_overflow(tv.sec, tv.usec / 1000000, &ts.sec))
		return -EINVAL;
	ts.nsec = tv.usec % 1000000 * 1000;
	if (!timespec_valid(&ts))
		return -EINVAL;
	ret->deadline_ns = poll_deadline(timespec_ns(&ts));
	return 0;
}

long polltime_finish(struct task *t, const struct polltime *pt, long ret)
{
	uint64_t now, rest;
	int err;

	if (!pt->uaddr || !pt->deadline_ns)
		return ret;
	if (t->personality & STICKY_TIMEOUTS)
		return ret == -ERESTARTNOHAND ? -EINTR : ret;
	now = clock_mono_ns();
	rest = pt->deadline_ns > now ? pt->deadline_ns - now : 0;
	if (pt->deadline_ns == KTIMER_NEVER) {
		err = 0; /* longer than time itself: left as it was */
	} else if (pt->timeval) {
		struct abi_timeval tv = ns_timeval(rest);

		err = user_put(t, tv, pt->uaddr);
	} else {
		struct abi_timespec ts = ns_timespec(rest);

		err = user_put(t, ts, pt->uaddr);
	}
	/* A timeout in read-only memory does not fail the call, but it cannot be restarted. */
	return err && ret == -ERESTARTNOHAND ? -EINTR : ret;
}
