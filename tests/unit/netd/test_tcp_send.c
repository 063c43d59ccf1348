/* Data that goes out on a sound path: segments, Nagle, corks, the peer's window, urgent data. */
#include "rig.h"

#include <arpa/inet.h>

static const struct rig_opts plain;

/* ---- sending ---- */

static void segments(void **state)
{
	struct rig *r = rig_passive(&plain);

	assert_int_equal(sbox_pattern(r->c, 0, 3000), 3000);
	expect(r, A, 1, 1, 1448);
	expect(r, A, 1449, 1, 1448);
	expect(r, A | P, 2897, 1, 104);
	in(r, A, 1, 3001, 0);
	assert_int_equal(tcp_sk(r->c->s)->packets_out, 0);
	rig_free(r);
}

static void initial_window(void **state)
{
	struct rig *r = rig_passive(&plain);

	sbox_pattern(r->c, 0, 100000);
	assert_int_equal(rig_count(r), 10); /* RFC 6928 */
	rig_drop(r);
	in(r, A, 1, 1 + 2 * 1448, 0);
	assert_int_equal(rig_count(r), 4);
	rig_free(r);
}

static void super_segments(void **state)
{
	struct rig *r = rig_passive(&(struct rig_opts){.features = NETIF_F_CSUM | NETIF_F_TSO});
	struct pk *k;

	sbox_pattern(r->c, 0, 100000);
	k = out(r);
	assert_int_equal(k->len, 14480);
	assert_int_equal(k->gso_size, 1448);
	for (unsigned i = 0; i < k->len; i++)
		assert_int_equal(k->data[i], rig_byte(i));
	free(k);
	expect_none(r);
	assert_int_equal(tcp_sk(r->c->s)->packets_out, 10);
	/* A part of it is acknowledged. */
	in(r, A, 1, 1 + 3000, 0);
	assert_int_equal(tcp_in_flight(tcp_sk(r->c->s)), tcp_sk(r->c->s)->packets_out);
	k = out(r);
	assert_int_equal(k->seq, 14481);
	assert_int_equal(k->len % 1448, 0);
	free(k);
	rig_free(r);
}

static void nagle(void **state)
{
	struct rig *r = rig_passive(&plain);

	sbox_pattern(r->c, 0, 10);
	expect(r, A | P, 1, 1, 10);
	sbox_pattern(r->c, 10, 10);
	sbox_pattern(r->c, 20, 10);
	expect_none(r);
	in(r, A, 1, 11, 0);
	expect(r, A | P, 11, 1, 20);
	sbox_pattern(r->c, 30, 1448 + 5); /* full segments go */
	expect(r, A, 31, 1, 1448);
	expect_none(r);
	in(r, A, 1, 31 + 1448, 0);
	expect(r, A | P, 31 + 1448, 1, 5);
	rig_free(r);
}

static void nodelay(void **state)
{
	struct rig *r = rig_passive(&plain);

	sbox_pattern(r->c, 0, 10);
	sbox_pattern(r->c, 10, 10);
	free(out(r));
	expect_none(r);
	/* Set later, it pushes what waits. */
	sbox_opt(r->c, TCP_NODELAY, 1);
	expect(r, A | P, 11, 1, 10);
	sbox_pattern(r->c, 20, 10);
	expect(r, A | P, 21, 1, 10);
	rig_free(r);
}

static void cork(void **state)
{
	struct rig *r = rig_passive(&plain);

	sbox_opt(r->c, TCP_CORK, 1);
	sbox_pattern(r->c, 0, 100);
	expect_none(r);
	sbox_pattern(r->c, 100, 1400);
	expect(r, A, 1, 1, 1448);
	sbox_opt(r->c, TCP_CORK, 0);
	expect(r, A | P, 1449, 1, 52);
	rig_free(r);
}

static void cork_lasts_200_ms(void **state)
{
	struct rig *r = rig_passive(&plain);

	sbox_opt(r->c, TCP_CORK, 1);
	sbox_pattern(r->c, 0, 100);
	pass(r, 195);
	expect_none(r);
	pass(r, 10);
	expect(r, A | P, 1, 1, 100);
	rig_free(r);
}

static void msg_more(void **state)
{
	struct rig *r = rig_passive(&plain);

	sbox_put(r->c, "abc", 3);
	r->c->s->ops->tx_ready(r->c->s, true);
	expect_none(r);
	sbox_write(r->c, "def", 3);
	expect(r, A | P, 1, 1, 6);
	rig_free(r);
}

