/* Addresses and routes that come by themselves (RFC 4862, 4861 6): link-local addresses, duplicate address detection,
 * router solicitations, and what routers advertise. Bounded in everything a hostile router could ask for. */
#include <linux/if_addr.h>
#include <net/if.h>
#include <net/if_arp.h>

#include "netd/ether/neigh.h"
#include "netd/ip/v6_priv.h"

#define RETRANS_MS 1000u
#define REDIRECTS_MAX 64u
#define ROUTES_MAX 64u   /* routers and prefixes that were advertised */
#define RTPROT_RA_ 9
#define TWO_HOURS_MS 7200000u

/* An address that is being tried. */
struct trial {
	struct list node;
	struct netif *nif;
	struct netif_addr *a;
	struct net_timer timer;
	uint8_t nonce[6];
};

struct addrconf {
	struct netif *nif;
	struct list trials;
	struct net_timer solicit; /* the next router solicitation */
	struct net_timer lives;   /* the next end of a lifetime */
	uint64_t interval_ms;
	unsigned sent;
	bool router_seen;
};

static struct addrconf *conf_of(struct netif *nif)
{
	return nif->nd;
}

/* ---- duplicate address detection ---- */

static struct trial *trial_of(struct netif *nif, const struct netif_addr *a)
{
	struct trial *t;

	LIST_FOR_EACH(t, &conf_of(nif)->trials, node) {
		if (t->a == a)
			return t;
	}
	return NULL;
}

static void trial_end(struct trial *t)
{
	net_timer_cancel(&t->timer);
	list_del(&t->node);
	free(t);
}

/* In and out of the solicited-node group, once each. */
static void node_group(struct netif *nif, struct netif_addr *a, bool join)
{
	if (a->mc_joined == join)
		return;
	a->mc_joined = join;
	mld_addr(nif, &a->addr, join);
}

static void lives_arm(struct netif *nif, uint64_t when_ms);

static void addr_ready(struct netif *nif, struct netif_addr *a)
{
	struct addrconf *c = conf_of(nif);

	a->flags &= ~(uint32_t)(IFA_F_TENTATIVE | IFA_F_OPTIMISTIC);
	ip_addr_local(nif, a, true);
	netstack_bump(nif->st);
	net_event(nif->st, NET_EV_ADDR, false, a);
	/* With a link-local address we can ask for routers. */
	if (ip_addr_linklocal(&a->addr) && nif->conf[NETIF_CONF_V6_ACCEPT_RA] && !c->router_seen && !c->sent &&
	    nif->type == ARPHRD_ETHER && nif->conf[NETIF_CONF_V6_ROUTER_SOLICITATIONS] != 0 &&
	    !net_timer_armed(&c->solicit))
		net_timer_arm(nif->st, &c->solicit,
			      netstack_random32(nif->st) %
				      (1 + 1000 * (uint32_t)nif->conf[NETIF_CONF_V6_ROUTER_SOLICITATION_DELAY]));
}

static void trial_timer(struct net_timer *timer)
{
	struct trial *t = CONTAINER_OF(timer, struct trial, timer);
	struct netif *nif = t->nif;
	struct netif_addr *a = t->a;
	struct ip_addr any = {.family = AF_INET6}, node = ip6_solicited_node(&a->addr);

	if (a->dad_left == 0) {
		trial_end(t);
		addr_ready(nif, a);
		return;
	}
	a->dad_left--;
	netstack_random(nif->st, t->nonce, sizeof(t->nonce));
	net_timer_arm(nif->st, &t->timer, RETRANS_MS);
	nd_send_ns(nif, &any, &node, &a->addr, t->nonce);
}

bool addrconf_own_nonce(struct netif *nif, const struct netif_addr *a, const uint8_t nonce[6])
{
	struct trial *t = trial_of(nif, a);

	return t && !memcmp(t->nonce, nonce, 6);
}

