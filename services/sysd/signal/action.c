/* rt_sigaction, the mask and the alternate stack; sigpending, sigsuspend, sigtimedwait, pause. */
#include "services/sysd/abi/time.h"
#include "services/sysd/mm/usercopy.h"
#include "services/sysd/platform/hthread.h"
#include "services/sysd/signal/internal.h"
#include "services/sysd/syscall/syscall.h"
#include "services/sysd/time/posix_timer.h"
#include "services/sysd/time/timespec.h"

SYS_HANDLER(rt_sigaction)
{
	int signo = (int)a[0];
	struct abi_sigaction act, *slot;

	if (a[3] != ABI_SIGSET_SIZE)
		return -EINVAL;
	if (a[1] && user_get(t, act, a[1]))
		return -EFAULT;
	if (signo < 1 || signo > SIG_COUNT || (a[1] && SIG_BIT(signo) & SIG_UNBLOCKABLE))
		return -EINVAL;
	slot = &t->sighand->action[signo - 1];
	if (a[2] && user_put(t, *slot, a[2]))
		return -EFAULT;
	if (!a[1])
		return 0;
	act.flags &= ABI_SA_KNOWN;
	act.mask &= ~SIG_UNBLOCKABLE;
	*slot = act;
	/* POSIX: a pending signal that becomes ignored is discarded, blocked or not */
	if (signal_is_ignored(t, signo)) {
		struct task *other;

		signal_flush(t->signal, SIG_BIT(signo));
		LIST_FOR_EACH (other, &t->signal->threads, thread_node)
			signal_recalc(other);
	}
	return 0;
}

SYS_HANDLER(rt_sigprocmask)
{
	sigset64_t set, old = t->blocked, mask = old;

	if (a[3] != ABI_SIGSET_SIZE)
		return -EINVAL;
	if (a[1]) {
		if (user_get(t, set, a[1]))
			return -EFAULT;
		set &= ~SIG_UNBLOCKABLE;
		switch ((int)a[0]) {
		case ABI_SIG_BLOCK:
			mask |= set;
			break;
		case ABI_SIG_UNBLOCK:
			mask &= ~set;
			break;
		case ABI_SIG_SETMASK:
			mask = set;
			break;
		default:
			return -EINVAL;
		}
	}
	if (a[2] && user_put(t, old, a[2]))
		return -EFAULT;
	if (a[1])
		signal_set_blocked(t, mask);
	return 0;
}

SYS_HANDLER(rt_sigpending)
{
	sigset64_t set = (t->pending.set | t->signal->shared_pending.set) & t->blocked;

	if (a[1] > ABI_SIGSET_SIZE)
		return -EINVAL;
	return user_write(t, a[0], &set, a[1]);
}

SYS_HANDLER(rt_sigsuspend)
{
	sigset64_t set;

	if (a[1] != ABI_SIGSET_SIZE)
		return -EINVAL;
	if (user_get(t, set, a[0]))
		return -EFAULT;
	signal_set_temp_mask(t, set);
	{
		struct waitq never;

		waitq_init(&never);
		WAIT_EVENT_INTR(&never, false);
	}
	return -ERESTARTNOHAND;
}

SYS_HANDLER(pause)
{
	struct waitq never;

	waitq_init(&never);
	WAIT_EVENT_INTR(&never, false);
	return -ERESTARTNOHAND;
}

SYS_HANDLER(rt_sigtimedwait)
{
	struct abi_timespec ts = {0, 0};
	struct abi_siginfo info;
	uint64_t deadline = KTIMER_NEVER;
	sigset64_t set;
	int signo;

	if (a[3] != ABI_SIGSET_SIZE)
		return -EINVAL;
	if (user_get(t, set, a[0]))
		return -EFAULT;
	set &= ~SIG_UNBLOCKABLE;
	if (a[2]) {
		int ret = user_timespec(t, &ts, a[2]);

		if (ret < 0)
			return ret;
		deadline = deadline_after(timespec_ns(&ts));
	}
	signo = signal_dequeue(t, set, &info);
	if (!signo && !(a[2] && !ts.sec && !ts.nsec)) {
		struct waitq never;
		sigset64_t old = t->blocked;

		/* unblocked while it waits, so that the sender picks this thread and wakes it */
		t->real_blocked = old;
		signal_set_blocked(t, old & ~set);
		waitq_init(&never);
		WAIT_EVENT_INTR_TIMEOUT(&never, false, deadline);
		signal_set_blocked(t, old);
		t->real_blocked = 0;
		signo = signal_dequeue(t, set, &info);
		if (!signo)
			return signal_pending(t) ? -EINTR : -EAGAIN;
	}
	if (!signo)
		return -EAGAIN;
	if (info.si_code == ABI_SI_TIMER && posix_timer_dequeued)
		posix_timer_dequeued(t, &info);
	if (a[1] && user_put(t, info, a[1]))
		return -EFAULT;
	return signo;
}

static uint32_t altstack_flags(const struct task *t, uint64_t sp)
{
	if (!t->altstack.size)
		return ABI_SS_DISABLE;
	if (!(t->altstack.flags & ABI_SS_AUTODISARM) && sp > t->altstack.sp &&
	    sp - t->altstack.sp <= t->altstack.size)
		return ABI_SS_ONSTACK;
	return 0;
}

int signal_set_altstack(struct task *t, uint64_t sp, uint32_t flags, uint64_t size)
{
	uint32_t mode = flags & ~ABI_SS_AUTODISARM;

	if (altstack_flags(t, t->ht->regs.rsp) == ABI_SS_ONSTACK)
		return -EPERM;
	if (mode != ABI_SS_DISABLE && mode != ABI_SS_ONSTACK && mode != 0)
		return -EINVAL;
	if (mode == ABI_SS_DISABLE)
		sp = size = 0;
	else if (size < ABI_MINSIGSTKSZ)
		return -ENOMEM;
	t->altstack.sp = sp;
	t->altstack.size = size;
	t->altstack.flags = flags;
	return 0;
}

SYS_HANDLER(sigaltstack)
{
	uint64_t sp = t->ht->regs.rsp;
	struct abi_stack old = {
		.sp = t->altstack.sp,
		.size = t->altstack.size,
		.flags = altstack_flags(t, sp) | (t->altstack.flags & ABI_SS_AUTODISARM),
	};

	if (a[0]) {
		struct abi_stack ss;
		int ret;

		if (user_get(t, ss, a[0]))
			return -EFAULT;
		ret = signal_set_altstack(t, ss.sp, ss.flags, ss.size);
		if (ret < 0)
			return ret;
	}
	if (a[1] && user_put(t, old, a[1]))
		return -EFAULT;
	return 0;
}

SYS_HANDLER(restart_syscall)
{
	if (!t->restart.fn)
		return -EINTR;
	return t->restart.fn(t, &t->restart);
}
