/* Interfaces: RTM_*LINK. They are made by the launcher alone; programs may rename them, bring them up and down and
 * change their MTU and link address. */
#include <linux/if.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <linux/ipv6.h>

#include "common/base/util.h"
#include "netd/core/netif.h"
#include "netd/core/stack.h"
#include "netd/netlink/private.h"

#define MTU_MIN 68u
#define MTU_MAX 65535u

static void put_stats(struct nl_ctx *c, const struct netif *nif)
{
	const struct netif_stats *s = &nif->stats;
	struct rtnl_link_stats64 *big = nl_reserve(c, IFLA_STATS64, sizeof(*big));
	struct rtnl_link_stats *small = nl_reserve(c, IFLA_STATS, sizeof(*small));
	const uint64_t v[] = {s->rx_packets, s->tx_packets, s->rx_bytes, s->tx_bytes, s->rx_errors, s->tx_errors,
			      s->rx_dropped, s->tx_dropped, s->rx_multicast};

	/* both structures begin with these, in this order */
	for (size_t i = 0; big && small && i < ARRAY_SIZE(v); i++) {
		memcpy((uint8_t *)big + i * sizeof(uint64_t), &v[i], sizeof(uint64_t));
		((uint32_t *)small)[i] = (uint32_t)v[i];
	}
}

/* The settings of both families, by their numbers in the kernel's arrays: those that programs look at. */
static void put_af_spec(struct nl_ctx *c, const struct netif *nif)
{
	size_t spec = nl_nest(c, IFLA_AF_SPEC), v4 = nl_nest(c, AF_INET), v6;
	int32_t *conf = nl_reserve(c, IFLA_INET_CONF, 33 * sizeof(*conf));

	if (conf) {
		conf[0] = (int32_t)nif->conf[NETIF_CONF_V4_FORWARDING];
		conf[2] = (int32_t)nif->conf[NETIF_CONF_V4_PROXY_ARP];
		conf[3] = (int32_t)nif->conf[NETIF_CONF_V4_ACCEPT_REDIRECTS];
		conf[7] = (int32_t)nif->conf[NETIF_CONF_V4_RP_FILTER];
	}
	nl_nest_end(c, v4);
	v6 = nl_nest(c, AF_INET6);
	nl_put_u32(c, IFLA_INET6_FLAGS, 0x80000000u); /* IF_READY */
	conf = nl_reserve(c, IFLA_INET6_CONF, DEVCONF_MAX * sizeof(*conf));
	if (conf) {
		conf[DEVCONF_FORWARDING] = (int32_t)nif->conf[NETIF_CONF_V6_FORWARDING];
		conf[DEVCONF_HOPLIMIT] = (int32_t)nif->conf[NETIF_CONF_V6_HOP_LIMIT];
		conf[DEVCONF_MTU6] = (int32_t)nif->mtu;
		conf[DEVCONF_ACCEPT_RA] = (int32_t)nif->conf[NETIF_CONF_V6_ACCEPT_RA];
		conf[DEVCONF_AUTOCONF] = (int32_t)nif->conf[NETIF_CONF_V6_AUTOCONF];
		conf[DEVCONF_DAD_TRANSMITS] = (int32_t)nif->conf[NETIF_CONF_V6_DAD_TRANSMITS];
		conf[DEVCONF_DISABLE_IPV6] = (int32_t)nif->conf[NETIF_CONF_V6_DISABLE_IPV6];
	}
	nl_put_u8(c, IFLA_INET6_ADDR_GEN_MODE, (uint8_t)nif->conf[NETIF_CONF_V6_ADDR_GEN_MODE]);
	nl_nest_end(c, v6);
	nl_nest_end(c, spec);
}

