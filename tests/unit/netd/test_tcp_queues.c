/* The SYN queue and the accept queue: what is sent again, what overflows, cookies. */
#include "rig.h"

#include <arpa/inet.h>

static const struct rig_opts plain;

/* ---- the SYN queue ---- */

static void syn_ack_retransmission(void **state)
{
	struct rig *r = rig_half_open(&plain);
	static const unsigned at[] = {0, 1000, 3000, 7000, 15000, 31000};
	struct tcp_counts n;

	pass(r, 200000);
	assert_int_equal(rig_count(r), ARRAY_SIZE(at));
	for (unsigned i = 0; i < ARRAY_SIZE(at); i++) {
		struct pk *k = out(r);

		assert_int_equal(k->flags, S | A);
		assert_in_range(k->at_ms, at[i], at[i] + 3);
		free(k);
	}
	tcp_count(r->w->a, &n);
	assert_int_equal(n.requests, 0);
	rig_free(r);
}

static void syn_again(void **state)
{
	struct rig *r = rig_half_open(&plain);

	expect(r, S | A, 0, 1, 0);
	in(r, S, 0, 0, 0);
	expect(r, S | A, 0, 1, 0);
	/* Often is no use to anybody. */
	in(r, S, 0, 0, 0);
	expect_none(r);
	in(r, A, 1, 1, 0);
	r->c = sbox_accept(r->l);
	assert_non_null(r->c);
	rig_free(r);
}

static void request_bad_ack(void **state)
{
	struct rig *r = rig_half_open(&plain);

	expect(r, S | A, 0, 1, 0);
	in(r, A, 1, 2, 0);
	expect(r, R, 2, 0, 0);
	in(r, A, 1, 0, 0);
	expect(r, R, 0, 0, 0);
	in(r, A, 1, 1, 0);
	r->c = sbox_accept(r->l);
	assert_non_null(r->c);
	rig_free(r);
}

static void request_reset(void **state)
{
	struct rig *r = rig_half_open(&plain);
	struct tcp_counts n;

	free(out(r));
	in(r, R, 50, 0, 0); /* not the next one */
	tcp_count(r->w->a, &n);
	assert_int_equal(n.requests, 1);
	in(r, R, 1, 0, 0);
	tcp_count(r->w->a, &n);
	assert_int_equal(n.requests, 0);
	expect_none(r);
	rig_free(r);
}

static void data_with_third_ack(void **state)
{
	struct rig *r = rig_half_open(&plain);

	free(out(r));
	in(r, A | P, 1, 1, 200);
	r->c = sbox_accept(r->l);
	assert_non_null(r->c);
	sbox_expect(r->c, 0, 200);
	rig_free(r);
}

/* The ACK is lost, the first data comes instead; and a FIN with it. */
static void data_and_fin_instead_of_ack(void **state)
{
	struct rig *r = rig_half_open(&plain);

	free(out(r));
	in(r, A | P | F, 1, 1, 10);
	r->c = sbox_accept(r->l);
	assert_int_equal(sbox_state(r->c), TCP_CLOSE_WAIT);
	sbox_expect(r->c, 0, 10);
	assert_true(bytering_finished(&r->c->rd));
	rig_free(r);
}

static void defer_accept(void **state)
{
	struct rig *r = rig_new(&plain);

	r->l = sbox_listen(r->w->a, "0.0.0.0", 80, 5);
	assert_int_equal(sbox_opt(r->l, TCP_DEFER_ACCEPT, 5), 0);
	in(r, S, 0, 0, 0);
	free(out(r));
	in(r, A, 1, 1, 0);
	assert_null(sbox_accept(r->l));
	in(r, A | P, 1, 1, 3);
	r->c = sbox_accept(r->l);
	assert_non_null(r->c);
	sbox_expect(r->c, 0, 3);
	rig_free(r);
}

static void backlog_overflow(void **state)
{
	struct rig *r = rig_new(&(struct rig_opts){.backlog = 1});
	struct sbox *c[3] = {0};
	struct pk *k[4];

	r->l = sbox_listen(r->w->a, "0.0.0.0", 80, 1);
	/* Of a backlog of n Linux queues n + 1. */
	for (unsigned i = 0; i < 2; i++) {
		syn_from(r, (uint16_t)(9000 + i));
		k[i] = out(r);
		ack_from(r, (uint16_t)(9000 + i), k[i]);
		free(k[i]);
	}
	assert_int_equal(tcp_sk(r->l->s)->accept_count, 2);
	/* Now even SYNs are not answered. */
	syn_from(r, 9002);
	expect_none(r);
	assert_int_equal(rig_counter(r, MIB_TcpExt_ListenOverflows), 1);
	c[0] = sbox_accept(r->l);
	c[1] = sbox_accept(r->l);
	assert_non_null(c[1]);
	syn_from(r, 9002);
	assert_false(rig_none(r));
	sbox_free(c[0]);
	sbox_free(c[1]);
	rig_free(r);
}

static void overflow_at_third_ack(int64_t abort)
{
	struct rig *r = rig_new(&(struct rig_opts){.backlog = 1});
	struct pk *k[3];

	net_sysctl_set(r->w->a, NET_SYSCTL_TCP_ABORT_ON_OVERFLOW, abort);
	r->l = sbox_listen(r->w->a, "0.0.0.0", 80, 8);
	for (unsigned i = 0; i < 3; i++) {
		syn_from(r, (uint16_t)(9000 + i));
		k[i] = out(r);
	}
	r->l->s->ops->listen(r->l->s, 1);
	for (unsigned i = 0; i < 3; i++)
		ack_from(r, (uint16_t)(9000 + i), k[i]);
	assert_int_equal(tcp_sk(r->l->s)->accept_count, 2);
	if (abort) {
		struct pk *rst = out(r);

		assert_int_equal(rst->flags, R);
		free(rst);
	} else {
		expect_none(r);
		/* Room comes, and the peer's next segment brings it in. */
		r->c = sbox_accept(r->l);
		ack_from(r, 9002, k[2]);
		assert_int_equal(tcp_sk(r->l->s)->accept_count, 2);
	}
	for (unsigned i = 0; i < 3; i++)
		free(k[i]);
	rig_free(r);
}

