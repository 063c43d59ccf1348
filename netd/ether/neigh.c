/* The neighbour table. One hash for both families. An entry needs a timer only while somebody waits for an answer:
 * that a REACHABLE one has become STALE is seen when it is looked at. */
#include "netd/ether/neigh.h"

#include "netd/ether/ether.h"
#include "netd/ip/ip_priv.h"
#include "netd/ip/v4.h"
#include "netd/ip/v6.h"

#define BUCKETS 256u
#define QUEUE_MAX 101u /* packets of one unresolved neighbour (unres_qlen) */
#define KNOWN (NUD_PERMANENT | NUD_NOARP | NUD_REACHABLE | NUD_PROBE | NUD_STALE | NUD_DELAY)

struct neigh_state {
	struct list buckets[BUCKETS];
	struct list all;
	unsigned count;
	uint64_t last_gc_ms;
};

static int64_t setting(const struct neigh *n, enum net_sysctl v4, enum net_sysctl v6)
{
	return n->nif->st->sysctl[n->addr.family == AF_INET ? v4 : v6];
}
#define SETTING(n, name) setting(n, NET_SYSCTL_NEIGH4_##name, NET_SYSCTL_NEIGH6_##name)

static struct list *bucket_of(struct netif *nif, const struct ip_addr *a)
{
	struct {
		uint8_t addr[16];
		int index;
	} key = {{0}, nif->index};

	/* Who answers our solicitations chooses addresses: a keyed hash. */
	memcpy(key.addr, a->v6, a->family == AF_INET ? 4 : 16);
	return &nif->st->ip->neigh->buckets[netstack_hash(nif->st, &key, sizeof(key)) % BUCKETS];
}

struct neigh *neigh_find(struct netif *nif, const struct ip_addr *a)
{
	struct neigh *n;

	LIST_FOR_EACH(n, bucket_of(nif, a), node) {
		if (n->nif == nif && ip_addr_equal(&n->addr, a))
			return n;
	}
	return NULL;
}

static void queue_purge(struct neigh *n)
{
	pkt_list_free(&n->queue);
	n->queued = n->queued_bytes = 0;
}

void neigh_delete(struct neigh *n)
{
	struct netstack *st = n->nif->st;

	net_timer_cancel(&n->timer);
	queue_purge(n);
	list_del(&n->node);
	list_del(&n->all);
	st->ip->neigh->count--;
	net_event(st, NET_EV_NEIGH, true, n);
	free(n);
}

static bool evictable(struct neigh *n)
{
	return !n->busy && !(n->state & (NUD_PERMANENT | NUD_NOARP)) && !(n->flags & NTF_EXT_LEARNED);
}

/* Drops what nobody used for gc_stale_time; then, when the table is still full, the longest unused. */
static bool make_room(struct netstack *st, int family)
{
	struct neigh_state *s = st->ip->neigh;
	bool v4 = family == AF_INET;
	uint64_t stale_ms = 1000 * (uint64_t)st->sysctl[v4 ? NET_SYSCTL_NEIGH4_GC_STALE_TIME
							   : NET_SYSCTL_NEIGH6_GC_STALE_TIME];
	unsigned low = (unsigned)st->sysctl[v4 ? NET_SYSCTL_NEIGH4_GC_THRESH1 : NET_SYSCTL_NEIGH6_GC_THRESH1];
	unsigned high = (unsigned)st->sysctl[v4 ? NET_SYSCTL_NEIGH4_GC_THRESH3 : NET_SYSCTL_NEIGH6_GC_THRESH3];
	struct neigh *n, *tmp, *oldest = NULL;

	if (s->count < low || (s->count < high && st->now_ms - s->last_gc_ms < 5000))
		return true;
	s->last_gc_ms = st->now_ms;
	LIST_FOR_EACH_SAFE(n, tmp, &s->all, all) {
		if (!evictable(n))
			continue;
		if (n->state == NUD_FAILED || (!(n->state & NUD_INCOMPLETE) && st->now_ms - n->used_ms > stale_ms)) {
			neigh_delete(n);
			continue;
		}
		/* Entries that never answered go first: a scan of a subnet must not push out real neighbours. */
		if (!oldest || (n->state & NUD_INCOMPLETE) > (oldest->state & NUD_INCOMPLETE) ||
		    ((n->state & NUD_INCOMPLETE) == (oldest->state & NUD_INCOMPLETE) && n->used_ms < oldest->used_ms))
			oldest = n;
	}
	if (s->count >= high) {
		if (!oldest)
			return false;
		neigh_delete(oldest);
	}
	return true;
}

static void neigh_timer(struct net_timer *t);

struct neigh *neigh_get(struct netif *nif, const struct ip_addr *a)
{
	struct netstack *st = nif->st;
	struct neigh *n = neigh_find(nif, a);

