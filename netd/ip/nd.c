/* Neighbour discovery (RFC 4861): the messages. What router advertisements mean for addresses and routes is in
 * addrconf.c. Everything here must come from the link itself (hop limit 255). */
#include <net/if.h> /* before linux/icmpv6.h */
#include <linux/icmpv6.h>
#include <linux/if_addr.h>
#include <net/if_arp.h>

#include "netd/ether/neigh.h"
#include "netd/ip/v6_priv.h"

#define ND_RS 133
#define ND_RA 134
#define ND_NS 135
#define ND_NA 136
#define ND_REDIRECT 137
#define OPT_SLLA 1
#define OPT_TLLA 2
#define OPT_NONCE 14
#define NA_ROUTER 0x80u
#define NA_SOLICITED 0x40u
#define NA_OVERRIDE 0x20u

struct nd_options {
	const uint8_t *slla, *tlla, *nonce;
};

/* All options must have a length (RFC 4861 4.6). */
static bool options(const uint8_t *o, uint32_t size, struct nd_options *ret)
{
	*ret = (struct nd_options){0};
	while (size) {
		uint32_t n;

		if (size < 8 || o[1] == 0 || (n = o[1] * 8u) > size)
			return false;
		if (o[0] == OPT_SLLA && !ret->slla)
			ret->slla = o + 2;
		else if (o[0] == OPT_TLLA && !ret->tlla)
			ret->tlla = o + 2;
		else if (o[0] == OPT_NONCE && !ret->nonce && o[1] == 1)
			ret->nonce = o + 2;
		o += n;
		size -= n;
	}
	return true;
}

/* A link address that one other station can have. */
static bool plausible(const struct netif *nif, const uint8_t *mac)
{
	static const uint8_t nobody[6];

	return mac && !(mac[0] & 1) && memcmp(mac, nobody, 6) && memcmp(mac, nif->mac, 6);
}

static struct pkt *message(uint8_t type, uint32_t word, const struct ip_addr *target, uint8_t opt, const uint8_t *mac,
			   const uint8_t *nonce)
{
	struct pkt *p = pkt_alloc(64);
	uint8_t *d;

	if (!p)
		return NULL;
	d = p->data;
	memset(d, 0, 8);
	d[0] = type;
	put_be32(d + 4, word);
	p->len = 8;
	if (target) {
		memcpy(d + 8, target->v6, 16);
		p->len += 16;
	}
	if (opt) {
		d[p->len] = opt;
		d[p->len + 1] = 1;
		memcpy(d + p->len + 2, mac, 6);
		p->len += 8;
	}
	if (nonce) {
		d[p->len] = OPT_NONCE;
		d[p->len + 1] = 1;
		memcpy(d + p->len + 2, nonce, 6);
		p->len += 8;
	}
	return p;
}

void nd_send_ns(struct netif *nif, const struct ip_addr *src, const struct ip_addr *dst, const struct ip_addr *target,
		const uint8_t nonce[6])
{
	bool any = ip_addr_any(src);
	struct pkt *p = message(ND_NS, 0, target, any ? 0 : OPT_SLLA, nif->mac, nonce);

	if (p)
		icmp6_out(nif->st, p, src, dst, nif, 255, 0, false);
}

void nd_send_rs(struct netif *nif)
{
	struct ip_addr all = ip6_all_routers(), src = {0};
	bool have = ip_select_source(nif->st, nif, &all, NULL, &src);
	struct pkt *p = message(ND_RS, 0, NULL, have ? OPT_SLLA : 0, nif->mac, NULL);

	if (!have)
		src = (struct ip_addr){.family = AF_INET6};
	if (p)
		icmp6_out(nif->st, p, &src, &all, nif, 255, 0, false);
}

void nd_solicit(struct neigh *n, bool unicast)
{
	struct ip_addr src, dst = unicast ? n->addr : ip6_solicited_node(&n->addr);
	struct netif *nif = n->nif;

	/* Best the address of a packet that waits (RFC 4861 7.2.2). */
	src = (struct ip_addr){.family = AF_UNSPEC};
	if (!list_empty(&n->queue)) {
		const struct pkt *p = LIST_FIRST(&n->queue, struct pkt, node);

		if (p->protocol == ETYPE_IP6 && p->len >= sizeof(struct ip6_hdr_)) {
			struct ip_addr a = ip_addr_v6(((const struct ip6_hdr_ *)(const void *)p->data)->src);

			if (ip6_own_addr(nif, &a))
				src = a;
		}
	}
	if (!src.family && !ip_select_source(nif->st, nif, &n->addr, NULL, &src))
		return;
	nd_send_ns(nif, &src, &dst, &n->addr, NULL);
}

static void send_na(struct netif *nif, const struct ip_addr *src, const struct ip_addr *dst, const struct ip_addr *target,
		    unsigned flags)
{
	struct pkt *p = message(ND_NA, flags << 24, target, OPT_TLLA, nif->mac, NULL);

	if (p)
		icmp6_out(nif->st, p, src, dst, nif, 255, 0, false);
}

