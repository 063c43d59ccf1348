/* Common parts of sockets: life, waking, the file. */
#include "services/sysd/net/socket.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "common/base/util.h"
#include "services/sysd/core/clock.h"
#include "services/sysd/core/errno.h"
#include "services/sysd/core/ktimer.h"
#include "services/sysd/mm/usercopy.h"
#include "services/sysd/net/net_ns.h"
#include "services/sysd/sys/pids.h"
#include "services/sysd/task/nsproxy.h"
#include "services/sysd/task/task.h"
#include "services/sysd/vfs/fdtable.h"
#include "services/sysd/vfs/file.h"
#include "services/sysd/vfs/inode.h"
#include "services/sysd/vfs/poll.h"

/* Weak: a unit test may leave the Internet families out. */
long inet_dev_ioctl(struct net_ns *in, struct task *t, unsigned cmd, uint64_t arg) __attribute__((weak));

void socket_init(struct socket *s, const struct socket_ops *ops, struct task *t, struct net_ns *ns,
		 int family, int type, int protocol)
{
	static uint64_t last_cookie;

	s->refs = 1;
	s->ops = ops;
	s->ns = net_ns_ref(ns);
	s->cookie = ++last_cookie;
	s->family = family;
	s->type = type;
	s->protocol = protocol;
	s->state = SS_UNCONNECTED;
	waitq_init(&s->wait);
	fasync_init(&s->async);
	s->sndbuf = s->rcvbuf = SOCK_BUF_DEFAULT;
	s->rcvlowat = 1;
	s->peek_off = -1;
	s->uid = t ? t->cred->fsuid : 0;
}

void socket_unref(struct socket *s)
{
	struct net_ns *ns;

	if (!s || --s->refs)
		return;
	ns = s->ns;
	socket_set_peer_cred(s, 0, NULL);
	s->ops->free(s);
	net_ns_unref(ns);
}

void socket_set_peer_cred(struct socket *s, uint32_t pid, struct cred *cred)
{
	struct cred *old = s->peer_cred.cred;

	s->peer_cred.pid = pid;
	s->peer_cred.cred = cred ? cred_ref(cred) : NULL;
	if (old)
		cred_unref(old);
}

void socket_wake_read(struct socket *s)
{
	waitq_wake(&s->wait, 1, EPOLLIN | EPOLLRDNORM | EPOLLRDBAND);
	fasync_send(&s->async, ABI_POLL_IN, EPOLLIN | EPOLLRDNORM);
}

void socket_wake_write(struct socket *s)
{
	waitq_wake(&s->wait, 1, EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND);
	fasync_send(&s->async, ABI_POLL_OUT, EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND);
}

void socket_wake_state(struct socket *s, uint32_t events)
{
	waitq_wake(&s->wait, INT32_MAX, events);
	fasync_send(&s->async, events & EPOLLHUP ? ABI_POLL_HUP : ABI_POLL_IN, events);
}

static uint64_t deadline(uint64_t timeout_ns, bool nonblock)
{
	if (nonblock)
		return 0;
	return timeout_ns ? clock_mono_ns() + timeout_ns : KTIMER_NEVER;
}

uint64_t socket_rcv_deadline(const struct socket *s, bool nonblock)
{
	return deadline(s->rcvtimeo_ns, nonblock);
}

uint64_t socket_snd_deadline(const struct socket *s, bool nonblock)
{
	return deadline(s->sndtimeo_ns, nonblock);
}

int socket_wait_error(int err, uint64_t deadline_ns)
{
	if (err == -ETIMEDOUT)
		return -EAGAIN;
	if (err == -ERESTARTSYS && deadline_ns != KTIMER_NEVER)
		return -EINTR;
	return err;
}

int32_t sock_pid_for(struct task *t, uint32_t pid)
{
	struct signal *sig = pid ? signal_find(pid) : NULL;

	return sig ? (int32_t)pids_pid_of(t, sig) : (int32_t)pid;
}

/* ---- the file ----------------------------------------------------------------------------------- */

