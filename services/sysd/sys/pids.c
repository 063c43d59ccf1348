/* Task lookups of the system calls of this folder and of /proc. */
#include "services/sysd/sys/pids.h"
#include "services/sysd/task/task.h"

struct task *pids_find_task(struct task *t, int32_t tid)
{
	return tid > 0 ? task_find((uint32_t)tid) : NULL;
}

struct signal *pids_find_group(struct task *t, int32_t pid)
{
	return pid > 0 ? signal_find((uint32_t)pid) : NULL;
}

struct task *pids_find_or_self(struct task *t, int32_t tid)
{
	return tid ? pids_find_task(t, tid) : t;
}

uint32_t pids_tid_of(struct task *t, const struct task *of)
{
	return of->tid;
}

uint32_t pids_pid_of(struct task *t, const struct signal *of)
{
	return of->pid;
}

bool pids_same_owner(struct task *t, struct task *of)
{
	return t->cred->euid == of->cred->euid || t->cred->euid == of->cred->uid;
}
