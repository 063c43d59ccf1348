/* IPv6 (RFC 8200), in: the header, the chain of extension headers within limits (RFC 8504 5.3), then the transport. */
#include <linux/if_packet.h>
#include <net/if.h> /* before linux/icmpv6.h */
#include <linux/icmpv6.h>
#include <linux/if_addr.h>

#include "netd/ip/v4.h"
#include "netd/ip/v6_priv.h"

#define OPT_PAD1 0
#define OPT_PADN 1
#define OPT_ROUTER_ALERT 5

struct ip_addr ip6_all_nodes(void)
{
	static const uint8_t b[16] = {0xff, 2, [15] = 1};

	return ip_addr_v6(b);
}

struct ip_addr ip6_all_routers(void)
{
	static const uint8_t b[16] = {0xff, 2, [15] = 2};

	return ip_addr_v6(b);
}

struct ip_addr ip6_solicited_node(const struct ip_addr *a)
{
	static const uint8_t b[16] = {0xff, 2, [11] = 1, [12] = 0xff};
	struct ip_addr s = ip_addr_v6(b);

	memcpy(s.v6 + 13, a->v6 + 13, 3);
	return s;
}

struct netif_addr *ip6_own_addr(struct netif *nif, const struct ip_addr *a)
{
	struct netif_addr *o;

	LIST_FOR_EACH(o, &nif->addrs, node) {
		if (ip_addr_equal(&o->addr, a))
			return o;
	}
	return NULL;
}

bool ip6_disabled(const struct netif *nif)
{
	return nif->conf[NETIF_CONF_V6_DISABLE_IPV6] || nif->st->sysctl[NET_SYSCTL_CONF6_ALL_DISABLE_IPV6];
}

enum walk { WALK_ON, WALK_DROP, WALK_DONE };

/* The options of a hop-by-hop or destination header (RFC 8200 4.2). *ret_bad: offset of the type to complain of. */
static enum walk options(const uint8_t *h, uint32_t size, unsigned max, uint32_t *ret_bad, bool *ret_even_multicast)
{
	unsigned count = 0, padding = 0;

	for (uint32_t i = 2; i < size;) {
		uint32_t n;

		if (h[i] == OPT_PAD1) {
			if (++padding > 7)
				return WALK_DROP;
			i++;
			continue;
		}
		if (i + 2 > size || i + 2 + h[i + 1] > size)
			return WALK_DROP;
		n = 2u + h[i + 1];
		if (h[i] == OPT_PADN) {
			/* Padding is zeroes and never fills more than a unit. */
			padding += n;
			if (padding > 7)
				return WALK_DROP;
			for (uint32_t j = i + 2; j < i + n; j++) {
				if (h[j])
					return WALK_DROP;
			}
			i += n;
			continue;
		}
		padding = 0;
		if (++count > max)
			return WALK_DROP;
		if (h[i] != OPT_ROUTER_ALERT) {
			switch (h[i] >> 6) {
			case 0:
				break;
			case 1:
				return WALK_DROP;
			default:
				*ret_bad = i;
				*ret_even_multicast = h[i] >> 6 == 2;
				return WALK_DONE;
			}
		}
		i += n;
	}
	return WALK_ON;
}

struct chain {
	uint8_t next;            /* protocol of what is at off */
	uint32_t off, prev;      /* of the byte that names it */
	unsigned count;
	bool fragmented;         /* this packet was put together */
};

static void complain(struct netstack *st, struct pkt *p, uint8_t code, uint32_t pointer)
{
	net_count(st, MIB_Ip6_InHdrErrors);
	icmp6_error(st, p, ICMPV6_PARAMPROB, code, pointer);
}

/* One extension header; WALK_DONE: c->next is no extension header. WALK_DROP: counted and answered. */
static enum walk step(struct netstack *st, struct pkt *p, struct chain *c)
{
	const uint8_t *h = p->data + c->off;
	uint32_t left = p->len - c->off, size, bad = 0;
	bool even_multicast = false;

