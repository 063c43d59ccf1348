/* Reassembly of both families (RFC 791 3.2, RFC 8200 4.5). An attacker can send any fragments he likes, so: memory is
 * bounded for all and for each datagram, and the oldest go first; pieces that overlap lose their datagram (RFC 5722),
 * but for exact repetitions; what is not complete in time goes, and says so once. */
#include <net/if.h> /* before linux/icmp.h */
#include <linux/icmp.h>
#include <linux/icmpv6.h>

#include "netd/ip/v4.h"
#include "netd/ip/v6_priv.h"

#define BUCKETS 128u
#define PIECES_MAX 256u /* of one datagram: 64 KiB in pieces of 256 bytes */

struct frag_key {
	struct ip_addr src, dst;
	uint32_t id;
	uint16_t protocol;       /* IPv4 */
	int iif;                 /* link-local and multicast mean something on their link only */
};

/* A datagram that is being put together, of packets with data at their payload, in order. */
struct datagram {
	struct list node, age;   /* in its bucket; oldest first */
	struct netstack *st;
	struct frag_key key;
	struct list pieces;      /* struct pkt */
	unsigned count;
	size_t memory;
	uint32_t have, end;      /* payload bytes in hand; the whole, once the last piece came */
	bool last_seen, valid;   /* valid: no piece needs its checksum verified */
	uint8_t ecn;             /* bit n: a piece had the ECN field n */
	struct net_timer timer;
};

struct frag_state {
	struct list buckets[BUCKETS];
	struct list age;
	size_t memory;
};

/* The offset of a piece in its datagram, kept where the link's part of the packet is not used any more. */
static uint32_t begin_of(const struct pkt *p)
{
	return (uint32_t)p->csum_offset * 8u;
}

static struct list *bucket_of(struct netstack *st, const struct frag_key *k)
{
	struct {
		uint8_t src[16], dst[16];
		uint32_t id, protocol;
	} key = {.id = k->id, .protocol = k->protocol};
	size_t n = k->src.family == AF_INET ? 4 : 16;

	memcpy(key.src, k->src.v6, n);
	memcpy(key.dst, k->dst.v6, n);
	return &st->ip->frag->buckets[netstack_hash(st, &key, sizeof(key)) % BUCKETS];
}

static void count(const struct datagram *d, enum net_mib v4, enum net_mib v6)
{
	net_count(d->st, d->key.src.family == AF_INET ? v4 : v6);
}

static void datagram_free(struct datagram *d)
{
	net_timer_cancel(&d->timer);
	d->st->ip->frag->memory -= d->memory;
	pkt_list_free(&d->pieces);
	list_del(&d->node);
	list_del(&d->age);
	free(d);
}

static void datagram_fail(struct datagram *d)
{
	count(d, MIB_Ip_ReasmFails, MIB_Ip6_ReasmFails);
	datagram_free(d);
}

static void timed_out(struct net_timer *t)
{
	struct datagram *d = CONTAINER_OF(t, struct datagram, timer);
	struct pkt *first = list_empty(&d->pieces) ? NULL : LIST_FIRST(&d->pieces, struct pkt, node);

	count(d, MIB_Ip_ReasmTimeout, MIB_Ip6_ReasmTimeout);
	/* The sender is told when we can show him the beginning. */
	if (first && begin_of(first) == 0) {
		if (d->key.src.family == AF_INET)
			icmp4_error(d->st, first, ICMP_TIME_EXCEEDED, ICMP_EXC_FRAGTIME, 0);
		else
			icmp6_error(d->st, first, ICMPV6_TIME_EXCEED, ICMPV6_EXC_FRAGTIME, 0);
	}
	datagram_fail(d);
}

static struct datagram *find(struct netstack *st, const struct frag_key *k)
{
	struct list *b = bucket_of(st, k);
	struct datagram *d;
	bool v4 = k->src.family == AF_INET;

