/* An Ethernet link over an AF_PACKET socket (or a TAP) that speaks the virtio-net header (packet(7),
 * PACKET_VNET_HDR): frames with unfinished checksums and super-segments of up to 64 KiB cross it whole in both
 * directions, so that the host's kernel and this stack exchange one frame where the wire would see 45.
 *
 * In: recvmmsg into large packets. A frame that fits a small packet is copied to one (that costs 50 ns and keeps
 * queues from holding 64 KiB for an acknowledgement); a large one is handed on as it is.
 *
 * Out: packets whose bytes are their own are collected until the end of the round and leave in one sendmmsg. A
 * packet with pieces outside (the send ring of a socket) has to leave within the call: it takes those before it
 * along. When the host does not take a frame it is dropped and counted, as a full queue of a driver would. */
#include <net/if_arp.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <stdio.h>
#include <sys/socket.h>

#include "common/base/util.h"
#include "common/ipc/msg_link.h"
#include "common/log/log.h"
#include "netd/core/netif.h"
#include "netd/core/pkt.h"
#include "netd/core/stack.h"
#include "netd/link/private.h"

#ifndef VIRTIO_NET_HDR_GSO_UDP_L4
#define VIRTIO_NET_HDR_GSO_UDP_L4 5 /* Linux 6.2 */
#endif

#define RX_BATCH 16
#define TX_BATCH 64
#define FRAME_MAX (PKT_LARGE - PKT_HEADROOM)
#define COPY_MAX 1600u /* pieces outside up to this are copied and may wait */

struct packet_link {
	struct link_source src;
	struct netif *nif;       /* NULL once the stack gave it up */
	int fd;
	bool tap;
	struct pkt *rx[RX_BATCH];
	struct pkt *tx[TX_BATCH];
	unsigned tx_count;
};

struct rx_frame {
	struct virtio_net_hdr vnet;
	struct iovec iov[2];
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
	} control;
};

/* ---- in ----------------------------------------------------------------------------------------- */

/* Packets to receive into; how many there are. */
static unsigned rx_prepare(struct packet_link *l, unsigned want, struct mmsghdr *msgs, struct rx_frame *frames)
{
	unsigned n = 0;

	for (; n < want; n++) {
		struct rx_frame *f = &frames[n];

		if (!l->rx[n])
			l->rx[n] = pkt_alloc(FRAME_MAX);
		if (!l->rx[n])
			break;
		f->iov[0] = (struct iovec){&f->vnet, sizeof(f->vnet)};
		f->iov[1] = (struct iovec){l->rx[n]->data, FRAME_MAX};
		msgs[n].msg_hdr = (struct msghdr){.msg_iov = f->iov, .msg_iovlen = 2, .msg_control = f->control.buf,
						  .msg_controllen = sizeof(f->control.buf)};
	}
	return n;
}

/* The host takes a VLAN tag out of the frame and tells of it beside: such a frame is not for this interface. */
static bool tagged(struct msghdr *m)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		struct tpacket_auxdata aux;

		if (c->cmsg_level != SOL_PACKET || c->cmsg_type != PACKET_AUXDATA ||
		    c->cmsg_len < CMSG_LEN(sizeof(aux)))
			continue;
		memcpy(&aux, CMSG_DATA(c), sizeof(aux));
		/* priority tags alone (VLAN 0) belong to the untagged network */
		return (aux.tp_status & TP_STATUS_VLAN_VALID) && (aux.tp_vlan_tci & 0xfff);
	}
	return false;
}

static void set_offloads(struct pkt *p, const struct virtio_net_hdr *h)
{
	if (h->flags & (VIRTIO_NET_HDR_F_NEEDS_CSUM | VIRTIO_NET_HDR_F_DATA_VALID))
		p->csum = PKT_CSUM_VALID;
	switch (h->gso_type & ~VIRTIO_NET_HDR_GSO_ECN) {
	case VIRTIO_NET_HDR_GSO_TCPV4:
		p->gso = PKT_GSO_TCP4;
		break;
	case VIRTIO_NET_HDR_GSO_TCPV6:
		p->gso = PKT_GSO_TCP6;
		break;
	case VIRTIO_NET_HDR_GSO_UDP_L4:
		p->gso = PKT_GSO_UDP;
		break;
	default:
		return;
	}
	p->gso_size = h->gso_size;
	if (!p->gso_size)
		p->gso = PKT_GSO_NONE;
}

