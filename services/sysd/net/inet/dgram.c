/* Datagrams: UDP, ping, raw and packet sockets. One record in a ring is one datagram; an error that Linux reports from
 * sendto itself (no route, a broadcast address without SO_BROADCAST) is found by asking netd for the route once for
 * each destination, until routes change. */
#include <errno.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "common/base/util.h"
#include "services/sysd/core/errno.h"
#include "services/sysd/net/inet/client.h"
#include "services/sysd/net/inet/filter.h"
#include "services/sysd/net/inet/inet.h"
#include "services/sysd/signal/signal.h"
#include "services/sysd/task/task.h"
#include "services/sysd/vfs/poll.h"

#define UDP_MAX 65535u
#define UDP_HEADER 8u

static bool is_udp(const struct inet_sock *k)
{
	return k->s.type == SOCK_DGRAM && (k->s.protocol == IPPROTO_UDP || k->s.protocol == IPPROTO_UDPLITE);
}

static bool is_ping(const struct inet_sock *k)
{
	return k->s.type == SOCK_DGRAM && !is_udp(k) && k->s.family != AF_PACKET;
}

/* ---- sending ------------------------------------------------------------------------------------ */

static struct inet_route *route_slot(struct inet_sock *k, const struct net_name *to)
{
	uint32_t h = to->port;

	for (unsigned i = 0; i < sizeof(to->addr); i++)
		h = h * 31 + to->addr[i];
	return &k->routes[h % ROUTE_CACHE];
}

/* May a datagram go there? Asks netd when it is not known. */
static int check_route(struct inet_sock *k, const struct net_name *to, const struct inet_send_ctl *c)
{
	struct inet_route *r = route_slot(k, to);
	struct netd_reply reply;
	struct net_header *h;
	struct net_msg *m;
	int err;

	err = inet_attach(k);
	if (err)
		return err;
	h = netd_header();
	if (!h)
		return -ENETDOWN;
	if (r->epoch == netd_epoch() && r->generation == __atomic_load_n(&h->generation, __ATOMIC_ACQUIRE) &&
	    inet_name_equal(&r->to, to) && !c->ifindex && !c->from.family)
		return r->broadcast && !k->s.broadcast ? -EACCES : 0;
	*r = (struct inet_route){.to = *to,
				 .epoch = netd_epoch(),
				 .generation = __atomic_load_n(&h->generation, __ATOMIC_ACQUIRE)};
	m = netd_msg(NET_ROUTE);
	m->sock = k->index;
	m->remote = *to;
	m->local = c->from;
	m->value = (uint32_t)c->ifindex;
	err = netd_call(m, &reply);
	if (err || !k->attached) {
		r->epoch = 0;
		if (!err)
			netd_reply_done(&reply);
		return err ? err : -ENETDOWN;
	}
	if (reply.local.family && k->s.family != AF_PACKET)
		k->local = reply.local;
	r->broadcast = reply.flags & NET_ROUTE_BROADCAST;
	netd_reply_done(&reply);
	return 0;
}

static int destination(struct inet_sock *k, const struct sock_msg *m, struct net_name *ret)
{
	struct sock_addr a = m->name;
	int err;

	if (!a.size) {
		if (!k->peer.family)
			return -EDESTADDRREQ;
		*ret = k->peer;
		return 0;
	}
	if (k->s.family == AF_INET && a.size >= 16 && a.family == AF_UNSPEC)
		a.family = AF_INET;
	if (k->s.family == AF_INET6 && a.size >= 2 && a.family == AF_UNSPEC && k->peer.family) {
		*ret = k->peer;
		return 0;
	}
	if (k->s.family == AF_INET6 && a.family == AF_INET &&
	    (inet_opt(k, OPT_IPV6_V6ONLY) || k->s.type != SOCK_DGRAM || is_ping(k)))
		return inet_opt(k, OPT_IPV6_V6ONLY) ? -ENETUNREACH : -EAFNOSUPPORT;
	err = inet_addr_in(k, &a, ret);
	if (err)
		return err == -EAFNOSUPPORT && k->s.family == AF_INET6 ? -EINVAL : err;
	if (is_udp(k) && !ret->port)
		return -EINVAL;
	if (k->s.type == SOCK_RAW)
		ret->port = 0;
	return 0;
}

/* Linux: the wildcard as destination is this host. */
static void to_self(struct net_name *to)
{
	if (!inet_name_any(to))
		return;
	if (to->family == AF_INET) {
		memcpy(to->addr, (uint8_t[4]){127, 0, 0, 1}, 4);
	} else if (to->family == AF_INET6) {
		uint32_t v4;

		if (inet_name_v4(to, &v4))
			memcpy(to->addr + 12, (uint8_t[4]){127, 0, 0, 1}, 4);
		else
			to->addr[15] = 1;
	}
}

