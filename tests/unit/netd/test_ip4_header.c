/* IPv4 by scripted packets: what is wrong with a header, and UDP and errors about it. */
#include "ip4.h"

/* ---- the header ---- */

static void good(void **state)
{
	udp("fine");
	send_frame();
	taken("fine");
	udp("summed");
	udp_seal();
	send_frame();
	taken("summed");
}

static void bad_headers(void **state)
{
	struct ip4_hdr *h;
	uint64_t errors = net_counter(w->a, MIB_Ip_InHdrErrors);

	udp("x")->csum ^= 1; /* checksum */
	send_frame();
	h = udp("x"); /* version */
	h->vhl = 0x65;
	seal();
	send_frame();
	h = udp("x"); /* header length below the least */
	h->vhl = 0x44;
	send_frame();
	h = udp("x"); /* header longer than the frame */
	h->vhl = 0x4f;
	send_frame();
	h = udp("x"); /* total below the header */
	h->len = be16(19);
	seal();
	world_inject(w->ea, frame, 60);
	world_inject(w->ea, frame, 14 + 19); /* cut in the header */
	assert_int_equal(net_counter(w->a, MIB_Ip_InHdrErrors), errors + 6);
	h = udp("x"); /* total beyond the frame */
	h->len = be16(100);
	seal();
	world_inject(w->ea, frame, 14 + 50);
	assert_int_equal(net_counter(w->a, MIB_IpExt_InTruncatedPkts), 1);
	world_inject(w->ea, frame, 14);
	world_inject(w->ea, frame, 13);
	world_inject(w->ea, frame, 0);
	REFUSED();
}

static void padding(void **state)
{
	udp("pad");
	world_inject(w->ea, frame, 60);
	taken("pad");
}

static void addresses(void **state)
{
	static const uint32_t bad_src[] = {0xe0000001 /* group */, 0xffffffff, 0x7f000001 /* loopback */,
					   0x00000001, 0x0a0000ff /* the subnet's broadcast */, 0x0a000001 /* ours */,
					   0x00000000 /* nobody, to one */};
	struct ip4_hdr *h;

	for (unsigned i = 0; i < ARRAY_SIZE(bad_src); i++) {
		h = udp("x");
		h->src = be32(bad_src[i]);
		seal();
		send_frame();
		REFUSED();
	}
	h = udp("x");
	h->dst = be32(0x7f000001); /* to loopback, from outside */
	seal();
	send_frame();
	h = udp("x");
	h->dst = be32(0x0a000063); /* another */
	seal();
	send_frame();
	h = udp("x");
	memset(frame, 0xff, 6); /* to us, in a frame to all */
	send_frame();
	udp("x");
	frame[5] ^= 1; /* in a frame to somebody else */
	send_frame();
	REFUSED();
	assert_null(complaint(3, 3));
}

static void broadcasts(void **state)
{
	struct ip4_hdr *h = udp("all");

	h->dst = be32(0xffffffff);
	memset(frame, 0xff, 6);
	seal();
	send_frame();
	assert_int_equal(srv->count, 1);
	assert_true(srv->first->meta.flags & NSOCK_META_BROADCAST);
	taken("all");
	h = udp("subnet");
	h->dst = be32(0x0a0000ff);
	memset(frame, 0xff, 6);
	seal();
	send_frame();
	taken("subnet");
	/* To all, to a port that nobody has: no complaint (RFC 1122 3.2.2). */
	h = udp("x");
	h->dst = be32(0x0a0000ff);
	((struct udp_hdr *)(void *)(frame + 34))->dst = be16(99);
	memset(frame, 0xff, 6);
	seal();
	send_frame();
	assert_null(complaint(3, 3));
}

static void options(void **state)
{
	/* no-op, timestamp: passed over */
	static const uint8_t fine[12] = {1, 68, 8, 5, 0, 0, 0, 0, 0, 1, 1, 0};
	static const uint8_t past_end[12] = {1, 68, 40, 5};
	static const uint8_t zero[12] = {68, 0};
	static const uint8_t source_route[12] = {131, 7, 4, 10, 0, 0, 9};
	static const struct {
		const uint8_t *opt;
		bool ok, complaint;
	} cases[] = {{fine, true, false}, {past_end, false, true}, {zero, false, true}, {source_route, false, false}};

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		struct ip4_hdr *h = udp("opt");

		memmove(frame + 34 + 12, frame + 34, 11);
		memcpy(frame + 34, cases[i].opt, 12);
		h->vhl = 0x48;
		h->len = be16(20 + 12 + 11);
		seal();
		send_frame();
		if (cases[i].ok)
			taken("opt");
		REFUSED();
		assert_int_equal(complaint(12, 0) != NULL, cases[i].complaint);
	}
}

/* ---- UDP ---- */

static void bad_udp(void **state)
{
	struct udp_hdr *u = (void *)(frame + 34);

	udp("sum");
	udp_seal();
	u->csum ^= 0x100;
	send_frame();
	assert_int_equal(net_counter(w->a, MIB_Udp_InCsumErrors), 1);
	udp("x");
	u->len = be16(7);
	send_frame();
	udp("x");
	u->len = be16(100);
	send_frame();
	ip(17, 7); /* no room for a header */
	seal();
	send_frame();
	assert_int_equal(net_counter(w->a, MIB_Udp_InErrors), 4);
	REFUSED();
	udp("short and more"); /* less than IP has: the rest is no data */
	u->len = be16(8 + 5);
	send_frame();
	taken("short");
}

static void port_unreachable(void **state)
{
	const uint8_t *m;

	udp("x");
	((struct udp_hdr *)(void *)(frame + 34))->dst = be16(99);
	send_frame();
	m = complaint(3, 3);
	assert_non_null(m);
	assert_memory_equal(m + 8, frame + 14, 29); /* quotes us */
	assert_int_equal(net_counter(w->a, MIB_Udp_NoPorts), 1);
}

static void protocol_unreachable(void **state)
{
	ip(200, 8);
	seal();
	send_frame();
	assert_non_null(complaint(3, 2));
}

static void errors_are_limited(void **state)
{
	unsigned n = 0;

	for (int i = 0; i < 500; i++) {
		udp("x");
		((struct udp_hdr *)(void *)(frame + 34))->dst = be16(99);
		send_frame();
	}
	while (complaint(3, 3))
		n++;
	assert_in_range(n, 1, 10);
	world_pass(w, 5000);
	udp("x");
	((struct udp_hdr *)(void *)(frame + 34))->dst = be16(99);
	send_frame();
	assert_non_null(complaint(3, 3));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(good), CASE(bad_headers), CASE(padding), CASE(addresses), CASE(broadcasts), CASE(options),
		CASE(bad_udp), CASE(port_unreachable), CASE(protocol_unreachable), CASE(errors_are_limited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
