/* Data that comes in on a sound path: order, overlaps, holes, and when to acknowledge. */
#include "rig.h"

#include <arpa/inet.h>

static const struct rig_opts plain;
static const struct rig_opts bare = {.no_ts = true, .no_sack = true};

/* ---- receiving ---- */

static void in_order(void **state)
{
	struct rig *r = rig_passive(&plain);

	in(r, A | P, 1, 1, 100);
	assert_true(r->c->events & NSOCK_IN);
	expect(r, A, 1, 101, 0); /* at the beginning every segment is acknowledged at once */
	in(r, A, 101, 1, 1448);
	expect(r, A, 1, 1549, 0);
	sbox_expect(r->c, 0, 1548);
	rig_free(r);
}

static void out_of_order_sack(void **state)
{
	struct rig *r = rig_passive(&plain);
	struct pk *k;

	in(r, A, 1001, 1, 1000);
	k = out(r);
	assert_int_equal(k->ack, 1);
	assert_int_equal(k->o.sack_count, 1);
	assert_true(k->sack[0].start == 1001 && k->sack[0].end == 2001);
	free(k);
	in(r, A, 3001, 1, 1000);
	k = out(r);
	assert_int_equal(k->o.sack_count, 2);
	/* The newest block first. */
	assert_true(k->sack[0].start == 3001 && k->sack[0].end == 4001);
	assert_true(k->sack[1].start == 1001 && k->sack[1].end == 2001);
	free(k);
	in(r, A, 2001, 1, 1000);
	k = out(r);
	assert_int_equal(k->o.sack_count, 1);
	assert_true(k->sack[0].start == 1001 && k->sack[0].end == 4001);
	free(k);
	assert_int_equal(bytering_avail(&r->c->rd), 0);
	in(r, A, 1, 1, 1000);
	k = out(r);
	assert_int_equal(k->ack, 4001);
	assert_int_equal(k->o.sack_count, 0);
	free(k);
	sbox_expect(r->c, 0, 4000);
	assert_null(tcp_sk(r->c->s)->ooo);
	rig_free(r);
}

static void sack_at_most_three(void **state)
{
	struct rig *r = rig_passive(&plain);
	struct pk *k = NULL;

	for (unsigned i = 0; i < 6; i++) {
		in(r, A, 1001 + 2000 * i, 1, 1000);
		free(k);
		k = out(r);
	}
	assert_int_equal(k->o.sack_count, 3); /* with timestamps there is room for three */
	assert_int_equal(k->sack[0].start, 11001);
	assert_int_equal(k->sack[1].start, 9001);
	assert_int_equal(k->sack[2].start, 7001);
	free(k);
	rig_free(r);
}

static void no_sack_without_agreement(void **state)
{
	struct rig *r = rig_passive(&bare);
	struct pk *k;

	in(r, A, 1001, 1, 1000);
	k = out(r);
	assert_int_equal(k->o.sack_count, 0);
	assert_int_equal(k->ack, 1);
	free(k);
	rig_free(r);
}

static void dsack_below(void **state)
{
	struct rig *r = rig_passive(&plain);
	struct pk *k;

	in(r, A, 1, 1, 1000);
	rig_drop(r);
	in(r, A, 1, 1, 1000);
	k = out(r);
	assert_int_equal(k->ack, 1001);
	assert_int_equal(k->o.sack_count, 1);
	assert_true(k->sack[0].start == 1 && k->sack[0].end == 1001);
	free(k);
	/* Reported once. */
	in(r, A, 1001, 1, 1000);
	k = out(r);
	assert_int_equal(k->o.sack_count, 0);
	free(k);
	rig_free(r);
}

static void dsack_above(void **state)
{
	struct rig *r = rig_passive(&plain);
	struct pk *k;

	in(r, A, 1001, 1, 1000);
	rig_drop(r);
	in(r, A, 1001, 1, 1000);
	k = out(r);
	assert_int_equal(k->o.sack_count, 2);
	assert_true(k->sack[0].start == 1001 && k->sack[0].end == 2001);
	assert_true(k->sack[1].start == 1001 && k->sack[1].end == 2001);
	free(k);
	rig_free(r);
}

static void dsack_off(void **state)
{
	struct rig *r = rig_passive(&plain);
	struct pk *k;

	net_sysctl_set(r->w->a, NET_SYSCTL_TCP_DSACK, 0);
	in(r, A, 1, 1, 1000);
	rig_drop(r);
	in(r, A, 1, 1, 1000);
	k = out(r);
	assert_int_equal(k->o.sack_count, 0);
	free(k);
	rig_free(r);
}

static void overlaps(void **state)
{
	struct rig *r = rig_passive(&plain);

	in(r, A, 1, 1, 1000);
	in(r, A, 501, 1, 1000);   /* half old */
	in(r, A, 2001, 1, 500);
	in(r, A, 1801, 1, 900);   /* around it */
	in(r, A, 2601, 1, 300);   /* overlaps its end */
	in(r, A, 1400, 1, 500);   /* fills the hole with some more */
	rig_drop(r);
	assert_int_equal(tcp_sk(r->c->s)->ooo_count, 0);
	sbox_expect(r->c, 0, 2900);
	rig_free(r);
}