static bool room_for(struct inet_sock *k, size_t size)
{
	uint64_t need = net_dgram_room((uint32_t)size), used;

	if (!k->ctl || bytering_room(&k->tx) < need)
		return false;
	used = k->tx.tail - k->tx.head;
	/* SO_SNDBUF bounds what is under way, but one datagram always goes. */
	return !used || used + need <= (uint64_t)MAX(k->s.sndbuf, 8192);
}

static int wait_room(struct inet_sock *k, size_t size, uint64_t deadline_ns)
{
	int err;

	if (room_for(k, size) || !k->ctl)
		return 0;
	inet_kick(k, true);
	if (!deadline_ns)
		return -EAGAIN;
	err = WAIT_EVENT_INTR_TIMEOUT(&k->s.wait, room_for(k, size) || k->s.err || !k->ctl, deadline_ns);
	return err ? socket_wait_error(err, deadline_ns) : 0;
}

/* The record's header and payload, straight from the guest's memory into the ring. */
static ssize_t put_record(struct inet_sock *k, const struct net_dgram *d, struct uio *u)
{
	uint64_t need = net_dgram_room(d->size);
	struct iovec to[2] = {{0}};
	size_t skip = sizeof(*d), left = d->size, head = 0;

	if (bytering_reserve(&k->tx, need, to) < need)
		return -EAGAIN;
	for (unsigned i = 0; i < 2 && to[i].iov_len; i++) {
		uint8_t *p = to[i].iov_base;
		size_t n = to[i].iov_len, h = MIN(skip, n);
		ssize_t got;

		memcpy(p, (const uint8_t *)d + head, h);
		head += h;
		skip -= h;
		n = MIN(n - h, left);
		got = n ? uio_copy_from(u, p + h, n) : 0;
		if (got < (ssize_t)n)
			return -EFAULT; /* nothing was published */
		left -= n;
	}
	bytering_put(&k->tx, need);
	return d->size;
}

/* MSG_MORE and UDP_CORK: collects one datagram. 1: more is to come. */
static ssize_t collect(struct inet_sock *k, struct sock_msg *m, bool more)
{
	size_t n = m->u.resid;
	ssize_t got;

	if (!k->pending)
		k->pending = malloc(UDP_MAX);
	if (!k->pending)
		return -ENOBUFS;
	if (n > UDP_MAX - UDP_HEADER - 20 - k->pending_size)
		return -EMSGSIZE;
	got = uio_copy_from(&m->u, k->pending + k->pending_size, n);
	if (got < (ssize_t)n)
		return -EFAULT;
	k->pending_size += (uint32_t)n;
	return more;
}

static ssize_t send_record(struct inet_sock *k, struct sock_msg *m, const struct net_name *to,
			   const struct inet_send_ctl *c, struct uio *u, unsigned flags)
{
	uint64_t deadline_ns = socket_snd_deadline(&k->s, flags & MSG_DONTWAIT);
	size_t size = u->resid;
	struct net_dgram d = {.size = (uint32_t)size, .ifindex = c->ifindex, .from = c->from, .gso_size = c->gso_size};
	ssize_t n;
	int err;

	if (m->name.size || k->s.type == SOCK_RAW || k->s.family == AF_PACKET)
		d.to = *to;
	if (c->ttl >= 0) {
		d.ttl = (uint8_t)c->ttl;
		d.flags |= 2; /* NSOCK_META_TTL */
	}
	if (c->tos >= 0) {
		d.tos = (uint8_t)c->tos;
		d.flags |= 1; /* NSOCK_META_TOS */
	}
	if (flags & MSG_DONTROUTE)
		d.flags |= 16; /* NSOCK_META_DONTROUTE */
	d.flow_label = to->flowinfo;
	if (k->s.family == AF_PACKET && m->name.size) {
		struct sockaddr_ll ll = {0};

		memcpy(&ll, m->name.raw, MIN((size_t)m->name.size, sizeof(ll)));
		d.protocol = ll.sll_protocol;
		d.ifindex = ll.sll_ifindex;
		d.halen = MIN(ll.sll_halen, (uint8_t)sizeof(d.hwaddr));
		memcpy(d.hwaddr, ll.sll_addr, sizeof(d.hwaddr));
	}
	do {
		err = wait_room(k, size, deadline_ns);
		if (!err && k->s.err)
			err = socket_error(&k->s);
		if (!err && !k->ctl)
			err = -ENETDOWN;
		if (err)
			return err;
		n = put_record(k, &d, u);
	} while (n == -EAGAIN);
	inet_kick(k, true);
	return n;
}

