/* clone(2), clone3(2), fork(2), vfork(2).
 *
 * fork has the host clone the host process. A thread, and a process that shares memory, is a further
 * host thread of the same host process. A vfork child (CLONE_VM | CLONE_VFORK) borrows the parent's
 * host thread: the parent's registers are kept in its strand's frame, and come back when the child execs or
 * exits. */
#include <linux/capability.h>
#include "common/base/util.h"
#include "services/sysd/abi/clone.h"
#include "services/sysd/mm/mm.h"
#include "services/sysd/mm/usercopy.h"
#include "services/sysd/sys/limits.h"
#include "services/sysd/sys/pids.h"
#include "services/sysd/sys/sysctl.h"
#include "services/sysd/syscall/syscall.h"
#include "services/sysd/task/internal.h"
#include "services/sysd/task/pidfd.h"
#include "services/sysd/vfs/dentry.h"
#include "services/sysd/vfs/fdtable.h"
#include "services/sysd/vfs/file.h"
#include "services/sysd/vfs/fs_struct.h"
#include "services/sysd/vfs/mount.h"

struct clone_request {
	uint64_t flags, stack, tls, parent_tid, child_tid, pidfd;
	uint32_t exit_signal;
	uint32_t want_tid;
};

static bool borrows(uint64_t flags)
{
	return (flags & (ABI_CLONE_VM | ABI_CLONE_VFORK | ABI_CLONE_THREAD)) ==
	       (ABI_CLONE_VM | ABI_CLONE_VFORK);
}

static int check_flags(struct task *t, uint64_t f)
{
	if ((f & (ABI_CLONE_NEWNS | ABI_CLONE_FS)) == (ABI_CLONE_NEWNS | ABI_CLONE_FS) ||
	    (f & (ABI_CLONE_NEWUSER | ABI_CLONE_FS)) == (ABI_CLONE_NEWUSER | ABI_CLONE_FS))
		return -EINVAL;
	if (f & ABI_CLONE_THREAD && !(f & ABI_CLONE_SIGHAND))
		return -EINVAL;
	if (f & ABI_CLONE_SIGHAND && !(f & ABI_CLONE_VM))
		return -EINVAL;
	if (f & ABI_CLONE_PARENT && t->signal->unkillable)
		return -EINVAL;
	if (f & ABI_CLONE_THREAD && f & (ABI_CLONE_NEWUSER | ABI_CLONE_NEWPID))
		return -EINVAL;
	if (f & ABI_CLONE_PIDFD && f & (ABI_CLONE_DETACHED | ABI_CLONE_THREAD))
		return -EINVAL;
	if ((f & (ABI_CLONE_SIGHAND | ABI_CLONE_CLEAR_SIGHAND)) ==
	    (ABI_CLONE_SIGHAND | ABI_CLONE_CLEAR_SIGHAND))
		return -EINVAL;
	return nsproxy_check_flags(t, f);
}

static int check_limits(struct task *t)
{
	struct ucount *u = t->ucount;

	if (u && u->processes >= t->signal->rlim[RLIMIT_NPROC].rlim_cur && t->cred->uid != 0 &&
	    !capable(t, CAP_SYS_RESOURCE) && !capable(t, CAP_SYS_ADMIN))
		return -EAGAIN;
	if (registry_task_count() >= (uint64_t)sysctl_threads_max)
		return -EAGAIN;
	if (limits.pids && registry_task_count() >= limits.pids) {
		limits_count_pids_max();
		return -EAGAIN;
	}
	return 0;
}

static struct signal *signal_copy(struct task *t, struct task *child)
{
	const struct signal *old = t->signal;
	struct signal *sig = signal_alloc();

