/* UDP and UDP-Lite endpoints: names, connections, options. */
#include <linux/udp.h>
#include <netinet/in.h>

#include "netd/core/layers.h"
#include "netd/ip/ip_priv.h"
#include "netd/sock/ipopt.h"
#include "netd/udp/udp_priv.h"

#define UDP_NO_CHECK6_TX_ 101
#define UDP_NO_CHECK6_RX_ 102
#define UDPLITE_SEND_CSCOV_ 10
#define UDPLITE_RECV_CSCOV_ 11

static enum port_space space_of(const struct udp_sock *u)
{
	return u->lite ? PORT_UDPLITE : PORT_UDP;
}

static int udp_bind(struct nsock *s, const struct nsock_name *n)
{
	struct udp_sock *u = udp_of(s);
	int ret;

	if (s->local.port)
		return -EINVAL;
	ret = ip_sock_bind_check(s, n);
	if (ret < 0)
		return ret;
	ret = port_bind(s, space_of(u), n);
	if (ret < 0)
		return ret;
	u->addr_fixed = !ip_addr_any(&n->addr);
	u->port_fixed = n->port != 0;
	udp_hash(u);
	return 0;
}

static int udp_disconnect(struct udp_sock *u)
{
	struct nsock *s = &u->s;

	udp_unhash(u);
	u->connected = false;
	u->route = (struct ip_route){0};
	s->peer = (struct nsock_name){0};
	if (!u->addr_fixed)
		s->local.addr = (struct ip_addr){.family = (uint16_t)s->family};
	if (!u->port_fixed) {
		port_release(s);
		s->local.port = 0;
	}
	udp_hash(u);
	return 0;
}

static int udp_connect(struct nsock *s, const struct nsock_name *n)
{
	struct udp_sock *u = udp_of(s);
	struct ip_flow f = {.protocol = u->lite ? IPPROTO_UDPLITE : IPPROTO_UDP, .mark = s->opt.mark,
			    .tos = s->opt.tos, .oif = s->opt.bound_if,
			    .any_src = s->opt.transparent || s->opt.freebind};
	struct nsock_name peer;
	struct ip_route r;
	int ret;

	if (!n)
		return udp_disconnect(u);
	peer = *n;
	if (s->family == AF_INET && peer.addr.family != AF_INET)
		return -EAFNOSUPPORT;
	if (peer.addr.family == AF_INET && s->family == AF_INET6 &&
	    (s->opt.v6only || (!ip_addr_any(&s->local.addr) && s->local.addr.family == AF_INET6)))
		return -ENETUNREACH;
	if (ip_addr_any(&peer.addr)) {
		if (peer.addr.family == AF_INET6)
			peer.addr.v6[15] = 1;
		else
			peer.addr.v4 = be32(INADDR_LOOPBACK);
	}
	f.dst = peer.addr;
	if (ip_addr_multicast(&peer.addr) && !f.oif)
		f.oif = peer.addr.family == AF_INET ? s->opt.mc_if : s->opt.mc_if6;
	if (u->addr_fixed && s->local.addr.family == peer.addr.family)
		f.src = s->local.addr;
	else if (ip_addr_multicast(&peer.addr) && s->opt.mc_addr.family == peer.addr.family)
		f.src = s->opt.mc_addr;
	if (f.src.family && ip_addr_multicast(&f.src))
		f.src.family = AF_UNSPEC;
	ret = ip_route_lookup(s->st, &f, &r);
	if (ret < 0)
		return ret;
	if (r.broadcast && !s->opt.broadcast)
		return -EACCES;
	if (!s->local.port) {
		struct nsock_name any = {.addr = {.family = (uint16_t)s->family}};

		ret = port_bind(s, space_of(u), &any);
		if (ret < 0)
			return ret == -EADDRINUSE ? -EAGAIN : ret;
	}
	udp_unhash(u);
	if (!u->addr_fixed || ip_addr_any(&s->local.addr))
		s->local.addr = r.src;
	s->peer = peer;
	u->connected = true;
	u->route = r;
	udp_hash(u);
	return 0;
}

static int udp_getname(struct nsock *s, bool peer, struct nsock_name *ret)
{
	return ip_sock_getname(s, udp_of(s)->connected, peer, ret);
}

static int udp_shutdown(struct nsock *s, bool rd, bool wr)
{
	struct udp_sock *u = udp_of(s);

	if (!u->connected)
		return -ENOTCONN;
	u->rd_shut |= rd;
	u->wr_shut |= wr;
	nsock_raise(s, (rd ? NSOCK_IN | NSOCK_RDHUP : 0) | (u->rd_shut && u->wr_shut ? NSOCK_HUP : 0));
	return 0;
}

static uint32_t udp_poll(struct nsock *s)
{
	struct udp_sock *u = udp_of(s);

	return NSOCK_OUT | (s->err ? NSOCK_ERR : 0) | (u->rd_shut ? NSOCK_IN | NSOCK_RDHUP : 0) |
	       (u->rd_shut && u->wr_shut ? NSOCK_HUP : 0);
}

static int int_of(const void *val, uint32_t size, int *ret)
{
	if (size < sizeof(int))
		return -EINVAL;
	memcpy(ret, val, sizeof(int));
	return 0;
}

