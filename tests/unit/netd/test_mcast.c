/* Multicast: joining, source filters, what is told to routers (IGMP, MLD), what queries are answered. */
#include "world.h"

#include <net/if.h>
#include <stdio.h>

#include "netd/core/stack_priv.h"
#include "netd/ip/mcgroup.h"

static int join(struct box *b, int name, const char *group, int ifindex)
{
	struct ip_mreqn m = {.imr_ifindex = ifindex};
	struct ip_addr g = addr_of(group);

	m.imr_multiaddr.s_addr = g.v4;
	return b->s->ops->setopt(b->s, IPPROTO_IP, name, &m, sizeof(m));
}

static int join6(struct box *b, int name, const char *group, int ifindex)
{
	struct ipv6_mreq m = {.ipv6mr_interface = (unsigned)ifindex};
	struct ip_addr g = addr_of(group);

	memcpy(&m.ipv6mr_multiaddr, g.v6, 16);
	return b->s->ops->setopt(b->s, IPPROTO_IPV6, name, &m, sizeof(m));
}

static int source(struct box *b, int name, const char *group, const char *src, const char *local)
{
	struct ip_mreq_source m;

	m.imr_multiaddr.s_addr = addr_of(group).v4;
	m.imr_sourceaddr.s_addr = addr_of(src).v4;
	m.imr_interface.s_addr = local ? addr_of(local).v4 : 0;
	return b->s->ops->setopt(b->s, IPPROTO_IP, name, &m, sizeof(m));
}

/* The next report of a side as "type group sources...", one record; skips others. v3 and MLDv2. */
static bool report(struct world *w, int side, int family, unsigned *type, struct ip_addr *group, unsigned *sources)
{
	struct frame *f;

	while ((f = capture_take(&w->cap[side]))) {
		const uint8_t *d = f->data + 14;
		const uint8_t *m = NULL;

		if (family == AF_INET && get_be16(f->data + 12) == ETYPE_IP4 && d[9] == 2 && d[(d[0] & 15) * 4] == 0x22) {
			assert_int_equal(d[8], 1); /* TTL */
			assert_int_equal(d[0], 0x46); /* router alert */
			m = d + 24;
			assert_int_equal(csum_fold(csum_partial(m, get_be16(d + 2) - 24u, 0)), 0);
		} else if (family == AF_INET6 && get_be16(f->data + 12) == ETYPE_IP6 && d[6] == 0 && d[48] == 143) {
			assert_int_equal(d[7], 1);
			m = d + 48;
		}
		if (m) {
			*type = m[8];
			*sources = get_be16(m + 10);
			*group = (struct ip_addr){.family = (uint16_t)family};
			memcpy(group->v6, m + 12, family == AF_INET ? 4 : 16);
			free(f);
			return true;
		}
		free(f);
	}
	return false;
}

static void expect_report(struct world *w, int side, unsigned type, const char *group, unsigned sources)
{
	struct ip_addr want = addr_of(group), g;
	unsigned t, n;

	while (report(w, side, want.family, &t, &g, &n)) {
		if (ip_addr_equal(&g, &want)) {
			assert_int_equal(t, type);
			assert_int_equal(n, sources);
			return;
		}
	}
	fail_msg("no report of %s", group);
}

