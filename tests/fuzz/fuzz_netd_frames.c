/* Frames from a hostile link, over all layers: ARP, IPv4 with options and fragments, IPv6 with extension headers,
 * ICMP of both, neighbour discovery, IGMP and MLD, UDP, and whatever sockets there are to take it.
 *
 * The input is a row of records: a byte of instructions, two bytes of length, a frame. The instructions say whether
 * checksums are put right first (else few inputs would get beyond them), whether the link vouches for them, whether
 * time passes, and whether the program does something. */
#include <arpa/inet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>

#include "netd/core/netif.h"
#include "netd/core/pkt_priv.h"
#include "netd/core/stack.h"
#include "netd/core/wire.h"
#include "netd/ip/fib.h"
#include "netd/link/mempair.h"
#include "netd/sock/sock.h"

#define FIX_SUMS 0x01u
#define VOUCHED 0x02u
#define TIME 0x04u
#define MUCH_TIME 0x08u
#define SEND 0x10u
#define FLAP 0x20u
#define SUPER 0x40u

static uint64_t now_ns;

static uint64_t clock_now(void *arg)
{
	return now_ns;
}

static void rnd(void *arg, void *buf, size_t size)
{
	static uint64_t s = 1;
	uint8_t *p = buf;

	for (size_t i = 0; i < size; i++) {
		s = s * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		p[i] = (uint8_t)(s >> 56);
	}
}

static int sink_xmit(struct netif *nif, struct pkt *p)
{
	pkt_free(p);
	return 0;
}

static void sink_free(struct netif *nif)
{
	free(nif);
}

static bool deliver(struct nsock *s, const struct nsock_meta *meta, const struct iovec *iov, unsigned count)
{
	volatile uint8_t sum = 0;

	for (unsigned i = 0; i < count; i++) {
		for (size_t j = 0; j < iov[i].iov_len; j++)
			sum = (uint8_t)(sum + ((const uint8_t *)iov[i].iov_base)[j]);
	}
	return sum != 77;
}

static void event(struct nsock *s, uint32_t mask)
{
}

static const struct nsock_up up = {.event = event, .deliver = deliver};
static const struct netif_ops sink_ops = {.xmit = sink_xmit, .free = sink_free};

static void put_addr(struct netif *nif, int family, const char *text, uint8_t prefix)
{
	struct netif_addr a = {.addr = {.family = (uint16_t)family}, .prefix = prefix, .flags = 2};

	inet_pton(family, text, a.addr.v6);
	(void)netif_addr_add(nif, &a);
}

/* The checksum of the transport, when it is one that we know and stands behind plain headers. */
static void fix_sums(uint8_t *f, uint32_t n)
{
	struct ip_addr src = {0}, dst = {0};
	uint32_t off, len;
	uint8_t proto;
	uint16_t sum = 0;

	if (n < 34)
		return;
	if (f[12] == 8 && f[13] == 0) {
		struct ip4_hdr *h = (void *)(f + 14);
		uint32_t hlen = ip4_hlen(h);

		if (hlen < 20 || 14 + hlen > n)
			return;
		h->csum = 0;
		h->csum = csum_fold(csum_partial(h, hlen, 0));
		off = 14 + hlen;
		len = be16(h->len);
		proto = h->protocol;
		src = ip_addr_v4(h->src);
		dst = ip_addr_v4(h->dst);
		if (len < hlen || len > n - 14)
			return;
		len -= hlen;
	} else if (f[12] == 0x86 && f[13] == 0xdd && n >= 54) {
		struct ip6_hdr_ *h = (void *)(f + 14);

		src.family = dst.family = AF_INET6;
		memcpy(src.v6, h->src, 16);
		memcpy(dst.v6, h->dst, 16);
		off = 54;
		len = be16(h->len);
		proto = h->next;
		if (len > n - 54)
			return;
		while ((proto == 0 || proto == 60 || proto == 43) && len >= 8 && 8u + f[off + 1] * 8u <= len) {
			uint32_t size = 8u + f[off + 1] * 8u;

			proto = f[off];
			off += size;
			len -= size;
		}
	} else {
		return;
	}
	if ((proto == 1 || proto == 2) && len >= 4) {
		memcpy(f + off + 2, &sum, 2);
		sum = csum_fold(csum_partial(f + off, len, 0));
		memcpy(f + off + 2, &sum, 2);
	} else if (proto == 58 && len >= 4) {
		memcpy(f + off + 2, &sum, 2);
		sum = csum_fold(csum_partial(f + off, len, csum_pseudo(&src, &dst, proto, len)));
		memcpy(f + off + 2, &sum, 2);
	} else if ((proto == 17 || proto == 136) && len >= 8) {
		memcpy(f + off + 6, &sum, 2);
		sum = csum_fold(csum_partial(f + off, len, csum_pseudo(&src, &dst, proto, len)));
		memcpy(f + off + 6, &sum, 2);
	} else if (proto == 6 && len >= 20) {
		memcpy(f + off + 16, &sum, 2);
		sum = csum_fold(csum_partial(f + off, len, csum_pseudo(&src, &dst, proto, len)));
		memcpy(f + off + 16, &sum, 2);
	}
}

