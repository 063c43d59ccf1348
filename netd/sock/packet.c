/* Packet sockets (packet(7)): frames as they cross the interfaces. Names have the family AF_PACKET, the interface in
 * addr.scope and the protocol in port. The loopback interface shows an empty Ethernet header, as Linux's does. */
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <net/if_arp.h>

#include "netd/ether/ether.h"
#include "netd/sock/ipopt.h"
#include "netd/sock/raw_priv.h"

struct packet_sock {
	struct nsock s;
	struct netif_tap tap;
	bool tapping, sending;
	uint32_t packets, drops; /* PACKET_STATISTICS */
	bool auxdata, ignore_outgoing, origdev;
	int vnet_hdr;
};

static struct packet_sock *packet_of(struct nsock *s)
{
	return CONTAINER_OF(s, struct packet_sock, s);
}

static void tap_fn(struct netif_tap *tap, struct netif *nif, const struct pkt *p, bool out)
{
	struct packet_sock *k = CONTAINER_OF(tap, struct packet_sock, tap);
	struct nsock *s = &k->s;
	bool lo = nif->type != ARPHRD_ETHER, raw = s->type == SOCK_RAW;
	struct eth_hdr fake = {.type = be16(p->protocol)};
	struct nsock_meta meta = {0};
	struct iovec iov[4];
	unsigned count = 0;
	uint32_t skip = lo || raw ? 0 : (uint32_t)sizeof(struct eth_hdr);

	if (s->closed || !s->up)
		return;
	/* What is sent is for those who want everything. */
	if (out ? s->local.port != be16(ETH_P_ALL) || k->ignore_outgoing || k->sending
		: s->local.port != be16(ETH_P_ALL) && s->local.port != be16(p->protocol))
		return;
	if (!lo && p->len < sizeof(struct eth_hdr))
		return;
	meta.from.addr.family = AF_PACKET;
	meta.from.addr.scope = (uint32_t)nif->index;
	meta.from.port = be16(p->protocol);
	meta.ifindex = nif->index;
	meta.protocol = be16(p->protocol);
	meta.hatype = nif->type;
	meta.pkttype = out ? PACKET_OUTGOING : p->pkttype;
	meta.halen = 6;
	meta.rx_ns = p->rx_ns ? p->rx_ns : netstack_real_ns(s->st);
	if (!lo)
		memcpy(meta.hwaddr, ((const struct eth_hdr *)(const void *)p->data)->src, 6);
	if (p->csum == PKT_CSUM_PARTIAL)
		meta.flags |= NSOCK_META_CSUM_PENDING;
	else if (p->csum == PKT_CSUM_VALID)
		meta.flags |= NSOCK_META_CSUM_VALID;
	if (lo && raw)
		iov[count++] = (struct iovec){&fake, sizeof(fake)};
	iov[count++] = (struct iovec){p->data + skip, p->len - skip};
	for (unsigned i = 0; i < p->ext_count; i++)
		iov[count++] = p->ext[i];
	for (unsigned i = 0; i < count; i++)
		meta.orig_len += (uint32_t)iov[i].iov_len;
	k->packets++;
	if (!s->up->deliver(s, &meta, iov, count))
		k->drops++;
}

static void listen_to(struct packet_sock *k)
{
	struct nsock *s = &k->s;
	bool want = s->local.port != 0;

	k->tap.index = (int)s->local.addr.scope;
	if (want && !k->tapping)
		netif_tap_add(s->st, &k->tap);
	else if (!want && k->tapping)
		netif_tap_remove(&k->tap);
	k->tapping = want;
}

static int packet_bind(struct nsock *s, const struct nsock_name *n)
{
	struct netif *nif = NULL;

	if (n->addr.family != AF_PACKET)
		return -EINVAL;
	if (n->addr.scope) {
		nif = netif_by_index(s->st, (int)n->addr.scope);
		if (!nif)
			return -ENODEV;
	}
	s->local.addr.scope = n->addr.scope;
	/* Without a protocol the one of socket(2) stays. */
	if (n->port)
		s->local.port = n->port;
	listen_to(packet_of(s));
	if (nif && !(nif->flags & IFF_UP)) {
		s->err = ENETDOWN;
		nsock_raise(s, NSOCK_ERR);
	}
	return 0;
}

static int packet_getname(struct nsock *s, bool peer, struct nsock_name *ret)
{
	if (peer)
		return -EOPNOTSUPP;
	*ret = s->local;
	return 0;
}

static int packet_connect(struct nsock *s, const struct nsock_name *n)
{
	return -EOPNOTSUPP;
}

static int packet_shutdown(struct nsock *s, bool rd, bool wr)
{
	return -EOPNOTSUPP;
}