int udp_setopt(struct nsock *s, int level, int name, const void *val, uint32_t size)
{
	struct udp_sock *u = udp_of(s);
	int v, ret;

	if (level == IPPROTO_IP && name == IP_OPTIONS)
		return ip_sock_set_options(u->ip_options, &u->ip_options_size, val, size);
	if (level != IPPROTO_UDP && level != IPPROTO_UDPLITE)
		return ip_sock_setopt(s, level, name, val, size);
	ret = int_of(val, size, &v);
	if (ret < 0)
		return ret;
	switch (name) {
	case UDP_CORK:
		u->cork = v;
		return v ? 0 : udp_push(u);
	case UDP_SEGMENT:
		if (v < 0 || v > 65535)
			return -EINVAL;
		u->gso_size = (uint16_t)v;
		return 0;
	case UDP_GRO:
		u->gro = v;
		return 0;
	case UDP_NO_CHECK6_TX_:
		u->no_check6_tx = v;
		return 0;
	case UDP_NO_CHECK6_RX_:
		u->no_check6_rx = v;
		return 0;
	case UDPLITE_SEND_CSCOV_:
	case UDPLITE_RECV_CSCOV_:
		if (!u->lite)
			return -ENOPROTOOPT;
		/* Less than a header is no coverage; the largest stands for all. */
		v = v != 0 && v < 8 ? 8 : MIN(v, 65535);
		if (name == UDPLITE_SEND_CSCOV_)
			u->lite_tx = (uint16_t)v;
		else
			u->lite_rx = (uint16_t)v;
		return 0;
	}
	return -ENOPROTOOPT;
}

int udp_getopt(struct nsock *s, int level, int name, void *val, uint32_t *size)
{
	struct udp_sock *u = udp_of(s);
	int v;

	if (level == IPPROTO_IP && name == IP_OPTIONS) {
		*size = MIN(*size, (uint32_t)u->ip_options_size);
		memcpy(val, u->ip_options, *size);
		return 0;
	}
	if (level != IPPROTO_UDP && level != IPPROTO_UDPLITE)
		return ip_sock_getopt(s, level, name, u->connected ? &u->route : NULL, val, size);
	switch (name) {
	case UDP_CORK: v = u->cork; break;
	case UDP_SEGMENT: v = u->gso_size; break;
	case UDP_GRO: v = u->gro; break;
	case UDP_NO_CHECK6_TX_: v = u->no_check6_tx; break;
	case UDP_NO_CHECK6_RX_: v = u->no_check6_rx; break;
	case UDPLITE_SEND_CSCOV_: v = u->lite_tx; break;
	case UDPLITE_RECV_CSCOV_: v = u->lite_rx; break;
	default: return -ENOPROTOOPT;
	}
	return ip_sock_put_int(v, val, size);
}

static void udp_opt_changed(struct nsock *s)
{
	/* Where the next datagram goes may have changed with the interface or the mark. */
	udp_of(s)->route = (struct ip_route){0};
}

static void udp_close(struct nsock *s, bool reset)
{
	struct udp_sock *u = udp_of(s);

	(void)udp_push(u);
	udp_unhash(u);
	port_release(s);
}

static void udp_free(struct nsock *s)
{
	struct udp_sock *u = udp_of(s);

	free(u->pending);
	free(u);
}

static const struct nsock_ops udp_ops = {
	.bind = udp_bind,
	.connect = udp_connect,
	.getname = udp_getname,
	.shutdown = udp_shutdown,
	.send = udp_send,
	.poll = udp_poll,
	.setopt = udp_setopt,
	.getopt = udp_getopt,
	.opt_changed = udp_opt_changed,
	.close = udp_close,
	.free = udp_free,
};

int udp_create(struct netstack *st, int family, bool lite, const struct nsock_up *up, void *owner, struct nsock **ret)
{
	struct udp_sock *u = calloc(1, sizeof(*u));

	if (!u)
		return -ENOMEM;
	nsock_init(&u->s, st, &udp_ops, NSOCK_UDP, family, SOCK_DGRAM, lite ? IPPROTO_UDPLITE : IPPROTO_UDP, up, owner);
	u->lite = lite;
	u->s.local.addr.family = (uint16_t)family;
	list_init(&u->bound);
	list_init(&u->conn);
	*ret = &u->s;
	return 0;
}

int udp_init(struct netstack *st)
{
	static const struct ip_protocol proto = {.input = udp_input, .error = udp_error};

	st->udp = malloc(sizeof(*st->udp));
	if (!st->udp)
		return -ENOMEM;
	for (unsigned i = 0; i < 2 * UDP_BUCKETS; i++) {
		list_init(&st->udp->bound[i / UDP_BUCKETS][i % UDP_BUCKETS]);
		list_init(&st->udp->conn[i / UDP_BUCKETS][i % UDP_BUCKETS]);
	}
	ip_protocol_register(st, IPPROTO_UDP, &proto);
	ip_protocol_register(st, IPPROTO_UDPLITE, &proto);
	return 0;
}

void udp_done(struct netstack *st)
{
	free(st->udp);
	st->udp = NULL;
}
