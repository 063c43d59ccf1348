/* See relay.h. Frames that wait lie in a heap by their time. */
#include "relay.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/util.h"
#include "netd/core/netif.h"
#include "netd/core/pkt_priv.h"

#define VNET sizeof(struct virtio_net_hdr)

struct frame {
	uint64_t due_us, order;
	struct virtio_net_hdr vnet;
	uint32_t size;
	uint8_t data[];
};

struct line {
	struct mishaps m;
	struct frame **heap;
	unsigned count, room;
	uint64_t free_us;        /* when the rate lets the next one go */
	uint64_t waiting;        /* bytes */
};

struct relay {
	struct netif nif;
	int fd;
	bool offload;
	uint64_t seed, order, now_us;
	struct line up, down;
};

static uint32_t rnd(struct relay *r, uint32_t below)
{
	r->seed = r->seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((r->seed >> 33) % below);
}

static bool hit(struct relay *r, uint32_t ppm)
{
	return ppm && rnd(r, 1000000) < ppm;
}

static bool before(const struct frame *a, const struct frame *b)
{
	return a->due_us != b->due_us ? a->due_us < b->due_us : a->order < b->order;
}

static void push(struct line *l, struct frame *f)
{
	unsigned i = l->count;

	if (l->count == l->room) {
		l->room = l->room ? l->room * 2 : 64;
		l->heap = realloc(l->heap, l->room * sizeof(struct frame *));
	}
	l->count++;
	l->waiting += f->size;
	for (; i && before(f, l->heap[(i - 1) / 2]); i = (i - 1) / 2)
		l->heap[i] = l->heap[(i - 1) / 2];
	l->heap[i] = f;
}

static struct frame *pop(struct line *l)
{
	struct frame *top = l->heap[0], *last = l->heap[--l->count];
	unsigned i = 0, c;

	l->waiting -= top->size;
	for (; (c = 2 * i + 1) < l->count; i = c) {
		if (c + 1 < l->count && before(l->heap[c + 1], l->heap[c]))
			c++;
		if (!before(l->heap[c], last))
			break;
		l->heap[i] = l->heap[c];
	}
	l->heap[i] = last;
	return top;
}

static void enter_one(struct relay *r, struct line *l, const struct virtio_net_hdr *vnet, const uint8_t *data,
		      uint32_t size)
{
	struct frame *f;
	uint64_t due = r->now_us;

	if (l->m.rate) {
		if (l->waiting > (l->m.queue ? l->m.queue : 256u * 1024))
			return;
		l->free_us = MAX(l->free_us, due) + size * 1000000ull / l->m.rate;
		due = l->free_us;
	}
	due += l->m.delay_us + (l->m.jitter_us ? rnd(r, l->m.jitter_us) : 0);
	if (hit(r, l->m.reorder_ppm))
		due += l->m.reorder_us;
	f = malloc(sizeof(*f) + size);
	f->due_us = due;
	f->order = r->order++;
	f->vnet = *vnet;
	f->size = size;
	memcpy(f->data, data, size);
	/* Not in the link header: that would only be another loss. */
	if (hit(r, l->m.corrupt_ppm) && size > 14)
		f->data[14 + rnd(r, size - 14)] ^= (uint8_t)(1u << rnd(r, 8));
	push(l, f);
}

static void enter(struct relay *r, struct line *l, const struct virtio_net_hdr *vnet, const uint8_t *data,
		  uint32_t size)
{
	if (hit(r, l->m.loss_ppm))
		return;
	enter_one(r, l, vnet, data, size);
	if (hit(r, l->m.dup_ppm))
		enter_one(r, l, vnet, data, size);
}

static int relay_xmit(struct netif *nif, struct pkt *p)
{
	struct relay *r = nif->priv;
	struct virtio_net_hdr vnet = {0};
	uint32_t size = pkt_total(p);
	uint8_t *flat = malloc(size);

	pkt_copy_out(p, 0, flat, size);
	if (p->csum == PKT_CSUM_PARTIAL) {
		vnet.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		vnet.csum_start = (uint16_t)(p->transport - p->data);
		vnet.csum_offset = p->csum_offset;
	}
	if (p->gso) {
		const uint8_t *th = p->transport;

		vnet.gso_type = p->gso == PKT_GSO_TCP6 ? VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4;
		vnet.gso_size = p->gso_size;
		vnet.hdr_len = (uint16_t)(th - p->data + (th[12] >> 4) * 4);
	}
	enter(r, &r->up, &vnet, flat, size);
	free(flat);
	pkt_free(p);
	return 0;
}

static void relay_nif_free(struct netif *nif)
{
}

static const struct netif_ops relay_ops = {.xmit = relay_xmit, .free = relay_nif_free};

/* fd77::2 without waiting for duplicate address detection. */
static int host_side6(const char *name)
{
	struct {
		struct in6_addr addr;
		uint32_t prefix;
		int index;
	} req = {.prefix = 64, .index = (int)if_nametoindex(name)};
	char path[80];
	int s = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0), f, ret;

	if (s < 0)
		return -1;
	snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/accept_dad", name);
	f = open(path, O_WRONLY | O_CLOEXEC);
	if (f >= 0 && write(f, "0", 1) != 1)
		perror(path);
	close_fd(&f);
	inet_pton(AF_INET6, "fd77::2", &req.addr);
	ret = ioctl(s, SIOCSIFADDR, &req);
	close_fd(&s);
	return ret;
}