	if (!sig)
		return NULL;
	sig->pgid = old->pgid;
	sig->sid = old->sid;
	sig->tty = old->tty;
	memcpy(sig->rlim, old->rlim, sizeof(sig->rlim));
	sig->oom_score_adj = old->oom_score_adj;
	sig->oom_score_adj_min = old->oom_score_adj_min;
	sig->dumpable = old->dumpable;
	if (old->exe) {
		struct path exe = {old->exe_mnt, old->exe};

		path_get(&exe);
		sig->exe = exe.dentry;
		sig->exe_mnt = exe.mnt;
	}
	sig->leader = child;
	return sig;
}

static int copy_sighand(struct task *t, struct task *child, uint64_t flags)
{
	if (flags & ABI_CLONE_SIGHAND) {
		child->sighand = t->sighand;
		t->sighand->refs++;
		return 0;
	}
	child->sighand = sighand_dup(t->sighand);
	if (!child->sighand)
		return -ENOMEM;
	if (flags & ABI_CLONE_CLEAR_SIGHAND)
		for (int i = 0; i < SIG_COUNT; i++)
			if (child->sighand->action[i].handler != ABI_SIG_IGN)
				memset(&child->sighand->action[i], 0, sizeof(struct abi_sigaction));
	return 0;
}

/* What a thread has for itself and a child starts with. */
static void copy_plain(struct task *t, struct task *child, const struct clone_request *r)
{
	memcpy(child->comm, t->comm, sizeof(child->comm));
	child->blocked = t->blocked;
	if ((r->flags & (ABI_CLONE_VM | ABI_CLONE_VFORK)) != ABI_CLONE_VM)
		child->altstack = t->altstack;
	child->nice = t->nice;
	child->sched_policy = t->sched_policy;
	child->sched_priority = t->sched_priority;
	child->sched = t->sched;
	if (t->sched.reset_on_fork) {
		if (child->sched_policy == 1 || child->sched_policy == 2) {
			child->sched_policy = 0;
			child->sched_priority = 0;
			child->nice = 0;
		}
		child->nice = MAX(child->nice, 0);
		child->sched.reset_on_fork = false;
	}
	child->timer_slack_ns = child->default_slack_ns = t->timer_slack_ns;
	child->login = t->login;
	child->session = t->session;
	child->personality = t->personality;
	child->exit_signal = r->exit_signal;
	if (r->flags & ABI_CLONE_PARENT && !(r->flags & ABI_CLONE_THREAD))
		child->exit_signal = t->signal->leader ? t->signal->leader->exit_signal : SIGCHLD;
	child->set_child_tid = r->flags & ABI_CLONE_CHILD_SETTID ? r->child_tid : 0;
	child->clear_child_tid = r->flags & ABI_CLONE_CHILD_CLEARTID ? r->child_tid : 0;
}

static int copy_objects(struct task *t, struct task *child, uint64_t flags)
{
	int ret;

	child->cred = cred_ref(t->cred);
	child->ucount = ucount_ref(t->ucount);
	ret = copy_sighand(t, child, flags);
	if (ret < 0)
		return ret;
	child->files = flags & ABI_CLONE_FILES ? fdtable_ref(t->files) : fdtable_dup(t->files);
	if (!child->files)
		return -ENOMEM;
	child->fs = flags & ABI_CLONE_FS ? fs_struct_ref(t->fs) : fs_struct_dup(t->fs);
	if (!child->fs)
		return -ENOMEM;
	ret = nsproxy_copy(t, child, flags);
	if (ret < 0)
		return ret;
	if (sem_clone) {
		ret = sem_clone(t, child, flags & ABI_CLONE_SYSVSEM);
		if (ret < 0)
			return ret;
	}
	if (task_seccomp_inherit)
		task_seccomp_inherit(t, child);
	if (flags & ABI_CLONE_THREAD) {
		child->signal = signal_ref(t->signal);
		return 0;
	}
	child->signal = signal_copy(t, child);
	return child->signal ? 0 : -ENOMEM;
}

