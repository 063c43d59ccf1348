/* IPv4 fragments of every kind, by scripted packets. */
#include "ip4.h"

/* ---- fragments ---- */

static uint8_t text[64 * 1024];

/* A piece [from, to) of a datagram to port 9 with n bytes of text. */
static void piece(uint16_t id, uint32_t n, uint32_t from, uint32_t to, bool more)
{
	static uint8_t whole[64 * 1024 + 8];
	struct ip4_hdr *h = ip(17, to - from);
	struct udp_hdr *u = (void *)whole;

	*u = (struct udp_hdr){be16(5), be16(9), be16((uint16_t)(8 + n)), 0};
	for (uint32_t i = 0; i < n; i++)
		whole[8 + i] = text[i] = (uint8_t)(i * 31 + i / 256);
	memcpy(frame + 34, whole + from, to - from);
	h->id = be16(id);
	h->off = be16((uint16_t)(from / 8 | (more ? IP4_MF : 0)));
	seal();
	send_frame();
}

static void whole_is(uint32_t n)
{
	box_expect(srv, text, n, "10.0.0.2");
	assert_null(srv->first);
}

static void frag_in_order(void **state)
{
	piece(1, 2000, 0, 1000, true);
	REFUSED();
	piece(1, 2000, 1000, 2008, false);
	whole_is(2000);
}

static void frag_any_order(void **state)
{
	piece(1, 2000, 1600, 2008, false);
	piece(1, 2000, 0, 800, true);
	piece(2, 500, 0, 400, true); /* another in between */
	piece(1, 2000, 800, 1600, true);
	whole_is(2000);
	piece(2, 500, 400, 508, false);
	whole_is(500);
}

static void frag_repeated(void **state)
{
	piece(1, 2000, 0, 1000, true);
	piece(1, 2000, 0, 1000, true);
	piece(1, 2000, 1000, 2008, false);
	whole_is(2000);
	/* The rest of a repetition stays alone. */
	piece(1, 2000, 1000, 2008, false);
	REFUSED();
}

static void frag_overlap(void **state)
{
	/* By one unit, over the beginning, within, all around: the datagram is lost. */
	static const struct {
		uint32_t from, to;
	} evil[] = {{992, 1600}, {0, 8}, {8, 16}, {800, 1008}, {0, 1600}};

	for (unsigned i = 0; i < ARRAY_SIZE(evil); i++) {
		uint16_t id = (uint16_t)(100 + i);

		piece(id, 2000, 0, 1000, true);
		piece(id, 2000, evil[i].from, evil[i].to, true);
		piece(id, 2000, 1000, 2008, false);
		REFUSED();
	}
	assert_int_equal(net_counter(w->a, MIB_IpExt_ReasmOverlaps), ARRAY_SIZE(evil));
}

static void frag_ends(void **state)
{
	/* Two ends that disagree; data beyond the end; a middle piece not in units of eight; an empty piece. */
	piece(1, 2000, 1000, 2008, false);
	piece(1, 2000, 1000, 1808, false);
	piece(1, 2000, 0, 1000, true);
	REFUSED();
	piece(2, 2000, 1000, 1800, false);
	piece(2, 2000, 1800, 2000, true);
	piece(2, 2000, 0, 1000, true);
	REFUSED();
	piece(3, 2000, 1800, 2000, true);
	piece(3, 2000, 1000, 1800, false);
	piece(3, 2000, 0, 1000, true);
	REFUSED();
	piece(4, 2000, 0, 1001, true);
	piece(4, 2000, 1000, 2008, false);
	REFUSED();
	piece(5, 2000, 800, 800, true);
	piece(5, 2000, 0, 0, true);
	REFUSED();
}

static void frag_tiny(void **state)
{
	for (uint32_t at = 0; at < 1008; at += 8)
		piece(1, 1000, at, at + 8, at + 8 < 1008);
	whole_is(1000);
	/* More pieces than any datagram needs. */
	for (uint32_t at = 0; at < 8 * 300; at += 8)
		piece(2, 2392, at, at + 8, at + 8 < 2400);
	REFUSED();
}

static void frag_ping_of_death(void **state)
{
	struct ip4_hdr *h = ip(17, 1000);

	h->off = be16(0x1fff); /* at 65528, a thousand bytes */
	seal();
	send_frame();
	REFUSED();
	assert_int_equal(net_counter(w->a, MIB_Ip_ReasmFails), 1);
}

static void frag_never_finished(void **state)
{
	piece(1, 2000, 0, 1000, true);
	piece(2, 2000, 1000, 2008, false); /* without a beginning: no complaint */
	world_pass(w, 31000);
	assert_non_null(complaint(11, 1));
	assert_null(complaint(11, 1));
	assert_int_equal(net_counter(w->a, MIB_Ip_ReasmTimeout), 2);
	piece(1, 2000, 1000, 2008, false); /* too late */
	REFUSED();
}

static void frag_flood(void **state)
{
	size_t before = pkt_pool_used();

	for (unsigned i = 0; i < 20000; i++)
		piece((uint16_t)i, 2000, 0, 1000, true);
	assert_true(pkt_pool_used() - before <= (6u << 20));
	/* The newest still come together. */
	piece(19999, 2000, 1000, 2008, false);
	whole_is(2000);
}

static void frag_largest(void **state)
{
	for (uint32_t at = 0; at < 65515; at += 1400)
		piece(1, 65507, at, MIN(at + 1400, 65515u), at + 1400 < 65515);
	whole_is(65507);
}

/* ECN (RFC 3168 5.3). */
static void frag_ecn(void **state)
{
	struct ip4_hdr *h = (void *)(frame + 14);

	piece(1, 2000, 0, 1000, true);
	piece(9, 2000, 1000, 2008, false);
	h->id = be16(1);
	h->tos = 3; /* congestion on a part of what does not know of it */
	seal();
	send_frame();
	REFUSED();
}

static void frag_out(void **state)
{
	struct frame *f;
	unsigned n = 0, bytes = 0;

	for (unsigned i = 0; i < 4000; i++)
		text[i] = (uint8_t)i;
	srv->s->opt.pmtudisc = 0;
	assert_int_equal(box_send(srv, "10.0.0.2", 1, text, 4000), 4000);
	world_run(w);
	while ((f = capture_take(&w->cap[0]))) {
		const struct ip4_hdr *h = (const void *)(f->data + 14);

		assert_true(f->size <= 1514);
		assert_int_equal(csum_fold(csum_partial(h, 20, 0)), 0);
		assert_int_equal(be16(h->off) & IP4_OFFMASK, bytes / 8);
		bytes += be16(h->len) - 20u;
		assert_int_equal(!!(be16(h->off) & IP4_MF), bytes < 4008);
		n++;
		free(f);
	}
	assert_int_equal(n, 3);
	assert_int_equal(bytes, 4008);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(frag_in_order), CASE(frag_any_order), CASE(frag_repeated), CASE(frag_overlap), CASE(frag_ends),
		CASE(frag_tiny), CASE(frag_ping_of_death), CASE(frag_never_finished), CASE(frag_flood),
		CASE(frag_largest), CASE(frag_ecn), CASE(frag_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
