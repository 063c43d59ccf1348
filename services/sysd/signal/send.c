/* Sending: what a signal does the moment it is sent (stop and continue, being ignored), which thread
 * takes it, and how that thread is made to look. */
#include "services/sysd/platform/hthread.h"
#include "services/sysd/signal/internal.h"


/* The host thread of t, when it is t that runs there (a vfork child may have borrowed it). */
static struct hthread *own_hthread(const struct task *t)
{
	return t->ht && t->ht->task == t ? t->ht : NULL;
}

sigset64_t signal_blocked(const struct task *t)
{
	struct hthread *ht = own_hthread(t);

	if (ht && ht->where == HT_USER && t->nr < 0)
		return __atomic_load_n(&hthread_slot(ht)->sigmask, __ATOMIC_SEQ_CST) & ~SIG_UNBLOCKABLE;
	return t->blocked;
}

static bool has_work(const struct task *t)
{
	const struct signal *sig = t->signal;

	if (t->exiting)
		return false;
	if (!sig)
		return t->pending.set & ~t->blocked;
	if (sig->group_exit || t->dethreaded)
		return true;
	if (t->ptrace ? ptrace_has_work(t) : sig->stopping)
		return true;
	return (t->pending.set | sig->shared_pending.set) & ~signal_blocked(t);
}

bool signal_pending(const struct task *t)
{
	return has_work(t);
}

bool signal_fatal_pending(const struct task *t)
{
	if (t->exiting || !t->signal)
		return false;
	return t->signal->group_exit || t->dethreaded ||
	       (t->pending.set | t->signal->shared_pending.set) & SIG_BIT(SIGKILL);
}

void signal_recalc(struct task *t)
{
	struct hthread *ht = own_hthread(t);

	if (ht) {
		/* The runtime reads this after it has changed its mask; the mask is read below. */
		uint32_t any = t->pending.set || t->signal->shared_pending.set ||
			       t->signal->stopping || t->signal->group_exit;

		__atomic_store_n(&hthread_slot(ht)->sigpending, any, __ATOMIC_SEQ_CST);
	}
	t->sigpending_flag = has_work(t);
}

void signal_wake_task(struct task *t, bool fatal)
{
	struct hthread *ht = own_hthread(t);

	signal_recalc(t);
	if (t->exiting || (!t->sigpending_flag && !fatal))
		return;
	sched_wake(&t->strand);
	if (ht)
		hthread_kick(ht);
}

void signal_set_blocked(struct task *t, sigset64_t mask)
{
	struct hthread *ht = own_hthread(t);

	t->blocked = mask & ~SIG_UNBLOCKABLE;
	if (ht)
		__atomic_store_n(&hthread_slot(ht)->sigmask, t->blocked, __ATOMIC_SEQ_CST);
	signal_recalc(t);
}

void signal_set_temp_mask(struct task *t, sigset64_t mask)
{
	if (!t->restore_mask) {
		t->saved_mask = t->blocked;
		t->restore_mask = true;
	}
	signal_set_blocked(t, mask);
}

void signal_restore_temp_mask(struct task *t)
{
	if (!t->restore_mask)
		return;
	t->restore_mask = false;
	signal_set_blocked(t, t->saved_mask);
}

bool signal_is_ignored(const struct task *t, int signo)
{
	uint64_t handler = sig_action(t, signo)->handler;

	return handler == ABI_SIG_IGN || (handler == ABI_SIG_DFL && SIG_BIT(signo) & SIG_DFL_IGNORED);
}

/* Dropped at once? A blocked one stays: its action may change before it is unblocked. */
static bool drop(const struct task *t, int signo, bool force)
{
	const struct signal *sig = t->signal;

	if (t->ptrace && signo != SIGKILL)
		return false;
	if ((signal_blocked(t) | t->real_blocked) & SIG_BIT(signo))
		return false;
	if (sig->unkillable && sig_action(t, signo)->handler == ABI_SIG_DFL &&
	    !(force && SIG_BIT(signo) & SIG_UNBLOCKABLE))
		return true;
	return signal_is_ignored(t, signo);
}

/* What happens to stops and continuations regardless of masks and handlers. */
static void prepare(struct signal *sig, int signo)
{
	if (SIG_BIT(signo) & SIG_STOPS) {
		signal_flush(sig, SIG_BIT(SIGCONT));
	} else if (signo == SIGCONT) {
		signal_flush(sig, SIG_STOPS);
		jobctl_continue(sig);
	}
}

static bool wants(const struct task *t, int signo)
{
	if (t->exiting || signal_blocked(t) & SIG_BIT(signo))
		return false;
	if (signo == SIGKILL)
		return true;
	return t->state != TASK_STOPPED && t->state != TASK_TRACED;
}

