/* fork(2) whose parent does not wait for the host's fork. Everything of the child but its host process is made first;
 * then the parent's host thread is told to clone and, if that works, to go on with the child's id at once, and the
 * child finds its first reply in its slot when it comes up. Two hand-offs of three are spared.
 *
 * A host that cannot clone is found out when the child exists already. If nobody has ended it by then it
 * goes without a trace: no status, no signal. */
#include "services/sysd/mm/mm.h"
#include "services/sysd/syscall/syscall.h"
#include "services/sysd/abi/clone.h"
#include "services/sysd/task/internal.h"

void cputime_limit_changed(struct signal *sig) __attribute__((weak));

bool fork_goes_on(const struct task *t, uint64_t flags)
{
	/* strace and ptrace show a fork when it is done; the others sleep or write before they return. */
	return !(flags & (ABI_CLONE_VM | ABI_CLONE_VFORK | ABI_CLONE_PIDFD)) && !t->ptrace && !strace_enabled;
}

void fork_reply(struct task *t, struct task *child, uint32_t tid)
{
	task_ref(child);
	t->forking = child;
	t->fork_nr = t->nr;
	t->replied = true;
	hthread_reply_fork(t, child->ht, tid);
}

static bool lives(const struct task *child)
{
	return !child->exiting && !child->signal->group_exit && child->state != TASK_DEAD;
}

static void undo(struct task *child)
{
	child->unborn = true;
	signal_group_exit(child->signal, SIGKILL);
}

bool fork_failed(struct task *t, int req, int64_t *ret)
{
	struct task *child = STEAL_PTR(t->forking);
	bool failed = req == SBX_REQ_HOSTOPS_DONE;

	if (failed) {
		int err = mm_fork_result(hthread_op_ret(t->ht));

		*ret = (int64_t)child->tid;
		if (lives(child)) {
			undo(child);
			*ret = err ? err : -EAGAIN;
		}
		t->nr = t->fork_nr;
	}
	task_unref(child);
	return failed;
}

void fork_forget(struct task *t)
{
	struct task *child = STEAL_PTR(t->forking);

	if (!child)
		return;
	/* Nobody has met it, and who was to make it is gone. */
	if (lives(child) && child->ht && child->ht->unmet)
		undo(child);
	task_unref(child);
}

void task_host_met(struct hprocess *hp)
{
	struct hthread *ht;

	LIST_FOR_EACH (ht, &hp->threads, node)
		if (ht->task && ht->task->signal && cputime_limit_changed)
			cputime_limit_changed(ht->task->signal);
}
