/* Messages: SOCK_DGRAM, and SOCK_SEQPACKET, which is the same over a connection. */
#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "common/base/util.h"
#include "services/sysd/core/errno.h"
#include "services/sysd/core/ktimer.h"
#include "services/sysd/net/unix/unix.h"
#include "services/sysd/signal/signal.h"
#include "services/sysd/task/task.h"

/* A connected datagram socket hears its peer alone. */
static bool may_send(const struct unix_sock *u, const struct unix_sock *other)
{
	return !other->peer || other->peer == u;
}

/* u gives up its old peer: what the two still had for each other is void. */
static void part(struct unix_sock *u, struct unix_sock *old)
{
	bool any = !list_empty(&u->queue);

	while (!list_empty(&u->queue)) {
		struct unix_packet *p = LIST_FIRST(&u->queue, struct unix_packet, node);

		unix_packet_unqueue(u, p);
		unix_packet_free(p);
	}
	if (any)
		waitq_wake_all(&u->peer_wait);
	if (any && !unix_dead(old) && old->peer == u) {
		old->s.err = ECONNRESET;
		socket_wake_state(&old->s, EPOLLERR);
	}
}

int unix_dgram_connect(struct socket *s, struct task *t, const struct sock_addr *addr, bool nonblock)
{
	struct unix_sock *u = unix_sk(s), *other = NULL, *old;
	int err;

	(void)nonblock;
	if (addr->size < UNIX_PATH_OFF)
		return -EINVAL;
	if (addr->family != AF_UNSPEC) {
		err = unix_addr_check(addr);
		if (!err && s->passcred)
			err = unix_autobind(u);
		if (!err)
			err = unix_find(u, t, addr, &other);
		if (err)
			return err;
		if (!may_send(u, other)) {
			unix_unref(other);
			return -EPERM;
		}
		s->state = other->s.state = SS_ESTABLISHED;
	} else {
		s->state = SS_UNCONNECTED;
	}
	old = u->peer ? unix_ref(u->peer) : NULL;
	unix_set_peer(u, other);
	if (old && old != other)
		part(u, old);
	if (old)
		waitq_wake_all(&u->peer_wait);
	unix_unref(old);
	unix_unref(other);
	return 0;
}

/* Waits for room at `other`; 0: look again. */
static int wait_room(struct unix_sock *other, uint64_t deadline_ns)
{
	int err;

	if (!deadline_ns)
		return -EAGAIN;
	err = WAIT_EVENT_FLAGS(&other->peer_wait,
			       !unix_queue_full(other) || unix_dead(other) ||
				   (other->s.shutdown & ABI_SHUT_RD_BIT),
			       WAIT_INTERRUPTIBLE | WAIT_EXCLUSIVE, deadline_ns);
	return err ? socket_wait_error(err, deadline_ns) : 0;
}

/* Delivers p to other: 0, -EAGAIN... or 1 when the search has to start anew. */
static int deliver(struct unix_sock *u, struct unix_sock *other, struct unix_packet *p, bool named,
		   uint64_t deadline_ns)
{
	int err;

	if (!may_send(u, other))
		return -EPERM;
	if (unix_dead(other)) {
		if (named)
			return 1;
		if (u->peer == other) {
			unix_set_peer(u, NULL);
			u->s.state = SS_UNCONNECTED;
		}
		return -ECONNREFUSED;
	}
	if (other->s.shutdown & ABI_SHUT_RD_BIT)
		return -EPIPE;
	if (other != u && other->peer != u && unix_queue_full(other)) {
		err = wait_room(other, deadline_ns);
		return err ? err : 1;
	}
	p->has_creds |= u->s.passcred || other->s.passcred || !other->s.file;
	unix_packet_queue(other, p);
	socket_wake_read(&other->s);
	return 0;
}