	LIST_FOR_EACH(d, b, node) {
		if (d->key.id == k->id && d->key.protocol == k->protocol && d->key.iif == k->iif &&
		    ip_addr_equal(&d->key.src, &k->src) && ip_addr_equal(&d->key.dst, &k->dst))
			return d;
	}
	d = calloc(1, sizeof(*d));
	if (!d)
		return NULL;
	d->st = st;
	d->key = *k;
	d->valid = true;
	list_init(&d->pieces);
	net_timer_init(&d->timer, timed_out);
	net_timer_arm(st, &d->timer, 1000 * (uint64_t)st->sysctl[v4 ? NET_SYSCTL_IPFRAG_TIME : NET_SYSCTL_IPV6_IP6FRAG_TIME]);
	list_add(b, &d->node);
	list_add_tail(&st->ip->frag->age, &d->age);
	return d;
}

static void make_room(struct netstack *st, bool v4)
{
	struct frag_state *s = st->ip->frag;
	size_t high = (size_t)st->sysctl[v4 ? NET_SYSCTL_IPFRAG_HIGH_THRESH : NET_SYSCTL_IPV6_IP6FRAG_HIGH_THRESH];

	while (s->memory > high && !list_empty(&s->age))
		datagram_fail(LIST_FIRST(&s->age, struct datagram, age));
}

enum placed { PLACED, REPEATED, OVERLAP };

/* Puts the piece in its place. Most come in order, so look from the end. */
static enum placed place(struct datagram *d, struct pkt *p)
{
	uint32_t begin = begin_of(p), end = begin + p->len;
	struct list *at = d->pieces.prev;

	while (at != &d->pieces) {
		struct pkt *o = LIST_ENTRY(at, struct pkt, node);
		uint32_t ob = begin_of(o), oe = ob + o->len;

		if (ob == begin && oe == end)
			return REPEATED;
		if (ob < end && begin < oe)
			return OVERLAP;
		if (ob < begin)
			break;
		at = at->prev;
	}
	list_insert_(&p->node, at, at->next);
	return PLACED;
}

/* The whole datagram behind the first piece's header of `hlen` bytes (p->net of the first). */
static struct pkt *join(struct datagram *d, uint32_t hlen)
{
	struct pkt *first = LIST_FIRST(&d->pieces, struct pkt, node), *last = LIST_ENTRY(d->pieces.prev, struct pkt, node);
	struct pkt *whole, *p;

	if (hlen + d->end > 65535 + (d->key.src.family == AF_INET ? 0u : 40u))
		return NULL;
	/* RFC 3168 5.3: congestion on a packet that cannot say so is no datagram. */
	if ((d->ecn & 1u << 3) && (d->ecn & 1u << 0))
		return NULL;
	whole = pkt_alloc(hlen + d->end);
	if (!whole)
		return NULL;
	memcpy(whole->data, first->net, hlen);
	whole->len = hlen;
	LIST_FOR_EACH(p, &d->pieces, node) {
		memcpy(whole->data + whole->len, p->data, p->len);
		whole->len += p->len;
	}
	whole->net = whole->data;
	whole->netif = last->netif;
	whole->pkttype = last->pkttype;
	whole->rx_ns = last->rx_ns;
	whole->protocol = last->protocol;
	whole->csum = d->valid ? PKT_CSUM_VALID : PKT_CSUM_NONE;
	return whole;
}

/* One more piece: p->data at its payload, p->net at its header. Consumes p. Not NULL: the datagram is complete; it is
 * the caller's to join and free. */