void ip6_addr_start(struct netif *nif, struct netif_addr *a)
{
	struct trial *t;

	if (!conf_of(nif) || ip6_disabled(nif) || trial_of(nif, a) || (a->flags & IFA_F_DADFAILED))
		return;
	if (nif->type != ARPHRD_ETHER || (a->flags & IFA_F_NODAD) || !nif->conf[NETIF_CONF_V6_ACCEPT_DAD] ||
	    nif->conf[NETIF_CONF_V6_DAD_TRANSMITS] <= 0) {
		/* Ready even while the link is down: it may be bound to. */
		if (nif->flags & IFF_UP)
			node_group(nif, a, true);
		addr_ready(nif, a);
		return;
	}
	a->flags |= IFA_F_TENTATIVE;
	if (!(nif->flags & IFF_UP))
		return;
	t = calloc(1, sizeof(*t));
	if (!t)
		return;
	node_group(nif, a, true);
	t->nif = nif;
	t->a = a;
	a->dad_left = (uint8_t)MIN(nif->conf[NETIF_CONF_V6_DAD_TRANSMITS], 255);
	net_timer_init(&t->timer, trial_timer);
	list_add_tail(&conf_of(nif)->trials, &t->node);
	net_timer_arm(nif->st, &t->timer, netstack_random32(nif->st) % 500);
}

void addrconf_lives(struct netif *nif, const struct netif_addr *a)
{
	if (conf_of(nif))
		lives_arm(nif, MIN(a->valid_until_ms, a->preferred_until_ms));
}

void ip6_addr_stop(struct netif *nif, struct netif_addr *a)
{
	struct trial *t = conf_of(nif) ? trial_of(nif, a) : NULL;

	if (t)
		trial_end(t);
	node_group(nif, a, false);
}

void addrconf_conflict(struct netif *nif, struct netif_addr *a)
{
	struct trial *t = trial_of(nif, a);

	if (t)
		trial_end(t);
	node_group(nif, a, false);
	a->flags |= IFA_F_DADFAILED | IFA_F_TENTATIVE;
	net_event(nif->st, NET_EV_ADDR, false, a);
}

/* ---- routers ---- */

static void solicit_timer(struct net_timer *timer)
{
	struct addrconf *c = CONTAINER_OF(timer, struct addrconf, solicit);
	struct netif *nif = c->nif;
	int64_t max = nif->conf[NETIF_CONF_V6_ROUTER_SOLICITATIONS];
	uint64_t top = 1000 * (uint64_t)nif->conf[NETIF_CONF_V6_ROUTER_SOLICITATION_MAX_INTERVAL];

	if (c->router_seen || (max >= 0 && c->sent >= (uint64_t)max))
		return;
	c->sent++;
	/* Longer and longer, so that a link without routers is not bothered for ever (RFC 7559). */
	c->interval_ms = c->interval_ms ? MIN(c->interval_ms * 2, top)
					: 1000 * (uint64_t)nif->conf[NETIF_CONF_V6_ROUTER_SOLICITATION_INTERVAL];
	net_timer_arm(nif->st, &c->solicit, c->interval_ms + netstack_random32(nif->st) % (1 + c->interval_ms / 10));
	nd_send_rs(nif);
}

static unsigned count_routes(struct netif *nif, uint8_t protocol)
{
	const struct fib_entry *e = NULL;
	unsigned n = 0;

	while ((e = fib_next(nif->st, AF_INET6, RT_TABLE_MAIN, e)))
		n += e->advertised && e->protocol == protocol && e->hop_count && e->hop[0].out == nif;
	return n;
}

static void lives_arm(struct netif *nif, uint64_t when_ms)
{
	struct addrconf *c = conf_of(nif);
	uint64_t now = nif->st->now_ms, delay = when_ms > now ? when_ms - now : 0;

	if (when_ms == UINT64_MAX)
		return;
	if (!net_timer_armed(&c->lives) || c->lives.due_ms > now + delay)
		net_timer_arm(nif->st, &c->lives, delay);
}

