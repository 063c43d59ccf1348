/* The core: packets and checksums, segmentation, timers, work, hash, settings, interfaces. */
#include "world.h"

#include "netd/core/stack_priv.h"
#include "netd/core/sysctl.h"

static uint16_t slow_csum(const uint8_t *p, size_t n)
{
	uint32_t s = 0;

	for (size_t i = 0; i < n; i++)
		s += i % 2 ? p[i] : (uint32_t)p[i] << 8;
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return be16((uint16_t)~s);
}

static void checksum(void **state)
{
	uint8_t buf[4096];
	uint32_t seed = 1;

	for (size_t i = 0; i < sizeof(buf); i++)
		buf[i] = (uint8_t)((seed = seed * 1103515245 + 12345) >> 16);
	for (size_t off = 0; off < 9; off++) {
		for (size_t n = 0; n < 300; n++)
			assert_int_equal(csum_fold(csum_partial(buf + off, n, 0)), slow_csum(buf + off, n));
	}
	memset(buf, 0xff, sizeof(buf));
	assert_int_equal(csum_fold(csum_partial(buf, 4096, 0)), slow_csum(buf, 4096));
	assert_int_equal(csum_fold(csum_partial(buf + 100, 200, csum_partial(buf, 100, 0))), slow_csum(buf, 300));
}

/* Key 00..0f, message 00..0e: the example of the paper's appendix. */
static void siphash(void **state)
{
	uint64_t key[2] = {UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)};
	uint8_t msg[15];

	for (unsigned i = 0; i < 15; i++)
		msg[i] = (uint8_t)i;
	assert_true(siphash24(key, msg, 15) == UINT64_C(0xa129ca6149be45e5));
	assert_true(siphash24(key, msg, 0) == UINT64_C(0x726fdb47dd0e0e31));
}

static void packets(void **state)
{
	unsigned out = pkt_pool_outstanding();
	struct pkt *p = pkt_alloc(100), *q;
	char a[] = "abc", b[] = "defgh";

	assert_int_equal(p->room, PKT_SMALL);
	assert_int_equal(p->data - p->buf, PKT_HEADROOM);
	memcpy(p->data, "0123", 4);
	p->len = 4;
	p->net = p->data - 20;
	p->transport = p->data;
	memset(p->net, 0, 20);
	p->ext[0] = (struct iovec){a, 3};
	p->ext[1] = (struct iovec){b, 5};
	p->ext_count = 2;
	assert_int_equal(pkt_total(p), 12);
	q = pkt_copy(p);
	assert_int_equal(q->len, 12);
	assert_memory_equal(q->data, "0123abcdefgh", 12);
	assert_ptr_equal(q->net, q->data - 20);
	/* Odd pieces count in the right byte order. */
	assert_int_equal(csum_fold(pkt_csum(p, 0, 0)), slow_csum(q->data, 12));
	assert_int_equal(csum_fold(pkt_csum(p, 5, 0)), slow_csum(q->data + 5, 7));
	p = pkt_linearize(p);
	assert_memory_equal(p->data, q->data, 12);
	pkt_free(p);
	pkt_free(q);
	assert_null(pkt_alloc(PKT_LARGE));
	p = pkt_alloc(65535);
	assert_int_equal(p->room, PKT_LARGE);
	pkt_free(p);
	pkt_pool_set_limit(PKT_SMALL);
	p = pkt_alloc(1);
	assert_non_null(p);
	assert_null(pkt_alloc(1));
	pkt_pool_set_limit(256u << 20);
	pkt_free(p);
	assert_int_equal(pkt_pool_outstanding(), out);
}

static struct pkt *super(bool v6, uint32_t payload, uint8_t *big)
{
	struct pkt *p = pkt_alloc(200);
	uint32_t net = v6 ? 40 : 20;

	p->len = 14 + net + 20;
	memset(p->data, 0, p->len);
	p->mac = p->data;
	p->net = p->data + 14;
	p->transport = p->net + net;
	p->net[0] = v6 ? 0x60 : 0x45;
	if (!v6)
		put_be16(p->net + 4, 100);
	p->transport[12] = 0x50;
	p->transport[13] = 0x19 | 0x80; /* FIN, PSH, ACK, CWR */
	put_be32(p->transport + 4, 1000);
	p->ext[0] = (struct iovec){big, payload / 3};
	p->ext[1] = (struct iovec){big + payload / 3, payload - payload / 3};
	p->ext_count = 2;
	p->gso = v6 ? PKT_GSO_TCP6 : PKT_GSO_TCP4;
	p->gso_size = 1000;
	p->csum = PKT_CSUM_PARTIAL;
	return p;
}