ssize_t inet_dgram_send(struct socket *s, struct task *t, struct sock_msg *m, unsigned flags)
{
	struct inet_sock *k = inet_sk(s);
	struct inet_send_ctl c;
	struct net_name to;
	size_t size = m->u.resid, max = s->family == AF_PACKET ? NET_DGRAM_MAX : UDP_MAX;
	bool more = is_udp(k) && (flags & MSG_MORE || inet_opt(k, OPT_UDP_CORK));
	struct uio u;
	ssize_t n;
	int err;

	if (flags & MSG_OOB && !(is_udp(k) && s->family == AF_INET6))
		return -EOPNOTSUPP;
	if (size > max)
		return -EMSGSIZE;
	if (s->family == AF_PACKET && !m->name.size)
		to = k->local;
	else if ((err = destination(k, m, &to)))
		return err;
	if (s->shutdown & ABI_SHUT_WR_BIT) {
		if (!(flags & MSG_NOSIGNAL))
			signal_pipe(t);
		return -EPIPE;
	}
	if (s->err)
		return socket_error(s);
	err = inet_cmsg_parse(k, m, &c);
	if (err)
		return err;
	if (is_udp(k) && size > UDP_MAX - UDP_HEADER - (s->family == AF_INET ? 20 : 0))
		return -EMSGSIZE;
	to_self(&to);
	err = check_route(k, &to, &c);
	if (err)
		return err;
	if (!more && !k->pending_size)
		return send_record(k, m, &to, &c, &m->u, flags);
	n = collect(k, m, more);
	if (n)
		return n < 0 ? n : (ssize_t)size;
	uio_init_kernel(&u, k->pending, k->pending_size);
	n = send_record(k, m, &to, &c, &u, flags);
	k->pending_size = 0;
	return n < 0 ? n : (ssize_t)size;
}

/* ---- receiving ---------------------------------------------------------------------------------- */

/* The record to read next; what the filter does not let pass is dropped here. -EAGAIN: none. */
static int look(struct inet_sock *k, struct net_dgram *d, struct iovec iov[2])
{
	struct bytering_region old;
	uint32_t keep;
	int ret;

	if (!k->ctl)
		return -EAGAIN;
	for (;;) {
		ret = net_dgram_look(&k->rx, k->rx.head, d, iov);
		if (ret == -EPROTO) {
			k->s.err = EPROTO;
			return -EAGAIN;
		}
		if (ret)
			return ret;
		k->record_size = d->size;
		if (!k->filter)
			return 0;
		keep = inet_filter_run(k, d, iov);
		if (keep) {
			if (keep < d->size) { /* cut */
				iov[0].iov_len = MIN(iov[0].iov_len, keep);
				iov[1].iov_len = keep - iov[0].iov_len;
				d->size = keep;
			}
			return 0;
		}
		bytering_take(&k->rx, net_dgram_room(d->size), &old);
	}
}

int64_t inet_dgram_next_size(struct inet_sock *k)
{
	struct net_dgram d;
	struct iovec iov[2];

	return look(k, &d, iov) ? -1 : (int64_t)d.size;
}

static bool recv_ready(struct inet_sock *k)
{
	struct net_dgram d;
	struct iovec iov[2];

	return k->s.err || k->s.shutdown & ABI_SHUT_RD_BIT || !look(k, &d, iov);
}

static void put_name(struct inet_sock *k, const struct net_dgram *d, struct sock_addr *ret)
{
	if (k->s.family == AF_PACKET) {
		struct sockaddr_ll ll = {.sll_family = AF_PACKET,
					 .sll_protocol = d->protocol,
					 .sll_ifindex = d->ifindex,
					 .sll_hatype = d->hatype,
					 .sll_pkttype = d->pkttype,
					 .sll_halen = MIN(d->halen, (uint8_t)sizeof(ll.sll_addr))};

		memcpy(ll.sll_addr, d->hwaddr, sizeof(ll.sll_addr));
		memset(ret->raw, 0, sizeof(ret->raw));
		memcpy(ret->raw, &ll, sizeof(ll));
		ret->size = sizeof(ll);
	} else if (d->from.family) {
		inet_addr_out(k, &d->from, ret);
	}
}

