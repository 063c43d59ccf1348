/* Ping sockets: ICMP echo without the right to raw sockets (icmp(7)). The identifier is the port. */
#include <linux/icmp.h>
#include <netinet/in.h>

#include "netd/ip/ip_priv.h"
#include "netd/sock/ipopt.h"
#include "netd/sock/port.h"
#include "netd/sock/raw.h"
#include "netd/sock/raw_priv.h"

#define ECHO6 128

struct ping_sock {
	struct nsock s;
	bool connected, addr_fixed;
};

static struct ping_sock *ping_of(struct nsock *s)
{
	return CONTAINER_OF(s, struct ping_sock, s);
}

static struct nsock *find(struct netstack *st, const struct ip_addr *local, const struct ip_addr *peer, uint16_t id, int iif)
{
	struct nsock *s;

	LIST_FOR_EACH(s, &st->socks[NSOCK_PING], all) {
		if (s->family == local->family && s->local.port == id && !s->closed &&
		    (ip_addr_any(&s->local.addr) || ip_addr_equal(&s->local.addr, local)) &&
		    (!ping_of(s)->connected || ip_addr_equal(&s->peer.addr, peer)) &&
		    (!s->opt.bound_if || s->opt.bound_if == iif))
			return s;
	}
	return NULL;
}

void ping_input(struct netstack *st, struct pkt *p, const struct ip_rx *rx)
{
	const struct icmp_hdr *h = (const void *)p->data;
	struct nsock *s = find(st, &rx->dst, &rx->src, h->echo.id, rx->iif);

	if (s && s->up) {
		struct iovec iov = {p->data, p->len};
		struct nsock_meta meta;

		raw_fill_meta(&meta, p, rx);
		meta.orig_len = p->len;
		(void)s->up->deliver(s, &meta, &iov, 1);
	}
	pkt_free(p);
}

void ping_error(struct netstack *st, const struct ip_flow *flow, const uint8_t *data, uint32_t size,
		const struct ip_error *err)
{
	const struct icmp_hdr *h = (const void *)data;
	struct nsock_name to = {.addr = flow->dst};
	struct nsock *s;

	if (size < sizeof(*h))
		return;
	s = find(st, &flow->src, &flow->dst, h->echo.id, flow->oif);
	if (s)
		ip_sock_report(s, ping_of(s)->connected, flow, &to, data, size, err);
}

static int ping_bind(struct nsock *s, const struct nsock_name *n)
{
	int ret;

	if (s->local.port)
		return -EINVAL;
	ret = n->addr.family == s->family ? ip_sock_bind_check(s, n) : -EAFNOSUPPORT;
	if (ret == 0)
		ret = port_bind(s, PORT_PING, n);
	if (ret == 0)
		ping_of(s)->addr_fixed = !ip_addr_any(&n->addr);
	return ret;
}

static int autobind(struct nsock *s)
{
	struct nsock_name any = s->local;

	return s->local.port ? 0 : port_bind(s, PORT_PING, &any);
}

