#include "netd/proc/proc.h"

#include "common/base/util.h"
#include "netd/proc/private.h"

static void show_nothing(struct netstack *st, struct text *out)
{
	(void)st;
	(void)out;
}

static void show_wireless(struct netstack *st, struct text *out)
{
	(void)st;
	text_printf(out, "Inter-| sta-|   Quality        |   Discarded packets               | Missed | WE\n"
			 " face | tus | link level noise |  nwid  crypt   frag  retry   misc | beacon | 22\n");
}

/* Resolutions of the packet scheduler's clocks (tc(8) reads them). */
static void show_psched(struct netstack *st, struct text *out)
{
	(void)st;
	text_printf(out, "000003e8 00000040 000f4240 3b9aca00\n");
}

static const struct {
	const char *name;
	void (*show)(struct netstack *st, struct text *out);
} files[] = {
	{"arp", show_arp}, {"dev", show_dev}, {"icmp", show_icmp}, {"icmp6", show_icmp6},
	{"if_inet6", show_if_inet6}, {"ip6_flowlabel", show_nothing}, {"ipv6_route", show_ipv6_route}, {"metrics", show_metrics},
	{"netstat", show_netstat}, {"packet", show_packet}, {"protocols", show_protocols}, {"raw", show_raw},
	{"raw6", show_raw6}, {"route", show_route}, {"rt_cache", show_nothing}, {"snmp", show_snmp},
	{"snmp6", show_snmp6}, {"sockets", show_sockets}, {"sockstat", show_sockstat}, {"sockstat6", show_sockstat6}, {"sysctl", show_sysctl}, {"tcp", show_tcp},
	{"tcp6", show_tcp6}, {"udp", show_udp}, {"udp6", show_udp6}, {"udplite", show_udplite},
	{"udplite6", show_udplite6}, {"wireless", show_wireless}, {"psched", show_psched},
	{"anycast6", show_nothing}, {"mcfilter", show_nothing}, {"mcfilter6", show_nothing},
	{"rt6_stats", show_nothing}, {"softnet_stat", show_nothing}, {"ptype", show_nothing},
	{"fib_trie", show_nothing}, {"fib_triestat", show_nothing},
};

int netproc_show(struct netstack *st, const char *name, struct text *out)
{
	*out = (struct text){0};
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		if (strcmp(files[i].name, name) != 0)
			continue;
		files[i].show(st, out);
		return out->failed ? -ENOMEM : 0;
	}
	if (!strcmp(name, "class") || !strncmp(name, "class/", 6)) {
		int ret = class_show(st, name, out);

		return ret ? ret : out->failed ? -ENOMEM : 0;
	}
	return -ENOENT;
}
