/* UDP, out. The payload is not copied: it stays in the caller's pieces until the link or loopback takes it. */
#include <netinet/in.h>

#include "netd/ip/ip_priv.h"
#include "netd/sock/ipopt.h"
#include "netd/udp/udp_priv.h"

/* Where to and from where; the route of a connection is kept. */
static int route(struct udp_sock *u, const struct nsock_meta *meta, const struct nsock_name *to, bool connected,
		 struct ip_route *r)
{
	struct ip_flow f;

	if (connected && !meta->from.addr.family && !meta->ifindex && ip_route_ok(u->s.st, &u->route)) {
		*r = u->route;
		return 0;
	}
	f = ip_sock_flow(&u->s, meta, to);
	return ip_route_lookup(u->s.st, &f, r);
}

static bool want_df(const struct udp_sock *u, bool v6)
{
	uint8_t disc = v6 ? u->s.opt.pmtudisc6 : u->s.opt.pmtudisc;

	return disc == IP_PMTUDISC_DO || disc == IP_PMTUDISC_PROBE || (v6 && u->s.opt.dontfrag6);
}

/* The datagram is larger than the path: the sender is told on the error queue, if he looks there. */
static void too_big(struct udp_sock *u, const struct nsock_name *to, uint32_t mtu, const struct iovec *iov, unsigned count)
{
	struct nsock *s = &u->s;
	struct ip_error e = {.err = EMSGSIZE, .origin = 1 /* SO_EE_ORIGIN_LOCAL */, .info = mtu};
	struct nsock_meta meta = {.to = *to, .error = &e};

	if (s->up && (to->addr.family == AF_INET ? s->opt.recverr : s->opt.recverr6))
		(void)s->up->deliver(s, &meta, iov, count);
}

static uint8_t hops(const struct udp_sock *u, const struct nsock_meta *meta, bool v6, bool multicast)
{
	const struct nsock_opt *o = &u->s.opt;

	if (meta->ttl)
		return meta->ttl;
	if (v6)
		return multicast ? (o->mc_hops ? o->mc_hops : 1) : o->hops;
	return multicast ? (o->mc_ttl ? o->mc_ttl : 1) : o->ttl;
}

static void checksum(const struct udp_sock *u, struct pkt *p, const struct ip_tx *tx, uint32_t size)
{
	struct udp_hdr *h = (void *)p->data;
	bool v6 = tx->dst.family == AF_INET6;
	uint32_t pseudo;

	h->csum = 0;
	if (!u->lite && !p->gso && (v6 ? u->no_check6_tx : u->s.opt.no_check))
		return;
	pseudo = csum_pseudo(&tx->src, &tx->dst, tx->protocol, size);
	if (u->lite && u->lite_tx && u->lite_tx < size) {
		/* Only the first bytes: no link does that for us. The payload's begin was made linear. */
		h->len = be16(u->lite_tx);
		h->csum = csum_fold(csum_partial(h, u->lite_tx, pseudo));
		if (!h->csum)
			h->csum = 0xffff;
		return;
	}
	h->csum = (uint16_t)~csum_fold(pseudo);
	p->csum = PKT_CSUM_PARTIAL;
	p->csum_offset = offsetof(struct udp_hdr, csum);
}