static void segments(void **state)
{
	unsigned out = pkt_pool_outstanding();
	static uint8_t big[5500];
	struct list l = LIST_INIT(l);
	struct pkt *bad;

	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (uint8_t)(i * 7);
	for (int v6 = 0; v6 < 2; v6++) {
		uint32_t done = 0, n = 0, net = v6 ? 40 : 20;

		assert_int_equal(pkt_segment(super(v6, 5500, big), &l), 0);
		while (!list_empty(&l)) {
			struct pkt *p = LIST_FIRST(&l, struct pkt, node);
			uint32_t size = p->len - 14 - net - 20;
			struct ip_addr zero = {.family = v6 ? AF_INET6 : AF_INET};

			list_del(&p->node);
			assert_int_equal(size, n < 5 ? 1000 : 500);
			assert_memory_equal(p->transport + 20, big + done, size);
			assert_int_equal(get_be32(p->transport + 4), 1000 + done);
			assert_int_equal(p->transport[13], 0x10 | (n == 0 ? 0x80 : 0) | (n == 5 ? 0x09 : 0));
			if (!v6) {
				assert_int_equal(get_be16(p->net + 2), 40 + size);
				assert_int_equal(get_be16(p->net + 4), 100 + n);
				assert_int_equal(csum_fold(csum_partial(p->net, 20, 0)), 0);
			} else {
				assert_int_equal(get_be16(p->net + 4), 20 + size);
			}
			pkt_csum_complete(p);
			assert_int_equal(csum_fold(csum_partial(p->transport, 20 + size,
								csum_pseudo(&zero, &zero, 6, 20 + size))), 0);
			done += size;
			n++;
			pkt_free(p);
		}
		assert_int_equal(n, 6);
	}
	/* Headers that do not fit the type. */
	bad = super(false, 3000, big);
	bad->gso = PKT_GSO_TCP6;
	assert_int_equal(pkt_segment(bad, &l), -EINVAL);
	bad = super(false, 3000, big);
	bad->transport[12] = 0x10;
	assert_int_equal(pkt_segment(bad, &l), -EINVAL);
	bad = super(false, 3000, big);
	bad->gso_size = 0;
	assert_int_equal(pkt_segment(bad, &l), -EINVAL);
	assert_true(list_empty(&l));
	assert_int_equal(pkt_pool_outstanding(), out);
}

#define TIMERS 20000u
static struct probe {
	struct net_timer t;
	struct world *w;
	uint64_t due, ran;
	bool again;
} probes[TIMERS];

static void probe_fn(struct net_timer *t)
{
	struct probe *p = CONTAINER_OF(t, struct probe, t);

	p->ran = netstack_now_ms(p->w->a);
	if (p->again) {
		p->again = false;
		p->due = p->ran + 5;
		net_timer_arm(p->w->a, t, 5);
	}
}

static void timers(void **state)
{
	struct world *w = world_new(false);
	uint32_t seed = 7;
	uint64_t start = netstack_now_ms(w->a), far = 0;

	for (unsigned i = 0; i < TIMERS; i++) {
		struct probe *p = &probes[i];
		uint64_t delay;

		seed = seed * 1103515245 + 12345;
		delay = (uint64_t)(seed >> 8) % (i % 3 == 0 ? 100 : i % 3 == 1 ? 100000 : 100000000);
		*p = (struct probe){.w = w, .due = start + delay, .again = i % 7 == 0};
		net_timer_init(&p->t, probe_fn);
		net_timer_arm(w->a, &p->t, delay);
		far = MAX(far, delay);
	}
	for (unsigned i = 5; i < TIMERS; i += 10)
		net_timer_cancel(&probes[i].t);
	for (unsigned i = 6; i < TIMERS; i += 10) { /* moved */
		probes[i].due = start + 777;
		net_timer_arm(w->a, &probes[i].t, 777);
	}
	world_pass(w, far + 1000);
	for (unsigned i = 0; i < TIMERS; i++) {
		assert_int_equal(probes[i].ran, i % 10 == 5 ? 0 : probes[i].due);
		assert_false(net_timer_armed(&probes[i].t));
	}
	world_free(w);
}

