/* See world.h. */
#include "world.h"

#include <arpa/inet.h>
#include <stdio.h>

const uint8_t world_mac_a[6] = {2, 0, 0, 0, 0, 0xa}, world_mac_b[6] = {2, 0, 0, 0, 0, 0xb};

static uint64_t mono(void *arg)
{
	return ((struct world *)arg)->now_ns;
}

static uint64_t real(void *arg)
{
	return ((struct world *)arg)->now_ns + UINT64_C(1700000000000000000);
}

static void rnd(void *arg, void *buf, size_t size)
{
	struct world *w = arg;
	uint8_t *p = buf;

	for (size_t i = 0; i < size; i++) {
		w->rnd = w->rnd * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		p[i] = (uint8_t)(w->rnd >> 56);
	}
}

struct ip_addr addr_of(const char *text)
{
	struct ip_addr a = {0};

	if (inet_pton(AF_INET, text, &a.v4) == 1)
		a.family = AF_INET;
	else if (inet_pton(AF_INET6, text, a.v6) == 1)
		a.family = AF_INET6;
	else
		fail_msg("no address: %s", text);
	return a;
}

struct nsock_name name_of(const char *addr, unsigned port)
{
	return (struct nsock_name){.addr = addr_of(addr), .port = htons((uint16_t)port)};
}

void world_addr(struct netif *nif, const char *text)
{
	struct netif_addr a = {.flags = 0x02 /* IFA_F_NODAD: ready at once */};
	char buf[64];
	char *slash;

	snprintf(buf, sizeof(buf), "%s", text);
	slash = strchr(buf, '/');
	assert_non_null(slash);
	*slash = 0;
	a.addr = addr_of(buf);
	a.prefix = (uint8_t)atoi(slash + 1);
	assert_int_equal(netif_addr_add(nif, &a), 0);
}

static struct netstack *stack_new(struct world *w)
{
	struct netstack_env env = {mono, real, rnd, w};
	struct netstack *st = netstack_new(&env);

	assert_non_null(st);
	assert_int_equal(netif_set_up(netif_loopback(st), true), 0);
	return st;
}

static struct world *base(void)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	w->now_ns = UINT64_C(1000000000000);
	w->rnd = 42;
	w->pkts = pkt_pool_outstanding();
	w->a = stack_new(w);
	for (int i = 0; i < 2; i++)
		w->cap[i].end = &w->cap[i].first;
	return w;
}

struct world *world_new_ex(uint32_t mtu, uint32_t features, bool addresses)
{
	struct world *w = base();

	w->b = stack_new(w);
	w->wire = mempair_new(w->a, "eth0", world_mac_a, w->b, "eth0", world_mac_b, mtu, features);
	assert_non_null(w->wire);
	w->ea = mempair_end(w->wire, 0);
	w->eb = mempair_end(w->wire, 1);
	if (!addresses)
		return w;
	/* Nothing that speaks by itself. */
	w->ea->conf[NETIF_CONF_V6_ACCEPT_RA] = w->eb->conf[NETIF_CONF_V6_ACCEPT_RA] = 0;
	w->ea->conf[NETIF_CONF_V6_ADDR_GEN_MODE] = w->eb->conf[NETIF_CONF_V6_ADDR_GEN_MODE] = 1;
	assert_int_equal(netif_set_up(w->ea, true), 0);
	assert_int_equal(netif_set_up(w->eb, true), 0);
	world_addr(w->ea, "10.0.0.1/24");
	world_addr(w->eb, "10.0.0.2/24");
	world_addr(w->ea, "fd00::1/64");
	world_addr(w->eb, "fd00::2/64");
	world_pass(w, 100000);
	return w;
}

struct world *world_new(bool two_stacks)
{
	return two_stacks ? world_new_ex(1500, 0, true) : base();
}

void world_free(struct world *w)
{
	netstack_free(w->a);
	netstack_free(w->b);
	assert_int_equal(pkt_pool_outstanding(), w->pkts);
	capture_clear(&w->cap[0]);
	capture_clear(&w->cap[1]);
	free(w);
}

void world_run(struct world *w)
{
	for (int i = 0; i < 10000; i++) {
		netstack_run(w->a);
		if (w->b)
			netstack_run(w->b);
		if (netstack_next_due(w->a) != 0 && (!w->b || netstack_next_due(w->b) != 0))
			return;
	}
	fail_msg("the stacks do not come to rest");
}

