/* Datagrams: one for one between the ring and a UDP or ping socket of the host. */
#include <errno.h>
#include <time.h>

#include "netd/host/private.h"

#define A_TURN 64u

/* What the guest may ask for beside a datagram is always taken along. */
void host_dgram_prepare(struct host_sock *k)
{
	static const int v4[] = {IP_PKTINFO, IP_RECVTTL, IP_RECVTOS},
			 v6[] = {IPV6_RECVPKTINFO, IPV6_RECVHOPLIMIT, IPV6_RECVTCLASS};
	const int one = 1;

	for (size_t i = 0; i < ARRAY_SIZE(v4); i++) {
		setsockopt(k->fd, SOL_IP, v4[i], &one, sizeof(one));
		if (k->s.family == AF_INET6)
			setsockopt(k->fd, SOL_IPV6, v6[i], &one, sizeof(one));
	}
}

static void read_control(struct msghdr *m, struct nsock_meta *meta)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		const void *p = CMSG_DATA(c);
		int v = 0;

		if (c->cmsg_len >= CMSG_LEN(sizeof(v)))
			memcpy(&v, p, sizeof(v));
		else if (c->cmsg_len >= CMSG_LEN(1))
			v = *(const uint8_t *)p;
		if (c->cmsg_level == SOL_IP && c->cmsg_type == IP_PKTINFO && c->cmsg_len >= CMSG_LEN(sizeof(struct in_pktinfo))) {
			const struct in_pktinfo *i = p;

			meta->ifindex = i->ipi_ifindex;
			meta->to.addr = ip_addr_v4(i->ipi_addr.s_addr);
		} else if (c->cmsg_level == SOL_IPV6 && c->cmsg_type == IPV6_PKTINFO &&
			   c->cmsg_len >= CMSG_LEN(sizeof(struct in6_pktinfo))) {
			const struct in6_pktinfo *i = p;
			struct sockaddr_storage ss = {.ss_family = AF_INET6};

			((struct sockaddr_in6 *)&ss)->sin6_addr = i->ipi6_addr;
			host_name_in(&ss, &meta->to);
			meta->ifindex = (int)i->ipi6_ifindex;
		} else if (c->cmsg_level == SOL_IP && c->cmsg_type == IP_TTL) {
			meta->ttl = (uint8_t)v;
		} else if (c->cmsg_level == SOL_IP && c->cmsg_type == IP_TOS) {
			meta->tos = (uint8_t)v;
		} else if (c->cmsg_level == SOL_IPV6 && c->cmsg_type == IPV6_HOPLIMIT) {
			meta->ttl = (uint8_t)v;
		} else if (c->cmsg_level == SOL_IPV6 && c->cmsg_type == IPV6_TCLASS) {
			meta->tos = (uint8_t)v;
		}
	}
}

static int receive(struct host_sock *k)
{
	static uint8_t data[65536];
	_Alignas(struct cmsghdr) char control[256];
	struct sockaddr_storage from;
	struct iovec iov = {data, sizeof(data)};
	struct msghdr m = {.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &iov, .msg_iovlen = 1,
			   .msg_control = control, .msg_controllen = sizeof(control)};
	struct nsock_meta meta = {.to = k->s.local};
	struct timespec now;
	ssize_t n = recvmsg(k->fd, &m, 0);

	if (n < 0)
		return -errno;
	clock_gettime(CLOCK_REALTIME, &now);
	meta.rx_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
	meta.orig_len = (uint32_t)n;
	host_name_in(&from, &meta.from);
	read_control(&m, &meta);
	meta.to.port = k->s.local.port;
	iov.iov_len = (size_t)n;
	if (k->s.up && !k->s.closed)
		k->s.up->deliver(&k->s, &meta, &iov, 1);
	return 0;
}

void host_dgram_event(struct host_sock *k, uint32_t events)
{
	k->readable |= (events & (EPOLLIN | EPOLLERR)) != 0;
	for (unsigned i = 0; k->readable && !k->shut_rd; i++) {
		int r;

		if (i == A_TURN) {
			if (list_empty(&k->again))
				list_add_tail(&k->h->again, &k->again);
			break;
		}
		r = receive(k);
		if (r == -EAGAIN) {
			k->readable = false;
		} else if (r < 0 && r != -EINTR) {
			k->s.err = -r; /* an ICMP error of the peer's */
			nsock_raise(&k->s, NSOCK_ERR);
		}
	}
	if (events & EPOLLOUT)
		nsock_raise(&k->s, NSOCK_OUT);
}

