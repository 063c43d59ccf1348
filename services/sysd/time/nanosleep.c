/* nanosleep and clock_nanosleep. A relative sleep is cut off by a signal that is handled, with the
 * rest in *rem; after a stop or an ignored signal it goes on to its original deadline (the restart
 * block). An absolute one just restarts. */
#include "common/base/util.h"
#include "services/sysd/abi/time.h"
#include "services/sysd/core/errno.h"
#include "services/sysd/core/waitq.h"
#include "services/sysd/syscall/syscall.h"
#include "services/sysd/task/task.h"
#include "services/sysd/time/clockid.h"
#include "services/sysd/time/timespec.h"

/* Sleeps until the clock reads target_ns. 0, -ERESTARTSYS when interrupted. The clock may be set
 * meanwhile, so it is read again at the end of each sleep. */
static int sleep_until(struct task *t, int host_id, uint64_t target_ns)
{
	struct waitq never;
	int err = 0;

	waitq_init(&never);
	t->wchan = "hrtimer_nanosleep";
	while (clock_ns(host_id) < target_ns) {
		err = WAIT_EVENT_INTR_TIMEOUT(&never, false, clock_to_mono(host_id, target_ns));
		if (err != -ETIMEDOUT)
			break;
		err = 0;
	}
	t->wchan = NULL;
	return err;
}

struct cpu_sleep {
	struct cputimer timer;
	struct waitq wait;
	bool fired;
};

static void cpu_sleep_fired(struct cputimer *ct)
{
	struct cpu_sleep *cs = CONTAINER_OF(ct, struct cpu_sleep, timer);

	cs->fired = true;
	waitq_wake_all(&cs->wait);
}

static int sleep_until_cpu(struct task *t, struct signal *group, enum cputime_kind kind,
			   uint64_t target_ns)
{
	struct cpu_sleep cs = {.fired = false};
	int err;

	if (cputime_clock(group, kind) >= target_ns)
		return 0;
	waitq_init(&cs.wait);
	cputimer_init(&cs.timer, cpu_sleep_fired);
	err = cputimer_start(&cs.timer, group, kind, target_ns);
	if (err)
		return err;
	t->wchan = "posix_cpu_nsleep";
	err = WAIT_EVENT_INTR(&cs.wait, cs.fired);
	t->wchan = NULL;
	cputimer_cancel(&cs.timer);
	return err;
}

static long put_rest(struct task *t, uint64_t uaddr, uint64_t target_ns, uint64_t now_ns)
{
	struct abi_timespec rest = ns_timespec(target_ns > now_ns ? target_ns - now_ns : 0);

	return uaddr && user_put(t, rest, uaddr) ? -EFAULT : 0;
}

/* arg: 0 clock id, 1 target, 2 rem */
static long nanosleep_restart(struct task *t, struct restart_block *r)
{
	struct clock_ref c;
	uint64_t target = r->arg[1];
	int err = clock_decode(t, (int32_t)r->arg[0], &c);

	if (err)
		return err;
	err = c.cpu ? sleep_until_cpu(t, c.group, c.kind, target) : sleep_until(t, c.host_id, target);
	if (err != -ERESTARTSYS)
		return err;
	err = (int)put_rest(t, r->arg[2], target, clock_ref_now(&c));
	return err ? err : -ERESTART_RESTARTBLOCK;
}

static long do_nanosleep(struct task *t, int32_t clock_id, bool absolute, uint64_t ureq, uint64_t urem)
{
	struct clock_ref c;
	struct abi_timespec ts;
	uint64_t target, now;
	int err = clock_decode(t, clock_id, &c);

	if (err)
		return err;
	switch (clock_id) {
	case ABI_CLOCK_MONOTONIC_RAW:
	case ABI_CLOCK_REALTIME_COARSE:
	case ABI_CLOCK_MONOTONIC_COARSE:
	case ABI_CLOCK_THREAD_CPUTIME_ID:
		return -EOPNOTSUPP;
	case ABI_CLOCK_REALTIME_ALARM:
	case ABI_CLOCK_BOOTTIME_ALARM:
		if (!capable(t, 35 /* CAP_WAKE_ALARM */))
			return -EPERM;
	}
	err = user_timespec(t, &ts, ureq);
	if (err)
		return err;
	/* a thread's own clock cannot reach the target while it sleeps */
	if (c.cpu && !c.group)
		return c.thread == t ? -EINVAL : -EOPNOTSUPP;
	/* a relative CLOCK_REALTIME sleep is not affected by clock changes */
	if (!absolute && !c.cpu && c.host_id == ABI_CLOCK_REALTIME) {
		clock_id = ABI_CLOCK_MONOTONIC;
		c.host_id = ABI_CLOCK_MONOTONIC;
	}
	target = timespec_ns(&ts);
	now = clock_ref_now(&c);
	if (!absolute)
		target = target > TIME_NS_MAX - now ? TIME_NS_MAX : target + now;
	err = c.cpu ? sleep_until_cpu(t, c.group, c.kind, target) : sleep_until(t, c.host_id, target);
	if (err != -ERESTARTSYS)
		return err;
	if (absolute)
		return -ERESTARTNOHAND;
	now = clock_ns(c.cpu ? ABI_CLOCK_MONOTONIC : c.host_id);
	if (c.cpu && !clock_decode(t, clock_id, &c))
		now = clock_ref_now(&c);
	err = (int)put_rest(t, urem, target, now);
	if (err)
		return err;
	t->restart.fn = nanosleep_restart;
	t->restart.arg[0] = (uint64_t)(int64_t)clock_id;
	t->restart.arg[1] = target;
	t->restart.arg[2] = urem;
	return -ERESTART_RESTARTBLOCK;
}

SYS_HANDLER(nanosleep)
{
	return do_nanosleep(t, ABI_CLOCK_MONOTONIC, false, a[0], a[1]);
}

SYS_HANDLER(clock_nanosleep)
{
	return do_nanosleep(t, (int32_t)a[0], a[1] & ABI_TIMER_ABSTIME, a[2], a[3]);
}
