/* Addresses of interfaces: RTM_*ADDR. */
#include <linux/if_addr.h>

#include "common/base/util.h"
#include "netd/core/netif.h"
#include "netd/core/stack.h"
#include "netd/netlink/private.h"

static uint32_t left_s(const struct nl_ctx *c, uint64_t until_ms)
{
	uint64_t now = netstack_now_ms(c->st);

	if (until_ms == UINT64_MAX)
		return UINT32_MAX;
	return until_ms > now ? (uint32_t)((until_ms - now) / 1000) : 0;
}

void addr_put(struct nl_ctx *c, struct netif *nif, const struct netif_addr *a, uint16_t type, uint16_t flags)
{
	struct ifaddrmsg *ifa = nl_begin(c, type, flags, sizeof(*ifa));
	struct ifa_cacheinfo ci = {
		.ifa_prefered = left_s(c, a->preferred_until_ms), .ifa_valid = left_s(c, a->valid_until_ms),
		.cstamp = (uint32_t)(a->created_ms / 10), .tstamp = (uint32_t)(a->updated_ms / 10),
	};

	ifa->ifa_family = (uint8_t)a->addr.family;
	ifa->ifa_prefixlen = a->prefix;
	ifa->ifa_flags = (uint8_t)a->flags;
	ifa->ifa_scope = a->scope;
	ifa->ifa_index = (uint32_t)nif->index;
	if (a->addr.family == AF_INET) {
		nl_put_addr(c, IFA_ADDRESS, a->peer.family ? &a->peer : &a->addr);
		nl_put_addr(c, IFA_LOCAL, &a->addr);
		if (a->broadcast.family == AF_INET && a->broadcast.v4)
			nl_put_addr(c, IFA_BROADCAST, &a->broadcast);
		nl_put_text(c, IFA_LABEL, a->label);
	} else if (a->peer.family) {
		nl_put_addr(c, IFA_LOCAL, &a->addr);
		nl_put_addr(c, IFA_ADDRESS, &a->peer);
	} else {
		nl_put_addr(c, IFA_ADDRESS, &a->addr);
	}
	nl_put(c, IFA_CACHEINFO, &ci, sizeof(ci));
	nl_put_u32(c, IFA_FLAGS, a->flags);
	nl_end(c);
}

static void dump_netif(struct nl_ctx *c, struct netif *nif, int family)
{
	struct netif_addr *a;

	LIST_FOR_EACH (a, &nif->addrs, node)
		if (a->addr.family == family)
			addr_put(c, nif, a, RTM_NEWADDR, 0);
}

int addr_dump(struct nl_ctx *c, const struct nlmsghdr *h)
{
	static const int families[] = {AF_INET, AF_INET6};
	const struct ifaddrmsg *ifa = nl_header(h, sizeof(*ifa));
	int family = h->nlmsg_len > NLMSG_HDRLEN ? *(const uint8_t *)NLMSG_DATA(h) : AF_UNSPEC;
	/* only a program that asks for strictness gets what it filters by */
	uint32_t only = ifa && (c->flags & NETLINK_STRICT) ? ifa->ifa_index : 0;

	if (only && !netif_by_index(c->st, (int)only))
		return -ENODEV;
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		if (family != AF_UNSPEC && family != families[i])
			continue;
		for (struct netif *nif = netif_next(c->st, NULL); nif; nif = netif_next(c->st, nif))
			if (!only || nif->index == (int)only)
				dump_netif(c, nif, families[i]);
	}
	return 0;
}

struct request {
	struct netif *nif;
	struct netif_addr a;
};

