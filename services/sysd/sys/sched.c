/* Scheduling calls: policies and priorities are recorded with Linux's permission rules and shown again;
 * the host schedules all guest threads alike. */
#include <linux/capability.h>
#include <sys/resource.h>
#include "common/base/util.h"
#include "services/sysd/abi/sys.h"
#include "services/sysd/abi/time.h"
#include "services/sysd/mm/usercopy.h"
#include "services/sysd/sys/pids.h"
#include "services/sysd/syscall/syscall.h"
#include "services/sysd/task/task.h"

static bool rt_policy(int policy)
{
	return policy == ABI_SCHED_FIFO || policy == ABI_SCHED_RR;
}

static bool valid_policy(int policy)
{
	return policy >= 0 && policy <= ABI_SCHED_DEADLINE && policy != 4;
}

struct sched_change {
	int policy; /* -1: keep */
	int priority;
	int nice;
	bool set_nice, reset_on_fork;
	uint64_t dl_runtime, dl_deadline, dl_period; /* SCHED_DEADLINE; period 0: the deadline */
};

/* sched_setattr(2): what a deadline may be. */
static bool valid_deadline(const struct sched_change *c)
{
	uint64_t period = c->dl_period ? c->dl_period : c->dl_deadline;

	return c->dl_deadline && c->dl_runtime >= 1024 && !((c->dl_deadline | period) >> 63) &&
	       c->dl_runtime <= c->dl_deadline && c->dl_deadline <= period && period >= 100000 &&
	       period <= 4194304000ull;
}

/* user_check_sched_setscheduler: what a task without CAP_SYS_NICE may do. */
static int check_unprivileged(struct task *t, struct task *of, const struct sched_change *c, int policy)
{
	uint64_t rtprio = of->signal->rlim[RLIMIT_RTPRIO].rlim_cur;
	uint64_t nice_limit = of->signal->rlim[RLIMIT_NICE].rlim_cur;

	if ((policy == ABI_SCHED_OTHER || policy == ABI_SCHED_BATCH) && c->set_nice &&
	    c->nice < of->nice && (uint64_t)(20 - c->nice) > nice_limit)
		return -EPERM;
	if (rt_policy(policy)) {
		if (policy != of->sched_policy && !rtprio)
			return -EPERM;
		if (c->priority > of->sched_priority && (uint64_t)c->priority > rtprio)
			return -EPERM;
	}
	if (policy == ABI_SCHED_DEADLINE)
		return -EPERM;
	if (of->sched_policy == ABI_SCHED_IDLE && policy != ABI_SCHED_IDLE &&
	    (uint64_t)(20 - of->nice) > nice_limit)
		return -EPERM;
	if (!pids_same_owner(t, of))
		return -EPERM;
	if (of->sched.reset_on_fork && !c->reset_on_fork)
		return -EPERM;
	return 0;
}

static int change(struct task *t, struct task *of, const struct sched_change *c)
{
	int policy = c->policy < 0 ? of->sched_policy : c->policy;
	int err;

	if (!valid_policy(policy))
		return -EINVAL;
	if (c->priority < 0 || c->priority > 99 || rt_policy(policy) != (c->priority != 0))
		return -EINVAL;
	if (policy == ABI_SCHED_DEADLINE && !valid_deadline(c))
		return -EINVAL;
	if (!capable(t, CAP_SYS_NICE)) {
		err = check_unprivileged(t, of, c, policy);
		if (err)
			return err;
	}
	of->sched.dl_runtime = policy == ABI_SCHED_DEADLINE ? c->dl_runtime : 0;
	of->sched.dl_deadline = policy == ABI_SCHED_DEADLINE ? c->dl_deadline : 0;
	of->sched.dl_period = policy == ABI_SCHED_DEADLINE ? (c->dl_period ? c->dl_period : c->dl_deadline) : 0;
	of->sched_policy = policy;
	of->sched_priority = c->priority;
	of->sched.reset_on_fork = c->reset_on_fork;
	if (c->set_nice && !rt_policy(policy))
		of->nice = MAX(-20, MIN(19, c->nice));
	return 0;
}

static long set_scheduler(struct task *t, int32_t pid, int policy, uint64_t uparam)
{
	struct sched_change c = {.policy = policy};
	struct task *of;
	int32_t prio;

	if (!uparam || pid < 0)
		return -EINVAL;
	if (user_get(t, prio, uparam))
		return -EFAULT;
	of = pids_find_or_self(t, pid);
	if (!of)
		return -ESRCH;
	c.priority = prio;
	c.reset_on_fork = of->sched.reset_on_fork;
	if (policy >= 0) {
		c.reset_on_fork = policy & ABI_SCHED_RESET_ON_FORK;
		c.policy = policy & ~ABI_SCHED_RESET_ON_FORK;
	}
	return change(t, of, &c);
}

SYS_HANDLER(sched_setscheduler)
{
	if ((int)a[1] < 0)
		return -EINVAL;
	return set_scheduler(t, (int32_t)a[0], (int)a[1], a[2]);
}

SYS_HANDLER(sched_setparam)
{
	return set_scheduler(t, (int32_t)a[0], -1, a[1]);
}