	if (n)
		return n;
	if (!make_room(st, a->family))
		return NULL;
	n = calloc(1, sizeof(*n));
	if (!n)
		return NULL;
	n->nif = nif;
	n->addr = *a;
	n->addr.scope = 0;
	n->state = NUD_NONE;
	n->used_ms = n->updated_ms = st->now_ms;
	list_init(&n->queue);
	net_timer_init(&n->timer, neigh_timer);
	list_add(bucket_of(nif, a), &n->node);
	list_add_tail(&st->ip->neigh->all, &n->all);
	st->ip->neigh->count++;
	return n;
}

uint8_t neigh_state(struct neigh *n)
{
	if (n->state == NUD_REACHABLE && n->nif->st->now_ms - n->confirmed_ms > n->reachable_ms)
		n->state = NUD_STALE;
	return n->state;
}

static void solicit(struct neigh *n, bool unicast)
{
	if (n->addr.family == AF_INET)
		arp_solicit(n, unicast);
	else
		nd_solicit(n, unicast);
}

/* Nobody answered: whoever sent hears of it as from a router (RFC 1122 2.3.2.2, RFC 4861 7.2.2). */
static void fail(struct neigh *n)
{
	struct list gone = LIST_INIT(gone);

	n->state = NUD_FAILED;
	n->updated_ms = n->nif->st->now_ms;
	net_event(n->nif->st, NET_EV_NEIGH, false, n);
	while (!list_empty(&n->queue)) {
		struct pkt *p = LIST_FIRST(&n->queue, struct pkt, node);

		list_del(&p->node);
		list_add_tail(&gone, &p->node);
	}
	n->queued = n->queued_bytes = 0;
	/* The error may go to a neighbour of its own (a forged source), and that one's entry must not take our place. */
	n->busy++;
	while (!list_empty(&gone)) {
		struct pkt *p = LIST_FIRST(&gone, struct pkt, node);

		list_del(&p->node);
		p->net = p->data;
		if (p->protocol == ETYPE_IP4)
			icmp4_host_unreachable(n->nif->st, p);
		else
			icmp6_addr_unreachable(n->nif->st, p);
		pkt_free(p);
	}
	n->busy--;
}

static void neigh_timer(struct net_timer *t)
{
	struct neigh *n = CONTAINER_OF(t, struct neigh, timer);
	struct netstack *st = n->nif->st;
	uint64_t retrans = (uint64_t)SETTING(n, RETRANS_TIME_MS);

	switch (n->state) {
	case NUD_INCOMPLETE:
		if (n->probes >= (unsigned)SETTING(n, MCAST_SOLICIT)) {
			fail(n);
			return;
		}
		n->probes++;
		net_timer_arm(st, t, MAX(retrans, 10u));
		solicit(n, false);
		return;
	case NUD_DELAY:
		n->state = NUD_PROBE;
		n->probes = 0;
		/* fall through */
	case NUD_PROBE:
		if (n->probes >= (unsigned)SETTING(n, UCAST_SOLICIT)) {
			fail(n);
			return;
		}
		n->probes++;
		net_timer_arm(st, t, MAX(retrans, 10u));
		solicit(n, true);
		return;
	}
}

static void resolve(struct neigh *n)
{
	n->state = NUD_INCOMPLETE;
	n->updated_ms = n->nif->st->now_ms;
	n->probes = 1;
	net_timer_arm(n->nif->st, &n->timer, MAX((uint64_t)SETTING(n, RETRANS_TIME_MS), UINT64_C(10)));
	solicit(n, false);
}

static int enqueue(struct neigh *n, struct pkt *p)
{
	p = pkt_linearize(p);
	if (!p)
		return -ENOBUFS;
	if (n->queued >= QUEUE_MAX || n->queued_bytes + p->room > (uint32_t)SETTING(n, UNRES_QLEN_BYTES) + PKT_LARGE) {
		struct pkt *old = LIST_FIRST(&n->queue, struct pkt, node);

		list_del(&old->node);
		n->queued--;
		n->queued_bytes -= old->room;
		pkt_free(old);
	}
	list_add_tail(&n->queue, &p->node);
	n->queued++;
	n->queued_bytes += p->room;
	return 0;
}

int neigh_output(struct netif *nif, const struct ip_addr *next_hop, struct pkt *p)
{
	struct neigh *n = neigh_get(nif, next_hop);
	int ret;

	if (!n) {
		pkt_free(p);
		return -ENOBUFS;
	}
	n->used_ms = nif->st->now_ms;
	switch (neigh_state(n)) {
	case NUD_STALE:
		n->state = NUD_DELAY;
		n->updated_ms = n->used_ms;
		net_timer_arm(nif->st, &n->timer, 1000 * (uint64_t)SETTING(n, DELAY_FIRST_PROBE_TIME));
		break;
	case NUD_NONE:
	case NUD_FAILED:
		ret = enqueue(n, p);
		if (ret == 0)
			resolve(n);
		return ret;
	case NUD_INCOMPLETE:
		return enqueue(n, p);
	}
	return ether_output(nif, n->mac, p);
}