void link_put(struct nl_ctx *c, struct netif *nif, uint16_t type, uint16_t flags)
{
	bool loopback = nif->type == ARPHRD_LOOPBACK, up = nif->flags & IFF_UP;
	struct ifinfomsg *ifi = nl_begin(c, type, flags, sizeof(*ifi));
	const uint8_t all[6] = {255, 255, 255, 255, 255, 255}, none[6] = {0};
	struct rtnl_link_ifmap map = {0};

	ifi->ifi_type = nif->type;
	ifi->ifi_index = nif->index;
	ifi->ifi_flags = nif->flags;
	nl_put_text(c, IFLA_IFNAME, nif->name);
	nl_put_u32(c, IFLA_TXQLEN, nif->txqlen);
	nl_put_u8(c, IFLA_OPERSTATE, loopback ? 0 /* unknown */ : up ? 6 /* up */ : 2 /* down */);
	nl_put_u8(c, IFLA_LINKMODE, 0);
	nl_put_u32(c, IFLA_MTU, nif->mtu);
	nl_put_u32(c, IFLA_MIN_MTU, loopback ? 0 : MTU_MIN);
	nl_put_u32(c, IFLA_MAX_MTU, loopback ? 0 : MTU_MAX);
	nl_put_u32(c, IFLA_GROUP, 0);
	nl_put_u32(c, IFLA_PROMISCUITY, 0);
	nl_put_u32(c, IFLA_NUM_TX_QUEUES, 1);
	nl_put_u32(c, IFLA_GSO_MAX_SEGS, 65535);
	nl_put_u32(c, IFLA_GSO_MAX_SIZE, 65536);
	nl_put_u32(c, IFLA_NUM_RX_QUEUES, 1);
	nl_put_u8(c, IFLA_CARRIER, loopback || up);
	nl_put_text(c, IFLA_QDISC, !up && !loopback ? "noop" : "noqueue");
	nl_put_u32(c, IFLA_CARRIER_CHANGES, 0);
	nl_put_u32(c, IFLA_CARRIER_UP_COUNT, 0);
	nl_put_u32(c, IFLA_CARRIER_DOWN_COUNT, 0);
	nl_put_u8(c, IFLA_PROTO_DOWN, 0);
	nl_put(c, IFLA_MAP, &map, sizeof(map));
	nl_put(c, IFLA_ADDRESS, loopback ? none : nif->mac, 6);
	nl_put(c, IFLA_BROADCAST, loopback ? none : all, 6);
	put_stats(c, nif);
	put_af_spec(c, nif);
	nl_end(c);
}

static struct netif *find(struct nl_ctx *c, const struct ifinfomsg *ifi, const struct nl_attrs *tb)
{
	char name[16];

	if (ifi->ifi_index > 0)
		return netif_by_index(c->st, ifi->ifi_index);
	if (nl_text(tb->at[IFLA_IFNAME], name, sizeof(name)))
		return netif_by_name(c->st, name);
	return NULL;
}

int link_get(struct nl_ctx *c, const struct nlmsghdr *h)
{
	const struct ifinfomsg *ifi = nl_header(h, sizeof(*ifi));
	struct nl_attrs tb;
	struct netif *nif;

	if (!ifi || nl_parse(h, sizeof(*ifi), &tb))
		return -EINVAL;
	if (ifi->ifi_index <= 0 && !tb.at[IFLA_IFNAME] && !tb.at[IFLA_ALT_IFNAME])
		return -EINVAL;
	nif = find(c, ifi, &tb);
	if (!nif)
		return -ENODEV;
	link_put(c, nif, RTM_NEWLINK, 0);
	return 0;
}

int link_dump(struct nl_ctx *c, const struct nlmsghdr *h)
{
	const struct ifinfomsg *ifi = nl_header(h, sizeof(*ifi));

	/* rtgenmsg alone was enough for programs of old; PF_BRIDGE has its own dump, of nothing here */
	if (h->nlmsg_len > NLMSG_HDRLEN && *(const uint8_t *)NLMSG_DATA(h) == AF_BRIDGE)
		return 0;
	(void)ifi;
	for (struct netif *nif = netif_next(c->st, NULL); nif; nif = netif_next(c->st, nif))
		link_put(c, nif, RTM_NEWLINK, 0);
	return 0;
}

