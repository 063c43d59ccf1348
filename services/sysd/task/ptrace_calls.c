/* ptrace(2): its requests. */
#include <linux/audit.h>
#include <linux/capability.h>
#include "common/base/util.h"
#include "services/sysd/mm/mm.h"
#include "services/sysd/mm/uio.h"
#include "services/sysd/mm/usercopy.h"
#include "services/sysd/sys/pids.h"
#include "services/sysd/syscall/syscall.h"
#include "services/sysd/task/exec.h"
#include "services/sysd/task/ptrace_internal.h"

static long attach(struct task *t, uint32_t tid, bool seize, uint64_t options)
{
	struct task *of;
	int ret;

	/* the rights are those over the program that it comes to be */
	while ((of = pids_find_task(t, (int32_t)tid)) && of->in_exec) {
		ret = exec_wait_end(of);
		if (ret)
			return ret;
	}
	if (!of)
		return -ESRCH;
	if (seize && options & ~(uint64_t)ABI_PTRACE_O_MASK)
		return -EIO;
	if (of->signal == t->signal || !ptrace_may_access(t, of))
		return -EPERM;
	if (of->exiting || of->state == TASK_ZOMBIE)
		return -EPERM;
	ret = ptrace_link(of, t, seize, (uint32_t)options);
	if (ret < 0)
		return ret;
	if (!seize)
		signal_send_task(of, SIGSTOP, NULL);
	else if (of->signal->stopping)
		of->ptrace->interrupt = true;
	/* out of guest code, so that the runtime asks us about each call from here on */
	if (of->state == TASK_STOPPED)
		sched_wake(&of->strand);
	signal_wake_task(of, true);
	return 0;
}

static long trace_me(struct task *t)
{
	struct signal *parent = t->signal->parent;

	if (t->ptrace || !parent || !parent->leader || parent->leader->exiting)
		return -EPERM;
	return ptrace_link(t, parent->leader, false, 0);
}

static bool valid_signal(uint64_t signo)
{
	return signo <= SIG_COUNT;
}

static long resume(struct task *of, uint64_t req, uint64_t signo)
{
	struct ptrace *p = of->ptrace;

	if (!valid_signal(signo))
		return -EIO;
	p->trace_syscalls = req == ABI_PTRACE_SYSCALL;
	p->single_step = req == ABI_PTRACE_SINGLESTEP;
	ptrace_resume(of, (int)signo);
	return 0;
}

static long detach(struct task *of, uint64_t signo)
{
	if (!valid_signal(signo))
		return -EIO;
	ptrace_unlink_with(of, (int)signo);
	return 0;
}

static long peek_user(struct task *t, struct task *of, uint64_t off, uint64_t udata)
{
	struct abi_user_regs regs;
	uint64_t value = 0;

	if (off & 7 || off >= ABI_USER_SIZE)
		return -EIO;
	ptrace_get_regs(of, &regs);
	if (off < sizeof(regs))
		memcpy(&value, (char *)&regs + off, 8);
	/* the rest of struct user is zero but for debug registers, which are never set */
	return user_put(t, value, udata);
}

static long poke_user(struct task *of, uint64_t off, uint64_t value)
{
	struct abi_user_regs regs;

	if (off & 7 || off >= ABI_USER_SIZE)
		return -EIO;
	if (off >= sizeof(regs))
		return off >= ABI_USER_DEBUGREG && !value ? 0 : -EIO; /* no hardware breakpoints */
	ptrace_get_regs(of, &regs);
	memcpy((char *)&regs + off, &value, 8);
	return ptrace_set_regs(of, &regs);
}

struct abi_iovec {
	uint64_t base, size;
};

static long regset(struct task *t, struct task *of, uint64_t type, uint64_t uiov, bool set)
{
	struct abi_user_regs regs;
	struct abi_iovec iov;
	long ret = 0;

	if (type != ABI_NT_PRSTATUS)
		return -EINVAL; /* the vector registers are in the host thread alone */
	if (user_get(t, iov, uiov))
		return -EFAULT;
	if (iov.size % 8)
		return -EINVAL;
	iov.size = MIN(iov.size, sizeof(regs));
	ptrace_get_regs(of, &regs);
	if (set) {
		if (user_read(t, &regs, iov.base, iov.size))
			return -EFAULT;
		ret = ptrace_set_regs(of, &regs);
	} else if (user_write(t, iov.base, &regs, iov.size)) {
		return -EFAULT;
	}
	return ret ? ret : user_put(t, iov, uiov);
}

static long syscall_info(struct task *t, struct task *of, uint64_t size, uint64_t udata)
{
	struct abi_ptrace_syscall_info info = {.arch = AUDIT_ARCH_X86_64};
	const struct ptrace *p = of->ptrace;
	struct abi_user_regs r;
	size_t have = offsetof(struct abi_ptrace_syscall_info, entry);

	ptrace_get_regs(of, &r);
	info.instruction_pointer = r.rip;
	info.stack_pointer = r.rsp;
	if ((p->in_syscall_stop && p->in_syscall_entry) || p->in_seccomp_stop) {
		info.op = p->in_seccomp_stop ? ABI_PTRACE_SYSCALL_INFO_SECCOMP : ABI_PTRACE_SYSCALL_INFO_ENTRY;
		info.entry.nr = r.orig_rax;
		info.entry.args[0] = r.rdi;
		info.entry.args[1] = r.rsi;
		info.entry.args[2] = r.rdx;
		info.entry.args[3] = r.r10;
		info.entry.args[4] = r.r8;
		info.entry.args[5] = r.r9;
		have += sizeof(info.entry);
		if (p->in_seccomp_stop) {
			info.seccomp.ret_data = (uint32_t)p->message;
			have += 4;
		}
	} else if (p->in_syscall_stop) {
		info.op = ABI_PTRACE_SYSCALL_INFO_EXIT;
		info.exit.rval = (int64_t)r.rax;
		info.exit.is_error = (int64_t)r.rax < 0 && (int64_t)r.rax >= -4095;
		have += 9;
	}
	if (user_write(t, udata, &info, MIN(size, have)))
		return -EFAULT;
	return (long)have;
}