/* Deprecates and removes what has lived long enough, and sleeps until the next. */
static void lives_timer(struct net_timer *timer)
{
	struct addrconf *c = CONTAINER_OF(timer, struct addrconf, lives);
	struct netif *nif = c->nif;
	struct netstack *st = nif->st;
	uint64_t next = UINT64_MAX, now = st->now_ms;
	const struct fib_entry *e;
	struct netif_addr *a;

from_first:
	LIST_FOR_EACH(a, &nif->addrs, node) {
		if (a->valid_until_ms <= now) {
			struct ip_addr addr = a->addr;

			/* may take others of its subnet with it */
			(void)netif_addr_del(nif, &addr, a->prefix);
			goto from_first;
		}
		if (a->preferred_until_ms <= now && !(a->flags & IFA_F_DEPRECATED)) {
			a->flags |= IFA_F_DEPRECATED;
			netstack_bump(st);
			net_event(st, NET_EV_ADDR, false, a);
		}
		next = MIN(next, a->valid_until_ms);
		if (a->preferred_until_ms > now)
			next = MIN(next, a->preferred_until_ms);
	}
again:
	e = NULL;
	while ((e = fib_next(st, AF_INET6, 0, e))) {
		if (!e->expires_ms || !e->hop_count || e->hop[0].out != nif)
			continue;
		if (e->expires_ms <= now) {
			struct fib_entry gone = *e;

			(void)fib_del(st, &gone);
			goto again;
		}
		next = MIN(next, e->expires_ms);
	}
	lives_arm(nif, next);
}

/* A route with a lifetime: new, prolonged, or (life 0) gone. One that is there without a router's word, as an
 * address's subnet or by a program, is none of the router's business. */
static void timed_route(struct netif *nif, const struct fib_entry *e, uint64_t life_ms, unsigned max)
{
	uint64_t expires = life_ms == UINT64_MAX ? 0 : nif->st->now_ms + life_ms;
	const struct fib_entry *old = NULL;
	struct fib_entry n = *e;

	n.advertised = true;
	while (life_ms && (old = fib_next(nif->st, AF_INET6, e->table, old))) {
		if (!old->advertised || !ip_addr_equal(&old->dst, &e->dst) || old->dst_len != e->dst_len || old->protocol != e->protocol ||
		    old->priority != e->priority || old->pref != e->pref || old->hop[0].out != nif ||
		    old->hop[0].gateway.family != e->hop[0].gateway.family ||
		    (e->hop[0].gateway.family && !ip_addr_equal(&old->hop[0].gateway, &e->hop[0].gateway)))
			continue;
		/* The same again: it lives longer, and nobody needs to hear of that. */
		((struct fib_entry *)(uintptr_t)old)->expires_ms = expires;
		if (expires)
			lives_arm(nif, expires);
		return;
	}
	(void)fib_del(nif->st, &n);
	if (!life_ms || count_routes(nif, e->protocol) >= max)
		return;
	n.expires_ms = expires;
	if (fib_add(nif->st, &n, FIB_CREATE | FIB_APPEND) == 0 && n.expires_ms)
		lives_arm(nif, n.expires_ms);
}

static void default_router(struct netif *nif, const struct ip_addr *router, uint8_t flags, unsigned life_s)
{
	unsigned pref = flags >> 3 & 3u;
	struct fib_entry e = {.dst = {.family = AF_INET6}, .table = RT_TABLE_MAIN, .protocol = RTPROT_RA_,
			      .type = RTN_UNICAST, .hop_count = 1,
			      .priority = (uint32_t)nif->conf[NETIF_CONF_V6_RA_DEFRTR_METRIC],
			      .pref = (uint8_t)(pref == 2 ? 0 : pref), .hop = {{.out = nif, .gateway = *router, .weight = 1}}};

	e.hop[0].gateway.scope = 0;
	timed_route(nif, &e, 1000 * (uint64_t)life_s, ROUTES_MAX);
}

void addrconf_router_gone(struct netif *nif, const struct ip_addr *router)
{
	default_router(nif, router, 0, 0);
}

static uint64_t until(struct netif *nif, uint32_t life_s)
{
	return life_s == UINT32_MAX ? UINT64_MAX : nif->st->now_ms + 1000 * (uint64_t)life_s;
}

static void eui64(const struct netif *nif, uint8_t id[8])
{
	memcpy(id, nif->mac, 3);
	id[0] ^= 2;
	id[3] = 0xff;
	id[4] = 0xfe;
	memcpy(id + 5, nif->mac + 3, 3);
}

