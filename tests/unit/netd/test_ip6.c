/* IPv6: over the wire, neighbour discovery, address configuration, hostile messages. */
#include "world.h"

#include <linux/if_addr.h>
#include <linux/neighbour.h>

#include "netd/ether/neigh.h"
#include "netd/ip/v6_priv.h"

static void udp_wire(void **state)
{
	struct world *w = world_new(true);
	struct box *s = box_bound(w->b, "::", 7), *c = box_udp(w->a, AF_INET6);
	char big[4000];

	memset(big, 'x', sizeof(big));
	assert_int_equal(box_send(c, "fd00::2", 7, "six", 3), 3);
	world_run(w);
	box_expect(s, "six", 3, "fd00::1");
	/* In fragments, and by IPv4 to the same socket. */
	assert_int_equal(box_send(c, "fd00::2", 7, big, sizeof(big)), sizeof(big));
	world_run(w);
	box_expect(s, big, sizeof(big), "fd00::1");
	assert_int_equal(box_send(c, "10.0.0.2", 7, big, sizeof(big)), sizeof(big));
	world_run(w);
	box_expect(s, big, sizeof(big), "10.0.0.1");
	box_free(s);
	box_free(c);
	world_free(w);
}

static void loopback(void **state)
{
	struct world *w = world_new(false);
	struct box *s = box_bound(w->a, "::1", 53), *c = box_udp(w->a, AF_INET6);
	struct nsock_name n = name_of("::1", 53);

	assert_int_equal(c->s->ops->connect(c->s, &n), 0);
	assert_int_equal(box_send(c, NULL, 0, "hello", 5), 5);
	world_run(w);
	box_expect(s, "hello", 5, "::1");
	box_free(s);
	assert_int_equal(box_send(c, NULL, 0, "x", 1), 1);
	world_run(w);
	assert_int_equal(nsock_take_error(c->s), ECONNREFUSED);
	box_free(c);
	world_free(w);
}

static struct netif_addr *find_addr(struct netif *nif, const char *text)
{
	struct ip_addr a = addr_of(text);

	return ip6_own_addr(nif, &a);
}

static void linklocal(void **state)
{
	struct world *w = world_new_ex(1500, 0, false);
	struct netif_addr *a;
	struct box *s, *c;
	struct nsock_name n;
	struct nsock_meta meta = {0};
	struct iovec iov = {"ll", 2};

	netif_set_up(w->ea, true);
	netif_set_up(w->eb, true);
	a = find_addr(w->ea, "fe80::ff:fe00:a");
	assert_non_null(a);
	assert_true(a->flags & IFA_F_TENTATIVE);
	world_pass(w, 3000);
	assert_false(a->flags & IFA_F_TENTATIVE);
	s = box_bound(w->b, "::", 9);
	c = box_udp(w->a, AF_INET6);
	n = name_of("fe80::ff:fe00:b", 9);
	n.addr.scope = (uint32_t)w->ea->index;
	meta.to = n;
	assert_int_equal(c->s->ops->send(c->s, &meta, &iov, 1), 2);
	world_run(w);
	assert_int_equal(s->count, 1);
	assert_int_equal(s->first->meta.from.addr.scope, w->eb->index);
	box_expect(s, "ll", 2, "fe80::ff:fe00:a");
	box_free(s);
	box_free(c);
	world_free(w);
}

static void dad_conflict(void **state)
{
	struct world *w = world_new(true);
	struct netif_addr a = {.addr = addr_of("fd00::2"), .prefix = 64}, *mine;

	assert_int_equal(netif_addr_add(w->ea, &a), 0);
	world_pass(w, 3000);
	mine = find_addr(w->ea, "fd00::2");
	assert_true(mine->flags & IFA_F_DADFAILED);
	assert_null(netif_of_addr(w->a, &a.addr));
	/* The one that had it still has it. */
	assert_false(find_addr(w->eb, "fd00::2")->flags & IFA_F_DADFAILED);
	world_free(w);
}

