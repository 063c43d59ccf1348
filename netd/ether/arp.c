/* ARP: RFC 826, with what later experience adds: probes are answered (RFC 5227), nobody makes us believe that our own
 * address is elsewhere, and only those we speak with, or who ask for us, get an entry. */
#include <linux/if_packet.h>
#include <net/if.h>
#include <net/if_arp.h>

#include "netd/ether/ether.h"
#include "netd/ether/neigh.h"
#include "netd/ip/ip_priv.h"

static const uint8_t broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
static const uint8_t nobody[6];

static void arp_send(struct netif *nif, uint16_t op, const uint8_t dst[6], uint32_t sip, const uint8_t tha[6], uint32_t tip)
{
	struct pkt *p = pkt_alloc(sizeof(struct arp_pkt));
	struct arp_pkt *a;

	if (!p)
		return;
	a = (void *)p->data;
	p->len = sizeof(*a);
	a->hrd = be16(ARPHRD_ETHER);
	a->pro = be16(ETYPE_IP4);
	a->hln = 6;
	a->pln = 4;
	a->op = be16(op);
	memcpy(a->sha, nif->mac, 6);
	a->sip = sip;
	memcpy(a->tha, tha, 6);
	a->tip = tip;
	p->protocol = ETYPE_ARP;
	p->net = p->data;
	(void)ether_output(nif, dst, p);
}

void arp_announce(struct netif *nif, const struct ip_addr *a)
{
	arp_send(nif, ARPOP_REQUEST, broadcast, a->v4, nobody, a->v4);
}

void arp_solicit(struct neigh *n, bool unicast)
{
	struct netif *nif = n->nif;
	struct ip_addr src;

	/* The sender's address is one of the subnet of the one we ask for (arp_announce is never worse than that). */
	if (!ip_select_source(nif->st, nif, &n->addr, NULL, &src))
		src = ip_addr_v4(0);
	arp_send(nif, ARPOP_REQUEST, unicast ? n->mac : broadcast, src.v4, unicast ? n->mac : nobody, n->addr.v4);
}

static bool has_addr(struct netif *nif, uint32_t v4)
{
	struct netif_addr *a;

	LIST_FOR_EACH(a, &nif->addrs, node) {
		if (a->addr.family == AF_INET && a->addr.v4 == v4)
			return true;
	}
	return false;
}

/* Do we answer for this address on this interface (arp_ignore)? */
static bool ours(struct netif *nif, const struct ip_addr *tip)
{
	int64_t ignore = MAX(nif->conf[NETIF_CONF_V4_ARP_IGNORE], nif->st->sysctl[NET_SYSCTL_CONF4_ALL_ARP_IGNORE]);

	if (ip_addr_loopback(tip) || fib_local_type(nif->st, tip, NULL) != RTN_LOCAL)
		return false;
	return ignore == 0 || (ignore < 8 && has_addr(nif, tip->v4));
}

/* Could that be the link address of one station, and not ours? */
static bool plausible(const struct netif *nif, const struct arp_pkt *a)
{
	return !(a->sha[0] & 1) && memcmp(a->sha, nobody, 6) && memcmp(a->sha, nif->mac, 6);
}

static void learn(struct netif *nif, const struct arp_pkt *a, const struct ip_addr *sip, bool asks_us, bool reply_to_us)
{
	struct neigh *n = neigh_find(nif, sip);
	bool gratuitous = a->sip == a->tip;
	unsigned flags = NEIGH_OVERRIDE;

	if (!n && (asks_us || (gratuitous && nif->conf[NETIF_CONF_V4_ARP_ACCEPT])))
		n = neigh_get(nif, sip);
	if (!n)
		return;
	/* Of two answers to one question the first counts for a while: who shouts later does not take it over. */
	if (n->state & (NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE) &&
	    nif->st->now_ms - n->updated_ms < 10 * (uint64_t)nif->st->sysctl[NET_SYSCTL_NEIGH4_LOCKTIME])
		flags = 0;
	neigh_update(n, a->sha, reply_to_us ? NUD_REACHABLE : NUD_STALE, flags);
}

void arp_input(struct netif *nif, struct pkt *p)
{
	struct arp_pkt a;
	struct ip_addr sip, tip;
	uint16_t op;
	bool us;

	if (p->len < sizeof(a) || (nif->flags & IFF_NOARP))
		goto drop;
	memcpy(&a, p->data, sizeof(a));
	op = be16(a.op);
	if (a.hrd != be16(ARPHRD_ETHER) || a.pro != be16(ETYPE_IP4) || a.hln != 6 || a.pln != 4 ||
	    (op != ARPOP_REQUEST && op != ARPOP_REPLY))
		goto drop;
	sip = ip_addr_v4(a.sip);
	tip = ip_addr_v4(a.tip);
	if (ip_addr_multicast(&tip) || ip_addr_loopback(&tip) || ip_addr_multicast(&sip) || ip_addr_loopback(&sip) ||
	    a.sip == UINT32_MAX || !plausible(nif, &a))
		goto drop;
	us = ours(nif, &tip);
	if (a.sip == 0) {
		/* A probe: somebody wants this address. It is taken (RFC 5227 2.1.1). */
		if (op == ARPOP_REQUEST && us)
			arp_send(nif, ARPOP_REPLY, a.sha, a.tip, a.sha, 0);
		goto drop;
	}
	if (fib_local_type(nif->st, &sip, NULL) == RTN_LOCAL) {
		/* Somebody else uses our address: say at most once in ten seconds that it is ours (RFC 5227 2.4b). */
		uint64_t *last = nif->arp;

		if (last && has_addr(nif, a.sip) && (!*last || nif->st->now_ms - *last >= 10000)) {
			*last = nif->st->now_ms;
			arp_announce(nif, &sip);
		}
		goto drop;
	}
	learn(nif, &a, &sip, op == ARPOP_REQUEST && us, op == ARPOP_REPLY && us && p->pkttype == PACKET_HOST);
	if (op == ARPOP_REQUEST && us)
		arp_send(nif, ARPOP_REPLY, a.sha, a.tip, a.sha, a.sip);
drop:
	pkt_free(p);
}
