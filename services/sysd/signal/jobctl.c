/* Job control: a stop is ordered for the group, each thread stops at its own way out of the kernel,
 * and the parent hears of it when the last has. Orphaned process groups (POSIX: no member has a
 * parent in another group of the same session) are not stopped by the terminal, and get SIGHUP and
 * SIGCONT when they become orphans with a stopped member. */
#include "services/sysd/core/clock.h"
#include "services/sysd/signal/internal.h"
#include "services/sysd/time/cputime.h"
#include "services/sysd/abi/time.h"

void notify_parent_cldstop(struct signal *sig, struct task *who, int code)
{
	struct abi_siginfo info = {.si_signo = SIGCHLD, .si_code = code};
	struct signal *parent = sig->parent;
	uint64_t u, s;

	waitq_wake_all(&sig->pidfd_wait);
	if (!parent || !parent->leader)
		return;
	info.chld.pid = (int32_t)sig->pid;
	info.chld.uid = who->cred->uid;
	cputime_group(sig, &u, &s);
	info.chld.utime = (int64_t)(u / (NSEC_PER_SEC / ABI_USER_HZ));
	info.chld.stime = (int64_t)(s / (NSEC_PER_SEC / ABI_USER_HZ));
	info.chld.status = code == ABI_CLD_CONTINUED ? SIGCONT : sig->stop_signo;
	if (sig_action(parent->leader, SIGCHLD)->handler != ABI_SIG_IGN &&
	    !(sig_action(parent->leader, SIGCHLD)->flags & ABI_SA_NOCLDSTOP))
		signal_send_group(parent, SIGCHLD, &info);
	waitq_wake_all(&parent->child_wait);
}

void jobctl_stop(struct signal *sig, int signo)
{
	struct task *t;

	if (sig->stopping || sig->group_exit)
		return;
	sig->stopping = true;
	sig->stopped = false;
	sig->continued = false;
	sig->stop_signo = signo;
	LIST_FOR_EACH (t, &sig->threads, thread_node) {
		t->stop_taken = false;
		signal_wake_task(t, false);
	}
}

void jobctl_continue(struct signal *sig)
{
	bool was_stopped = sig->stopped, was_stopping = sig->stopping;
	struct task *t;

	if (!was_stopping && !was_stopped)
		return;
	sig->stopping = sig->stopped = false;
	LIST_FOR_EACH (t, &sig->threads, thread_node) {
		signal_recalc(t);
		if (t->state == TASK_STOPPED)
			sched_wake(&t->strand);
		if (t->ptrace)
			ptrace_group_continued(t);
	}
	if (was_stopped && sig->leader) {
		sig->continued = true;
		notify_parent_cldstop(sig, sig->leader, ABI_CLD_CONTINUED);
	}
}

void jobctl_check_stopped(struct signal *sig, struct task *last)
{
	struct task *t;

	if (!sig->stopping || sig->stopped || !sig->live)
		return;
	LIST_FOR_EACH (t, &sig->threads, thread_node)
		if (!t->exiting && t->state != TASK_STOPPED && t->state != TASK_TRACED)
			return;
	sig->stopped = true;
	sig->stop_reported = false;
	notify_parent_cldstop(sig, last, ABI_CLD_STOPPED);
}

void jobctl_stop_here(struct task *t)
{
	struct signal *sig = t->signal;

	t->state = TASK_STOPPED;
	jobctl_check_stopped(sig, t);
	while (sig->stopping && !t->ptrace && !signal_fatal_pending(t))
		sched_park();
	t->state = TASK_RUNNING;
}

bool pgrp_is_orphaned(uint32_t pgid, const struct signal *but)
{
	struct signal *sig;

	LIST_FOR_EACH (sig, signal_all(), all_node) {
		if (sig->pgid != pgid || sig == but || !sig->live || !sig->parent)
			continue;
		if (sig->parent->pgid != pgid && sig->parent->sid == sig->sid)
			return false;
	}
	return true;
}

static bool has_stopped(uint32_t pgid)
{
	struct signal *sig;

	LIST_FOR_EACH (sig, signal_all(), all_node)
		if (sig->pgid == pgid && sig->stopped && sig->live)
			return true;
	return false;
}

/* `exiting` leaves, or gets another parent: did that make its own group, seen from `parent`, an
 * orphan? (kill_orphaned_pgrp) */
void pgrp_check_orphaned(struct signal *exiting, struct signal *parent)
{
	const struct signal *ignored = NULL;
	struct signal *p = parent;

	if (!p) {
		p = exiting->parent;
		ignored = exiting;
	}
	if (!p || p->pgid == exiting->pgid || p->sid != exiting->sid)
		return;
	if (!pgrp_is_orphaned(exiting->pgid, ignored) || !has_stopped(exiting->pgid))
		return;
	signal_send_pgrp(exiting->pgid, SIGHUP, NULL);
	signal_send_pgrp(exiting->pgid, SIGCONT, NULL);
}