/* An Ethernet frame with an ICMPv6 message, checksum made. */
static size_t icmp6_frame(uint8_t *f, const char *src, const char *dst, uint8_t hops, const void *msg, size_t size)
{
	struct ip_addr s = addr_of(src), d = addr_of(dst);
	uint16_t sum;

	memcpy(f, world_mac_a, 6);
	if (d.v6[0] == 0xff) {
		f[0] = f[1] = 0x33;
		memcpy(f + 2, d.v6 + 12, 4);
	}
	memcpy(f + 6, world_mac_b, 6);
	put_be16(f + 12, ETYPE_IP6);
	memset(f + 14, 0, 40);
	f[14] = 0x60;
	put_be16(f + 18, (uint16_t)size);
	f[20] = 58;
	f[21] = hops;
	memcpy(f + 22, s.v6, 16);
	memcpy(f + 38, d.v6, 16);
	memcpy(f + 54, msg, size);
	memset(f + 56, 0, 2);
	sum = csum_fold(csum_partial(f + 54, size, csum_pseudo(&s, &d, 58, (uint32_t)size)));
	memcpy(f + 56, &sum, 2);
	return 54 + size;
}

static size_t make_ra(uint8_t *m, unsigned life, uint32_t valid, uint32_t preferred)
{
	struct ip_addr prefix = addr_of("2001:db8:1::");

	memset(m, 0, 64);
	m[0] = 134;
	m[4] = 61;
	put_be16(m + 6, (uint16_t)life);
	m[16] = 1;
	m[17] = 1;
	memcpy(m + 18, world_mac_b, 6);
	m[24] = 3;
	m[25] = 4;
	m[26] = 64;
	m[27] = 0xc0;
	put_be32(m + 28, valid);
	put_be32(m + 32, preferred);
	memcpy(m + 40, prefix.v6, 16);
	m[56] = 5;
	m[57] = 1;
	put_be32(m + 60, 1400);
	return 64;
}

static void slaac(void **state)
{
	struct world *w = world_new_ex(1500, 0, false);
	struct ip_flow f = {.dst = addr_of("2001:db8:2::1")};
	struct netif_addr *a;
	struct ip_route r;
	uint8_t m[128], frame[256];
	size_t n;

	netif_set_up(w->ea, true);
	netif_set_up(w->eb, true);
	world_pass(w, 3000);
	assert_int_equal(ip_route_lookup(w->a, &f, &r), -ENETUNREACH);
	/* From farther away than the link, or from no router's address: nothing. */
	n = icmp6_frame(frame, "fe80::ff:fe00:b", "ff02::1", 254, m, make_ra(m, 1800, 86400, 14400));
	world_inject(w->ea, frame, n);
	n = icmp6_frame(frame, "fd00::2", "ff02::1", 255, m, make_ra(m, 1800, 86400, 14400));
	world_inject(w->ea, frame, n);
	world_pass(w, 3000);
	assert_int_equal(ip_route_lookup(w->a, &f, &r), -ENETUNREACH);
	n = icmp6_frame(frame, "fe80::ff:fe00:b", "ff02::1", 255, m, make_ra(m, 1800, 86400, 14400));
	world_inject(w->ea, frame, n);
	world_pass(w, 3000);
	a = find_addr(w->ea, "2001:db8:1:0:0:ff:fe00:a");
	assert_non_null(a);
	assert_false(a->flags & IFA_F_TENTATIVE);
	assert_int_equal(ip_route_lookup(w->a, &f, &r), 0);
	assert_true(ip_addr_equal(&r.gateway, &(struct ip_addr){.family = AF_INET6, .v6 = {0xfe, 0x80, [11] = 0xff,
		[12] = 0xfe, [15] = 0xb, [8] = 0, [10] = 0}}) || r.gateway.family == AF_INET6);
	assert_true(ip_addr_equal(&r.src, &a->addr));
	assert_int_equal(r.mtu, 1400);
	/* "Your address is gone" from one message is not believed: two hours are left. */
	n = icmp6_frame(frame, "fe80::ff:fe00:b", "ff02::1", 255, m, make_ra(m, 1800, 1, 1));
	world_inject(w->ea, frame, n);
	world_pass(w, 5000);
	a = find_addr(w->ea, "2001:db8:1:0:0:ff:fe00:a");
	assert_non_null(a);
	assert_true(a->flags & IFA_F_DEPRECATED);
	world_pass(w, 7300000);
	assert_null(find_addr(w->ea, "2001:db8:1:0:0:ff:fe00:a"));
	/* And the router's time is over as well. */
	assert_int_equal(ip_route_lookup(w->a, &f, &r), -ENETUNREACH);
	world_free(w);
}

