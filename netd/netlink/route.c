/* Routes: RTM_*ROUTE. */
#include <linux/in6.h>
#include <linux/rtnetlink.h>

#include "common/base/util.h"
#include "netd/core/netif.h"
#include "netd/core/stack.h"
#include "netd/ip/fib.h"
#include "netd/ip/ip.h"
#include "netd/netlink/private.h"

static void put_metrics(struct nl_ctx *c, const struct fib_metrics *m)
{
	const struct {
		uint16_t type;
		uint32_t value;
	} all[] = {
		{RTAX_LOCK, m->mtu_lock ? 1u << RTAX_MTU : 0}, {RTAX_MTU, m->mtu}, {RTAX_WINDOW, m->window},
		{RTAX_RTT, m->rtt}, {RTAX_RTTVAR, m->rttvar}, {RTAX_SSTHRESH, m->ssthresh},
		{RTAX_ADVMSS, m->advmss}, {RTAX_HOPLIMIT, m->hoplimit}, {RTAX_INITCWND, m->initcwnd},
		{RTAX_RTO_MIN, m->rto_min}, {RTAX_INITRWND, m->initrwnd}, {RTAX_QUICKACK, m->quickack},
	};
	bool any = false;
	size_t nest;

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		any |= all[i].value != 0;
	if (!any)
		return;
	nest = nl_nest(c, RTA_METRICS);
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		if (all[i].value)
			nl_put_u32(c, all[i].type, all[i].value);
	nl_nest_end(c, nest);
}

static void put_gateway(struct nl_ctx *c, const struct ip_addr *dst, const struct ip_addr *gw)
{
	uint8_t via[2 + 16];
	uint16_t family = gw->family;

	if (!family)
		return;
	if (family == dst->family) {
		nl_put_addr(c, RTA_GATEWAY, gw);
		return;
	}
	memcpy(via, &family, 2);
	memcpy(via + 2, family == AF_INET ? (const void *)&gw->v4 : gw->v6, family == AF_INET ? 4 : 16);
	nl_put(c, RTA_VIA, via, family == AF_INET ? 6 : 18);
}

static uint8_t hop_flags(const struct fib_hop *hop)
{
	bool down = hop->out && !(hop->out->flags & 1 /* IFF_UP */);

	return (uint8_t)(hop->flags | (down ? RTNH_F_DEAD : 0));
}

static void put_hops(struct nl_ctx *c, const struct fib_entry *e)
{
	size_t nest;

	if (e->hop_count == 1) {
		put_gateway(c, &e->dst, &e->hop[0].gateway);
		if (e->hop[0].out)
			nl_put_u32(c, RTA_OIF, (uint32_t)e->hop[0].out->index);
		return;
	}
	if (!e->hop_count)
		return;
	nest = nl_nest(c, RTA_MULTIPATH);
	for (unsigned i = 0; i < e->hop_count; i++) {
		struct rtnexthop *nh;
		size_t at = c->used;

		/* an rtnexthop is as long as two attribute headers: one of them is written over */
		if (!nl_reserve(c, 0, sizeof(*nh) - NLA_HDRLEN))
			break;
		put_gateway(c, &e->dst, &e->hop[i].gateway);
		if (c->failed)
			break;
		nh = (struct rtnexthop *)(void *)(c->buf + at);
		*nh = (struct rtnexthop){.rtnh_len = (uint16_t)(c->used - at), .rtnh_flags = hop_flags(&e->hop[i]),
					 .rtnh_hops = (uint8_t)(e->hop[i].weight ? e->hop[i].weight - 1 : 0),
					 .rtnh_ifindex = e->hop[i].out ? e->hop[i].out->index : 0};
	}
	nl_nest_end(c, nest);
}

