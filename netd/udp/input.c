/* UDP (RFC 768, 1122 4.1) and UDP-Lite (RFC 3828), in. */
#include <netinet/in.h>

#include "netd/sock/ipopt.h"
#include "netd/sock/mcast.h"
#include "netd/udp/udp_priv.h"

void udp_count(struct netstack *st, bool lite, int family, enum udp_mib what)
{
	static const enum net_mib base[2][2] = {{MIB_Udp_InDatagrams, MIB_Udp6_InDatagrams},
						{MIB_UdpLite_InDatagrams, MIB_UdpLite6_InDatagrams}};

	/* The four groups list the same names in the same order (mib.def); UdpLite6 has no IgnoredMulti. */
	if (what == UDP_IgnoredMulti && lite && family == AF_INET6)
		return;
	net_count(st, (enum net_mib)((int)base[lite][family == AF_INET6] + (int)what));
}

/* One datagram of `size` bytes for one socket. */
static void give(struct udp_sock *u, const struct pkt *p, const struct ip_rx *rx, const struct nsock_name *from,
		 const struct nsock_name *to, const uint8_t *data, uint32_t size, uint16_t gso_size)
{
	struct nsock *s = &u->s;
	struct nsock_meta meta = {.from = *from, .to = *to, .ifindex = rx->iif, .ttl = rx->ttl, .tos = rx->tos,
				  .flow_label = rx->flow_label, .rx_ns = p->rx_ns, .gso_size = gso_size,
				  .orig_len = size, .flags = NSOCK_META_TOS | NSOCK_META_TTL};
	struct iovec iov = {(void *)(uintptr_t)data, size};

	if (rx->broadcast || rx->multicast)
		meta.flags |= NSOCK_META_BROADCAST;
	if (rx->flow_label && to->addr.family == AF_INET6)
		meta.from.flowinfo = be32(rx->flow_label);
	if (s->closed || u->rd_shut || !s->up)
		return;
	/* IPv6 has no datagrams without a checksum, but for those who asked (RFC 8200 8.1). */
	if (rx->dst.family == AF_INET6 && p->csum == PKT_CSUM_NONE && !u->no_check6_rx &&
	    !((const struct udp_hdr *)(const void *)p->data)->csum) {
		udp_count(s->st, u->lite, rx->dst.family, UDP_InCsumErrors);
		udp_count(s->st, u->lite, rx->dst.family, UDP_InErrors);
		return;
	}
	if (rx->dst.family == AF_INET ? s->opt.minttl_set && rx->ttl < s->opt.minttl : rx->ttl < s->opt.minhops6) {
		udp_count(s->st, u->lite, rx->dst.family, UDP_InErrors);
		return;
	}
	if (!s->up->deliver(s, &meta, &iov, 1)) {
		udp_count(s->st, u->lite, rx->dst.family, UDP_RcvbufErrors);
		udp_count(s->st, u->lite, rx->dst.family, UDP_InErrors);
		return;
	}
	udp_count(s->st, u->lite, rx->dst.family, UDP_InDatagrams);
}

/* What the link put together is taken apart again for a socket that did not ask for it (UDP_GRO). */
static void give_all(struct udp_sock *u, const struct pkt *p, const struct ip_rx *rx, const struct nsock_name *from,
		     const struct nsock_name *to)
{
	const uint8_t *data = p->data + sizeof(struct udp_hdr);
	uint32_t size = p->len - (uint32_t)sizeof(struct udp_hdr), step = p->gso_size;

	if (p->gso != PKT_GSO_UDP || !step || u->gro || size <= step) {
		give(u, p, rx, from, to, data, size, p->gso == PKT_GSO_UDP && u->gro ? p->gso_size : 0);
		return;
	}
	for (uint32_t at = 0; at < size; at += step)
		give(u, p, rx, from, to, data + at, MIN(step, size - at), 0);
}