static ssize_t copy_payload(struct sock_msg *m, const struct iovec iov[2], size_t skip, size_t size)
{
	size_t done = 0;

	for (unsigned i = 0; i < 2 && done < size; i++) {
		size_t from = MIN(skip, iov[i].iov_len), n = MIN(iov[i].iov_len - from, size - done);
		ssize_t got = uio_copy_to(&m->u, (uint8_t *)iov[i].iov_base + from, n);

		skip -= from;
		if (got < (ssize_t)n)
			return -EFAULT;
		done += n;
	}
	return (ssize_t)done;
}

static ssize_t read_record(struct inet_sock *k, struct sock_msg *m, unsigned flags, const struct net_dgram *d,
			   const struct iovec iov[2])
{
	size_t skip = flags & MSG_PEEK && k->s.peek_off > 0 ? MIN((size_t)k->s.peek_off, (size_t)d->size) : 0;
	size_t size = d->size - skip, n = MIN(size, m->u.resid);
	struct bytering_region old;
	ssize_t ret = copy_payload(m, iov, skip, n);

	if (ret >= 0) {
		k->last_rx_ns = d->rx_ns;
		put_name(k, d, &m->name);
		inet_cmsg_put(k, m, d);
		if (n < size)
			m->out_flags |= MSG_TRUNC;
		if (flags & MSG_TRUNC)
			ret = (ssize_t)(k->s.family == AF_PACKET && d->orig_size ? d->orig_size : size);
	}
	if (flags & MSG_PEEK) {
		if (k->s.peek_off >= 0)
			k->s.peek_off += (int)n;
		return ret;
	}
	if (k->s.peek_off > 0)
		k->s.peek_off = MAX(k->s.peek_off - (int)d->size, 0);
	bytering_take(&k->rx, net_dgram_room(k->record_size), &old);
	return ret;
}

ssize_t inet_dgram_recv(struct socket *s, struct task *t, struct sock_msg *m, unsigned flags)
{
	uint64_t deadline_ns = socket_rcv_deadline(s, flags & MSG_DONTWAIT);
	struct inet_sock *k = inet_sk(s);
	struct iovec iov[2];
	struct net_dgram d;
	int err;

	(void)t;
	if (flags & MSG_ERRQUEUE)
		return inet_recv_error(k, m, flags);
	if (flags & MSG_OOB)
		return is_udp(k) ? -EAGAIN : -EOPNOTSUPP;
	/* A raw or ping socket hears from the start; an unbound UDP socket has no port to hear on. */
	if (!k->attached && (s->type == SOCK_RAW || k->bound)) {
		err = inet_attach(k);
		if (err)
			return err;
	}
	for (;;) {
		if (s->err)
			return socket_error(s);
		if (!look(k, &d, iov))
			return read_record(k, m, flags, &d, iov);
		if (s->shutdown & ABI_SHUT_RD_BIT)
			return 0;
		if (!deadline_ns)
			return -EAGAIN;
		err = WAIT_EVENT_FLAGS(&s->wait, recv_ready(k), WAIT_INTERRUPTIBLE | WAIT_EXCLUSIVE, deadline_ns);
		if (err)
			return socket_wait_error(err, deadline_ns);
	}
}

/* ---- the rest ----------------------------------------------------------------------------------- */

int inet_dgram_shutdown(struct socket *s, unsigned how)
{
	struct inet_sock *k = inet_sk(s);

	if (s->family == AF_PACKET)
		return -EOPNOTSUPP;
	s->shutdown |= how;
	socket_wake_state(s, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLHUP);
	return k->peer.family ? 0 : -ENOTCONN;
}

uint32_t inet_dgram_poll(struct socket *s, struct poll_table *pt)
{
	struct inet_sock *k = inet_sk(s);
	struct net_dgram d;
	struct iovec iov[2];
	uint32_t mask = 0;

	poll_wait(pt, &s->wait);
	if (s->err || k->error_count)
		mask |= EPOLLERR;
	if (s->shutdown == ABI_SHUT_MASK)
		mask |= EPOLLHUP;
	if (s->shutdown & ABI_SHUT_RD_BIT)
		mask |= EPOLLRDHUP | EPOLLIN | EPOLLRDNORM;
	if (!look(k, &d, iov))
		mask |= EPOLLIN | EPOLLRDNORM;
	if (!k->ctl || room_for(k, (size_t)s->sndbuf / 4))
		mask |= EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND;
	return mask;
}

void inet_dgram_release(struct socket *s)
{
	s->state = SS_DEAD;
	list_del(&inet_sk(s)->revive);
	inet_detach(inet_sk(s), false);
}
