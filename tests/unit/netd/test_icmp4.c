/* ICMP that asks, complains and lies, path MTU, and routes, by scripted packets. */
#include <linux/rtnetlink.h>

#include "ip4.h"

#include "netd/core/stack_priv.h"
#include "netd/ip/ip_priv.h"

/* ---- ICMP ---- */

static void icmp(uint8_t type, uint8_t code, uint32_t word, const void *data, uint32_t size)
{
	uint16_t sum;

	ip(1, 8 + size);
	frame[34] = type;
	frame[35] = code;
	put_be32(frame + 38, word);
	memcpy(frame + 42, data, size);
	sum = csum_fold(csum_partial(frame + 34, 8 + size, 0));
	memcpy(frame + 36, &sum, 2);
	seal();
}

static void get_icmp(uint8_t type, uint8_t code, uint32_t info, const void *data, size_t size)
{
	icmp(type, code, info, data, size);
	send_frame();
}

/* Quotes a datagram that we sent from port 9 to port 1 of b. */
static void quote(uint8_t q[28], uint32_t src, uint32_t dst, uint16_t sport, uint16_t dport)
{
	struct ip4_hdr *h = (void *)q;

	memset(q, 0, 28);
	h->vhl = 0x45;
	h->len = be16(1500);
	h->ttl = 1;
	h->protocol = 17;
	h->src = be32(src);
	h->dst = be32(dst);
	put_be16(q + 20, sport);
	put_be16(q + 22, dport);
}

static void echo(void **state)
{
	const uint8_t *m;

	get_icmp(8, 0, 0x00010002, "ping data", 9);
	m = complaint(0, 0);
	assert_non_null(m);
	assert_memory_equal(m + 4, frame + 38, 13);
	/* Its checksum is wrong; it is for all. */
	icmp(8, 0, 0x00010002, "ping data", 9);
	frame[36] ^= 1;
	send_frame();
	icmp(8, 0, 0, "x", 1);
	((struct ip4_hdr *)(void *)(frame + 14))->dst = be32(0x0a0000ff);
	memset(frame, 0xff, 6);
	seal();
	send_frame();
	icmp(8, 0, 0, "x", 1);
	w->a->sysctl[NET_SYSCTL_ICMP_ECHO_IGNORE_ALL] = 1;
	send_frame();
	assert_null(complaint(0, 0));
}

static void icmp_timestamp(void **state)
{
	uint8_t t[12] = {0};

	get_icmp(13, 0, 0, t, 12);
	assert_non_null(complaint(14, 0));
	get_icmp(13, 0, 0, t, 4);
	assert_null(complaint(14, 0));
}

static void icmp_errors(void **state)
{
	struct nsock_name n = name_of("10.0.0.2", 1);
	uint8_t q[28];

	srv->s->ops->connect(srv->s, &n);
	quote(q, 0x0a000001, 0x0a000002, 9, 1);
	get_icmp(3, 3, 0, q, 28);
	assert_int_equal(nsock_take_error(srv->s), ECONNREFUSED);
	/* Soft ones do not break a connected socket; unless it asked to hear of all. */
	get_icmp(11, 0, 0, q, 28);
	assert_int_equal(nsock_take_error(srv->s), 0);
	srv->s->opt.recverr = true;
	get_icmp(11, 0, 0, q, 28);
	assert_int_equal(nsock_take_error(srv->s), EHOSTUNREACH);
	assert_int_equal(srv->count, 1);
	assert_int_equal(srv->first->error.type, 11);
	free(box_take(srv));
	srv->s->opt.recverr = false;
	/* Lies: about another port, from another address of ours, to another peer; cut; about a later fragment. */
	quote(q, 0x0a000001, 0x0a000002, 8, 1);
	get_icmp(3, 3, 0, q, 28);
	quote(q, 0x0a000063, 0x0a000002, 9, 1);
	get_icmp(3, 3, 0, q, 28);
	quote(q, 0x0a000001, 0x0a000005, 9, 1);
	get_icmp(3, 3, 0, q, 28);
	quote(q, 0x0a000001, 0x0a000002, 9, 1);
	get_icmp(3, 3, 0, q, 27);
	get_icmp(3, 3, 0, q, 10);
	get_icmp(3, 3, 0, q, 0);
	q[0] = 0x4f;
	get_icmp(3, 3, 0, q, 28);
	q[0] = 0x42;
	get_icmp(3, 3, 0, q, 28);
	q[0] = 0x45;
	put_be16(q + 6, 100);
	get_icmp(3, 3, 0, q, 28);
	put_be16(q + 6, 0);
	get_icmp(3, 16, 0, q, 28); /* no such code */
	get_icmp(4, 0, 0, q, 28); /* source quench */
	get_icmp(5, 1, 0x0a000005, q, 28); /* redirect */
	assert_int_equal(nsock_take_error(srv->s), 0);
	/* And no error is answered with an error. */
	assert_null(complaint(3, 3));
}

