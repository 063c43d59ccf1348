/* getpriority(2), setpriority(2): nice values are recorded; the host schedules all guests alike. */
#include <linux/capability.h>
#include <sys/resource.h>
#include "common/base/util.h"
#include "services/sysd/sys/pids.h"
#include "services/sysd/syscall/syscall.h"
#include "services/sysd/task/internal.h"

static bool selected(struct task *t, const struct task *of, int which, int32_t who)
{
	switch (which) {
	case PRIO_PROCESS:
		return of == pids_find_or_self(t, who);
	case PRIO_PGRP:
		return of->signal->pgid == (who ? (uint32_t)who : t->signal->pgid);
	default:
		return of->cred->uid == (who ? (uint32_t)who : t->cred->uid);
	}
}

SYS_HANDLER(getpriority)
{
	int which = (int)a[0];
	struct task *of;
	long best = -ESRCH;

	if (which < PRIO_PROCESS || which > PRIO_USER)
		return -EINVAL;
	LIST_FOR_EACH (of, task_all(), all_node)
		if (selected(t, of, which, (int32_t)a[1]))
			best = MAX(best, 20L - of->nice);
	return best;
}

static int set_one(struct task *t, struct task *of, int nice)
{
	if (t->cred->euid != of->cred->uid && t->cred->euid != of->cred->euid && !capable(t, CAP_SYS_NICE))
		return -EPERM;
	if (nice < of->nice && (uint64_t)(20 - nice) > of->signal->rlim[RLIMIT_NICE].rlim_cur &&
	    !capable(t, CAP_SYS_NICE))
		return -EACCES;
	of->nice = nice;
	return 0;
}

SYS_HANDLER(setpriority)
{
	int which = (int)a[0], nice = MAX(-20, MIN(19, (int)a[2]));
	struct task *of;
	long ret = -ESRCH;

	if (which < PRIO_PROCESS || which > PRIO_USER)
		return -EINVAL;
	LIST_FOR_EACH (of, task_all(), all_node) {
		int err;

		if (!selected(t, of, which, (int32_t)a[1]))
			continue;
		err = set_one(t, of, nice);
		ret = err ? err : ret == -ESRCH ? 0 : ret;
	}
	return ret;
}