static void timer_due(void **state)
{
	struct world *w = world_new(false);
	struct probe p = {.w = w};

	/* Loopback alone has nothing to do: an idle stack sleeps for ever. */
	world_pass(w, 10000);
	assert_int_equal(netstack_next_due(w->a), -1);
	net_timer_init(&p.t, probe_fn);
	net_timer_arm(w->a, &p.t, 86400000);
	assert_int_equal(netstack_next_due(w->a), 86400000);
	net_timer_arm(w->a, &p.t, 0);
	assert_int_equal(netstack_next_due(w->a), 0);
	netstack_run(w->a);
	assert_int_not_equal(p.ran, 0);
	assert_int_equal(netstack_next_due(w->a), -1);
	world_free(w);
}

static unsigned work_ran;
static void work_fn(struct net_work *n)
{
	work_ran++;
}

static void work(void **state)
{
	struct world *w = world_new(false);
	struct net_work n;

	net_work_init(&n, work_fn);
	work_ran = 0;
	net_work_queue(w->a, &n);
	net_work_queue(w->a, &n);
	assert_int_equal(netstack_next_due(w->a), 0);
	netstack_run(w->a);
	assert_int_equal(work_ran, 1);
	net_work_queue(w->a, &n);
	net_work_cancel(&n);
	netstack_run(w->a);
	assert_int_equal(work_ran, 1);
	world_free(w);
}

static void settings(void **state)
{
	struct world *w = world_new(true);
	int id = net_sysctl_find("ipv4/ip_default_ttl");

	assert_int_equal(id, NET_SYSCTL_IP_DEFAULT_TTL);
	assert_int_equal(net_sysctl(w->a, (enum net_sysctl)id), 64);
	assert_int_equal(net_sysctl_set(w->a, (enum net_sysctl)id, 256), -EINVAL);
	assert_int_equal(net_sysctl_set(w->a, (enum net_sysctl)id, 255), 0);
	assert_int_equal(net_sysctl_find("ipv4/nothing"), -ENOENT);
	assert_int_equal(netif_conf_find(AF_INET6, "accept_ra"), NETIF_CONF_V6_ACCEPT_RA);
	assert_int_equal(netif_conf_set(w->ea, NETIF_CONF_V4_RP_FILTER, 3), -EINVAL);
	assert_int_equal(netif_conf_set(w->ea, NETIF_CONF_V4_RP_FILTER, 1), 0);
	world_free(w);
}

static void interfaces(void **state)
{
	struct world *w = world_new(true);
	struct ip_addr one = addr_of("10.0.0.1"), two = addr_of("10.0.0.2"), lo = addr_of("127.0.0.1");
	struct netif_addr again = {.addr = one, .prefix = 24};

	assert_ptr_equal(netif_by_name(w->a, "eth0"), w->ea);
	assert_ptr_equal(netif_by_index(w->a, 2), w->ea);
	assert_ptr_equal(netif_next(w->a, NULL), netif_loopback(w->a));
	assert_ptr_equal(netif_of_addr(w->a, &one), w->ea);
	assert_null(netif_of_addr(w->a, &two));
	assert_ptr_equal(netif_of_addr(w->a, &lo), netif_loopback(w->a));
	assert_int_equal(netif_addr_add(w->ea, &again), -EEXIST);
	world_addr(w->ea, "10.0.0.77/24");
	/* The second of a subnet goes with the first. */
	assert_int_equal(netif_addr_del(w->ea, &one, 24), 0);
	again.addr = addr_of("10.0.0.77");
	assert_null(netif_of_addr(w->a, &again.addr));
	assert_int_equal(netif_addr_del(w->ea, &one, 24), -EADDRNOTAVAIL);
	again.addr = addr_of("224.0.0.1");
	assert_int_equal(netif_addr_add(w->ea, &again), -EINVAL);
	world_free(w);
}

/* An address with a lifetime, of IPv4 too. */
static void lifetimes(void **state)
{
	struct world *w = world_new(true);
	struct netif_addr a = {.addr = addr_of("10.0.0.50"), .prefix = 32,
			       .valid_until_ms = netstack_now_ms(w->a) + 5000,
			       .preferred_until_ms = netstack_now_ms(w->a) + 2000};

	assert_int_equal(netif_addr_add(w->ea, &a), 0);
	world_pass(w, 3000);
	assert_non_null(netif_of_addr(w->a, &a.addr));
	world_pass(w, 3000);
	assert_null(netif_of_addr(w->a, &a.addr));
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(checksum), cmocka_unit_test(siphash),	cmocka_unit_test(packets),
		cmocka_unit_test(segments), cmocka_unit_test(timers),	cmocka_unit_test(timer_due),
		cmocka_unit_test(work),	    cmocka_unit_test(settings), cmocka_unit_test(interfaces),
		cmocka_unit_test(lifetimes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