static void ns_in(struct netif *nif, const struct pkt *p, const struct ip_rx *rx)
{
	struct ip_addr target = ip_addr_v6(p->data + 8), all = ip6_all_nodes();
	bool from_nobody = ip_addr_any(&rx->src);
	struct netif_addr *a;
	struct nd_options o;
	struct neigh *n;

	if (p->len < 24 || ip_addr_multicast(&target) || !options(p->data + 24, p->len - 24, &o))
		return;
	if (from_nobody) {
		struct ip_addr node = ip6_solicited_node(&target);

		if (!ip_addr_equal(&rx->dst, &node) || o.slla)
			return;
	}
	a = ip6_own_addr(nif, &target);
	if (!a)
		return;
	if (a->flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED)) {
		/* Somebody else tries the same address; or it is our own question come back (RFC 7527). */
		if (from_nobody && (a->flags & IFA_F_TENTATIVE) && !(o.nonce && addrconf_own_nonce(nif, a, o.nonce)))
			addrconf_conflict(nif, a);
		return;
	}
	if (from_nobody) {
		send_na(nif, &target, &all, &target, NA_OVERRIDE);
		return;
	}
	if (ip6_own_addr(nif, &rx->src))
		return;
	if (plausible(nif, o.slla)) {
		n = neigh_get(nif, &rx->src);
		if (n)
			neigh_update(n, o.slla, NUD_STALE, NEIGH_OVERRIDE);
	}
	send_na(nif, &target, &rx->src, &target, NA_SOLICITED | NA_OVERRIDE);
}

static void na_in(struct netif *nif, const struct pkt *p, const struct ip_rx *rx)
{
	struct ip_addr target = ip_addr_v6(p->data + 8);
	unsigned flags = p->data[4];
	struct netif_addr *a;
	struct nd_options o;
	struct neigh *n;
	bool solicited, override;

	if (p->len < 24 || ip_addr_multicast(&target) || !options(p->data + 24, p->len - 24, &o) ||
	    (rx->multicast && (flags & NA_SOLICITED)))
		return;
	a = ip6_own_addr(nif, &target);
	if (a) {
		if (a->flags & IFA_F_TENTATIVE)
			addrconf_conflict(nif, a);
		return;
	}
	/* Only about those we asked for: an advertisement makes no entry (RFC 4861 7.2.5). */
	n = neigh_find(nif, &target);
	if (!n || neigh_state(n) == NUD_NONE || n->state == NUD_FAILED)
		return;
	solicited = flags & NA_SOLICITED;
	override = flags & NA_OVERRIDE;
	if (n->router && !(flags & NA_ROUTER))
		addrconf_router_gone(nif, &target);
	if (n->state == NUD_INCOMPLETE) {
		if (!plausible(nif, o.tlla))
			return;
		n->router = flags & NA_ROUTER;
		neigh_update(n, o.tlla, solicited ? NUD_REACHABLE : NUD_STALE, NEIGH_OVERRIDE);
		return;
	}
	if (o.tlla && !plausible(nif, o.tlla))
		return;
	if (!override && o.tlla && memcmp(o.tlla, n->mac, 6)) {
		/* Not sure enough to replace what we know; but ask again. */
		if (n->state == NUD_REACHABLE)
			neigh_update(n, o.tlla, NUD_STALE, 0);
		return;
	}
	n->router = flags & NA_ROUTER;
	neigh_update(n, o.tlla, solicited ? NUD_REACHABLE : NUD_STALE, NEIGH_OVERRIDE);
}

static void ra_in(struct netif *nif, const struct pkt *p, const struct ip_rx *rx)
{
	struct nd_options o;
	struct neigh *n;

	if (p->len < 16 || !ip_addr_linklocal(&rx->src) || !options(p->data + 16, p->len - 16, &o))
		return;
	if (!nif->conf[NETIF_CONF_V6_ACCEPT_RA] || ip6_own_addr(nif, &rx->src))
		return;
	if (plausible(nif, o.slla)) {
		n = neigh_get(nif, &rx->src);
		if (n) {
			n->router = true;
			neigh_update(n, o.slla, NUD_STALE, NEIGH_OVERRIDE);
		}
	}
	addrconf_ra(nif, &rx->src, p->data, p->len);
}

static void redirect_in(struct netif *nif, const struct pkt *p, const struct ip_rx *rx)
{
	struct ip_addr target, dst;
	struct nd_options o;
	struct neigh *n;

	if (p->len < 40 || !ip_addr_linklocal(&rx->src) || rx->multicast || !options(p->data + 40, p->len - 40, &o) ||
	    !nif->conf[NETIF_CONF_V6_ACCEPT_REDIRECTS])
		return;
	target = ip_addr_v6(p->data + 8);
	dst = ip_addr_v6(p->data + 24);
	if (ip_addr_multicast(&dst) || ip_addr_multicast(&target) ||
	    (!ip_addr_equal(&target, &dst) && !ip_addr_linklocal(&target)) || ip6_own_addr(nif, &target))
		return;
	addrconf_redirect(nif, &rx->src, &target, &dst);
	n = plausible(nif, o.tlla) ? neigh_find(nif, &target) : NULL;
	if (n)
		neigh_update(n, o.tlla, NUD_STALE, NEIGH_OVERRIDE);
}

void nd_input(struct netstack *st, const struct pkt *p, const struct ip_rx *rx)
{
	struct netif *nif = netif_by_index(st, rx->iif);

	if (!nif || nif->type != ARPHRD_ETHER || rx->ttl != 255 || p->data[1] != 0 || p->len < 8)
		return;
	switch (p->data[0]) {
	case ND_NS:
		if (p->len >= 24)
			ns_in(nif, p, rx);
		return;
	case ND_NA:
		if (p->len >= 24)
			na_in(nif, p, rx);
		return;
	case ND_RA:
		ra_in(nif, p, rx);
		return;
	case ND_REDIRECT:
		redirect_in(nif, p, rx);
		return;
	}
}