static struct datagram *add(struct netstack *st, struct pkt *p, const struct frag_key *k, uint32_t begin, bool more,
			    uint8_t ecn)
{
	struct datagram *d = find(st, k);
	uint32_t end = begin + p->len;

	if (!d) {
		pkt_free(p);
		return NULL;
	}
	count(d, MIB_Ip_ReasmReqds, MIB_Ip6_ReasmReqds);
	if (!more) {
		if (d->last_seen && d->end != end)
			goto bad;
		d->last_seen = true;
		d->end = end;
	}
	if ((d->last_seen && end > d->end) || d->count >= PIECES_MAX)
		goto bad;
	if (!list_empty(&d->pieces)) {
		struct pkt *last = LIST_ENTRY(d->pieces.prev, struct pkt, node);

		if (d->last_seen && begin_of(last) + last->len > d->end)
			goto bad;
	}
	p->csum_offset = (uint16_t)(begin / 8);
	d->valid &= p->csum == PKT_CSUM_VALID || p->csum == PKT_CSUM_PARTIAL;
	switch (place(d, p)) {
	case REPEATED:
		pkt_free(p);
		return NULL;
	case OVERLAP:
		if (d->key.src.family == AF_INET)
			net_count(st, MIB_IpExt_ReasmOverlaps);
		goto bad;
	case PLACED:
		break;
	}
	d->count++;
	d->ecn |= (uint8_t)(1u << (ecn & 3));
	d->have += p->len;
	d->memory += p->room + sizeof(*p);
	st->ip->frag->memory += p->room + sizeof(*p);
	if (d->last_seen && d->have == d->end)
		return d;
	make_room(st, k->src.family == AF_INET);
	return NULL;
bad:
	pkt_free(p);
	datagram_fail(d);
	return NULL;
}

struct pkt *frag4_input(struct netstack *st, struct pkt *p)
{
	const struct ip4_hdr *h = (const void *)p->data;
	uint32_t hlen = ip4_hlen(h), begin = (be16(h->off) & IP4_OFFMASK) * 8u;
	bool more = be16(h->off) & IP4_MF;
	struct frag_key k = {.src = ip_addr_v4(h->src), .dst = ip_addr_v4(h->dst), .id = h->id, .protocol = h->protocol};
	struct datagram *d;
	struct pkt *whole;
	struct ip4_hdr *wh;
	uint8_t ecn = h->tos & 3;

	if (ip_addr_multicast(&k.dst))
		k.iif = p->netif->index;
	pkt_pull(p, hlen);
	/* Empty, not in units of eight, or beyond what a datagram can be ("ping of death"). */
	if (p->len == 0 || (more && p->len % 8) || hlen + begin + p->len > 65535) {
		net_count(st, MIB_Ip_ReasmReqds);
		net_count(st, MIB_Ip_ReasmFails);
		pkt_free(p);
		return NULL;
	}
	d = add(st, p, &k, begin, more, ecn);
	if (!d)
		return NULL;
	p = LIST_FIRST(&d->pieces, struct pkt, node);
	whole = join(d, ip4_hlen((const void *)p->net));
	if (!whole) {
		datagram_fail(d);
		return NULL;
	}
	wh = (void *)whole->data;
	wh->len = be16((uint16_t)whole->len);
	wh->off = 0;
	if (d->ecn & 1u << 3)
		wh->tos |= 3;
	wh->csum = 0;
	wh->csum = csum_fold(csum_partial(wh, ip4_hlen(wh), 0));
	net_count(st, MIB_Ip_ReasmOKs);
	datagram_free(d);
	return whole;
}

struct pkt *frag6_input(struct netstack *st, struct pkt *p, uint32_t off, uint32_t prev_next)
{
	const struct ip6_hdr_ *h = (const void *)p->data;
	struct ip6_frag_ f;
	struct frag_key k = {.src = ip_addr_v6(h->src), .dst = ip_addr_v6(h->dst)};
	uint8_t ecn = (uint8_t)(be32(h->vtf) >> 20 & 3);
	struct datagram *d;
	struct pkt *whole;
	struct ip6_hdr_ *wh;
	uint32_t begin, unfrag, next_at;
	bool more;

