/* Interface ioctls (netdevice(7)): the way from before rtnetlink. */
#include <arpa/inet.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <net/route.h>
#include <stdio.h>

#include "common/base/util.h"
#include "netd/core/netif.h"
#include "netd/core/stack.h"
#include "netd/ether/neigh.h"
#include "netd/ip/fib.h"
#include "netd/proc/private.h"

static struct netif_addr *first_v4(struct netif *nif, const char *label)
{
	struct netif_addr *a;

	/* "eth0:1" is an address by its label */
	LIST_FOR_EACH (a, &nif->addrs, node)
		if (a->addr.family == AF_INET && (!strchr(label, ':') || !strcmp(a->label, label)))
			return a;
	return NULL;
}

static void put_sin(struct sockaddr *to, uint32_t v4)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr.s_addr = v4};

	memcpy(to, &sin, sizeof(sin));
}

static uint32_t get_sin(const struct sockaddr *from)
{
	struct sockaddr_in sin;

	memcpy(&sin, from, sizeof(sin));
	return sin.sin_addr.s_addr;
}

static uint32_t mask_of(unsigned prefix)
{
	return prefix ? htonl(UINT32_MAX << (32 - prefix)) : 0;
}

static int get_conf(struct netstack *st, uint8_t *data, size_t room, size_t *size)
{
	size_t used = 0, limit = *size ? MIN(*size, room) : room;

	for (struct netif *nif = netif_next(st, NULL); nif; nif = netif_next(st, nif)) {
		struct netif_addr *a;

		LIST_FOR_EACH (a, &nif->addrs, node) {
			struct ifreq r = {0};

			if (a->addr.family != AF_INET)
				continue;
			if (used + sizeof(r) > limit)
				goto out;
			snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", a->label[0] ? a->label : nif->name);
			put_sin(&r.ifr_addr, a->addr.v4);
			memcpy(data + used, &r, sizeof(r));
			used += sizeof(r);
		}
	}
out:
	*size = used;
	return 0;
}

/* Changing the address or the mask is a removal and a new one. */
static int set_addr(struct netif *nif, const char *label, uint32_t v4, int prefix, uint32_t broadcast)
{
	struct netif_addr *old = first_v4(nif, label), a = {.prefix = 0};

	if (old)
		a = *old;
	if (v4) {
		a.addr = ip_addr_v4(v4);
		/* the class decides, as it did of old */
		if (!old)
			a.prefix = (ntohl(v4) >> 31) == 0 ? 8 : (ntohl(v4) >> 30) == 2 ? 16 : 24;
	} else if (!old) {
		return -EADDRNOTAVAIL;
	}
	if (prefix >= 0)
		a.prefix = (uint8_t)prefix;
	a.broadcast = broadcast ? ip_addr_v4(broadcast)
				: nif->flags & IFF_BROADCAST && a.prefix < 31 ? ip_addr_v4(a.addr.v4 | ~mask_of(a.prefix))
									      : (struct ip_addr){0};
	a.flags = 0;
	a.valid_until_ms = a.preferred_until_ms = UINT64_MAX;
	snprintf(a.label, sizeof(a.label), "%s", label);
	if (old) {
		struct ip_addr gone = old->addr;

		netif_addr_del(nif, &gone, old->prefix);
	}
	return ip_addr_any(&a.addr) ? 0 : netif_addr_add(nif, &a);
}

static int set(struct netif *nif, uint32_t cmd, const struct ifreq *r)
{
	uint32_t v4 = get_sin(&r->ifr_addr), host = ntohl(v4);

	switch (cmd) {
	case SIOCSIFFLAGS: {
		uint32_t keep = IFF_PROMISC | IFF_ALLMULTI | IFF_NOARP | IFF_MULTICAST;

		nif->flags = (nif->flags & ~keep) | ((uint16_t)r->ifr_flags & keep);
		return netif_set_up(nif, r->ifr_flags & IFF_UP);
	}
	case SIOCSIFADDR:
		if (r->ifr_addr.sa_family != AF_INET)
			return -EINVAL;
		return set_addr(nif, r->ifr_name, v4, -1, 0);
	case SIOCSIFNETMASK:
		if (host && (~host & (~host + 1)))
			return -EINVAL;
		return set_addr(nif, r->ifr_name, 0, __builtin_popcount(host), 0);
	case SIOCSIFBRDADDR:
		return set_addr(nif, r->ifr_name, 0, -1, v4);
	case SIOCSIFMTU:
		if (nif->type != ARPHRD_LOOPBACK && (r->ifr_mtu < 68 || r->ifr_mtu > 65535))
			return -EINVAL;
		nif->mtu = (uint32_t)r->ifr_mtu;
		break;
	case SIOCSIFTXQLEN:
		if (r->ifr_qlen < 0)
			return -EINVAL;
		nif->txqlen = (uint32_t)r->ifr_qlen;
		break;
	case SIOCSIFHWADDR:
		if (nif->type != ARPHRD_ETHER)
			return -EOPNOTSUPP;
		if (r->ifr_hwaddr.sa_family != ARPHRD_ETHER)
			return -EINVAL;
		memcpy(nif->mac, r->ifr_hwaddr.sa_data, 6);
		break;
	default:
		return -EOPNOTSUPP;
	}
	netif_changed(nif);
	return 0;
}

