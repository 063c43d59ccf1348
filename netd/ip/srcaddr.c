/* Source addresses: IPv4 as Linux chooses them, IPv6 by the rules of RFC 6724 section 5. */
#include <linux/if_addr.h>
#include <net/if.h>

#include "netd/ip/ip_priv.h"

static bool select_v4(struct netstack *st, const struct netif *out, const struct ip_addr *towards, struct ip_addr *ret)
{
	const struct netif_addr *a, *best = NULL;
	struct netif *nif;
	uint8_t scope_max = ip_addr_linklocal(towards) || ip_addr_multicast(towards) ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;

	LIST_FOR_EACH(a, &out->addrs, node) {
		if (a->addr.family != AF_INET || (a->flags & IFA_F_SECONDARY) || a->scope > scope_max)
			continue;
		if (ip_addr_prefix_equal(&a->addr, towards, a->prefix)) {
			best = a;
			break;
		}
		if (!best)
			best = a;
	}
	/* An interface without an address borrows one. */
	LIST_FOR_EACH(nif, &st->netifs, node) {
		if (best)
			break;
		LIST_FOR_EACH(a, &nif->addrs, node) {
			if (a->addr.family == AF_INET && a->scope < RT_SCOPE_LINK && (nif->flags & IFF_UP)) {
				best = a;
				break;
			}
		}
	}
	if (!best)
		return false;
	*ret = best->addr;
	return true;
}

/* RFC 6724 section 3.1, as of multicast scopes. */
static unsigned scope6(const struct ip_addr *a)
{
	if (a->v6[0] == 0xff)
		return a->v6[1] & 15u;
	if (ip_addr_loopback(a) || ip_addr_linklocal(a))
		return 2;
	if (a->v6[0] == 0xfe && (a->v6[1] & 0xc0) == 0xc0)
		return 5;
	return 14;
}

/* The default policy table, section 2.1. */
static unsigned label6(const struct ip_addr *a)
{
	static const struct {
		uint8_t prefix[16];
		uint8_t bits, label;
	} table[] = {
		{{[15] = 1}, 128, 0},
		{{[10] = 0xff, [11] = 0xff}, 96, 4},
		{{0}, 96, 3},
		{{0x20, 0x01, 0, 0}, 32, 5},
		{{0x20, 0x02}, 16, 2},
		{{0x3f, 0xfe}, 16, 12},
		{{0xfe, 0xc0}, 10, 11},
		{{0xfc}, 7, 13},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(table); i++) {
		struct ip_addr p = {.family = AF_INET6};

		memcpy(p.v6, table[i].prefix, 16);
		if (ip_addr_prefix_equal(a, &p, table[i].bits))
			return table[i].label;
	}
	return 1;
}

static unsigned common_bits(const struct ip_addr *a, const struct ip_addr *b)
{
	unsigned n = 0;

	while (n < 128 && !((a->v6[n / 8] ^ b->v6[n / 8]) & (0x80u >> n % 8)))
		n++;
	return n;
}

struct candidate {
	const struct netif_addr *a;
	const struct netif *nif;
	unsigned scope, label, match;
};

/* Is x the better source for a destination of this scope and label? */
static bool better6(const struct candidate *x, const struct candidate *y, const struct ip_addr *dst,
		    const struct netif *out)
{
	unsigned ds = scope6(dst), dl = label6(dst);
	bool bx, by;

	bx = ip_addr_equal(&x->a->addr, dst), by = ip_addr_equal(&y->a->addr, dst);
	if (bx != by)
		return bx; /* rule 1 */
	if (x->scope != y->scope) /* rule 2 */
		return x->scope < y->scope ? x->scope >= ds : y->scope < ds;
	bx = !(x->a->flags & IFA_F_DEPRECATED), by = !(y->a->flags & IFA_F_DEPRECATED);
	if (bx != by)
		return bx; /* rule 3 */
	bx = x->nif == out, by = y->nif == out;
	if (bx != by)
		return bx; /* rule 5 */
	bx = x->label == dl, by = y->label == dl;
	if (bx != by)
		return bx; /* rule 6 */
	bx = x->a->flags & IFA_F_TEMPORARY, by = y->a->flags & IFA_F_TEMPORARY;
	if (bx != by)
		return by == (out->conf[NETIF_CONF_V6_USE_TEMPADDR] < 2); /* rule 7: as the setting prefers */
	return x->match > y->match; /* rule 8 */
}

static bool select_v6(struct netstack *st, const struct netif *out, const struct ip_addr *dst, struct ip_addr *ret)
{
	struct candidate best = {0};
	struct netif *nif;

	/* Rule: for multicast and link-local destinations only addresses of the interface itself (section 4). */
	bool here = ip_addr_multicast(dst) || ip_addr_linklocal(dst) || out->conf[NETIF_CONF_V6_USE_OIF_ADDRS_ONLY];

	LIST_FOR_EACH(nif, &st->netifs, node) {
		const struct netif_addr *a;

		if (here && nif != out)
			continue;
		LIST_FOR_EACH(a, &nif->addrs, node) {
			struct candidate c = {.a = a, .nif = nif};

			if (a->addr.family != AF_INET6 ||
			    ((a->flags & IFA_F_TENTATIVE) && !(a->flags & IFA_F_OPTIMISTIC)) ||
			    (a->flags & IFA_F_DADFAILED))
				continue;
			/* A link-local address means nothing on another link. */
			if (nif != out && ip_addr_linklocal(&a->addr))
				continue;
			c.scope = scope6(&a->addr);
			c.label = label6(&a->addr);
			c.match = MIN(common_bits(&a->addr, dst), a->prefix);
			if (!best.a || better6(&c, &best, dst, out))
				best = c;
		}
	}
	if (!best.a)
		return false;
	*ret = best.a->addr;
	return true;
}

bool ip_select_source(struct netstack *st, const struct netif *out, const struct ip_addr *dst,
		      const struct ip_addr *gateway, struct ip_addr *ret)
{
	if (dst->family == AF_INET)
		return select_v4(st, out, gateway && gateway->family == AF_INET ? gateway : dst, ret);
	return select_v6(st, out, dst, ret);
}