/* Hands one frame on; true when the large packet went with it. */
static bool rx_one(struct packet_link *l, struct pkt *large, const struct rx_frame *f, uint32_t size, uint64_t now)
{
	struct pkt *p = large;

	if (size <= PKT_SMALL - PKT_HEADROOM) {
		p = pkt_alloc(size);
		if (!p) {
			l->nif->stats.rx_dropped++;
			return false;
		}
		memcpy(p->data, large->data, size);
	}
	p->len = size;
	p->rx_ns = now;
	set_offloads(p, &f->vnet);
	netif_input(l->nif, p);
	return p == large;
}

static unsigned packet_rx(struct link_source *s, unsigned budget)
{
	struct packet_link *l = CONTAINER_OF(s, struct packet_link, src);
	struct mmsghdr msgs[RX_BATCH];
	struct rx_frame frames[RX_BATCH];
	unsigned want = MIN(budget, (unsigned)RX_BATCH), done = 0;

	while (done < budget && l->nif) {
		unsigned n = rx_prepare(l, MIN(want, budget - done), msgs, frames);
		uint64_t now;
		int got;

		if (!n)
			break;
		got = recvmmsg(l->fd, msgs, n, MSG_DONTWAIT | MSG_TRUNC, NULL);
		if (got <= 0) {
			/* the interface is down or gone: the host says so once */
			if (got < 0 && errno != EAGAIN && errno != EINTR && errno != ENETDOWN)
				log_warn("%s: %s", l->nif->name, strerror(errno));
			break;
		}
		now = netstack_real_ns(l->nif->st);
		for (int i = 0; i < got && l->nif; i++) {
			uint32_t size = msgs[i].msg_len;

			if (size < sizeof(struct virtio_net_hdr) + 14 || tagged(&msgs[i].msg_hdr))
				continue;
			size -= sizeof(struct virtio_net_hdr);
			if (size > FRAME_MAX) {
				l->nif->stats.rx_errors++;
				continue;
			}
			if (rx_one(l, l->rx[i], &frames[i], size, now))
				l->rx[i] = NULL;
		}
		done += (unsigned)got;
		if ((unsigned)got < n)
			break;
	}
	return done;
}

/* As rx, by read: one frame a call. */
static unsigned tap_rx(struct link_source *s, unsigned budget)
{
	struct packet_link *l = CONTAINER_OF(s, struct packet_link, src);
	unsigned done = 0;

	for (; done < budget && l->nif; done++) {
		struct mmsghdr msg;
		struct rx_frame f;
		ssize_t n;

		if (!rx_prepare(l, 1, &msg, &f))
			break;
		n = readv(l->fd, f.iov, 2);
		if (n < 0)
			break;
		if (n < (ssize_t)sizeof(struct virtio_net_hdr) + 14)
			continue;
		if (rx_one(l, l->rx[0], &f, (uint32_t)n - (uint32_t)sizeof(struct virtio_net_hdr),
			   netstack_real_ns(l->nif->st)))
			l->rx[0] = NULL;
	}
	return done;
}

/* ---- out ---------------------------------------------------------------------------------------- */

static void fill_vnet(struct virtio_net_hdr *h, const struct pkt *p)
{
	*h = (struct virtio_net_hdr){0};
	if (p->csum == PKT_CSUM_PARTIAL && p->transport) {
		h->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		h->csum_start = (uint16_t)(p->transport - p->data);
		h->csum_offset = p->csum_offset;
	}
	if (p->gso == PKT_GSO_NONE || !p->transport)
		return;
	h->gso_size = p->gso_size;
	if (p->gso == PKT_GSO_UDP) {
		h->gso_type = VIRTIO_NET_HDR_GSO_UDP_L4;
		h->hdr_len = (uint16_t)(p->transport - p->data + 8);
		return;
	}
	h->gso_type = p->gso == PKT_GSO_TCP4 ? VIRTIO_NET_HDR_GSO_TCPV4 : VIRTIO_NET_HDR_GSO_TCPV6;
	if (p->transport[13] & 0x80) /* CWR: only the first segment may carry it */
		h->gso_type |= VIRTIO_NET_HDR_GSO_ECN;
	h->hdr_len = (uint16_t)(p->transport - p->data + (p->transport[12] >> 4) * 4);
}

static void tx_done(struct packet_link *l, struct pkt *p, bool sent)
{
	if (l->nif && !sent)
		l->nif->stats.tx_dropped++;
	pkt_free(p);
}

static void tap_flush(struct packet_link *l)
{
	for (unsigned i = 0; i < l->tx_count; i++) {
		struct virtio_net_hdr vnet;
		struct pkt *p = l->tx[i];
		struct iovec iov[4] = {{&vnet, sizeof(vnet)}, {p->data, p->len}, p->ext[0], p->ext[1]};

		fill_vnet(&vnet, p);
		tx_done(l, p, writev(l->fd, iov, 2 + p->ext_count) > 0);
	}
	l->tx_count = 0;
}

