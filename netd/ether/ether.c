/* The Ethernet layer: what comes in goes by its type, what goes out gets its header. */
#include "netd/ether/ether.h"

#include <linux/if_packet.h>
#include <net/if_arp.h>

#include "netd/core/layers.h"
#include "netd/core/pkt_priv.h"
#include "netd/core/stack_priv.h"
#include "netd/core/wire.h"

void ether_input(struct netif *nif, struct pkt *p)
{
	const struct eth_hdr *h = (const void *)p->data;
	static const uint8_t all[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

	if (p->len < sizeof(*h)) {
		nif->stats.rx_errors++;
		pkt_free(p);
		return;
	}
	p->mac = p->data;
	p->protocol = be16(h->type);
	if (h->dst[0] & 1) {
		p->pkttype = memcmp(h->dst, all, 6) ? PACKET_MULTICAST : PACKET_BROADCAST;
		nif->stats.rx_multicast++;
	} else {
		p->pkttype = memcmp(h->dst, nif->mac, 6) ? PACKET_OTHERHOST : PACKET_HOST;
	}
	if (unlikely(netif_tapped(nif))) {
		pkt_gather(p);
		netif_tap_show(nif, p, false);
	}
	if (p->pkttype == PACKET_OTHERHOST) {
		pkt_free(p);
		return;
	}
	pkt_pull(p, sizeof(*h));
	switch (p->protocol) {
	case ETYPE_IP4:
	case ETYPE_IP6:
		ip_input(nif, p);
		return;
	case ETYPE_ARP:
		arp_input(nif, p);
		return;
	default:
		nif->stats.rx_dropped++;
		pkt_free(p);
	}
}

int ether_output(struct netif *nif, const uint8_t dst[6], struct pkt *p)
{
	struct eth_hdr *h;

	if (p->data - p->buf < (ptrdiff_t)sizeof(*h)) {
		pkt_free(p);
		return -EINVAL;
	}
	h = (void *)pkt_push(p, sizeof(*h));
	memcpy(h->dst, dst, 6);
	memcpy(h->src, nif->mac, 6);
	h->type = be16(p->protocol);
	p->mac = p->data;
	return netif_output(nif, p);
}

void ether_group(const struct ip_addr *a, uint8_t ret[6])
{
	if (a->family == AF_INET6) {
		ret[0] = ret[1] = 0x33;
		memcpy(ret + 2, a->v6 + 12, 4);
	} else if (ip_addr_multicast(a)) {
		ret[0] = 1;
		ret[1] = 0;
		ret[2] = 0x5e;
		memcpy(ret + 3, (const uint8_t *)&a->v4 + 1, 3);
		ret[3] &= 0x7f;
	} else {
		memset(ret, 0xff, 6);
	}
}