	if (c->next != IPPROTO_HOPOPTS && c->next != IPPROTO_DSTOPTS && c->next != IPPROTO_ROUTING)
		return WALK_DONE;
	if (c->next == IPPROTO_HOPOPTS && c->count > 0) {
		complain(st, p, ICMPV6_UNK_NEXTHDR, c->prev);
		return WALK_DROP;
	}
	if (++c->count > IP6_EXT_MAX || left < 8 || (size = 8u + h[1] * 8u) > left) {
		net_count(st, MIB_Ip6_InHdrErrors);
		return WALK_DROP;
	}
	if (c->next == IPPROTO_ROUTING) {
		/* With segments left it is for a router; we are none, whatever the type (RFC 5095 for type 0). */
		if (h[3] != 0) {
			complain(st, p, ICMPV6_HDR_FIELD, c->off + 2);
			return WALK_DROP;
		}
	} else {
		enum net_sysctl limit = c->next == IPPROTO_HOPOPTS ? NET_SYSCTL_IPV6_MAX_HBH_OPTS_NUMBER
								  : NET_SYSCTL_IPV6_MAX_DST_OPTS_NUMBER;
		enum walk w = options(h, size, (unsigned)st->sysctl[limit], &bad, &even_multicast);

		if (w == WALK_DROP) {
			net_count(st, MIB_Ip6_InHdrErrors);
			return WALK_DROP;
		}
		if (w == WALK_DONE) {
			const struct ip6_hdr_ *ip = (const void *)p->data;

			if (ip->dst[0] != 0xff || even_multicast)
				complain(st, p, ICMPV6_UNK_OPTION, c->off + bad);
			else
				net_count(st, MIB_Ip6_InHdrErrors);
			return WALK_DROP;
		}
	}
	c->prev = c->off;
	c->next = h[0];
	c->off += size;
	return WALK_ON;
}

static void deliver(struct netif *nif, struct pkt *p, const struct chain *c)
{
	struct netstack *st = nif->st;
	const struct ip6_hdr_ *h = (const void *)p->data;
	struct ip_rx rx = {.src = ip_addr_v6_on(h->src, nif->index), .dst = ip_addr_v6_on(h->dst, nif->index),
			   .protocol = c->next, .ttl = h->hops, .tos = (uint8_t)(be32(h->vtf) >> 20),
			   .flow_label = be32(h->vtf) & 0xfffff, .iif = nif->index, .multicast = h->dst[0] == 0xff,
			   .local = nif == st->loopback, .header = p->data, .header_size = (uint16_t)c->off};

	p->net = p->data;
	p->transport = pkt_pull(p, c->off);
	if (c->next == IPPROTO_NONE) {
		pkt_free(p);
		return;
	}
	if (ip_deliver(st, p, &rx)) {
		net_count(st, MIB_Ip6_InDelivers);
		return;
	}
	net_count(st, MIB_Ip6_InUnknownProtos);
	icmp6_error(st, p, ICMPV6_PARAMPROB, ICMPV6_UNK_NEXTHDR, c->prev);
	pkt_free(p);
}

static void walk(struct netif *nif, struct pkt *p, struct chain c)
{
	struct netstack *st = nif->st;

	for (;;) {
		enum walk w = step(st, p, &c);

		if (w == WALK_DROP) {
			pkt_free(p);
			return;
		}
		if (w == WALK_ON)
			continue;
		if (c.next != IPPROTO_FRAGMENT)
			break;
		if (++c.count > IP6_EXT_MAX || p->len - c.off < sizeof(struct ip6_frag_)) {
			net_count(st, MIB_Ip6_InHdrErrors);
			pkt_free(p);
			return;
		}
		p = frag6_input(st, p, c.off, c.prev);
		if (!p)
			return;
		/* The fragment header is gone: what it named stands in its place. */
		c.next = p->data[c.prev];
		c.fragmented = true;
	}
	deliver(nif, p, &c);
}

/* Is it for us? */
static bool for_us(struct netif *nif, const struct ip_addr *dst, const struct pkt *p)
{
	struct netif_addr *a;

	if (dst->v6[0] == 0xff) {
		unsigned scope = dst->v6[1] & 15u;

		if (scope == 0 || (scope == 1 && nif != nif->st->loopback))
			return false;
		return ip_mc_joined(nif, dst);
	}
	if (p->pkttype == PACKET_BROADCAST || p->pkttype == PACKET_MULTICAST)
		return false;
	if (ip_addr_linklocal(dst) && nif != nif->st->loopback) {
		a = ip6_own_addr(nif, dst);
		return a && !(a->flags & IFA_F_TENTATIVE);
	}
	return fib_local_type(nif->st, dst, NULL) == RTN_LOCAL;
}