static uint32_t mtu_to_b(void)
{
	struct ip_flow f = {.dst = addr_of("10.0.0.2")};
	struct ip_route r;

	assert_int_equal(ip_route_lookup(w->a, &f, &r), 0);
	return r.mtu;
}

static void path_mtu(void **state)
{
	static uint8_t text[1480];
	struct nsock_name n = name_of("10.0.0.2", 1);
	uint8_t q[28];

	srv->s->ops->connect(srv->s, &n);
	quote(q, 0x0a000001, 0x0a000002, 9, 1);
	/* For a connection that is not ours: nothing. */
	quote(q, 0x0a000001, 0x0a000002, 9, 2);
	get_icmp(3, 4, 1000, q, 28);
	assert_int_equal(mtu_to_b(), 1500);
	quote(q, 0x0a000001, 0x0a000002, 9, 1);
	get_icmp(3, 4, 1000, q, 28);
	assert_int_equal(mtu_to_b(), 1000);
	/* It does not grow by such a message, and does not shrink below reason. */
	get_icmp(3, 4, 1400, q, 28);
	assert_int_equal(mtu_to_b(), 1000);
	get_icmp(3, 4, 68, q, 28);
	assert_int_equal(mtu_to_b(), 552);
	/* A router that does not say: the next plateau. */
	world_pass(w, 601000);
	assert_int_equal(mtu_to_b(), 1500);
	get_icmp(3, 4, 0, q, 28);
	assert_int_equal(mtu_to_b(), 1492);
	/* Datagrams that may not be cut are refused with the size. */
	srv->s->opt.pmtudisc = 2;
	nsock_take_error(srv->s);
	assert_int_equal(box_send(srv, NULL, 0, text, 1480), -EMSGSIZE);
	assert_int_equal(box_send(srv, NULL, 0, text, 1464), 1464);
}

static void many_path_mtus(void **state)
{
	struct fib_entry e = {.dst = addr_of("0.0.0.0"), .table = RT_TABLE_MAIN, .type = RTN_UNICAST, .protocol = RTPROT_BOOT,
			      .hop_count = 1, .hop = {{.gateway = addr_of("10.0.0.254"), .weight = 1}}};

	assert_int_equal(fib_add(w->a, &e, FIB_CREATE), 0);
	for (uint32_t i = 1; i < 5000; i++) {
		struct ip_addr a = ip_addr_v4(be32(0x0a000000 + i));

		ip_pmtu_update(w->a, &a, 1000);
	}
	/* Bounded: the first are forgotten. */
	assert_int_equal(mtu_to_b(), 1500);
}

/* ---- routes ---- */

static void routes(void **state)
{
	struct fib_entry e = {.dst = addr_of("0.0.0.0"), .table = RT_TABLE_MAIN, .type = RTN_UNICAST, .protocol = RTPROT_BOOT,
			      .hop_count = 1, .hop = {{.gateway = addr_of("10.0.0.254"), .weight = 1}}};
	struct ip_flow f = {.dst = addr_of("8.8.8.8")};
	struct fib_rule rule = {.family = AF_INET, .priority = 100, .table = 77, .action = 1, .suppress_prefixlen = -1,
				.mark = 5, .mark_mask = 5};
	struct ip_route r, old;

	assert_int_equal(ip_route_lookup(w->a, &f, &r), -ENETUNREACH);
	assert_int_equal(fib_add(w->a, &e, FIB_CREATE | FIB_EXCL), 0);
	assert_int_equal(fib_add(w->a, &e, FIB_CREATE | FIB_EXCL), -EEXIST);
	assert_int_equal(ip_route_lookup(w->a, &f, &old), 0);
	assert_true(ip_route_ok(w->a, &old));
	assert_ptr_equal(old.out, w->ea);
	assert_int_equal(old.gateway.v4, be32(0x0a0000fe));
	assert_int_equal(old.src.v4, be32(0x0a000001));
	/* A longer prefix, a worse metric, a dead end. */
	e.dst = addr_of("8.8.0.0");
	e.dst_len = 16;
	e.hop[0].gateway = addr_of("10.0.0.253");
	e.hop[0].out = NULL;
	assert_int_equal(fib_add(w->a, &e, FIB_CREATE | FIB_EXCL), 0);
	assert_false(ip_route_ok(w->a, &old));
	assert_int_equal(ip_route_lookup(w->a, &f, &r), 0);
	assert_int_equal(r.gateway.v4, be32(0x0a0000fd));
	e.priority = 10;
	e.hop[0].gateway = addr_of("10.0.0.252");
	assert_int_equal(fib_add(w->a, &e, FIB_CREATE | FIB_EXCL), 0);
	assert_int_equal(ip_route_lookup(w->a, &f, &r), 0);
	assert_int_equal(r.gateway.v4, be32(0x0a0000fd));
	e = (struct fib_entry){.dst = addr_of("8.8.8.0"), .dst_len = 24, .table = RT_TABLE_MAIN, .type = RTN_UNREACHABLE};
	assert_int_equal(fib_add(w->a, &e, FIB_CREATE), 0);
	assert_int_equal(ip_route_lookup(w->a, &f, &r), -EHOSTUNREACH);
	/* A table of its own for marked packets. */
	assert_int_equal(fib_rule_add(w->a, &rule, true), 0);
	assert_int_equal(fib_rule_add(w->a, &rule, true), -EEXIST);
	e = (struct fib_entry){.dst = addr_of("0.0.0.0"), .table = 77, .type = RTN_PROHIBIT};
	assert_int_equal(fib_add(w->a, &e, FIB_CREATE), 0);
	f.mark = 5;
	assert_int_equal(ip_route_lookup(w->a, &f, &r), -EACCES);
	assert_int_equal(fib_rule_del(w->a, &rule), 0);
	assert_int_equal(ip_route_lookup(w->a, &f, &r), -EHOSTUNREACH);
	/* A gateway that is on no link, an address with host bits, a source that is not ours. */
	e = (struct fib_entry){.dst = addr_of("9.0.0.0"), .dst_len = 8, .table = RT_TABLE_MAIN, .type = RTN_UNICAST,
			       .hop_count = 1, .hop = {{.gateway = addr_of("99.0.0.1")}}};
	assert_int_equal(fib_add(w->a, &e, FIB_CREATE), -ENETUNREACH);
	e.dst = addr_of("9.0.0.1");
	assert_int_equal(fib_add(w->a, &e, FIB_CREATE), -EINVAL);
	f = (struct ip_flow){.dst = addr_of("10.0.0.2"), .src = addr_of("1.2.3.4")};
	assert_int_equal(ip_route_lookup(w->a, &f, &r), -EINVAL);
	/* The link goes down: its routes with it, and loopback stays. */
	netif_set_up(w->ea, false);
	f = (struct ip_flow){.dst = addr_of("10.0.0.2")};
	assert_int_equal(ip_route_lookup(w->a, &f, &r), -ENETUNREACH);
	f.dst = addr_of("127.0.0.9");
	assert_int_equal(ip_route_lookup(w->a, &f, &r), 0);
	assert_true(r.local);
	assert_int_equal(r.src.v4, be32(0x7f000001));
	netif_set_up(w->ea, true);
	f.dst = addr_of("10.0.0.2");
	assert_int_equal(ip_route_lookup(w->a, &f, &r), 0);
}

