/* An Ethernet link over an AF_PACKET socket (or a TAP) that speaks the virtio-net header (packet(7),
 * PACKET_VNET_HDR): frames with unfinished checksums and super-segments of up to 64 KiB cross it whole in both
 * directions, so that the host's kernel and this stack exchange one frame where the wire would see 45.
 *
 * In: recvmmsg into large packets. A frame that fits a small packet is copied to one (that costs 50 ns and keeps
 * queues from holding 64 KiB for an acknowledgement); a large one is handed on as it is. While large ones come, each is
 * looked at before it is read, and its payload read to where the stack wants it (netif_place): the second call costs
 * less than a copy of that size.
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
#define RX_BYTES (1u << 20) /* of one round: a reader that takes them then finds them in the cache */
#define TX_BATCH 64
#define FRAME_MAX (PKT_LARGE - PKT_HEADROOM)
#define COPY_MAX 1600u /* pieces outside up to this are copied and may wait */
#define LARGE_MIN 8192u /* frames from this size on are worth a look ahead */
#define HEAD_MAX 192u   /* what is looked at: all headers that have a place for their payload fit */

struct packet_link {
	struct link_source src;
	struct netif *nif;       /* NULL once the stack gave it up */
	int fd;
	bool tap;
	bool large;              /* the last frame was */
	struct pkt *rx[RX_BATCH];
	struct pkt *tx[TX_BATCH];
	unsigned tx_count;
};

struct rx_frame {
	struct virtio_net_hdr vnet;
	struct iovec iov[5];
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
		l->rx[n]->away = 0;
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

/* Frames that recvmmsg brought; their bytes. */
static uint32_t rx_many(struct packet_link *l, struct mmsghdr *msgs, const struct rx_frame *frames, int got)
{
	uint64_t now = netstack_real_ns(l->nif->st);
	uint32_t bytes = 0;

	for (int i = 0; i < got && l->nif; i++) {
		uint32_t size = msgs[i].msg_len;

		if (size < sizeof(struct virtio_net_hdr) + 14 || tagged(&msgs[i].msg_hdr))
			continue;
		size -= sizeof(struct virtio_net_hdr);
		if (size > FRAME_MAX) {
			l->nif->stats.rx_errors++;
			continue;
		}
		l->large = size >= LARGE_MIN;
		bytes += size;
		if (rx_one(l, l->rx[i], &frames[i], size, now))
			l->rx[i] = NULL;
	}
	return bytes;
}

/* Looks at the next frame. Returns the size of its headers, when what follows them has a place; the message is laid out
 * for it then: the headers into the packet, the payload to its place, and more than the frame should have behind them.
 * 0: it has none. -EAGAIN: there is no frame. */
static int look_ahead(struct packet_link *l, struct msghdr *m, struct rx_frame *f, uint8_t head[HEAD_MAX],
		      uint32_t *ret_size)
{
	uint8_t seen[sizeof(struct virtio_net_hdr) + HEAD_MAX];
	ssize_t n = recvfrom(l->fd, seen, sizeof(seen), MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT, NULL, NULL);
	uint8_t *data = l->rx[0]->data;
	struct iovec at[2];
	uint32_t hlen, size;

	if (n < 0)
		return -errno;
	if (n < (ssize_t)(sizeof(struct virtio_net_hdr) + LARGE_MIN) || n > (ssize_t)(sizeof(struct virtio_net_hdr) + FRAME_MAX))
		return 0;
	size = (uint32_t)n - (uint32_t)sizeof(struct virtio_net_hdr);
	memcpy(head, seen + sizeof(struct virtio_net_hdr), HEAD_MAX);
	hlen = netif_place(l->nif, head, HEAD_MAX, size, at);
	if (!hlen)
		return 0;
	f->iov[1] = (struct iovec){data, hlen};
	f->iov[2] = at[0];
	f->iov[3] = at[1];
	f->iov[4] = (struct iovec){data + size, FRAME_MAX - size};
	m->msg_iovlen = 5;
	*ret_size = size;
	return (int)hlen;
}

/* What came where look_ahead wanted it, as a packet of its length: the rest of it is away. */
static void set_away(struct pkt *p, const struct rx_frame *f, const uint8_t *head, uint32_t hlen, uint32_t expected,
		     uint32_t size)
{
	p->ext[0] = f->iov[2];
	p->ext[1] = f->iov[3];
	p->away_at = p->data + hlen;
	p->away = expected - hlen;
	if (size != expected || memcmp(p->data, head, hlen) != 0)
		pkt_gather(p); /* another frame than the one that was seen */
}

static unsigned packet_rx(struct link_source *s, unsigned budget)
{
	struct packet_link *l = CONTAINER_OF(s, struct packet_link, src);
	struct mmsghdr msgs[RX_BATCH];
	struct rx_frame frames[RX_BATCH];
	unsigned want = MIN(budget, (unsigned)RX_BATCH), done = 0;
	uint32_t bytes = 0;

	while (done < budget && bytes < RX_BYTES && l->nif) {
		unsigned n = rx_prepare(l, l->large ? 1 : MIN(want, budget - done), msgs, frames);
		uint8_t head[HEAD_MAX];
		uint32_t size = 0;
		int got, hlen = 0;

		if (!n)
			break;
		if (l->large)
			hlen = look_ahead(l, &msgs[0].msg_hdr, &frames[0], head, &size);
		if (hlen == -EAGAIN)
			break;
		got = recvmmsg(l->fd, msgs, n, MSG_DONTWAIT | MSG_TRUNC, NULL);
		if (got <= 0) {
			/* the interface is down or gone: the host says so once */
			if (got < 0 && errno != EAGAIN && errno != EINTR && errno != ENETDOWN)
				log_warn("%s: %s", l->nif->name, strerror(errno));
			break;
		}
		if (hlen > 0)
			set_away(l->rx[0], &frames[0], head, (uint32_t)hlen, size,
				 msgs[0].msg_len - (uint32_t)sizeof(struct virtio_net_hdr));
		bytes += rx_many(l, msgs, frames, got);
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