static const struct fib_entry *find_route(struct world *w, const char *dst, uint8_t bits, const char *gateway)
{
	struct ip_addr a = addr_of(dst), g = addr_of(gateway ? gateway : "::");
	const struct fib_entry *e = NULL;

	while ((e = fib_next(w->a, AF_INET6, 254, e)))
		if (e->dst_len == bits && ip_addr_equal(&e->dst, &a) && e->hop[0].out == w->ea &&
		    (gateway ? ip_addr_equal(&e->hop[0].gateway, &g) : !e->hop[0].gateway.family))
			return e;
	return NULL;
}

static void hear_ra(struct world *w, unsigned life, uint32_t valid, uint32_t preferred)
{
	uint8_t m[128], frame[256];

	world_inject(w->ea, frame, icmp6_frame(frame, "fe80::ff:fe00:b", "ff02::1", 255, m,
					       make_ra(m, life, valid, preferred)));
	world_pass(w, 3000);
}

/* A router takes back what it announced, and nothing that was set up here. */
static void ra_spares_static(void **state)
{
	struct world *w = world_new_ex(1500, 0, false);
	const char *router = "fe80::ff:fe00:b";
	struct fib_entry def = {.dst = {.family = AF_INET6}, .table = 254, .type = RTN_UNICAST, .protocol = 9,
				.priority = 1024, .hop_count = 1,
				.hop = {{.out = w->ea, .gateway = addr_of("fe80::ff:fe00:b"), .weight = 1}}};

	netif_set_up(w->ea, true);
	netif_set_up(w->eb, true);
	world_pass(w, 3000);
	/* The subnet of an address, and a route that says of itself that it is a router's. */
	world_addr(w->ea, "2001:db8:1::5/64");
	assert_int_equal(fib_add(w->a, &def, FIB_CREATE), 0);
	hear_ra(w, 0, 0, 0);
	assert_non_null(find_route(w, "2001:db8:1::", 64, NULL));
	assert_non_null(find_route(w, "::", 0, router));
	/* Announced for a second, they are here to stay. */
	hear_ra(w, 1, 1, 1);
	assert_int_equal(find_route(w, "2001:db8:1::", 64, NULL)->expires_ms, 0);
	assert_int_equal(find_route(w, "::", 0, router)->expires_ms, 0);
	world_pass(w, 10000);
	assert_non_null(find_route(w, "2001:db8:1::", 64, NULL));
	assert_non_null(find_route(w, "::", 0, router));
	assert_non_null(find_addr(w->ea, "2001:db8:1::5"));
	assert_int_equal(find_addr(w->ea, "2001:db8:1::5")->valid_until_ms, UINT64_MAX);
	world_free(w);
}

static void ra_withdrawn(void **state)
{
	struct world *w = world_new_ex(1500, 0, false);
	const char *router = "fe80::ff:fe00:b";
	struct ip_addr mine = addr_of("2001:db8:1::5");

	netif_set_up(w->ea, true);
	netif_set_up(w->eb, true);
	world_pass(w, 3000);
	hear_ra(w, 1800, 86400, 14400);
	assert_non_null(find_route(w, "2001:db8:1::", 64, NULL));
	assert_non_null(find_route(w, "::", 0, router));
	hear_ra(w, 0, 0, 0);
	assert_null(find_route(w, "2001:db8:1::", 64, NULL));
	assert_null(find_route(w, "::", 0, router));
	/* Announced first and set up here afterwards: it stays, for as long as the address does. */
	hear_ra(w, 1800, 86400, 14400);
	world_addr(w->ea, "2001:db8:1::5/64");
	hear_ra(w, 0, 0, 0);
	assert_non_null(find_route(w, "2001:db8:1::", 64, NULL));
	assert_int_equal(netif_addr_del(w->ea, &mine, 64), 0);
	assert_null(find_route(w, "2001:db8:1::", 64, NULL));
	world_free(w);
}

static size_t make_na(uint8_t *m, const char *target, uint8_t flags, const uint8_t mac[6])
{
	struct ip_addr t = addr_of(target);

	memset(m, 0, 32);
	m[0] = 136;
	m[4] = flags;
	memcpy(m + 8, t.v6, 16);
	m[24] = 2;
	m[25] = 1;
	memcpy(m + 26, mac, 6);
	return 32;
}