/* An address of an advertised prefix: new, or its lifetimes (RFC 4862 5.5.3 e). */
static void prefix_addr(struct netif *nif, const struct ip_addr *prefix, uint32_t valid_s, uint32_t preferred_s)
{
	struct netif_addr *a, fresh = {.addr = *prefix, .prefix = 64, .advertised = true};
	uint64_t left, want = 1000 * (uint64_t)valid_s, now = nif->st->now_ms;
	unsigned count = 0;
	bool found = false;

	LIST_FOR_EACH(a, &nif->addrs, node) {
		count += a->addr.family == AF_INET6;
		if (!a->advertised || a->addr.family != AF_INET6 || a->prefix != 64 ||
		    !ip_addr_prefix_equal(&a->addr, prefix, 64))
			continue;
		found = true;
		left = a->valid_until_ms - now;
		if (valid_s == UINT32_MAX || want > TWO_HOURS_MS || (a->valid_until_ms != UINT64_MAX && want > left))
			a->valid_until_ms = until(nif, valid_s);
		else if (a->valid_until_ms == UINT64_MAX || left > TWO_HOURS_MS)
			/* A forged advertisement shall not take an address away at once. */
			a->valid_until_ms = now + TWO_HOURS_MS;
		a->preferred_until_ms = MIN(until(nif, preferred_s), a->valid_until_ms);
		if (preferred_s)
			a->flags &= ~(uint32_t)IFA_F_DEPRECATED;
		a->updated_ms = now;
		lives_arm(nif, MIN(a->preferred_until_ms, a->valid_until_ms));
	}
	if (found || valid_s == 0 || count >= (unsigned)nif->conf[NETIF_CONF_V6_MAX_ADDRESSES])
		return;
	eui64(nif, fresh.addr.v6 + 8);
	/* UINT64_MAX would say permanent: it came from a router all the same. */
	fresh.valid_until_ms = MIN(until(nif, valid_s), UINT64_MAX - 1);
	fresh.preferred_until_ms = MIN(until(nif, preferred_s), fresh.valid_until_ms);
	if (netif_addr_add(nif, &fresh) == 0)
		lives_arm(nif, MIN(fresh.preferred_until_ms, fresh.valid_until_ms));
}

static void prefix_info(struct netif *nif, const uint8_t *o)
{
	struct ip_addr prefix = ip_addr_v6(o + 16);
	uint32_t valid = get_be32(o + 4), preferred = get_be32(o + 8);
	struct fib_entry e = {.table = RT_TABLE_MAIN, .protocol = RTPROT_KERNEL, .type = RTN_UNICAST, .priority = 256,
			      .dst_len = o[2], .hop_count = 1, .hop = {{.out = nif, .weight = 1}}};
	uint8_t flags = o[3];

	if (o[2] > 128 || ip_addr_linklocal(&prefix) || ip_addr_multicast(&prefix) || preferred > valid)
		return;
	for (unsigned i = 0; i < 16; i++)
		prefix.v6[i] &= (uint8_t)(0xff00u >> (o[2] > 8 * i ? MIN(o[2] - 8 * i, 8u) : 0));
	if ((flags & 0x80) && o[2]) {
		e.dst = prefix;
		timed_route(nif, &e, valid == UINT32_MAX ? UINT64_MAX : 1000 * (uint64_t)valid, ROUTES_MAX);
	}
	if ((flags & 0x40) && o[2] == 64 && nif->conf[NETIF_CONF_V6_AUTOCONF])
		prefix_addr(nif, &prefix, valid, preferred);
}

void addrconf_ra(struct netif *nif, const struct ip_addr *router, const uint8_t *ra, uint32_t size)
{
	struct addrconf *c = conf_of(nif);
	uint32_t n;

	if (nif->conf[NETIF_CONF_V6_ACCEPT_RA] < 2 && nif->conf[NETIF_CONF_V6_FORWARDING])
		return;
	if (ra[4] && ra[4] >= nif->conf[NETIF_CONF_V6_ACCEPT_RA_MIN_HOP_LIMIT])
		nif->conf[NETIF_CONF_V6_HOP_LIMIT] = ra[4];
	if (nif->conf[NETIF_CONF_V6_ACCEPT_RA_DEFRTR])
		default_router(nif, router, ra[5], get_be16(ra + 6));
	if (get_be16(ra + 6)) {
		c->router_seen = true;
		net_timer_cancel(&c->solicit);
	}
	for (uint32_t at = 16; at < size; at += n) {
		const uint8_t *o = ra + at;

		n = o[1] * 8u;
		if (o[0] == 3 && n == 32 && nif->conf[NETIF_CONF_V6_ACCEPT_RA_PINFO])
			prefix_info(nif, o);
		if (o[0] == 5 && n == 8 && nif->conf[NETIF_CONF_V6_ACCEPT_RA_MTU]) {
			uint32_t mtu = get_be32(o + 4);

			if (mtu >= IP6_MIN_MTU && mtu <= nif->mtu && nif->conf[NETIF_CONF_V6_MTU] != mtu) {
				nif->conf[NETIF_CONF_V6_MTU] = mtu;
				netstack_bump(nif->st);
			}
		}
	}
}