/* *ret_goes_on: the host process is still to be made, by fork_reply. */
static int copy_memory(struct task *t, struct task *child, uint64_t flags, bool *ret_goes_on)
{
	int ret;

	host_threads_sweep();
	if (borrows(flags)) {
		child->mm = mm_ref(t->mm);
		return 0;
	}
	if (flags & ABI_CLONE_VM) {
		ret = mm_clone_thread(t, &child->ht);
		if (!ret)
			child->mm = mm_ref(t->mm);
		return ret;
	}
	ret = mm_fork(t, &child->mm, &child->ht);
	if (ret)
		return ret;
	*ret_goes_on = fork_goes_on(t, flags);
	return *ret_goes_on ? 0 : mm_fork_now(t, child->ht);
}

/* A child that will not start: everything it got goes back. */
static void discard(struct task *child, bool thread)
{
	struct signal *sig = child->signal;

	if (child->ht && child->mm && child->mm->refs > 1) {
		/* It can be told to end when it has come up. */
		if (child->ht->hello_due)
			hthread_wait_hello(child->ht);
		host_thread_discard(child);
	} else {
		hthread_free(child->ht);
	}
	child->ht = NULL;
	mm_unref(STEAL_PTR(child->mm));
	if (sem_exit)
		sem_exit(child);
	if (child->files)
		fdtable_unref(STEAL_PTR(child->files));
	if (child->fs)
		fs_struct_unref(STEAL_PTR(child->fs));
	nsproxy_unref(STEAL_PTR(child->ns));
	if (sig && !thread && sig->exe) {
		struct path exe = {sig->exe_mnt, sig->exe};

		path_put(&exe);
	}
	task_unref(child);
}

/* Enters the child into the world; from here on it exists. */
static void link_child(struct task *t, struct task *child, uint64_t flags)
{
	struct signal *sig = child->signal;

	if (flags & ABI_CLONE_THREAD) {
		sig->live++;
	} else {
		sig->pid = child->tid;
		sig->live = 1;
		sig->parent = flags & ABI_CLONE_PARENT ? t->signal->parent : t->signal;
		if (sig->parent)
			list_add_tail(&sig->parent->children, &sig->sibling);
		registry_add_signal(sig);
	}
	list_add_tail(&sig->threads, &child->thread_node);
	if (child->ucount)
		child->ucount->processes++;
	registry_add_task(child);
}

static void child_registers(struct task *t, struct task *child, const struct clone_request *r,
			    struct sbx_regs *regs)
{
	*regs = t->ht->regs;
	regs->rax = 0;
	if (r->stack)
		regs->rsp = r->stack;
	if (r->flags & ABI_CLONE_SETTLS)
		regs->fs_base = r->tls;
}

void vfork_release(struct task *child)
{
	struct task *parent = STEAL_PTR(child->vfork_parent);

	if (!parent)
		return;
	if (child->vfork_borrowed) {
		struct hthread *ht = STEAL_PTR(child->ht);

		child->vfork_borrowed = false;
		hthread_bind(ht, parent);
		signal_recalc(parent);
	}
	parent->vfork_child = NULL;
	waitq_wake_all(&parent->vfork_done);
}

/* The parent sleeps until the child has its own memory or none. Only a fatal signal ends that early. */
static void vfork_wait(struct task *t, bool borrowed, const struct sbx_regs *saved)
{
	struct task *child;

	t->wchan = "kernel_clone";
	WAIT_EVENT_FLAGS(&t->vfork_done, !t->vfork_child, WAIT_KILLABLE, KTIMER_NEVER);
	t->wchan = NULL;
	child = STEAL_PTR(t->vfork_child);
	if (child) {
		/* we are killed: the host thread is the child's from now on */
		child->vfork_parent = NULL;
		child->vfork_borrowed = false;
		if (borrowed)
			t->ht = NULL;
		return;
	}
	if (borrowed && t->ht) {
		t->ht->regs = *saved;
		t->ht->in_count = t->ht->out_count = 0;
		t->regs_replaced = true;
	}
}

