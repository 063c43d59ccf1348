/* /proc/net/dev, if_inet6, route, ipv6_route, arp. */
#include <linux/route.h>
#include <linux/rtnetlink.h>
#include <net/if_arp.h>
#include <stdio.h>

#include "common/base/util.h"
#include "netd/core/netif.h"
#include "netd/core/stack.h"
#include "netd/ether/neigh.h"
#include "netd/ip/fib.h"
#include "netd/proc/private.h"

static void put_hex(struct text *out, const uint8_t v6[16])
{
	for (int i = 0; i < 16; i++)
		text_printf(out, "%02x", v6[i]);
}

void show_dev(struct netstack *st, struct text *out)
{
	text_printf(out, "Inter-|   Receive                                                |  Transmit\n"
			 " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo "
			 "colls carrier compressed\n");
	for (struct netif *nif = netif_next(st, NULL); nif; nif = netif_next(st, nif)) {
		const struct netif_stats *s = &nif->stats;

		text_printf(out, "%6s: %7llu %7llu %4llu %4llu %4llu %5llu %10llu %9llu %8llu %7llu %4llu %4llu %4llu %5llu "
				 "%7llu %10llu\n",
			    nif->name, (unsigned long long)s->rx_bytes, (unsigned long long)s->rx_packets,
			    (unsigned long long)s->rx_errors, (unsigned long long)s->rx_dropped, 0ull, 0ull, 0ull,
			    (unsigned long long)s->rx_multicast, (unsigned long long)s->tx_bytes,
			    (unsigned long long)s->tx_packets, (unsigned long long)s->tx_errors,
			    (unsigned long long)s->tx_dropped, 0ull, 0ull, 0ull, 0ull);
	}
}

/* The scopes of the file are those of IPV6_ADDR_*, not of rtnetlink. */
static unsigned scope6(const struct ip_addr *a)
{
	return ip_addr_loopback(a) ? 0x10 : ip_addr_linklocal(a) ? 0x20 : 0;
}

void show_if_inet6(struct netstack *st, struct text *out)
{
	for (struct netif *nif = netif_next(st, NULL); nif; nif = netif_next(st, nif)) {
		struct netif_addr *a;

		LIST_FOR_EACH (a, &nif->addrs, node) {
			if (a->addr.family != AF_INET6)
				continue;
			put_hex(out, a->addr.v6);
			text_printf(out, " %02x %02x %02x %02x %8s\n", nif->index, a->prefix, scope6(&a->addr),
				    (uint8_t)a->flags, nif->name);
		}
	}
}

static unsigned rtf(const struct fib_entry *e, const struct fib_hop *hop)
{
	unsigned f = RTF_UP;

	if (e->type == RTN_UNREACHABLE || e->type == RTN_PROHIBIT || e->type == RTN_BLACKHOLE)
		f |= RTF_REJECT;
	if (hop && hop->gateway.family)
		f |= RTF_GATEWAY;
	if (e->dst_len == (e->dst.family == AF_INET ? 32 : 128))
		f |= RTF_HOST;
	return f;
}

void show_route(struct netstack *st, struct text *out)
{
	const struct fib_entry *e = NULL;

	text_printf(out, "%-127s\n", "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT");
	while ((e = fib_next(st, AF_INET, RT_TABLE_MAIN, e))) {
		const struct fib_hop *hop = e->hop_count ? &e->hop[0] : NULL;
		uint32_t mask = e->dst_len ? UINT32_MAX << (32 - e->dst_len) : 0;
		size_t from = out->size;

		if (e->type == RTN_BROADCAST || e->type == RTN_MULTICAST)
			continue;
		text_printf(out, "%s\t%08X\t%08X\t%04X\t%d\t%u\t%u\t%08X\t%u\t%u\t%u", hop && hop->out ? hop->out->name : "*",
			    e->dst.v4, hop && hop->gateway.family == AF_INET ? hop->gateway.v4 : 0, rtf(e, hop), 0, 0,
			    e->priority, __builtin_bswap32(mask), e->metrics.advmss ? e->metrics.advmss + 40 : 0,
			    e->metrics.window, e->metrics.rtt >> 3);
		text_line_end(out, from, 127);
	}
}

void show_ipv6_route(struct netstack *st, struct text *out)
{
	static const uint8_t none[16];
	const struct fib_entry *e = NULL;

	while ((e = fib_next(st, AF_INET6, 0, e))) {
		const struct fib_hop *hop = e->hop_count ? &e->hop[0] : NULL;
		unsigned flags = rtf(e, hop);

		if (e->type == RTN_LOCAL || e->type == RTN_ANYCAST)
			flags |= 0x80200000u; /* RTF_LOCAL, RTF_NONEXTHOP */
		put_hex(out, e->dst.v6);
		text_printf(out, " %02x ", e->dst_len);
		put_hex(out, none);
		text_printf(out, " 00 ");
		put_hex(out, hop && hop->gateway.family == AF_INET6 ? hop->gateway.v6 : none);
		text_printf(out, " %08x %08x %08x %08x %8s\n", e->priority, 1, 0, flags,
			    hop && hop->out ? hop->out->name : "lo");
	}
}

void show_arp(struct netstack *st, struct text *out)
{
	text_printf(out, "IP address       HW type     Flags       HW address            Mask     Device\n");
	for (struct neigh *n = neigh_next(st, AF_INET, NULL); n; n = neigh_next(st, AF_INET, n)) {
		uint8_t state = neigh_state(n);
		unsigned flags = state & NUD_PERMANENT ? ATF_PERM | ATF_COM
				 : state & (NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_NOARP) ? ATF_COM : 0;
		char text[46], mac[18];

		if (state == NUD_NONE)
			continue;
		snprintf(mac, sizeof(mac), "%02x:%02x:%02x:%02x:%02x:%02x", n->mac[0], n->mac[1], n->mac[2], n->mac[3],
			 n->mac[4], n->mac[5]);
		text_printf(out, "%-16s 0x%-10x0x%-10x%s     *        %s\n", ip_addr_text(&n->addr, text), ARPHRD_ETHER, flags,
			    flags ? mac : "00:00:00:00:00:00", n->nif->name);
	}
}
