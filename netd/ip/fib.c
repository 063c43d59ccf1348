/* Routing tables: for each table a hash of prefixes and a set of the prefix lengths in use, so that a lookup asks once
 * for each length that exists, from the longest down. */
#include <linux/fib_rules.h>
#include <net/if.h>

#include "netd/ip/ip_priv.h"

struct fib_table {
	struct list node;
	uint32_t id;
	uint16_t family;
	struct list all;
	uint32_t count, bucket_count;
	struct list *buckets;
	uint32_t lengths[129];   /* entries of each prefix length */
	uint64_t used[3];        /* bit n: lengths[n] is not 0 */
};

struct fib_state {
	struct list tables;
	struct list rules;       /* by priority */
};

static void mask(struct ip_addr *a, unsigned bits)
{
	if (a->family == AF_INET) {
		a->v4 = bits ? a->v4 & be32(UINT32_MAX << (32 - bits)) : 0;
		return;
	}
	for (unsigned i = 0; i < 16; i++) {
		if (bits >= 8 * (i + 1))
			continue;
		a->v6[i] &= bits > 8 * i ? (uint8_t)(0xff00u >> (bits - 8 * i)) : 0;
	}
}

/* Addresses in tables are the administrator's: no secret is needed. */
static uint32_t prefix_hash(const struct ip_addr *a, unsigned bits)
{
	uint64_t h = bits * UINT64_C(0x9e3779b97f4a7c15);

	if (a->family == AF_INET) {
		h ^= a->v4;
	} else {
		uint64_t w[2];

		memcpy(w, a->v6, 16);
		h ^= w[0];
		h *= UINT64_C(0xff51afd7ed558ccd);
		h ^= h >> 32;
		h ^= w[1];
	}
	h *= UINT64_C(0xff51afd7ed558ccd);
	return (uint32_t)(h >> 32);
}

static struct list *bucket_of(struct fib_table *t, const struct ip_addr *masked, unsigned bits)
{
	return &t->buckets[prefix_hash(masked, bits) & (t->bucket_count - 1)];
}

static struct fib_table *table_find(struct netstack *st, int family, uint32_t id)
{
	struct fib_table *t;

	LIST_FOR_EACH(t, &st->ip->fib->tables, node) {
		if (t->id == id && t->family == family)
			return t;
	}
	return NULL;
}

static int table_resize(struct fib_table *t, uint32_t buckets)
{
	struct list *old = t->buckets, *fresh = malloc(buckets * sizeof(*fresh));
	struct fib_entry *e;

	if (!fresh)
		return -ENOMEM;
	for (uint32_t i = 0; i < buckets; i++)
		list_init(&fresh[i]);
	t->buckets = fresh;
	t->bucket_count = buckets;
	/* `all` has entries of one prefix in the order of their buckets. */
	LIST_FOR_EACH(e, &t->all, all)
		list_add_tail(bucket_of(t, &e->dst, e->dst_len), &e->node);
	free(old);
	return 0;
}

static struct fib_table *table_get(struct netstack *st, int family, uint32_t id)
{
	struct fib_table *t = table_find(st, family, id), *at;
	struct list *before = &st->ip->fib->tables;

	if (t)
		return t;
	t = calloc(1, sizeof(*t));
	if (!t)
		return NULL;
	t->id = id;
	t->family = (uint16_t)family;
	list_init(&t->all);
	if (table_resize(t, 16) < 0) {
		free(t);
		return NULL;
	}
	LIST_FOR_EACH(at, &st->ip->fib->tables, node) {
		if (at->id > id) {
			before = &at->node;
			break;
		}
	}
	list_add_tail(before, &t->node);
	return t;
}

static void entry_unlink(struct fib_table *t, struct fib_entry *e)
{
	list_del(&e->node);
	list_del(&e->all);
	t->count--;
	if (--t->lengths[e->dst_len] == 0)
		t->used[e->dst_len / 64] &= ~(UINT64_C(1) << e->dst_len % 64);
}

