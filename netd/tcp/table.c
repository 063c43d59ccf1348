/* Who gets a segment: the hash of connections (full sockets, requests, TIME_WAIT) and the table of listeners.
 *
 * The hash is keyed, so that nobody outside can choose collisions, and grows by moving a few buckets of the old table at
 * each insertion: no single segment pays for all. */
#include <stdlib.h>

#include "netd/tcp/conn.h"

#define TABLE_FIRST 256u
#define TABLE_MOVE 8u

int tcp_table_init(struct tcp_state *t)
{
	t->bucket = calloc(TABLE_FIRST, sizeof(*t->bucket));
	if (!t->bucket)
		return -ENOMEM;
	t->mask = TABLE_FIRST - 1;
	for (unsigned i = 0; i < TCP_LISTEN_BUCKETS; i++)
		list_init(&t->listening[i]);
	return 0;
}

void tcp_table_free(struct tcp_state *t)
{
	free(t->bucket);
	free(t->old);
	t->bucket = t->old = NULL;
}

/* The bytes that the hash sees, without the padding of the structures. */
static uint32_t tuple_hash(struct netstack *st, const struct ip_addr *laddr, uint16_t lport,
			   const struct ip_addr *raddr, uint16_t rport)
{
	uint8_t key[36];
	unsigned n = laddr->family == AF_INET ? 4 : 16;

	memcpy(key, laddr->v6, n);
	memcpy(key + n, raddr->v6, n);
	memcpy(key + 2 * n, &lport, 2);
	memcpy(key + 2 * n + 2, &rport, 2);
	return (uint32_t)netstack_hash(st, key, 2 * n + 4);
}

void tcp_node_set(struct tcp_state *t, struct tcp_node *n, enum tcp_kind kind, const struct ip_addr *laddr,
		  uint16_t lport, const struct ip_addr *raddr, uint16_t rport)
{
	n->kind = kind;
	n->laddr = *laddr;
	n->raddr = *raddr;
	n->lport = lport;
	n->rport = rport;
	n->hash = tuple_hash(t->st, laddr, lport, raddr, rport);
}

static void move_some(struct tcp_state *t)
{
	for (unsigned i = 0; i < TABLE_MOVE && t->old; i++) {
		struct tcp_node *n = t->old[t->old_next], *next;

		for (; n; n = next) {
			next = n->next;
			n->next = t->bucket[n->hash & t->mask];
			t->bucket[n->hash & t->mask] = n;
		}
		t->old[t->old_next] = NULL;
		if (++t->old_next > t->old_mask) {
			free(t->old);
			t->old = NULL;
		}
	}
}

static void grow(struct tcp_state *t)
{
	uint32_t size = (t->mask + 1) * 2;
	struct tcp_node **table = calloc(size, sizeof(*table));

	/* Without memory the chains grow longer, no more. */
	if (!table)
		return;
	t->old = t->bucket;
	t->old_mask = t->mask;
	t->old_next = 0;
	t->bucket = table;
	t->mask = size - 1;
}

/* Where n belongs now: its bucket of the old table when that was not moved yet. */
static struct tcp_node **bucket_of(struct tcp_state *t, uint32_t hash)
{
	if (t->old && (hash & t->old_mask) >= t->old_next)
		return &t->old[hash & t->old_mask];
	return &t->bucket[hash & t->mask];
}

void tcp_node_insert(struct tcp_state *t, struct tcp_node *n)
{
	struct tcp_node **b;

	move_some(t);
	if (!t->old && t->count > t->mask)
		grow(t);
	b = bucket_of(t, n->hash);
	n->next = *b;
	*b = n;
	n->hashed = true;
	t->count++;
}

void tcp_node_remove(struct tcp_state *t, struct tcp_node *n)
{
	struct tcp_node **b;

	if (!n->hashed)
		return;
	for (b = bucket_of(t, n->hash); *b; b = &(*b)->next) {
		if (*b == n) {
			*b = n->next;
			break;
		}
	}
	n->hashed = false;
	t->count--;
}

struct tcp_node *tcp_lookup(struct tcp_state *t, const struct ip_addr *laddr, uint16_t lport,
			    const struct ip_addr *raddr, uint16_t rport)
{
	uint32_t hash = tuple_hash(t->st, laddr, lport, raddr, rport);

	for (struct tcp_node *n = *bucket_of(t, hash); n; n = n->next) {
		if (n->hash == hash && n->lport == lport && n->rport == rport &&
		    ip_addr_equal(&n->laddr, laddr) && ip_addr_equal(&n->raddr, raddr))
			return n;
	}
	return NULL;
}

void tcp_nodes(struct tcp_state *t, bool (*fn)(void *arg, struct tcp_node *n), void *arg)
{
	struct tcp_node *n, *next;

	for (uint32_t i = t->old ? t->old_next : 1; t->old && i <= t->old_mask; i++) {
		for (n = t->old[i]; n; n = next) {
			next = n->next;
			if (!fn(arg, n))
				return;
		}
	}
	for (uint32_t i = 0; i <= t->mask; i++) {
		for (n = t->bucket[i]; n; n = next) {
			next = n->next;
			if (!fn(arg, n))
				return;
		}
	}
}

/* ---- listeners ---- */

static struct list *listen_bucket(struct tcp_state *t, uint16_t port)
{
	return &t->listening[(port ^ (port >> 8)) % TCP_LISTEN_BUCKETS];
}

void tcp_listener_insert(struct tcp_sock *tp)
{
	list_add_tail(listen_bucket(tp->t, tp->s.local.port), &tp->listen_node);
}

void tcp_listener_remove(struct tcp_sock *tp)
{
	list_del(&tp->listen_node);
}

/* How well a listener fits, 0: not at all. */
static int score(const struct tcp_sock *tp, const struct ip_rx *rx, uint16_t lport)
{
	const struct nsock *s = &tp->s;
	int points = 1;

	if (s->local.port != lport)
		return 0;
	if (s->opt.bound_if) {
		if (s->opt.bound_if != rx->iif)
			return 0;
		points += 4;
	}
	if (ip_addr_any(&s->local.addr)) {
		/* An IPv6 wildcard takes IPv4 too, unless told otherwise. */
		if (s->family != rx->dst.family && (s->family == AF_INET || s->opt.v6only))
			return 0;
	} else {
		if (!ip_addr_equal(&s->local.addr, &rx->dst))
			return 0;
		points += 2;
	}
	if (s->family == rx->dst.family)
		points++;
	return points;
}

struct tcp_sock *tcp_lookup_listener(struct tcp_state *t, const struct ip_rx *rx, uint16_t lport, uint16_t rport)
{
	struct list *b = listen_bucket(t, lport);
	struct tcp_sock *tp, *best = NULL;
	int most = 0;
	uint32_t same = 0, hash = 0;

	LIST_FOR_EACH(tp, b, listen_node) {
		int points = score(tp, rx, lport);

		if (points > most) {
			most = points;
			best = tp;
			same = 1;
			if (tp->s.opt.reuseport)
				hash = tuple_hash(t->st, &rx->dst, lport, &rx->src, rport);
		} else if (points && points == most && tp->s.opt.reuseport) {
			/* Each of n equals gets a share of 1/n, the same one for the same peer. */
			same++;
			hash = hash * 1103515245u + 12345u;
			if (((uint64_t)hash * same) >> 32 == 0)
				best = tp;
		}
	}
	return best;
}
