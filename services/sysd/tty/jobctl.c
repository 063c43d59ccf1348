/* Job control: sessions and their terminals, foreground groups, SIGTTIN, SIGTTOU, SIGHUP. */
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include "common/base/util.h"
#include "services/sysd/core/errno.h"
#include "services/sysd/mm/usercopy.h"
#include "services/sysd/signal/signal.h"
#include "services/sysd/syscall/syscall.h"
#include "services/sysd/task/task.h"
#include "services/sysd/tty/tty.h"

struct tty *tty_current(struct task *t)
{
	return t->signal->tty;
}

static bool is_leader(const struct task *t)
{
	return t->signal->sid == t->signal->pid;
}

/* A group is orphaned when no member has a parent in the session but outside of the group. */
static bool pgrp_orphaned(uint32_t pgrp)
{
	struct signal *sig;

	LIST_FOR_EACH (sig, signal_all(), all_node) {
		const struct signal *p = sig->parent;

		if (sig->pgid != pgrp || !sig->live || !p || p->pid == 1)
			continue;
		if (p->pgid != pgrp && p->sid == sig->sid)
			return false;
	}
	return true;
}

int tty_check_change(struct tty *tty, struct task *t, int signo)
{
	struct signal *sig = t->signal;

	if (sig->tty != tty || !tty->pgrp || sig->pgid == tty->pgrp)
		return 0;
	if (t->blocked & SIG_BIT(signo) || (t->sighand && t->sighand->action[signo - 1].handler == 1))
		return signo == SIGTTIN ? -EIO : 0;
	if (pgrp_orphaned(sig->pgid))
		return -EIO;
	signal_send_pgrp(sig->pgid, signo, NULL);
	return -ERESTARTSYS;
}

void tty_set_controlling(struct tty *tty, struct task *t)
{
	tty->session = t->signal->sid;
	tty->pgrp = t->signal->pgid;
	t->signal->tty = tty;
}

void tty_open_controlling(struct tty *tty, struct task *t, struct file *file)
{
	if (file->flags & O_NOCTTY || !is_leader(t) || t->signal->tty || tty->session || !file->readable)
		return;
	tty_set_controlling(tty, t);
}

/* All processes of the session lose it. */
static void session_clear(struct tty *tty)
{
	struct signal *sig;

	LIST_FOR_EACH (sig, signal_all(), all_node)
		if (sig->tty == tty)
			sig->tty = NULL;
}

void tty_forget(struct tty *tty)
{
	session_clear(tty);
	tty->session = tty->pgrp = 0;
}

void tty_disassociate(struct signal *leader, bool on_exit)
{
	struct tty *tty = leader->tty;

	if (leader->sid != leader->pid || !tty)
		return;
	if (tty->pgrp) {
		signal_send_pgrp(tty->pgrp, SIGHUP, NULL);
		if (!on_exit)
			signal_send_pgrp(tty->pgrp, SIGCONT, NULL);
	}
	if (tty->session == leader->sid)
		tty_forget(tty);
	leader->tty = NULL;
}

void tty_hangup(struct tty *tty)
{
	struct signal *leader = tty->session ? signal_find(tty->session) : NULL;
	uint32_t pgrp = tty->pgrp;

	if (tty->hung_up)
		return;
	tty->hung_up = true;
	if (leader && leader->tty == tty) {
		signal_send_group(leader, SIGHUP, NULL);
		signal_send_group(leader, SIGCONT, NULL);
	}
	if (pgrp && (!leader || pgrp != leader->pgid))
		signal_send_pgrp(pgrp, SIGHUP, NULL);
	tty_forget(tty);
	waitq_wake(&tty->read_wait, INT32_MAX, EPOLLIN | EPOLLHUP | EPOLLERR);
	waitq_wake(&tty->write_wait, INT32_MAX, EPOLLOUT | EPOLLHUP | EPOLLERR);
	waitq_wake(&tty->mread_wait, INT32_MAX, EPOLLIN | EPOLLHUP);
	waitq_wake(&tty->mwrite_wait, INT32_MAX, EPOLLOUT | EPOLLHUP);
}

static long set_ctty(struct tty *tty, struct task *t, struct file *file, bool steal)
{
	struct signal *sig = t->signal;

	if (is_leader(t) && sig->tty == tty && tty->session == sig->sid)
		return 0;
	if (!is_leader(t) || sig->tty)
		return -EPERM;
	if (tty->session) {
		if (!steal || !capable(t, CAP_SYS_ADMIN))
			return -EPERM;
		session_clear(tty);
	}
	if (!file->readable && !capable(t, CAP_SYS_ADMIN))
		return -EPERM;
	tty_set_controlling(tty, t);
	return 0;
}

static long set_pgrp(struct tty *tty, struct task *t, uint64_t arg)
{
	struct signal *sig, *found = NULL;
	int32_t pgrp;
	int err = tty_check_change(tty, t, SIGTTOU);

	if (err)
		return err == -EIO ? -ENOTTY : err;
	if (t->signal->tty != tty || tty->session != t->signal->sid)
		return -ENOTTY;
	if (user_get(t, pgrp, arg))
		return -EFAULT;
	if (pgrp < 0)
		return -EINVAL;
	LIST_FOR_EACH (sig, signal_all(), all_node)
		if (sig->pgid == (uint32_t)pgrp) {
			found = sig;
			break;
		}
	if (!found)
		return -ESRCH;
	if (found->sid != t->signal->sid)
		return -EPERM;
	tty->pgrp = (uint32_t)pgrp;
	return 0;
}

long tty_jobctl_ioctl(struct tty *tty, struct task *t, struct file *file, bool master, unsigned cmd,
		      uint64_t arg)
{
	int32_t v;

	switch (cmd) {
	case TIOCSCTTY:
		return master ? -EINVAL : set_ctty(tty, t, file, arg == 1);
	case TIOCNOTTY:
		if (t->signal->tty != tty)
			return -ENOTTY;
		if (is_leader(t))
			tty_disassociate(t->signal, false);
		t->signal->tty = NULL;
		return 0;
	case TIOCGPGRP:
		if (!master && t->signal->tty != tty)
			return -ENOTTY;
		v = (int32_t)tty->pgrp;
		return user_put(t, v, arg);
	case TIOCSPGRP:
		return set_pgrp(tty, t, arg);
	case TIOCGSID:
		if (!master && t->signal->tty != tty)
			return -ENOTTY;
		if (!tty->session)
			return -ENOTTY;
		v = (int32_t)tty->session;
		return user_put(t, v, arg);
	}
	return -ENOIOCTLCMD;
}

SYS_HANDLER(vhangup)
{
	if (!capable(t, CAP_SYS_TTY_CONFIG))
		return -EPERM;
	if (t->signal->tty)
		tty_hangup(t->signal->tty);
	return 0;
}