static void entry_drop(struct netstack *st, struct fib_table *t, struct fib_entry *e)
{
	entry_unlink(t, e);
	netstack_bump(st);
	net_event(st, NET_EV_ROUTE, true, e);
	free(e);
}

/* Entries of one prefix stand in the order of their priority, those of one priority as they were added. */
static int order(const struct fib_entry *a, const struct fib_entry *b)
{
	if (a->dst.family == AF_INET && a->dst.v4 != b->dst.v4)
		return be32(a->dst.v4) > be32(b->dst.v4) ? 1 : -1;
	if (a->dst.family == AF_INET6 && memcmp(a->dst.v6, b->dst.v6, 16))
		return memcmp(a->dst.v6, b->dst.v6, 16);
	if (a->dst_len != b->dst_len)
		return a->dst_len < b->dst_len ? 1 : -1;
	if (a->tos != b->tos)
		return a->tos < b->tos ? 1 : -1; /* the more special first */
	return a->priority > b->priority ? 1 : a->priority < b->priority ? -1 : 0;
}

static bool same_hops(const struct fib_entry *a, const struct fib_entry *b)
{
	if (a->hop_count != b->hop_count)
		return false;
	for (unsigned i = 0; i < a->hop_count; i++) {
		if (a->hop[i].out != b->hop[i].out || a->hop[i].gateway.family != b->hop[i].gateway.family ||
		    (a->hop[i].gateway.family && !ip_addr_equal(&a->hop[i].gateway, &b->hop[i].gateway)))
			return false;
	}
	return true;
}

static int entry_insert(struct fib_table *t, struct fib_entry *e, bool first)
{
	struct list *bucket, *before, *all_before;
	struct fib_entry *at;

	if (t->count > 2 * t->bucket_count)
		(void)table_resize(t, t->bucket_count * 4); /* without it, only slower */
	bucket = bucket_of(t, &e->dst, e->dst_len);
	before = bucket;
	LIST_FOR_EACH(at, bucket, node) {
		int o = order(at, e);

		if (o > 0 || (first && o == 0)) {
			before = &at->node;
			break;
		}
	}
	all_before = &t->all;
	LIST_FOR_EACH(at, &t->all, all) {
		int o = order(at, e);

		if (o > 0 || (first && o == 0)) {
			all_before = &at->all;
			break;
		}
	}
	list_add_tail(before, &e->node);
	list_add_tail(all_before, &e->all);
	t->count++;
	if (t->lengths[e->dst_len]++ == 0)
		t->used[e->dst_len / 64] |= UINT64_C(1) << e->dst_len % 64;
	return 0;
}

static bool leads_somewhere(uint8_t type)
{
	return type == RTN_UNICAST || type == RTN_LOCAL || type == RTN_BROADCAST || type == RTN_MULTICAST ||
	       type == RTN_ANYCAST;
}

/* Finds the interface of a gateway that came without one, and checks that it is on a link. */
static int hop_resolve(struct netstack *st, struct fib_hop *h)
{
	struct ip_flow f = {.dst = h->gateway, .oif = h->out ? h->out->index : 0};
	const struct fib_entry *via;
	const struct fib_hop *via_hop;

	if (h->out && !(h->out->flags & IFF_UP))
		return -ENETDOWN;
	if (!h->gateway.family)
		return h->out ? 0 : -ENODEV;
	if (ip_addr_any(&h->gateway) || ip_addr_multicast(&h->gateway))
		return -EINVAL;
	if (h->flags & RTNH_F_ONLINK)
		return h->out ? 0 : -ENODEV;
	if (h->gateway.family == AF_INET6 && ip_addr_linklocal(&h->gateway))
		return h->out ? 0 : -EINVAL;
	if (fib_lookup(st, &f, &via, &via_hop) < 0 || via->type != RTN_UNICAST || via_hop->gateway.family)
		return h->gateway.family == AF_INET6 ? -EHOSTUNREACH : -ENETUNREACH;
	if (!h->out)
		h->out = via_hop->out;
	return h->out == via_hop->out ? 0 : -ENETUNREACH;
}

