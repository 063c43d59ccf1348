/* What a program may ask of datagram sockets: options of any level, name and size, datagrams with any ancillary data, names
 * of any family, in any order, on UDP, UDP-Lite, raw, ping and packet sockets; and routes, rules and addresses changing
 * below them. */
#include <arpa/inet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>

#include "netd/core/netif.h"
#include "netd/core/pkt_priv.h"
#include "netd/core/stack.h"
#include "netd/ip/fib.h"
#include "netd/sock/sock.h"

#define SOCKS 7u

static uint64_t now_ns;

static uint64_t clock_now(void *arg)
{
	return now_ns;
}

static void rnd(void *arg, void *buf, size_t size)
{
	memset(buf, 0x5a, size);
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
	return true;
}

static void event(struct nsock *s, uint32_t mask)
{
}

static const struct nsock_up up = {.event = event, .deliver = deliver};
static const struct netif_ops sink_ops = {.xmit = sink_xmit, .free = sink_free};

struct input {
	const uint8_t *p;
	size_t left;
};

static uint32_t take(struct input *in, unsigned n)
{
	uint32_t v = 0;

	for (; n && in->left; n--, in->left--)
		v = v << 8 | *in->p++;
	return v;
}

/* An address near those that exist. */
static struct ip_addr take_addr(struct input *in)
{
	static const char *const v4[] = {"0.0.0.0", "10.0.0.1", "10.0.0.2", "10.0.0.255", "127.0.0.1", "224.1.2.3",
					 "255.255.255.255", "8.8.8.8"};
	static const char *const v6[] = {"::", "fd00::1", "fd00::2", "ff02::1", "::1", "ff02::77", "fe80::1", "2001:db8::1"};
	struct ip_addr a = {.family = AF_INET};
	uint32_t c = take(in, 1);

	if (c & 0x40) {
		a.family = (uint16_t)(c & 0x3f);
	} else if (c & 0x80) {
		a.family = AF_INET6;
		inet_pton(AF_INET6, v6[c & 7], a.v6);
		a.scope = c >> 3 & 3;
	} else {
		inet_pton(AF_INET, v4[c & 7], &a.v4);
	}
	return a;
}

static struct nsock_name take_name(struct input *in)
{
	struct nsock_name n = {.addr = take_addr(in)};

	n.port = htons((uint16_t)(take(in, 1) & 31));
	return n;
}

static void option(struct nsock *s, struct input *in)
{
	static const int levels[] = {IPPROTO_IP, IPPROTO_IPV6, IPPROTO_UDP, IPPROTO_UDPLITE, 255, IPPROTO_ICMPV6, 263, SOL_SOCKET};
	uint32_t what = take(in, 1), size = take(in, 1);
	int level = levels[what & 7], name = (int)take(in, 1);
	uint8_t *val = malloc(size + 1u);

	for (uint32_t i = 0; i < size; i++)
		val[i] = (uint8_t)take(in, 1);
	if (what & 0x80)
		(void)s->ops->getopt(s, level, name, val, &size);
	else
		(void)s->ops->setopt(s, level, name, val, size);
	free(val);
}

static void plain_option(struct nsock *s, struct input *in)
{
	uint32_t c = take(in, 1), v = take(in, 1);

	switch (c & 15) {
	case 0: s->opt.bound_if = (int)(v & 3); break;
	case 1: s->opt.broadcast = v & 1; break;
	case 2: s->opt.pmtudisc = s->opt.pmtudisc6 = (uint8_t)(v % 6); break;
	case 3: s->opt.recverr = s->opt.recverr6 = v & 1; break;
	case 4: s->opt.ttl = s->opt.hops = (uint8_t)v; break;
	case 5: s->opt.mc_if = s->opt.mc_if6 = (int)(v & 3); break;
	case 6: s->opt.reuseaddr = v & 1; break;
	case 7: s->opt.reuseport = v & 1; break;
	case 8: s->opt.v6only = v & 1; break;
	case 9: s->opt.freebind = v & 1; break;
	case 10: s->opt.hdrincl = v & 1; break;
	case 11: s->opt.mark = v; break;
	case 12: s->opt.no_check = v & 1; break;
	case 13: s->opt.mc_loop = s->opt.mc_loop6 = v & 1; break;
	case 14: s->opt.mc_addr = take_addr(in); break;
	case 15: s->opt.dontroute = v & 1; break;
	}
	if (s->ops->opt_changed)
		s->ops->opt_changed(s);
}

static void send_some(struct nsock *s, struct input *in)
{
	static uint8_t bytes[70000];
	uint32_t c = take(in, 1), size = c & 1 ? take(in, 1) : take(in, 2) + (c & 2 ? 4500 : 0), head = MIN(size, take(in, 1) & 63);
	struct nsock_meta meta = {.ttl = (uint8_t)(c & 4 ? take(in, 1) : 0), .ifindex = c & 8 ? 2 : 0};
	struct iovec iov[3];

	if (c & 16)
		meta.to = take_name(in);
	if (c & 32)
		meta.from = take_name(in);
	if (c & 64)
		meta.gso_size = (uint16_t)take(in, 2);
	meta.flags = (uint16_t)(c >> 7 ? take(in, 1) : 0);
	meta.halen = 6;
	for (uint32_t i = 0; i < head; i++)
		bytes[i] = (uint8_t)take(in, 1);
	iov[0] = (struct iovec){bytes, head};
	iov[1] = (struct iovec){bytes + head, (size - head) / 2};
	iov[2] = (struct iovec){bytes + head + (size - head) / 2, size - head - (size - head) / 2};
	(void)s->ops->send(s, &meta, iov, 3);
}