static int parse(struct nl_ctx *c, const struct nlmsghdr *h, struct request *r)
{
	const struct ifaddrmsg *ifa = nl_header(h, sizeof(*ifa));
	struct ip_addr address = {0};
	struct nl_attrs tb;
	int family;

	memset(r, 0, sizeof(*r));
	if (!ifa || nl_parse(h, sizeof(*ifa), &tb))
		return -EINVAL;
	family = ifa->ifa_family;
	if (family != AF_INET && family != AF_INET6)
		return -EAFNOSUPPORT;
	r->nif = netif_by_index(c->st, (int)ifa->ifa_index);
	if (!r->nif)
		return -ENODEV;
	if (tb.at[IFA_ADDRESS] && !nl_addr(tb.at[IFA_ADDRESS], family, &address))
		return -EINVAL;
	if (!nl_addr(tb.at[IFA_LOCAL], family, &r->a.addr))
		r->a.addr = address;
	else if (address.family && !ip_addr_equal(&address, &r->a.addr))
		r->a.peer = address;
	if (!r->a.addr.family || ifa->ifa_prefixlen > (family == AF_INET ? 32 : 128))
		return -EINVAL;
	if (family == AF_INET)
		nl_addr(tb.at[IFA_BROADCAST], AF_INET, &r->a.broadcast);
	r->a.prefix = ifa->ifa_prefixlen;
	r->a.scope = ifa->ifa_scope;
	r->a.flags = nl_u32(tb.at[IFA_FLAGS], ifa->ifa_flags);
	nl_text(tb.at[IFA_LABEL], r->a.label, sizeof(r->a.label));
	r->a.preferred_until_ms = r->a.valid_until_ms = UINT64_MAX;
	if (tb.at[IFA_CACHEINFO] && nl_size(tb.at[IFA_CACHEINFO]) >= sizeof(struct ifa_cacheinfo)) {
		struct ifa_cacheinfo ci;
		uint64_t now = netstack_now_ms(c->st);

		memcpy(&ci, nl_data(tb.at[IFA_CACHEINFO]), sizeof(ci));
		if (!ci.ifa_valid || ci.ifa_prefered > ci.ifa_valid)
			return -EINVAL;
		if (ci.ifa_valid != UINT32_MAX)
			r->a.valid_until_ms = now + (uint64_t)ci.ifa_valid * 1000;
		if (ci.ifa_prefered != UINT32_MAX)
			r->a.preferred_until_ms = now + (uint64_t)ci.ifa_prefered * 1000;
	}
	return 0;
}

static struct netif_addr *find(const struct request *r)
{
	struct netif_addr *a;

	LIST_FOR_EACH (a, &r->nif->addrs, node)
		if (ip_addr_equal(&a->addr, &r->a.addr) && a->prefix == r->a.prefix)
			return a;
	return NULL;
}

int addr_new(struct nl_ctx *c, const struct nlmsghdr *h)
{
	struct request r;
	struct netif_addr *old;
	int ret = parse(c, h, &r);

	if (ret)
		return ret;
	old = find(&r);
	if (!old)
		return netif_addr_add(r.nif, &r.a);
	if (h->nlmsg_flags & NLM_F_EXCL || !(h->nlmsg_flags & NLM_F_REPLACE))
		return -EEXIST;
	old->preferred_until_ms = r.a.preferred_until_ms;
	old->valid_until_ms = r.a.valid_until_ms;
	old->updated_ms = netstack_now_ms(c->st);
	return 0;
}

int addr_del(struct nl_ctx *c, const struct nlmsghdr *h)
{
	struct request r;
	int ret = parse(c, h, &r);

	return ret ? ret : netif_addr_del(r.nif, &r.a.addr, r.a.prefix);
}

int addr_get(struct nl_ctx *c, const struct nlmsghdr *h)
{
	struct netif_addr *a;
	struct request r;
	int ret = parse(c, h, &r);

	if (ret)
		return ret;
	if (r.a.addr.family != AF_INET6)
		return -EOPNOTSUPP;
	LIST_FOR_EACH (a, &r.nif->addrs, node) {
		if (ip_addr_equal(&a->addr, &r.a.addr)) {
			addr_put(c, r.nif, a, RTM_NEWADDR, 0);
			return 0;
		}
	}
	return -EADDRNOTAVAIL;
}
