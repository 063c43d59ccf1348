/* The way out of the kernel: stops, default actions, and the description of one handler's frame. Calls
 * that were interrupted are given their end here: EINTR, or the call once more (signal(7)). */
#include "services/sysd/platform/hthread.h"
#include "services/sysd/signal/internal.h"
#include "services/sysd/time/posix_timer.h"


#define NR_RESTART_SYSCALL 219
#define WCOREFLAG_ 0x80

static bool is_restart(int64_t ret)
{
	return ret == -ERESTARTSYS || ret == -ERESTARTNOINTR || ret == -ERESTARTNOHAND ||
	       ret == -ERESTART_RESTARTBLOCK;
}

/* The `syscall` instruction is two bytes: back on it, with the number in rax. */
static void rewind_call(struct task *t, uint64_t nr)
{
	t->ht->regs.rip -= 2;
	t->ht->regs.rax = nr;
	t->regs_replaced = true;
}

static void restart_for_handler(struct task *t, uint64_t sa_flags, int64_t *ret)
{
	if (t->nr < 0 || t->regs_replaced || !is_restart(*ret))
		return;
	if (*ret == -ERESTARTNOINTR || (*ret == -ERESTARTSYS && sa_flags & ABI_SA_RESTART))
		rewind_call(t, (uint64_t)t->nr);
	else
		*ret = -EINTR;
}

static void restart_without_handler(struct task *t, int64_t *ret)
{
	if (t->nr < 0 || t->regs_replaced || !is_restart(*ret))
		return;
	rewind_call(t, *ret == -ERESTART_RESTARTBLOCK ? NR_RESTART_SYSCALL : (uint64_t)t->nr);
}

static bool on_altstack(const struct task *t, uint64_t sp)
{
	if (t->altstack.flags & ABI_SS_AUTODISARM)
		return false;
	return sp > t->altstack.sp && sp - t->altstack.sp <= t->altstack.size;
}

static void frame_request(struct task *t, int signo, const struct abi_siginfo *info,
			  const struct abi_sigaction *act, struct sbx_sigframe_req *req)
{
	uint64_t sp = t->ht->regs.rsp;
	sigset64_t mask = t->blocked | act->mask;

	memset(req, 0, sizeof(*req));
	req->handler = act->handler;
	req->restorer = act->restorer;
	req->sa_flags = act->flags;
	req->signo = (uint32_t)signo;
	memcpy(req->siginfo, info, sizeof(*info));
	req->old_mask = t->restore_mask ? t->saved_mask : t->blocked;
	t->restore_mask = false;
	if (!(act->flags & ABI_SA_NODEFER))
		mask |= SIG_BIT(signo);
	mask &= ~SIG_UNBLOCKABLE;
	req->new_mask = mask;
	req->ss_sp = t->altstack.sp;
	req->ss_size = t->altstack.size;
	req->ss_flags = t->altstack.size ? t->altstack.flags : ABI_SS_DISABLE;
	if (act->flags & ABI_SA_ONSTACK && t->altstack.size && !on_altstack(t, sp))
		req->sp = t->altstack.sp + t->altstack.size;
	if (t->altstack.flags & ABI_SS_AUTODISARM)
		memset(&t->altstack, 0, sizeof(t->altstack));
	req->cr2 = t->ht->fault_addr;
	req->err = t->ht->fault_err;
	req->trapno = t->ht->fault_trapno;
	signal_set_blocked(t, mask);
}

static int32_t death_code(const struct task *t, int signo)
{
	const struct signal *sig = t->signal;

	if (SIG_BIT(signo) & SIG_CORES && sig->rlim[RLIMIT_CORE].rlim_cur >= 4096 && sig->dumpable)
		return signo | WCOREFLAG_;
	return signo;
}

/* A signal that was taken and has its default action. Returns when the task lives on. */
static void default_action(struct task *t, int signo)
{
	struct signal *sig = t->signal;

	if (SIG_BIT(signo) & SIG_DFL_IGNORED)
		return;
	if (sig->unkillable && !(SIG_BIT(signo) & SIG_UNBLOCKABLE))
		return;
	if (SIG_BIT(signo) & SIG_STOPS) {
		if (signo != SIGSTOP && pgrp_is_orphaned(sig->pgid, NULL))
			return;
		jobctl_stop(sig, signo);
		return;
	}
	signal_group_exit(sig, death_code(t, signo));
}

bool signal_deliver(struct task *t, int64_t *ret, struct sbx_sigframe_req *req)
{
	struct signal *sig = t->signal;
	struct abi_siginfo info;
	int signo;

	for (;;) {
		struct abi_sigaction *act;

		if (signal_fatal_pending(t))
			task_exit(t, sig->group_exit ? sig->group_exit_code : t->dethreaded ? 0 : SIGKILL);
		if (t->ptrace)
			ptrace_stops(t, ret);
		if (sig->stopping && !t->ptrace) {
			jobctl_stop_here(t);
			continue;
		}
		signo = signal_dequeue(t, ~t->blocked, &info);
		if (!signo)
			break;
		if (info.si_code == ABI_SI_TIMER && posix_timer_dequeued)
			posix_timer_dequeued(t, &info);
		if (t->ptrace) {
			signo = ptrace_signal(t, signo, &info, ret);
			if (!signo)
				continue;
		}
		act = &t->sighand->action[signo - 1];
		if (act->handler == ABI_SIG_IGN)
			continue;
		if (act->handler == ABI_SIG_DFL) {
			default_action(t, signo);
			continue;
		}
		restart_for_handler(t, act->flags, ret);
		frame_request(t, signo, &info, act, req);
		if (act->flags & ABI_SA_RESETHAND)
			act->handler = ABI_SIG_DFL;
		return true;
	}
	restart_without_handler(t, ret);
	signal_restore_temp_mask(t);
	return false;
}
