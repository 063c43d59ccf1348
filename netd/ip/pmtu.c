/* What is known of the MTU of paths (RFC 1191, 8201), by destination. Bounded: a flood of messages about many
 * destinations evicts, it does not grow. A transport has checked each message before it comes here. */
#include "netd/ip/ip_priv.h"

#define BUCKETS 256u
#define ENTRIES_MAX 2048u

struct pmtu {
	struct list node, lru;
	struct ip_addr dst;
	uint32_t mtu;
	uint64_t expires_ms;
};

struct pmtu_state {
	struct list buckets[BUCKETS];
	struct list lru;         /* oldest first */
	unsigned count;
};

static struct list *bucket_of(struct netstack *st, const struct ip_addr *a)
{
	uint64_t h = netstack_hash(st, a->v6, a->family == AF_INET ? 4 : 16);

	return &st->ip->pmtu->buckets[h % BUCKETS];
}

static void drop(struct netstack *st, struct pmtu *p)
{
	list_del(&p->node);
	list_del(&p->lru);
	st->ip->pmtu->count--;
	free(p);
	netstack_bump(st);
}

static struct pmtu *find(struct netstack *st, const struct ip_addr *dst)
{
	struct pmtu *p;

	LIST_FOR_EACH(p, bucket_of(st, dst), node) {
		if (ip_addr_equal(&p->dst, dst))
			return p;
	}
	return NULL;
}

uint32_t pmtu_get(struct netstack *st, const struct ip_addr *dst)
{
	struct pmtu *p;

	if (!st->ip->pmtu->count)
		return UINT32_MAX;
	p = find(st, dst);
	if (!p)
		return UINT32_MAX;
	if (p->expires_ms <= st->now_ms) {
		drop(st, p);
		return UINT32_MAX;
	}
	return p->mtu;
}

void ip_pmtu_update(struct netstack *st, const struct ip_addr *dst, uint32_t mtu)
{
	struct pmtu_state *s = st->ip->pmtu;
	bool v6 = dst->family == AF_INET6;
	uint32_t floor = v6 ? 1280 : (uint32_t)st->sysctl[NET_SYSCTL_ROUTE4_MIN_PMTU];
	uint64_t expires = st->now_ms + 1000 * (uint64_t)st->sysctl[v6 ? NET_SYSCTL_ROUTE6_MTU_EXPIRES
								       : NET_SYSCTL_ROUTE4_MTU_EXPIRES];
	struct pmtu *p = find(st, dst);
	struct ip_flow f = {.dst = *dst};
	struct ip_route r;

	/* A path smaller than any real one is an attack on our packets' sizes. */
	mtu = MAX(mtu, floor);
	if (ip_route_lookup(st, &f, &r) < 0 || r.local || mtu >= r.mtu)
		return;
	if (!p) {
		if (s->count >= ENTRIES_MAX)
			drop(st, LIST_FIRST(&s->lru, struct pmtu, lru));
		p = malloc(sizeof(*p));
		if (!p)
			return;
		p->dst = *dst;
		list_add(bucket_of(st, dst), &p->node);
		list_add_tail(&s->lru, &p->lru);
		s->count++;
	}
	p->mtu = mtu;
	p->expires_ms = expires;
	netstack_bump(st);
}

void pmtu_flush(struct netstack *st)
{
	while (!list_empty(&st->ip->pmtu->lru))
		drop(st, LIST_FIRST(&st->ip->pmtu->lru, struct pmtu, lru));
}

int pmtu_init(struct netstack *st)
{
	struct pmtu_state *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	for (unsigned i = 0; i < BUCKETS; i++)
		list_init(&s->buckets[i]);
	list_init(&s->lru);
	st->ip->pmtu = s;
	return 0;
}

void pmtu_done(struct netstack *st)
{
	if (!st->ip->pmtu)
		return;
	pmtu_flush(st);
	free(st->ip->pmtu);
	st->ip->pmtu = NULL;
}