static void peer_window_limits(void **state)
{
	struct rig *r = rig_passive(&(struct rig_opts){.no_wscale = true, .win = 2000});

	sbox_pattern(r->c, 0, 10000);
	/* The window is smaller than twice a segment: half of it is the most that is sent at a time. */
	assert_true(rig_count(r) >= 1);
	{
		uint32_t sum = 0;

		while (!rig_none(r)) {
			struct pk *k = out(r);

			sum = k->seq + k->len - 1;
			free(k);
		}
		assert_true(sum <= 2000);
	}
	rig_free(r);
}

static void zero_window_probes(void **state)
{
	struct rig *r = rig_passive(&plain);
	uint64_t last;
	struct pk *k;
	static const unsigned gaps[] = {0, 400, 800, 1600, 3200};

	r->win = 0;
	in(r, A, 1, 1, 0);
	sbox_pattern(r->c, 0, 5000);
	expect_none(r);
	last = (r->w->now_ns - r->begin_ns) / 1000000;
	for (unsigned i = 0; i < ARRAY_SIZE(gaps); i++) {
		uint64_t before = last;

		pass(r, 5000);
		k = out(r);
		assert_int_equal(k->seq, 0); /* one below snd_una, without data */
		assert_int_equal(k->len, 0);
		last = k->at_ms;
		if (i)
			assert_in_range(last - before, gaps[i] - 1, gaps[i] * 101 / 100 + 5);
		free(k);
		while (!rig_none(r)) {
			/* later ones of the same wait */
			k = r->first;
			if (i + 1 < ARRAY_SIZE(gaps) && k->at_ms > last)
				break;
			free(out(r));
		}
		if (!rig_none(r)) {
			uint64_t back = (r->w->now_ns - r->begin_ns) / 1000000;

			(void)back;
		}
	}
	rig_drop(r);
	r->win = 60000;
	in(r, A, 1, 1, 0);
	expect(r, A, 1, 1, 1448);
	rig_free(r);
}

static void probes_without_end_while_answered(void **state)
{
	struct rig *r = rig_passive(&plain);

	r->win = 0;
	in(r, A, 1, 1, 0);
	sbox_pattern(r->c, 0, 5000);
	for (unsigned i = 0; i < 40; i++) {
		pass(r, 120000);
		rig_drop(r);
		in(r, A, 1, 1, 0);
	}
	assert_int_equal(sbox_state(r->c), TCP_ESTABLISHED);
	assert_true(rig_counter(r, MIB_TcpExt_TCPWinProbe) >= 30);
	rig_free(r);
}

static void probes_unanswered_end(void **state)
{
	struct rig *r = rig_passive(&plain);

	r->win = 0;
	in(r, A, 1, 1, 0);
	sbox_pattern(r->c, 0, 5000);
	pass(r, 3600000);
	assert_int_equal(sbox_state(r->c), TCP_CLOSE);
	assert_int_equal(nsock_take_error(r->c->s), ETIMEDOUT);
	rig_free(r);
}

static void silly_window(void **state)
{
	struct rig *r = rig_passive(&(struct rig_opts){.no_wscale = true, .win = 14600});

	sbox_pattern(r->c, 0, 100000);
	rig_drop(r);
	r->win = 100;
	in(r, A, 1, 1 + 14480, 0);
	/* 100 bytes of window are not worth a segment; after a while they are. */
	expect_none(r);
	pass(r, 300);
	expect(r, A | P, 14481, 1, 100);
	rig_free(r);
}

static void window_shrinks(void **state)
{
	struct rig *r = rig_passive(&(struct rig_opts){.no_wscale = true, .win = 14600});

	sbox_pattern(r->c, 0, 14000);
	rig_drop(r);
	r->win = 100;
	in(r, A, 1, 1449, 0);
	/* What was sent is beyond the window now: nothing new; the retransmission serves as probe. */
	expect_none(r);
	pass(r, 1000);
	assert_false(rig_none(r));
	{
		struct pk *k = out(r);

		assert_true(k->seq == 1449 || k->seq > 10000);
		free(k);
	}
	rig_free(r);
}

static void write_space_event(void **state)
{
	struct rig *r = rig_passive(&(struct rig_opts){.tx = 16384});

	assert_int_equal(sbox_pattern(r->c, 0, 100000), 16384);
	r->c->events = 0;
	assert_false(r->c->s->ops->poll(r->c->s) & NSOCK_OUT);
	in(r, A, 1, 1449, 0);
	assert_false(r->c->events & NSOCK_OUT);
	in(r, A, 1, 1 + 1448 * 5, 0);
	assert_true(r->c->events & NSOCK_OUT);
	assert_true(r->c->s->ops->poll(r->c->s) & NSOCK_OUT);
	rig_free(r);
}

