/* seccomp(2) of guests: a chain of filters for each task, run by sysd on each of its calls, but those
 * that every filter of the chain allows whatever their arguments are (a container's profile allows nearly
 * all): they have a bit in `allow`. Unless all calls that the runtime answers alone are such, the slot's
 * trace flag keeps it from that. (The host's own filter over guest
 * processes is memd's and has nothing to do with this.) */
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>
#include "common/base/util.h"
#include "services/sysd/core/bpf.h"
#include "services/sysd/mm/usercopy.h"
#include "services/sysd/platform/hthread.h"
#include "services/sysd/syscall/syscall.h"
#include "services/sysd/task/exec.h"
#include "services/sysd/task/internal.h"

#define CHAIN_MAX_INSNS 32768 /* of all filters of a task */
#define CORE_FLAG 0x80

struct seccomp_filter {
	unsigned refs;
	unsigned count, chain_count; /* instructions, and with those before */
	struct seccomp_filter *prev; /* a reference */
	uint64_t allow[(SYSCALL_COUNT + 63) / 64]; /* calls that the chain from here on always allows */
	bool allows_t0;              /* among them all that the runtime answers alone */
	struct abi_sock_filter prog[];
};

static void filter_unref(struct seccomp_filter *f)
{
	while (f && --f->refs == 0) {
		struct seccomp_filter *prev = f->prev;

		free(f);
		f = prev;
	}
}

void task_seccomp_release(struct task *t)
{
	filter_unref(STEAL_PTR(t->seccomp));
}

void task_seccomp_inherit(struct task *parent, struct task *child)
{
	child->seccomp_mode = parent->seccomp_mode;
	child->seccomp = parent->seccomp;
	if (child->seccomp)
		child->seccomp->refs++;
}

unsigned seccomp_filter_count(const struct task *t)
{
	unsigned n = 0;

	for (const struct seccomp_filter *f = t->seccomp; f; f = f->prev)
		n++;
	return n;
}

static bool always_allowed(const struct seccomp_filter *f, uint64_t nr)
{
	return nr < SYSCALL_COUNT && (f->allow[nr / 64] >> (nr % 64) & 1);
}

