/* Reading clocks: clock_gettime, clock_getres, gettimeofday, time; setting them is refused, as in a
 * container without CAP_SYS_TIME. The runtime answers most reads from the vDSO (T0). */
#include "common/base/util.h"
#include "services/sysd/abi/time.h"
#include "services/sysd/syscall/syscall.h"
#include "services/sysd/sys/pids.h"
#include "services/sysd/task/task.h"
#include "services/sysd/time/clockid.h"
#include "services/sysd/time/timespec.h"

int clock_decode(struct task *t, int32_t id, struct clock_ref *ret)
{
	struct clock_ref c = {0};

	switch (id) {
	case ABI_CLOCK_REALTIME:
	case ABI_CLOCK_MONOTONIC:
	case ABI_CLOCK_MONOTONIC_RAW:
	case ABI_CLOCK_REALTIME_COARSE:
	case ABI_CLOCK_MONOTONIC_COARSE:
	case ABI_CLOCK_BOOTTIME:
	case ABI_CLOCK_TAI:
		c.host_id = id;
		break;
	case ABI_CLOCK_REALTIME_ALARM:
		c.host_id = ABI_CLOCK_REALTIME;
		break;
	case ABI_CLOCK_BOOTTIME_ALARM:
		c.host_id = ABI_CLOCK_BOOTTIME;
		break;
	case ABI_CLOCK_PROCESS_CPUTIME_ID:
		c.cpu = true;
		c.kind = CPUTIME_SCHED;
		c.group = t->signal;
		break;
	case ABI_CLOCK_THREAD_CPUTIME_ID:
		c.cpu = true;
		c.kind = CPUTIME_SCHED;
		c.thread = t;
		break;
	default:
		if (id >= 0 || (id & ABI_CPUCLOCK_WHICH) == ABI_CPUCLOCK_FD)
			return -EINVAL;
		c.cpu = true;
		c.kind = (enum cputime_kind)(id & ABI_CPUCLOCK_WHICH);
		if (id & ABI_CPUCLOCK_PERTHREAD) {
			int32_t tid = ABI_CPUCLOCK_PID(id);

			c.thread = tid ? pids_find_task(t, tid) : t;
			if (!c.thread || c.thread->signal != t->signal)
				return -EINVAL;
		} else {
			int32_t pid = ABI_CPUCLOCK_PID(id);

			c.group = pid ? pids_find_group(t, pid) : t->signal;
			if (!c.group)
				return -EINVAL;
		}
	}
	*ret = c;
	return 0;
}

uint64_t clock_ref_now(const struct clock_ref *c)
{
	uint64_t u, s;

	if (!c->cpu)
		return clock_ns(c->host_id);
	if (c->group)
		return cputime_clock(c->group, c->kind);
	cputime_thread(c->thread, &u, &s);
	return c->kind == CPUTIME_VIRT ? u : u + s;
}

uint64_t clock_to_mono(int host_id, uint64_t abs_ns)
{
	uint64_t now, mono;

	if (host_id == ABI_CLOCK_MONOTONIC)
		return abs_ns >= TIME_NS_MAX ? KTIMER_NEVER : abs_ns;
	now = clock_ns(host_id);
	mono = clock_mono_ns();
	if (abs_ns <= now)
		return mono;
	if (abs_ns >= TIME_NS_MAX)
		return KTIMER_NEVER;
	return mono + (abs_ns - now);
}

SYS_HANDLER(clock_gettime)
{
	struct clock_ref c;
	struct abi_timespec ts;
	int err = clock_decode(t, (int32_t)a[0], &c);

	if (err)
		return err;
	ts = ns_timespec(clock_ref_now(&c));
	return user_put(t, ts, a[1]);
}

SYS_HANDLER(clock_getres)
{
	struct clock_ref c;
	struct abi_timespec ts = {0, 1};
	int err = clock_decode(t, (int32_t)a[0], &c);

	if (err)
		return err;
	if (!c.cpu) {
		struct timespec res;

		if (clock_getres(c.host_id, &res))
			return -EINVAL;
		ts = (struct abi_timespec){res.tv_sec, res.tv_nsec};
	} else if (c.kind != CPUTIME_SCHED) {
		ts.nsec = (int64_t)NSEC_PER_SEC / 250; /* sampled at the tick */
	}
	return a[1] ? user_put(t, ts, a[1]) : 0;
}

SYS_HANDLER(clock_settime)
{
	struct abi_timespec ts;
	int32_t id = (int32_t)a[0];

	if (id != ABI_CLOCK_REALTIME) {
		struct clock_ref c;

		/* EPERM is the answer of a named process's or thread's clock only */
		if (id >= 0 || clock_decode(t, id, &c))
			return -EINVAL;
		return c.cpu ? -EPERM : -EINVAL;
	}
	if (user_get(t, ts, a[1]))
		return -EFAULT;
	if (!timespec_valid(&ts))
		return -EINVAL;
	return -EPERM; /* no task of a sandbox sets the host's clock, whatever its capabilities */
}

SYS_HANDLER(gettimeofday)
{
	if (a[0]) {
		struct abi_timeval tv = ns_timeval(clock_real_ns());

		if (user_put(t, tv, a[0]))
			return -EFAULT;
	}
	if (a[1]) {
		struct abi_timezone tz = {0, 0};

		if (user_put(t, tz, a[1]))
			return -EFAULT;
	}
	return 0;
}

SYS_HANDLER(settimeofday)
{
	struct abi_timeval tv;
	struct abi_timezone tz;

	if (a[0]) {
		if (user_get(t, tv, a[0]))
			return -EFAULT;
		if (!timeval_valid(&tv))
			return -EINVAL;
	}
	if (a[1] && user_get(t, tz, a[1]))
		return -EFAULT;
	return -EPERM;
}

SYS_HANDLER(time)
{
	int64_t sec = (int64_t)(clock_ns(ABI_CLOCK_REALTIME_COARSE) / NSEC_PER_SEC);

	if (a[0] && user_put(t, sec, a[0]))
		return -EFAULT;
	return (long)sec;
}