static ssize_t packet_send(struct nsock *s, const struct nsock_meta *meta, const struct iovec *iov, unsigned count)
{
	struct packet_sock *k = packet_of(s);
	int index = meta->ifindex ? meta->ifindex : (int)s->local.addr.scope;
	struct netif *nif = netif_by_index(s->st, index);
	uint16_t protocol = meta->protocol ? meta->protocol : s->local.port;
	const struct eth_hdr *h;
	size_t size = 0;
	struct pkt *p;
	int ret;

	if (!nif)
		return -ENXIO;
	if (!(nif->flags & IFF_UP))
		return -ENETDOWN;
	for (unsigned i = 0; i < count; i++)
		size += iov[i].iov_len;
	if (s->type == SOCK_RAW && size < sizeof(struct eth_hdr))
		return -EINVAL;
	if (size > nif->mtu + (s->type == SOCK_RAW ? sizeof(struct eth_hdr) + 4 : 0))
		return -EMSGSIZE;
	p = pkt_alloc(size);
	if (!p)
		return -ENOBUFS;
	for (unsigned i = 0; i < count; i++) {
		memcpy(p->data + p->len, iov[i].iov_base, iov[i].iov_len);
		p->len += (uint32_t)iov[i].iov_len;
	}
	k->sending = true;
	if (s->type == SOCK_RAW) {
		h = (const void *)p->data;
		p->protocol = be16(h->type);
		p->mac = p->data;
		if (nif->type != ARPHRD_ETHER)
			pkt_pull(p, sizeof(*h));
		p->net = nif->type == ARPHRD_ETHER ? p->data + sizeof(*h) : p->data;
		ret = netif_output(nif, p);
	} else {
		static const uint8_t nobody[6];

		p->protocol = be16(protocol);
		p->net = p->data;
		if (nif->type == ARPHRD_ETHER)
			ret = ether_output(nif, meta->halen >= 6 ? meta->hwaddr : nobody, p);
		else
			ret = netif_output(nif, p);
	}
	k->sending = false;
	return ret < 0 ? ret : (ssize_t)size;
}

static uint32_t packet_poll(struct nsock *s)
{
	return NSOCK_OUT | (s->err ? NSOCK_ERR : 0);
}

static int packet_setopt(struct nsock *s, int level, int name, const void *val, uint32_t size)
{
	struct packet_sock *k = packet_of(s);
	struct packet_mreq m;
	int v = 0;

	if (level != SOL_PACKET)
		return -ENOPROTOOPT;
	if (size >= sizeof(v))
		memcpy(&v, val, sizeof(v));
	switch (name) {
	case PACKET_ADD_MEMBERSHIP:
	case PACKET_DROP_MEMBERSHIP:
		/* A tap sees all that the link gives; only what is asked is checked. */
		if (size < sizeof(m))
			return -EINVAL;
		memcpy(&m, val, sizeof(m));
		if (!netif_by_index(s->st, m.mr_ifindex))
			return name == PACKET_ADD_MEMBERSHIP ? -ENODEV : 0;
		return m.mr_type <= PACKET_MR_UNICAST ? 0 : -EINVAL;
	case PACKET_AUXDATA:
		k->auxdata = v;
		return 0;
	case PACKET_ORIGDEV:
		k->origdev = v;
		return 0;
	case PACKET_IGNORE_OUTGOING:
		if (v < 0 || v > 1)
			return -EINVAL;
		k->ignore_outgoing = v;
		return 0;
	}
	return -ENOPROTOOPT;
}

static int packet_getopt(struct nsock *s, int level, int name, void *val, uint32_t *size)
{
	struct packet_sock *k = packet_of(s);
	struct tpacket_stats stats;
	int v;

	if (level != SOL_PACKET)
		return -ENOPROTOOPT;
	switch (name) {
	case PACKET_STATISTICS:
		/* Since they were last read. */
		stats = (struct tpacket_stats){.tp_packets = k->packets, .tp_drops = k->drops};
		k->packets = k->drops = 0;
		*size = MIN(*size, (uint32_t)sizeof(stats));
		memcpy(val, &stats, *size);
		return 0;
	case PACKET_AUXDATA: v = k->auxdata; break;
	case PACKET_ORIGDEV: v = k->origdev; break;
	case PACKET_IGNORE_OUTGOING: v = k->ignore_outgoing; break;
	default: return -ENOPROTOOPT;
	}
	return ip_sock_put_int(v, val, size);
}

static void packet_close(struct nsock *s, bool reset)
{
	struct packet_sock *k = packet_of(s);

	if (k->tapping)
		netif_tap_remove(&k->tap);
	k->tapping = false;
}

static void packet_free(struct nsock *s)
{
	free(packet_of(s));
}

static const struct nsock_ops packet_ops = {
	.bind = packet_bind,
	.connect = packet_connect,
	.getname = packet_getname,
	.shutdown = packet_shutdown,
	.send = packet_send,
	.poll = packet_poll,
	.setopt = packet_setopt,
	.getopt = packet_getopt,
	.close = packet_close,
	.free = packet_free,
};

int packet_create(struct netstack *st, int type, uint16_t protocol, const struct nsock_up *up, void *owner,
		  struct nsock **ret)
{
	struct packet_sock *k = calloc(1, sizeof(*k));

	if (!k)
		return -ENOMEM;
	nsock_init(&k->s, st, &packet_ops, NSOCK_PACKET, AF_PACKET, type, protocol, up, owner);
	k->tap.fn = tap_fn;
	k->s.local.addr.family = AF_PACKET;
	k->s.local.port = protocol;
	listen_to(k);
	*ret = &k->s;
	return 0;
}
