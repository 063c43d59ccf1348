/* The strand of a task: takes a request of its host thread, serves it, and leaves for guest code by way
 * of the signals. */
#include <sys/syscall.h>

#include "common/base/util.h"
#include "services/sysd/mm/memd_client.h"
#include "services/sysd/mm/mm.h"
#include "services/sysd/syscall/syscall.h"
#include "services/sysd/task/internal.h"

/* The reply. in_call: *ret is a call's result. */
static void leave(struct task *t, int64_t ret)
{
	struct sbx_sigframe_req req;
	bool in_call = t->nr >= 0;

	if (unlikely(t->replied)) {
		t->replied = false;
		t->nr = -1;
		goto out;
	}
	if (unlikely(t->ptrace))
		ptrace_put_regs(t, ret);
	if (unlikely(ret <= -ERESTARTSYS && ret >= -ERESTART_RESTARTBLOCK) || t->restore_mask ||
	    signal_pending(t)) {
		if (signal_deliver(t, &ret, &req)) {
			bool has_ret = in_call && !t->regs_replaced;

			t->nr = -1;
			hthread_reply_signal(t, ret, has_ret, &req);
			goto out;
		}
	}
	if (unlikely(t->ptrace) && ptrace_wants_all_regs(t) && in_call && !t->regs_replaced) {
		t->ht->regs.rax = (uint64_t)ret;
		t->regs_replaced = true;
	}
	t->nr = -1;
	if (in_call && !t->regs_replaced)
		hthread_reply_return(t, ret);
	else
		hthread_reply_resume(t);
out:
	/* A second signal, or one that came while the reply was made: the kick brings the thread back. */
	if (unlikely(signal_pending(t)))
		signal_wake_task(t, false);
}

static void serve_call(struct task *t)
{
	int64_t ret;

	t->regs_replaced = false;
	if (unlikely(t->nr < 0)) /* a call of no such number, yet a call */
		t->nr = (uint32_t)t->nr;
	if (likely(!t->ptrace) || ptrace_syscall_enter(t, &ret))
		ret = syscall_dispatch(t);
	if (unlikely(t->ptrace))
		ptrace_syscall_exit(t, &ret);
	leave(t, ret);
}

static void serve_fault(struct task *t)
{
	struct hthread *ht = t->ht;
	struct abi_siginfo info = {.si_code = ht->fault_code};
	int signo = (int)ht->fault_signo;

	/* hostile code claims it, and can only harm itself */
	if (signo != SIGSEGV && signo != SIGBUS && signo != SIGILL && signo != SIGFPE && signo != SIGTRAP) {
		signo = SIGSEGV;
		info.si_code = ABI_SI_KERNEL;
	}
	/* The frame of a SIGSEGV handler cannot be written either: no handler is tried again. */
	if (ht->fault_trapno == SBX_TRAPNO_FRAME && ht->fault_err == SIGSEGV)
		t->sighand->action[SIGSEGV - 1].handler = ABI_SIG_DFL;
	info.si_signo = signo;
	info.fault.addr = ht->fault_addr;
	signal_force(t, signo, &info);
	leave(t, 0);
}

/* A kick took the thread out of guest code, or out of a futex wait on the host: that is a call that was
 * interrupted, whose result the signals decide. */
static void serve_kick(struct task *t)
{
	const struct sbx_regs *r = &t->ht->regs;
	int64_t ret = 0;

	t->regs_replaced = false;
	if ((r->orig_rax == SYS_futex || r->orig_rax == SYS_futex_waitv) && (r->rax == (uint64_t)-ERESTARTSYS ||
					 r->rax == (uint64_t)-ERESTART_RESTARTBLOCK)) {
		t->nr = (int64_t)r->orig_rax;
		ret = (int64_t)r->rax;
	}
	leave(t, ret);
}

static void __attribute__((noreturn)) host_gone(struct task *t)
{
	/* An ordered end, or the host process died on its own; a thread that another one's exec ends goes
	 * alone. */
	if (!t->dethreaded)
		signal_group_exit(t->signal, SIGKILL);
	task_exit(t, t->signal->group_exit ? t->signal->group_exit_code : SIGKILL);
}

/* The host thread of a clone comes up while the parent goes on already; a fork's is not waited for. */
static void wait_for_host(struct task *t)
{
	if (!t->ht->hello_due && !t->ht->cookie)
		return;
	if (t->ht->hello_due && (hthread_first_hello(t->ht) || memd_wait_started(t->mm->hp)))
		host_gone(t);
	if (t->signal->leader == t && cputime_fork)
		cputime_fork(t->signal);
}

/* What happens on a task's own account before its request is served. */
static int next_request(struct task *t, int64_t *ret_failed_fork)
{
	int req = hthread_next_request(t);

	if (unlikely(t->forking) && req >= 0 && fork_failed(t, req, ret_failed_fork))
		return req;
	if (req != SBX_REQ_SYSCALL)
		t->nr = -1;
	/* Whatever it asks may concern its host process; memd has spoken of that already. */
	if (unlikely(req >= 0 && t->ht->unmet) && !t->ht->taken_back && memd_wait_started(t->mm->hp))
		return -ESRCH;
	return req == SBX_REQ_HOSTOPS_DONE ? -EPROTO : req;
}

static void strand_main(void *arg)
{
	struct task *t = arg;

	wait_for_host(t);
	task_first_steps(t);
	t->nr = -1;
	leave(t, 0);
	for (;;) {
		int64_t failed_fork;

		switch (next_request(t, &failed_fork)) {
		case SBX_REQ_SYSCALL:
			serve_call(t);
			break;
		case SBX_REQ_ALTSTACK:
			signal_set_altstack(t, t->ht->args[0], (uint32_t)t->ht->args[1], t->ht->args[2]);
			serve_kick(t);
			break;
		case SBX_REQ_KICKED:
			serve_kick(t);
			break;
		case SBX_REQ_FAULT:
			t->regs_replaced = false;
			serve_fault(t);
			break;
		case SBX_REQ_HOSTOPS_DONE:
			t->regs_replaced = false;
			leave(t, failed_fork);
			break;
		case -ESRCH:
			host_gone(t);
		default:
			/* the runtime was tampered with */
			signal_group_exit(t->signal, SIGSEGV);
			task_exit(t, t->signal->group_exit_code);
		}
	}
}

int task_start(struct task *t)
{
	int ret;

	task_ref(t);
	ret = sched_start(&t->strand, strand_main, t);
	if (ret < 0)
		task_unref(t);
	return ret;
}