static void basic(void **state)
{
	struct world *w = world_new(true);
	struct box *r = box_bound(w->b, "0.0.0.0", 7), *s = box_udp(w->a, AF_INET), *self = box_bound(w->a, "0.0.0.0", 7);

	s->s->opt.mc_if = w->ea->index;
	assert_int_equal(box_send(s, "239.1.2.3", 7, "x", 1), 1);
	world_run(w);
	assert_null(r->first);
	world_capture(w, 1, false);
	assert_int_equal(join(r, IP_ADD_MEMBERSHIP, "239.1.2.3", w->eb->index), 0);
	assert_int_equal(join(r, IP_ADD_MEMBERSHIP, "239.1.2.3", w->eb->index), -EADDRINUSE);
	assert_int_equal(join(r, IP_ADD_MEMBERSHIP, "10.0.0.1", w->eb->index), -EINVAL);
	assert_int_equal(join(r, IP_ADD_MEMBERSHIP, "239.1.2.3", 99), -ENODEV);
	world_run(w);
	expect_report(w, 1, MC_TO_EX, "239.1.2.3", 0);
	/* Told twice: one may be lost. */
	world_pass(w, 1100);
	expect_report(w, 1, MC_TO_EX, "239.1.2.3", 0);
	assert_int_equal(box_send(s, "239.1.2.3", 7, "group", 5), 5);
	world_run(w);
	assert_int_equal(r->first->meta.ttl, 1);
	box_expect(r, "group", 5, "10.0.0.1");
	assert_null(self->first);
	/* To ourselves too, when we are a member, unless the sender does not want that. */
	assert_int_equal(join(self, IP_ADD_MEMBERSHIP, "239.1.2.3", w->ea->index), 0);
	box_send(s, "239.1.2.3", 7, "loop", 4);
	world_run(w);
	box_expect(self, "loop", 4, "10.0.0.1");
	box_expect(r, "loop", 4, "10.0.0.1");
	s->s->opt.mc_loop = false;
	box_send(s, "239.1.2.3", 7, "noloop", 6);
	world_run(w);
	assert_null(self->first);
	box_expect(r, "noloop", 6, "10.0.0.1");
	capture_clear(&w->cap[1]);
	assert_int_equal(join(r, IP_DROP_MEMBERSHIP, "239.1.2.3", w->eb->index), 0);
	assert_int_equal(join(r, IP_DROP_MEMBERSHIP, "239.1.2.3", w->eb->index), -EADDRNOTAVAIL);
	world_run(w);
	expect_report(w, 1, MC_TO_IN, "239.1.2.3", 0);
	box_send(s, "239.1.2.3", 7, "x", 1);
	world_run(w);
	assert_null(r->first);
	/* A socket that is closed leaves. */
	join(r, IP_ADD_MEMBERSHIP, "239.1.2.4", w->eb->index);
	world_pass(w, 2000);
	capture_clear(&w->cap[1]);
	box_free(r);
	world_run(w);
	expect_report(w, 1, MC_TO_IN, "239.1.2.4", 0);
	world_pass(w, 5000);
	assert_null(mc_find(w->eb->igmp, &(struct ip_addr){.family = AF_INET, .v4 = htonl(0xef010204)}));
	box_free(s);
	box_free(self);
	world_free(w);
}

static void another_member_only(void **state)
{
	struct world *w = world_new(true);
	struct box *r = box_bound(w->b, "0.0.0.0", 7), *other = box_udp(w->b, AF_INET), *s = box_udp(w->a, AF_INET);

	s->s->opt.mc_if = w->ea->index;
	join(other, IP_ADD_MEMBERSHIP, "239.1.2.3", w->eb->index);
	/* The interface has joined: who listens on the port gets it as well, unless he said no (IP_MULTICAST_ALL). */
	box_send(s, "239.1.2.3", 7, "x", 1);
	world_run(w);
	box_expect(r, "x", 1, NULL);
	r->s->opt.mc_all = false;
	box_send(s, "239.1.2.3", 7, "x", 1);
	world_run(w);
	assert_null(r->first);
	box_free(r);
	box_free(s);
	box_free(other);
	world_free(w);
}

static void sources(void **state)
{
	struct world *w = world_new(true);
	struct box *r = box_bound(w->b, "0.0.0.0", 7), *s = box_udp(w->a, AF_INET);

	s->s->opt.mc_if = w->ea->index;
	world_capture(w, 1, false);
	/* Only one source. */
	assert_int_equal(source(r, IP_ADD_SOURCE_MEMBERSHIP, "232.1.1.1", "10.0.0.9", "10.0.0.2"), 0);
	world_run(w);
	expect_report(w, 1, MC_ALLOW, "232.1.1.1", 1);
	box_send(s, "232.1.1.1", 7, "x", 1);
	world_run(w);
	assert_null(r->first);
	assert_int_equal(source(r, IP_ADD_SOURCE_MEMBERSHIP, "232.1.1.1", "10.0.0.1", "10.0.0.2"), 0);
	assert_int_equal(source(r, IP_ADD_SOURCE_MEMBERSHIP, "232.1.1.1", "10.0.0.1", "10.0.0.2"), -EADDRNOTAVAIL);
	world_run(w);
	expect_report(w, 1, MC_ALLOW, "232.1.1.1", 1);
	box_send(s, "232.1.1.1", 7, "y", 1);
	world_run(w);
	box_expect(r, "y", 1, NULL);
	capture_clear(&w->cap[1]);
	assert_int_equal(source(r, IP_DROP_SOURCE_MEMBERSHIP, "232.1.1.1", "10.0.0.1", "10.0.0.2"), 0);
	world_run(w);
	expect_report(w, 1, MC_BLOCK, "232.1.1.1", 1);
	box_send(s, "232.1.1.1", 7, "z", 1);
	world_run(w);
	assert_null(r->first);
	/* All but one. */
	assert_int_equal(join(r, IP_ADD_MEMBERSHIP, "239.9.9.9", w->eb->index), 0);
	assert_int_equal(source(r, IP_BLOCK_SOURCE, "239.9.9.9", "10.0.0.1", "10.0.0.2"), 0);
	box_send(s, "239.9.9.9", 7, "x", 1);
	world_run(w);
	assert_null(r->first);
	assert_int_equal(source(r, IP_UNBLOCK_SOURCE, "239.9.9.9", "10.0.0.1", "10.0.0.2"), 0);
	box_send(s, "239.9.9.9", 7, "x", 1);
	world_run(w);
	box_expect(r, "x", 1, NULL);
	/* Modes do not mix. */
	assert_int_equal(source(r, IP_ADD_SOURCE_MEMBERSHIP, "239.9.9.9", "10.0.0.1", "10.0.0.2"), -EINVAL);
	box_free(r);
	box_free(s);
	world_free(w);
}