static void fin_out_of_order(void **state)
{
	struct rig *r = rig_passive(&plain);

	in(r, A | F, 101, 1, 50);
	assert_int_equal(sbox_state(r->c), TCP_ESTABLISHED);
	in(r, A, 1, 1, 100);
	assert_int_equal(sbox_state(r->c), TCP_CLOSE_WAIT);
	sbox_expect(r->c, 0, 150);
	assert_true(bytering_finished(&r->c->rd));
	free(out(r));
	expect(r, A, 1, 152, 0);
	rig_free(r);
}

static void bare_fin_out_of_order(void **state)
{
	struct rig *r = rig_passive(&plain);

	in(r, A | F, 101, 1, 0);
	in(r, A, 1, 1, 100);
	assert_int_equal(sbox_state(r->c), TCP_CLOSE_WAIT);
	sbox_expect(r->c, 0, 100);
	rig_free(r);
}

static void data_behind_fin(void **state)
{
	struct rig *r = rig_passive(&plain);

	in(r, A | F, 1, 1, 100);
	rig_drop(r);
	in(r, A, 102, 1, 100);
	assert_int_equal(bytering_avail(&r->c->rd), 100);
	assert_int_equal(tcp_sk(r->c->s)->rcv_nxt - tcp_sk(r->c->s)->irs, 102);
	rig_free(r);
}

static void many_holes_are_bounded(void **state)
{
	struct rig *r = rig_passive(&(struct rig_opts){.rx = 1 << 20, .wscale = 7});

	/* 500 is within the bound of 512 ranges, 2000 is not; memory stays bounded, and the connection goes on. */
	tcp_sk(r->c->s)->rcv_wnd = 65535 << 4;
	for (unsigned i = 0; i < 2000; i++) {
		in(r, A, 3 + 2 * i, 1, 1);
		rig_drop(r);
	}
	assert_true(tcp_sk(r->c->s)->ooo_count <= TCP_OOO_RANGES);
	assert_true(rig_counter(r, MIB_TcpExt_TCPOFODrop) > 0);
	for (unsigned i = 0; i < 3; i++) {
		in(r, A, 1 + 1400 * i, 1, 1400);
		rig_drop(r);
	}
	sbox_expect(r->c, 0, 4200);
	rig_free(r);
}

static void super_segment_in(void **state)
{
	struct rig *r = rig_passive(&plain);

	in_ex(r, &(struct in){.flags = A, .seq = 1, .ack = 1, .len = 28960, .gso_size = 1448});
	expect(r, A, 1, 28961, 0); /* one ACK for all */
	sbox_expect(r->c, 0, 28960);
	assert_int_equal(tcp_sk(r->c->s)->ack.rcv_mss, 1448);
	rig_free(r);
}

/* ---- acknowledging ---- */

static void delayed_ack(void **state)
{
	struct rig *r = rig_passive(&plain);

	for (unsigned i = 0; i < 60; i++)
		in(r, A, 1 + 1000 * i, 1, 1000);
	sbox_expect(r->c, 0, 60000);
	rig_drop(r);
	assert_int_equal(tcp_sk(r->c->s)->ack.quick, 0);
	pass(r, 5);
	in(r, A, 60001, 1, 100);
	expect_none(r);
	pass(r, 39);
	expect_none(r);
	pass(r, 3);
	expect(r, A, 1, 60101, 0);
	assert_int_equal(rig_counter(r, MIB_TcpExt_DelayedACKs), 1);
	/* More than one full segment is acknowledged at once. */
	in(r, A, 60101, 1, 1000);
	expect_none(r);
	in(r, A, 61101, 1, 1000);
	expect(r, A, 1, 62101, 0);
	rig_free(r);
}

static void ack_rides_on_data(void **state)
{
	struct rig *r = rig_passive(&plain);

	tcp_sk(r->c->s)->ack.ato_ms = 40;
	tcp_sk(r->c->s)->ack.quick = 0;
	in(r, A | P, 1, 1, 100);
	expect_none(r);
	sbox_pattern(r->c, 0, 50);
	expect(r, A | P, 1, 101, 50);
	pass(r, 100);
	in(r, A, 101, 51, 0);
	pass(r, 1000);
	expect_none(r);
	rig_free(r);
}

static void quickack_option(void **state)
{
	struct rig *r = rig_passive(&plain);

	assert_int_equal(sbox_opt(r->c, TCP_QUICKACK, 0), 0);
	in(r, A | P, 1, 1, 10);
	expect_none(r);
	assert_int_equal(sbox_opt(r->c, TCP_QUICKACK, 1), 0);
	expect(r, A, 1, 11, 0);
	rig_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_order),
		cmocka_unit_test(out_of_order_sack),
		cmocka_unit_test(sack_at_most_three),
		cmocka_unit_test(no_sack_without_agreement),
		cmocka_unit_test(dsack_below),
		cmocka_unit_test(dsack_above),
		cmocka_unit_test(dsack_off),
		cmocka_unit_test(overlaps),
		cmocka_unit_test(fin_out_of_order),
		cmocka_unit_test(bare_fin_out_of_order),
		cmocka_unit_test(data_behind_fin),
		cmocka_unit_test(many_holes_are_bounded),
		cmocka_unit_test(super_segment_in),
		cmocka_unit_test(delayed_ack),
		cmocka_unit_test(ack_rides_on_data),
		cmocka_unit_test(quickack_option),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
