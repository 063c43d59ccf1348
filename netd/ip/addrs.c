/* What an address means for routing: its local, broadcast and prefix routes, as Linux makes them, and what an
 * interface that comes up or goes down changes. */
#include <linux/if_addr.h>
#include <net/if.h>
#include <net/if_arp.h>

#include "netd/core/layers.h"
#include "netd/ether/neigh.h"
#include "netd/ip/ip_priv.h"
#include "netd/ip/v4.h"
#include "netd/ip/v6.h"

static void route_change(struct netif *nif, bool add, uint32_t table, uint8_t type, uint8_t scope,
			 const struct ip_addr *dst, unsigned len, const struct ip_addr *prefsrc, uint32_t priority,
			 uint32_t proto_flags)
{
	struct fib_entry e = {.dst = *dst, .dst_len = (uint8_t)len, .protocol = RTPROT_KERNEL, .scope = scope,
			      .type = type, .table = table, .priority = priority, .hop_count = 1,
			      .flags = proto_flags, .hop = {{.out = nif, .weight = 1}}};

	if (prefsrc)
		e.prefsrc = *prefsrc;
	e.dst.scope = 0;
	e.prefsrc.scope = 0;
	if (dst->family == AF_INET)
		e.dst.v4 &= len ? be32(UINT32_MAX << (32 - len)) : 0;
	for (unsigned i = 0; dst->family == AF_INET6 && i < 16; i++) {
		unsigned bits = len > 8 * i ? MIN(len - 8 * i, 8u) : 0;

		e.dst.v6[i] &= (uint8_t)(0xff00u >> bits);
	}
	if (add)
		(void)fib_add(nif->st, &e, 0);
	else
		(void)fib_del(nif->st, &e);
}

static bool another_has(struct netif *nif, const struct netif_addr *a)
{
	struct netif_addr *o;

	LIST_FOR_EACH(o, &nif->addrs, node) {
		if (o != a && o->addr.family == a->addr.family && o->prefix == a->prefix && !o->advertised &&
		    !(o->flags & (IFA_F_NOPREFIXROUTE | IFA_F_SECONDARY)) &&
		    ip_addr_prefix_equal(&o->addr, &a->addr, a->prefix))
			return true;
	}
	return false;
}

static struct ip_addr subnet_broadcast(const struct netif_addr *a)
{
	uint32_t host = a->prefix ? be32(~(UINT32_MAX << (32 - a->prefix))) : UINT32_MAX;

	return ip_addr_v4(a->addr.v4 | host);
}

static void v4_prefix(struct netif *nif, const struct netif_addr *a, bool add)
{
	bool lo = nif->flags & IFF_LOOPBACK;
	struct ip_addr net = a->peer.family ? a->peer : a->addr, bcast;

	if (a->prefix < 32 && !(a->flags & IFA_F_SECONDARY) && !(a->flags & IFA_F_NOPREFIXROUTE))
		route_change(nif, add, lo ? RT_TABLE_LOCAL : RT_TABLE_MAIN, lo ? RTN_LOCAL : RTN_UNICAST,
			     lo ? RT_SCOPE_HOST : RT_SCOPE_LINK, &net, a->prefix, &a->addr,
			     0, 0);
	else if (a->peer.family && a->prefix == 32)
		route_change(nif, add, RT_TABLE_MAIN, RTN_UNICAST, RT_SCOPE_LINK, &a->peer, 32, &a->addr, 0, 0);
	if (a->prefix >= 31 || (a->flags & IFA_F_SECONDARY))
		return;
	bcast = subnet_broadcast(a);
	route_change(nif, add, RT_TABLE_LOCAL, RTN_BROADCAST, RT_SCOPE_LINK, &bcast, 32, &a->addr, 0, 0);
	if (a->broadcast.family && a->broadcast.v4 != bcast.v4 && a->broadcast.v4)
		route_change(nif, add, RT_TABLE_LOCAL, RTN_BROADCAST, RT_SCOPE_LINK, &a->broadcast, 32, &a->addr, 0,
			     0);
}

static void v6_prefix(struct netif *nif, const struct netif_addr *a, bool add)
{
	uint32_t priority = 256;

	if (a->advertised || (a->flags & IFA_F_NOPREFIXROUTE) || (!add && another_has(nif, a)))
		return;
	route_change(nif, add, RT_TABLE_MAIN, RTN_UNICAST, RT_SCOPE_UNIVERSE, a->peer.family ? &a->peer : &a->addr,
		     a->prefix, NULL, priority, 0);
}