static int get(struct netif *nif, uint32_t cmd, struct ifreq *r)
{
	struct netif_addr *a = first_v4(nif, r->ifr_name);

	switch (cmd) {
	case SIOCGIFFLAGS:
		r->ifr_flags = (short)nif->flags;
		return 0;
	case SIOCGIFINDEX:
		r->ifr_ifindex = nif->index;
		return 0;
	case SIOCGIFMTU:
		r->ifr_mtu = (int)nif->mtu;
		return 0;
	case SIOCGIFMETRIC:
		r->ifr_metric = 0;
		return 0;
	case SIOCGIFTXQLEN:
		r->ifr_qlen = (int)nif->txqlen;
		return 0;
	case SIOCGIFMAP:
		memset(&r->ifr_map, 0, sizeof(r->ifr_map));
		return 0;
	case SIOCGIFHWADDR:
		memset(&r->ifr_hwaddr, 0, sizeof(r->ifr_hwaddr));
		r->ifr_hwaddr.sa_family = nif->type;
		memcpy(r->ifr_hwaddr.sa_data, nif->mac, 6);
		return 0;
	}
	if (!a)
		return -EADDRNOTAVAIL;
	switch (cmd) {
	case SIOCGIFADDR:
		put_sin(&r->ifr_addr, a->addr.v4);
		return 0;
	case SIOCGIFDSTADDR:
		put_sin(&r->ifr_addr, a->peer.family ? a->peer.v4 : a->addr.v4);
		return 0;
	case SIOCGIFBRDADDR:
		put_sin(&r->ifr_addr, a->broadcast.family ? a->broadcast.v4 : 0);
		return 0;
	case SIOCGIFNETMASK:
		put_sin(&r->ifr_addr, mask_of(a->prefix));
		return 0;
	}
	return -ENOTTY;
}

/* data: the ethtool command's structure, behind the ifreq that names the interface. */
static int ethtool(struct netif *nif, uint8_t *data, size_t size)
{
	uint32_t cmd;

	if (size < sizeof(cmd))
		return -EFAULT;
	memcpy(&cmd, data, sizeof(cmd));
	switch (cmd) {
	case ETHTOOL_GDRVINFO: {
		struct ethtool_drvinfo info = {.cmd = cmd, .driver = "sbx", .version = "1.0"};

		if (size < sizeof(info))
			return -EINVAL;
		memcpy(data, &info, sizeof(info));
		return 0;
	}
	case ETHTOOL_GLINK:
	case ETHTOOL_GRXCSUM:
	case ETHTOOL_GTXCSUM:
	case ETHTOOL_GSG:
	case ETHTOOL_GTSO:
	case ETHTOOL_GGSO:
	case ETHTOOL_GGRO: {
		struct ethtool_value v = {.cmd = cmd};

		if (size < sizeof(v))
			return -EINVAL;
		v.data = cmd == ETHTOOL_GLINK ? !!(nif->flags & IFF_RUNNING)
			 : cmd == ETHTOOL_GTSO ? !!(nif->features & NETIF_F_TSO) : !!(nif->features & NETIF_F_CSUM);
		memcpy(data, &v, sizeof(v));
		return 0;
	}
	case ETHTOOL_GSET: {
		struct ethtool_cmd c = {.cmd = cmd, .duplex = DUPLEX_FULL};

		if (size < sizeof(c))
			return -EINVAL;
		ethtool_cmd_speed_set(&c, 10000);
		memcpy(data, &c, sizeof(c));
		return 0;
	}
	default:
		return -EOPNOTSUPP;
	}
}

static int arp(struct netstack *st, uint32_t cmd, struct arpreq *r)
{
	struct ip_addr a = ip_addr_v4(get_sin(&r->arp_pa));
	struct neigh *n = NULL;
	struct netif *nif;

	r->arp_dev[sizeof(r->arp_dev) - 1] = 0;
	if (r->arp_pa.sa_family != AF_INET)
		return -EPFNOSUPPORT;
	if (r->arp_dev[0]) {
		nif = netif_by_name(st, r->arp_dev);
		if (!nif)
			return -ENODEV;
		n = neigh_find(nif, &a);
	} else {
		for (nif = netif_next(st, NULL); nif && !n; nif = n ? nif : netif_next(st, nif))
			n = neigh_find(nif, &a);
	}
	if (cmd == SIOCSARP) {
		if (!r->arp_dev[0])
			return -ENODEV;
		n = neigh_get(nif, &a);
		if (!n)
			return -ENOBUFS;
		neigh_update(n, (const uint8_t *)r->arp_ha.sa_data, r->arp_flags & ATF_PERM ? NUD_PERMANENT : NUD_STALE,
			     NEIGH_OVERRIDE | NEIGH_ADMIN);
		return 0;
	}
	if (!n)
		return -ENXIO;
	if (cmd == SIOCDARP) {
		neigh_delete(n);
		return 0;
	}
	r->arp_ha.sa_family = ARPHRD_ETHER;
	memcpy(r->arp_ha.sa_data, n->mac, 6);
	r->arp_flags = neigh_state(n) & NUD_PERMANENT ? ATF_PERM | ATF_COM : ATF_COM;
	snprintf(r->arp_dev, sizeof(r->arp_dev), "%s", n->nif->name);
	return 0;
}

