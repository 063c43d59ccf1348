/* See mcgroup.h. */
#include "netd/ip/mcgroup.h"

#include <net/if.h>
#include <net/if_arp.h>

#define OLDER_MS 260000u /* how long an older querier is remembered: 2 * 125 s + 10 s (RFC 3376 8.12) */

struct mc_if *mc_of(const struct netif *nif, int family)
{
	return family == AF_INET ? nif->igmp : nif->mld;
}

struct mc_group *mc_find(struct mc_if *m, const struct ip_addr *group)
{
	struct mc_group *g;

	LIST_FOR_EACH(g, &m->groups, node) {
		if (ip_addr_equal(&g->addr, group))
			return g;
	}
	return NULL;
}

/* All hosts of the link: joined always, told never. Groups that do not leave the machine are not told either. */
static bool untold(const struct ip_addr *g)
{
	if (g->family == AF_INET)
		return g->v4 == be32(INADDR_ALLHOSTS_GROUP);
	return (g->v6[1] & 15u) < 2 || ((g->v6[1] & 15u) == 2 && !g->v6w[1] && !g->v6w[2] && g->v6w[3] == be32(1) &&
					!g->v6[2] && !g->v6[3]);
}

bool ip_mc_joined(const struct netif *nif, const struct ip_addr *group)
{
	struct mc_if *m = mc_of(nif, group->family);
	struct mc_group *g;

	if (!m)
		return false;
	if (untold(group) && (group->family == AF_INET ||
			      (!group->v6w[1] && !group->v6w[2] && group->v6w[3] == be32(1))))
		return true;
	g = mc_find(m, group);
	return g && (g->own || !list_empty(&g->members));
}

static bool has(const struct ip_addr *set, unsigned count, const struct ip_addr *a)
{
	for (unsigned i = 0; i < count; i++) {
		if (ip_addr_equal(&set[i], a))
			return true;
	}
	return false;
}

/* RFC 3376 section 3.2. */
static void merge(const struct mc_group *g, struct mc_filter *f)
{
	struct mc_member *m, *o;

	*f = (struct mc_filter){.exclude = g->own > 0};
	LIST_FOR_EACH(m, &g->members, node)
		f->exclude |= m->exclude;
	if (g->own)
		return;
	LIST_FOR_EACH(m, &g->members, node) {
		if (m->exclude != f->exclude)
			continue;
		for (unsigned i = 0; i < m->count && f->count < MC_SOURCES_MAX; i++) {
			bool want = !has(f->src, f->count, &m->src[i]);

			/* Excluded is what all exclude and nobody includes. */
			LIST_FOR_EACH(o, &g->members, node) {
				if (f->exclude && o->exclude != has(o->src, o->count, &m->src[i]))
					want = false;
			}
			if (want)
				f->src[f->count++] = m->src[i];
		}
	}
}

static bool tells(const struct mc_group *g)
{
	const struct netif *nif = g->on->nif;

	return g->on->up && (nif->flags & IFF_UP) && nif->type == ARPHRD_ETHER && !untold(&g->addr);
}

static void put_record(struct pkt *p, uint8_t type, const struct ip_addr *group, const struct ip_addr *src, unsigned count)
{
	uint32_t alen = group->family == AF_INET ? 4 : 16;
	uint8_t *d = p->data + p->len;

	d[0] = type;
	d[1] = 0;
	put_be16(d + 2, (uint16_t)count);
	memcpy(d + 4, group->v6, alen);
	for (unsigned i = 0; i < count; i++)
		memcpy(d + 4 + alen + i * alen, src[i].v6, alen);
	p->len += 4 + alen + count * alen;
}

static uint32_t record_size(int family, unsigned count)
{
	return 4u + (count + 1) * (family == AF_INET ? 4u : 16u);
}

#define REPORT_ROOM 1500u
_Static_assert(8 + 4 + (MC_SOURCES_MAX + 1) * 16 <= REPORT_ROOM, "any one record fits a report");

static struct pkt *report_begin(void)
{
	struct pkt *p = pkt_alloc(REPORT_ROOM);

	if (p) {
		memset(p->data, 0, 8);
		p->len = 8;
	}
	return p;
}

static void report_send(struct mc_if *m, struct pkt *p, unsigned records)
{
	if (m->family == AF_INET)
		igmp_send_report(m->nif, p, records);
	else
		mld_send_report(m->nif, p, records);
}

static unsigned version_now(struct mc_if *m)
{
	if (m->version < m->newest && m->nif->st->now_ms >= m->older_until_ms)
		m->version = m->newest;
	return m->version;
}