int fib_add(struct netstack *st, const struct fib_entry *from, unsigned flags)
{
	int family = from->dst.family;
	struct fib_table *t;
	struct fib_entry *e, *at, *same = NULL;
	int ret;

	if ((family != AF_INET && family != AF_INET6) || from->dst_len > (family == AF_INET ? 32 : 128) ||
	    from->hop_count > FIB_HOPS_MAX || (leads_somewhere(from->type) && !from->hop_count))
		return -EINVAL;
	e = malloc(sizeof(*e));
	if (!e)
		return -ENOMEM;
	*e = *from;
	mask(&e->dst, e->dst_len);
	if (memcmp(e->dst.v6, from->dst.v6, family == AF_INET ? 4 : 16)) {
		free(e);
		return -EINVAL;
	}
	for (unsigned i = 0; i < e->hop_count; i++) {
		/* Our own need no gateway to be found; but a program may call its routes so, too. */
		if (e->protocol == RTPROT_KERNEL && e->hop[i].out)
			continue;
		ret = hop_resolve(st, &e->hop[i]);
		if (ret < 0) {
			free(e);
			return ret;
		}
	}
	t = table_get(st, family, e->table);
	if (!t) {
		free(e);
		return -ENOMEM;
	}
	LIST_FOR_EACH(at, bucket_of(t, &e->dst, e->dst_len), node) {
		if (order(at, e))
			continue;
		if (!same)
			same = at;
		/* IPv4 knows one of a prefix, tos and priority unless it is appended; the very same never twice. */
		if (at->type == e->type && same_hops(at, e) && at->scope == e->scope && !(flags & FIB_REPLACE)) {
			/* What a router told of and is now wanted here as well stays whatever the router says. */
			if (at->advertised && !e->advertised) {
				at->advertised = false;
				at->expires_ms = e->expires_ms;
			}
			goto exists;
		}
	}
	if (same && (flags & FIB_EXCL))
		goto exists;
	if (same && !(flags & (FIB_REPLACE | FIB_APPEND)) && family == AF_INET && e->protocol != RTPROT_KERNEL)
		goto exists;
	if (!same && (flags & FIB_REPLACE) && !(flags & FIB_CREATE)) {
		free(e);
		return -ENOENT;
	}
	if (same && (flags & FIB_REPLACE))
		entry_drop(st, t, same);
	entry_insert(t, e, false);
	netstack_bump(st);
	net_event(st, NET_EV_ROUTE, false, e);
	return 0;
exists:
	free(e);
	return -EEXIST;
}

static bool del_match(const struct fib_entry *e, const struct fib_entry *want)
{
	if (want->priority && e->priority != want->priority)
		return false;
	if (want->advertised && !e->advertised)
		return false;
	if (e->tos != want->tos || (want->protocol && e->protocol != want->protocol))
		return false;
	if ((want->type && e->type != want->type) || (want->scope != RT_SCOPE_NOWHERE && e->scope != want->scope))
		return false;
	if (want->prefsrc.family && !ip_addr_equal(&want->prefsrc, &e->prefsrc))
		return false;
	for (unsigned i = 0; i < want->hop_count; i++) {
		if (i >= e->hop_count || (want->hop[i].out && want->hop[i].out != e->hop[i].out))
			return false;
		if (want->hop[i].gateway.family && !ip_addr_equal(&want->hop[i].gateway, &e->hop[i].gateway))
			return false;
	}
	return true;
}

int fib_del(struct netstack *st, const struct fib_entry *want)
{
	struct fib_table *t = table_find(st, want->dst.family, want->table);
	struct fib_entry *e;

	if (!t || want->dst_len > (want->dst.family == AF_INET ? 32 : 128))
		return -ESRCH;
	LIST_FOR_EACH(e, bucket_of(t, &want->dst, want->dst_len), node) {
		if (e->dst_len == want->dst_len && ip_addr_equal(&e->dst, &want->dst) && del_match(e, want)) {
			entry_drop(st, t, e);
			return 0;
		}
	}
	return -ESRCH;
}

