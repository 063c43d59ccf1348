/* Routing decisions: which way, with which source address, with which MTU. */
#include <net/if.h>

#include "netd/ip/ip_priv.h"

uint32_t ip_route_mtu(struct netstack *st, const struct ip_addr *dst, const struct netif *out, uint32_t metric)
{
	uint32_t mtu = metric ? MIN(metric, out->mtu) : out->mtu;

	if (dst->family == AF_INET6)
		mtu = MIN(mtu, (uint32_t)MIN(out->conf[NETIF_CONF_V6_MTU], UINT32_MAX));
	return MIN(mtu, pmtu_get(st, dst));
}

bool ip_route_ok(struct netstack *st, const struct ip_route *r)
{
	return r->out && r->generation == st->generation;
}

static void fill(struct netstack *st, struct ip_route *r, const struct ip_flow *f, struct netif *out,
		 const struct fib_entry *e)
{
	uint32_t metric = e ? e->metrics.mtu : 0;

	r->out = out;
	r->generation = st->generation;
	if (e) {
		r->advmss = e->metrics.advmss;
		r->hoplimit = e->metrics.hoplimit;
		r->window = e->metrics.window;
		r->initcwnd = e->metrics.initcwnd;
	}
	r->mtu = r->local || (e && e->metrics.mtu_lock) ? (metric ? metric : out->mtu)
							: ip_route_mtu(st, &f->dst, out, metric);
}

static bool limited_broadcast(const struct ip_addr *a)
{
	return a->family == AF_INET && a->v4 == UINT32_MAX;
}

/* A destination on no route of ours, out of the interface that was asked for. */
static int on_link(struct netstack *st, const struct ip_flow *f, struct netif *oif, struct ip_route *r)
{
	if (!f->src.family && !ip_select_source(st, oif, &f->dst, NULL, &r->src) && f->dst.family == AF_INET6)
		return -EADDRNOTAVAIL;
	if (!r->src.family)
		r->src = (struct ip_addr){.family = f->dst.family};
	r->local = oif == st->loopback && !r->multicast && !r->broadcast;
	fill(st, r, f, oif, NULL);
	return 0;
}

/* Multicast without an interface goes where a unicast would, or out of the first interface that can. */
static struct netif *multicast_netif(struct netstack *st)
{
	struct netif *nif;

	LIST_FOR_EACH(nif, &st->netifs, node) {
		if ((nif->flags & IFF_UP) && (nif->flags & IFF_MULTICAST))
			return nif;
	}
	return NULL;
}

static int check_source(struct netstack *st, const struct ip_flow *f)
{
	if (!f->src.family || ip_addr_any(&f->src) || f->any_src)
		return 0;
	if (ip_addr_multicast(&f->src) || limited_broadcast(&f->src))
		return -EINVAL;
	return netif_of_addr(st, &f->src) ? 0 : -EINVAL;
}

int ip_route_lookup(struct netstack *st, const struct ip_flow *from, struct ip_route *ret)
{
	struct ip_route r = {.multicast = ip_addr_multicast(&from->dst), .broadcast = limited_broadcast(&from->dst)};
	const struct fib_entry *e = NULL;
	const struct fib_hop *hop = NULL;
	struct ip_flow f = *from;
	struct netif *oif = NULL, *out;
	int err;

	if (!f.oif && f.dst.family == AF_INET6 && f.dst.scope)
		f.oif = (int)f.dst.scope;
	if (f.src.family && ip_addr_any(&f.src))
		f.src.family = AF_UNSPEC;
	err = check_source(st, &f);
	if (err < 0)
		return err;
	if (f.oif) {
		oif = netif_by_index(st, f.oif);
		if (!oif)
			return -ENODEV;
		if (!(oif->flags & IFF_UP))
			return -ENETUNREACH;
	}
	if (f.src.family)
		r.src = f.src;
	if (ip_addr_any(&f.dst)) {
		/* To nobody in particular is to ourselves. */
		if (!(st->loopback->flags & IFF_UP))
			return -ENETUNREACH;
		r.local = true;
		if (!r.src.family) {
			r.src = (struct ip_addr){.family = f.dst.family};
			if (f.dst.family == AF_INET)
				r.src.v4 = be32(INADDR_LOOPBACK);
			else
				r.src.v6[15] = 1;
		}
		fill(st, &r, &f, st->loopback, NULL);
		*ret = r;
		return 0;
	}
	if ((r.multicast || r.broadcast) && !oif) {
		/* A source address says the interface. */
		if (f.src.family)
			oif = netif_of_addr(st, &f.src);
		else if (f.dst.family == AF_INET6 && r.multicast)
			oif = multicast_netif(st);
	}
	/* Groups of IPv6 have a route on each link that can, and loopback is none. */
	if (r.multicast && f.dst.family == AF_INET6 && oif && (oif->flags & IFF_LOOPBACK))
		return -ENETUNREACH;
	if ((r.multicast || r.broadcast) && oif) {
		err = on_link(st, &f, oif, &r);
		if (err == 0)
			*ret = r;
		return err;
	}
	err = fib_lookup(st, &f, &e, &hop);
	if (err < 0 || !hop) {
		if (err == 0)
			err = -ENETUNREACH;
		/* Asked to use an interface, IPv4 believes that the destination is there. */
		if (oif && err == -ENETUNREACH && f.dst.family == AF_INET) {
			err = on_link(st, &f, oif, &r);
			if (err == 0)
				*ret = r;
		}
		return err;
	}
	out = hop->out;
	if (e->type == RTN_LOCAL) {
		r.local = true;
		if (!(st->loopback->flags & IFF_UP) && out == st->loopback)
			return -ENETUNREACH;
		if (!r.src.family)
			r.src = e->prefsrc.family ? e->prefsrc : f.dst;
		fill(st, &r, &f, st->loopback, e);
		*ret = r;
		return 0;
	}
	r.broadcast = r.broadcast || e->type == RTN_BROADCAST;
	if (hop->gateway.family && !r.multicast && !r.broadcast)
		r.gateway = hop->gateway;
	if (!r.src.family) {
		if (e->prefsrc.family)
			r.src = e->prefsrc;
		else if (!ip_select_source(st, out, &f.dst, r.gateway.family ? &r.gateway : NULL, &r.src)) {
			if (f.dst.family == AF_INET6)
				return -EADDRNOTAVAIL;
			r.src = (struct ip_addr){.family = AF_INET};
		}
	}
	fill(st, &r, &f, out, e);
	*ret = r;
	return 0;
}

struct netif *netif_of_addr(struct netstack *st, const struct ip_addr *addr)
{
	const struct fib_entry *e;
	struct netif *nif;

	if (fib_local_type(st, addr, &e) != RTN_LOCAL || !e->hop_count)
		return NULL;
	if (addr->family == AF_INET6 && addr->scope && ip_addr_linklocal(addr)) {
		/* The same link-local address may stand on several links. */
		nif = netif_by_index(st, (int)addr->scope);
		if (nif) {
			struct netif_addr *a;

			LIST_FOR_EACH(a, &nif->addrs, node) {
				if (ip_addr_equal(&a->addr, addr))
					return nif;
			}
		}
		return NULL;
	}
	return e->hop[0].out;
}