void task_first_steps(struct task *t)
{
	uint32_t tid = t->tid;

	/* execve's first task has registers already */
	if (t->set_child_tid)
		user_write(t, t->set_child_tid, &tid, sizeof(tid));
	if (t->ptrace)
		ptrace_child_first(t);
	t->regs_replaced = true;
}

static long do_clone(struct task *t, const struct clone_request *r)
{
	struct sbx_regs saved, regs;
	struct file *pidfile = NULL;
	struct task *child;
	bool thread = r->flags & ABI_CLONE_THREAD, borrowed = borrows(r->flags), goes_on = false;
	uint32_t tid;
	int ret, pidfd = -1;

	ret = check_flags(t, r->flags);
	if (ret < 0)
		return ret;
	/* A signal to the group that came before the child exists is for the parent alone: take it first. */
	if (signal_pending(t))
		return -ERESTARTNOINTR;
	ret = check_limits(t);
	if (ret < 0)
		return ret;
	child = task_alloc();
	if (!child)
		return -ENOMEM;
	copy_plain(t, child, r);
	ret = copy_objects(t, child, r->flags);
	if (!ret)
		ret = copy_memory(t, child, r->flags, &goes_on);
	if (!ret && signal_fatal_pending(t))
		ret = -ERESTARTNOINTR;
	if (!ret) {
		child->tid = tid = tid_alloc(r->want_tid);
		if (!tid)
			ret = r->want_tid ? -EEXIST : -EAGAIN;
	}
	if (!ret && r->flags & ABI_CLONE_PIDFD) {
		ret = pidfd_new(child, 0, &pidfile);
		if (!ret) {
			pidfd = ret = fd_install(t, pidfile, 0, true);
			if (ret < 0)
				file_unref(pidfile);
			else
				ret = user_write_now(t, r->pidfd, &pidfd, sizeof(pidfd));
		}
	}
	if (ret < 0) {
		if (pidfd >= 0)
			fd_close(t, pidfd);
		discard(child, thread);
		return ret;
	}
	if (r->flags & ABI_CLONE_PARENT_SETTID && !goes_on)
		user_write_now(t, r->parent_tid, &tid, sizeof(tid));
	else if (r->flags & ABI_CLONE_PARENT_SETTID)
		user_write(t, r->parent_tid, &tid, sizeof(tid)); /* behind the clone: the child does not see it */
	saved = t->ht->regs;
	child_registers(t, child, r, &regs);
	link_child(t, child, r->flags);
	if (borrowed) {
		child->ht = t->ht;
		child->vfork_borrowed = true;
	}
	if (r->flags & ABI_CLONE_VFORK) {
		child->vfork_parent = t;
		t->vfork_child = child;
		t->vfork_regs = &saved;
	}
	child->ht->regs = regs;
	hthread_bind(child->ht, child);
	signal_recalc(child);
	if (borrowed)
		t->ht->in_count = t->ht->out_count = 0;
	if (t->ptrace)
		ptrace_child_born(t, child, r->flags);
	ret = task_start(child);
	if (ret < 0) {
		/* no stack for its strand: it ends before it began */
		vfork_release(child);
		t->vfork_regs = NULL;
		child->exit_notified = true;
		child->signal->live--;
		task_ref(child);
		task_release(child);
		if (borrowed)
			t->ht->regs = saved;
		discard(child, thread);
		return ret;
	}
	if (goes_on)
		fork_reply(t, child, tid);
	if (t->ptrace)
		ptrace_event_clone(t, tid);
	if (r->flags & ABI_CLONE_VFORK) {
		saved.rax = tid;
		vfork_wait(t, borrowed, &saved);
		t->vfork_regs = NULL;
		if (t->ptrace)
			ptrace_event_vfork_done(t, tid);
	}
	return (long)tid;
}