static void many_routes(void **state)
{
	struct fib_entry e = {.table = RT_TABLE_MAIN, .type = RTN_UNICAST, .protocol = RTPROT_BOOT, .hop_count = 1,
			      .hop = {{.out = w->ea, .gateway = addr_of("10.0.0.254"), .weight = 1}}};
	const struct fib_entry *p = NULL;
	struct ip_route r;
	unsigned n = 0;

	for (uint32_t i = 0; i < 2000; i++) {
		e.dst = ip_addr_v4(be32(0x14000000 + (i << 8)));
		e.dst_len = 24;
		assert_int_equal(fib_add(w->a, &e, FIB_CREATE | FIB_EXCL), 0);
	}
	for (uint32_t i = 0; i < 2000; i++) {
		struct ip_flow f = {.dst = ip_addr_v4(be32(0x14000007 + (i << 8)))};

		assert_int_equal(ip_route_lookup(w->a, &f, &r), 0);
	}
	while ((p = fib_next(w->a, AF_INET, RT_TABLE_MAIN, p)))
		n++;
	assert_int_equal(n, 2001);
}

static void two_hops(void **state)
{
	struct fib_entry e = {.dst = addr_of("0.0.0.0"), .table = RT_TABLE_MAIN, .type = RTN_UNICAST, .protocol = RTPROT_BOOT,
			      .hop_count = 2, .hop = {{.gateway = addr_of("10.0.0.253"), .weight = 1},
						      {.gateway = addr_of("10.0.0.254"), .weight = 3}}};
	unsigned second = 0;

	assert_int_equal(fib_add(w->a, &e, FIB_CREATE), 0);
	for (uint32_t i = 0; i < 1000; i++) {
		struct ip_flow f = {.dst = ip_addr_v4(be32(0x08000000 + i))};
		struct ip_route r, again;

		assert_int_equal(ip_route_lookup(w->a, &f, &r), 0);
		assert_int_equal(ip_route_lookup(w->a, &f, &again), 0);
		assert_int_equal(r.gateway.v4, again.gateway.v4);
		second += r.gateway.v4 == be32(0x0a0000fe);
	}
	assert_in_range(second, 650, 850);
}

static void reverse_path(void **state)
{
	struct ip4_hdr *h;

	w->ea->conf[NETIF_CONF_V4_RP_FILTER] = 1;
	h = udp("x");
	h->src = be32(0x08080808);
	seal();
	send_frame();
	REFUSED();
	assert_int_equal(net_counter(w->a, MIB_TcpExt_IPReversePathFilter), 1);
	udp("fine");
	send_frame();
	taken("fine");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(echo), CASE(icmp_timestamp), CASE(icmp_errors), CASE(path_mtu), CASE(many_path_mtus),
		CASE(routes), CASE(many_routes), CASE(two_hops), CASE(reverse_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
