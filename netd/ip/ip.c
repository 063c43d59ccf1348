/* What both families share: the registered transports, and the last step to the link. */
#include "netd/ip/ip.h"

#include <net/if.h> /* before linux/icmp.h, which has it again */
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/if_packet.h>
#include <net/if_arp.h>

#include "netd/core/layers.h"
#include "netd/ether/ether.h"
#include "netd/ether/neigh.h"
#include "netd/ip/ip_priv.h"
#include "netd/ip/v4.h"
#include "netd/ip/v6_priv.h"
#include "netd/sock/raw.h"

int ip_init(struct netstack *st)
{
	int ret;

	st->ip = calloc(1, sizeof(*st->ip));
	if (!st->ip)
		return -ENOMEM;
	netstack_random(st, st->ip->ids, 256);
	for (unsigned i = 128; i < ID_SLOTS; i++)
		st->ip->ids[i] = (uint16_t)netstack_random32(st);
	ret = fib_init(st);
	if (ret == 0)
		ret = pmtu_init(st);
	if (ret == 0)
		ret = neigh_init(st);
	if (ret == 0)
		ret = frag_init(st);
	if (ret == 0)
		ret = icmp4_init(st);
	if (ret == 0)
		ret = ip6_init(st);
	return ret;
}

void ip_done(struct netstack *st)
{
	if (!st->ip)
		return;
	ip6_done(st);
	icmp4_done(st);
	frag_done(st);
	neigh_done(st);
	pmtu_done(st);
	fib_done(st);
	free(st->ip);
	st->ip = NULL;
}

void ip_protocol_register(struct netstack *st, uint8_t protocol, const struct ip_protocol *p)
{
	st->ip->protocols[protocol] = p;
}

void ip_input(struct netif *nif, struct pkt *p)
{
	if (p->protocol == ETYPE_IP4)
		ip4_input(nif, p);
	else if (p->protocol == ETYPE_IP6)
		ip6_input(nif, p);
	else
		pkt_free(p);
}

uint32_t ip_place(struct netif *nif, uint16_t ethertype, const uint8_t *head, uint32_t have, uint32_t total,
		  struct iovec iov[2])
{
	const struct ip4_hdr *h4 = (const void *)head;
	const struct ip6_hdr_ *h6 = (const void *)head;
	const struct ip_protocol *proto;
	struct ip_rx rx;
	uint32_t size;

	/* Plain headers only, and nothing behind the packet. */
	if (ethertype == ETYPE_IP4 && have >= sizeof(*h4) && h4->vhl == 0x45 && be16(h4->len) == total &&
	    !(h4->off & be16(IP4_MF | IP4_OFFMASK))) {
		size = sizeof(*h4);
		rx = (struct ip_rx){.src = ip_addr_v4(h4->src), .dst = ip_addr_v4(h4->dst), .protocol = h4->protocol};
	} else if (ethertype == ETYPE_IP6 && have >= sizeof(*h6) && be16(h6->len) == total - sizeof(*h6)) {
		size = sizeof(*h6);
		rx = (struct ip_rx){.src = ip_addr_v6_on(h6->src, nif->index), .dst = ip_addr_v6_on(h6->dst, nif->index),
				    .protocol = h6->next};
	} else {
		return 0;
	}
	proto = nif->st->ip->protocols[rx.protocol];
	if (!proto || !proto->place)
		return 0;
	have = proto->place(nif->st, &rx, head + size, have - size, total - size, iov);
	return have ? have + size : 0;
}

int ip_output(struct netstack *st, struct pkt *p, const struct ip_tx *tx)
{
	return tx->dst.family == AF_INET6 ? ip6_output(st, p, tx) : ip4_output(st, p, tx);
}

bool ip_deliver(struct netstack *st, struct pkt *p, const struct ip_rx *rx)
{
	const struct ip_protocol *proto = st->ip->protocols[rx->protocol];
	bool raw;

	if (!proto || !proto->place)
		pkt_gather(p);
	raw = raw_deliver(st, p, rx);
	if (proto && proto->input) {
		proto->input(st, p, rx);
		return true;
	}
	if (raw)
		pkt_free(p);
	return raw;
}

void ip_route_confirm(struct netstack *st, const struct ip_route *r, const struct ip_addr *dst)
{
	if (r->out && !r->local && r->out->type == ARPHRD_ETHER && ip_route_ok(st, r))
		neigh_confirm(r->out, r->gateway.family ? &r->gateway : dst);
}

/* A copy of what is sent to a group or to all comes in on the same interface. */
static void loop_back(struct netstack *st, const struct pkt *p, struct netif *nif)
{
	struct pkt *q = pkt_copy(p);

	if (!q)
		return;
	if (q->csum == PKT_CSUM_NONE)
		q->csum = PKT_CSUM_VALID;
	q->netif = nif;
	q->pkttype = PACKET_LOOPBACK;
	q->rx_ns = netstack_real_ns(st);
	list_add_tail(&st->lo_queue, &q->node);
	st->lo_queued++;
}

int ip_emit(struct netstack *st, struct pkt *p, const struct ip_route *r, const struct ip_addr *dst, bool mc_loop)
{
	struct netif *out = r->out;
	uint8_t mac[6];

	if (out == st->loopback)
		return netif_output(out, p);
	if (r->multicast || r->broadcast) {
		if (r->broadcast || (mc_loop && ip_mc_joined(out, dst)))
			loop_back(st, p, out);
		if (out->type == ARPHRD_ETHER) {
			ether_group(dst, mac);
			if (r->broadcast)
				memset(mac, 0xff, 6);
			return ether_output(out, mac, p);
		}
		return netif_output(out, p);
	}
	if (out->type != ARPHRD_ETHER || (out->flags & IFF_NOARP))
		return netif_output(out, p);
	return neigh_output(out, r->gateway.family ? &r->gateway : dst, p);
}

void ip_send_unreachable(struct netstack *st, const struct pkt *p, const struct ip_rx *rx, enum ip_unreachable what)
{
	static const uint8_t v4[] = {[IP_UNREACH_PORT] = ICMP_PORT_UNREACH, [IP_UNREACH_PROTO] = ICMP_PROT_UNREACH,
				     [IP_UNREACH_HOST] = ICMP_HOST_UNREACH, [IP_UNREACH_ADMIN] = ICMP_PKT_FILTERED};
	static const uint8_t v6[] = {[IP_UNREACH_PORT] = ICMPV6_PORT_UNREACH, [IP_UNREACH_HOST] = ICMPV6_ADDR_UNREACH,
				     [IP_UNREACH_ADMIN] = ICMPV6_ADM_PROHIBITED};

	if (rx->dst.family == AF_INET)
		icmp4_error(st, p, ICMP_DEST_UNREACH, v4[what], 0);
	else if (what == IP_UNREACH_PROTO)
		icmp6_error(st, p, ICMPV6_PARAMPROB, ICMPV6_UNK_NEXTHDR, 6);
	else
		icmp6_error(st, p, ICMPV6_DEST_UNREACH, v6[what], 0);
}