static int route(struct netstack *st, uint32_t cmd, const struct rtentry *r, const char *dev)
{
	struct fib_entry e = {.table = 254, .type = 1, .protocol = 3, .dst = ip_addr_v4(get_sin(&r->rt_dst))};
	uint32_t mask = ntohl(get_sin(&r->rt_genmask));

	if (r->rt_dst.sa_family != AF_INET || (mask && (~mask & (~mask + 1))))
		return -EINVAL;
	e.dst_len = r->rt_flags & RTF_HOST ? 32 : (uint8_t)__builtin_popcount(mask);
	e.priority = r->rt_metric > 0 ? (uint32_t)r->rt_metric - 1 : 0;
	e.hop_count = 1;
	e.hop[0].weight = 1;
	if (r->rt_flags & RTF_GATEWAY)
		e.hop[0].gateway = ip_addr_v4(get_sin(&r->rt_gateway));
	if (dev[0]) {
		e.hop[0].out = netif_by_name(st, dev);
		if (!e.hop[0].out)
			return -ENODEV;
	}
	e.scope = r->rt_flags & RTF_GATEWAY ? 0 : cmd == SIOCADDRT ? 253 /* link */ : 255 /* nowhere: any */;
	if (r->rt_flags & RTF_REJECT) {
		e.type = 7; /* unreachable */
		e.hop_count = 0;
	}
	if (!(r->rt_flags & (RTF_GATEWAY | RTF_REJECT)) && !dev[0] && cmd == SIOCADDRT)
		return -ENODEV;
	if (!dev[0] && !e.hop[0].gateway.family)
		e.hop_count = 0;
	return cmd == SIOCADDRT ? fib_add(st, &e, FIB_CREATE | FIB_EXCL) : fib_del(st, &e);
}

static bool changes(uint32_t cmd)
{
	switch (cmd) {
	case SIOCSIFFLAGS:
	case SIOCSIFADDR:
	case SIOCSIFNETMASK:
	case SIOCSIFBRDADDR:
	case SIOCSIFMTU:
	case SIOCSIFTXQLEN:
	case SIOCSIFHWADDR:
	case SIOCSARP:
	case SIOCDARP:
	case SIOCADDRT:
	case SIOCDELRT:
		return true;
	default:
		return false;
	}
}

int netproc_ioctl(struct netstack *st, uint32_t cmd, bool admin, uint8_t *data, size_t room, size_t *size)
{
	struct ifreq r;
	struct netif *nif;
	char name[IFNAMSIZ], *colon;
	int ret;

	if (changes(cmd) && !admin)
		return -EPERM;
	if ((cmd & ~0xffu) != 0x8900)
		return -ENOTTY;
	if (cmd == SIOCGIFCONF)
		return get_conf(st, data, room, size);
	if (cmd == SIOCGARP || cmd == SIOCSARP || cmd == SIOCDARP) {
		struct arpreq a;

		if (*size < sizeof(a))
			return -EFAULT;
		memcpy(&a, data, sizeof(a));
		ret = arp(st, cmd, &a);
		memcpy(data, &a, sizeof(a));
		return ret;
	}
	if (cmd == SIOCADDRT || cmd == SIOCDELRT) {
		struct rtentry t;

		/* the name of the device stands behind the structure: its pointer is the program's */
		if (*size < sizeof(t) + IFNAMSIZ)
			return -EFAULT;
		memcpy(&t, data, sizeof(t));
		memcpy(name, data + sizeof(t), IFNAMSIZ);
		name[IFNAMSIZ - 1] = 0;
		return route(st, cmd, &t, name);
	}
	if (*size < sizeof(r))
		return -EFAULT;
	memcpy(&r, data, sizeof(r));
	r.ifr_name[IFNAMSIZ - 1] = 0;
	if (cmd == SIOCGIFNAME) {
		nif = netif_by_index(st, r.ifr_ifindex);
		if (!nif)
			return -ENODEV;
		snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", nif->name);
		memcpy(data, &r, sizeof(r));
		return 0;
	}
	snprintf(name, sizeof(name), "%s", r.ifr_name);
	colon = strchr(name, ':');
	if (colon)
		*colon = 0;
	nif = netif_by_name(st, name);
	if (!nif)
		return -ENODEV;
	if (cmd == SIOCETHTOOL)
		return ethtool(nif, data + sizeof(r), *size - sizeof(r));
	ret = changes(cmd) ? set(nif, cmd, &r) : get(nif, cmd, &r);
	if (ret == 0)
		memcpy(data, &r, sizeof(r));
	return ret;
}
