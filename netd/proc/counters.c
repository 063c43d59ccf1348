/* /proc/net/snmp, netstat, snmp6: the counters, group by group, in the order of mib.def. */
#include <stdio.h>

#include "common/base/util.h"
#include "netd/core/stack.h"
#include "netd/proc/private.h"
#include "netd/tcp/tcp.h"

static const struct {
	const char *group, *name;
} mib[NET_MIB_COUNT] = {
#define MIB(group, name) [MIB_##group##_##name] = {#group, #name},
#include "netd/core/mib.def"
#undef MIB
};

struct gauge {
	const char *name;
	long long value;
};

/* Two lines: the names and the values. Gauges come first; `at` of them may stand elsewhere by their name. */
static void put_group(struct netstack *st, struct text *out, const char *group, const struct gauge *first,
		      size_t first_count, bool only_set)
{
	text_printf(out, "%s:", group);
	for (size_t i = 0; i < first_count; i++)
		text_printf(out, " %s", first[i].name);
	for (unsigned i = 0; i < NET_MIB_COUNT; i++)
		if (!strcmp(mib[i].group, group) && (!only_set || net_counter(st, i)))
			text_printf(out, " %s", mib[i].name);
	text_printf(out, "\n%s:", group);
	for (size_t i = 0; i < first_count; i++)
		text_printf(out, " %lld", first[i].value);
	for (unsigned i = 0; i < NET_MIB_COUNT; i++)
		if (!strcmp(mib[i].group, group) && (!only_set || net_counter(st, i)))
			text_printf(out, " %llu", (unsigned long long)net_counter(st, i));
	text_printf(out, "\n");
}

void show_snmp(struct netstack *st, struct text *out)
{
	const struct gauge ip[] = {
		{"Forwarding", net_sysctl(st, NET_SYSCTL_IP_FORWARD) ? 1 : 2},
		{"DefaultTTL", net_sysctl(st, NET_SYSCTL_IP_DEFAULT_TTL)},
	};
	const struct gauge tcp[] = {{"RtoAlgorithm", 1}, {"RtoMin", 200}, {"RtoMax", 120000}, {"MaxConn", -1}};

	put_group(st, out, "Ip", ip, ARRAY_SIZE(ip), false);
	put_group(st, out, "Icmp", NULL, 0, false);
	put_group(st, out, "IcmpMsg", NULL, 0, true);
	put_group(st, out, "Tcp", tcp, ARRAY_SIZE(tcp), false);
	put_group(st, out, "Udp", NULL, 0, false);
	put_group(st, out, "UdpLite", NULL, 0, false);
}

void show_netstat(struct netstack *st, struct text *out)
{
	put_group(st, out, "TcpExt", NULL, 0, false);
	put_group(st, out, "IpExt", NULL, 0, false);
}

void show_snmp6(struct netstack *st, struct text *out)
{
	static const char *const groups[] = {"Ip6", "Icmp6", "Udp6", "UdpLite6"};

	for (size_t g = 0; g < ARRAY_SIZE(groups); g++) {
		for (unsigned i = 0; i < NET_MIB_COUNT; i++) {
			char name[64];

			if (strcmp(mib[i].group, groups[g]) != 0)
				continue;
			/* numbered types appear once they have been seen */
			if (g == 1 && strstr(mib[i].name, "Type") && !net_counter(st, i))
				continue;
			snprintf(name, sizeof(name), "%s%s", groups[g], mib[i].name);
			text_printf(out, "%-32s\t%llu\n", name, (unsigned long long)net_counter(st, i));
		}
	}
}