const struct fib_entry *fib_next(struct netstack *st, int family, uint32_t table, const struct fib_entry *prev)
{
	struct fib_table *t;
	bool found = !prev;

	LIST_FOR_EACH(t, &st->ip->fib->tables, node) {
		struct list *n = &t->all;

		if (t->family != family || (table && t->id != table))
			continue;
		if (!found && prev->table == t->id) {
			found = true;
			n = (struct list *)(uintptr_t)&prev->all;
		}
		if (found && n->next != &t->all)
			return LIST_ENTRY(n->next, struct fib_entry, all);
	}
	return NULL;
}

void fib_flush_netif(struct netif *nif, int family, bool all)
{
	struct netstack *st = nif->st;
	struct fib_table *t;
	struct fib_entry *e, *tmp;

	LIST_FOR_EACH(t, &st->ip->fib->tables, node) {
		if (family && t->family != family)
			continue;
		LIST_FOR_EACH_SAFE(e, tmp, &t->all, all) {
			unsigned keep = 0, gone;

			if (!all && e->type == RTN_LOCAL)
				continue;
			for (unsigned i = 0; i < e->hop_count; i++) {
				if (e->hop[i].out != nif)
					e->hop[keep++] = e->hop[i];
			}
			gone = e->hop_count - keep;
			if (!gone)
				continue;
			e->hop_count = (uint8_t)keep;
			netstack_bump(st);
			if (!keep)
				entry_drop(st, t, e);
		}
	}
}

static bool hop_usable(const struct fib_hop *h, const struct ip_flow *f, uint8_t type)
{
	if (type == RTN_LOCAL)
		return true;
	return (h->out->flags & IFF_UP) && (!f->oif || h->out->index == f->oif);
}

/* Which of several next hops: by addresses, so that a flow keeps its way. */
static const struct fib_hop *hop_choose(struct netstack *st, const struct fib_entry *e, const struct ip_flow *f)
{
	unsigned total = 0, pick;
	struct {
		uint8_t src[16], dst[16];
	} key = {{0}};

	if (e->hop_count == 1)
		return hop_usable(&e->hop[0], f, e->type) ? &e->hop[0] : NULL;
	for (unsigned i = 0; i < e->hop_count; i++)
		total += hop_usable(&e->hop[i], f, e->type) ? MAX(e->hop[i].weight, 1u) : 0;
	if (!total)
		return NULL;
	memcpy(key.dst, f->dst.v6, f->dst.family == AF_INET ? 4 : 16);
	if (f->src.family)
		memcpy(key.src, f->src.v6, f->src.family == AF_INET ? 4 : 16);
	pick = (unsigned)(netstack_hash(st, &key, sizeof(key)) % total);
	for (unsigned i = 0; i < e->hop_count; i++) {
		unsigned w = hop_usable(&e->hop[i], f, e->type) ? MAX(e->hop[i].weight, 1u) : 0;

		if (pick < w)
			return &e->hop[i];
		pick -= w;
	}
	return NULL;
}

static const struct fib_entry *table_lookup(struct netstack *st, struct fib_table *t, const struct ip_flow *f,
					    int32_t suppress, const struct fib_hop **ret_hop)
{
	for (int word = 2; word >= 0; word--) {
		uint64_t used = t->used[word];

		while (used) {
			unsigned len = (unsigned)word * 64 + 63 - (unsigned)__builtin_clzll(used);
			struct ip_addr net = f->dst;
			struct fib_entry *e;

			used &= ~(UINT64_C(1) << len % 64);
			if ((int32_t)len <= suppress)
				return NULL;
			mask(&net, len);
			LIST_FOR_EACH(e, bucket_of(t, &net, len), node) {
				if (e->dst_len != len || !ip_addr_equal(&e->dst, &net) || (e->tos && e->tos != (f->tos & 0x1c)))
					continue;
				if (e->expires_ms && e->expires_ms <= st->now_ms)
					continue;
				if (!e->hop_count) {
					*ret_hop = NULL;
					return e;
				}
				*ret_hop = hop_choose(st, e, f);
				if (*ret_hop)
					return e;
			}
		}
	}
	return NULL;
}