struct town {
	struct netstack *st;
	struct netif *nif;
	struct nsock *socks[12];
	unsigned count;
};

static void keep(struct town *t, int ret, struct nsock *s)
{
	if (ret == 0)
		t->socks[t->count++] = s;
}

static void settle(struct town *t)
{
	struct netstack_env env = {clock_now, clock_now, rnd, NULL};
	struct nsock_name any4 = {.addr = {.family = AF_INET}, .port = htons(9)};
	struct nsock_name any6 = {.addr = {.family = AF_INET6}, .port = htons(9)};
	struct ip_mreqn m = {.imr_multiaddr.s_addr = htonl(0xe0010203), .imr_ifindex = 2};
	struct ipv6_mreq m6 = {.ipv6mr_interface = 2};
	struct nsock *s;
	int on = 1;

	t->st = netstack_new(&env);
	if (!t->st)
		abort();
	netif_set_up(netif_loopback(t->st), true);
	t->nif = calloc(1, sizeof(*t->nif));
	t->nif->ops = &sink_ops;
	memcpy(t->nif->name, "eth0", 5);
	t->nif->type = ARPHRD_ETHER;
	memcpy(t->nif->mac, "\x02\0\0\0\0\x0a", 6);
	t->nif->mtu = 1500;
	t->nif->flags = IFF_BROADCAST | IFF_MULTICAST;
	netif_add(t->st, t->nif);
	netif_set_up(t->nif, true);
	put_addr(t->nif, AF_INET, "10.0.0.1", 24);
	put_addr(t->nif, AF_INET6, "fd00::1", 64);
	keep(t, udp_create(t->st, AF_INET6, false, &up, NULL, &s), s);
	s->ops->bind(s, &any6);
	s->opt.recverr = s->opt.recverr6 = true;
	m6.ipv6mr_multiaddr.s6_addr[0] = 0xff;
	m6.ipv6mr_multiaddr.s6_addr[1] = 2;
	m6.ipv6mr_multiaddr.s6_addr[15] = 0x77;
	s->ops->setopt(s, IPPROTO_IPV6, IPV6_JOIN_GROUP, &m6, sizeof(m6));
	keep(t, udp_create(t->st, AF_INET, true, &up, NULL, &s), s);
	s->ops->bind(s, &any4);
	keep(t, udp_create(t->st, AF_INET, false, &up, NULL, &s), s);
	s->ops->setopt(s, IPPROTO_IP, IP_ADD_MEMBERSHIP, &m, sizeof(m));
	s->ops->setopt(s, IPPROTO_UDP, 104, &on, sizeof(on));
	keep(t, raw_create(t->st, AF_INET, IPPROTO_ICMP, &up, NULL, &s), s);
	keep(t, raw_create(t->st, AF_INET6, IPPROTO_ICMPV6, &up, NULL, &s), s);
	keep(t, ping_create(t->st, AF_INET, &up, NULL, &s), s);
	keep(t, packet_create(t->st, SOCK_DGRAM, htons(3), &up, NULL, &s), s);
	netstack_run(t->st);
}

static void say(struct town *t)
{
	struct nsock_meta meta = {.to = {.addr = ip_addr_v4(htonl(0x0a000002)), .port = htons(9)}};
	struct iovec iov = {(void *)(uintptr_t)"hello hello hello hello", 23};

	t->socks[0]->ops->send(t->socks[0], &meta, &iov, 1);
	meta.to.addr = (struct ip_addr){.family = AF_INET6, .v6 = {0xfd, [15] = 2}};
	t->socks[0]->ops->send(t->socks[0], &meta, &iov, 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned out = pkt_pool_outstanding();
	struct town t = {0};

	now_ns = UINT64_C(1000000000000);
	settle(&t);
	while (size >= 3) {
		uint8_t what = data[0];
		uint32_t n = MIN((uint32_t)get_be16(data + 1), (uint32_t)(size - 3));
		struct pkt *p = pkt_alloc(n);

		if (!p)
			break;
		/* At the end of its buffer, so that reading beyond the frame is seen. */
		p->data = p->buf + p->room - n;
		memcpy(p->data, data + 3, n);
		p->len = n;
		data += 3 + n;
		size -= 3 + n;
		if (what & FIX_SUMS)
			fix_sums(p->data, n);
		if (what & VOUCHED)
			p->csum = PKT_CSUM_VALID;
		if (what & SUPER) {
			p->gso = PKT_GSO_UDP;
			p->gso_size = 100;
		}
		if (what & SEND)
			say(&t);
		if (what & FLAP) {
			netif_set_up(t.nif, false);
			netif_set_up(t.nif, true);
		}
		if (p->csum == PKT_CSUM_VALID)
			mempair_place(t.nif, p);
		netif_input(t.nif, p);
		if (what & TIME)
			now_ns += 500 * UINT64_C(1000000);
		if (what & MUCH_TIME)
			now_ns += 40000 * UINT64_C(1000000);
		netstack_run(t.st);
	}
	for (unsigned i = 0; i < t.count; i++)
		nsock_close(t.socks[i], false);
	netstack_free(t.st);
	if (pkt_pool_outstanding() != out)
		abort();
	return 0;
}
