/* What changes, told to the groups of NETLINK_ROUTE. */
#include "common/base/util.h"
#include "netd/core/netif.h"
#include "netd/ether/neigh.h"
#include "netd/ip/fib.h"
#include "netd/netlink/private.h"

static void on_event(struct net_listener *l, enum net_event ev, bool deleted, const void *what)
{
	struct netlink_monitor *m = CONTAINER_OF(l, struct netlink_monitor, listener);
	static uint8_t buf[NL_ROOM];
	struct nl_ctx c = {.st = m->st, .emit = m->emit, .arg = m->arg, .buf = buf};
	uint32_t group = 0;

	switch (ev) {
	case NET_EV_LINK:
		link_put(&c, (struct netif *)what, deleted ? RTM_DELLINK : RTM_NEWLINK, 0);
		group = RTNLGRP_LINK;
		break;
	case NET_EV_ADDR: {
		const struct netif_addr *a = what;

		addr_put(&c, a->netif, a, deleted ? RTM_DELADDR : RTM_NEWADDR, 0);
		group = a->addr.family == AF_INET ? RTNLGRP_IPV4_IFADDR : RTNLGRP_IPV6_IFADDR;
		break;
	}
	case NET_EV_ROUTE: {
		const struct fib_entry *e = what;

		route_put(&c, e, deleted ? RTM_DELROUTE : RTM_NEWROUTE, 0);
		group = e->dst.family == AF_INET ? RTNLGRP_IPV4_ROUTE : RTNLGRP_IPV6_ROUTE;
		break;
	}
	case NET_EV_NEIGH:
		neigh_put(&c, (struct neigh *)what, deleted ? RTM_DELNEIGH : RTM_NEWNEIGH, 0);
		group = RTNLGRP_NEIGH;
		break;
	}
	if (group)
		nl_send(&c, group);
}

void netlink_monitor_start(struct netlink_monitor *m, struct netstack *st, netlink_emit_fn emit, void *arg)
{
	*m = (struct netlink_monitor){.listener.fn = on_event, .st = st, .emit = emit, .arg = arg};
	net_listener_add(st, &m->listener);
}

void netlink_monitor_stop(struct netlink_monitor *m)
{
	net_listener_remove(&m->listener);
}
