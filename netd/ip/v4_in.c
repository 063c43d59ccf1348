/* IPv4, in: everything about the header is checked before anyone believes it; then reassembly, and the transport. */
#include <net/if.h> /* before linux/icmp.h, which has it again */
#include <linux/icmp.h>
#include <linux/if_packet.h>
#include <net/if_arp.h>

#include "netd/ether/neigh.h"
#include "netd/ip/ip_priv.h"
#include "netd/ip/v4.h"

#define OPT_LSRR 131
#define OPT_SSRR 137

/* False: malformed, *ret_at is the offset of what is wrong; or a source route, which we do not follow. */
static bool options_ok(const uint8_t *opt, uint32_t size, uint32_t *ret_at, bool *ret_source_route)
{
	*ret_source_route = false;
	for (uint32_t i = 0; i < size && opt[i] != 0;) {
		uint32_t n;

		if (opt[i] == 1) {
			i++;
			continue;
		}
		n = i + 1 < size ? opt[i + 1] : 0;
		if (n < 2 || n > size - i) {
			*ret_at = i;
			return false;
		}
		if (opt[i] == OPT_LSRR || opt[i] == OPT_SSRR)
			*ret_source_route = true;
		i += n;
	}
	return true;
}

/* What the destination is to us: RTN_LOCAL, RTN_BROADCAST, RTN_MULTICAST, or nothing of ours. */
static uint8_t dst_type(struct netif *nif, uint32_t dst)
{
	struct netstack *st = nif->st;
	struct ip_addr a;

	if (st->ip->last_local.generation == st->generation && st->ip->last_local.addr.v4 == dst)
		return st->ip->last_local.type;
	a = ip_addr_v4(dst);
	if (dst == UINT32_MAX)
		return RTN_BROADCAST;
	if (ip_addr_multicast(&a))
		return RTN_MULTICAST;
	st->ip->last_local.addr = a;
	st->ip->last_local.type = fib_local_type(st, &a, NULL);
	st->ip->last_local.generation = st->generation;
	return st->ip->last_local.type;
}

/* Sources that nobody on a link can have. */
static bool martian(struct netif *nif, const struct ip_addr *src, const struct ip_addr *dst)
{
	struct netstack *st = nif->st;
	bool lo = nif == st->loopback;
	uint8_t type;

	if (ip_addr_multicast(src) || src->v4 == UINT32_MAX)
		return true;
	if (lo)
		return false;
	if ((ip_addr_loopback(src) || ip_addr_loopback(dst)) && !nif->conf[NETIF_CONF_V4_ROUTE_LOCALNET])
		return true;
	/* 0.0.0.0 is for one who does not know his address yet (DHCP), and speaks to all. */
	if (be32(src->v4) >> 24 == 0)
		return src->v4 != 0 || (dst->v4 != UINT32_MAX && !ip_addr_multicast(dst));
	type = fib_local_type(st, src, NULL);
	if (type == RTN_BROADCAST)
		return true;
	return type == RTN_LOCAL && !nif->conf[NETIF_CONF_V4_ACCEPT_LOCAL] && !ip_addr_loopback(src);
}

static bool reverse_path_ok(struct netif *nif, const struct ip_addr *src)
{
	int64_t mode = MAX(nif->conf[NETIF_CONF_V4_RP_FILTER], nif->st->sysctl[NET_SYSCTL_CONF4_ALL_RP_FILTER]);
	struct ip_flow f = {.dst = *src};
	const struct fib_entry *e;
	const struct fib_hop *hop;

	if (mode == 0 || nif == nif->st->loopback || src->v4 == 0)
		return true;
	if (fib_lookup(nif->st, &f, &e, &hop) < 0 || !hop)
		return false;
	if (mode == 2)
		return true;
	for (unsigned i = 0; i < e->hop_count; i++) {
		if (e->hop[i].out == nif)
			return true;
	}
	return false;
}

static void count_in(struct netstack *st, const struct ip4_hdr *h, uint32_t total, uint8_t type)
{
	static const enum net_mib ecn[] = {MIB_IpExt_InNoECTPkts, MIB_IpExt_InECT1Pkts, MIB_IpExt_InECT0Pkts,
					   MIB_IpExt_InCEPkts};

	net_count_add(st, MIB_IpExt_InOctets, total);
	net_count(st, ecn[h->tos & 3]);
	if (type == RTN_MULTICAST) {
		net_count(st, MIB_IpExt_InMcastPkts);
		net_count_add(st, MIB_IpExt_InMcastOctets, total);
	} else if (type == RTN_BROADCAST) {
		net_count(st, MIB_IpExt_InBcastPkts);
		net_count_add(st, MIB_IpExt_InBcastOctets, total);
	}
}

