/* Neighbours: RTM_*NEIGH, and the figures of their tables. */
#include <linux/neighbour.h>

#include "common/base/util.h"
#include "netd/core/netif.h"
#include "netd/core/stack.h"
#include "netd/ether/neigh.h"
#include "netd/netlink/private.h"

/* In clock ticks of 10 ms, as the structure has it. */
static uint32_t ago(const struct nl_ctx *c, uint64_t when_ms)
{
	uint64_t now = netstack_now_ms(c->st);

	return (uint32_t)((now - MIN(now, when_ms)) / 10);
}

void neigh_put(struct nl_ctx *c, struct neigh *n, uint16_t type, uint16_t flags)
{
	struct ndmsg *ndm = nl_begin(c, type, flags, sizeof(*ndm));
	struct nda_cacheinfo ci = {.ndm_confirmed = ago(c, n->confirmed_ms), .ndm_used = ago(c, n->used_ms),
				   .ndm_updated = ago(c, n->updated_ms)};

	ndm->ndm_family = (uint8_t)n->addr.family;
	ndm->ndm_ifindex = n->nif->index;
	ndm->ndm_state = neigh_state(n);
	ndm->ndm_flags = (uint8_t)(n->flags | (n->router ? NTF_ROUTER : 0));
	ndm->ndm_type = RTN_UNICAST;
	nl_put_addr(c, NDA_DST, &n->addr);
	if (ndm->ndm_state & (NUD_PERMANENT | NUD_NOARP | NUD_REACHABLE | NUD_PROBE | NUD_STALE | NUD_DELAY))
		nl_put(c, NDA_LLADDR, n->mac, 6);
	nl_put_u32(c, NDA_PROBES, n->probes);
	nl_put(c, NDA_CACHEINFO, &ci, sizeof(ci));
	nl_end(c);
}

int neigh_dump(struct nl_ctx *c, const struct nlmsghdr *h)
{
	const struct ndmsg *ndm = nl_header(h, sizeof(*ndm));
	int family = h->nlmsg_len > NLMSG_HDRLEN ? *(const uint8_t *)NLMSG_DATA(h) : AF_UNSPEC;
	struct nl_attrs tb = {0};
	uint32_t only = 0;

	if (family != AF_UNSPEC && family != AF_INET && family != AF_INET6)
		return 0; /* a bridge's forwarding table, of which there is none */
	if (ndm && nl_parse(h, sizeof(*ndm), &tb) == 0)
		only = nl_u32(tb.at[NDA_IFINDEX], 0);
	for (struct neigh *n = neigh_next(c->st, family, NULL); n; n = neigh_next(c->st, family, n))
		if (neigh_state(n) != NUD_NONE && (!only || n->nif->index == (int)only))
			neigh_put(c, n, RTM_NEWNEIGH, only ? NLM_F_DUMP_FILTERED : 0);
	return 0;
}

struct request {
	const struct ndmsg *ndm;
	struct netif *nif;
	struct ip_addr addr;
	const uint8_t *mac;
};

static int parse(struct nl_ctx *c, const struct nlmsghdr *h, struct request *r)
{
	struct nl_attrs tb;

	*r = (struct request){.ndm = nl_header(h, sizeof(*r->ndm))};
	if (!r->ndm || nl_parse(h, sizeof(*r->ndm), &tb))
		return -EINVAL;
	if (r->ndm->ndm_family != AF_INET && r->ndm->ndm_family != AF_INET6)
		return -EAFNOSUPPORT;
	if (!nl_addr(tb.at[NDA_DST], r->ndm->ndm_family, &r->addr)) {
		c->why = tb.at[NDA_DST] ? "Invalid network address" : "Network address not specified";
		return -EINVAL;
	}
	r->nif = netif_by_index(c->st, r->ndm->ndm_ifindex);
	if (!r->nif)
		return -ENODEV;
	if (tb.at[NDA_LLADDR]) {
		if (nl_size(tb.at[NDA_LLADDR]) < 6)
			return -EINVAL;
		r->mac = nl_data(tb.at[NDA_LLADDR]);
	}
	return 0;
}

/* The entry that a request is about. */
static int find(struct nl_ctx *c, const struct nlmsghdr *h, struct neigh **ret_neigh)
{
	struct request r;
	struct neigh *n;
	int ret = parse(c, h, &r);

	if (ret)
		return ret;
	n = neigh_find(r.nif, &r.addr);
	if (!n)
		return -ENOENT;
	*ret_neigh = n;
	return 0;
}

int neigh_get_one(struct nl_ctx *c, const struct nlmsghdr *h)
{
	struct neigh *n;
	int ret = find(c, h, &n);

	if (ret)
		return ret;
	neigh_put(c, n, RTM_NEWNEIGH, 0);
	return 0;
}

int neigh_new(struct nl_ctx *c, const struct nlmsghdr *h)
{
	struct request r;
	struct neigh *n;
	int ret = parse(c, h, &r);

	if (ret)
		return ret;
	if (r.ndm->ndm_flags & NTF_PROXY)
		return -EOPNOTSUPP;
	n = neigh_find(r.nif, &r.addr);
	if (n && h->nlmsg_flags & NLM_F_EXCL)
		return -EEXIST;
	if (!n && !(h->nlmsg_flags & NLM_F_CREATE))
		return -ENOENT;
	if (n && !(h->nlmsg_flags & NLM_F_REPLACE) && r.mac && memcmp(n->mac, r.mac, 6) != 0)
		return -EEXIST;
	if (!n)
		n = neigh_get(r.nif, &r.addr);
	if (!n)
		return -ENOBUFS;
	neigh_update(n, r.mac, (uint8_t)(r.ndm->ndm_state ? r.ndm->ndm_state : NUD_PERMANENT),
		     NEIGH_OVERRIDE | NEIGH_ADMIN);
	return 0;
}

int neigh_del(struct nl_ctx *c, const struct nlmsghdr *h)
{
	struct neigh *n;
	int ret = find(c, h, &n);

	if (ret)
		return ret;
	neigh_delete(n);
	return 0;
}