static void reconfigure(struct netstack *st, struct netif *nif, struct input *in)
{
	struct netif_addr a = {.addr = take_addr(in), .prefix = (uint8_t)take(in, 1)};
	struct fib_entry e = {.dst = a.addr, .dst_len = a.prefix, .table = 254, .type = (uint8_t)(take(in, 1) % 12),
			      .hop_count = 1, .hop = {{.gateway = take_addr(in)}}};
	struct fib_rule r = {.family = a.addr.family, .priority = take(in, 1), .table = 254, .action = (uint8_t)take(in, 1),
			     .suppress_prefixlen = -1};

	switch (take(in, 1) & 7) {
	case 0: (void)netif_addr_add(nif, &a); break;
	case 1: (void)netif_addr_del(nif, &a.addr, a.prefix); break;
	case 2: (void)fib_add(st, &e, take(in, 1) & 15); break;
	case 3: e.scope = RT_SCOPE_NOWHERE; (void)fib_del(st, &e); break;
	case 4: (void)netif_set_up(nif, take(in, 1) & 1); break;
	case 5: (void)fib_rule_add(st, &r, true); break;
	case 6: (void)fib_rule_del(st, &r); break;
	case 7: (void)netif_conf_set(nif, (enum netif_conf)(take(in, 1) % NETIF_CONF_COUNT), take(in, 1)); break;
	}
}

static struct nsock *make(struct netstack *st, unsigned which)
{
	struct nsock *s = NULL;
	int ret;

	switch (which) {
	case 0: ret = udp_create(st, AF_INET, false, &up, NULL, &s); break;
	case 1: ret = udp_create(st, AF_INET6, false, &up, NULL, &s); break;
	case 2: ret = udp_create(st, AF_INET6, true, &up, NULL, &s); break;
	case 3: ret = raw_create(st, AF_INET, 255, &up, NULL, &s); break;
	case 4: ret = raw_create(st, AF_INET6, 58, &up, NULL, &s); break;
	case 5: ret = ping_create(st, AF_INET, &up, NULL, &s); break;
	default: ret = packet_create(st, SOCK_RAW, htons(3), &up, NULL, &s); break;
	}
	return ret < 0 ? NULL : s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct netstack_env env = {clock_now, clock_now, rnd, NULL};
	struct netif *nif = calloc(1, sizeof(*nif));
	struct input in = {data, size};
	unsigned out = pkt_pool_outstanding();
	struct nsock *socks[SOCKS];
	struct nsock_name name;
	struct netstack *st;

	now_ns = UINT64_C(1000000000000);
	st = netstack_new(&env);
	if (!st || !nif)
		abort();
	netif_set_up(netif_loopback(st), true);
	nif->ops = &sink_ops;
	memcpy(nif->name, "eth0", 5);
	nif->type = ARPHRD_ETHER;
	memcpy(nif->mac, "\x02\0\0\0\0\x0a", 6);
	nif->mtu = 1500;
	nif->flags = IFF_BROADCAST | IFF_MULTICAST;
	netif_add(st, nif);
	netif_set_up(nif, true);
	netif_addr_add(nif, &(struct netif_addr){.addr = ip_addr_v4(htonl(0x0a000001)), .prefix = 24});
	netif_addr_add(nif, &(struct netif_addr){.addr = {.family = AF_INET6, .v6 = {0xfd, [15] = 1}}, .prefix = 64, .flags = 2});
	for (unsigned i = 0; i < SOCKS; i++)
		socks[i] = make(st, i);
	while (in.left) {
		uint32_t c = take(&in, 1);
		struct nsock **s = &socks[(c >> 4) % SOCKS];

		switch (c & 15) {
		case 0: case 1: case 2: option(*s, &in); break;
		case 3: case 4: plain_option(*s, &in); break;
		case 5: name = take_name(&in); (void)(*s)->ops->bind(*s, &name); break;
		case 6: name = take_name(&in); (void)(*s)->ops->connect(*s, &name); break;
		case 7: (void)(*s)->ops->connect(*s, NULL); break;
		case 8: case 9: case 10: send_some(*s, &in); break;
		case 11: reconfigure(st, nif, &in); break;
		case 12: now_ns += take(&in, 1) * UINT64_C(100000000); break;
		case 13: (void)(*s)->ops->getname(*s, c >> 7, &name); (void)(*s)->ops->poll(*s); break;
		case 14: (void)(*s)->ops->shutdown(*s, c >> 7, c >> 6 & 1); break;
		case 15:
			nsock_close(*s, false);
			*s = make(st, (c >> 4) % SOCKS);
			break;
		}
		netstack_run(st);
	}
	for (unsigned i = 0; i < SOCKS; i++)
		nsock_close(socks[i], false);
	netstack_free(st);
	if (pkt_pool_outstanding() != out)
		abort();
	return 0;
}