static void fill_allow(struct seccomp_filter *f)
{
	f->allows_t0 = true;
	for (uint32_t nr = 0; nr < SYSCALL_COUNT; nr++) {
		uint32_t r;

		if ((!f->prev || always_allowed(f->prev, nr)) && bpf_constant(f->prog, AUDIT_ARCH_X86_64, nr, &r) &&
		    (r & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ALLOW)
			f->allow[nr / 64] |= 1ull << (nr % 64);
		else if (syscall_table[nr].name && syscall_table[nr].tier == 0)
			f->allows_t0 = false;
	}
}

bool task_seccomp_sees_all(const struct task *t)
{
	return t->seccomp_mode == SECCOMP_MODE_STRICT ||
	       (t->seccomp_mode == SECCOMP_MODE_FILTER && !t->seccomp->allows_t0);
}

static void see_all_calls(struct task *t)
{
	if (t->ht && t->ht->task == t && task_seccomp_sees_all(t))
		hthread_slot(t->ht)->trace = 1;
}

static int32_t sigsys_code(const struct task *t)
{
	return SIGSYS | (t->signal->rlim[RLIMIT_CORE].rlim_cur >= 4096 && t->signal->dumpable ? CORE_FLAG : 0);
}

static void kill_thread(struct task *t, int signo)
{
	/* one of several threads goes alone */
	if (t->signal->live > 1)
		task_exit(t, signo);
	signal_group_exit(t->signal, signo == SIGSYS ? sigsys_code(t) : signo);
}

static uint32_t run_chain(const struct task *t, const struct abi_seccomp_data *data)
{
	uint32_t result = SECCOMP_RET_ALLOW;

	for (const struct seccomp_filter *f = t->seccomp; f; f = f->prev) {
		uint32_t r = bpf_run(&bpf_seccomp, f->prog, data, sizeof(*data));

		if ((int32_t)(r & SECCOMP_RET_ACTION_FULL) < (int32_t)(result & SECCOMP_RET_ACTION_FULL))
			result = r;
	}
	return result;
}

static long strict(struct task *t, int64_t *ret)
{
	switch (t->nr) {
	case SYS_read:
	case SYS_write:
	case SYS_exit:
	case SYS_rt_sigreturn:
		return 0;
	default:
		*ret = -ENOSYS;
		kill_thread(t, SIGKILL);
		return 1;
	}
}

static void trap(struct task *t, uint32_t data)
{
	struct abi_siginfo info = {
		.si_signo = SIGSYS,
		.si_code = ABI_SYS_SECCOMP,
		.si_errno = (int32_t)data,
	};

	info.sys.call_addr = t->ht->regs.rip;
	info.sys.syscall = (int32_t)t->nr;
	info.sys.arch = AUDIT_ARCH_X86_64;
	signal_force(t, SIGSYS, &info);
}

/* Called before each call; non-zero: it is not to run, *ret is its result. */
long task_seccomp_check(struct task *t, int64_t *ret)
{
	struct abi_seccomp_data d;
	uint32_t r;

	if (likely(!t->seccomp_mode))
		return 0;
	if (t->seccomp_mode == SECCOMP_MODE_STRICT)
		return strict(t, ret);
	if (always_allowed(t->seccomp, (uint64_t)t->nr))
		return 0;
	d.nr = (int32_t)t->nr;
	d.arch = AUDIT_ARCH_X86_64;
	d.instruction_pointer = t->ht->regs.rip;
	memcpy(d.args, t->args, sizeof(d.args));
	r = run_chain(t, &d);
	switch (r & SECCOMP_RET_ACTION_FULL) {
	case SECCOMP_RET_ALLOW:
	case SECCOMP_RET_LOG:
		return 0;
	case SECCOMP_RET_ERRNO:
		*ret = -(int64_t)MIN(r & SECCOMP_RET_DATA, 4095u);
		return 1;
	case SECCOMP_RET_TRAP:
		trap(t, r & SECCOMP_RET_DATA);
		*ret = t->nr;
		return 1;
	case SECCOMP_RET_TRACE:
		*ret = -ENOSYS;
		if (t->ptrace)
			return !ptrace_event_seccomp(t, r & SECCOMP_RET_DATA, ret);
		return 1;
	case SECCOMP_RET_USER_NOTIF:
		*ret = -ENOSYS; /* there is no listener */
		return 1;
	case SECCOMP_RET_KILL_THREAD:
		*ret = -ENOSYS;
		kill_thread(t, SIGSYS);
		return 1;
	default:
		*ret = -ENOSYS;
		signal_group_exit(t->signal, sigsys_code(t));
		return 1;
	}
}

static bool is_ancestor(const struct seccomp_filter *parent, const struct seccomp_filter *child)
{
	if (!parent)
		return true;
	for (; child; child = child->prev)
		if (child == parent)
			return true;
	return false;
}

/* TSYNC: 0, or the id of a thread whose filters are no part of ours. */
static uint32_t cannot_sync(struct task *t)
{
	struct task *other;

	LIST_FOR_EACH (other, &t->signal->threads, thread_node)
		if (other != t && !other->exiting &&
		    (other->seccomp_mode == SECCOMP_MODE_STRICT || !is_ancestor(other->seccomp, t->seccomp)))
			return other->tid;
	return 0;
}

static struct task *thread_in_exec(struct signal *sig)
{
	struct task *t;

	LIST_FOR_EACH (t, &sig->threads, thread_node)
		if (t->in_exec)
			return t;
	return NULL;
}

/* A program that gains rights by its exec is not to have our filters. */
static int wait_execs(struct task *t)
{
	struct task *other;
	int ret = 0;

	while (!ret && (other = thread_in_exec(t->signal)))
		ret = exec_wait_end(other);
	return ret;
}

static void sync_threads(struct task *t)
{
	struct task *other;

	LIST_FOR_EACH (other, &t->signal->threads, thread_node) {
		if (other == t || other->exiting)
			continue;
		task_seccomp_release(other);
		task_seccomp_inherit(t, other);
		if (t->cred->no_new_privs && !other->cred->no_new_privs) {
			struct cred *c = cred_dup(other->cred);

			if (c) {
				c->no_new_privs = true;
				task_set_cred(other, c);
			}
		}
		see_all_calls(other);
	}
}

static void push(struct task *t, struct seccomp_filter *f)
{
	f->prev = t->seccomp;
	memset(f->allow, 0, sizeof(f->allow));
	fill_allow(f);
	t->seccomp = f;
	t->seccomp_mode = SECCOMP_MODE_FILTER;
	see_all_calls(t);
}

int task_seccomp_attach(struct task *t, const void *prog, size_t size)
{
	struct seccomp_filter *f;
	int ret;

	if (size == 0 || size % sizeof(f->prog[0]) || size / sizeof(f->prog[0]) > BPF_MAX_INSNS)
		return -EINVAL;
	f = malloc(sizeof(*f) + size);
	if (!f)
		return -ENOMEM;
	f->refs = 1;
	f->count = (unsigned)(size / sizeof(f->prog[0]));
	f->chain_count = f->count + 4 + (t->seccomp ? t->seccomp->chain_count : 0);
	memcpy(f->prog, prog, size);
	ret = bpf_check(&bpf_seccomp, f->prog, f->count);
	if (ret < 0) {
		free(f);
		return ret;
	}
	push(t, f);
	return 0;
}

static long set_filter(struct task *t, uint64_t flags, uint64_t uprog)
{
	struct abi_sock_fprog fprog;
	struct seccomp_filter *f;
	uint32_t tid;
	size_t size;
	int ret;

	if (flags & ~(uint64_t)(SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_LOG |
				SECCOMP_FILTER_FLAG_SPEC_ALLOW | SECCOMP_FILTER_FLAG_TSYNC_ESRCH))
		return -EINVAL;
	if (flags & SECCOMP_FILTER_FLAG_TSYNC) {
		ret = wait_execs(t);
		if (ret)
			return ret;
	}
	if (user_get(t, fprog, uprog))
		return -EFAULT;
	if (!fprog.count || fprog.count > BPF_MAX_INSNS)
		return -EINVAL;
	if (!t->cred->no_new_privs && !capable(t, CAP_SYS_ADMIN))
		return -EACCES;
	size = fprog.count * sizeof(f->prog[0]);
	f = malloc(sizeof(*f) + size);
	if (!f)
		return -ENOMEM;
	f->refs = 1;
	f->count = fprog.count;
	f->chain_count = fprog.count + 4 + (t->seccomp ? t->seccomp->chain_count : 0);
	ret = user_read(t, f->prog, fprog.filter, size) ? -EFAULT : bpf_check(&bpf_seccomp, f->prog, f->count);
	if (!ret && t->seccomp_mode == SECCOMP_MODE_STRICT)
		ret = -EINVAL;
	if (!ret && f->chain_count > CHAIN_MAX_INSNS)
		ret = -ENOMEM;
	if (ret < 0) {
		free(f);
		return ret;
	}
	if (flags & SECCOMP_FILTER_FLAG_TSYNC) {
		tid = cannot_sync(t);
		if (tid) {
			free(f);
			return flags & SECCOMP_FILTER_FLAG_TSYNC_ESRCH ? -ESRCH : (long)tid;
		}
	}
	push(t, f);
	if (flags & SECCOMP_FILTER_FLAG_TSYNC)
		sync_threads(t);
	return 0;
}

static long set_strict(struct task *t)
{
	if (t->seccomp_mode && t->seccomp_mode != SECCOMP_MODE_STRICT)
		return -EINVAL;
	t->seccomp_mode = SECCOMP_MODE_STRICT;
	see_all_calls(t);
	return 0;
}

static long action_available(struct task *t, uint64_t uaction)
{
	uint32_t action;

	if (user_get(t, action, uaction))
		return -EFAULT;
	switch (action) {
	case SECCOMP_RET_KILL_PROCESS:
	case SECCOMP_RET_KILL_THREAD:
	case SECCOMP_RET_TRAP:
	case SECCOMP_RET_ERRNO:
	case SECCOMP_RET_TRACE:
	case SECCOMP_RET_LOG:
	case SECCOMP_RET_ALLOW:
		return 0;
	default:
		return -EOPNOTSUPP;
	}
}

SYS_HANDLER(seccomp)
{
	unsigned op = (unsigned)a[0];
	uint64_t flags = (uint32_t)a[1];

	switch (op) {
	case SECCOMP_SET_MODE_STRICT:
		return flags || a[2] ? -EINVAL : set_strict(t);
	case SECCOMP_SET_MODE_FILTER:
		return set_filter(t, flags, a[2]);
	case SECCOMP_GET_ACTION_AVAIL:
		return flags ? -EINVAL : action_available(t, a[2]);
	default:
		return -EINVAL;
	}
}

long prctl_set_seccomp(struct task *t, uint64_t mode, uint64_t uprog)
{
	switch (mode) {
	case SECCOMP_MODE_STRICT:
		return set_strict(t);
	case SECCOMP_MODE_FILTER:
		return set_filter(t, 0, uprog);
	default:
		return -EINVAL;
	}
}
