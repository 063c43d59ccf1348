/* Connections: listen, connect, accept; and readiness. */
#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "common/base/util.h"
#include "services/sysd/core/errno.h"
#include "services/sysd/core/ktimer.h"
#include "services/sysd/mm/uio.h"
#include "services/sysd/net/net_ns.h"
#include "services/sysd/net/unix/unix.h"
#include "services/sysd/sys/sysctl.h"
#include "services/sysd/task/task.h"
#include "services/sysd/vfs/poll.h"

int unix_listen(struct socket *s, struct task *t, int backlog)
{
	struct unix_sock *u = unix_sk(s);
	unsigned old = u->backlog;

	if (!u->addr)
		return -EINVAL;
	if (s->state != SS_UNCONNECTED && s->state != SS_LISTEN)
		return -EINVAL;
	u->backlog = MIN((unsigned)backlog, (unsigned)sysctl_somaxconn);
	if (u->backlog > old)
		waitq_wake_all(&u->peer_wait);
	s->state = SS_LISTEN;
	socket_set_peer_cred(s, t->signal->pid, t->cred); /* what connectors see */
	return 0;
}

/* Finds a listener with room in its queue: a reference. */
static int find_listener(struct unix_sock *u, struct task *t, const struct sock_addr *addr,
			 uint64_t deadline_ns, struct unix_sock **ret)
{
	for (;;) {
		struct unix_sock *other;
		int err = unix_find(u, t, addr, &other);

		if (err)
			return err;
		if (other->s.state != SS_LISTEN || (other->s.shutdown & ABI_SHUT_RD_BIT))
			err = -ECONNREFUSED;
		else if (!unix_queue_full(other)) {
			*ret = other;
			return 0;
		} else if (!deadline_ns)
			err = -EAGAIN;
		else
			err = WAIT_EVENT_FLAGS(&other->peer_wait,
					       !unix_queue_full(other) || other->s.state != SS_LISTEN ||
						   (other->s.shutdown & ABI_SHUT_RD_BIT),
					       WAIT_INTERRUPTIBLE | WAIT_EXCLUSIVE, deadline_ns);
		unix_unref(other);
		if (err)
			return socket_wait_error(err, deadline_ns);
	}
}

int unix_stream_connect(struct socket *s, struct task *t, const struct sock_addr *addr, bool nonblock)
{
	struct unix_sock *u = unix_sk(s), *other = NULL, *conn;
	struct unix_packet *p;
	int err = unix_addr_check(addr);

	if (err)
		return err;
	if (s->passcred) {
		err = unix_autobind(u);
		if (err)
			return err;
	}
	err = find_listener(u, t, addr, socket_snd_deadline(s, nonblock), &other);
	if (err == -ECONNREFUSED)
		return unix_connect_host(u, t, addr, socket_snd_deadline(s, nonblock));
	if (err)
		return err;
	if (s->state != SS_UNCONNECTED) {
		unix_unref(other);
		return s->state == SS_ESTABLISHED ? -EISCONN : -EINVAL;
	}
	conn = unix_new(t, other->s.ns, s->type, s->protocol);
	p = conn ? unix_packet_new(u, 1) : NULL;
	if (!p) {
		unix_unref(conn);
		unix_unref(other);
		return -ENOMEM;
	}
	p->size = 0;
	p->conn = conn;
	conn->s.state = s->state = SS_ESTABLISHED;
	conn->s.passcred = other->s.passcred;
	if (other->addr) {
		conn->addr = other->addr;
		conn->addr->refs++;
	}
	unix_set_peer(conn, u);
	unix_set_peer(u, conn);
	socket_set_peer_cred(&conn->s, t->signal->pid, t->cred);
	socket_set_peer_cred(s, other->s.peer_cred.pid, other->s.peer_cred.cred);
	unix_packet_queue(other, p);
	socket_wake_read(&other->s);
	unix_unref(other);
	return 0;
}

int unix_accept(struct socket *s, struct task *t, bool nonblock, struct socket **ret)
{
	uint64_t deadline_ns = socket_rcv_deadline(s, nonblock);
	struct unix_sock *u = unix_sk(s);
	struct unix_packet *p;
	int err;

	(void)t;
	if (s->state != SS_LISTEN)
		return -EINVAL;
	while (list_empty(&u->queue)) {
		if (s->err)
			return socket_error(s);
		if (s->shutdown & ABI_SHUT_RD_BIT)
			return -EINVAL;
		if (!deadline_ns)
			return -EAGAIN;
		err = WAIT_EVENT_FLAGS(&s->wait,
				       !list_empty(&u->queue) || s->err || (s->shutdown & ABI_SHUT_RD_BIT),
				       WAIT_INTERRUPTIBLE | WAIT_EXCLUSIVE, deadline_ns);
		if (err)
			return socket_wait_error(err, deadline_ns);
	}
	p = LIST_FIRST(&u->queue, struct unix_packet, node);
	unix_packet_unqueue(u, p);
	*ret = &STEAL_PTR(p->conn)->s;
	unix_packet_free(p);
	waitq_wake_one(&u->peer_wait);
	if (!list_empty(&u->queue)) /* the wake we got may have been for more than one */
		waitq_wake(&s->wait, 1, EPOLLIN);
	return 0;
}

uint32_t unix_poll(struct socket *s, struct poll_table *pt)
{
	struct unix_sock *u = unix_sk(s);
	uint32_t mask = 0;

	poll_wait(pt, &s->wait);
	if (s->err)
		mask |= EPOLLERR;
	if (s->shutdown == ABI_SHUT_MASK)
		mask |= EPOLLHUP;
	if (s->shutdown & ABI_SHUT_RD_BIT)
		mask |= EPOLLRDHUP | EPOLLIN | EPOLLRDNORM;
	if (!list_empty(&u->queue))
		mask |= EPOLLIN | EPOLLRDNORM;
	if (s->type != SOCK_DGRAM && s->state == SS_UNCONNECTED)
		mask |= EPOLLHUP;
	if (unix_writable(u))
		mask |= EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND;
	return mask;
}

uint32_t unix_dgram_poll(struct socket *s, struct poll_table *pt)
{
	struct unix_sock *u = unix_sk(s), *peer = u->peer;
	uint32_t mask = unix_poll(s, pt);

	/* A peer that does not talk to us alone has a queue that others fill. */
	if ((mask & EPOLLOUT) && peer && peer->peer != u && !unix_dead(peer) && unix_queue_full(peer)) {
		mask &= ~(uint32_t)(EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND);
		if (list_empty(&u->relay.link))
			waitq_add(&peer->peer_wait, &u->relay);
	}
	return mask;
}
