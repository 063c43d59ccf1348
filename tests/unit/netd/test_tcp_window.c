/* The receive window: closing, opening, scaling; sequence numbers that wrap, and what TCP_INFO says. */
#include "rig.h"

#include <arpa/inet.h>

static const struct rig_opts plain;

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
		cmocka_unit_test(window_closes_and_opens),
		cmocka_unit_test(window_is_never_taken_back),
		cmocka_unit_test(beyond_the_window),
		cmocka_unit_test(window_scaled_in_answers),
		cmocka_unit_test(window_clamp),
		cmocka_unit_test(asks_for_larger_ring),
		cmocka_unit_test(sequence_numbers_wrap),
		cmocka_unit_test(info),
		cmocka_unit_test(idle_connection_is_small),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