static void send_old(struct mc_group *g, bool leave)
{
	if (g->on->family == AF_INET)
		igmp_send_old(g->on->nif, version_now(g->on), &g->addr, leave);
	else
		mld_send_old(g->on->nif, &g->addr, leave);
}

/* The state of the group as it is. */
static void answer(struct mc_group *g)
{
	struct pkt *p;

	if (!tells(g) || (!g->own && list_empty(&g->members)))
		return;
	if (version_now(g->on) < g->on->newest) {
		send_old(g, false);
		return;
	}
	p = report_begin();
	if (!p)
		return;
	put_record(p, g->now.exclude ? MC_IS_EX : MC_IS_IN, &g->addr, g->now.src, g->now.count);
	report_send(g->on, p, 1);
}

static void answer_timer(struct net_timer *t)
{
	answer(CONTAINER_OF(t, struct mc_group, answer));
}

static void general_timer(struct net_timer *t)
{
	struct mc_if *m = CONTAINER_OF(t, struct mc_if, general);
	struct pkt *p = NULL;
	unsigned records = 0;
	struct mc_group *g;

	LIST_FOR_EACH(g, &m->groups, node) {
		if (!tells(g) || (!g->own && list_empty(&g->members)))
			continue;
		if (p && p->len + record_size(m->family, g->now.count) > MIN(m->nif->mtu - 48, 1400u)) {
			report_send(m, STEAL_PTR(p), records);
			records = 0;
		}
		if (!p)
			p = report_begin();
		if (!p)
			return;
		put_record(p, g->now.exclude ? MC_IS_EX : MC_IS_IN, &g->addr, g->now.src, g->now.count);
		records++;
	}
	if (p)
		report_send(m, p, records);
}

static void group_free(struct mc_group *g)
{
	net_timer_cancel(&g->answer);
	net_timer_cancel(&g->again);
	list_del(&g->node);
	free(g);
}

static void tell_change(struct mc_group *g)
{
	unsigned records = 0;
	struct pkt *p;

	if (!tells(g))
		return;
	if (version_now(g->on) < g->on->newest) {
		send_old(g, !g->own && list_empty(&g->members));
		return;
	}
	p = report_begin();
	if (!p)
		return;
	for (unsigned i = 0; i < 2; i++) {
		if (!g->change[i].type)
			continue;
		/* Both together may be more than a report has room for: all sources gone, and as many come. */
		if (records && p->len + record_size(g->on->family, g->change[i].count) > REPORT_ROOM) {
			report_send(g->on, p, records);
			records = 0;
			p = report_begin();
			if (!p)
				return;
		}
		put_record(p, g->change[i].type, &g->addr, g->change[i].src, g->change[i].count);
		records++;
	}
	if (records)
		report_send(g->on, p, records);
	else
		pkt_free(p);
}

static void again_timer(struct net_timer *t)
{
	struct mc_group *g = CONTAINER_OF(t, struct mc_group, again);

	if (g->left) {
		g->left--;
		tell_change(g);
	}
	if (g->left)
		net_timer_arm(g->on->nif->st, t, 1 + netstack_random32(g->on->nif->st) % 1000);
	else if (!g->own && list_empty(&g->members))
		group_free(g);
}

static void difference(const struct mc_filter *a, const struct mc_filter *b, struct mc_change *c, uint8_t type)
{
	c->count = 0;
	for (unsigned i = 0; i < a->count; i++) {
		if (!has(b->src, b->count, &a->src[i]))
			c->src[c->count++] = a->src[i];
	}
	c->type = c->count ? type : 0;
}

/* The members changed: what the routers must hear, now and once or twice again. */
static void update(struct mc_group *g)
{
	struct netstack *st = g->on->nif->st;
	struct mc_filter old = g->now;
	bool gone;

	merge(g, &g->now);
	gone = !g->own && list_empty(&g->members);
	g->change[0].type = g->change[1].type = 0;
	if (old.exclude != g->now.exclude) {
		g->change[0].type = g->now.exclude ? MC_TO_EX : MC_TO_IN;
		g->change[0].count = g->now.count;
		memcpy(g->change[0].src, g->now.src, sizeof(g->now.src));
	} else {
		difference(&g->now, &old, &g->change[0], g->now.exclude ? MC_BLOCK : MC_ALLOW);
		difference(&old, &g->now, &g->change[1], g->now.exclude ? MC_ALLOW : MC_BLOCK);
	}
	if ((!g->change[0].type && !g->change[1].type) || !tells(g)) {
		if (gone && !g->left)
			group_free(g);
		return;
	}
	g->left = (unsigned)MAX(st->sysctl[g->on->family == AF_INET ? NET_SYSCTL_IGMP_QRV : NET_SYSCTL_IPV6_MLD_QRV], 1) - 1;
	tell_change(g);
	if (g->left)
		net_timer_arm(st, &g->again, 1 + netstack_random32(st) % 1000);
	else if (gone)
		group_free(g);
}