static void overflow_drops(void **state)
{
	overflow_at_third_ack(0);
}

static void overflow_aborts(void **state)
{
	overflow_at_third_ack(1);
}

static void somaxconn(void **state)
{
	struct rig *r = rig_new(&plain);

	net_sysctl_set(r->w->a, NET_SYSCTL_SOMAXCONN, 7);
	r->l = sbox_listen(r->w->a, "0.0.0.0", 80, 4000);
	assert_int_equal(tcp_sk(r->l->s)->backlog, 7);
	r->l->s->ops->listen(r->l->s, -1);
	assert_int_equal(tcp_sk(r->l->s)->backlog, 7);
	rig_free(r);
}

static void cookies(void **state)
{
	struct rig *r = rig_new(&(struct rig_opts){.backlog = 2});
	struct tcp_counts n;
	static const uint8_t opt[] = {2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 1, 0, 0, 0, 0, 0, 1, 3, 3, 9};
	struct pk *k;

	r->l = sbox_listen(r->w->a, "0.0.0.0", 80, 4);
	for (unsigned i = 0; i < 100; i++) {
		syn_from(r, (uint16_t)(10000 + i));
		if (i < 99)
			rig_drop(r);
	}
	rig_drop(r);
	tcp_count(r->w->a, &n);
	assert_int_equal(n.requests, 4);
	assert_int_equal(rig_counter(r, MIB_TcpExt_SyncookiesSent), 96);
	/* One of them was real. */
	in_ex(r, &(struct in){.flags = S, .sport = htons(20000), .raw_opts = true, .opts = opt,
			      .opts_size = sizeof(opt)});
	k = out(r);
	assert_true(k->o.sack_perm && k->o.wscale_ok && k->o.ts_ok);
	tcp_count(r->w->a, &n);
	assert_int_equal(n.requests, 4);
	pass(r, 20);
	rig_drop(r);
	/* With a wrong number, from the wrong port: nothing. */
	in_ex(r, &(struct in){.flags = A, .seq = r->irs + 1, .ack = k->raw_seq + 2, .raw_seq = true,
			      .sport = htons(20000), .tsecr = k->o.tsval});
	in_ex(r, &(struct in){.flags = A, .seq = r->irs + 1, .ack = k->raw_seq + 1, .raw_seq = true,
			      .sport = htons(20001), .tsecr = k->o.tsval});
	assert_int_equal(rig_counter(r, MIB_TcpExt_SyncookiesFailed), 2);
	assert_int_equal(rig_count(r), 2);
	rig_drop(r);
	in_ex(r, &(struct in){.flags = A | P, .seq = r->irs + 1, .ack = k->raw_seq + 1, .raw_seq = true, .len = 10,
			      .data = "0123456789", .sport = htons(20000), .tsecr = k->o.tsval});
	r->c = sbox_accept(r->l);
	assert_non_null(r->c);
	assert_int_equal(bytering_avail(&r->c->rd), 10);
	assert_int_equal(tcp_sk(r->c->s)->mss_clamp, 1460);
	assert_int_equal(tcp_sk(r->c->s)->snd_wscale, 9);
	assert_true(tcp_sk(r->c->s)->sack_ok);
	free(k);
	rig_free(r);
}

static void cookies_expire(void **state)
{
	struct rig *r = rig_new(&plain);
	struct pk *k;

	net_sysctl_set(r->w->a, NET_SYSCTL_TCP_SYNCOOKIES, 2);
	r->l = sbox_listen(r->w->a, "0.0.0.0", 80, 4);
	syn_from(r, 20000);
	k = out(r);
	pass(r, 130000);
	ack_from(r, 20000, k);
	assert_null(sbox_accept(r->l));
	free(k);
	rig_free(r);
}

static void no_cookies_drops(void **state)
{
	struct rig *r = rig_new(&plain);

	net_sysctl_set(r->w->a, NET_SYSCTL_TCP_SYNCOOKIES, 0);
	r->l = sbox_listen(r->w->a, "0.0.0.0", 80, 2);
	for (unsigned i = 0; i < 10; i++)
		syn_from(r, (uint16_t)(10000 + i));
	assert_int_equal(rig_count(r), 2);
	assert_int_equal(rig_counter(r, MIB_TcpExt_TCPReqQFullDrop), 8);
	rig_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(syn_ack_retransmission),
		cmocka_unit_test(syn_again),
		cmocka_unit_test(request_bad_ack),
		cmocka_unit_test(request_reset),
		cmocka_unit_test(data_with_third_ack),
		cmocka_unit_test(data_and_fin_instead_of_ack),
		cmocka_unit_test(defer_accept),
		cmocka_unit_test(backlog_overflow),
		cmocka_unit_test(overflow_drops),
		cmocka_unit_test(overflow_aborts),
		cmocka_unit_test(somaxconn),
		cmocka_unit_test(cookies),
		cmocka_unit_test(cookies_expire),
		cmocka_unit_test(no_cookies_drops),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
