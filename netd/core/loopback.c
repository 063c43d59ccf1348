/* The loopback interface: what is sent on it comes in again, in the next round of the stack, so that a stack that
 * answers itself does not nest. Checksums and segmentation are left undone: the packet never leaves this memory. */
#include <net/if.h>
#include <net/if_arp.h>
#include <linux/if_packet.h>

#include "netd/core/layers.h"
#include "netd/core/pkt_priv.h"
#include "netd/core/stack_priv.h"

#define LO_QUEUE_MAX 10000u

static int lo_xmit(struct netif *nif, struct pkt *p)
{
	struct netstack *st = nif->st;

	if (st->lo_queued >= LO_QUEUE_MAX) {
		pkt_free(p);
		return -ENOBUFS;
	}
	p = pkt_linearize(p);
	if (!p)
		return -ENOBUFS;
	if (unlikely(netif_tapped(nif)))
		netif_tap_show(nif, p, true);
	if (p->csum == PKT_CSUM_NONE)
		p->csum = PKT_CSUM_VALID;
	p->pkttype = PACKET_HOST;
	p->netif = nif;
	p->rx_ns = 0;
	list_add_tail(&st->lo_queue, &p->node);
	st->lo_queued++;
	return 0;
}

static void lo_free(struct netif *nif)
{
	free(nif);
}

static const struct netif_ops lo_ops = {.xmit = lo_xmit, .free = lo_free};

unsigned loopback_run(struct netstack *st)
{
	unsigned n = 0, now = st->lo_queued;

	for (; n < now && !list_empty(&st->lo_queue); n++) {
		struct pkt *p = LIST_FIRST(&st->lo_queue, struct pkt, node);

		list_del(&p->node);
		st->lo_queued--;
		/* Copies of what went to a group or to all came from the other interface, without its link header. */
		if (p->netif == st->loopback)
			netif_input(p->netif, p);
		else
			ip_input(p->netif, p);
	}
	return n;
}

int loopback_init(struct netstack *st)
{
	struct netif *nif = calloc(1, sizeof(*nif));
	int ret;

	if (!nif)
		return -ENOMEM;
	nif->ops = &lo_ops;
	nif->index = 1;
	memcpy(nif->name, "lo", 3);
	nif->type = ARPHRD_LOOPBACK;
	nif->mtu = 65536;
	nif->flags = IFF_LOOPBACK;
	nif->features = NETIF_F_CSUM | NETIF_F_TSO | NETIF_F_USO;
	nif->txqlen = 1000;
	ret = netif_add(st, nif);
	if (ret < 0) {
		free(nif);
		return ret;
	}
	st->loopback = nif;
	return 0;
}