void ip_addr_local(struct netif *nif, const struct netif_addr *a, bool add)
{
	route_change(nif, add, RT_TABLE_LOCAL, RTN_LOCAL, a->addr.family == AF_INET ? RT_SCOPE_HOST : RT_SCOPE_UNIVERSE,
		     &a->addr, a->addr.family == AF_INET ? 32 : 128, a->addr.family == AF_INET ? &a->addr : NULL, 0, 0);
}

void ip_addr_added(struct netif *nif, struct netif_addr *a)
{
	if (a->valid_until_ms != UINT64_MAX)
		addrconf_lives(nif, a);
	if (a->addr.family == AF_INET) {
		ip_addr_local(nif, a, true);
		if (nif->flags & IFF_UP)
			v4_prefix(nif, a, true);
		return;
	}
	if (nif->flags & IFF_UP)
		v6_prefix(nif, a, true);
	ip6_addr_start(nif, a);
}

void ip_addr_removed(struct netif *nif, struct netif_addr *a)
{
	if (a->addr.family == AF_INET) {
		ip_addr_local(nif, a, false);
		v4_prefix(nif, a, false);
		return;
	}
	ip6_addr_stop(nif, a);
	/* The same link-local address may live on on another link. */
	ip_addr_local(nif, a, false);
	v6_prefix(nif, a, false);
}

static bool has_family(struct netif *nif, int family)
{
	struct netif_addr *a;

	LIST_FOR_EACH(a, &nif->addrs, node) {
		if (a->addr.family == family)
			return true;
	}
	return false;
}

void ip_netif_up(struct netif *nif)
{
	struct netif_addr *a, *tmp;

	if (nif->flags & IFF_LOOPBACK) {
		struct netif_addr v4 = {.addr = ip_addr_v4(be32(INADDR_LOOPBACK)), .prefix = 8};
		struct netif_addr v6 = {.addr = {.family = AF_INET6}, .prefix = 128};

		v6.addr.v6[15] = 1;
		if (!has_family(nif, AF_INET))
			(void)netif_addr_add(nif, &v4);
		if (!has_family(nif, AF_INET6) && !nif->conf[NETIF_CONF_V6_DISABLE_IPV6] &&
		    !nif->st->sysctl[NET_SYSCTL_CONF6_ALL_DISABLE_IPV6])
			(void)netif_addr_add(nif, &v6);
	}
	LIST_FOR_EACH(a, &nif->addrs, node) {
		if (a->addr.family == AF_INET)
			v4_prefix(nif, a, true);
		else
			v6_prefix(nif, a, true);
	}
	ip4_netif_up(nif);
	ip6_netif_up(nif);
	LIST_FOR_EACH_SAFE(a, tmp, &nif->addrs, node) {
		if (a->addr.family == AF_INET6)
			ip6_addr_start(nif, a);
	}
}

void ip_netif_down(struct netif *nif)
{
	struct netif_addr *a, *tmp;

	LIST_FOR_EACH(a, &nif->addrs, node) {
		if (a->addr.family == AF_INET6)
			ip6_addr_stop(nif, a);
	}
	ip4_netif_down(nif);
	ip6_netif_down(nif);
	neigh_flush(nif);
	fib_flush_netif(nif, 0, false);
	/* IPv6 addresses go with the link (keep_addr_on_down), IPv4's stay. */
	LIST_FOR_EACH_SAFE(a, tmp, &nif->addrs, node) {
		struct ip_addr addr = a->addr;

		if (addr.family == AF_INET6 && !nif->conf[NETIF_CONF_V6_KEEP_ADDR_ON_DOWN])
			(void)netif_addr_del(nif, &addr, a->prefix);
	}
}

int ip_netif_added(struct netif *nif)
{
	int ret = ip4_netif_added(nif);

	return ret < 0 ? ret : ip6_netif_added(nif);
}

void ip_netif_removed(struct netif *nif)
{
	ip4_netif_removed(nif);
	ip6_netif_removed(nif);
	neigh_flush(nif);
	fib_flush_netif(nif, 0, true);
}

void ip_conf_changed(struct netif *nif, unsigned id)
{
	if (id == NETIF_CONF_V6_DISABLE_IPV6)
		ip6_disable_changed(nif);
}

void ip_mtu_changed(struct netif *nif)
{
	nif->conf[NETIF_CONF_V6_MTU] = MAX(nif->mtu, 1280u);
}