static ssize_t ping_send(struct nsock *s, const struct nsock_meta *meta, const struct iovec *iov, unsigned count)
{
	struct ping_sock *g = ping_of(s);
	const struct nsock_name *to = meta->to.addr.family ? &meta->to : &s->peer;
	bool v6 = s->family == AF_INET6;
	struct icmp_hdr *h;
	struct ip_route r;
	struct ip_tx tx;
	size_t size = 0;
	struct pkt *p;
	int ret;

	if (!meta->to.addr.family && !g->connected)
		return -EDESTADDRREQ;
	if (to->addr.family != s->family)
		return -EAFNOSUPPORT;
	for (unsigned i = 0; i < count; i++)
		size += iov[i].iov_len;
	if (size > 65535 - 20)
		return -EMSGSIZE;
	if (size < sizeof(*h))
		return -EINVAL;
	ret = autobind(s);
	if (ret < 0)
		return ret == -EADDRINUSE ? -EAGAIN : ret;
	ret = raw_route(s, meta, to, false, &r, &tx);
	if (ret < 0)
		return ret;
	p = pkt_alloc(size);
	if (!p)
		return -ENOBUFS;
	for (unsigned i = 0; i < count; i++) {
		memcpy(p->data + p->len, iov[i].iov_base, iov[i].iov_len);
		p->len += (uint32_t)iov[i].iov_len;
	}
	h = (void *)p->data;
	/* Only questions: answers and errors would let anyone forge them. */
	if (h->type != (v6 ? ECHO6 : ICMP_ECHO) || h->code != 0) {
		pkt_free(p);
		return -EINVAL;
	}
	if (tx.flags & IP_TX_DF && size + (v6 ? 40 : 20) > r.mtu) {
		pkt_free(p);
		return -EMSGSIZE;
	}
	h->echo.id = s->local.port;
	h->csum = 0;
	h->csum = csum_fold(csum_partial(h, p->len, v6 ? csum_pseudo(&tx.src, &tx.dst, IPPROTO_ICMPV6, p->len) : 0));
	if (!v6)
		net_count(s->st, MIB_Icmp_OutMsgs), net_count(s->st, MIB_Icmp_OutEchos), net_count(s->st, MIB_IcmpMsg_OutType8);
	else
		net_count(s->st, MIB_Icmp6_OutMsgs), net_count(s->st, MIB_Icmp6_OutEchos), net_count(s->st, MIB_Icmp6_OutType128);
	ret = ip_output(s->st, p, &tx);
	return ret < 0 && ret != -ENOBUFS ? ret : (ssize_t)size;
}

static int ping_connect(struct nsock *s, const struct nsock_name *n)
{
	struct ping_sock *g = ping_of(s);
	int ret;

	if (!n) {
		g->connected = false;
		s->peer = (struct nsock_name){0};
		if (!g->addr_fixed)
			s->local.addr = (struct ip_addr){.family = (uint16_t)s->family};
		return 0;
	}
	ret = autobind(s);
	if (ret == 0)
		ret = raw_connect_route(s, n, g->addr_fixed, &s->peer);
	if (ret == 0)
		g->connected = true;
	return ret;
}

static int ping_getname(struct nsock *s, bool peer, struct nsock_name *ret)
{
	return ip_sock_getname(s, ping_of(s)->connected, peer, ret);
}

static int ping_shutdown(struct nsock *s, bool rd, bool wr)
{
	return ping_of(s)->connected ? 0 : -ENOTCONN;
}

static uint32_t ping_poll(struct nsock *s)
{
	return NSOCK_OUT | (s->err ? NSOCK_ERR : 0);
}

static int ping_setopt(struct nsock *s, int level, int name, const void *val, uint32_t size)
{
	return ip_sock_setopt(s, level, name, val, size);
}

static int ping_getopt(struct nsock *s, int level, int name, void *val, uint32_t *size)
{
	return ip_sock_getopt(s, level, name, NULL, val, size);
}

static void ping_close(struct nsock *s, bool reset)
{
	port_release(s);
}

static void ping_free(struct nsock *s)
{
	free(ping_of(s));
}

static const struct nsock_ops ping_ops = {
	.bind = ping_bind,
	.connect = ping_connect,
	.getname = ping_getname,
	.shutdown = ping_shutdown,
	.send = ping_send,
	.poll = ping_poll,
	.setopt = ping_setopt,
	.getopt = ping_getopt,
	.close = ping_close,
	.free = ping_free,
};

int ping_create(struct netstack *st, int family, const struct nsock_up *up, void *owner, struct nsock **ret)
{
	struct ping_sock *g = calloc(1, sizeof(*g));

	if (!g)
		return -ENOMEM;
	nsock_init(&g->s, st, &ping_ops, NSOCK_PING, family, SOCK_DGRAM, family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6,
		   up, owner);
	g->s.local.addr.family = (uint16_t)family;
	*ret = &g->s;
	return 0;
}