static struct mc_group *group_get(struct mc_if *m, const struct ip_addr *addr)
{
	struct mc_group *g = mc_find(m, addr);

	if (g)
		return g;
	g = calloc(1, sizeof(*g));
	if (!g)
		return NULL;
	g->on = m;
	g->addr = *addr;
	g->addr.scope = 0;
	list_init(&g->members);
	net_timer_init(&g->answer, answer_timer);
	net_timer_init(&g->again, again_timer);
	list_add_tail(&m->groups, &g->node);
	return g;
}

int mc_join(struct netif *nif, const struct ip_addr *group, struct mc_member *member)
{
	struct mc_if *m = mc_of(nif, group->family);
	struct mc_group *g = m ? group_get(m, group) : NULL;

	if (!g)
		return -ENOMEM;
	list_add_tail(&g->members, &member->node);
	update(g);
	return 0;
}

void mc_changed(struct netif *nif, const struct ip_addr *group)
{
	struct mc_if *m = mc_of(nif, group->family);
	struct mc_group *g = m ? mc_find(m, group) : NULL;

	if (g)
		update(g);
}

void mc_leave(struct netif *nif, const struct ip_addr *group, struct mc_member *member)
{
	list_del(&member->node);
	mc_changed(nif, group);
}

void mc_own(struct mc_if *m, const struct ip_addr *group, bool join)
{
	struct mc_group *g = join ? group_get(m, group) : mc_find(m, group);

	if (!g || (!join && !g->own))
		return;
	g->own += join ? 1 : -1u;
	update(g);
}

void mc_query(struct mc_if *m, unsigned version, uint32_t max_ms, const struct ip_addr *group)
{
	struct netstack *st = m->nif->st;
	struct mc_group *g;

	if (version < m->newest) {
		m->version = MIN(version, m->version);
		m->older_until_ms = st->now_ms + OLDER_MS;
	}
	max_ms = MAX(max_ms, 10u);
	if (!group->family && version_now(m) == m->newest) {
		uint64_t delay = netstack_random32(st) % max_ms;

		if (!net_timer_armed(&m->general) || m->general.due_ms > st->now_ms + delay)
			net_timer_arm(st, &m->general, delay);
		return;
	}
	LIST_FOR_EACH(g, &m->groups, node) {
		uint64_t delay = netstack_random32(st) % max_ms;

		if (group->family && !ip_addr_equal(&g->addr, group))
			continue;
		if (!net_timer_armed(&g->answer) || g->answer.due_ms > st->now_ms + delay)
			net_timer_arm(st, &g->answer, delay);
	}
}

void mc_heard(struct mc_if *m, const struct ip_addr *group)
{
	struct mc_group *g = mc_find(m, group);

	if (g && version_now(m) < m->newest)
		net_timer_cancel(&g->answer);
}

void mc_up(struct mc_if *m)
{
	struct mc_group *g, *tmp;

	m->up = true;
	m->version = m->newest;
	LIST_FOR_EACH_SAFE(g, tmp, &m->groups, node) {
		g->now = (struct mc_filter){0};
		update(g);
	}
}

void mc_down(struct mc_if *m)
{
	struct mc_group *g, *tmp;

	m->up = false;
	net_timer_cancel(&m->general);
	LIST_FOR_EACH_SAFE(g, tmp, &m->groups, node) {
		net_timer_cancel(&g->answer);
		net_timer_cancel(&g->again);
		g->left = 0;
		if (!g->own && list_empty(&g->members))
			group_free(g);
	}
}

struct mc_if *mc_new(struct netif *nif, int family, unsigned newest)
{
	struct mc_if *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->nif = nif;
	m->family = family;
	m->newest = m->version = newest;
	list_init(&m->groups);
	net_timer_init(&m->general, general_timer);
	return m;
}

void mc_free(struct mc_if *m)
{
	if (!m)
		return;
	mc_down(m);
	while (!list_empty(&m->groups)) {
		struct mc_group *g = LIST_FIRST(&m->groups, struct mc_group, node);

		/* Sockets that are still members keep their part and find it alone. */
		while (!list_empty(&g->members))
			list_del(g->members.next);
		group_free(g);
	}
	free(m);
}