static void na_attacks(void **state)
{
	static const uint8_t evil[6] = {2, 0xe, 0xe, 0xe, 0xe, 0xe};
	struct world *w = world_new(true);
	struct box *s = box_bound(w->b, "::", 7), *c = box_udp(w->a, AF_INET6);
	struct ip_addr two = addr_of("fd00::2"), three = addr_of("fd00::3");
	uint8_t m[64], frame[256];
	struct neigh *n;
	size_t size;

	box_send(c, "fd00::2", 7, "x", 1);
	world_run(w);
	n = neigh_find(w->ea, &two);
	assert_non_null(n);
	assert_int_equal(neigh_state(n), NUD_REACHABLE);
	assert_memory_equal(n->mac, world_mac_b, 6);
	/* Wrong hop limit. */
	size = icmp6_frame(frame, "fd00::2", "ff02::1", 64, m, make_na(m, "fd00::2", 0x20, evil));
	world_inject(w->ea, frame, size);
	assert_memory_equal(n->mac, world_mac_b, 6);
	/* No override: what we know stays, but is asked again. */
	size = icmp6_frame(frame, "fd00::2", "ff02::1", 255, m, make_na(m, "fd00::2", 0, evil));
	world_inject(w->ea, frame, size);
	assert_memory_equal(n->mac, world_mac_b, 6);
	assert_int_equal(neigh_state(n), NUD_STALE);
	/* A group or nobody as link address. */
	size = icmp6_frame(frame, "fd00::2", "ff02::1", 255, m, make_na(m, "fd00::2", 0x20, (uint8_t[6]){0x33, 0x33}));
	world_inject(w->ea, frame, size);
	size = icmp6_frame(frame, "fd00::2", "ff02::1", 255, m, make_na(m, "fd00::2", 0x20, (uint8_t[6]){0}));
	world_inject(w->ea, frame, size);
	assert_memory_equal(n->mac, world_mac_b, 6);
	/* Solicited, to a group. */
	size = icmp6_frame(frame, "fd00::2", "ff02::1", 255, m, make_na(m, "fd00::2", 0x60, evil));
	world_inject(w->ea, frame, size);
	assert_memory_equal(n->mac, world_mac_b, 6);
	/* About somebody we never asked for: no entry. */
	size = icmp6_frame(frame, "fd00::3", "fd00::1", 255, m, make_na(m, "fd00::3", 0x60, evil));
	world_inject(w->ea, frame, size);
	assert_null(neigh_find(w->ea, &three));
	/* About our own address. */
	size = icmp6_frame(frame, "fd00::3", "fd00::1", 255, m, make_na(m, "fd00::1", 0x60, evil));
	world_inject(w->ea, frame, size);
	assert_false(find_addr(w->ea, "fd00::1")->flags & IFA_F_DADFAILED);
	/* An option of length 0, and one beyond the end. */
	make_na(m, "fd00::2", 0x20, evil);
	m[25] = 0;
	world_inject(w->ea, frame, icmp6_frame(frame, "fd00::2", "ff02::1", 255, m, 32));
	m[25] = 2;
	world_inject(w->ea, frame, icmp6_frame(frame, "fd00::2", "ff02::1", 255, m, 32));
	assert_memory_equal(n->mac, world_mac_b, 6);
	/* A code that is not 0; too short. */
	m[25] = 1;
	m[1] = 1;
	world_inject(w->ea, frame, icmp6_frame(frame, "fd00::2", "ff02::1", 255, m, 32));
	m[1] = 0;
	world_inject(w->ea, frame, icmp6_frame(frame, "fd00::2", "ff02::1", 255, m, 20));
	assert_memory_equal(n->mac, world_mac_b, 6);
	/* The true one, moved, with override. */
	world_inject(w->ea, frame, icmp6_frame(frame, "fd00::2", "fd00::1", 255, m, make_na(m, "fd00::2", 0x60, evil)));
	assert_memory_equal(n->mac, evil, 6);
	box_free(s);
	box_free(c);
	world_free(w);
}