ssize_t socket_send_uio(struct file *f, struct uio *u, unsigned flags)
{
	struct socket *s = f->priv;
	struct task *t = current_task();
	struct sock_msg m = {.u = *u, .task = t};
	ssize_t n;

	if (!s->ops->sendmsg)
		return -EOPNOTSUPP;
	if (m.u.segs == u->fast)
		m.u.segs = m.u.fast;
	scm_self(t, &m.scm);
	n = s->ops->sendmsg(s, t, &m, flags | (f->flags & O_NONBLOCK ? MSG_DONTWAIT : 0));
	if (n > 0)
		uio_advance(u, (size_t)n);
	scm_done(&m.scm);
	return n;
}

ssize_t socket_recv_uio(struct file *f, struct uio *u, unsigned flags)
{
	struct socket *s = f->priv;
	struct task *t = current_task();
	struct sock_msg m = {.u = *u, .task = t};
	ssize_t n;

	if (!s->ops->recvmsg)
		return -EOPNOTSUPP;
	if (m.u.segs == u->fast)
		m.u.segs = m.u.fast;
	n = s->ops->recvmsg(s, t, &m, flags | (f->flags & O_NONBLOCK ? MSG_DONTWAIT : 0));
	if (n > 0)
		uio_advance(u, MIN((size_t)n, u->resid));
	return n;
}

static ssize_t sock_read(struct file *f, struct uio *u, int64_t *pos)
{
	(void)pos;
	return u->resid ? socket_recv_uio(f, u, 0) : 0;
}

static ssize_t sock_write(struct file *f, struct uio *u, int64_t *pos)
{
	struct socket *s = f->priv;

	(void)pos;
	return socket_send_uio(f, u, s->type == SOCK_SEQPACKET ? MSG_EOR : 0);
}

static uint32_t sock_poll(struct file *f, struct poll_table *pt)
{
	struct socket *s = f->priv;

	return s->ops->poll(s, pt);
}

static long sock_ioctl(struct file *f, struct task *t, unsigned cmd, uint64_t arg)
{
	struct socket *s = f->priv;

	long ret = s->ops->ioctl ? s->ops->ioctl(s, t, cmd, arg) : -ENOTTY;

	/* Whatever its family, a socket will do to ask about interfaces. */
	return ret == -ENOTTY && inet_dev_ioctl ? inet_dev_ioctl(s->ns, t, cmd, arg) : ret;
}

static int sock_setfl(struct file *f, unsigned flags)
{
	struct socket *s = f->priv;

	return fasync_setfl(&s->async, f, flags);
}

static void sock_release(struct file *f)
{
	struct socket *s = f->priv;

	fasync_remove(&s->async, f);
	s->file = NULL;
	f->priv = NULL;
	s->ops->release(s);
	socket_unref(s);
}

static int sock_no_open(struct inode *inode, struct file *f)
{
	(void)inode;
	(void)f;
	return -ENXIO;
}

static const struct file_ops socket_no_fops = {.open = sock_no_open};

static const struct file_ops socket_fops = {
	.release = sock_release,
	.read = sock_read,
	.write = sock_write,
	.poll = sock_poll,
	.ioctl = sock_ioctl,
	.setfl = sock_setfl,
};

int socket_new_file(struct socket *s, unsigned flags, struct file **ret)
{
	struct file *f;
	int err = file_new_anon("socket:", S_IFSOCK | 0777, &socket_fops, O_RDWR | (flags & O_NONBLOCK), s,
				&f);

	if (err)
		return err;
	f->inode->fop = &socket_no_fops; /* no way in through /proc/PID/fd */
	s->file = f;
	if (s->ops->installed)
		s->ops->installed(s);
	*ret = f;
	return 0;
}

struct socket *socket_of_file(const struct file *f)
{
	return f->op == &socket_fops ? f->priv : NULL;
}

int socket_get(struct task *t, int fd, struct file **ret_file, struct socket **ret)
{
	struct file *f = fd_get(t, fd);
	struct socket *s;

	if (!f)
		return -EBADF;
	s = socket_of_file(f);
	if (!s) {
		file_unref(f);
		return -ENOTSOCK;
	}
	*ret_file = f;
	*ret = s;
	return 0;
}