static bool give_multi(struct netstack *st, bool lite, const struct pkt *p, const struct ip_rx *rx,
		       const struct nsock_name *from, const struct nsock_name *to)
{
	struct list *bucket = udp_port_bucket(st, lite, to->port);
	struct udp_sock *u, *tmp;
	bool any = false;

	LIST_FOR_EACH_SAFE(u, tmp, bucket, bound) {
		if (!udp_match_multi(u, to, from, rx->iif))
			continue;
		if (rx->multicast && !nsock_mcast_wants(&u->s, &rx->dst, &rx->src, rx->iif))
			continue;
		any = true;
		give_all(u, p, rx, from, to);
	}
	return any;
}

/* The lengths and the checksum. */
static bool check(struct netstack *st, struct pkt *p, const struct ip_rx *rx, bool lite)
{
	const struct udp_hdr *h = (const void *)p->data;
	int family = rx->dst.family;
	uint32_t len, cover;

	if (p->len < sizeof(*h))
		goto bad;
	len = be16(h->len);
	if (lite) {
		/* The field is what the checksum covers (RFC 3828 3.1). */
		cover = len ? len : p->len;
		if (cover < sizeof(*h) || cover > p->len || !h->csum)
			goto bad;
	} else {
		/* A super-segment of a link may say 0, as a jumbogram; else the length is of the whole. */
		if (p->gso != PKT_GSO_UDP || len > p->len) {
			if (len < sizeof(*h) || len > p->len)
				goto bad;
			p->len = len;
		}
		cover = p->len;
		if (!h->csum)
			return true; /* of IPv6: see give */
	}
	if (p->csum == PKT_CSUM_NONE &&
	    csum_fold(csum_partial(h, cover, csum_pseudo(&rx->src, &rx->dst, rx->protocol, p->len))) != 0)
		goto bad_csum;
	return true;
bad_csum:
	udp_count(st, lite, family, UDP_InCsumErrors);
bad:
	udp_count(st, lite, family, UDP_InErrors);
	return false;
}

void udp_input(struct netstack *st, struct pkt *p, const struct ip_rx *rx)
{
	bool lite = rx->protocol == IPPROTO_UDPLITE;
	const struct udp_hdr *h;
	struct nsock_name from = {.addr = rx->src}, to = {.addr = rx->dst};
	struct udp_sock *u;

	if (!check(st, p, rx, lite)) {
		pkt_free(p);
		return;
	}
	h = (const void *)p->data;
	from.port = h->src;
	to.port = h->dst;
	if (from.addr.family == AF_INET6 && ip_addr_linklocal(&from.addr))
		from.addr.scope = (uint32_t)rx->iif;
	if (rx->broadcast || rx->multicast) {
		if (!give_multi(st, lite, p, rx, &from, &to))
			udp_count(st, lite, rx->dst.family, UDP_IgnoredMulti);
		pkt_free(p);
		return;
	}
	u = udp_lookup(st, lite, &to, &from, rx->iif);
	if (u && lite && u->lite_rx) {
		/* Who wants a coverage does not take less. */
		uint32_t cover = be16(h->len);

		if (cover && cover < u->lite_rx) {
			udp_count(st, lite, rx->dst.family, UDP_InErrors);
			u = NULL;
			pkt_free(p);
			return;
		}
	}
	if (u) {
		give_all(u, p, rx, &from, &to);
	} else {
		udp_count(st, lite, rx->dst.family, UDP_NoPorts);
		ip_send_unreachable(st, p, rx, IP_UNREACH_PORT);
	}
	pkt_free(p);
}

void udp_error(struct netstack *st, const struct ip_flow *flow, const uint8_t *data, uint32_t size,
	       const struct ip_error *err)
{
	bool lite = flow->protocol == IPPROTO_UDPLITE;
	const struct udp_hdr *h = (const void *)data;
	struct nsock_name local = {.addr = flow->src}, peer = {.addr = flow->dst};
	struct udp_sock *u;

	if (size < sizeof(*h))
		return;
	local.port = h->src;
	peer.port = h->dst;
	u = udp_lookup(st, lite, &local, &peer, flow->oif);
	/* An unconnected socket does not remember whom it wrote to: that its port is right must do. */
	if (!u || (u->connected && (u->s.peer.port != peer.port || !ip_addr_equal(&u->s.peer.addr, &peer.addr))))
		return;
	ip_sock_report(&u->s, u->connected, flow, &peer, data + sizeof(*h), size - (uint32_t)sizeof(*h), err);
}
