/* exit(2), exit_group(2) and the way down of a task: its resources go in Linux's order (memory, files,
 * terminal, namespaces), then its children get another parent and its own parent is told. */
#include <sys/resource.h>
#include "common/base/util.h"
#include "services/sysd/abi/time.h"
#include "services/sysd/core/clock.h"
#include "services/sysd/mm/mm.h"
#include "services/sysd/syscall/syscall.h"
#include "services/sysd/task/internal.h"
#include "services/sysd/vfs/dentry.h"
#include "services/sysd/vfs/fdtable.h"
#include "services/sysd/vfs/fs_struct.h"

#define INIT_PATIENCE_NS (2 * NSEC_PER_SEC)

void signal_group_exit(struct signal *sig, int32_t exit_code)
{
	struct task *t;

	if (sig->group_exit || !sig->live)
		return;
	sig->group_exit = true;
	sig->group_exit_code = exit_code;
	sig->stopping = sig->stopped = false;
	LIST_FOR_EACH (t, &sig->threads, thread_node)
		if (!t->exiting)
			host_thread_kill(t);
}

void task_host_died(struct mm *mm, int signo)
{
	struct task *t;

	LIST_FOR_EACH (t, task_all(), all_node)
		if (t->mm == mm && t->signal->live)
			signal_group_exit(t->signal, signo);
}

/* Who takes over the children of a group that ends: its next subreaper upwards, else pid 1. */
static struct signal *find_reaper(struct signal *sig)
{
	struct signal *p, *init = init_signal();

	for (p = sig->parent; p; p = p->parent)
		if (p->is_subreaper && p->live)
			return p;
	return init && init != sig && init->live ? init : NULL;
}

void reparent_children(struct signal *sig)
{
	struct signal *child, *tmp, *reaper = find_reaper(sig);

	LIST_FOR_EACH_SAFE (child, tmp, &sig->children, sibling) {
		struct task *t;

		list_del(&child->sibling);
		child->parent = reaper;
		if (reaper)
			list_add_tail(&reaper->children, &child->sibling);
		LIST_FOR_EACH (t, &child->threads, thread_node) {
			hthread_publish_ids(t);
			if (t->pdeath_signal)
				signal_send_task(t, (int)t->pdeath_signal, NULL);
		}
		if (!child->leader)
			continue;
		child->leader->exit_signal = SIGCHLD;
		if (child->leader->exit_notified) {
			child->leader->exit_notified = false;
			if (notify_parent_exit(child->leader))
				task_release(child->leader);
		} else {
			pgrp_check_orphaned(child, sig);
		}
	}
}

static int32_t group_status(const struct task *leader)
{
	return leader->signal->group_exit ? leader->signal->group_exit_code : leader->exit_code;
}

bool notify_parent_exit(struct task *leader)
{
	struct signal *sig = leader->signal, *parent = sig->parent;
	struct abi_siginfo info = {.si_signo = (int)leader->exit_signal};
	const struct abi_sigaction *act;
	int signo = (int)leader->exit_signal;
	bool autoreap = false;
	uint64_t u = 0, s = 0;

	leader->exit_notified = true;
	leader->exit_code = group_status(leader);
	waitq_wake_all(&sig->pidfd_wait);
	if (leader->unborn) {
		if (parent)
			waitq_wake_all(&parent->child_wait);
		return true;
	}
	if (!parent) {
		if (sig->foreign && task_on_reap)
			task_on_reap(sig->pid, leader->exit_code);
		return true;
	}
	if (!parent->leader || !parent->live)
		return true;
	info.chld.pid = (int32_t)sig->pid;
	info.chld.uid = leader->cred->uid;
	if (cputime_group)
		cputime_group(sig, &u, &s);
	info.chld.utime = (int64_t)(u / (NSEC_PER_SEC / ABI_USER_HZ));
	info.chld.stime = (int64_t)(s / (NSEC_PER_SEC / ABI_USER_HZ));
	info.chld.status = leader->exit_code & 0x7f;
	if (leader->exit_code & 0x80) {
		info.si_code = ABI_CLD_DUMPED;
	} else if (leader->exit_code & 0x7f) {
		info.si_code = ABI_CLD_KILLED;
	} else {
		info.si_code = ABI_CLD_EXITED;
		info.chld.status = leader->exit_code >> 8;
	}
	act = sig_action(parent->leader, SIGCHLD);
	if (signo == SIGCHLD && !leader->ptrace) {
		if (act->handler == ABI_SIG_IGN) {
			autoreap = true;
			signo = 0;
		} else if (act->flags & ABI_SA_NOCLDWAIT) {
			autoreap = true;
		}
	}
	if (signo)
		signal_send_group(parent, signo, &info);
	waitq_wake_all(&parent->child_wait);
	return autoreap;
}

