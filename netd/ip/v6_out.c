/* IPv6, out: the header, fragments made by us alone (RFC 8200 4.5), the way to the link. */
#include "netd/ip/v6_priv.h"

/* Cuts p (data at its IPv6 header, of which the first `unfrag` bytes go into every piece; next_at names what follows
 * them). Consumes p. */
static int fragment(struct netstack *st, struct pkt *p, const struct ip_tx *tx, uint32_t unfrag, uint32_t next_at)
{
	const struct ip_route *r = tx->route;
	uint32_t total = pkt_total(p), step, done = unfrag, mtu = MAX(r->mtu, IP6_MIN_MTU);
	uint32_t id = netstack_random32(st);
	int ret = 0;

	pkt_csum_complete(p);
	if (mtu < unfrag + sizeof(struct ip6_frag_) + 8) {
		pkt_free(p);
		net_count(st, MIB_Ip6_FragFails);
		return -EMSGSIZE;
	}
	step = (uint32_t)(mtu - unfrag - sizeof(struct ip6_frag_)) & ~7u;
	while (done < total) {
		uint32_t n = MIN(step, total - done);
		struct pkt *q = pkt_alloc(unfrag + sizeof(struct ip6_frag_) + n);
		struct ip6_frag_ *f;

		if (!q) {
			ret = -ENOBUFS;
			break;
		}
		memcpy(q->data, p->data, unfrag);
		f = (void *)(q->data + unfrag);
		f->next = q->data[next_at];
		f->reserved = 0;
		f->off = be16((uint16_t)((done - unfrag) | (done + n < total)));
		f->id = id;
		q->data[next_at] = IPPROTO_FRAGMENT;
		pkt_copy_out(p, done, f + 1, n);
		q->len = unfrag + (uint32_t)sizeof(*f) + n;
		((struct ip6_hdr_ *)(void *)q->data)->len = be16((uint16_t)(q->len - sizeof(struct ip6_hdr_)));
		q->protocol = ETYPE_IP6;
		q->net = q->data;
		net_count(st, MIB_Ip6_FragCreates);
		ret = ip_emit(st, q, r, &tx->dst, tx->flags & IP_TX_MC_LOOP);
		if (ret < 0)
			break;
		done += n;
	}
	pkt_free(p);
	net_count(st, ret < 0 ? MIB_Ip6_FragFails : MIB_Ip6_FragOKs);
	return ret;
}

static uint8_t hops_of(const struct netif *out, const struct ip_tx *tx)
{
	if (tx->ttl)
		return tx->ttl;
	if (tx->route->multicast)
		return 1;
	return (uint8_t)(tx->route->hoplimit ? tx->route->hoplimit : out->conf[NETIF_CONF_V6_HOP_LIMIT]);
}

static void count_out(struct netstack *st, const struct ip_route *r, uint32_t total)
{
	net_count(st, MIB_Ip6_OutRequests);
	net_count_add(st, MIB_Ip6_OutOctets, total);
	if (r->multicast) {
		net_count(st, MIB_Ip6_OutMcastPkts);
		net_count_add(st, MIB_Ip6_OutMcastOctets, total);
	}
}

int ip6_output(struct netstack *st, struct pkt *p, const struct ip_tx *tx)
{
	const struct ip_route *r = tx->route;
	uint32_t hlen = (uint32_t)sizeof(struct ip6_hdr_) + tx->options_size, total, next_at;
	struct ip6_hdr_ *h;
	int ret;

	if (!r->out || tx->options_size % 8 || ip6_disabled(r->out)) {
		pkt_free(p);
		return !r->out || tx->options_size % 8 ? -EINVAL : -ENETUNREACH;
	}
	p->protocol = ETYPE_IP6;
	if (tx->flags & IP_TX_HDRINCL) {
		p->net = p->data;
		ret = pkt_total(p) > r->mtu ? -EMSGSIZE : p->len < sizeof(*h) ? -EINVAL : 0;
		if (ret < 0) {
			pkt_free(p);
			return ret;
		}
		count_out(st, r, pkt_total(p));
		return ip_emit(st, p, r, &tx->dst, tx->flags & IP_TX_MC_LOOP);
	}
	p->transport = p->data;
	total = hlen + pkt_total(p);
	if (unlikely(total - sizeof(*h) > 65535 || p->data - p->buf < (ptrdiff_t)(hlen + ETH_HLEN_))) {
		pkt_free(p);
		return -EMSGSIZE;
	}
	h = (void *)pkt_push(p, hlen);
	h->vtf = be32(6u << 28 | (uint32_t)tx->tos << 20 | (tx->flow_label & 0xfffff));
	h->len = be16((uint16_t)(total - sizeof(*h)));
	h->next = tx->options_size ? tx->options_next : tx->protocol;
	h->hops = hops_of(r->out, tx);
	memcpy(h->src, tx->src.v6, 16);
	memcpy(h->dst, tx->dst.v6, 16);
	next_at = offsetof(struct ip6_hdr_, next);
	if (tx->options_size) {
		uint32_t at = sizeof(*h);

		memcpy(h + 1, tx->options, tx->options_size);
		/* The last of the chain names the transport. */
		for (;;) {
			uint32_t size = 8u + p->data[at + 1] * 8u;

			next_at = at;
			if (size > hlen - at) {
				pkt_free(p);
				return -EINVAL;
			}
			if (at + size == hlen)
				break;
			at += size;
		}
		p->data[next_at] = tx->protocol;
	}
	p->net = p->data;
	count_out(st, r, total);
	if (total > r->mtu && !p->gso) {
		if (tx->flags & IP_TX_DF) {
			pkt_free(p);
			net_count(st, MIB_Ip6_FragFails);
			return -EMSGSIZE;
		}
		return fragment(st, p, tx, hlen, next_at);
	}
	net_count(st, MIB_Ip6_OutTransmits);
	ret = ip_emit(st, p, r, &tx->dst, tx->flags & IP_TX_MC_LOOP);
	if (ret < 0)
		net_count(st, MIB_Ip6_OutDiscards);
	return ret;
}