static bool rule_match(struct netstack *st, const struct fib_rule *r, const struct ip_flow *f)
{
	bool hit = true;

	if (r->family != f->dst.family)
		return false;
	if (r->src.family)
		hit = f->src.family ? ip_addr_prefix_equal(&r->src, &f->src, r->src_len) : r->src_len == 0;
	if (hit && r->dst.family)
		hit = ip_addr_prefix_equal(&r->dst, &f->dst, r->dst_len);
	if (hit && r->oif[0]) {
		struct netif *nif = f->oif ? netif_by_index(st, f->oif) : NULL;

		hit = nif && !strncmp(nif->name, r->oif, sizeof(r->oif));
	}
	if (hit && r->iif[0]) /* what we send comes from loopback */
		hit = !strcmp(r->iif, "lo");
	hit = hit && (f->mark & r->mark_mask) == (r->mark & r->mark_mask) && (!r->tos || r->tos == f->tos) &&
	      (!r->ip_proto || r->ip_proto == f->protocol);
	return r->flags & FIB_RULE_INVERT ? !hit : hit;
}

int fib_lookup(struct netstack *st, const struct ip_flow *f, const struct fib_entry **ret, const struct fib_hop **ret_hop)
{
	struct fib_rule *r;

	LIST_FOR_EACH(r, &st->ip->fib->rules, node) {
		const struct fib_entry *e;
		struct fib_table *t;

		if (!rule_match(st, r, f))
			continue;
		if (r->action == FR_ACT_UNREACHABLE)
			return -ENETUNREACH;
		if (r->action == FR_ACT_PROHIBIT)
			return -EACCES;
		if (r->action == FR_ACT_BLACKHOLE)
			return -EINVAL;
		if (r->action != FR_ACT_TO_TBL)
			continue;
		t = table_find(st, f->dst.family, r->table);
		e = t ? table_lookup(st, t, f, r->suppress_prefixlen, ret_hop) : NULL;
		if (!e || e->type == RTN_THROW)
			continue;
		if (e->type == RTN_UNREACHABLE)
			return -EHOSTUNREACH;
		if (e->type == RTN_PROHIBIT)
			return -EACCES;
		if (e->type == RTN_BLACKHOLE)
			return -EINVAL;
		*ret = e;
		return 0;
	}
	return -ENETUNREACH;
}

uint8_t fib_local_type(struct netstack *st, const struct ip_addr *a, const struct fib_entry **ret_entry)
{
	struct ip_flow f = {.dst = *a};
	struct fib_table *t = table_find(st, a->family, RT_TABLE_LOCAL);
	const struct fib_hop *hop;
	const struct fib_entry *e = t ? table_lookup(st, t, &f, -1, &hop) : NULL;

	if (ret_entry)
		*ret_entry = e;
	return e ? e->type : RTN_UNSPEC;
}

/* ---- rules ---- */

int fib_rule_add(struct netstack *st, const struct fib_rule *from, bool excl)
{
	struct fib_rule *r, *at;
	struct list *before = &st->ip->fib->rules;
	uint32_t priority = from->priority;

	LIST_FOR_EACH(at, &st->ip->fib->rules, node) {
		if (at->family != from->family)
			continue;
		if (!priority && at->priority > 0 && !from->priority)
			priority = at->priority - 1;
		if (excl && at->priority == from->priority && at->table == from->table && at->action == from->action &&
		    at->src.family == from->src.family && at->src_len == from->src_len && at->dst_len == from->dst_len &&
		    at->mark == from->mark && at->tos == from->tos && !strcmp(at->iif, from->iif) &&
		    !strcmp(at->oif, from->oif) &&
		    (!at->src.family || ip_addr_equal(&at->src, &from->src)) &&
		    (!at->dst.family || !from->dst.family || ip_addr_equal(&at->dst, &from->dst)))
			return -EEXIST;
	}
	r = malloc(sizeof(*r));
	if (!r)
		return -ENOMEM;
	*r = *from;
	/* The rule of the local table has priority 0 in truth, not for want of one. */
	if (!(from->protocol == RTPROT_KERNEL && from->priority == 0))
		r->priority = priority;
	LIST_FOR_EACH(at, &st->ip->fib->rules, node) {
		if (at->priority > r->priority) {
			before = &at->node;
			break;
		}
	}
	list_add_tail(before, &r->node);
	netstack_bump(st);
	return 0;
}