static void flush_queue(struct neigh *n)
{
	n->busy++;
	while (!list_empty(&n->queue)) {
		struct pkt *p = LIST_FIRST(&n->queue, struct pkt, node);

		list_del(&p->node);
		n->queued--;
		n->queued_bytes -= p->room;
		(void)ether_output(n->nif, n->mac, p);
	}
	n->busy--;
}

static void mark_reachable(struct neigh *n)
{
	struct netstack *st = n->nif->st;
	uint32_t base = (uint32_t)SETTING(n, BASE_REACHABLE_TIME_MS);

	n->confirmed_ms = st->now_ms;
	/* Between half and one and a half of the base (RFC 4861 6.3.2), so that neighbours do not beat in time. */
	n->reachable_ms = base / 2 + (base ? netstack_random32(st) % base : 0);
	n->probes = 0;
	if (n->state & (NUD_DELAY | NUD_PROBE | NUD_INCOMPLETE))
		net_timer_cancel(&n->timer);
	n->state = NUD_REACHABLE;
}

void neigh_update(struct neigh *n, const uint8_t *mac, uint8_t state, unsigned flags)
{
	struct netstack *st = n->nif->st;
	uint8_t old = neigh_state(n);
	bool known = old & KNOWN, changed = mac && (!known || memcmp(mac, n->mac, 6));

	if (!(flags & NEIGH_ADMIN) && (old & (NUD_PERMANENT | NUD_NOARP)))
		return;
	if (changed && known && !(flags & (NEIGH_OVERRIDE | NEIGH_ADMIN))) {
		/* Somebody else claims the address, not for sure: ask again before we believe it. */
		if (old == NUD_REACHABLE && state == NUD_STALE) {
			n->state = NUD_STALE;
			n->updated_ms = st->now_ms;
		}
		return;
	}
	if (!known && !mac && (state & KNOWN))
		return;
	/* The same news again (an announcement of what we know) does not take away what was confirmed. */
	if (known && !changed && state == NUD_STALE && !(flags & NEIGH_ADMIN))
		return;
	if (changed)
		memcpy(n->mac, mac, 6);
	n->updated_ms = st->now_ms;
	if (state == NUD_REACHABLE) {
		mark_reachable(n);
	} else {
		net_timer_cancel(&n->timer);
		n->state = state;
		n->confirmed_ms = st->now_ms;
		n->probes = 0;
		if (state == NUD_DELAY)
			net_timer_arm(st, &n->timer, 1000 * (uint64_t)SETTING(n, DELAY_FIRST_PROBE_TIME));
		else if (state & (NUD_PROBE | NUD_INCOMPLETE))
			net_timer_arm(st, &n->timer, 0);
	}
	if (changed || old != n->state)
		net_event(st, NET_EV_NEIGH, false, n);
	if (n->state & KNOWN)
		flush_queue(n);
	else if (n->state == NUD_FAILED)
		queue_purge(n);
}

void neigh_confirm(struct netif *nif, const struct ip_addr *a)
{
	struct neigh *n = neigh_find(nif, a);

	if (!n || !(n->state & KNOWN) || (n->state & (NUD_PERMANENT | NUD_NOARP)))
		return;
	/* A confirmation each segment: move only the time while it is fresh. */
	if (n->state == NUD_REACHABLE)
		n->confirmed_ms = nif->st->now_ms;
	else
		mark_reachable(n);
}

void neigh_flush(struct netif *nif)
{
	struct neigh *n, *tmp;

	LIST_FOR_EACH_SAFE(n, tmp, &nif->st->ip->neigh->all, all) {
		if (n->nif == nif)
			neigh_delete(n);
	}
}

struct neigh *neigh_next(struct netstack *st, int family, struct neigh *prev)
{
	struct list *l = prev ? prev->all.next : st->ip->neigh->all.next;

	for (; l != &st->ip->neigh->all; l = l->next) {
		struct neigh *n = LIST_ENTRY(l, struct neigh, all);

		if (!family || n->addr.family == family)
			return n;
	}
	return NULL;
}

int neigh_init(struct netstack *st)
{
	struct neigh_state *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	for (unsigned i = 0; i < BUCKETS; i++)
		list_init(&s->buckets[i]);
	list_init(&s->all);
	st->ip->neigh = s;
	return 0;
}

void neigh_done(struct netstack *st)
{
	struct neigh_state *s = st->ip->neigh;

	if (!s)
		return;
	while (!list_empty(&s->all))
		neigh_delete(LIST_FIRST(&s->all, struct neigh, all));
	free(s);
	st->ip->neigh = NULL;
}