void task_release(struct task *t)
{
	struct signal *sig = t->signal;

	if (t->state == TASK_DEAD)
		return;
	ptrace_unlink(t);
	t->state = TASK_DEAD;
	if (t->ucount)
		t->ucount->processes--;
	registry_remove_task(t);
	list_del(&t->thread_node);
	if (sig->leader == t) {
		sig->leader = NULL;
		sig->reaped = true;
		sig->parent = NULL;
		list_del(&sig->sibling);
		list_del(&sig->all_node);
		waitq_wake_all(&sig->pidfd_wait);
	}
	task_unref(t);
}

/* The last thread but the leader is gone, or the leader was the last. */
static void group_gone(struct signal *sig)
{
	struct task *leader = sig->leader;

	if (!leader || leader->state != TASK_ZOMBIE || leader->exit_notified)
		return;
	if (sig->threads.next != &leader->thread_node || sig->threads.prev != &leader->thread_node)
		return;
	leader->exit_code = group_status(leader);
	sig->group_ended = true;
	if (ptrace_holds_zombie(leader))
		return;
	if (notify_parent_exit(leader))
		task_release(leader);
}

void ptrace_zombie_freed(struct task *t)
{
	struct signal *sig = signal_ref(t->signal);

	if (t != sig->leader)
		task_release(t);
	group_gone(sig);
	waitq_wake_all(&sig->exec_wait);
	signal_unref(sig);
}

static bool alone(const struct signal *init)
{
	struct signal *sig;

	LIST_FOR_EACH (sig, signal_all(), all_node)
		if (sig != init && sig->live)
			return false;
	return true;
}

/* pid 1 ends: so does everything. */
static void kill_sandbox(struct task *t)
{
	struct signal *sig;
	uint64_t deadline = clock_mono_ns() + INIT_PATIENCE_NS;
	struct waiter w;

	LIST_FOR_EACH (sig, signal_all(), all_node)
		if (sig != t->signal)
			signal_group_exit(sig, SIGKILL);
	wait_prepare(&w, &t->signal->child_wait, 0);
	while (!alone(t->signal)) {
		uint64_t now = clock_mono_ns();

		if (now >= deadline)
			break;
		/* groups that are nobody's children wake nobody */
		w.timed_out = false;
		wait_sleep(&w, 0, MIN(deadline, now + 5000000));
	}
	wait_finish(&w);
}

static void last_thread(struct task *t, int32_t code)
{
	struct signal *sig = t->signal;

	if (!sig->group_exit) {
		/* the last thread's status is the group's */
		sig->group_exit = true;
		sig->group_exit_code = code;
	}
	if (cputime_exit)
		cputime_exit(sig);
	if (sysvsem_exit)
		sysvsem_exit(sig);
	ktimer_cancel(&sig->kill_timer);
}

static void leave_session(struct signal *sig)
{
	if (sig->sid == sig->pid && tty_disassociate)
		tty_disassociate(sig, true);
	sig->tty = NULL;
}

static void drop_exe(struct signal *sig)
{
	struct path exe = {sig->exe_mnt, sig->exe};

	sig->exe = NULL;
	sig->exe_mnt = NULL;
	if (exe.dentry)
		path_put(&exe);
}

void task_exit(struct task *t, int32_t code)
{
	struct signal *sig = t->signal;
	struct fdtable *files;
	struct fs_struct *fs;
	struct nsproxy *ns;
	struct task *other;
	bool last;

	if (sig->group_exit)
		code = sig->group_exit_code;
	t->exit_code = code;
	if (t->ptrace)
		ptrace_event_exit(t);
	t->exiting = true;
	t->restart.fn = NULL;
	fork_forget(t);
	last = --sig->live == 0;
	if (last)
		last_thread(t, code);
	jobctl_check_stopped(sig, t);
	/* signals of the group that this thread was to take */
	if (sig->shared_pending.set && !sig->group_exit)
		LIST_FOR_EACH (other, &sig->threads, thread_node)
			if (!other->exiting)
				signal_wake_task(other, false);
	host_thread_end(t);
	if (sem_exit)
		sem_exit(t);
	files = STEAL_PTR(t->files);
	if (files)
		fdtable_unref(files);
	fs = STEAL_PTR(t->fs);
	if (fs)
		fs_struct_unref(fs);
	if (last) {
		leave_session(sig);
		drop_exe(sig);
	}
	ns = STEAL_PTR(t->ns);
	nsproxy_unref(ns);
	if (last && sig->pid == 1)
		kill_sandbox(t);
	ptrace_tracer_exit(t);
	if (last) {
		reparent_children(sig);
		pgrp_check_orphaned(sig, NULL);
	}
	t->state = TASK_ZOMBIE;
	if (t != sig->leader && (t->dethreaded || !ptrace_holds_zombie(t)))
		task_release(t);
	group_gone(sig);
	waitq_wake_all(&sig->exec_wait);
	sched_exit();
}

SYS_HANDLER(exit)
{
	task_exit(t, ((int32_t)a[0] & 0xff) << 8);
}

SYS_HANDLER(exit_group)
{
	signal_group_exit(t->signal, ((int32_t)a[0] & 0xff) << 8);
	task_exit(t, t->signal->group_exit_code);
}