static void deliver(struct netif *nif, struct pkt *p, uint8_t type)
{
	struct netstack *st = nif->st;
	const struct ip4_hdr *h = (const void *)p->data;
	uint32_t hlen = ip4_hlen(h);
	struct ip_rx rx = {.src = ip_addr_v4(h->src), .dst = ip_addr_v4(h->dst), .protocol = h->protocol, .ttl = h->ttl,
			   .tos = h->tos, .iif = nif->index, .broadcast = type == RTN_BROADCAST,
			   .multicast = type == RTN_MULTICAST, .local = nif == st->loopback, .header = p->data,
			   .header_size = (uint16_t)hlen};

	p->net = p->data;
	p->transport = pkt_pull(p, hlen);
	if (ip_deliver(st, p, &rx)) {
		net_count(st, MIB_Ip_InDelivers);
		return;
	}
	net_count(st, MIB_Ip_InUnknownProtos);
	ip_send_unreachable(st, p, &rx, IP_UNREACH_PROTO);
	pkt_free(p);
}

void ip4_input(struct netif *nif, struct pkt *p)
{
	struct netstack *st = nif->st;
	const struct ip4_hdr *h = (const void *)p->data;
	uint32_t hlen, total, bad_at;
	struct ip_addr src, dst;
	bool source_route;
	uint8_t type;

	net_count(st, MIB_Ip_InReceives);
	p->net = p->data;
	if (unlikely(p->len < sizeof(*h)))
		goto bad_header;
	hlen = ip4_hlen(h);
	if (unlikely(h->vhl >> 4 != 4 || hlen < sizeof(*h) || hlen > p->len))
		goto bad_header;
	if (unlikely(csum_fold(csum_partial(h, hlen, 0)) != 0)) {
		net_count(st, MIB_IpExt_InCsumErrors);
		goto bad_header;
	}
	total = be16(h->len);
	if (unlikely(total < hlen))
		goto bad_header;
	if (unlikely(total > p->len)) {
		net_count(st, MIB_IpExt_InTruncatedPkts);
		goto drop;
	}
	p->len = total; /* Ethernet pads */
	src = ip_addr_v4(h->src);
	dst = ip_addr_v4(h->dst);
	type = dst_type(nif, h->dst);
	if (unlikely(p->pkttype != PACKET_LOOPBACK && martian(nif, &src, &dst)))
		goto bad_addr;
	if (type == RTN_MULTICAST && !ip_mc_joined(nif, &dst)) {
		pkt_free(p); /* a group that is none of ours: nothing is wrong with it */
		return;
	}
	if (type != RTN_LOCAL && type != RTN_BROADCAST && type != RTN_MULTICAST)
		goto bad_addr;
	/* A unicast address in a frame to all is an attempt to be answered by many (RFC 1122 3.3.6). */
	if (type == RTN_LOCAL && (p->pkttype == PACKET_BROADCAST || p->pkttype == PACKET_MULTICAST))
		goto bad_addr;
	if (!reverse_path_ok(nif, &src)) {
		net_count(st, MIB_TcpExt_IPReversePathFilter);
		goto drop;
	}
	if (unlikely(hlen > sizeof(*h))) {
		if (!options_ok(p->data + sizeof(*h), hlen - sizeof(*h), &bad_at, &source_route)) {
			icmp4_error(st, p, ICMP_PARAMETERPROB, 0, (uint32_t)(sizeof(*h) + bad_at) << 24);
			goto bad_header;
		}
		if (source_route)
			goto drop;
	}
	count_in(st, h, total, type);
	if (unlikely(h->off & be16(IP4_MF | IP4_OFFMASK))) {
		p = frag4_input(st, p);
		if (!p)
			return;
	}
	deliver(nif, p, type);
	return;
bad_header:
	net_count(st, MIB_Ip_InHdrErrors);
	pkt_free(p);
	return;
bad_addr:
	net_count(st, MIB_Ip_InAddrErrors);
	pkt_free(p);
	return;
drop:
	net_count(st, MIB_Ip_InDiscards);
	pkt_free(p);
}

int ip4_netif_added(struct netif *nif)
{
	nif->arp = calloc(1, sizeof(uint64_t)); /* when we last defended an address, see arp.c */
	if (!nif->arp)
		return -ENOMEM;
	return igmp_init(nif);
}

void ip4_netif_removed(struct netif *nif)
{
	igmp_done(nif);
	frag_flush_netif(nif);
	free(nif->arp);
	nif->arp = NULL;
}

void ip4_netif_up(struct netif *nif)
{
	igmp_up(nif);
}

void ip4_netif_down(struct netif *nif)
{
	igmp_down(nif);
}
