/* Calls that need nobody else's state. sysd's table says which may be answered here (ctl.hint[].t0). */
#include "services/stub/stub.h"

#define ARCH_SET_GS 0x1001
#define ARCH_SET_FS 0x1002
#define ARCH_GET_FS 0x1003
#define ARCH_GET_GS 0x1004
#define ROBUST_HEAD_SIZE 24
#define SIG_BLOCK 0
#define SIG_UNBLOCK 1
#define SIG_SETMASK 2
#define MASK_NEVER ((1ul << (9 - 1)) | (1ul << (19 - 1))) /* SIGKILL, SIGSTOP */

static long put64(uint64_t uaddr, uint64_t v)
{
	return rt_copy((void *)uaddr, &v, 8) ? -EFAULT : 0;
}

static enum rt_t0 do_sigprocmask(struct sbx_thread *t, long *ret_ret)
{
	struct sbx_slot *slot = t->slot;
	struct sbx_regs *r = &t->regs;
	uint64_t old = slot->sigmask, set, mask = old;

	if (r->r10 != 8) {
		*ret_ret = -EINVAL;
		return T0_RET;
	}
	if (r->rsi) {
		if (__atomic_load_n(&slot->sigpending, __ATOMIC_ACQUIRE))
			return T0_NO;
		if (rt_copy(&set, (const void *)r->rsi, 8)) {
			*ret_ret = -EFAULT;
			return T0_RET;
		}
		set &= ~MASK_NEVER;
		switch ((int)r->rdi) {
		case SIG_BLOCK:
			mask = old | set;
			break;
		case SIG_UNBLOCK:
			mask = old & ~set;
			break;
		case SIG_SETMASK:
			mask = set;
			break;
		default:
			*ret_ret = -EINVAL;
			return T0_RET;
		}
		if (mask != old) {
			/* Pairs with sysd: it stores sigpending, fences and reads sigmask. A signal that
			 * came in between is asked for on the way out. */
			__atomic_exchange_n(&slot->sigmask, mask, __ATOMIC_SEQ_CST);
			if (__atomic_load_n(&slot->sigpending, __ATOMIC_ACQUIRE))
				t->kicked = 1;
		}
	}
	*ret_ret = r->rdx ? put64(r->rdx, old) : 0;
	return T0_RET;
}

static long do_arch_prctl(struct sbx_thread *t, uint64_t code, uint64_t addr)
{
	switch ((int)code) {
	case ARCH_SET_FS:
		if (addr >= 0x7ffffffff000ul)
			return -EPERM;
		return rt_wrfsbase(addr);
	case ARCH_GET_FS:
		return put64(addr, rdfsbase());
	case ARCH_SET_GS:
		if (addr >= 0x7ffffffff000ul)
			return -EPERM;
		if (!t->gs_virtual) {
			/* Patched code finds the runtime by GS. */
			rt_unpatch_all(t);
			t->gs_virtual = 1;
		}
		t->guest_gs = addr;
		t->exit_slow = 1;
		return 0;
	case ARCH_GET_GS:
		return put64(addr, t->guest_gs);
	default:
		return -EINVAL;
	}
}

enum rt_t0 rt_t0(struct sbx_thread *t, uint64_t nr, long *ret_ret)
{
	struct sbx_slot *slot = t->slot;

	switch (nr) {
	case NR_getpid:
		*ret_ret = (long)slot->pid;
		return T0_RET;
	case NR_gettid:
		*ret_ret = (long)slot->tid;
		return T0_RET;
	case NR_getppid:
		*ret_ret = (long)slot->ppid;
		return T0_RET;
	case NR_getuid:
		*ret_ret = (long)slot->uid;
		return T0_RET;
	case NR_geteuid:
		*ret_ret = (long)slot->euid;
		return T0_RET;
	case NR_getgid:
		*ret_ret = (long)slot->gid;
		return T0_RET;
	case NR_getegid:
		*ret_ret = (long)slot->egid;
		return T0_RET;
	case NR_sched_yield:
		*ret_ret = host0(NR_sched_yield);
		return T0_RET;
	case NR_futex:
		return rt_t0_futex(t, ret_ret);
	case NR_futex_waitv:
		return rt_t0_futex_waitv(t, ret_ret);
	case NR_rt_sigprocmask:
		return do_sigprocmask(t, ret_ret);
	case NR_set_robust_list:
		*ret_ret = t->regs.rsi == ROBUST_HEAD_SIZE ? 0 : -EINVAL;
		if (!*ret_ret)
			slot->robust_list = t->regs.rdi;
		return T0_RET;
	case NR_set_tid_address:
		slot->clear_tid = t->regs.rdi;
		*ret_ret = (long)slot->tid;
		return T0_RET;
	case NR_arch_prctl:
		if ((int)t->regs.rdi < ARCH_SET_GS || (int)t->regs.rdi > ARCH_GET_GS)
			return T0_NO;
		*ret_ret = do_arch_prctl(t, t->regs.rdi, t->regs.rsi);
		return T0_RET;
	case NR_mmap:
	case NR_munmap:
	case NR_mprotect:
	case NR_mremap:
	case NR_madvise:
	case NR_msync:
	case NR_mincore:
	case NR_mlock:
	case NR_munlock:
	case NR_mlock2:
	case NR_membarrier:
		return rt_t0_mm(t, nr, ret_ret);
	case NR_clock_gettime:
	case NR_gettimeofday:
	case NR_time:
	case NR_getcpu:
		return rt_t0_clock(t, nr, ret_ret);
	default:
		return T0_NO;
	}
}
