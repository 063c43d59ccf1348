/* IPv4, out: the header, fragments, the way to the link. */
#include "netd/ip/ip_priv.h"

static uint16_t next_id(struct netstack *st, uint32_t src, uint32_t dst, uint8_t protocol, uint32_t count)
{
	struct {
		uint32_t src, dst, protocol;
	} key = {src, dst, protocol};
	uint16_t *slot = &st->ip->ids[netstack_hash(st, &key, sizeof(key)) % ID_SLOTS];
	uint16_t id = *slot;

	*slot = (uint16_t)(*slot + count);
	return id;
}

/* Which options go into all fragments (RFC 791 3.1: those with the copy bit); the others become no-ops. */
static void options_for_rest(uint8_t *opt, uint32_t size)
{
	for (uint32_t i = 0; i < size && opt[i] != 0;) {
		uint32_t n = opt[i] == 1 ? 1 : i + 1 < size ? opt[i + 1] : 0;

		if (n == 0 || (opt[i] != 1 && n < 2) || n > size - i)
			return;
		if (!(opt[i] & 0x80))
			memset(opt + i, 1, n);
		i += n;
	}
}

/* Cuts p (data at its IP header) into fragments of at most mtu bytes. Consumes p. */
static int fragment(struct netstack *st, struct pkt *p, const struct ip_route *r, const struct ip_addr *dst, uint32_t mtu,
		    bool mc_loop)
{
	uint32_t hlen = ip4_hlen((const void *)p->data), total = pkt_total(p), step, done = hlen;
	uint16_t off0 = be16(((const struct ip4_hdr *)(const void *)p->data)->off);
	int ret = 0;

	pkt_csum_complete(p);
	if (mtu < hlen + 8) {
		pkt_free(p);
		net_count(st, MIB_Ip_FragFails);
		return -EMSGSIZE;
	}
	step = (mtu - hlen) & ~7u;
	while (done < total) {
		uint32_t n = MIN(step, total - done);
		struct pkt *q = pkt_alloc(hlen + n);
		struct ip4_hdr *h;
		uint16_t off;

		if (!q) {
			ret = -ENOBUFS;
			break;
		}
		memcpy(q->data, p->data, hlen);
		pkt_copy_out(p, done, q->data + hlen, n);
		q->len = hlen + n;
		q->protocol = ETYPE_IP4;
		q->net = q->data;
		h = (void *)q->data;
		if (done > hlen)
			options_for_rest(q->data + sizeof(*h), hlen - sizeof(*h));
		off = (uint16_t)((off0 & IP4_OFFMASK) + (done - hlen) / 8);
		if (done + n < total || (off0 & IP4_MF))
			off |= IP4_MF;
		h->off = be16(off);
		h->len = be16((uint16_t)q->len);
		h->csum = 0;
		h->csum = csum_fold(csum_partial(h, hlen, 0));
		net_count(st, MIB_Ip_FragCreates);
		ret = ip_emit(st, q, r, dst, mc_loop);
		if (ret < 0)
			break;
		done += n;
	}
	pkt_free(p);
	net_count(st, ret < 0 ? MIB_Ip_FragFails : MIB_Ip_FragOKs);
	return ret;
}

/* The packet brought its own header: what the kernel fills in of it (raw(7)). */
static int own_header(struct netstack *st, struct pkt *p, const struct ip_tx *tx)
{
	struct ip4_hdr *h = (void *)p->data;
	uint32_t hlen, total = pkt_total(p);

	if (p->len < sizeof(*h))
		return -EINVAL;
	hlen = ip4_hlen(h);
	if (hlen < sizeof(*h) || hlen > p->len || total > 65535)
		return -EINVAL;
	if (!h->src)
		h->src = tx->src.v4;
	if (!h->id)
		h->id = be16(next_id(st, h->src, h->dst, h->protocol, 1));
	h->len = be16((uint16_t)total);
	h->csum = 0;
	h->csum = csum_fold(csum_partial(h, hlen, 0));
	return total > tx->route->mtu ? -EMSGSIZE : 0;
}

static uint8_t ttl_of(struct netstack *st, const struct ip_tx *tx)
{
	if (tx->ttl)
		return tx->ttl;
	if (tx->route->multicast)
		return 1;
	return (uint8_t)(tx->route->hoplimit ? tx->route->hoplimit : st->sysctl[NET_SYSCTL_IP_DEFAULT_TTL]);
}

static int count_out(struct netstack *st, const struct ip_route *r, uint32_t total)
{
	net_count(st, MIB_Ip_OutRequests);
	net_count_add(st, MIB_IpExt_OutOctets, total);
	if (r->multicast) {
		net_count(st, MIB_IpExt_OutMcastPkts);
		net_count_add(st, MIB_IpExt_OutMcastOctets, total);
	} else if (r->broadcast) {
		net_count(st, MIB_IpExt_OutBcastPkts);
		net_count_add(st, MIB_IpExt_OutBcastOctets, total);
	}
	return 0;
}

int ip4_output(struct netstack *st, struct pkt *p, const struct ip_tx *tx)
{
	const struct ip_route *r = tx->route;
	uint32_t optlen = ALIGN_UP((uint32_t)tx->options_size, 4u), hlen = sizeof(struct ip4_hdr) + optlen, total;
	bool mc_loop = tx->flags & IP_TX_MC_LOOP;
	struct ip4_hdr *h;
	int ret;

	if (!r->out || optlen > 40) {
		pkt_free(p);
		return -EINVAL;
	}
	p->protocol = ETYPE_IP4;
	if (tx->flags & IP_TX_HDRINCL) {
		ret = own_header(st, p, tx);
		if (ret < 0) {
			pkt_free(p);
			return ret;
		}
		p->net = p->data;
		count_out(st, r, pkt_total(p));
		return ip_emit(st, p, r, &tx->dst, mc_loop);
	}
	p->transport = p->data;
	total = hlen + pkt_total(p);
	if (unlikely(total > 65535 || p->data - p->buf < (ptrdiff_t)(hlen + ETH_HLEN_))) {
		pkt_free(p);
		return -EMSGSIZE;
	}
	h = (void *)pkt_push(p, hlen);
	h->vhl = (uint8_t)(0x40 | hlen / 4);
	h->tos = tx->tos;
	h->len = be16((uint16_t)total);
	h->off = tx->flags & IP_TX_DF ? be16(IP4_DF) : 0;
	h->id = be16(next_id(st, tx->src.v4, tx->dst.v4, tx->protocol,
			     p->gso ? 1 + total / MAX(p->gso_size, (uint16_t)1) : 1));
	h->ttl = ttl_of(st, tx);
	h->protocol = tx->protocol;
	h->src = tx->src.v4;
	h->dst = tx->dst.v4;
	if (optlen) {
		memset(h + 1, 0, optlen);
		memcpy(h + 1, tx->options, tx->options_size);
	}
	h->csum = 0;
	h->csum = csum_fold(csum_partial(h, hlen, 0));
	p->net = p->data;
	count_out(st, r, total);
	if (total > r->mtu && !p->gso) {
		if (tx->flags & IP_TX_DF) {
			pkt_free(p);
			net_count(st, MIB_Ip_FragFails);
			return -EMSGSIZE;
		}
		return fragment(st, p, r, &tx->dst, r->mtu, mc_loop);
	}
	ret = ip_emit(st, p, r, &tx->dst, mc_loop);
	if (ret < 0)
		net_count(st, MIB_Ip_OutDiscards);
	return ret;
}