static int rename_link(struct nl_ctx *c, struct netif *nif, const char *name)
{
	if (!strcmp(name, nif->name))
		return 0;
	if (netif_by_name(c->st, name))
		return -EEXIST;
	for (const char *p = name; *p; p++)
		if (*p == '/' || *p == ':' || *p <= ' ')
			return -EINVAL;
	if (!strcmp(name, ".") || !strcmp(name, ".."))
		return -EINVAL;
	strcpy(nif->name, name);
	return 0;
}

/* Everything is checked before anything is changed. */
static int check_change(struct nl_ctx *c, const struct netif *nif, const struct nl_attrs *tb)
{
	uint32_t mtu = nl_u32(tb->at[IFLA_MTU], nif->mtu);

	if (mtu != nif->mtu && nif->type != ARPHRD_LOOPBACK && (mtu < MTU_MIN || mtu > MTU_MAX)) {
		c->why = mtu < MTU_MIN ? "mtu less than device minimum" : "mtu greater than device maximum";
		return -EINVAL;
	}
	if (tb->at[IFLA_ADDRESS] && (nif->type != ARPHRD_ETHER || nl_size(tb->at[IFLA_ADDRESS]) != 6))
		return -EINVAL;
	if (tb->at[IFLA_ADDRESS] && (*(const uint8_t *)nl_data(tb->at[IFLA_ADDRESS]) & 1))
		return -EADDRNOTAVAIL;
	if (tb->at[IFLA_MASTER] || tb->at[IFLA_NET_NS_FD] || tb->at[IFLA_NET_NS_PID])
		return -EOPNOTSUPP;
	return 0;
}

int link_set(struct nl_ctx *c, const struct nlmsghdr *h)
{
	const struct ifinfomsg *ifi = nl_header(h, sizeof(*ifi));
	struct nl_attrs tb;
	struct netif *nif;
	char name[16];
	int ret;

	if (!ifi || nl_parse(h, sizeof(*ifi), &tb))
		return -EINVAL;
	nif = find(c, ifi, &tb);
	if (!nif) {
		if (h->nlmsg_flags & NLM_F_CREATE) {
			c->why = "Unknown device type";
			return -EOPNOTSUPP;
		}
		return -ENODEV;
	}
	if (h->nlmsg_flags & NLM_F_EXCL)
		return -EEXIST;
	ret = check_change(c, nif, &tb);
	if (ret)
		return ret;
	if (ifi->ifi_index > 0 && tb.at[IFLA_IFNAME]) {
		if (!nl_text(tb.at[IFLA_IFNAME], name, sizeof(name)))
			return -EINVAL;
		ret = rename_link(c, nif, name);
		if (ret)
			return ret;
	}
	nif->mtu = nl_u32(tb.at[IFLA_MTU], nif->mtu);
	nif->txqlen = nl_u32(tb.at[IFLA_TXQLEN], nif->txqlen);
	if (tb.at[IFLA_ADDRESS])
		memcpy(nif->mac, nl_data(tb.at[IFLA_ADDRESS]), 6);
	if ((ifi->ifi_change | ifi->ifi_flags) & IFF_UP || !ifi->ifi_change) {
		uint32_t keep = IFF_PROMISC | IFF_ALLMULTI | IFF_NOARP | IFF_MULTICAST | IFF_DEBUG,
			 change = ifi->ifi_change ? ifi->ifi_change & keep : 0;

		nif->flags = (nif->flags & ~change) | (ifi->ifi_flags & change);
		if (ifi->ifi_change & IFF_UP)
			ret = netif_set_up(nif, ifi->ifi_flags & IFF_UP);
	}
	netif_changed(nif);
	return ret;
}

int link_del(struct nl_ctx *c, const struct nlmsghdr *h)
{
	const struct ifinfomsg *ifi = nl_header(h, sizeof(*ifi));
	struct nl_attrs tb;

	if (!ifi || nl_parse(h, sizeof(*ifi), &tb))
		return -EINVAL;
	return find(c, ifi, &tb) ? -EOPNOTSUPP : -ENODEV;
}
