/* Process groups and sessions; the calls that say who one is. */
#include "common/base/util.h"
#include "services/sysd/sys/pids.h"
#include "services/sysd/syscall/syscall.h"
#include "services/sysd/task/internal.h"

SYS_HANDLER(getpid)
{
	return (long)pids_pid_of(t, t->signal);
}

SYS_HANDLER(gettid)
{
	return (long)pids_tid_of(t, t);
}

SYS_HANDLER(getppid)
{
	return t->signal->parent ? (long)pids_pid_of(t, t->signal->parent) : 0;
}

/* Is there a group of this id in the session? */
static bool pgrp_in_session(uint32_t pgid, uint32_t sid)
{
	struct signal *sig;

	LIST_FOR_EACH (sig, signal_all(), all_node)
		if (sig->pgid == pgid && sig->sid == sid)
			return true;
	return false;
}

SYS_HANDLER(setpgid)
{
	int32_t pid = (int32_t)a[0], pgid = (int32_t)a[1];
	struct signal *sig = t->signal;

	if (pgid < 0)
		return -EINVAL;
	if (pid && pid != (int32_t)sig->pid) {
		sig = pids_find_group(t, pid);
		if (!sig) {
			struct task *thread = pids_find_task(t, pid);

			return thread ? -EINVAL : -ESRCH;
		}
		if (sig->parent != t->signal)
			return -ESRCH;
		if (sig->sid != t->signal->sid)
			return -EPERM;
		if (sig->did_exec)
			return -EACCES;
	}
	if (sig->sid == sig->pid)
		return -EPERM;
	if (!pgid)
		pgid = (int32_t)sig->pid;
	if ((uint32_t)pgid != sig->pid && !pgrp_in_session((uint32_t)pgid, t->signal->sid))
		return -EPERM;
	sig->pgid = (uint32_t)pgid;
	return 0;
}

static struct signal *group_or_self(struct task *t, int32_t pid)
{
	struct task *of;

	if (!pid)
		return t->signal;
	of = pids_find_task(t, pid);
	return of ? of->signal : NULL;
}

SYS_HANDLER(getpgid)
{
	struct signal *sig = group_or_self(t, (int32_t)a[0]);

	return sig ? (long)sig->pgid : -ESRCH;
}

SYS_HANDLER(getpgrp)
{
	return (long)t->signal->pgid;
}

SYS_HANDLER(getsid)
{
	struct signal *sig = group_or_self(t, (int32_t)a[0]);

	return sig ? (long)sig->sid : -ESRCH;
}

SYS_HANDLER(setsid)
{
	struct signal *sig = t->signal, *other;

	LIST_FOR_EACH (other, signal_all(), all_node)
		if (other->pgid == sig->pid)
			return -EPERM;
	sig->sid = sig->pgid = sig->pid;
	sig->tty = NULL;
	return (long)sig->pid;
}
