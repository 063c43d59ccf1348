/* Routing rules: RTM_*RULE. */
#include <linux/fib_rules.h>

#include "common/base/util.h"
#include "netd/core/stack.h"
#include "netd/ip/fib.h"
#include "netd/netlink/private.h"

static void rule_put(struct nl_ctx *c, const struct fib_rule *r)
{
	struct fib_rule_hdr *f = nl_begin(c, RTM_NEWRULE, 0, sizeof(*f));

	f->family = (uint8_t)r->family;
	f->src_len = r->src_len;
	f->dst_len = r->dst_len;
	f->tos = r->tos;
	f->table = r->table < 256 ? (uint8_t)r->table : RT_TABLE_COMPAT;
	f->action = r->action;
	f->flags = r->flags;
	nl_put_u32(c, FRA_TABLE, r->table);
	nl_put_u32(c, FRA_SUPPRESS_PREFIXLEN, (uint32_t)r->suppress_prefixlen);
	nl_put_u8(c, FRA_PROTOCOL, r->protocol);
	if (r->iif[0])
		nl_put_text(c, FRA_IIFNAME, r->iif);
	if (r->oif[0])
		nl_put_text(c, FRA_OIFNAME, r->oif);
	if (r->priority)
		nl_put_u32(c, FRA_PRIORITY, r->priority);
	if (r->mark || r->mark_mask) {
		nl_put_u32(c, FRA_FWMARK, r->mark);
		nl_put_u32(c, FRA_FWMASK, r->mark_mask);
	}
	if (r->ip_proto)
		nl_put_u8(c, FRA_IP_PROTO, r->ip_proto);
	if (r->src_len)
		nl_put_addr(c, FRA_SRC, &r->src);
	if (r->dst_len)
		nl_put_addr(c, FRA_DST, &r->dst);
	nl_end(c);
}

int rule_dump(struct nl_ctx *c, const struct nlmsghdr *h)
{
	static const int families[] = {AF_INET, AF_INET6};
	int family = h->nlmsg_len > NLMSG_HDRLEN ? *(const uint8_t *)NLMSG_DATA(h) : AF_UNSPEC;
	const struct fib_rule *r;

	if (family != AF_UNSPEC && family != AF_INET && family != AF_INET6)
		return -EAFNOSUPPORT;
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		if (family != AF_UNSPEC && family != families[i])
			continue;
		for (r = fib_rule_next(c->st, families[i], NULL); r; r = fib_rule_next(c->st, families[i], r))
			rule_put(c, r);
	}
	return 0;
}

static int parse(const struct nlmsghdr *h, struct fib_rule *r)
{
	const struct fib_rule_hdr *f = nl_header(h, sizeof(*f));
	struct nl_attrs tb;
	int family, bits;

	memset(r, 0, sizeof(*r));
	if (!f || nl_parse(h, sizeof(*f), &tb))
		return -EINVAL;
	family = f->family;
	bits = family == AF_INET ? 32 : 128;
	if (family != AF_INET && family != AF_INET6)
		return -EAFNOSUPPORT;
	if (f->src_len > bits || f->dst_len > bits ||
	    (f->src_len && !nl_addr(tb.at[FRA_SRC], family, &r->src)) ||
	    (f->dst_len && !nl_addr(tb.at[FRA_DST], family, &r->dst)))
		return -EINVAL;
	if (tb.at[FRA_GOTO] || tb.at[FRA_L3MDEV] || tb.at[FRA_SPORT_RANGE] || tb.at[FRA_DPORT_RANGE] ||
	    tb.at[FRA_UID_RANGE])
		return -EOPNOTSUPP;
	r->family = (uint16_t)family;
	r->src_len = f->src_len;
	r->dst_len = f->dst_len;
	r->tos = f->tos;
	r->action = f->action;
	r->flags = f->flags & FIB_RULE_INVERT;
	r->table = nl_u32(tb.at[FRA_TABLE], f->table);
	r->priority = nl_u32(tb.at[FRA_PRIORITY], 0);
	r->protocol = nl_u8(tb.at[FRA_PROTOCOL], RTPROT_UNSPEC);
	r->mark = nl_u32(tb.at[FRA_FWMARK], 0);
	r->mark_mask = nl_u32(tb.at[FRA_FWMASK], r->mark ? UINT32_MAX : 0);
	r->ip_proto = nl_u8(tb.at[FRA_IP_PROTO], 0);
	r->suppress_prefixlen = (int32_t)nl_u32(tb.at[FRA_SUPPRESS_PREFIXLEN], UINT32_MAX);
	nl_text(tb.at[FRA_IIFNAME], r->iif, sizeof(r->iif));
	nl_text(tb.at[FRA_OIFNAME], r->oif, sizeof(r->oif));
	return 0;
}

int rule_new(struct nl_ctx *c, const struct nlmsghdr *h)
{
	struct fib_rule r;
	int ret = parse(h, &r);

	return ret ? ret : fib_rule_add(c->st, &r, h->nlmsg_flags & NLM_F_EXCL);
}

int rule_del(struct nl_ctx *c, const struct nlmsghdr *h)
{
	struct fib_rule r;
	int ret = parse(h, &r);

	return ret ? ret : fib_rule_del(c->st, &r);
}