void world_pass(struct world *w, uint64_t ms)
{
	uint64_t end = w->now_ns + ms * 1000000;

	world_run(w);
	for (;;) {
		int64_t da = netstack_next_due(w->a), db = w->b ? netstack_next_due(w->b) : -1;
		uint64_t step = UINT64_MAX;

		if (da >= 0)
			step = (uint64_t)da;
		if (db >= 0 && (uint64_t)db < step)
			step = (uint64_t)db;
		if (step == UINT64_MAX || w->now_ns + step * 1000000 > end)
			break;
		w->now_ns += step * 1000000;
		world_run(w);
	}
	w->now_ns = end;
	world_run(w);
}

static bool box_deliver(struct nsock *s, const struct nsock_meta *meta, const struct iovec *iov, unsigned count)
{
	struct box *b = s->owner;
	size_t size = 0;
	struct got *g;

	if (b->limit && b->count >= b->limit)
		return false;
	for (unsigned i = 0; i < count; i++)
		size += iov[i].iov_len;
	g = calloc(1, sizeof(*g) + size);
	assert_non_null(g);
	g->meta = *meta;
	if (meta->error) {
		g->error = *meta->error;
		g->is_error = true;
		g->meta.error = &g->error;
	}
	for (unsigned i = 0; i < count; i++) {
		memcpy(g->data + g->size, iov[i].iov_base, iov[i].iov_len);
		g->size += (uint32_t)iov[i].iov_len;
	}
	if (b->last)
		b->last->next = g;
	else
		b->first = g;
	b->last = g;
	b->count++;
	return true;
}

static void box_event(struct nsock *s, uint32_t mask)
{
	((struct box *)s->owner)->events |= mask;
}

const struct nsock_up box_up = {.event = box_event, .deliver = box_deliver};

struct box *box_udp(struct netstack *st, int family)
{
	struct box *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	assert_int_equal(udp_create(st, family, false, &box_up, b, &b->s), 0);
	return b;
}

struct box *box_bound(struct netstack *st, const char *addr, unsigned port)
{
	struct nsock_name n = name_of(addr, port);
	struct box *b = box_udp(st, n.addr.family);

	assert_int_equal(b->s->ops->bind(b->s, &n), 0);
	return b;
}

struct got *box_take(struct box *b)
{
	struct got *g = b->first;

	if (!g)
		return NULL;
	b->first = g->next;
	if (!b->first)
		b->last = NULL;
	b->count--;
	return g;
}

void box_free(struct box *b)
{
	struct got *g;

	while ((g = box_take(b)))
		free(g);
	if (b->s)
		nsock_close(b->s, false);
	free(b);
}

ssize_t box_send(struct box *b, const char *addr, unsigned port, const void *data, size_t size)
{
	struct iovec iov = {(void *)(uintptr_t)data, size};
	struct nsock_meta meta = {0};

	if (addr)
		meta.to = name_of(addr, port);
	return b->s->ops->send(b->s, &meta, &iov, 1);
}

void box_expect(struct box *b, const void *data, size_t size, const char *from)
{
	struct got *g = box_take(b);

	assert_non_null(g);
	assert_false(g->is_error);
	assert_int_equal(g->size, size);
	assert_memory_equal(g->data, data, size);
	if (from) {
		struct ip_addr a = addr_of(from);

		assert_true(ip_addr_equal(&g->meta.from.addr, &a));
	}
	free(g);
}

void world_inject(struct netif *to, const void *frame, size_t size)
{
	struct pkt *p = pkt_alloc(size);

	assert_non_null(p);
	memcpy(p->data, frame, size);
	p->len = (uint32_t)size;
	netif_input(to, p);
}

static bool capture_fn(void *arg, struct pkt *p)
{
	struct capture *c = arg;
	struct frame *f = malloc(sizeof(*f) + p->len);

	assert_non_null(f);
	f->next = NULL;
	f->size = p->len;
	memcpy(f->data, p->data, p->len);
	*c->end = f;
	c->end = &f->next;
	c->count++;
	return !c->steal;
}

struct capture *world_capture(struct world *w, int side, bool steal)
{
	struct capture *c = &w->cap[side];

	capture_clear(c);
	c->steal = steal;
	mempair_set_filter(w->wire, side, capture_fn, c);
	return c;
}

struct frame *capture_take(struct capture *c)
{
	struct frame *f = c->first;

	if (!f)
		return NULL;
	c->first = f->next;
	if (!c->first)
		c->end = &c->first;
	c->count--;
	return f;
}

void capture_clear(struct capture *c)
{
	struct frame *f;

	while ((f = capture_take(c)))
		free(f);
}
