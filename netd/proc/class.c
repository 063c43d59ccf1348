/* Attributes of interfaces as /sys/class/net has them: "class" lists the interfaces, "class/IF/ATTRIBUTE" is one. */
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>

#include "common/base/util.h"
#include "netd/core/netif.h"
#include "netd/core/stack.h"
#include "netd/proc/private.h"

static void put_mac(struct text *out, const uint8_t mac[6])
{
	text_printf(out, "%02x:%02x:%02x:%02x:%02x:%02x\n", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
}

static bool numbers(const struct netif *nif, const char *attr, struct text *out)
{
	const struct netif_stats *s = &nif->stats;
	bool loopback = nif->type == ARPHRD_LOOPBACK;
	const struct {
		const char *name;
		unsigned long long value;
	} all[] = {
		{"addr_assign_type", 0}, {"addr_len", 6}, {"carrier", loopback || nif->flags & IFF_UP},
		{"carrier_changes", 0}, {"dev_id", 0}, {"dev_port", 0}, {"dormant", 0}, {"gro_flush_timeout", 0},
		{"ifindex", (unsigned)nif->index}, {"iflink", (unsigned)nif->index}, {"link_mode", 0},
		{"mtu", nif->mtu}, {"netdev_group", 0}, {"proto_down", 0}, {"tx_queue_len", nif->txqlen},
		{"type", nif->type},
		{"statistics/collisions", 0}, {"statistics/multicast", s->rx_multicast},
		{"statistics/rx_bytes", s->rx_bytes}, {"statistics/rx_compressed", 0},
		{"statistics/rx_crc_errors", 0}, {"statistics/rx_dropped", s->rx_dropped},
		{"statistics/rx_errors", s->rx_errors}, {"statistics/rx_fifo_errors", 0},
		{"statistics/rx_frame_errors", 0}, {"statistics/rx_length_errors", 0},
		{"statistics/rx_missed_errors", 0}, {"statistics/rx_nohandler", 0},
		{"statistics/rx_over_errors", 0}, {"statistics/rx_packets", s->rx_packets},
		{"statistics/tx_aborted_errors", 0}, {"statistics/tx_bytes", s->tx_bytes},
		{"statistics/tx_carrier_errors", 0}, {"statistics/tx_compressed", 0},
		{"statistics/tx_dropped", s->tx_dropped}, {"statistics/tx_errors", s->tx_errors},
		{"statistics/tx_fifo_errors", 0}, {"statistics/tx_heartbeat_errors", 0},
		{"statistics/tx_packets", s->tx_packets}, {"statistics/tx_window_errors", 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		if (strcmp(attr, all[i].name) != 0)
			continue;
		if (!strcmp(attr, "dev_id"))
			text_printf(out, "0x0\n");
		else
			text_printf(out, "%llu\n", all[i].value);
		return true;
	}
	return false;
}

static int attribute(const struct netif *nif, const char *attr, struct text *out)
{
	static const uint8_t all[6] = {255, 255, 255, 255, 255, 255}, none[6];
	bool loopback = nif->type == ARPHRD_LOOPBACK, up = nif->flags & IFF_UP;

	if (numbers(nif, attr, out))
		return 0;
	if (!strcmp(attr, "address"))
		put_mac(out, loopback ? none : nif->mac);
	else if (!strcmp(attr, "broadcast"))
		put_mac(out, loopback ? none : all);
	else if (!strcmp(attr, "flags"))
		text_printf(out, "0x%x\n", nif->flags & 0xffff);
	else if (!strcmp(attr, "operstate"))
		text_printf(out, "%s\n", loopback ? "unknown" : up ? "up" : "down");
	else if (!strcmp(attr, "uevent"))
		text_printf(out, "INTERFACE=%s\nIFINDEX=%d\n", nif->name, nif->index);
	else if (!strcmp(attr, "ifalias"))
		text_printf(out, "\n");
	else if (!loopback && !strcmp(attr, "speed"))
		text_printf(out, "10000\n");
	else if (!loopback && !strcmp(attr, "duplex"))
		text_printf(out, "full\n");
	else
		return loopback && (!strcmp(attr, "speed") || !strcmp(attr, "duplex")) ? -EINVAL : -ENOENT;
	return 0;
}

int class_show(struct netstack *st, const char *name, struct text *out)
{
	char ifname[16];
	const char *slash;
	struct netif *nif;

	if (!strcmp(name, "class")) {
		for (nif = netif_next(st, NULL); nif; nif = netif_next(st, nif))
			text_printf(out, "%s\n", nif->name);
		return 0;
	}
	name += strlen("class/");
	slash = strchr(name, '/');
	if (!slash || (size_t)(slash - name) >= sizeof(ifname))
		return -ENOENT;
	memcpy(ifname, name, (size_t)(slash - name));
	ifname[slash - name] = 0;
	nif = netif_by_name(st, ifname);
	return nif ? attribute(nif, slash + 1, out) : -ENOENT;
}
