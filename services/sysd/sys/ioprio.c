/* I/O priorities: recorded, with Linux's rules (ioprio_set(2)); the host's scheduler decides. */
#include <linux/capability.h>
#include "common/base/util.h"
#include "services/sysd/sys/pids.h"
#include "services/sysd/syscall/syscall.h"
#include "services/sysd/task/task.h"

#define WHO_PROCESS 1
#define WHO_PGRP 2
#define WHO_USER 3
#define CLASS_SHIFT 13
#define CLASS_NONE 0
#define CLASS_RT 1
#define CLASS_BE 2
#define CLASS_IDLE 3

static int effective(const struct task *of)
{
	int cls = of->sched.ioprio >> CLASS_SHIFT;

	if (cls != CLASS_NONE)
		return of->sched.ioprio;
	/* derived from nice (ioprio_set(2)) */
	if (of->sched_policy == 5)
		return CLASS_IDLE << CLASS_SHIFT;
	return ((of->sched_policy == 1 || of->sched_policy == 2 ? CLASS_RT : CLASS_BE) << CLASS_SHIFT) |
	       ((of->nice + 20) / 5);
}

static bool matches(struct task *t, const struct task *of, int which, int32_t who)
{
	if (which == WHO_PGRP)
		return of->signal->pgid == (who ? (uint32_t)who : t->signal->pgid);
	return of->cred->uid == (who ? (uint32_t)who : t->cred->uid);
}

static int set_one(struct task *t, struct task *of, int prio)
{
	if (of->cred->uid != t->cred->euid && of->cred->uid != t->cred->uid &&
	    !capable(t, CAP_SYS_NICE))
		return -EPERM;
	of->sched.ioprio = (uint16_t)prio;
	return 0;
}

SYS_HANDLER(ioprio_set)
{
	int which = (int)a[0], prio = (int)a[2], cls = (prio & 0xffff) >> CLASS_SHIFT, data = prio & 7;
	struct task *of;
	int ret = -ESRCH;

	switch (cls) {
	case CLASS_RT:
		if (!capable(t, CAP_SYS_NICE) && !capable(t, CAP_SYS_ADMIN))
			return -EPERM;
		break;
	case CLASS_BE:
	case CLASS_IDLE:
		break;
	case CLASS_NONE:
		if (data)
			return -EINVAL;
		break;
	default:
		return -EINVAL;
	}
	if (which == WHO_PROCESS) {
		of = pids_find_or_self(t, (int32_t)a[1]);
		return of ? set_one(t, of, prio) : -ESRCH;
	}
	if (which != WHO_PGRP && which != WHO_USER)
		return -EINVAL;
	LIST_FOR_EACH (of, task_all(), all_node) {
		if (!matches(t, of, which, (int32_t)a[1]))
			continue;
		ret = set_one(t, of, prio);
		if (ret)
			break;
	}
	return ret;
}

SYS_HANDLER(ioprio_get)
{
	int which = (int)a[0];
	struct task *of;
	int best = -ESRCH;

	if (which == WHO_PROCESS) {
		of = pids_find_or_self(t, (int32_t)a[1]);
		return of ? of->sched.ioprio : -ESRCH; /* as it was set, not what it amounts to */
	}
	if (which != WHO_PGRP && which != WHO_USER)
		return -EINVAL;
	LIST_FOR_EACH (of, task_all(), all_node)
		if (matches(t, of, which, (int32_t)a[1]))
			best = best < 0 ? effective(of) : MIN(best, effective(of));
	return best;
}