void ip6_input(struct netif *nif, struct pkt *p)
{
	static const enum net_mib ecn[] = {MIB_Ip6_InNoECTPkts, MIB_Ip6_InECT1Pkts, MIB_Ip6_InECT0Pkts, MIB_Ip6_InCEPkts};
	struct netstack *st = nif->st;
	const struct ip6_hdr_ *h = (const void *)p->data;
	struct ip_addr src, dst;
	uint32_t size;
	bool lo = nif == st->loopback;

	net_count(st, MIB_Ip6_InReceives);
	p->net = p->data;
	if (unlikely(ip6_disabled(nif)))
		goto drop;
	if (unlikely(p->len < sizeof(*h) || p->data[0] >> 4 != 6))
		goto bad_header;
	size = be16(h->len);
	if (unlikely(size > p->len - sizeof(*h))) {
		net_count(st, MIB_Ip6_InTruncatedPkts);
		goto drop;
	}
	/* Nothing but a hop-by-hop jumbo option makes sense of 0, and jumbograms are not for us. */
	p->len = (uint32_t)sizeof(*h) + size;
	src = ip_addr_v6(h->src);
	dst = ip_addr_v6(h->dst);
	if (src.v6[0] == 0xff)
		goto bad_addr;
	if (!lo && p->pkttype != PACKET_LOOPBACK && (ip_addr_loopback(&src) || ip_addr_loopback(&dst)))
		goto bad_addr;
	if (dst.v6[0] == 0xff && !for_us(nif, &dst, p)) {
		pkt_free(p); /* a group that is none of ours: nothing is wrong with it */
		return;
	}
	if (ip_addr_any(&dst) || !for_us(nif, &dst, p))
		goto bad_addr;
	net_count_add(st, MIB_Ip6_InOctets, p->len);
	net_count(st, ecn[be32(h->vtf) >> 20 & 3]);
	if (dst.v6[0] == 0xff) {
		net_count(st, MIB_Ip6_InMcastPkts);
		net_count_add(st, MIB_Ip6_InMcastOctets, p->len);
	}
	walk(nif, p, (struct chain){.next = h->next, .off = sizeof(*h), .prev = offsetof(struct ip6_hdr_, next)});
	return;
bad_header:
	net_count(st, MIB_Ip6_InHdrErrors);
	pkt_free(p);
	return;
bad_addr:
	net_count(st, MIB_Ip6_InAddrErrors);
	pkt_free(p);
	return;
drop:
	net_count(st, MIB_Ip6_InDiscards);
	pkt_free(p);
}

int ip6_init(struct netstack *st)
{
	return icmp6_init(st);
}

void ip6_done(struct netstack *st)
{
}

int ip6_netif_added(struct netif *nif)
{
	int ret = mld_init(nif);

	nif->conf[NETIF_CONF_V6_MTU] = MAX(nif->mtu, IP6_MIN_MTU);
	return ret < 0 ? ret : addrconf_init(nif);
}

void ip6_netif_removed(struct netif *nif)
{
	addrconf_done(nif);
	mld_done(nif);
}

void ip6_netif_up(struct netif *nif)
{
	if (ip6_disabled(nif))
		return;
	mld_up(nif);
	addrconf_up(nif);
}

void ip6_netif_down(struct netif *nif)
{
	addrconf_down(nif);
	mld_down(nif);
}

void ip6_disable_changed(struct netif *nif)
{
	struct netif_addr *a, *tmp;

	if (ip6_disabled(nif)) {
		ip6_netif_down(nif);
		LIST_FOR_EACH_SAFE(a, tmp, &nif->addrs, node) {
			struct ip_addr addr = a->addr;

			if (addr.family == AF_INET6)
				(void)netif_addr_del(nif, &addr, a->prefix);
		}
		return;
	}
	if (!(nif->flags & IFF_UP))
		return;
	ip6_netif_up(nif);
	if (nif->flags & IFF_LOOPBACK) {
		struct netif_addr one = {.addr = {.family = AF_INET6, .v6 = {[15] = 1}}, .prefix = 128};

		(void)netif_addr_add(nif, &one);
	}
}
