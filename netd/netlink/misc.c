/* Small requests that tools make beside the great ones. */
#include <linux/net_namespace.h>
#include <linux/netconf.h>
#include <linux/neighbour.h>
#include <linux/pkt_sched.h>

#include "common/base/util.h"
#include "netd/core/netif.h"
#include "netd/core/stack.h"
#include "netd/netlink/private.h"

static void put_neightbl(struct nl_ctx *c, int family, const char *name)
{
	struct ndtmsg *ndt = nl_begin(c, RTM_NEWNEIGHTBL, 0, sizeof(*ndt));

	ndt->ndtm_family = (uint8_t)family;
	nl_put_text(c, NDTA_NAME, name);
	nl_put_u32(c, NDTA_THRESH1, 128);
	nl_put_u32(c, NDTA_THRESH2, 512);
	nl_put_u32(c, NDTA_THRESH3, 1024);
	nl_put_u64(c, NDTA_GC_INTERVAL, 30000);
	nl_end(c);
}

int neightbl_dump(struct nl_ctx *c, const struct nlmsghdr *h)
{
	int family = h->nlmsg_len > NLMSG_HDRLEN ? *(const uint8_t *)NLMSG_DATA(h) : AF_UNSPEC;

	if (family == AF_UNSPEC || family == AF_INET)
		put_neightbl(c, AF_INET, "arp_cache");
	if (family == AF_UNSPEC || family == AF_INET6)
		put_neightbl(c, AF_INET6, "ndisc_cache");
	return 0;
}

static void put_netconf(struct nl_ctx *c, int family, const struct netif *nif)
{
	struct netconfmsg *m = nl_begin(c, RTM_NEWNETCONF, 0, sizeof(*m));
	bool v4 = family == AF_INET;

	m->ncm_family = (uint8_t)family;
	nl_put_u32(c, NETCONFA_IFINDEX, (uint32_t)nif->index);
	nl_put_u32(c, NETCONFA_FORWARDING,
		   (uint32_t)nif->conf[v4 ? NETIF_CONF_V4_FORWARDING : NETIF_CONF_V6_FORWARDING]);
	if (v4)
		nl_put_u32(c, NETCONFA_RP_FILTER, (uint32_t)nif->conf[NETIF_CONF_V4_RP_FILTER]);
	nl_put_u32(c, NETCONFA_MC_FORWARDING, 0);
	nl_put_u32(c, NETCONFA_PROXY_NEIGH,
		   (uint32_t)nif->conf[v4 ? NETIF_CONF_V4_PROXY_ARP : NETIF_CONF_V6_PROXY_NDP]);
	nl_put_u32(c, NETCONFA_IGNORE_ROUTES_WITH_LINKDOWN, 0);
	nl_end(c);
}

int netconf_dump(struct nl_ctx *c, const struct nlmsghdr *h)
{
	static const int families[] = {AF_INET, AF_INET6};
	int family = h->nlmsg_len > NLMSG_HDRLEN ? *(const uint8_t *)NLMSG_DATA(h) : AF_UNSPEC;

	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		if (family != AF_UNSPEC && family != families[i])
			continue;
		for (struct netif *nif = netif_next(c->st, NULL); nif; nif = netif_next(c->st, nif))
			put_netconf(c, families[i], nif);
	}
	return 0;
}

/* No other namespace has a number here. */
int nsid_get(struct nl_ctx *c, const struct nlmsghdr *h)
{
	struct rtgenmsg *g = nl_begin(c, RTM_NEWNSID, 0, sizeof(*g));

	(void)h;
	(void)g;
	nl_put_u32(c, NETNSA_NSID, (uint32_t)NETNSA_NSID_NOT_ASSIGNED);
	nl_end(c);
	return 0;
}

int qdisc_dump(struct nl_ctx *c, const struct nlmsghdr *h)
{
	(void)h;
	for (struct netif *nif = netif_next(c->st, NULL); nif; nif = netif_next(c->st, nif)) {
		struct tcmsg *tc = nl_begin(c, RTM_NEWQDISC, 0, sizeof(*tc));

		tc->tcm_ifindex = nif->index;
		tc->tcm_parent = TC_H_ROOT;
		tc->tcm_info = 2;
		nl_put_text(c, TCA_KIND, "noqueue");
		nl_end(c);
	}
	return 0;
}
