/* signalfd(2): reading pending signals instead of having them delivered. The file has a set and no
 * queue: a reader takes from its own pending signals. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>

#include "common/base/util.h"
#include "services/sysd/abi/signalfd.h"
#include "services/sysd/core/errno.h"
#include "services/sysd/core/ktimer.h"
#include "services/sysd/event/seek.h"
#include "services/sysd/mm/usercopy.h"
#include "services/sysd/signal/signal.h"
#include "services/sysd/syscall/syscall.h"
#include "services/sysd/task/task.h"
#include "services/sysd/vfs/fdtable.h"
#include "services/sysd/vfs/file.h"
#include "services/sysd/vfs/poll.h"

struct signalfd {
	sigset64_t set;
};

enum layout { LAY_KILL, LAY_TIMER, LAY_POLL, LAY_FAULT, LAY_CHLD, LAY_RT, LAY_SYS };

static enum layout layout_of(const struct abi_siginfo *si)
{
	if (si->si_code > ABI_SI_USER && si->si_code < ABI_SI_KERNEL) {
		switch (si->si_signo) {
		case SIGILL:
		case SIGFPE:
		case SIGSEGV:
		case SIGBUS:
		case SIGTRAP:
			return LAY_FAULT;
		case SIGCHLD:
			return LAY_CHLD;
		case SIGPOLL:
			return LAY_POLL;
		case SIGSYS:
			return LAY_SYS;
		default:
			/* F_SETSIG: a real-time signal with the codes of SIGIO */
			return si->si_code <= 6 ? LAY_POLL : LAY_KILL;
		}
	}
	if (si->si_code == ABI_SI_TIMER)
		return LAY_TIMER;
	return si->si_code < 0 ? LAY_RT : LAY_KILL;
}

static void fill(struct abi_signalfd_siginfo *out, const struct abi_siginfo *si)
{
	*out = (struct abi_signalfd_siginfo){
		.signo = (uint32_t)si->si_signo, .err = si->si_errno, .code = si->si_code};
	switch (layout_of(si)) {
	case LAY_RT:
		out->ptr = si->rt.value;
		out->value = (int32_t)si->rt.value;
		/* fall through */
	case LAY_KILL:
		out->pid = (uint32_t)si->rt.pid;
		out->uid = si->rt.uid;
		break;
	case LAY_TIMER:
		out->tid = (uint32_t)si->timer.tid;
		out->overrun = (uint32_t)si->timer.overrun;
		out->ptr = si->timer.value;
		out->value = (int32_t)si->timer.value;
		break;
	case LAY_POLL:
		out->band = (uint32_t)si->poll.band;
		out->fd = si->poll.fd;
		break;
	case LAY_FAULT:
		out->addr = si->fault.addr;
		out->addr_lsb = (uint16_t)si->fault.addr_lsb;
		break;
	case LAY_CHLD:
		out->pid = (uint32_t)si->chld.pid;
		out->uid = si->chld.uid;
		out->status = si->chld.status;
		out->utime = (uint64_t)si->chld.utime;
		out->stime = (uint64_t)si->chld.stime;
		break;
	case LAY_SYS:
		out->call_addr = si->sys.call_addr;
		out->syscall = si->sys.syscall;
		out->arch = si->sys.arch;
		break;
	}
}

static bool any_pending(const struct task *t, sigset64_t set)
{
	return (t->pending.set | t->signal->shared_pending.set) & set;
}

static int take(struct task *t, sigset64_t set, bool nonblock, struct abi_siginfo *info)
{
	for (;;) {
		int ret;

		if (signal_dequeue(t, set, info))
			return 0;
		if (nonblock)
			return -EAGAIN;
		ret = WAIT_EVENT_INTR(&t->sighand->signalfd_wait, any_pending(t, set));
		if (ret)
			return ret;
	}
}

static ssize_t sfd_read(struct file *f, struct uio *u, int64_t *pos)
{
	const struct signalfd *s = f->priv;
	struct task *t = current_task();
	bool nonblock = f->flags & O_NONBLOCK;
	size_t count = u->resid / sizeof(struct abi_signalfd_siginfo);
	ssize_t done = 0;

	(void)pos;
	if (!count)
		return -EINVAL;
	while (count--) {
		struct abi_signalfd_siginfo out;
		struct abi_siginfo info;
		int ret = take(t, s->set, nonblock, &info);

		if (ret)
			return done ? done : ret;
		fill(&out, &info);
		if (uio_copy_to(u, &out, sizeof(out)) != sizeof(out))
			return done ? done : -EFAULT;
		done += (ssize_t)sizeof(out);
		nonblock = true;
	}
	return done;
}

static uint32_t sfd_poll(struct file *f, struct poll_table *pt)
{
	const struct signalfd *s = f->priv;
	struct task *t = current_task();

	if (!t)
		return 0;
	poll_wait(pt, &t->sighand->signalfd_wait);
	return any_pending(t, s->set) ? EPOLLIN : 0;
}

static void sfd_release(struct file *f)
{
	free(f->priv);
}

static int sfd_show_fdinfo(struct file *f, char *buf, size_t size)
{
	const struct signalfd *s = f->priv;

	return snprintf(buf, size, "sigmask:\t%016llx\n", (unsigned long long)s->set);
}

static const struct file_ops signalfd_fops = {
	.release = sfd_release,
	.read = sfd_read,
	.llseek = noop_llseek,
	.poll = sfd_poll,
	.show_fdinfo = sfd_show_fdinfo,
};

static long new_signalfd(struct task *t, sigset64_t set, unsigned flags)
{
	struct signalfd *s = malloc(sizeof(*s));
	struct file *f;
	int ret;

	if (!s)
		return -ENOMEM;
	s->set = set;
	ret = file_new_anon("anon_inode:[signalfd]", 0600, &signalfd_fops, O_RDWR | (flags & O_NONBLOCK), s,
			    &f);
	if (ret) {
		free(s);
		return ret;
	}
	ret = fd_install(t, f, 0, flags & SFD_CLOEXEC);
	if (ret < 0)
		file_unref(f);
	return ret;
}

static long do_signalfd(struct task *t, int fd, uint64_t uset, uint64_t size, unsigned flags)
{
	struct signalfd *s;
	sigset64_t set;
	struct file *f;

	if (size != sizeof(set))
		return -EINVAL;
	if (user_get(t, set, uset))
		return -EFAULT;
	if (flags & ~(unsigned)(SFD_CLOEXEC | SFD_NONBLOCK))
		return -EINVAL;
	set &= ~(SIG_BIT(SIGKILL) | SIG_BIT(SIGSTOP));
	if (fd == -1)
		return new_signalfd(t, set, flags);
	f = fd_get(t, fd);
	if (!f)
		return -EBADF;
	if (f->op != &signalfd_fops) {
		file_unref(f);
		return -EINVAL;
	}
	s = f->priv;
	s->set = set;
	waitq_wake_all(&t->sighand->signalfd_wait);
	file_unref(f);
	return fd;
}

SYS_HANDLER(signalfd)
{
	return do_signalfd(t, (int)a[0], a[1], a[2], 0);
}

SYS_HANDLER(signalfd4)
{
	return do_signalfd(t, (int)a[0], a[1], a[2], (unsigned)a[3]);
}