static void pick_thread(struct signal *sig, struct task *first, int signo)
{
	struct task *t, *chosen = NULL;

	if (first && wants(first, signo)) {
		chosen = first;
	} else {
		LIST_FOR_EACH (t, &sig->threads, thread_node) {
			if (!wants(t, signo))
				continue;
			/* one that is not already busy with another signal, if there is one */
			if (!chosen)
				chosen = t;
			if (!t->sigpending_flag) {
				chosen = t;
				break;
			}
		}
	}
	/* every thread's runtime has to ask before it changes its mask */
	LIST_FOR_EACH (t, &sig->threads, thread_node)
		signal_recalc(t);
	if (chosen)
		signal_wake_task(chosen, false);
}

/* A signal whose default action will end the group: done at once, as Linux's complete_signal does, so that
 * a thread whose runtime no longer answers ends too. Those that dump core take the long way. */
static bool ends_group(const struct task *t, int signo)
{
	/* a stopped one takes nothing but SIGKILL until it goes on */
	return wants(t, signo) && sig_action(t, signo)->handler == ABI_SIG_DFL && !t->ptrace && !t->signal->unkillable &&
	       !(SIG_BIT(signo) & (SIG_DFL_IGNORED | SIG_STOPS | SIG_CORES)) &&
	       !((signal_blocked(t) | t->blocked | t->real_blocked) & SIG_BIT(signo));
}

static int send_locked(struct task *t, struct signal *sig, int signo, const struct abi_siginfo *info,
		       bool group)
{
	bool force = !info || info->si_code == ABI_SI_KERNEL;
	int ret;

	if (signo < 1 || signo > SIG_COUNT)
		return -EINVAL;
	if (sig->group_exit && signo == SIGKILL && !sig->killed) {
		struct task *other;

		sig->killed = true;
		LIST_FOR_EACH (other, &sig->threads, thread_node)
			if (other->state == TASK_TRACED)
				sched_wake(&other->strand);
	}
	if (sig->group_exit || !t->sighand)
		return 0;
	prepare(sig, signo);
	if (drop(t, signo, force))
		return 0;
	if (signo == SIGKILL || ends_group(t, signo)) {
		signal_group_exit(sig, signo);
		return 0;
	}
	ret = signal_queue(t, group ? sig : NULL, signo, info);
	if (ret < 0)
		return ret;
	if (group)
		pick_thread(sig, t->exiting ? NULL : t, signo);
	else
		signal_wake_task(t, false);
	return 0;
}

int signal_send_task(struct task *t, int signo, const struct abi_siginfo *info)
{
	if (t->exiting || t->state == TASK_DEAD)
		return 0;
	return send_locked(t, t->signal, signo, info, false);
}

int signal_send_group(struct signal *sig, int signo, const struct abi_siginfo *info)
{
	if (!sig->live || !sig->leader)
		return 0; /* a zombie takes everything and does nothing */
	return send_locked(sig->leader, sig, signo, info, true);
}

int signal_send_pgrp(uint32_t pgid, int signo, const struct abi_siginfo *info)
{
	struct signal *sig;
	int ret = -ESRCH;

	LIST_FOR_EACH (sig, signal_all(), all_node)
		if (sig->pgid == pgid) {
			ret = 0;
			signal_send_group(sig, signo, info);
		}
	return ret;
}

void signal_force(struct task *t, int signo, const struct abi_siginfo *info)
{
	struct abi_sigaction *act = &t->sighand->action[signo - 1];
	sigset64_t blocked = signal_blocked(t);

	if (act->handler == ABI_SIG_IGN || blocked & SIG_BIT(signo)) {
		act->handler = ABI_SIG_DFL;
		signal_set_blocked(t, blocked & ~SIG_BIT(signo));
	}
	/* even pid 1 dies of its own fault */
	if (act->handler == ABI_SIG_DFL && !t->ptrace)
		t->signal->unkillable = false;
	sigpending_remove(&t->pending, SIG_BIT(signo));
	signal_queue(t, NULL, signo, info);
	signal_wake_task(t, false);
}

void signal_pipe(struct task *t)
{
	struct abi_siginfo info;

	siginfo_user(&info, t, SIGPIPE, ABI_SI_USER);
	signal_send_task(t, SIGPIPE, &info);
}

void siginfo_user(struct abi_siginfo *info, struct task *from, int signo, int code)
{
	memset(info, 0, sizeof(*info));
	info->si_signo = signo;
	info->si_code = code;
	info->rt.pid = (int32_t)from->signal->pid;
	info->rt.uid = from->cred->uid;
}
