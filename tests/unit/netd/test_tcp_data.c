/* Data both ways on a sound path: order, overlaps, windows, when to acknowledge, when to send. */
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

/* ---- the receive window ---- */

static void window_closes_and_opens(void **state)
{
	struct rig *r = rig_passive(&(struct rig_opts){.rx = 16384, .no_wscale = true});
	uint32_t pos = 1;
	struct pk *k = NULL;
	uint8_t buf[16384];

	while (pos < 16385) {
		uint32_t n = MIN(1448u, 16385 - pos);

		in(r, A, pos, 1, n);
		pos += n;
	}
	pass(r, 300);
	while (!rig_none(r)) {
		free(k);
		k = out(r);
	}
	assert_int_equal(k->ack, 16385);
	assert_int_equal(k->win, 0);
	free(k);
	/* A probe is answered, and its byte is not taken. */
	in(r, A, 16385, 1, 1);
	k = out(r);
	assert_true(k->ack == 16385 && k->win == 0);
	free(k);
	/* A few bytes read are no reason to open. */
	assert_int_equal(sbox_read(r->c, buf, 100), 100);
	pass(r, 10);
	expect_none(r);
	assert_int_equal(sbox_read(r->c, buf, 10000), 10000);
	k = out(r);
	assert_true(k->win >= 8000 && k->win <= 10100);
	free(k);
	rig_free(r);
}

static void window_is_never_taken_back(void **state)
{
	struct rig *r = rig_passive(&(struct rig_opts){.rx = 65536});
	struct tcp_sock *tp = tcp_sk(r->c->s);
	uint32_t right = tp->rcv_wup + tp->rcv_wnd, pos = 1;

	for (unsigned i = 0; i < 45; i++) {
		in(r, A, pos, 1, 1001);
		pos += 1001;
		while (!rig_none(r)) {
			struct pk *k = out(r);
			uint32_t now = k->raw_ack + ((uint32_t)k->win << r->peer_wscale);

			/* but for the rounding of the scale */
			assert_true((int32_t)(now - right) > -128);
			right = now;
			free(k);
		}
	}
	rig_free(r);
}

static void beyond_the_window(void **state)
{
	struct rig *r = rig_passive(&(struct rig_opts){.rx = 16384, .no_wscale = true});
	struct tcp_sock *tp = tcp_sk(r->c->s);
	uint32_t end = 1 + tp->rcv_wnd;

	/* Beyond: an ACK, and not kept. */
	in(r, A, end + 100, 1, 100);
	expect(r, A, 1, 1, 0);
	assert_int_equal(tp->ooo_count, 0);
	/* Across the edge: what fits. */
	in(r, A, 1, 1, 1400);
	rig_drop(r);
	rig_free(r);
}

static void window_scaled_in_answers(void **state)
{
	struct rig *r = rig_passive(&(struct rig_opts){.rx = 1 << 20});
	struct pk *k;

	in(r, A, 1, 1, 1000);
	k = out(r);
	assert_int_equal(r->peer_wscale, 7);
	assert_in_range((uint32_t)k->win << 7, (1 << 20) - 3000, 1 << 20);
	free(k);
	rig_free(r);
}

static void window_clamp(void **state)
{
	struct rig *r = rig_passive(&(struct rig_opts){.rx = 1 << 20});
	struct pk *k = NULL;

	sbox_opt(r->c, TCP_WINDOW_CLAMP, 20000);
	for (unsigned i = 0; i < 80; i++) {
		in(r, A, 1 + 1000 * i, 1, 1000);
		while (!rig_none(r)) {
			free(k);
			k = out(r);
		}
	}
	assert_true(((uint32_t)k->win << 7) <= 20000);
	free(k);
	rig_free(r);
}

static void asks_for_larger_ring(void **state)
{
	struct rig *r = rig_passive(&(struct rig_opts){.rx = 65536});
	uint8_t buf[4096];
	uint32_t pos = 1;

	for (unsigned i = 0; i < 600; i++) {
		in(r, A, pos, 1, 1448);
		pos += 1448;
		while (sbox_read(r->c, buf, sizeof(buf)))
			;
		if (i % 10 == 9)
			pass(r, 10);
		rig_drop(r);
	}
	assert_true(tcp_sk(r->c->s)->rcv_rtt_us > 0);
	assert_true(r->c->want_rx > 65536 || tcp_sk(r->c->s)->rcvq.space > 14480);
	rig_free(r);
}

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

/* ---- numbers ---- */

static void sequence_numbers_wrap(void **state)
{
	struct rig *r = rig_new(&plain);
	uint32_t pos = 1;
	uint8_t buf[2000];

	r->irs = 0xfffff000;
	r->l = sbox_listen(r->w->a, "0.0.0.0", 80, 5);
	in(r, S, 0, 0, 0);
	free(out(r));
	in(r, A, 1, 1, 0);
	r->c = sbox_accept(r->l);
	for (unsigned i = 0; i < 20; i++) {
		in(r, A, pos + 1000, 1, 1000);
		in(r, A, pos, 1, 1000);
		rig_drop(r);
		sbox_expect(r->c, pos - 1, 2000);
		pos += 2000;
	}
	(void)buf;
	rig_free(r);
}

static void info(void **state)
{
	struct rig *r = rig_passive(&plain);
	struct tcp_info_abi i;

	net_sysctl_set(r->w->a, NET_SYSCTL_TCP_EARLY_RETRANS, 0);
	pass(r, 100);
	sbox_pattern(r->c, 0, 2000);
	pass(r, 30);
	in(r, A, 1, 1449, 0);
	in(r, A, 1, 1449, 500);
	sbox_info(r->c, &i);
	assert_int_equal(i.state, TCP_ESTABLISHED);
	assert_int_equal(i.options & 7, 7);
	assert_int_equal(i.wscale, 7 | 7 << 4);
	assert_int_equal(i.snd_mss, 1448);
	assert_int_equal(i.advmss, 1460);
	assert_int_equal(i.pmtu, 1500);
	assert_int_equal(i.unacked, 1);
	assert_int_equal(i.bytes_sent, 2000);
	assert_int_equal(i.bytes_acked, 1448);
	assert_int_equal(i.bytes_received, 500);
	assert_int_equal(i.data_segs_out, 2);
	assert_int_equal(i.snd_wnd, 60000 << 7);
	assert_in_range(i.rtt, 1000, 31000);
	assert_int_equal(i.rto, 200000 + (i.rtt + 999) / 1000 * 1000);
	assert_in_range(i.last_data_sent, 30, 31);
	assert_in_range(i.busy_time, 30000, 31000);
	rig_free(r);
}

static void idle_connection_is_small(void **state)
{
	assert_true(sizeof(struct tcp_sock) < 2048);
	assert_true(sizeof(struct tcp_req) < 320);
	assert_true(sizeof(struct tcp_tw) < 256);
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
		cmocka_unit_test(window_closes_and_opens),
		cmocka_unit_test(window_is_never_taken_back),
		cmocka_unit_test(beyond_the_window),
		cmocka_unit_test(window_scaled_in_answers),
		cmocka_unit_test(window_clamp),
		cmocka_unit_test(asks_for_larger_ring),
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
		cmocka_unit_test(sequence_numbers_wrap),
		cmocka_unit_test(info),
		cmocka_unit_test(idle_connection_is_small),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