void route_put(struct nl_ctx *c, const struct fib_entry *e, uint16_t type, uint16_t flags)
{
	struct rtmsg *rtm = nl_begin(c, type, flags, sizeof(*rtm));

	rtm->rtm_family = (uint8_t)e->dst.family;
	rtm->rtm_dst_len = e->dst_len;
	rtm->rtm_tos = e->tos;
	rtm->rtm_table = e->table < 256 ? (uint8_t)e->table : RT_TABLE_COMPAT;
	rtm->rtm_protocol = e->protocol;
	rtm->rtm_scope = e->scope;
	rtm->rtm_type = e->type;
	rtm->rtm_flags = e->flags | (e->hop_count == 1 ? hop_flags(&e->hop[0]) : 0);
	nl_put_u32(c, RTA_TABLE, e->table);
	if (e->dst_len)
		nl_put_addr(c, RTA_DST, &e->dst);
	if (e->priority)
		nl_put_u32(c, RTA_PRIORITY, e->priority);
	put_metrics(c, &e->metrics);
	if (e->prefsrc.family)
		nl_put_addr(c, RTA_PREFSRC, &e->prefsrc);
	put_hops(c, e);
	if (e->dst.family == AF_INET6) {
		uint64_t now = netstack_now_ms(c->st);
		struct rta_cacheinfo ci = {0};

		if (e->expires_ms)
			ci.rta_expires = (int32_t)((e->expires_ms - MIN(now, e->expires_ms)) / 10);
		nl_put(c, RTA_CACHEINFO, &ci, sizeof(ci));
		nl_put_u8(c, RTA_PREF, e->pref);
	}
	nl_end(c);
}

int route_dump(struct nl_ctx *c, const struct nlmsghdr *h)
{
	static const int families[] = {AF_INET, AF_INET6};
	const struct rtmsg *rtm = nl_header(h, sizeof(*rtm));
	int family = h->nlmsg_len > NLMSG_HDRLEN ? *(const uint8_t *)NLMSG_DATA(h) : AF_UNSPEC;
	struct nl_attrs tb = {0};
	uint32_t table = 0, oif = 0;
	bool strict = rtm && (c->flags & NETLINK_STRICT);

	if (strict) {
		if (nl_parse(h, sizeof(*rtm), &tb))
			return -EINVAL;
		table = nl_u32(tb.at[RTA_TABLE], rtm->rtm_table);
		oif = nl_u32(tb.at[RTA_OIF], 0);
	}
	if (rtm && (rtm->rtm_flags & RTM_F_CLONED))
		return 0; /* the cache of routes, which has no entries of its own */
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		const struct fib_entry *e = NULL;

		if (family != AF_UNSPEC && family != families[i])
			continue;
		while ((e = fib_next(c->st, families[i], table, e))) {
			if (oif && !(e->hop_count == 1 && e->hop[0].out && e->hop[0].out->index == (int)oif))
				continue;
			if (strict && ((rtm->rtm_protocol && rtm->rtm_protocol != e->protocol) ||
				       (rtm->rtm_type && rtm->rtm_type != e->type)))
				continue;
			route_put(c, e, RTM_NEWROUTE, strict && (table || oif) ? NLM_F_DUMP_FILTERED : 0);
		}
	}
	return 0;
}

static void read_metrics(const struct nlattr *nest, struct fib_metrics *m)
{
	struct nl_attrs tb;

	if (!nest || nl_parse_nested(nest, &tb))
		return;
	m->mtu = nl_u32(tb.at[RTAX_MTU], 0);
	m->mtu_lock = nl_u32(tb.at[RTAX_LOCK], 0) & 1u << RTAX_MTU;
	m->window = nl_u32(tb.at[RTAX_WINDOW], 0);
	m->rtt = nl_u32(tb.at[RTAX_RTT], 0);
	m->rttvar = nl_u32(tb.at[RTAX_RTTVAR], 0);
	m->ssthresh = nl_u32(tb.at[RTAX_SSTHRESH], 0);
	m->advmss = nl_u32(tb.at[RTAX_ADVMSS], 0);
	m->hoplimit = nl_u32(tb.at[RTAX_HOPLIMIT], 0);
	m->initcwnd = nl_u32(tb.at[RTAX_INITCWND], 0);
	m->rto_min = nl_u32(tb.at[RTAX_RTO_MIN], 0);
	m->initrwnd = nl_u32(tb.at[RTAX_INITRWND], 0);
	m->quickack = nl_u32(tb.at[RTAX_QUICKACK], 0);
}

/* A gateway, of this family (RTA_GATEWAY) or with its own (RTA_VIA). */
static int read_gateway(const struct nl_attrs *tb, int family, struct ip_addr *ret)
{
	const struct nlattr *via = tb->at[RTA_VIA];
	uint16_t other;

	if (tb->at[RTA_GATEWAY])
		return nl_addr(tb->at[RTA_GATEWAY], family, ret) ? 0 : -EINVAL;
	if (!via)
		return 0;
	if (nl_size(via) < 2)
		return -EINVAL;
	memcpy(&other, nl_data(via), 2);
	if ((other != AF_INET || nl_size(via) != 6) && (other != AF_INET6 || nl_size(via) != 18))
		return -EINVAL;
	*ret = (struct ip_addr){.family = other};
	memcpy(other == AF_INET ? (void *)&ret->v4 : ret->v6, (const uint8_t *)nl_data(via) + 2, nl_size(via) - 2);
	return 0;
}