SYS_HANDLER(sched_getscheduler)
{
	struct task *of;

	if ((int32_t)a[0] < 0)
		return -EINVAL;
	of = pids_find_or_self(t, (int32_t)a[0]);
	if (!of)
		return -ESRCH;
	return of->sched_policy | (of->sched.reset_on_fork ? ABI_SCHED_RESET_ON_FORK : 0);
}

SYS_HANDLER(sched_getparam)
{
	struct task *of;
	int32_t prio;

	if (!a[1] || (int32_t)a[0] < 0)
		return -EINVAL;
	of = pids_find_or_self(t, (int32_t)a[0]);
	if (!of)
		return -ESRCH;
	prio = rt_policy(of->sched_policy) ? of->sched_priority : 0;
	return user_put(t, prio, a[1]);
}

SYS_HANDLER(sched_setattr)
{
	struct abi_sched_attr attr = {0};
	struct sched_change c;
	struct task *of;
	uint32_t size;

	if (!a[1] || (int32_t)a[0] < 0 || (uint32_t)a[2])
		return -EINVAL;
	if (user_get(t, size, a[1]))
		return -EFAULT;
	if (!size)
		size = ABI_SCHED_ATTR_SIZE_VER0;
	if (size < ABI_SCHED_ATTR_SIZE_VER0 || size > SBX_PAGE_SIZE) {
		size = sizeof(attr);
		return user_put(t, size, a[1]) ? -EFAULT : -E2BIG;
	}
	if (user_read(t, &attr, a[1], MIN((size_t)size, sizeof(attr))))
		return -EFAULT;
	for (uint32_t off = sizeof(attr); off < size; off++) {
		uint8_t byte;

		if (user_get(t, byte, a[1] + off))
			return -EFAULT;
		if (byte) {
			size = sizeof(attr);
			return user_put(t, size, a[1]) ? -EFAULT : -E2BIG;
		}
	}
	if ((int32_t)attr.policy < 0 || attr.flags & ~(uint64_t)ABI_SCHED_FLAG_ALL)
		return -EINVAL;
	of = pids_find_or_self(t, (int32_t)a[0]);
	if (!of)
		return -ESRCH;
	c = (struct sched_change){.policy = (int)attr.policy,
				  .priority = (int)MIN(attr.priority, 1000u),
				  .nice = attr.nice,
				  .set_nice = true,
				  .dl_runtime = attr.runtime,
				  .dl_deadline = attr.deadline,
				  .dl_period = attr.period,
				  .reset_on_fork = attr.flags & ABI_SCHED_FLAG_RESET_ON_FORK};
	if (attr.flags & ABI_SCHED_FLAG_KEEP_POLICY)
		c.policy = -1;
	if (attr.flags & ABI_SCHED_FLAG_KEEP_PARAMS) {
		c.set_nice = false;
		c.priority = rt_policy(of->sched_policy) ? of->sched_priority : 0;
		c.dl_runtime = of->sched.dl_runtime;
		c.dl_deadline = of->sched.dl_deadline;
		c.dl_period = of->sched.dl_period;
	}
	return change(t, of, &c);
}

SYS_HANDLER(sched_getattr)
{
	struct abi_sched_attr attr = {0};
	struct task *of;
	uint32_t size = (uint32_t)a[2];

	if (!a[1] || (int32_t)a[0] < 0 || size > SBX_PAGE_SIZE || size < ABI_SCHED_ATTR_SIZE_VER0 ||
	    (uint32_t)a[3])
		return -EINVAL;
	of = pids_find_or_self(t, (int32_t)a[0]);
	if (!of)
		return -ESRCH;
	attr.size = MIN(size, (uint32_t)sizeof(attr));
	attr.policy = (uint32_t)of->sched_policy;
	attr.flags = of->sched.reset_on_fork ? ABI_SCHED_FLAG_RESET_ON_FORK : 0;
	if (rt_policy(of->sched_policy))
		attr.priority = (uint32_t)of->sched_priority;
	else if (of->sched_policy == ABI_SCHED_DEADLINE) {
		attr.runtime = of->sched.dl_runtime;
		attr.deadline = of->sched.dl_deadline;
		attr.period = of->sched.dl_period;
	} else
		attr.nice = of->nice;
	attr.util_max = 1024;
	return user_write(t, a[1], &attr, attr.size);
}

SYS_HANDLER(sched_get_priority_max)
{
	return !valid_policy((int)a[0]) ? -EINVAL : rt_policy((int)a[0]) ? 99 : 0;
}

SYS_HANDLER(sched_get_priority_min)
{
	return !valid_policy((int)a[0]) ? -EINVAL : rt_policy((int)a[0]) ? 1 : 0;
}

SYS_HANDLER(sched_rr_get_interval)
{
	struct abi_timespec ts = {0, 0};
	struct task *of;

	if ((int32_t)a[0] < 0)
		return -EINVAL;
	of = pids_find_or_self(t, (int32_t)a[0]);
	if (!of)
		return -ESRCH;
	if (of->sched_policy == ABI_SCHED_RR)
		ts.nsec = 100000000;
	else if (of->sched_policy != ABI_SCHED_FIFO)
		ts.nsec = 3000000; /* one slice of the fair class */
	return user_put(t, ts, a[1]);
}

SYS_HANDLER(sched_yield)
{
	sched_yield_strand();
	return 0;
}
