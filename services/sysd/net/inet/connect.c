/* Names and connections: bind, connect, listen, accept. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/capability.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "common/base/util.h"
#include "services/sysd/core/errno.h"
#include "services/sysd/net/inet/client.h"
#include "services/sysd/net/inet/inet.h"
#include "services/sysd/sys/sysctl.h"
#include "services/sysd/task/task.h"

/* The family of an address where only the socket's own will do. */
static int check_family(const struct inet_sock *k, const struct sock_addr *addr, bool bind)
{
	uint32_t any = 0;

	if (k->s.family == AF_PACKET)
		return 0;
	if (addr->size < (k->s.family == AF_INET ? 16 : 24))
		return addr->size < 2 || bind || addr->family == k->s.family ? -EINVAL : -EAFNOSUPPORT;
	if (addr->family == k->s.family)
		return 0;
	/* Old programs bind to the wildcard without saying the family. */
	if (bind && k->s.family == AF_INET && addr->family == AF_UNSPEC)
		return memcmp(addr->raw + 4, &any, 4) ? -EAFNOSUPPORT : 0;
	return -EAFNOSUPPORT;
}

int inet_bind(struct socket *s, struct task *t, const struct sock_addr *addr)
{
	struct inet_sock *k = inet_sk(s);
	struct sock_addr own = *addr;
	struct net_name name;
	uint16_t port;
	int err = check_family(k, addr, true);

	if (err)
		return err;
	if (own.family == AF_UNSPEC)
		own.family = (uint16_t)s->family;
	err = inet_addr_in(k, &own, &name);
	if (err)
		return err;
	if (s->family == AF_PACKET) {
		err = inet_do(k, NET_DO_BIND, &name, NULL, 0, NULL);
		if (!err) {
			if (name.port)
				s->protocol = name.port;
			k->local = name;
			k->local.port = (uint16_t)s->protocol;
			k->bound = true;
		}
		return err;
	}
	port = ntohs(name.port);
	if (s->type != SOCK_RAW && port && port < sysctl_unpriv_port && !capable(t, CAP_NET_BIND_SERVICE))
		return -EACCES;
	if (s->type != SOCK_RAW && (k->bound || k->local.port || s->state != SS_UNCONNECTED))
		return -EINVAL;
	if (s->type == SOCK_RAW)
		name.port = 0;
	err = inet_do(k, NET_DO_BIND, &name, NULL, 0, NULL);
	if (!err)
		k->bound = true;
	return err;
}

/* ---- connect ------------------------------------------------------------------------------------ */

int inet_wait_connect(struct inet_sock *k, uint64_t deadline_ns)
{
	return WAIT_EVENT_INTR_TIMEOUT(&k->s.wait, k->s.state != SS_CONNECTING, deadline_ns);
}

/* connect(2) with AF_UNSPEC: as good as new, but for a name that was given to it. */
static int stream_disconnect(struct inet_sock *k)
{
	if (k->s.state == SS_LISTEN)
		return -EISCONN;
	if (k->paired)
		inet_pair_close(k, true);
	inet_detach(k, true);
	k->paired = k->rx_end = k->dead = false;
	k->pair_index = NET_SOCK_NONE;
	byteq_clear(&k->q);
	k->held = 0;
	k->s.shutdown = 0;
	k->s.err = 0;
	k->s.state = SS_UNCONNECTED;
	k->peer.family = 0;
	k->report = REPORT_NOTHING;
	if (!k->bound)
		k->local = (struct net_name){0};
	socket_wake_state(&k->s, EPOLLIN | EPOLLOUT | EPOLLHUP);
	return 0;
}

static int finish_connect(struct inet_sock *k, uint64_t deadline_ns, int pending)
{
	int err;

	if (k->s.state == SS_CONNECTING) {
		if (!deadline_ns)
			return pending;
		err = inet_wait_connect(k, deadline_ns);
		if (err == -ETIMEDOUT)
			return pending;
		if (err)
			return socket_wait_error(err, deadline_ns);
	}
	if (k->s.state == SS_ESTABLISHED) {
		k->report = REPORT_NOTHING;
		return 0;
	}
	k->report = REPORT_NOTHING;
	k->s.shutdown = 0;
	err = socket_error(&k->s);
	return err ? err : -ECONNABORTED;
}