static void notsent_lowat(void **state)
{
	struct rig *r = rig_passive(&plain);

	sbox_opt(r->c, 25, 20000);
	sbox_pattern(r->c, 0, 60000);
	assert_false(r->c->s->ops->poll(r->c->s) & NSOCK_OUT);
	r->c->events = 0;
	rig_drop(r);
	in(r, A, 1, 1 + 14480, 0);
	assert_true(r->c->events & NSOCK_OUT);
	rig_free(r);
}

/* ---- urgent data ---- */

static void urgent_in(void **state)
{
	struct rig *r = rig_passive(&plain);
	uint64_t pos;
	bool here;

	assert_false(tcp_urgent(r->c->s, &pos, &here));
	in_ex(r, &(struct in){.flags = A | U, .seq = 1, .ack = 1, .len = 10, .urg = 10});
	assert_true(r->c->events & NSOCK_PRI);
	assert_true(tcp_urgent(r->c->s, &pos, &here));
	assert_int_equal(pos, 9);
	assert_true(here);
	assert_true(r->c->s->ops->poll(r->c->s) & NSOCK_PRI);
	/* Announced, not there yet. */
	in_ex(r, &(struct in){.flags = A | U, .seq = 11, .ack = 1, .len = 10, .urg = 30});
	assert_true(tcp_urgent(r->c->s, &pos, &here));
	assert_int_equal(pos, 10 + 29);
	assert_false(here);
	in(r, A, 21, 1, 50);
	assert_true(tcp_urgent(r->c->s, &pos, &here));
	assert_true(here && pos == 39);
	rig_free(r);
}

static void urgent_out(void **state)
{
	struct rig *r = rig_passive(&plain);
	struct pk *k;

	sbox_put(r->c, "abc!", 4);
	r->c->s->ops->tx_urgent(r->c->s);
	r->c->s->ops->tx_ready(r->c->s, false);
	k = out(r);
	assert_int_equal(k->flags, A | P | U);
	assert_int_equal(k->urg, 4); /* behind the urgent byte */
	free(k);
	in(r, A, 1, 5, 0);
	sbox_pattern(r->c, 4, 10);
	expect(r, A | P, 5, 1, 10);
	rig_free(r);
}

static void urgent_goes_through_zero_window(void **state)
{
	struct rig *r = rig_passive(&plain);
	struct pk *k;

	r->win = 0;
	in(r, A, 1, 1, 0);
	sbox_put(r->c, "!", 1);
	r->c->s->ops->tx_urgent(r->c->s);
	r->c->s->ops->tx_ready(r->c->s, false);
	pass(r, 300);
	k = out(r);
	assert_true(k->flags & U);
	assert_int_equal(k->len, 0);
	free(k);
	rig_free(r);
}

/* The pointer is relative to each segment, so a super-segment cannot carry it. */
static void urgent_is_not_merged(void **state)
{
	struct rig *r = rig_passive(&(struct rig_opts){.features = NETIF_F_CSUM | NETIF_F_TSO});
	uint8_t data[5000] = {0};

	sbox_put(r->c, data, sizeof(data));
	r->c->s->ops->tx_urgent(r->c->s);
	r->c->s->ops->tx_ready(r->c->s, false);
	assert_int_equal(rig_count(r), 4);
	while (!rig_none(r)) {
		struct pk *k = out(r);

		assert_true(k->flags & U);
		assert_int_equal(k->gso_size, 0);
		assert_int_equal(k->seq + k->urg, 5001);
		free(k);
	}
	rig_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(segments),
		cmocka_unit_test(initial_window),
		cmocka_unit_test(super_segments),
		cmocka_unit_test(nagle),
		cmocka_unit_test(nodelay),
		cmocka_unit_test(cork),
		cmocka_unit_test(cork_lasts_200_ms),
		cmocka_unit_test(msg_more),
		cmocka_unit_test(peer_window_limits),
		cmocka_unit_test(zero_window_probes),
		cmocka_unit_test(probes_without_end_while_answered),
		cmocka_unit_test(probes_unanswered_end),
		cmocka_unit_test(silly_window),
		cmocka_unit_test(window_shrinks),
		cmocka_unit_test(write_space_event),
		cmocka_unit_test(notsent_lowat),
		cmocka_unit_test(urgent_in),
		cmocka_unit_test(urgent_out),
		cmocka_unit_test(urgent_goes_through_zero_window),
		cmocka_unit_test(urgent_is_not_merged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