static int host_side(const char *name, uint32_t mtu)
{
	struct ifreq ifr = {0};
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), ret = -1;
	struct sockaddr_in *a = (struct sockaddr_in *)&ifr.ifr_addr;

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	ifr.ifr_mtu = (int)mtu;
	if (s < 0 || ioctl(s, SIOCSIFMTU, &ifr) < 0)
		goto out;
	memset(&ifr.ifr_ifru, 0, sizeof(ifr.ifr_ifru));
	a->sin_family = AF_INET;
	a->sin_addr.s_addr = inet_addr("10.77.0.2");
	if (ioctl(s, SIOCSIFADDR, &ifr) < 0)
		goto out;
	a->sin_addr.s_addr = inet_addr("255.255.255.0");
	if (ioctl(s, SIOCSIFNETMASK, &ifr) < 0)
		goto out;
	ifr.ifr_flags = IFF_UP | IFF_RUNNING;
	if (ioctl(s, SIOCSIFFLAGS, &ifr) < 0)
		goto out;
	ret = mtu >= 1280 ? host_side6(name) : 0;
out:
	close_fd(&s);
	return ret;
}

struct relay *relay_new(struct netstack *st, const char *name, uint32_t mtu, bool offload)
{
	struct relay *r = calloc(1, sizeof(*r));
	struct ifreq ifr = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR};

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	r->seed = 99;
	r->offload = offload;
	r->fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (r->fd < 0 || ioctl(r->fd, TUNSETIFF, &ifr) < 0 ||
	    (offload && ioctl(r->fd, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6) < 0) ||
	    host_side(name, mtu) < 0) {
		close_fd(&r->fd);
		free(r);
		return NULL;
	}
	r->nif = (struct netif){.ops = &relay_ops, .type = ARPHRD_ETHER, .mtu = mtu, .priv = r,
				.mac = {2, 0, 0, 0, 0, 7}, .flags = IFF_BROADCAST | IFF_MULTICAST,
				.features = offload ? NETIF_F_CSUM | NETIF_F_TSO : 0};
	strcpy(r->nif.name, "eth0");
	if (netif_add(st, &r->nif) < 0)
		abort();
	r->nif.conf[NETIF_CONF_V6_ACCEPT_RA] = 0;
	r->nif.conf[NETIF_CONF_V6_ADDR_GEN_MODE] = 1;
	netif_set_up(&r->nif, true);
	return r;
}

struct netif *relay_netif(struct relay *r)
{
	return &r->nif;
}

void relay_free(struct relay *r)
{
	while (r->up.count)
		free(pop(&r->up));
	while (r->down.count)
		free(pop(&r->down));
	free(r->up.heap);
	free(r->down.heap);
	close_fd(&r->fd);
	free(r);
}

void relay_mishaps(struct relay *r, bool up, const struct mishaps *m)
{
	(up ? &r->up : &r->down)->m = *m;
}

int relay_fd(const struct relay *r)
{
	return r->fd;
}

static void to_stack(struct relay *r, const struct frame *f)
{
	struct pkt *p = pkt_alloc(f->size);

	if (!p)
		return;
	memcpy(p->data, f->data, f->size);
	p->len = f->size;
	if (f->vnet.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM)
		p->csum = PKT_CSUM_VALID;
	if (f->vnet.gso_type) {
		p->gso = (f->vnet.gso_type & 0x7f) == VIRTIO_NET_HDR_GSO_TCPV6 ? PKT_GSO_TCP6 : PKT_GSO_TCP4;
		p->gso_size = f->vnet.gso_size;
	}
	netif_input(&r->nif, p);
}

static void to_host(struct relay *r, const struct frame *f)
{
	struct iovec iov[2] = {{(void *)(uintptr_t)&f->vnet, VNET}, {(void *)(uintptr_t)f->data, f->size}};

	if (writev(r->fd, iov, 2) < 0)
		return; /* what it cannot take is lost, as on any wire */
}

bool relay_run(struct relay *r, uint64_t now_us)
{
	static uint8_t buf[VNET + 70000];
	bool moved = false;
	struct frame *f;

	r->now_us = now_us;
	for (unsigned i = 0; i < 64; i++) {
		ssize_t n = read(r->fd, buf, sizeof(buf));
		struct virtio_net_hdr vnet;

		if (n <= (ssize_t)VNET)
			break;
		memcpy(&vnet, buf, VNET);
		enter(r, &r->down, &vnet, buf + VNET, (uint32_t)(n - (ssize_t)VNET));
		moved = true;
	}
	while (r->down.count && r->down.heap[0]->due_us <= now_us) {
		f = pop(&r->down);
		to_stack(r, f);
		free(f);
		moved = true;
	}
	while (r->up.count && r->up.heap[0]->due_us <= now_us) {
		f = pop(&r->up);
		to_host(r, f);
		free(f);
		moved = true;
	}
	return moved;
}

uint64_t relay_next(const struct relay *r)
{
	uint64_t a = r->up.count ? r->up.heap[0]->due_us : UINT64_MAX;
	uint64_t b = r->down.count ? r->down.heap[0]->due_us : UINT64_MAX;

	return MIN(a, b);
}