static int transmit(struct udp_sock *u, const struct nsock_meta *meta, const struct nsock_name *to, bool connected,
		    const struct iovec *iov, unsigned count)
{
	struct nsock *s = &u->s;
	struct netstack *st = s->st;
	bool v6 = to->addr.family == AF_INET6, copy = count > 2 || (u->lite && u->lite_tx);
	uint32_t size = 0, overhead = (v6 ? 40u : 20u) + (uint32_t)sizeof(struct udp_hdr);
	uint16_t gso = meta->gso_size ? meta->gso_size : u->gso_size;
	struct udp_hdr *h;
	struct ip_route r;
	struct ip_tx tx;
	struct pkt *p;
	int ret;

	for (unsigned i = 0; i < count; i++) {
		if (iov[i].iov_len > 65535)
			return -EMSGSIZE;
		size += (uint32_t)iov[i].iov_len;
	}
	if (size > 65535 - sizeof(struct udp_hdr) - (v6 ? 0 : 20))
		return -EMSGSIZE;
	ret = route(u, meta, to, connected, &r);
	if (ret < 0) {
		if (ret == -ENETUNREACH)
			net_count(st, v6 ? MIB_Ip6_OutNoRoutes : MIB_Ip_OutNoRoutes);
		return ret;
	}
	ret = ip_sock_route_allowed(s, meta, &r);
	if (ret < 0)
		return ret;
	if (connected && !meta->from.addr.family && !meta->ifindex)
		u->route = r;
	if (gso && size > gso) {
		if (gso + overhead > r.mtu || u->lite || (size + gso - 1) / gso > 128)
			return -EINVAL;
	} else {
		gso = 0;
	}
	tx = (struct ip_tx){.route = &r, .src = r.src, .dst = to->addr, .protocol = u->lite ? IPPROTO_UDPLITE : IPPROTO_UDP,
			    .ttl = hops(u, meta, v6, r.multicast),
			    .tos = meta->flags & NSOCK_META_TOS ? meta->tos : v6 ? s->opt.tclass : s->opt.tos,
			    .flow_label = meta->flow_label, .options = u->ip_options,
			    .options_size = v6 ? 0 : u->ip_options_size};
	if (ip_addr_any(&tx.dst))
		tx.dst = r.src;
	if (!gso && size + overhead > r.mtu && want_df(u, v6)) {
		too_big(u, to, r.mtu, iov, count);
		return -EMSGSIZE;
	}
	if (want_df(u, v6) || (size + overhead <= r.mtu && (v6 ? s->opt.pmtudisc6 : s->opt.pmtudisc) == IP_PMTUDISC_WANT))
		tx.flags |= IP_TX_DF;
	if (v6 ? s->opt.mc_loop6 : s->opt.mc_loop)
		tx.flags |= IP_TX_MC_LOOP;
	p = pkt_alloc(sizeof(*h) + (copy ? size : 0));
	if (!p) {
		udp_count(st, u->lite, to->addr.family, UDP_SndbufErrors);
		return -ENOBUFS;
	}
	h = (void *)p->data;
	p->len = sizeof(*h);
	for (unsigned i = 0; i < count; i++) {
		if (copy) {
			memcpy(p->data + p->len, iov[i].iov_base, iov[i].iov_len);
			p->len += (uint32_t)iov[i].iov_len;
		} else if (iov[i].iov_len) {
			p->ext[p->ext_count++] = iov[i];
		}
	}
	h->src = s->local.port;
	h->dst = to->port;
	h->len = be16((uint16_t)(sizeof(*h) + size));
	p->transport = p->data;
	if (gso) {
		p->gso = PKT_GSO_UDP;
		p->gso_size = gso;
	}
	checksum(u, p, &tx, (uint32_t)sizeof(*h) + size);
	if (meta->flags & NSOCK_META_CONFIRM)
		ip_route_confirm(st, &r, &tx.dst);
	ret = ip_output(st, p, &tx);
	if (ret < 0 && ret != -ENOBUFS)
		return ret;
	/* A link that is full drops silently, as Linux without IP_RECVERR. */
	if (ret < 0)
		udp_count(st, u->lite, to->addr.family, UDP_SndbufErrors);
	udp_count(st, u->lite, to->addr.family, UDP_OutDatagrams);
	return 0;
}

static int cork_append(struct udp_sock *u, const struct nsock_meta *meta, const struct iovec *iov, unsigned count,
		       uint32_t size)
{
	if (!u->pending) {
		u->pending = malloc(UDP_CORK_MAX);
		if (!u->pending)
			return -ENOBUFS;
		u->pending_size = 0;
		u->pending_meta = *meta;
	}
	if (size > UDP_CORK_MAX - u->pending_size)
		return -EMSGSIZE;
	for (unsigned i = 0; i < count; i++) {
		memcpy(u->pending + u->pending_size, iov[i].iov_base, iov[i].iov_len);
		u->pending_size += (uint32_t)iov[i].iov_len;
	}
	return 0;
}

static int send_to(struct udp_sock *u, const struct nsock_meta *meta, const struct iovec *iov, unsigned count)
{
	const struct nsock_name *to = meta->to.addr.family ? &meta->to : &u->s.peer;

	return transmit(u, meta, to, !meta->to.addr.family && u->connected, iov, count);
}

int udp_push(struct udp_sock *u)
{
	struct iovec iov = {u->pending, u->pending_size};
	uint8_t *data = STEAL_PTR(u->pending);
	int ret;

	if (!data)
		return 0;
	ret = send_to(u, &u->pending_meta, &iov, 1);
	free(data);
	return ret;
}

ssize_t udp_send(struct nsock *s, const struct nsock_meta *meta, const struct iovec *iov, unsigned count)
{
	struct udp_sock *u = udp_of(s);
	size_t size = 0;
	int ret;

	if (u->wr_shut)
		return -EPIPE;
	for (unsigned i = 0; i < count; i++)
		size += iov[i].iov_len;
	if (size > 65535)
		return -EMSGSIZE;
	if (!meta->to.addr.family && !u->connected)
		return -EDESTADDRREQ;
	if (meta->to.addr.family) {
		if (!meta->to.port)
			return -EINVAL;
		if (s->family == AF_INET && meta->to.addr.family != AF_INET)
			return -EAFNOSUPPORT;
		if (s->family == AF_INET6 && s->opt.v6only && meta->to.addr.family == AF_INET)
			return -ENETUNREACH;
	}
	if (!s->local.port) {
		struct nsock_name any = s->local;

		any.addr.family = (uint16_t)s->family;
		ret = port_bind(s, u->lite ? PORT_UDPLITE : PORT_UDP, &any);
		if (ret < 0)
			return ret == -EADDRINUSE ? -EAGAIN : ret;
		udp_hash(u);
	}
	if (u->cork || u->pending) {
		ret = cork_append(u, meta, iov, count, (uint32_t)size);
		if (ret == 0 && !u->cork)
			ret = udp_push(u);
	} else {
		ret = send_to(u, meta, iov, count);
	}
	return ret < 0 ? ret : (ssize_t)size;
}