static int set_out(struct nl_ctx *c, struct fib_hop *hop, uint32_t index)
{
	if (!index)
		return 0;
	hop->out = netif_by_index(c->st, (int)index);
	return hop->out ? 0 : -ENODEV;
}

static int read_multipath(struct nl_ctx *c, const struct nlattr *nest, struct fib_entry *e)
{
	const uint8_t *at = nl_data(nest);
	size_t left = nl_size(nest);

	e->hop_count = 0;
	while (left >= sizeof(struct rtnexthop)) {
		struct fib_hop *hop = &e->hop[e->hop_count];
		struct rtnexthop nh;
		struct nl_attrs tb;
		struct nlattr head;
		uint8_t inner[512] __attribute__((aligned(4)));
		size_t size;
		int ret;

		memcpy(&nh, at, sizeof(nh));
		if (nh.rtnh_len < sizeof(nh) || nh.rtnh_len > left || e->hop_count == FIB_HOPS_MAX)
			return -EINVAL;
		/* its attributes, as if they were a nest's */
		size = nh.rtnh_len - sizeof(nh);
		if (size > sizeof(inner) - NLA_HDRLEN)
			return -EINVAL;
		head = (struct nlattr){.nla_len = (uint16_t)(NLA_HDRLEN + size)};
		memcpy(inner, &head, NLA_HDRLEN);
		memcpy(inner + NLA_HDRLEN, at + sizeof(nh), size);
		if (nl_parse_nested((const struct nlattr *)(const void *)inner, &tb))
			return -EINVAL;
		ret = read_gateway(&tb, e->dst.family, &hop->gateway);
		if (!ret)
			ret = set_out(c, hop, (uint32_t)nh.rtnh_ifindex);
		if (ret)
			return ret;
		hop->weight = (uint8_t)MIN(nh.rtnh_hops + 1, 255);
		hop->flags = nh.rtnh_flags & RTNH_F_ONLINK;
		e->hop_count++;
		size = MIN((size_t)RTNH_ALIGN(nh.rtnh_len), left);
		at += size;
		left -= size;
	}
	return e->hop_count ? 0 : -EINVAL;
}

static int parse(struct nl_ctx *c, const struct nlmsghdr *h, struct fib_entry *e)
{
	const struct rtmsg *rtm = nl_header(h, sizeof(*rtm));
	struct nl_attrs tb;
	uint32_t oif;
	int family, ret;

	memset(e, 0, sizeof(*e));
	if (!rtm || nl_parse(h, sizeof(*rtm), &tb))
		return -EINVAL;
	family = rtm->rtm_family;
	if (family != AF_INET && family != AF_INET6)
		return -EOPNOTSUPP;
	e->dst.family = (uint16_t)family;
	if (tb.at[RTA_DST] && !nl_addr(tb.at[RTA_DST], family, &e->dst))
		return nl_addr_error(tb.at[RTA_DST], family);
	if (rtm->rtm_dst_len > (family == AF_INET ? 32 : 128) || rtm->rtm_src_len || (rtm->rtm_dst_len && !tb.at[RTA_DST]))
		return -EINVAL;
	e->dst_len = rtm->rtm_dst_len;
	e->tos = rtm->rtm_tos;
	e->protocol = rtm->rtm_protocol;
	e->scope = rtm->rtm_scope;
	e->type = rtm->rtm_type;
	e->table = nl_u32(tb.at[RTA_TABLE], rtm->rtm_table);
	if (!e->table)
		e->table = RT_TABLE_MAIN;
	e->priority = nl_u32(tb.at[RTA_PRIORITY], 0);
	if (tb.at[RTA_PREFSRC] && !nl_addr(tb.at[RTA_PREFSRC], family, &e->prefsrc))
		return -EINVAL;
	e->pref = nl_u8(tb.at[RTA_PREF], 0);
	read_metrics(tb.at[RTA_METRICS], &e->metrics);
	if (tb.at[RTA_EXPIRES])
		e->expires_ms = netstack_now_ms(c->st) + (uint64_t)nl_u32(tb.at[RTA_EXPIRES], 0) * 1000;
	if (tb.at[RTA_ENCAP] || tb.at[RTA_NH_ID])
		return -EOPNOTSUPP;
	if (tb.at[RTA_MULTIPATH])
		return read_multipath(c, tb.at[RTA_MULTIPATH], e);
	oif = nl_u32(tb.at[RTA_OIF], 0);
	ret = read_gateway(&tb, family, &e->hop[0].gateway);
	if (!ret)
		ret = set_out(c, &e->hop[0], oif);
	e->hop[0].weight = 1;
	e->hop[0].flags = (uint8_t)(rtm->rtm_flags & RTNH_F_ONLINK);
	e->hop_count = oif || e->hop[0].gateway.family;
	return ret;
}