	memcpy(&f, p->data + off, sizeof(f));
	begin = be16(f.off) & 0xfff8u;
	more = be16(f.off) & 1;
	k.id = f.id;
	if (ip_addr_linklocal(&k.src) || ip_addr_multicast(&k.dst) || ip_addr_linklocal(&k.dst))
		k.iif = p->netif->index;
	if (begin == 0 && !more) {
		/* A whole in one piece ("atomic", RFC 6946): never joined with others. */
		net_count(st, MIB_Ip6_ReasmReqds);
		net_count(st, MIB_Ip6_ReasmOKs);
		p->data[prev_next] = f.next;
		memmove(p->data + sizeof(f), p->data, off);
		pkt_pull(p, sizeof(f));
		p->net = p->data;
		wh = (void *)p->data;
		wh->len = be16((uint16_t)(p->len - sizeof(*wh)));
		return p;
	}
	if (p->len == off + sizeof(f) || (more && (p->len - off - sizeof(f)) % 8)) {
		net_count(st, MIB_Ip6_ReasmReqds);
		net_count(st, MIB_Ip6_InHdrErrors);
		if (more)
			icmp6_error(st, p, ICMPV6_PARAMPROB, ICMPV6_HDR_FIELD, offsetof(struct ip6_hdr_, len));
		pkt_free(p);
		return NULL;
	}
	if (begin + p->len - sizeof(f) - sizeof(*h) > 65535) {
		net_count(st, MIB_Ip6_ReasmReqds);
		net_count(st, MIB_Ip6_InHdrErrors);
		icmp6_error(st, p, ICMPV6_PARAMPROB, ICMPV6_HDR_FIELD, off + 2);
		pkt_free(p);
		return NULL;
	}
	/* What lies in front, kept with the first piece: how long it is, and where its last header names the next. */
	p->gso_size = (uint16_t)off;
	p->gso = PKT_GSO_NONE;
	p->transport = p->data + prev_next;
	pkt_pull(p, off + (uint32_t)sizeof(f));
	d = add(st, p, &k, begin, more, ecn);
	if (!d)
		return NULL;
	p = LIST_FIRST(&d->pieces, struct pkt, node);
	unfrag = p->gso_size;
	next_at = (uint32_t)(p->transport - p->net);
	whole = join(d, unfrag);
	/* The transport must begin in the first piece (RFC 7112): what filters judge by cannot come later. */
	if (!whole || p->len < 8) {
		pkt_free(whole);
		datagram_fail(d);
		return NULL;
	}
	whole->data[next_at] = p->net[unfrag];
	wh = (void *)whole->data;
	wh->len = be16((uint16_t)(whole->len - sizeof(*wh)));
	if (d->ecn & 1u << 3)
		wh->vtf |= be32(3u << 20);
	net_count(st, MIB_Ip6_ReasmOKs);
	/* The caller goes on where it was: what it read of this piece holds for the first, or the pieces do not fit. */
	if (unfrag != off || next_at != prev_next) {
		pkt_free(whole);
		whole = NULL;
	}
	datagram_free(d);
	return whole;
}

void frag_flush_netif(struct netif *nif)
{
	struct datagram *d, *tmp;

	LIST_FOR_EACH_SAFE(d, tmp, &nif->st->ip->frag->age, age) {
		struct pkt *p;

		LIST_FOR_EACH(p, &d->pieces, node) {
			if (p->netif == nif) {
				datagram_free(d);
				break;
			}
		}
	}
}

int frag_init(struct netstack *st)
{
	struct frag_state *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	for (unsigned i = 0; i < BUCKETS; i++)
		list_init(&s->buckets[i]);
	list_init(&s->age);
	st->ip->frag = s;
	return 0;
}

void frag_done(struct netstack *st)
{
	struct frag_state *s = st->ip->frag;

	if (!s)
		return;
	while (!list_empty(&s->age))
		datagram_free(LIST_FIRST(&s->age, struct datagram, age));
	free(s);
	st->ip->frag = NULL;
}