static void put_control(struct msghdr *m, int level, int type, const void *data, size_t size)
{
	struct cmsghdr *c = (struct cmsghdr *)((char *)m->msg_control + m->msg_controllen);

	*c = (struct cmsghdr){.cmsg_len = CMSG_LEN(size), .cmsg_level = level, .cmsg_type = type};
	memcpy(CMSG_DATA(c), data, size);
	m->msg_controllen += CMSG_SPACE(size);
}

static ssize_t dgram_send(struct nsock *s, const struct nsock_meta *meta, const struct iovec *iov, unsigned count)
{
	_Alignas(struct cmsghdr) char control[256] = {0};
	struct host_sock *k = host_of(s);
	struct sockaddr_storage to;
	struct msghdr m = {.msg_iov = (struct iovec *)iov, .msg_iovlen = count, .msg_control = control};
	bool v4 = s->family == AF_INET || (meta->to.addr.family ? meta->to.addr.family : s->peer.addr.family) == AF_INET;
	int v;
	ssize_t n;

	if (meta->to.addr.family) {
		m.msg_name = &to;
		m.msg_namelen = host_name_out(s->family, &meta->to, &to);
	}
	if (v4 && (meta->ifindex || meta->from.addr.family == AF_INET)) {
		struct in_pktinfo i = {.ipi_ifindex = meta->ifindex};

		if (meta->from.addr.family == AF_INET)
			i.ipi_spec_dst.s_addr = meta->from.addr.v4;
		put_control(&m, SOL_IP, IP_PKTINFO, &i, sizeof(i));
	} else if (!v4 && (meta->ifindex || meta->from.addr.family == AF_INET6)) {
		struct in6_pktinfo i = {.ipi6_ifindex = (unsigned)meta->ifindex};

		if (meta->from.addr.family == AF_INET6)
			memcpy(&i.ipi6_addr, meta->from.addr.v6, 16);
		put_control(&m, SOL_IPV6, IPV6_PKTINFO, &i, sizeof(i));
	}
	v = meta->ttl;
	if (meta->flags & NSOCK_META_TTL && v)
		put_control(&m, v4 ? SOL_IP : SOL_IPV6, v4 ? IP_TTL : IPV6_HOPLIMIT, &v, sizeof(v));
	v = meta->tos;
	if (meta->flags & NSOCK_META_TOS)
		put_control(&m, v4 ? SOL_IP : SOL_IPV6, v4 ? IP_TOS : IPV6_TCLASS, &v, sizeof(v));
	if (!m.msg_controllen)
		m.msg_control = NULL;
	n = sendmsg(k->fd, &m, MSG_NOSIGNAL | (meta->flags & NSOCK_META_DONTROUTE ? MSG_DONTROUTE : 0));
	if (n < 0)
		return -errno;
	if (!s->local.port)
		host_sock_names(k, s->peer.addr.family != 0);
	return n;
}

static int dgram_connect(struct nsock *s, const struct nsock_name *n)
{
	struct sockaddr_storage ss = {.ss_family = AF_UNSPEC};
	struct host_sock *k = host_of(s);
	socklen_t size = n ? host_name_out(s->family, n, &ss) : sizeof(ss);

	if (connect(k->fd, (struct sockaddr *)&ss, size) < 0)
		return -errno;
	host_sock_names(k, n != NULL);
	return 0;
}

static int dgram_shutdown(struct nsock *s, bool rd, bool wr)
{
	struct host_sock *k = host_of(s);

	if (shutdown(k->fd, rd && wr ? SHUT_RDWR : rd ? SHUT_RD : SHUT_WR) < 0)
		return -errno;
	k->shut_rd |= rd;
	k->fin_sent |= wr;
	nsock_raise(s, (rd ? NSOCK_IN | NSOCK_RDHUP : 0) | (k->shut_rd && k->fin_sent ? NSOCK_HUP : 0));
	return 0;
}

static uint32_t dgram_poll(struct nsock *s)
{
	const struct host_sock *k = host_of(s);

	return NSOCK_OUT | (s->err ? NSOCK_ERR : 0) | (k->shut_rd ? NSOCK_IN | NSOCK_RDHUP : 0) |
	       (k->shut_rd && k->fin_sent ? NSOCK_HUP : 0);
}

static void dgram_close(struct nsock *s, bool reset)
{
	(void)reset;
	host_sock_hang_up(host_of(s));
}

const struct nsock_ops host_dgram_ops = {
	.bind = host_bind,
	.connect = dgram_connect,
	.getname = host_getname,
	.shutdown = dgram_shutdown,
	.send = dgram_send,
	.poll = dgram_poll,
	.setopt = host_setopt,
	.getopt = host_getopt,
	.opt_changed = host_opt_changed,
	.close = dgram_close,
	.free = host_sock_free,
};