static ssize_t dgram_sendmsg(struct socket *s, struct task *t, struct sock_msg *m, unsigned flags)
{
	uint64_t deadline_ns = socket_snd_deadline(s, flags & MSG_DONTWAIT);
	struct unix_sock *u = unix_sk(s), *other = NULL;
	bool named = m->name.size;
	size_t size = m->u.resid;
	struct unix_packet *p;
	int err = 0;

	if (flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (named)
		err = unix_addr_check(&m->name);
	else if (!u->peer)
		err = -ENOTCONN;
	if (!err && s->passcred)
		err = unix_autobind(u);
	if (!err && size + 32 > (size_t)s->sndbuf)
		err = -EMSGSIZE;
	if (!err)
		err = unix_packet_wait(u, deadline_ns);
	if (err)
		return err;
	p = unix_packet_new(u, (uint32_t)size);
	if (!p)
		return -ENOMEM;
	if (uio_copy_from(&m->u, p->data, size) != (ssize_t)size)
		err = -EFAULT;
	else
		err = unix_attach_scm(t, p, &m->scm);
	if (!err)
		err = 1;
	while (err == 1) {
		if (named)
			err = unix_find(u, t, &m->name, &other);
		else if (u->peer)
			err = (other = unix_ref(u->peer), 0);
		else
			err = -ECONNRESET;
		if (err)
			break;
		err = deliver(u, other, p, named, deadline_ns);
		unix_unref(other);
	}
	if (err) {
		unix_packet_free(p);
		return err;
	}
	return (ssize_t)size;
}

/* The message that this call is to see; passes over what SO_PEEK_OFF says. */
static struct unix_packet *first_packet(struct unix_sock *u, bool peek, size_t *skip)
{
	struct unix_packet *p;

	LIST_FOR_EACH(p, &u->queue, node) {
		if (!peek || !*skip || *skip < p->size)
			return p;
		*skip -= p->size;
	}
	return NULL;
}

static int wait_packet(struct unix_sock *u, bool peek, uint64_t deadline_ns, size_t *skip,
		       struct unix_packet **ret)
{
	struct socket *s = &u->s;
	size_t start = *skip;

	for (;;) {
		int err = socket_error(s);

		if (err)
			return err;
		*skip = start;
		*ret = first_packet(u, peek, skip);
		if (*ret)
			return 0;
		if (!deadline_ns)
			return s->type == SOCK_SEQPACKET && (s->shutdown & ABI_SHUT_RD_BIT) ? 0 : -EAGAIN;
		if (s->shutdown & ABI_SHUT_RD_BIT)
			return 0;
		err = WAIT_EVENT_FLAGS(&s->wait,
				       !list_empty(&u->queue) || s->err || (s->shutdown & ABI_SHUT_RD_BIT),
				       WAIT_INTERRUPTIBLE | WAIT_EXCLUSIVE, deadline_ns);
		if (err)
			return socket_wait_error(err, deadline_ns);
		if (start && !list_empty(&u->queue) && !first_packet(u, peek, skip))
			return -EAGAIN;
	}
}

static ssize_t dgram_recvmsg(struct socket *s, struct task *t, struct sock_msg *m, unsigned flags)
{
	uint64_t deadline_ns = socket_rcv_deadline(s, flags & MSG_DONTWAIT);
	struct unix_sock *u = unix_sk(s);
	bool peek = flags & MSG_PEEK;
	size_t skip = peek && s->peek_off > 0 ? (size_t)s->peek_off : 0, size, copy;
	struct unix_packet *p = NULL;
	struct scm_fds *fds;
	ssize_t ret;

	(void)t;
	if (flags & MSG_OOB)
		return -EOPNOTSUPP;
	ret = wait_packet(u, peek, deadline_ns, &skip, &p);
	if (ret || !p)
		return ret;
	size = p->size - skip;
	copy = MIN(size, m->u.resid);
	if (copy < size)
		m->out_flags |= MSG_TRUNC;
	unix_copy_name(p->from, &m->name);
	if (m->name.size == UNIX_PATH_OFF)
		m->name.size = 0;
	if (!peek) {
		unix_packet_unqueue(u, p);
		waitq_wake(&u->peer_wait, 1, EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND);
		if (!list_empty(&u->queue))
			waitq_wake(&s->wait, 1, EPOLLIN | EPOLLRDNORM);
		if (s->peek_off > 0)
			s->peek_off = MAX(s->peek_off - (int)size, 0);
	} else if (s->peek_off >= 0) {
		s->peek_off += (int)copy;
	}
	ret = copy && uio_copy_to(&m->u, p->data + p->off + skip, copy) != (ssize_t)copy ? -EFAULT : 0;
	if (!ret) {
		fds = unix_detach_fds(p, peek);
		unix_put_scm(s, m, p->has_creds, p->pid, p->uid, p->gid, fds);
		ret = (ssize_t)(flags & MSG_TRUNC ? size : copy);
	}
	if (!peek)
		unix_packet_free(p);
	return ret;
}

static ssize_t seqpacket_sendmsg(struct socket *s, struct task *t, struct sock_msg *m, unsigned flags)
{
	int err = socket_error(s);

	if (err)
		return err;
	if (s->state != SS_ESTABLISHED)
		return -ENOTCONN;
	m->name.size = 0;
	return dgram_sendmsg(s, t, m, flags);
}

static ssize_t seqpacket_recvmsg(struct socket *s, struct task *t, struct sock_msg *m, unsigned flags)
{
	if (s->state != SS_ESTABLISHED)
		return -ENOTCONN;
	return dgram_recvmsg(s, t, m, flags);
}

const struct socket_ops unix_dgram_ops = {
	.bind = unix_bind,
	.connect = unix_dgram_connect,
	.socketpair = unix_socketpair,
	.getname = unix_getname,
	.sendmsg = dgram_sendmsg,
	.recvmsg = dgram_recvmsg,
	.shutdown = unix_shutdown,
	.poll = unix_dgram_poll,
	.ioctl = unix_ioctl,
	.option_changed = unix_option_changed,
	.release = unix_release,
	.free = unix_free,
};

const struct socket_ops unix_seqpacket_ops = {
	.bind = unix_bind,
	.connect = unix_stream_connect,
	.socketpair = unix_socketpair,
	.listen = unix_listen,
	.accept = unix_accept,
	.getname = unix_getname,
	.sendmsg = seqpacket_sendmsg,
	.recvmsg = seqpacket_recvmsg,
	.shutdown = unix_shutdown,
	.poll = unix_dgram_poll,
	.ioctl = unix_ioctl,
	.option_changed = unix_option_changed,
	.release = unix_release,
	.free = unix_free,
};
