/* The configuration of the container's namespace, given to the stack. */
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include "common/base/util.h"
#include "common/ipc/msg_link.h"
#include "common/log/log.h"
#include "netd/core/netif.h"
#include "netd/core/stack.h"
#include "netd/ip/fib.h"
#include "netd/link/private.h"

struct ip_addr link_ip_addr(const struct link_ip *ip)
{
	struct ip_addr a = {.family = ip->family};

	if (ip->family == AF_INET)
		memcpy(&a.v4, ip->bytes, 4);
	else if (ip->family == AF_INET6)
		memcpy(a.v6, ip->bytes, 16);
	return a;
}

static void complain(const char *what, const struct link_ip *ip, unsigned prefix, int err)
{
	struct ip_addr a = link_ip_addr(ip);
	char text[46];

	log_warn("%s %s/%u of the container is left out: %s", what, ip_addr_text(&a, text), prefix, strerror(-err));
}

static uint64_t until_ms(struct netstack *st, uint32_t seconds)
{
	return seconds == UINT32_MAX ? UINT64_MAX : netstack_now_ms(st) + (uint64_t)seconds * 1000;
}

static void add_addr(struct netstack *st, const struct link_addr *l)
{
	struct netif *nif = netif_by_index(st, (int)l->index);
	struct netif_addr a = {
		.addr = link_ip_addr(&l->addr), .peer = link_ip_addr(&l->peer),
		.broadcast = link_ip_addr(&l->broadcast), .prefix = l->prefix, .scope = l->scope,
		.flags = l->flags & ~(uint32_t)(IFA_F_TENTATIVE | IFA_F_SECONDARY),
		.preferred_until_ms = until_ms(st, l->preferred_s), .valid_until_ms = until_ms(st, l->valid_s),
	};
	int r;

	/* what the host had made sure of need not be asked again */
	if (l->addr.family == AF_INET6 && !(l->flags & IFA_F_TENTATIVE))
		a.flags |= IFA_F_NODAD;
	memcpy(a.label, l->label, sizeof(a.label));
	r = netif_addr_add(nif, &a);
	if (r < 0 && r != -EEXIST)
		complain("the address", &l->addr, l->prefix, r);
}

static int add_route(struct netstack *st, const struct link_route *l)
{
	struct fib_entry e = {
		.dst = link_ip_addr(&l->dst), .dst_len = l->dst_len, .protocol = l->protocol, .scope = l->scope,
		.type = l->type, .table = l->table, .priority = l->metric, .prefsrc = link_ip_addr(&l->prefsrc),
		.metrics = {.mtu = l->mtu, .advmss = l->advmss, .window = l->window, .initcwnd = l->initcwnd},
	};

	if (l->oif || l->gateway.family) {
		e.hop_count = 1;
		e.hop[0] = (struct fib_hop){.gateway = link_ip_addr(&l->gateway), .weight = 1,
					    .flags = (uint8_t)l->flags};
		e.hop[0].out = l->oif ? netif_by_index(st, (int)l->oif) : NULL;
	}
	return fib_add(st, &e, FIB_CREATE | FIB_EXCL);
}

/* A gateway may be reached over another of them, which a dump lists later: as long as one finds its place, the others
 * get another chance. */
static void add_routes(struct netstack *st, const struct link_config *c)
{
	CLEANUP_FREE int *result = calloc(c->route_count + 1, sizeof(*result));
	bool again = result != NULL;

	for (size_t i = 0; result && i < c->route_count; i++)
		result[i] = -EAGAIN;
	while (again) {
		again = false;
		for (size_t i = 0; i < c->route_count; i++) {
			if (result[i] == 0)
				continue;
			result[i] = add_route(st, &c->routes[i]);
			if (result[i] == -EEXIST)
				result[i] = 0;
			again |= result[i] == 0;
		}
	}
	for (size_t i = 0; result && i < c->route_count; i++)
		if (result[i])
			complain("the route", &c->routes[i].dst, c->routes[i].dst_len, result[i]);
}

static void add_rule(struct netstack *st, const struct link_rule *l)
{
	const struct fib_rule r = {
		.family = l->family, .priority = l->priority, .src = link_ip_addr(&l->src), .dst = link_ip_addr(&l->dst),
		.src_len = l->src_len, .dst_len = l->dst_len, .action = l->action, .table = l->table, .mark = l->mark,
		.mark_mask = l->mask, .flags = l->flags & FIB_RULE_INVERT, .suppress_prefixlen = -1,
	};
	int err = fib_rule_add(st, &r, true);

	if (err && err != -EEXIST)
		log_warn("the routing rule %u of the container is left out: %s", l->priority, strerror(-err));
}

int link_apply(struct netstack *st, const struct link_config *c)
{
	int r = netif_set_up(netif_loopback(st), true);

	/* addresses first: an interface that comes up with a link-local address needs no new one */
	for (size_t i = 0; i < c->link_count; i++)
		netif_by_index(st, (int)c->links[i].index)->conf[NETIF_CONF_V6_DISABLE_IPV6] = !c->links[i].ipv6;
	for (size_t i = 0; i < c->addr_count; i++)
		add_addr(st, &c->addrs[i]);
	for (size_t i = 0; r == 0 && i < c->link_count; i++)
		if (c->links[i].flags & IFF_UP)
			r = netif_set_up(netif_by_index(st, (int)c->links[i].index), true);
	add_routes(st, c);
	for (size_t i = 0; i < c->rule_count; i++)
		add_rule(st, &c->rules[i]);
	return r;
}
