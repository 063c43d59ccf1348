/* Segmentation of super-segments in software, for links that cannot. */
#include <netinet/in.h>

#include "netd/core/addr.h"
#include "netd/core/pkt_priv.h"
#include "netd/core/wire.h"

#define TCP_FIN 0x01u
#define TCP_PSH 0x08u
#define TCP_CWR 0x80u

struct seg_plan {
	uint32_t header;         /* bytes before the payload, from p->data on */
	uint32_t net, transport; /* offsets from p->data */
	uint32_t thlen;
	bool v6, tcp;
	struct ip_addr src, dst;
	uint8_t protocol;
};

static int plan(const struct pkt *p, struct seg_plan *s)
{
	*s = (struct seg_plan){.tcp = p->gso != PKT_GSO_UDP};
	if (!p->net || !p->transport || p->net < p->data || p->transport < p->net || !p->gso_size)
		return -EINVAL;
	s->net = (uint32_t)(p->net - p->data);
	s->transport = (uint32_t)(p->transport - p->data);
	if (p->len < s->net + sizeof(struct ip4_hdr))
		return -EINVAL;
	s->v6 = p->net[0] >> 4 == 6;
	if ((p->gso == PKT_GSO_TCP4 && s->v6) || (p->gso == PKT_GSO_TCP6 && !s->v6))
		return -EINVAL;
	s->src.family = s->dst.family = s->v6 ? AF_INET6 : AF_INET;
	if (s->v6) {
		const struct ip6_hdr_ *h = (const void *)p->net;

		if (s->transport < s->net + sizeof(*h))
			return -EINVAL;
		memcpy(s->src.v6, h->src, 16);
		memcpy(s->dst.v6, h->dst, 16);
	} else {
		const struct ip4_hdr *h = (const void *)p->net;

		if (s->transport < s->net + sizeof(*h))
			return -EINVAL;
		s->src.v4 = h->src;
		s->dst.v4 = h->dst;
	}
	if (s->tcp) {
		if (p->len < s->transport + sizeof(struct tcp_hdr_))
			return -EINVAL;
		s->thlen = (uint32_t)(((const struct tcp_hdr_ *)(const void *)p->transport)->off >> 4) * 4;
		s->protocol = IPPROTO_TCP;
		if (s->thlen < sizeof(struct tcp_hdr_))
			return -EINVAL;
	} else {
		s->thlen = sizeof(struct udp_hdr);
		s->protocol = IPPROTO_UDP;
	}
	s->header = s->transport + s->thlen;
	return s->header <= p->len && s->header <= PKT_SMALL - 2 * PKT_HEADROOM ? 0 : -EINVAL;
}

static void fix_headers(struct pkt *q, const struct seg_plan *s, uint32_t payload, uint32_t done, uint32_t number,
			bool last)
{
	uint32_t tlen = s->thlen + payload;
	uint16_t pseudo = (uint16_t)~csum_fold(csum_pseudo(&s->src, &s->dst, s->protocol, tlen));

	if (s->v6) {
		struct ip6_hdr_ *h = (void *)q->net;

		h->len = be16((uint16_t)(s->transport - s->net - sizeof(*h) + tlen));
	} else {
		struct ip4_hdr *h = (void *)q->net;

		h->len = be16((uint16_t)(s->transport - s->net + tlen));
		h->id = be16((uint16_t)(be16(h->id) + number));
		h->csum = 0;
		h->csum = csum_fold(csum_partial(h, s->transport - s->net, 0));
	}
	if (s->tcp) {
		struct tcp_hdr_ *t = (void *)q->transport;

		t->seq = be32(be32(t->seq) + done);
		if (!last)
			t->flags &= (uint8_t)~(TCP_FIN | TCP_PSH);
		if (done)
			t->flags &= (uint8_t)~TCP_CWR;
		t->csum = pseudo;
		q->csum_offset = offsetof(struct tcp_hdr_, csum);
	} else {
		struct udp_hdr *u = (void *)q->transport;

		u->len = be16((uint16_t)tlen);
		u->csum = pseudo;
		q->csum_offset = offsetof(struct udp_hdr, csum);
	}
	q->csum = PKT_CSUM_PARTIAL;
}

int pkt_segment(struct pkt *p, struct list *out)
{
	struct list made = LIST_INIT(made);
	uint32_t total = pkt_total(p), done = 0, number = 0, payload;
	struct seg_plan s;
	int ret = plan(p, &s);

	if (ret < 0) {
		pkt_free(p);
		return ret;
	}
	payload = total - s.header;
	do {
		uint32_t n = MIN(payload - done, (uint32_t)p->gso_size);
		struct pkt *q = pkt_alloc(s.header + n);

		if (!q) {
			pkt_list_free(&made);
			pkt_free(p);
			return -ENOMEM;
		}
		memcpy(q->data, p->data, s.header);
		pkt_copy_out(p, s.header + done, q->data + s.header, n);
		q->len = s.header + n;
		q->mac = p->mac && p->mac >= p->data ? q->data + (p->mac - p->data) : NULL;
		q->net = q->data + s.net;
		q->transport = q->data + s.transport;
		q->protocol = p->protocol;
		q->pkttype = p->pkttype;
		q->netif = p->netif;
		q->rx_ns = p->rx_ns;
		fix_headers(q, &s, n, done, number++, done + n == payload);
		list_add_tail(&made, &q->node);
		done += n;
	} while (done < payload);
	pkt_free(p);
	while (!list_empty(&made)) {
		struct pkt *q = LIST_FIRST(&made, struct pkt, node);

		list_del(&q->node);
		list_add_tail(out, &q->node);
	}
	return 0;
}