int fib_rule_del(struct netstack *st, const struct fib_rule *want)
{
	struct fib_rule *r;

	LIST_FOR_EACH(r, &st->ip->fib->rules, node) {
		if (r->family != want->family || (want->priority && r->priority != want->priority) ||
		    (want->table && r->table != want->table) || (want->action && r->action != want->action) ||
		    (want->mark && r->mark != want->mark) ||
		    (want->src.family && (r->src_len != want->src_len || !ip_addr_equal(&r->src, &want->src))) ||
		    (want->dst.family && (r->dst_len != want->dst_len || !ip_addr_equal(&r->dst, &want->dst))) ||
		    (want->iif[0] && strcmp(r->iif, want->iif)) || (want->oif[0] && strcmp(r->oif, want->oif)))
			continue;
		list_del(&r->node);
		free(r);
		netstack_bump(st);
		return 0;
	}
	return -ENOENT;
}

const struct fib_rule *fib_rule_next(struct netstack *st, int family, const struct fib_rule *prev)
{
	const struct list *n = prev ? prev->node.next : st->ip->fib->rules.next;

	for (; n != &st->ip->fib->rules; n = n->next) {
		const struct fib_rule *r = LIST_ENTRY((struct list *)(uintptr_t)n, struct fib_rule, node);

		if (r->family == family)
			return r;
	}
	return NULL;
}

int fib_init(struct netstack *st)
{
	static const struct {
		uint32_t priority, table;
	} rules[] = {{0, RT_TABLE_LOCAL}, {32766, RT_TABLE_MAIN}, {32767, RT_TABLE_DEFAULT}};
	struct fib_state *fib = calloc(1, sizeof(*fib));

	if (!fib)
		return -ENOMEM;
	list_init(&fib->tables);
	list_init(&fib->rules);
	st->ip->fib = fib;
	for (int family = AF_INET;; family = AF_INET6) {
		for (unsigned i = 0; i < ARRAY_SIZE(rules); i++) {
			struct fib_rule r = {.family = (uint16_t)family, .priority = rules[i].priority,
					     .table = rules[i].table, .action = FR_ACT_TO_TBL,
					     .protocol = RTPROT_KERNEL, .suppress_prefixlen = -1};

			/* IPv6 has no table `default`. */
			if (family == AF_INET6 && rules[i].table == RT_TABLE_DEFAULT)
				continue;
			if (fib_rule_add(st, &r, false) < 0)
				return -ENOMEM;
		}
		if (family == AF_INET6)
			return 0;
	}
}

void fib_done(struct netstack *st)
{
	struct fib_state *fib = st->ip->fib;

	if (!fib)
		return;
	while (!list_empty(&fib->rules)) {
		struct fib_rule *r = LIST_FIRST(&fib->rules, struct fib_rule, node);

		list_del(&r->node);
		free(r);
	}
	while (!list_empty(&fib->tables)) {
		struct fib_table *t = LIST_FIRST(&fib->tables, struct fib_table, node);

		while (!list_empty(&t->all)) {
			struct fib_entry *e = LIST_FIRST(&t->all, struct fib_entry, all);

			entry_unlink(t, e);
			free(e);
		}
		list_del(&t->node);
		free(t->buckets);
		free(t);
	}
	free(fib);
	st->ip->fib = NULL;
}