void addrconf_redirect(struct netif *nif, const struct ip_addr *router, const struct ip_addr *target,
		       const struct ip_addr *dst)
{
	struct ip_flow f = {.dst = *dst, .oif = nif->index};
	struct fib_entry e = {.dst = *dst, .dst_len = 128, .table = RT_TABLE_MAIN, .protocol = RTPROT_REDIRECT,
			      .type = RTN_UNICAST, .hop_count = 1, .hop = {{.out = nif, .weight = 1}}};
	struct ip_route r;

	/* Only the router that we use for this destination may send us elsewhere (RFC 4861 8.1). */
	if (ip_route_lookup(nif->st, &f, &r) < 0 || r.local || !r.gateway.family || !ip_addr_equal(&r.gateway, router))
		return;
	e.dst.scope = 0;
	if (!ip_addr_equal(target, dst)) {
		e.hop[0].gateway = *target;
		e.hop[0].gateway.scope = 0;
	}
	(void)fib_del(nif->st, &(struct fib_entry){.dst = e.dst, .dst_len = 128, .table = RT_TABLE_MAIN,
						   .protocol = RTPROT_REDIRECT, .type = RTN_UNICAST,
						   .advertised = true});
	timed_route(nif, &e, 600000, REDIRECTS_MAX);
}

/* ---- the interface ---- */

static bool has_linklocal(struct netif *nif)
{
	struct netif_addr *a;

	LIST_FOR_EACH(a, &nif->addrs, node) {
		if (a->addr.family == AF_INET6 && ip_addr_linklocal(&a->addr))
			return true;
	}
	return false;
}

void addrconf_up(struct netif *nif)
{
	struct netif_addr a = {.addr = {.family = AF_INET6, .v6 = {0xfe, 0x80}}, .prefix = 64};
	struct addrconf *c = conf_of(nif);
	struct ip_addr groups = {.family = AF_INET6, .v6 = {0xff}};
	struct fib_entry e = {.dst = groups, .dst_len = 8, .table = RT_TABLE_LOCAL, .protocol = RTPROT_KERNEL,
			      .type = RTN_MULTICAST, .priority = 256, .hop_count = 1, .hop = {{.out = nif, .weight = 1}}};

	c->sent = 0;
	c->interval_ms = 0;
	c->router_seen = false;
	if (nif->type != ARPHRD_ETHER)
		return;
	(void)fib_add(nif->st, &e, 0);
	if (has_linklocal(nif) || nif->conf[NETIF_CONF_V6_ADDR_GEN_MODE] == 1)
		return;
	if (nif->conf[NETIF_CONF_V6_ADDR_GEN_MODE] == 0)
		eui64(nif, a.addr.v6 + 8);
	else
		netstack_random(nif->st, a.addr.v6 + 8, 8);
	(void)netif_addr_add(nif, &a);
}

void addrconf_down(struct netif *nif)
{
	struct addrconf *c = conf_of(nif);

	if (!c)
		return;
	net_timer_cancel(&c->solicit);
	net_timer_cancel(&c->lives);
	while (!list_empty(&c->trials))
		trial_end(LIST_FIRST(&c->trials, struct trial, node));
}

int addrconf_init(struct netif *nif)
{
	struct addrconf *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->nif = nif;
	list_init(&c->trials);
	net_timer_init(&c->solicit, solicit_timer);
	net_timer_init(&c->lives, lives_timer);
	nif->nd = c;
	return 0;
}

void addrconf_done(struct netif *nif)
{
	if (!nif->nd)
		return;
	addrconf_down(nif);
	free(nif->nd);
	nif->nd = NULL;
}