static void tx_flush(struct packet_link *l)
{
	struct virtio_net_hdr vnet[TX_BATCH];
	struct iovec iov[TX_BATCH][4];
	struct mmsghdr msgs[TX_BATCH];
	unsigned sent = 0, count = l->tx_count;

	if (l->tap) {
		tap_flush(l);
		return;
	}
	for (unsigned i = 0; i < count; i++) {
		struct pkt *p = l->tx[i];

		fill_vnet(&vnet[i], p);
		iov[i][0] = (struct iovec){&vnet[i], sizeof(vnet[i])};
		iov[i][1] = (struct iovec){p->data, p->len};
		iov[i][2] = p->ext[0];
		iov[i][3] = p->ext[1];
		msgs[i].msg_hdr = (struct msghdr){.msg_iov = iov[i], .msg_iovlen = 2u + p->ext_count};
	}
	while (sent < count) {
		int n = sendmmsg(l->fd, msgs + sent, count - sent, MSG_DONTWAIT);

		if (n > 0) {
			for (int i = 0; i < n; i++)
				tx_done(l, l->tx[sent++], true);
			continue;
		}
		if (n < 0 && errno == EINTR)
			continue;
		/* the first one is at fault (too long, no room); the others get their turn */
		tx_done(l, l->tx[sent++], false);
	}
	l->tx_count = 0;
}

static int tx_add(struct packet_link *l, struct pkt *p)
{
	bool outside = p->ext_count > 0;

	if (outside && pkt_total(p) <= COPY_MAX) {
		p = pkt_linearize(p);
		if (!p) {
			l->nif->stats.tx_dropped++;
			return -ENOBUFS;
		}
		outside = false;
	}
	l->tx[l->tx_count++] = p;
	if (outside || l->tx_count == TX_BATCH)
		tx_flush(l);
	return 0;
}

static int packet_xmit(struct netif *nif, struct pkt *p)
{
	struct packet_link *l = nif->priv;

	if (!l) {
		pkt_free(p);
		return -ENETDOWN;
	}
	return tx_add(l, p);
}

static void packet_flush(struct link_source *s)
{
	struct packet_link *l = CONTAINER_OF(s, struct packet_link, src);

	if (l->tx_count)
		tx_flush(l);
}

/* ---- life --------------------------------------------------------------------------------------- */

static void packet_free(struct link_source *s)
{
	struct packet_link *l = CONTAINER_OF(s, struct packet_link, src);

	for (unsigned i = 0; i < l->tx_count; i++)
		pkt_free(l->tx[i]);
	for (unsigned i = 0; i < RX_BATCH; i++)
		pkt_free(l->rx[i]);
	if (l->nif)
		l->nif->priv = NULL;
	close_fd(&l->fd);
	free(l);
}

static void nif_free(struct netif *nif)
{
	struct packet_link *l = nif->priv;

	if (l) {
		l->nif = NULL;
		l->src.fd = -1;
	}
	free(nif);
}

static const struct netif_ops packet_ops = {.xmit = packet_xmit, .free = nif_free};

int packet_link_new(struct link_set *set, const struct link_if *conf, int fd)
{
	struct packet_link *l = calloc(1, sizeof(*l));
	struct netif *nif = calloc(1, sizeof(*nif));
	int ret;

	if (!l || !nif) {
		free(l);
		free(nif);
		close(fd);
		return -ENOMEM;
	}
	*nif = (struct netif){
		.ops = &packet_ops, .index = (int)conf->index, .type = conf->type, .mtu = conf->mtu,
		.flags = conf->flags & (IFF_BROADCAST | IFF_MULTICAST | IFF_NOARP | IFF_PROMISC | IFF_ALLMULTI),
		.features = conf->offload ? NETIF_F_CSUM | NETIF_F_TSO | NETIF_F_USO : 0,
		.txqlen = conf->txqlen, .priv = l,
	};
	memcpy(nif->name, conf->name, sizeof(nif->name));
	memcpy(nif->mac, conf->mac, sizeof(nif->mac));
	l->nif = nif;
	l->fd = fd;
	l->tap = conf->kind == LINK_TAP;
	l->src = (struct link_source){.fd = fd, .rx = l->tap ? tap_rx : packet_rx, .flush = packet_flush,
				      .free = packet_free};
	ret = netif_add(set->st, nif);
	if (ret) {
		nif->priv = NULL;
		free(nif);
		l->nif = NULL;
		packet_free(&l->src);
		return ret;
	}
	list_add_tail(&set->sources, &l->src.node);
	return 0;
}