static void unresolved(void **state)
{
	struct world *w = world_new(true);
	struct box *c = box_udp(w->a, AF_INET6);
	struct ip_addr nine = addr_of("fd00::9");

	c->s->opt.recverr6 = true;
	for (int i = 0; i < 5; i++)
		assert_int_equal(box_send(c, "fd00::9", 7, "x", 1), 1);
	world_pass(w, 5000);
	assert_int_equal(neigh_state(neigh_find(w->ea, &nine)), NUD_FAILED);
	assert_true(c->count >= 1);
	assert_true(c->first->is_error);
	assert_int_equal(c->first->error.err, EHOSTUNREACH);
	assert_int_equal(nsock_take_error(c->s), EHOSTUNREACH);
	box_free(c);
	world_free(w);
}

static void redirects(void **state)
{
	struct world *w = world_new(true);
	struct ip_addr dst = addr_of("2001:db8:9::1"), better = addr_of("fe80::99"), router = addr_of("fe80::b");
	struct fib_entry def = {.dst = {.family = AF_INET6}, .table = 254, .type = RTN_UNICAST, .protocol = RTPROT_BOOT,
				.priority = 1024, .hop_count = 1, .hop = {{.out = w->ea, .gateway = router, .weight = 1}}};
	struct ip_flow f = {.dst = dst};
	uint8_t m[64] = {137}, frame[256];
	struct ip_route r;

	assert_int_equal(fib_add(w->a, &def, FIB_CREATE), 0);
	memcpy(m + 8, better.v6, 16);
	memcpy(m + 24, dst.v6, 16);
	/* Not from the router in use. */
	world_inject(w->ea, frame, icmp6_frame(frame, "fe80::c", "fd00::1", 255, m, 40));
	assert_int_equal(ip_route_lookup(w->a, &f, &r), 0);
	assert_true(ip_addr_equal(&r.gateway, &router));
	/* To something that is neither the destination nor a router of the link. */
	memcpy(m + 8, addr_of("2001:db8::5").v6, 16);
	world_inject(w->ea, frame, icmp6_frame(frame, "fe80::b", "fd00::1", 255, m, 40));
	assert_int_equal(ip_route_lookup(w->a, &f, &r), 0);
	assert_true(ip_addr_equal(&r.gateway, &router));
	memcpy(m + 8, better.v6, 16);
	world_inject(w->ea, frame, icmp6_frame(frame, "fe80::b", "fd00::1", 255, m, 40));
	assert_int_equal(ip_route_lookup(w->a, &f, &r), 0);
	assert_true(ip_addr_equal(&r.gateway, &better));
	/* It is not for ever. */
	world_pass(w, 601000);
	assert_int_equal(ip_route_lookup(w->a, &f, &r), 0);
	assert_true(ip_addr_equal(&r.gateway, &router));
	world_free(w);
}

static void source_selection(void **state)
{
	struct world *w = world_new(true);
	struct ip_route r;
	struct ip_addr want;

	world_addr(w->ea, "2001:db8::1/64");
	world_addr(w->ea, "2002:c000:201::1/64");
	world_addr(w->ea, "fe80::1/64");
#define SOURCE(dst_text, src_text)                                                            \
	do {                                                                                  \
		struct ip_flow f = {.dst = addr_of(dst_text), .oif = w->ea->index};           \
		assert_int_equal(ip_route_lookup(w->a, &f, &r), 0);                           \
		want = addr_of(src_text);                                                     \
		assert_true(ip_addr_equal(&r.src, &want));                                    \
	} while (0)
	SOURCE("fd00::77", "fd00::1");             /* same label and prefix */
	SOURCE("2001:db8::77", "2001:db8::1");
	SOURCE("fe80::77", "fe80::1");             /* scope */
	SOURCE("ff02::1", "fe80::1");
	SOURCE("2002:c000:201::5", "2002:c000:201::1"); /* label of 6to4 */
	SOURCE("fd00::1", "fd00::1");              /* itself */
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(udp_wire),   cmocka_unit_test(loopback),   cmocka_unit_test(linklocal),
		cmocka_unit_test(dad_conflict), cmocka_unit_test(slaac),    cmocka_unit_test(na_attacks),
		cmocka_unit_test(ra_spares_static), cmocka_unit_test(ra_withdrawn),
		cmocka_unit_test(unresolved), cmocka_unit_test(redirects),  cmocka_unit_test(source_selection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
