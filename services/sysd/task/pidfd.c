/* pidfd_open(2) and what one can do with its descriptor. */
#include "services/sysd/task/pidfd.h"
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <sys/epoll.h>
#include "common/base/util.h"
#include "services/sysd/abi/wait.h"
#include "services/sysd/fs/proc/proc.h"
#include "services/sysd/mm/usercopy.h"
#include "services/sysd/sys/pids.h"
#include "services/sysd/syscall/syscall.h"
#include "services/sysd/task/internal.h"
#include "services/sysd/task/ptrace.h"
#include "services/sysd/vfs/fdtable.h"
#include "services/sysd/vfs/file.h"
#include "services/sysd/vfs/poll.h"

struct pidfd {
	struct signal *sig; /* a reference */
	uint32_t tid;       /* PIDFD_THREAD: that thread; 0: the group */
};

static void pidfd_release(struct file *file)
{
	struct pidfd *p = file->priv;

	signal_unref(p->sig);
	free(p);
}

static bool ended(const struct pidfd *p)
{
	struct task *t;

	if (!p->tid)
		return p->sig->reaped || (p->sig->leader && p->sig->leader->exit_notified);
	t = task_find(p->tid);
	return !t || t->signal != p->sig || t->state == TASK_ZOMBIE;
}

static uint32_t pidfd_poll(struct file *file, struct poll_table *pt)
{
	struct pidfd *p = file->priv;
	uint32_t mask = 0;

	poll_wait(pt, &p->sig->pidfd_wait);
	if (ended(p))
		mask = EPOLLIN | EPOLLRDNORM;
	if (p->sig->reaped)
		mask |= EPOLLHUP;
	return mask;
}

static int pidfd_show(struct file *file, char *buf, size_t size)
{
	struct pidfd *p = file->priv;
	int pid = p->sig->reaped ? -1 : (int)(p->tid ? p->tid : p->sig->pid);

	return snprintf(buf, size, "Pid:\t%d\nNSpid:\t%d\n", pid, pid);
}

static const struct file_ops pidfd_fops = {
	.release = pidfd_release,
	.poll = pidfd_poll,
	.show_fdinfo = pidfd_show,
};

int pidfd_new(struct task *of, unsigned flags, struct file **ret_file)
{
	struct pidfd *p = calloc(1, sizeof(*p));
	int ret;

	if (!p)
		return -ENOMEM;
	p->sig = signal_ref(of->signal);
	if (flags & ABI_PIDFD_THREAD)
		p->tid = of->tid;
	ret = file_new_anon("anon_inode:[pidfd]", 0600, &pidfd_fops,
			    O_RDWR | (flags & ABI_PIDFD_NONBLOCK), p, ret_file);
	if (ret < 0) {
		signal_unref(p->sig);
		free(p);
	}
	return ret;
}

struct signal *pidfd_signal(struct file *file)
{
	return file->op == &pidfd_fops ? ((struct pidfd *)file->priv)->sig : NULL;
}

struct task *pidfd_task(struct file *file)
{
	struct pidfd *p;
	struct task *t;

	if (file->op != &pidfd_fops)
		return NULL;
	p = file->priv;
	if (!p->tid)
		return p->sig->leader;
	t = task_find(p->tid);
	return t && t->signal == p->sig ? t : NULL;
}

SYS_HANDLER(pidfd_open)
{
	unsigned flags = (unsigned)a[1];
	struct task *of;
	struct file *file;
	int ret;

	if (flags & ~(ABI_PIDFD_NONBLOCK | ABI_PIDFD_THREAD) || (int32_t)a[0] <= 0)
		return -EINVAL;
	of = pids_find_task(t, (int32_t)a[0]);
	if (!of)
		return -ESRCH;
	if (!(flags & ABI_PIDFD_THREAD) && of->signal->leader != of)
		return -ENOENT;
	ret = pidfd_new(of, flags, &file);
	if (ret < 0)
		return ret;
	ret = fd_install(t, file, 0, true);
	if (ret < 0)
		file_unref(file);
	return ret;
}

/* A directory /proc/PID serves as well. */
static bool from_proc(struct file *file, struct pidfd *ret)
{
	const struct proc_inode *pi;
	struct task *of;

	if (file->op != &proc_pid_fops)
		return false;
	pi = proc_i(file->inode);
	if (pi->entry != &proc_pid_dir)
		return false;
	of = proc_task(pi);
	*ret = (struct pidfd){.sig = of ? of->signal : NULL};
	return true;
}

static long send_by(struct task *t, const struct pidfd *p, int signo, const struct abi_siginfo *info,
		    unsigned flags)
{
	struct task *thread;
	int ret;

	if (!p->sig)
		return -ESRCH;
	if (p->sig->reaped || !p->sig->leader)
		return -ESRCH;
	if (flags & ABI_PIDFD_SIGNAL_PROCESS_GROUP)
		return signal_kill_pgrp(t, p->sig->pid, signo, info);
	ret = signal_may_send(t, p->sig, signo);
	if (ret < 0 || !signo)
		return ret;
	if (flags & ABI_PIDFD_SIGNAL_THREAD || (!flags && p->tid)) {
		thread = task_find(p->tid ? p->tid : p->sig->pid);
		return thread && thread->signal == p->sig ? signal_send_task(thread, signo, info) : -ESRCH;
	}
	return signal_send_group(p->sig, signo, info);
}

SYS_HANDLER(pidfd_send_signal)
{
	unsigned flags = (unsigned)a[3];
	int signo = (int)a[1];
	struct abi_siginfo info;
	struct pidfd target;
	struct file *file;
	long ret;

	if (flags & ~7u || flags & (flags - 1))
		return -EINVAL;
	file = fd_get(t, (int)a[0]);
	if (!file)
		return -EBADF;
	ret = -EBADF;
	if (file->op == &pidfd_fops)
		target = *(struct pidfd *)file->priv;
	else if (!from_proc(file, &target))
		goto out;
	ret = -EINVAL;
	if (signo < 0 || signo > SIG_COUNT)
		goto out;
	if (a[2]) {
		ret = -EFAULT;
		if (user_get(t, info, a[2]))
			goto out;
		ret = -EINVAL;
		if (info.si_signo != signo)
			goto out;
		ret = -EPERM;
		if (target.sig != t->signal &&
		    (info.si_code >= 0 || info.si_code == ABI_SI_TKILL))
			goto out;
	} else {
		siginfo_user(&info, t, signo, flags & ABI_PIDFD_SIGNAL_THREAD ? ABI_SI_TKILL : ABI_SI_USER);
	}
	ret = send_by(t, &target, signo, &info, flags);
out:
	file_unref(file);
	return ret;
}

SYS_HANDLER(pidfd_getfd)
{
	struct file *file, *theirs = NULL;
	struct task *of;
	long ret;

	if ((unsigned)a[2])
		return -EINVAL;
	file = fd_get(t, (int)a[0]);
	if (!file)
		return -EBADF;
	ret = -EBADF;
	if (file->op != &pidfd_fops)
		goto out;
	of = pidfd_task(file);
	ret = -ESRCH;
	if (!of || !of->files)
		goto out;
	ret = ptrace_may_access(t, of) ? 0 : -EPERM;
	if (ret)
		goto out;
	theirs = fdtable_get(of->files, (int)a[1]);
	ret = -EBADF;
	if (!theirs)
		goto out;
	ret = fd_install(t, theirs, 0, true);
	if (ret < 0)
		file_unref(theirs);
out:
	file_unref(file);
	return ret;
}
