/* The stack as a whole: its clock, its randomness, its round of work, its counters. */
#include "netd/core/stack_priv.h"

#include "netd/core/layers.h"
#include "netd/core/pkt_priv.h"
#include "netd/tcp/tcp.h"

#define ROUNDS_MAX 64u /* of one netstack_run, so that a stack that talks to itself still lets others in */

struct netstack *netstack_new(const struct netstack_env *env)
{
	struct netstack *st = calloc(1, sizeof(*st));

	if (!st)
		return NULL;
	st->env = *env;
	list_init(&st->work);
	list_init(&st->netifs);
	list_init(&st->lo_queue);
	list_init(&st->taps);
	list_init(&st->listeners);
	for (unsigned i = 0; i < NSOCK_KINDS; i++)
		list_init(&st->socks[i]);
	st->next_index = 1;
	st->generation = 1;
	st->next_cookie = 1;
	sysctl_init(st);
	netstack_tick(st);
	wheel_init(&st->wheel, st->now_ms);
	netstack_random(st, st->hash_key, sizeof(st->hash_key));
	if (ip_init(st) < 0 || port_init(st) < 0 || udp_init(st) < 0 || raw_init(st) < 0 || tcp_init(st, &st->tcp) < 0 ||
	    loopback_init(st) < 0) {
		netstack_free(st);
		return NULL;
	}
	return st;
}

void netstack_free(struct netstack *st)
{
	if (!st)
		return;
	if (st->tcp)
		tcp_exit(st->tcp);
	st->tcp = NULL;
	raw_done(st);
	udp_done(st);
	while (!list_empty(&st->netifs))
		netif_remove(LIST_FIRST(&st->netifs, struct netif, node));
	ip_done(st);
	port_done(st);
	pkt_list_free(&st->lo_queue);
	free(st);
}

void netstack_tick(struct netstack *st)
{
	st->now_ns = st->env.mono_ns(st->env.arg);
	st->now_ms = st->now_ns / 1000000;
	st->now_real_ns = 0;
}

uint64_t netstack_now_ms(const struct netstack *st)
{
	return st->now_ms;
}

uint64_t netstack_now_us(const struct netstack *st)
{
	return st->now_ns / 1000;
}

uint64_t netstack_now_ns(const struct netstack *st)
{
	return st->now_ns;
}

uint64_t netstack_real_ns(struct netstack *st)
{
	if (!st->now_real_ns)
		st->now_real_ns = st->env.real_ns(st->env.arg);
	return st->now_real_ns;
}

void netstack_random(struct netstack *st, void *buf, size_t size)
{
	if (size > sizeof(st->rnd)) {
		st->env.random(st->env.arg, buf, size);
		return;
	}
	if (st->rnd_left < size) {
		st->env.random(st->env.arg, st->rnd, sizeof(st->rnd));
		st->rnd_left = sizeof(st->rnd);
	}
	st->rnd_left -= (unsigned)size;
	memcpy(buf, st->rnd + st->rnd_left, size);
	/* What was handed out is not kept: it may be somebody's secret. */
	memset(st->rnd + st->rnd_left, 0, size);
}

uint32_t netstack_random32(struct netstack *st)
{
	uint32_t v;

	netstack_random(st, &v, sizeof(v));
	return v;
}

uint64_t netstack_hash(const struct netstack *st, const void *data, size_t size)
{
	return siphash24(st->hash_key, data, size);
}

static unsigned work_run(struct netstack *st)
{
	struct list now = LIST_INIT(now);
	unsigned n = 0;

	if (list_empty(&st->work))
		return 0;
	/* Only what is queued now; what these queue is for the next round. */
	list_insert_(&now, st->work.prev, st->work.next);
	now.prev->next = &now;
	now.next->prev = &now;
	list_init(&st->work);
	while (!list_empty(&now)) {
		struct net_work *w = LIST_FIRST(&now, struct net_work, node);

		list_del(&w->node);
		w->fn(w);
		n++;
	}
	return n;
}

void netstack_run(struct netstack *st)
{
	netstack_tick(st);
	for (unsigned i = 0; i < ROUNDS_MAX; i++) {
		unsigned n = wheel_run(&st->wheel, st->now_ms);

		n += loopback_run(st);
		n += work_run(st);
		if (n == 0)
			return;
	}
}

int64_t netstack_next_due(const struct netstack *st)
{
	/* Looking clears stale marks of the wheel, which is no change that anyone sees. */
	uint64_t due = wheel_next((struct timer_wheel *)(uintptr_t)&st->wheel);

	if (!list_empty(&st->work) || !list_empty(&st->lo_queue))
		return 0;
	if (due == UINT64_MAX)
		return -1;
	return due > st->now_ms ? (int64_t)(due - st->now_ms) : 0;
}

void net_work_init(struct net_work *w, void (*fn)(struct net_work *))
{
	list_init(&w->node);
	w->fn = fn;
}

void net_work_queue(struct netstack *st, struct net_work *w)
{
	if (list_empty(&w->node))
		list_add_tail(&st->work, &w->node);
}

void net_work_cancel(struct net_work *w)
{
	list_del(&w->node);
}

struct ip_state *netstack_ip(struct netstack *st)
{
	return st->ip;
}

struct tcp_state *netstack_tcp(struct netstack *st)
{
	return st->tcp;
}

struct udp_state *netstack_udp(struct netstack *st)
{
	return st->udp;
}

struct raw_state *netstack_raw(struct netstack *st)
{
	return st->raw;
}

uint32_t netstack_generation(const struct netstack *st)
{
	return st->generation;
}

void net_count(struct netstack *st, enum net_mib what)
{
	st->mib[what]++;
}

void net_count_add(struct netstack *st, enum net_mib what, uint64_t n)
{
	st->mib[what] += n;
}

uint64_t net_counter(const struct netstack *st, enum net_mib what)
{
	return st->mib[what];
}