int inet_stream_connect(struct socket *s, struct task *t, const struct sock_addr *addr, bool nonblock)
{
	uint64_t deadline_ns = socket_snd_deadline(s, nonblock);
	struct inet_sock *k = inet_sk(s);
	struct netd_reply r = {0};
	struct net_name name;
	int err;

	(void)t;
	if (addr->size < sizeof(addr->family))
		return -EINVAL;
	if (addr->family == AF_UNSPEC)
		return stream_disconnect(k);
	if (s->state == SS_LISTEN)
		return -EISCONN;
	if (s->state == SS_ESTABLISHED && k->report != REPORT_CONNECTED)
		return -EISCONN;
	if (k->report != REPORT_NOTHING || s->state == SS_CONNECTING)
		return finish_connect(k, deadline_ns, -EALREADY);
	err = check_family(k, addr, false);
	if (!err)
		err = inet_addr_in(k, addr, &name);
	if (err)
		return err;
	if (k->dead || s->shutdown) { /* used before: a new connection begins from the beginning */
		inet_detach(k, true);
		k->dead = k->paired = k->rx_end = false;
		s->shutdown = 0;
	}
	s->state = SS_CONNECTING;
	k->peer = name;
	err = inet_do(k, NET_DO_CONNECT, NULL, &name, 0, &r);
	if (err) {
		if (s->state == SS_CONNECTING)
			s->state = SS_UNCONNECTED;
		if (err == -ECONNREFUSED && nonblock) {
			/* The answer was there at once; programs expect it later. */
			s->err = ECONNREFUSED;
			s->shutdown = ABI_SHUT_MASK;
			k->report = REPORT_FAILED;
			return -EINPROGRESS;
		}
		return err;
	}
	if (r.remote.family)
		k->peer = r.remote;
	if (k->attached && s->state == SS_CONNECTING)
		inet_sock_event(k); /* it may be established already */
	if (nonblock && s->state == SS_ESTABLISHED) {
		k->report = REPORT_CONNECTED;
		return -EINPROGRESS;
	}
	return finish_connect(k, deadline_ns, -EINPROGRESS);
}

int inet_dgram_connect(struct socket *s, struct task *t, const struct sock_addr *addr, bool nonblock)
{
	struct inet_sock *k = inet_sk(s);
	struct netd_reply r;
	struct net_name name;
	int err;

	(void)t;
	(void)nonblock;
	if (s->family == AF_PACKET)
		return -EOPNOTSUPP;
	if (addr->size < sizeof(addr->family))
		return -EINVAL;
	if (addr->family == AF_UNSPEC) {
		if (!k->peer.family)
			return 0;
		k->peer.family = 0;
		s->state = SS_UNCONNECTED;
		err = inet_do(k, NET_DO_DISCONNECT, NULL, NULL, 0, &r);
		return err;
	}
	err = inet_addr_in(k, addr, &name);
	if (err)
		return err;
	if (inet_opt(k, OPT_IPV6_V6ONLY) && addr->family == AF_INET)
		return -EAFNOSUPPORT;
	err = inet_do(k, NET_DO_CONNECT, NULL, &name, 0, &r);
	if (err)
		return err;
	k->peer = r.remote.family ? r.remote : name;
	s->state = SS_ESTABLISHED;
	return 0;
}

/* ---- listen and accept -------------------------------------------------------------------------- */

int inet_listen(struct socket *s, struct task *t, int backlog)
{
	struct inet_sock *k = inet_sk(s);
	enum socket_state was = s->state;
	int err;

	(void)t;
	if (was != SS_UNCONNECTED && was != SS_LISTEN)
		return -EINVAL;
	k->backlog = (int)MIN((unsigned)backlog, (unsigned)sysctl_somaxconn);
	if (k->dead) {
		k->dead = false;
		s->shutdown = 0;
		s->err = 0;
	}
	s->state = SS_LISTEN; /* the first connection may come with the answer */
	err = inet_do(k, NET_DO_LISTEN, NULL, NULL, k->backlog, NULL);
	if (err) {
		s->state = was;
		return err;
	}
	k->bound = true;
	return 0;
}

void inet_installed(struct socket *s)
{
	struct inet_sock *k = inet_sk(s);
	struct net_msg *m;

	if (s->state != SS_ESTABLISHED || !k->attached)
		return;
	m = netd_msg(NET_ACCEPTED);
	m->sock = k->index;
	m->inode = inet_inode(k);
	netd_tell(m, false);
}

int inet_accept(struct socket *s, struct task *t, bool nonblock, struct socket **ret)
{
	uint64_t deadline_ns = socket_rcv_deadline(s, nonblock);
	struct inet_sock *k = inet_sk(s), *child;
	int err;

	(void)t;
	if (s->state != SS_LISTEN)
		return s->err ? socket_error(s) : -EINVAL;
	while (list_empty(&k->accept_queue)) {
		if (s->err)
			return socket_error(s);
		if (!deadline_ns)
			return -EAGAIN;
		err = WAIT_EVENT_FLAGS(&s->wait,
				       !list_empty(&k->accept_queue) || s->err || s->state != SS_LISTEN,
				       WAIT_INTERRUPTIBLE | WAIT_EXCLUSIVE, deadline_ns);
		if (err)
			return socket_wait_error(err, deadline_ns);
		if (s->state != SS_LISTEN)
			return s->err ? socket_error(s) : -EINVAL;
	}
	child = LIST_FIRST(&k->accept_queue, struct inet_sock, accept_node);
	list_del(&child->accept_node);
	k->accept_count--;
	*ret = &child->s;
	if (!list_empty(&k->accept_queue)) /* the wake we got may have been for more than one */
		waitq_wake(&s->wait, 1, EPOLLIN);
	return 0;
}
