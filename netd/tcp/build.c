/* From a header to the IP layer: checksum, offloads, route. */
#include <arpa/inet.h>

#include "netd/tcp/conn.h"

/* linux/in.h; not in the C library's netinet/in.h of every age */
#define PMTUDISC_DONT 0

struct pkt *tcp_build(uint16_t sport, uint16_t dport, uint32_t seq, uint32_t ack, uint8_t flags, uint16_t window,
		      const uint8_t *opt, unsigned opt_size)
{
	struct pkt *p = pkt_alloc(sizeof(struct tcp_hdr) + opt_size);
	struct tcp_hdr *h;

	if (!p)
		return NULL;
	h = (struct tcp_hdr *)p->data;
	p->len = (uint32_t)sizeof(*h) + opt_size;
	p->transport = p->data;
	h->sport = sport;
	h->dport = dport;
	h->seq = htonl(seq);
	h->ack = htonl(ack);
	h->off = (uint8_t)((sizeof(*h) + opt_size) / 4 << 4);
	h->flags = flags;
	h->window = htons(window);
	h->csum = 0;
	h->urg = 0;
	if (opt_size)
		memcpy(h + 1, opt, opt_size);
	return p;
}

/* The pseudo-header's sum goes into the field; the link, or whoever needs the whole, adds the rest. */
static void set_partial(struct pkt *p, const struct ip_addr *src, const struct ip_addr *dst)
{
	struct tcp_hdr *h = (struct tcp_hdr *)p->data;

	h->csum = (uint16_t)~csum_fold(csum_pseudo(src, dst, IPPROTO_TCP, pkt_total(p)));
	p->csum = PKT_CSUM_PARTIAL;
	p->csum_offset = offsetof(struct tcp_hdr, csum);
}

int tcp_route(struct tcp_sock *tp)
{
	struct netstack *st = tp->s.st;
	struct ip_flow f;
	uint32_t mtu;
	int ret;

	if (likely(ip_route_ok(st, &tp->route)))
		return 0;
	f = (struct ip_flow){.src = tp->node.laddr,
			     .dst = tp->node.raddr,
			     .oif = tp->s.opt.bound_if,
			     .tos = tp->s.opt.tos,
			     .protocol = IPPROTO_TCP,
			     .mark = tp->s.opt.mark,
			     .any_src = tp->s.opt.freebind || tp->s.opt.transparent};
	if (!f.oif && ip_addr_linklocal(&f.dst) && f.dst.family == AF_INET6)
		f.oif = f.dst.scope ? (int)f.dst.scope : tp->iif;
	ret = ip_route_lookup(st, &f, &tp->route);
	if (ret < 0) {
		tp->route.out = NULL;
		return ret;
	}
	mtu = tp->route.mtu;
	if (mtu != tp->pmtu && tp->mss_clamp)
		tcp_sync_mss(tp, mtu);
	return 0;
}

int tcp_xmit(struct tcp_sock *tp, struct pkt *p, uint32_t payload, uint16_t mss, uint8_t ecn_bits)
{
	struct nsock *s = &tp->s;
	struct ip_tx *tx = &tp->t->tx;
	uint32_t segs = 1;
	bool v4 = tp->node.laddr.family == AF_INET;
	int ret = tcp_route(tp);

	if (ret < 0) {
		pkt_free(p);
		return ret;
	}
	if (payload > mss) {
		p->gso = v4 ? PKT_GSO_TCP4 : PKT_GSO_TCP6;
		p->gso_size = mss;
		segs = tcp_pcount(payload, mss);
	}
	set_partial(p, &tp->node.laddr, &tp->node.raddr);
	*tx = (struct ip_tx){.route = &tp->route,
			     .src = tp->node.laddr,
			     .dst = tp->node.raddr,
			     .protocol = IPPROTO_TCP,
			     .ttl = v4 ? s->opt.ttl : s->opt.hops,
			     .tos = (uint8_t)(((v4 ? s->opt.tos : s->opt.tclass) & 0xfc) | ecn_bits),
			     .flow_label = tp->s.family == AF_INET6 ? ntohl(s->peer.flowinfo) & 0xfffff : 0};
	if ((v4 ? s->opt.pmtudisc : s->opt.pmtudisc6) != PMTUDISC_DONT)
		tx->flags |= IP_TX_DF;
	tp->segs_out += segs;
	net_count_add(s->st, MIB_Tcp_OutSegs, segs);
	return ip_output(s->st, p, tx);
}

void tcp_xmit_raw(struct netstack *st, struct pkt *p, const struct ip_addr *src, const struct ip_addr *dst, int oif,
		  const struct ip_route *route, uint8_t tos)
{
	struct ip_tx *tx = &netstack_tcp(st)->tx;
	struct ip_route found;

	if (!route || !ip_route_ok(st, route)) {
		struct ip_flow f = {.src = *src, .dst = *dst, .tos = tos, .protocol = IPPROTO_TCP, .any_src = true};

		if (dst->family == AF_INET6 && ip_addr_linklocal(dst))
			f.oif = dst->scope ? (int)dst->scope : oif;
		if (ip_route_lookup(st, &f, &found) < 0) {
			pkt_free(p);
			return;
		}
		route = &found;
	}
	set_partial(p, src, dst);
	*tx = (struct ip_tx){.route = route, .src = *src, .dst = *dst, .protocol = IPPROTO_TCP, .tos = tos,
			     .flags = IP_TX_DF};
	net_count(st, MIB_Tcp_OutSegs);
	ip_output(st, p, tx);
}

bool tcp_valid_csum(const struct pkt *p, const struct ip_rx *rx)
{
	if (p->csum != PKT_CSUM_NONE)
		return true;
	return csum_fold(csum_partial(p->data, p->len, csum_pseudo(&rx->src, &rx->dst, IPPROTO_TCP, p->len))) == 0;
}