static void limits(void **state)
{
	struct world *w = world_new(true);
	struct box *r = box_bound(w->b, "0.0.0.0", 7);
	char text[32];

	for (unsigned i = 0; i < 25; i++) {
		snprintf(text, sizeof(text), "239.0.0.%u", i);
		assert_int_equal(join(r, IP_ADD_MEMBERSHIP, text, w->eb->index), i < 20 ? 0 : -ENOBUFS);
	}
	for (unsigned i = 0; i < 12; i++) {
		snprintf(text, sizeof(text), "10.0.0.%u", 10 + i);
		assert_int_equal(source(r, IP_BLOCK_SOURCE, "239.0.0.1", text, "10.0.0.2"), i < 10 ? 0 : -ENOBUFS);
	}
	box_free(r);
	world_free(w);
}

static void query(struct world *w, const void *msg, size_t size, const char *dst, uint8_t ttl)
{
	uint8_t f[128] = {1, 0, 0x5e};
	struct ip4_hdr *h = (void *)(f + 14);
	struct ip_addr d = addr_of(dst);
	uint16_t sum;

	memcpy(f + 3, (const uint8_t *)&d.v4 + 1, 3);
	f[3] &= 0x7f;
	memcpy(f + 6, world_mac_a, 6);
	put_be16(f + 12, ETYPE_IP4);
	h->vhl = 0x45;
	h->len = be16((uint16_t)(20 + size));
	h->ttl = ttl;
	h->protocol = 2;
	h->src = be32(0x0a000001);
	h->dst = d.v4;
	memcpy(h + 1, msg, size);
	sum = csum_fold(csum_partial(h + 1, size, 0));
	memcpy(f + 14 + 20 + 2, &sum, 2);
	h->csum = csum_fold(csum_partial(h, 20, 0));
	world_inject(w->eb, f, 34 + size);
}

static void queries(void **state)
{
	struct world *w = world_new(true);
	struct box *r = box_bound(w->b, "0.0.0.0", 7);
	uint8_t v3[12] = {0x11, 20}, v3_group[12] = {0x11, 20, 0, 0, 239, 1, 1, 1}, v2[8] = {0x11, 20};
	struct frame *f;

	join(r, IP_ADD_MEMBERSHIP, "239.1.1.1", w->eb->index);
	world_pass(w, 5000);
	world_capture(w, 1, true);
	/* From far away it is none. */
	query(w, v3, 12, "224.0.0.1", 2);
	world_pass(w, 3000);
	assert_int_equal(w->cap[1].count, 0);
	query(w, v3, 12, "224.0.0.1", 1);
	world_pass(w, 3000);
	expect_report(w, 1, MC_IS_EX, "239.1.1.1", 0);
	query(w, v3_group, 12, "239.1.1.1", 1);
	world_pass(w, 3000);
	expect_report(w, 1, MC_IS_EX, "239.1.1.1", 0);
	v3_group[7] = 2; /* a group that nobody here has */
	query(w, v3_group, 12, "239.1.1.2", 1);
	v3[11] = 200; /* more sources than the message has */
	query(w, v3, 12, "224.0.0.1", 1);
	world_pass(w, 3000);
	assert_int_equal(w->cap[1].count, 0);
	/* An older router: it is answered as it can understand, for a while. */
	query(w, v2, 8, "224.0.0.1", 1);
	world_pass(w, 3000);
	f = capture_take(&w->cap[1]);
	assert_non_null(f);
	assert_int_equal(f->data[14 + 24], 0x16);
	assert_int_equal(get_be32(f->data + 30), 0xef010101); /* to the group itself */
	free(f);
	assert_int_equal(join(r, IP_DROP_MEMBERSHIP, "239.1.1.1", w->eb->index), 0);
	world_run(w);
	f = capture_take(&w->cap[1]);
	assert_non_null(f);
	assert_int_equal(f->data[14 + 24], 0x17);
	free(f);
	box_free(r);
	world_free(w);
}