SYS_HANDLER(clone)
{
	uint64_t flags = a[0] & ABI_CLONE_LEGACY_FLAGS;
	struct clone_request r = {
		.flags = flags & ~ABI_CSIGNAL,
		.exit_signal = (uint32_t)(flags & ABI_CSIGNAL),
		.stack = a[1],
		.parent_tid = a[2],
		.child_tid = a[3],
		.pidfd = a[2],
		.tls = a[4],
	};

	if (r.exit_signal > SIG_COUNT)
		return -EINVAL;
	if (r.flags & ABI_CLONE_PIDFD && r.flags & ABI_CLONE_PARENT_SETTID)
		return -EINVAL;
	return do_clone(t, &r);
}

SYS_HANDLER(fork)
{
	struct clone_request r = {.exit_signal = SIGCHLD};

	return do_clone(t, &r);
}

SYS_HANDLER(vfork)
{
	struct clone_request r = {.flags = ABI_CLONE_VM | ABI_CLONE_VFORK, .exit_signal = SIGCHLD};

	return do_clone(t, &r);
}

static int clone3_set_tid(struct task *t, const struct abi_clone_args *args, uint32_t *ret_tid)
{
	int32_t tid;

	if (!args->set_tid && !args->set_tid_size)
		return 0;
	if (!args->set_tid || !args->set_tid_size || args->set_tid_size > 32)
		return -EINVAL;
	if (args->set_tid_size > 1)
		return -EINVAL; /* there is one pid namespace */
	if (user_get(t, tid, args->set_tid))
		return -EFAULT;
	if (tid < 1 || tid >= sysctl_pid_max)
		return -EINVAL;
	if (!capable(t, CAP_SYS_ADMIN) && !capable(t, 40 /* CAP_CHECKPOINT_RESTORE */))
		return -EPERM;
	*ret_tid = (uint32_t)tid;
	return 0;
}

SYS_HANDLER(clone3)
{
	struct abi_clone_args args = {0};
	struct clone_request r = {0};
	uint64_t size = a[1];
	int ret;

	if (size > SBX_PAGE_SIZE)
		return -E2BIG;
	if (size < ABI_CLONE_ARGS_SIZE_VER0)
		return -EINVAL;
	if (user_read(t, &args, a[0], MIN(size, sizeof(args))))
		return -EFAULT;
	for (uint64_t off = sizeof(args); off < size; off++) {
		uint8_t byte;

		if (user_get(t, byte, a[0] + off))
			return -EFAULT;
		if (byte)
			return -E2BIG;
	}
	if (args.flags & ~(ABI_CLONE_LEGACY_FLAGS | ABI_CLONE_CLEAR_SIGHAND | ABI_CLONE_INTO_CGROUP))
		return -EINVAL;
	if (args.flags & (ABI_CLONE_DETACHED | (ABI_CSIGNAL & ~ABI_CLONE_NEWTIME)))
		return -EINVAL;
	if (args.exit_signal & ~ABI_CSIGNAL || args.exit_signal > SIG_COUNT)
		return -EINVAL;
	if (args.flags & (ABI_CLONE_THREAD | ABI_CLONE_PARENT) && args.exit_signal)
		return -EINVAL;
	if (!args.stack != !args.stack_size)
		return -EINVAL;
	if (args.flags & ABI_CLONE_INTO_CGROUP)
		return -EBADF;
	ret = clone3_set_tid(t, &args, &r.want_tid);
	if (ret < 0)
		return ret;
	r.flags = args.flags;
	r.exit_signal = (uint32_t)args.exit_signal;
	r.stack = args.stack + args.stack_size;
	r.parent_tid = args.parent_tid;
	r.child_tid = args.child_tid;
	r.pidfd = args.pidfd;
	r.tls = args.tls;
	return do_clone(t, &r);
}

SYS_HANDLER(set_tid_address)
{
	t->clear_child_tid = a[0];
	hthread_publish_exit(t);
	return (long)pids_tid_of(t, t);
}