static void explain(struct nl_ctx *c, int ret)
{
	if (ret == -ENETUNREACH)
		c->why = "Nexthop has invalid gateway";
	else if (ret == -ENETDOWN)
		c->why = "Device for nexthop is not up";
}

int route_new(struct nl_ctx *c, const struct nlmsghdr *h)
{
	struct fib_entry e;
	unsigned flags = 0;
	int ret = parse(c, h, &e);

	if (ret)
		return ret;
	if (h->nlmsg_flags & NLM_F_CREATE)
		flags |= FIB_CREATE;
	if (h->nlmsg_flags & NLM_F_EXCL)
		flags |= FIB_EXCL;
	if (h->nlmsg_flags & NLM_F_REPLACE)
		flags |= FIB_REPLACE;
	if (h->nlmsg_flags & NLM_F_APPEND)
		flags |= FIB_APPEND;
	ret = fib_add(c->st, &e, flags);
	explain(c, ret);
	return ret;
}

int route_del(struct nl_ctx *c, const struct nlmsghdr *h)
{
	struct fib_entry e;
	int ret = parse(c, h, &e);

	return ret ? ret : fib_del(c->st, &e);
}

/* Which way a packet would take: answered as a host route of the main table (or, RTM_F_FIB_MATCH, as the entry itself). */
int route_get(struct nl_ctx *c, const struct nlmsghdr *h)
{
	const struct rtmsg *rtm = nl_header(h, sizeof(*rtm));
	struct ip_flow flow = {0};
	const struct fib_entry *match;
	const struct fib_hop *hop;
	struct ip_route r;
	struct rtmsg *out;
	struct nl_attrs tb;
	int family, ret;

	if (!rtm || nl_parse(h, sizeof(*rtm), &tb))
		return -EINVAL;
	family = rtm->rtm_family;
	if (family != AF_INET && family != AF_INET6)
		return -EOPNOTSUPP;
	flow.dst.family = (uint16_t)family;
	if (tb.at[RTA_DST] && !nl_addr(tb.at[RTA_DST], family, &flow.dst))
		return nl_addr_error(tb.at[RTA_DST], family);
	if (tb.at[RTA_SRC] && !nl_addr(tb.at[RTA_SRC], family, &flow.src))
		return nl_addr_error(tb.at[RTA_SRC], family);
	flow.oif = (int)nl_u32(tb.at[RTA_OIF], 0);
	flow.tos = rtm->rtm_tos;
	flow.mark = nl_u32(tb.at[RTA_MARK], 0);
	flow.protocol = nl_u8(tb.at[RTA_IP_PROTO], 0);
	if (rtm->rtm_flags & RTM_F_FIB_MATCH) {
		ret = fib_lookup(c->st, &flow, &match, &hop);
		if (!ret)
			route_put(c, match, RTM_NEWROUTE, 0);
		return ret;
	}
	ret = ip_route_lookup(c->st, &flow, &r);
	if (ret)
		return ret;
	out = nl_begin(c, RTM_NEWROUTE, 0, sizeof(*out));
	out->rtm_family = (uint8_t)family;
	out->rtm_dst_len = family == AF_INET ? 32 : 128;
	out->rtm_table = r.local ? RT_TABLE_LOCAL : RT_TABLE_MAIN;
	out->rtm_type = r.local ? RTN_LOCAL : r.broadcast ? RTN_BROADCAST : r.multicast ? RTN_MULTICAST : RTN_UNICAST;
	out->rtm_flags = family == AF_INET ? RTM_F_CLONED : 0;
	nl_put_addr(c, RTA_DST, &flow.dst);
	nl_put_u32(c, RTA_TABLE, out->rtm_table);
	put_gateway(c, &flow.dst, &r.gateway);
	nl_put_u32(c, RTA_OIF, (uint32_t)r.out->index);
	nl_put_addr(c, RTA_PREFSRC, &r.src);
	nl_put_u32(c, RTA_UID, 0);
	nl_put(c, RTA_CACHEINFO, &(struct rta_cacheinfo){0}, sizeof(struct rta_cacheinfo));
	nl_end(c);
	return 0;
}