static void six(void **state)
{
	struct world *w = world_new(true);
	struct box *r = box_bound(w->b, "::", 7), *s = box_udp(w->a, AF_INET6);

	s->s->opt.mc_if6 = w->ea->index;
	world_capture(w, 1, false);
	assert_int_equal(join6(r, IPV6_JOIN_GROUP, "ff02::77", w->eb->index), 0);
	world_run(w);
	expect_report(w, 1, MC_TO_EX, "ff02::77", 0);
	box_send(s, "ff02::77", 7, "six", 3);
	world_run(w);
	assert_int_equal(r->first->meta.ttl, 1);
	box_expect(r, "six", 3, "fd00::1");
	capture_clear(&w->cap[1]);
	assert_int_equal(join6(r, IPV6_LEAVE_GROUP, "ff02::77", w->eb->index), 0);
	world_run(w);
	expect_report(w, 1, MC_TO_IN, "ff02::77", 0);
	box_send(s, "ff02::77", 7, "six", 3);
	world_run(w);
	assert_null(r->first);
	box_free(r);
	box_free(s);
	world_free(w);
}

static void link_flaps(void **state)
{
	struct world *w = world_new(true);
	struct box *r = box_bound(w->b, "0.0.0.0", 7), *s = box_udp(w->a, AF_INET);

	s->s->opt.mc_if = w->ea->index;
	join(r, IP_ADD_MEMBERSHIP, "239.1.1.1", w->eb->index);
	world_pass(w, 3000);
	netif_set_up(w->eb, false);
	world_pass(w, 3000);
	world_capture(w, 1, false);
	netif_set_up(w->eb, true);
	world_run(w);
	expect_report(w, 1, MC_TO_EX, "239.1.1.1", 0);
	box_send(s, "239.1.1.1", 7, "x", 1);
	world_run(w);
	box_expect(r, "x", 1, NULL);
	/* The interface goes while there are members. */
	netif_remove(w->eb);
	w->eb = NULL;
	box_free(r);
	box_free(s);
	world_free(w);
}

static int source6(struct box *b, int name, int ifindex, const char *group, unsigned src)
{
	struct group_source_req r = {.gsr_interface = (unsigned)ifindex};
	struct sockaddr_in6 g = {.sin6_family = AF_INET6}, from = {.sin6_family = AF_INET6};
	struct ip_addr a = addr_of(group);

	memcpy(&g.sin6_addr, a.v6, 16);
	a = addr_of("fd00::1:0");
	a.v6[15] = (uint8_t)src;
	memcpy(&from.sin6_addr, a.v6, 16);
	memcpy(&r.gsr_group, &g, sizeof(g));
	memcpy(&r.gsr_source, &from, sizeof(from));
	return b->s->ops->setopt(b->s, IPPROTO_IPV6, name, &r, sizeof(r));
}

/* Two sockets with all the sources that a filter has room for, others each. When the first one leaves, all of its
 * sources go and all of the second one's come: more than fits one report. */
static void all_sources_change(void **state)
{
	struct world *w = world_new(true);
	struct box *a = box_udp(w->a, AF_INET6), *b = box_udp(w->a, AF_INET6);
	unsigned type, sources, seen = 0;
	struct ip_addr group;
	struct frame *f;

	(void)state;
	world_pass(w, 5000);
	for (unsigned i = 0; i < MC_SOURCES_MAX; i++) {
		assert_int_equal(source6(a, MCAST_JOIN_SOURCE_GROUP, w->ea->index, "ff05::77", i), 0);
		assert_int_equal(source6(b, MCAST_JOIN_SOURCE_GROUP, w->ea->index, "ff05::77", 128 + i), 0);
	}
	world_pass(w, 5000);
	world_capture(w, 0, false);
	assert_int_equal(join6(a, IPV6_LEAVE_GROUP, "ff05::77", w->ea->index), 0);
	world_run(w);
	for (f = w->cap[0].first; f; f = f->next)
		assert_true(f->size <= 1514);
	while (report(w, 0, AF_INET6, &type, &group, &sources))
		seen += sources;
	assert_int_equal(seen, 2 * MC_SOURCES_MAX);
	box_free(a);
	box_free(b);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(basic),   cmocka_unit_test(another_member_only), cmocka_unit_test(sources),
		cmocka_unit_test(limits),  cmocka_unit_test(queries),		  cmocka_unit_test(six),
		cmocka_unit_test(link_flaps),
		cmocka_unit_test(all_sources_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