static long signal_mask(struct task *t, struct task *of, uint64_t size, uint64_t udata, bool set)
{
	sigset64_t mask = of->restore_mask ? of->saved_mask : of->blocked;

	if (size != ABI_SIGSET_SIZE)
		return -EINVAL;
	if (!set)
		return user_put(t, mask, udata);
	if (user_get(t, mask, udata))
		return -EFAULT;
	of->restore_mask = false;
	signal_set_blocked(of, mask);
	return 0;
}

static long on_stopped(struct task *t, struct task *of, const uint64_t a[6])
{
	struct ptrace *p = of->ptrace;
	struct abi_user_regs regs;
	uint64_t addr = a[2], data = a[3], word;
	struct abi_siginfo info;

	switch (a[0]) {
	case ABI_PTRACE_PEEKTEXT:
	case ABI_PTRACE_PEEKDATA:
		if (!of->mm || mm_read(of->mm, &word, addr, 8) != 8)
			return -EIO;
		return user_put(t, word, data);
	case ABI_PTRACE_POKETEXT:
	case ABI_PTRACE_POKEDATA:
		return ptrace_poke(of, addr, &data, 8);
	case ABI_PTRACE_PEEKUSER:
		return peek_user(t, of, addr, data);
	case ABI_PTRACE_POKEUSER:
		return poke_user(of, addr, data);
	case ABI_PTRACE_GETREGS:
		ptrace_get_regs(of, &regs);
		return user_put(t, regs, data);
	case ABI_PTRACE_SETREGS:
		if (user_get(t, regs, data))
			return -EFAULT;
		return ptrace_set_regs(of, &regs);
	case ABI_PTRACE_GETREGSET:
	case ABI_PTRACE_SETREGSET:
		return regset(t, of, addr, data, a[0] == ABI_PTRACE_SETREGSET);
	case ABI_PTRACE_CONT:
	case ABI_PTRACE_SYSCALL:
	case ABI_PTRACE_SINGLESTEP:
		return resume(of, a[0], data);
	case ABI_PTRACE_DETACH:
		return detach(of, data);
	case ABI_PTRACE_SETOPTIONS:
		if (data & ~(uint64_t)ABI_PTRACE_O_MASK)
			return -EINVAL;
		p->options = (uint32_t)data;
		return 0;
	case ABI_PTRACE_GETEVENTMSG:
		return user_put(t, p->message, data);
	case ABI_PTRACE_GETSIGINFO:
		if (!p->has_info)
			return -EINVAL; /* a group stop */
		return user_put(t, p->info, data);
	case ABI_PTRACE_SETSIGINFO:
		if (user_get(t, info, data))
			return -EFAULT;
		if (!p->has_info)
			return -EINVAL;
		p->info = info;
		return 0;
	case ABI_PTRACE_GETSIGMASK:
	case ABI_PTRACE_SETSIGMASK:
		return signal_mask(t, of, addr, data, a[0] == ABI_PTRACE_SETSIGMASK);
	case ABI_PTRACE_GET_SYSCALL_INFO:
		return syscall_info(t, of, addr, data);
	case ABI_PTRACE_LISTEN:
		if (!p->seized || p->stop_code >> 8 != ABI_PTRACE_EVENT_STOP)
			return -EIO;
		p->listening = true;
		if (p->notify)
			ptrace_resume_listening(of);
		return 0;
	default:
		return -EIO;
	}
}

SYS_HANDLER(ptrace)
{
	struct task *of;

	if (a[0] == ABI_PTRACE_TRACEME)
		return trace_me(t);
	if (a[0] == ABI_PTRACE_ATTACH)
		return attach(t, (uint32_t)a[1], false, 0);
	of = pids_find_task(t, (int32_t)a[1]);
	if (!of)
		return -ESRCH;
	if (a[0] == ABI_PTRACE_SEIZE)
		return a[2] ? -EIO : attach(t, (uint32_t)a[1], true, a[3]);
	if (!of->ptrace || of->ptrace->tracer != t)
		return -ESRCH;
	if (a[0] == ABI_PTRACE_KILL) {
		signal_send_task(of, SIGKILL, NULL);
		return 0;
	}
	if (a[0] == ABI_PTRACE_INTERRUPT) {
		if (!of->ptrace->seized)
			return -EIO;
		of->ptrace->interrupt = true;
		if (of->ptrace->listening)
			ptrace_resume_listening(of);
		signal_wake_task(of, false);
		return 0;
	}
	if (!of->ptrace->stopped || of->state != TASK_TRACED || of->ptrace->listening)
		return -ESRCH;
	return on_stopped(t, of, a);
}
