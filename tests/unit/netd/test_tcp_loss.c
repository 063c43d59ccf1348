/* Loss and what is done about it: time-outs, fast retransmit, SACK, RACK, TLP, undo, congestion control, ECN, path MTU. */
#include "rig.h"

#include <arpa/inet.h>

static const struct rig_opts plain;
#define MSS 1448u

/* A connection with a round trip of 100 ms known, and 10 segments of 1448 bytes under way. */
static struct rig *flight(const struct rig_opts *o)
{
	struct rig *r = rig_passive(o);

	sbox_pattern(r->c, 0, 1000);
	pass(r, 100);
	while (!rig_none(r))
		free(out(r));
	in(r, A, 1, 1001, 0);
	/* The first sample had none of the 100 ms; let the estimate settle. */
	for (unsigned i = 0; i < 20; i++) {
		sbox_pattern(r->c, 1000 + i, 1);
		pass(r, 100);
		rig_drop(r);
		in(r, A, 1, 1002 + i, 0);
	}
	tcp_sk(r->c->s)->snd_cwnd = 10;
	tcp_sk(r->c->s)->ssthresh = INT32_MAX;
	tcp_sk(r->c->s)->reord_seen = 0;
	tcp_sk(r->c->s)->min_rtt_us = 100000;
	sbox_pattern(r->c, 1020, 10 * MSS);
	pass(r, 0);
	return r;
}
#define BASE 1021u /* sequence number of the flight's first byte */

static struct tcp_range seg(unsigned from, unsigned to) /* segments [from, to) of the flight */
{
	return (struct tcp_range){BASE + from * MSS, BASE + to * MSS};
}

static void rto_and_backoff(void **state)
{
	struct rig *r = rig_passive(&(struct rig_opts){.no_sack = true});
	uint64_t last = 0, gap = 0;

	sbox_pattern(r->c, 0, 100);
	free(out(r));
	for (unsigned i = 0; i < 6; i++) {
		struct pk *k;

		pass(r, 20000);
		k = out(r);
		assert_true(k->seq == 1 && k->len == 100);
		if (i == 0)
			assert_in_range(k->at_ms, 199, 205);
		if (i > 1)
			assert_in_range(k->at_ms - last, gap * 2 - 3, gap * 2 + 3);
		gap = k->at_ms - last;
		last = k->at_ms;
		free(k);
		/* stop at each: put the rest back by dropping only what came at the same time */
		if (i < 5 && rig_none(r))
			pass(r, 20000);
	}
	assert_int_equal(tcp_sk(r->c->s)->ca_state, CA_LOSS);
	in(r, A, 1, 101, 0);
	assert_int_equal(tcp_sk(r->c->s)->backoff, 0);
	assert_int_equal(tcp_sk(r->c->s)->packets_out, 0);
	rig_free(r);
}

static void gives_up(void **state)
{
	struct rig *r = rig_passive(&plain);

	sbox_pattern(r->c, 0, 100);
	pass(r, 900000);
	assert_int_equal(sbox_state(r->c), TCP_ESTABLISHED);
	pass(r, 200000);
	assert_int_equal(sbox_state(r->c), TCP_CLOSE);
	assert_int_equal(nsock_take_error(r->c->s), ETIMEDOUT);
	assert_true(r->c->events & NSOCK_ERR);
	rig_free(r);
}

static void user_timeout(void **state)
{
	struct rig *r = rig_passive(&plain);

	sbox_opt(r->c, TCP_USER_TIMEOUT, 3000);
	sbox_pattern(r->c, 0, 100);
	pass(r, 2900);
	assert_int_equal(sbox_state(r->c), TCP_ESTABLISHED);
	pass(r, 700);
	assert_int_equal(sbox_state(r->c), TCP_CLOSE);
	assert_int_equal(nsock_take_error(r->c->s), ETIMEDOUT);
	rig_free(r);
}

static void soft_error_is_told(void **state)
{
	struct rig *r = rig_passive(&plain);

	sbox_pattern(r->c, 0, 100);
	in_icmp(r, 3, 1, 0, 1);
	assert_int_equal(sbox_state(r->c), TCP_ESTABLISHED);
	pass(r, 2000000);
	assert_int_equal(nsock_take_error(r->c->s), EHOSTUNREACH);
	rig_free(r);
}

static void rto_uses_srtt(void **state)
{
	struct rig *r = flight(&plain);
	struct tcp_info_abi i;

	sbox_info(r->c, &i);
	assert_in_range(i.rtt, 90000, 110000);
	assert_in_range(i.rto, 290000, 340000);
	rig_free(r);
}

static void tail_loss_probe(void **state)
{
	struct rig *r = flight(&plain);
	struct pk *k;

	assert_int_equal(rig_count(r), 10);
	rig_drop(r);
	pass(r, 215);
	/* After two round trips the last segment goes again. */
	k = out(r);
	assert_int_equal(k->seq, BASE + 9 * MSS);
	free(k);
	expect_none(r);
	assert_int_equal(rig_counter(r, MIB_TcpExt_TCPLossProbes) > 0, 1);
	/* It was the last that was lost: repaired, and the window answers. */
	in(r, A, 1, BASE + 9 * MSS, 0);
	in(r, A, 1, BASE + 10 * MSS, 0);
	assert_int_equal(tcp_sk(r->c->s)->packets_out, 0);
	rig_free(r);
}

static void tlp_sends_new_data(void **state)
{
	struct rig *r = flight(&plain);
	struct pk *k;

	rig_drop(r);
	sbox_pattern(r->c, 1020 + 10 * MSS, 2000);
	expect_none(r); /* the window is full */
	pass(r, 215);
	k = out(r);
	assert_int_equal(k->seq, BASE + 10 * MSS);
	free(k);
	rig_free(r);
}

static void tlp_then_sack_recovers(void **state)
{
	struct rig *r = flight(&plain);
	struct tcp_range b;

	rig_drop(r);
	in(r, A, 1, BASE + 5 * MSS, 0);
	rig_drop(r);
	pass(r, 230);
	rig_drop(r);
	/* Segments 5 to 8 were lost, and the probe arrived: RACK finds them. */
	b = seg(9, 10);
	in_sack(r, BASE + 5 * MSS, 1, &b);
	assert_int_equal(tcp_sk(r->c->s)->ca_state, CA_RECOVERY);
	expect(r, A, BASE + 5 * MSS, 1, MSS);
	rig_free(r);
}

static void fast_retransmit_sack(void **state)
{
	struct rig *r = flight(&plain);
	struct tcp_range b;
	struct tcp_sock *tp = tcp_sk(r->c->s);

	rig_drop(r);
	pass(r, 100);
	b = seg(1, 2);
	in_sack(r, BASE, 1, &b);
	b = seg(1, 3);
	in_sack(r, BASE, 1, &b);
	expect_none(r);
	assert_int_equal(tp->ca_state, CA_DISORDER);
	b = seg(1, 4);
	in_sack(r, BASE, 1, &b);
	assert_int_equal(tp->ca_state, CA_RECOVERY);
	expect(r, A, BASE, 1, MSS);
	assert_int_equal(tp->ssthresh, 7); /* CUBIC's 0.7 */
	assert_int_equal(tp->sacked_out, 3);
	assert_int_equal(tp->lost_out, 1);
	assert_int_equal(tp->retrans_out, 1);
	in(r, A, 1, BASE + 10 * MSS, 0);
	assert_int_equal(tp->ca_state, CA_OPEN);
	assert_in_range(tp->snd_cwnd, 7, 8);
	assert_int_equal(rig_counter(r, MIB_TcpExt_TCPSackRecovery), 1);
	rig_free(r);
}

static void fast_retransmit_reno(void **state)
{
	struct rig *r = flight(&(struct rig_opts){.no_sack = true});
	struct tcp_sock *tp = tcp_sk(r->c->s);

	assert_int_equal(r->c->s->ops->setopt(r->c->s, IPPROTO_TCP, TCP_CONGESTION, "reno", 4), 0);
	rig_drop(r);
	pass(r, 100);
	in(r, A, 1, BASE, 0);
	in(r, A, 1, BASE, 0);
	assert_int_equal(tp->ca_state, CA_DISORDER);
	in(r, A, 1, BASE, 0);
	assert_int_equal(tp->ca_state, CA_RECOVERY);
	expect(r, A, BASE, 1, MSS);
	assert_int_equal(tp->ssthresh, 5);
	/* A partial ACK: the next hole at once (RFC 6582). */
	in(r, A, 1, BASE + 3 * MSS, 0);
	expect(r, A, BASE + 3 * MSS, 1, MSS);
	in(r, A, 1, BASE + 10 * MSS, 0);
	in(r, A, 1, BASE + 10 * MSS, 0);
	sbox_pattern(r->c, 1020 + 10 * MSS, 100);
	rig_drop(r);
	in(r, A, 1, BASE + 10 * MSS + 100, 0);
	assert_int_equal(tp->ca_state, CA_OPEN);
	rig_free(r);
}

static void sack_holes_are_filled_in_order(void **state)
{
	struct rig *r = flight(&plain);
	struct tcp_range b[3] = {seg(7, 10), seg(4, 6), seg(2, 3)};
	struct tcp_sock *tp = tcp_sk(r->c->s);

	rig_drop(r);
	pass(r, 100);
	in_sack(r, BASE, 3, b);
	assert_int_equal(tp->ca_state, CA_RECOVERY);
	assert_int_equal(tp->lost_out, 4);
	/* As PRR lets them, the holes in their order. */
	expect(r, A, BASE, 1, MSS);
	while (!rig_none(r))
		free(out(r));
	in_sack(r, BASE + 1 * MSS, 3, b);
	in_sack(r, BASE + 3 * MSS, 2, b);
	in_sack(r, BASE + 6 * MSS, 1, b);
	rig_drop(r);
	in(r, A, 1, BASE + 10 * MSS, 0);
	assert_int_equal(tp->ca_state, CA_OPEN);
	rig_free(r);
}

static void prr_paces(void **state)
{
	struct rig *r = flight(&plain);
	struct tcp_range b;
	unsigned sent = 0;

	rig_drop(r);
	sbox_pattern(r->c, 1020 + 10 * MSS, 100 * MSS);
	expect_none(r);
	pass(r, 100);
	for (unsigned i = 2; i <= 10; i++) {
		b = seg(1, i);
		in_sack(r, BASE, 1, &b);
		sent += rig_count(r);
		rig_drop(r);
	}
	/* Of ten, one lost and nine delivered: seven are sent while the window comes down to seven (RFC 6937). */
	assert_in_range(sent, 6, 8);
	rig_free(r);
}

static void lost_retransmission(void **state)
{
	struct rig *r = flight(&plain);
	struct tcp_range b = seg(1, 5);

	rig_drop(r);
	sbox_pattern(r->c, 1020 + 10 * MSS, 20 * MSS);
	pass(r, 100);
	in_sack(r, BASE, 1, &b);
	free(out(r)); /* the retransmission, which is lost too */
	pass(r, 100);
	b = seg(1, 10);
	in_sack(r, BASE, 1, &b);
	rig_drop(r);
	pass(r, 100);
	/* Something sent after the retransmission arrives: RACK. */
	b = seg(1, 12);
	in_sack(r, BASE, 1, &b);
	pass(r, 60);
	{
		struct pk *k = out(r);

		assert_int_equal(k->seq, BASE);
		free(k);
	}
	assert_true(rig_counter(r, MIB_TcpExt_TCPLostRetransmit) >= 1);
	rig_free(r);
}

static void reordering_is_not_loss(void **state)
{
	struct rig *r = flight(&plain);
	struct tcp_sock *tp = tcp_sk(r->c->s);
	struct tcp_range b;

	tp->min_rtt_us = 100000; /* so that the reordering window is 25 ms */
	tp->reord_seen = 1;
	rig_drop(r);
	pass(r, 100);
	b = seg(1, 6);
	in_sack(r, BASE, 1, &b);
	expect_none(r); /* within the reordering window nothing is lost */
	pass(r, 10);
	in(r, A, 1, BASE + 6 * MSS, 0);
	assert_int_equal(tp->ca_state, CA_OPEN);
	assert_int_equal(rig_counter(r, MIB_Tcp_RetransSegs), 0 + rig_counter(r, MIB_TcpExt_TCPLossProbes));
	rig_free(r);
}

static void reordering_timer(void **state)
{
	struct rig *r = flight(&plain);
	struct tcp_sock *tp = tcp_sk(r->c->s);
	struct tcp_range b;

	tp->min_rtt_us = 100000;
	tp->reord_seen = 1;
	rig_drop(r);
	pass(r, 100);
	b = seg(1, 6);
	in_sack(r, BASE, 1, &b);
	expect_none(r);
	assert_int_equal(tp->pending, PENDING_REO);
	pass(r, 40);
	expect(r, A, BASE, 1, MSS);
	assert_int_equal(tp->ca_state, CA_RECOVERY);
	rig_free(r);
}

static void dsack_undoes(void **state)
{
	struct rig *r = flight(&plain);
	struct tcp_sock *tp = tcp_sk(r->c->s);
	struct tcp_range b[2] = {seg(1, 4)};

	rig_drop(r);
	pass(r, 100);
	in_sack(r, BASE, 1, b);
	expect(r, A, BASE, 1, MSS);
	assert_int_equal(tp->ca_state, CA_RECOVERY);
	/* The original was only late: all arrived, and the retransmission is reported as a duplicate. */
	r->tsval = 0;
	b[0] = seg(0, 1);
	pass(r, 5);
	in_ex(r, &(struct in){.flags = A, .seq = 1, .ack = BASE + 4 * MSS, .sack_count = 1, .sack = {b[0]}});
	assert_int_equal(tp->ca_state, CA_OPEN);
	assert_in_range(tp->snd_cwnd, 10, 11);
	assert_true(rig_counter(r, MIB_TcpExt_TCPDSACKUndo) + rig_counter(r, MIB_TcpExt_TCPFullUndo) >= 1);
	rig_free(r);
}

static void eifel_undoes(void **state)
{
	struct rig *r = flight(&plain);
	struct tcp_sock *tp = tcp_sk(r->c->s);
	uint32_t early = r->ts_last;
	struct tcp_range b = seg(1, 4);

	rig_drop(r);
	early = r->ts_last;
	pass(r, 100);
	in_sack(r, BASE, 1, &b);
	expect(r, A, BASE, 1, MSS);
	pass(r, 5);
	/* The ACK echoes the time of the original transmission. */
	in_ex(r, &(struct in){.flags = A, .seq = 1, .ack = BASE + 10 * MSS, .tsecr = early});
	assert_int_equal(tp->ca_state, CA_OPEN);
	assert_true(tp->snd_cwnd >= 10);
	assert_int_equal(rig_counter(r, MIB_TcpExt_TCPFullUndo), 1);
	rig_free(r);
}

static void frto_spurious(void **state)
{
	struct rig *r = flight(&plain);
	struct tcp_sock *tp = tcp_sk(r->c->s);
	uint32_t early;

	rig_drop(r);
	early = r->ts_last;
	pass(r, 800); /* the path stood still */
	assert_int_equal(tp->ca_state, CA_LOSS);
	rig_drop(r);
	/* Now the ACKs of the originals come. */
	in_ex(r, &(struct in){.flags = A, .seq = 1, .ack = BASE + 2 * MSS, .tsecr = early});
	assert_int_equal(tp->ca_state, CA_OPEN);
	assert_true(tp->snd_cwnd >= 10);
	assert_int_equal(tp->lost_out, 0);
	assert_int_equal(rig_counter(r, MIB_TcpExt_TCPLossUndo), 1);
	rig_free(r);
}

static void reneging(void **state)
{
	struct rig *r = flight(&plain);
	struct tcp_sock *tp = tcp_sk(r->c->s);
	struct tcp_range b = seg(1, 10);

	rig_drop(r);
	pass(r, 100);
	in_sack(r, BASE, 1, &b);
	rig_drop(r);
	/* The peer acknowledges the first and forgets the others. */
	in(r, A, 1, BASE + MSS, 0);
	pass(r, 500);
	expect(r, A, BASE + MSS, 1, MSS);
	assert_int_equal(tp->sacked_out, 0);
	assert_true(rig_counter(r, MIB_TcpExt_TCPSACKReneging) >= 1);
	in(r, A, 1, BASE + 10 * MSS, 0);
	assert_int_equal(tp->packets_out, 0);
	rig_free(r);
}

static void sack_nonsense(void **state)
{
	struct rig *r = flight(&plain);
	struct tcp_sock *tp = tcp_sk(r->c->s);
	struct tcp_range b[4] = {{BASE + 20 * MSS, BASE + 21 * MSS}, /* never sent */
				 {BASE + 3 * MSS, BASE + 2 * MSS},   /* backwards */
				 {5, 10}};                           /* long ago */

	rig_drop(r);
	in_sack(r, BASE, 3, b);
	assert_int_equal(tp->sacked_out, 0);
	b[0] = (struct tcp_range){BASE + 100, BASE + 200}; /* within a packet */
	b[1] = (struct tcp_range){BASE + MSS + 1, BASE + 2 * MSS - 1};
	in_sack(r, BASE, 2, b);
	assert_int_equal(tp->sacked_out, 0);
	assert_int_equal(tp->packets_out, 10);
	rig_free(r);
}

/* A peer that SACKs byte by byte cannot make the queue explode. */
static void sack_of_single_bytes(void **state)
{
	struct rig *r = flight(&(struct rig_opts){.features = NETIF_F_CSUM | NETIF_F_TSO});
	struct tcp_sock *tp = tcp_sk(r->c->s);
	struct tcp_sent *s;
	unsigned n = 0;

	rig_drop(r);
	for (unsigned i = 0; i < 3000; i += 2) {
		struct tcp_range b = {BASE + 1 + i, BASE + 2 + i};

		in_sack(r, BASE, 1, &b);
	}
	LIST_FOR_EACH(s, &tp->rtx, node)
		n++;
	assert_true(n <= 11);
	assert_int_equal(tp->sacked_out, 0);
	rig_free(r);
}

static void super_segment_is_split(void **state)
{
	struct rig *r = flight(&(struct rig_opts){.features = NETIF_F_CSUM | NETIF_F_TSO});
	struct tcp_sock *tp = tcp_sk(r->c->s);
	struct tcp_range b = seg(3, 7);

	rig_drop(r);
	pass(r, 100);
	in_sack(r, BASE, 1, &b);
	assert_int_equal(tp->packets_out, 10);
	assert_int_equal(tp->sacked_out, 4);
	assert_int_equal(tp->ca_state, CA_RECOVERY);
	assert_int_equal(tp->lost_out, 3);
	{
		struct pk *k = out(r);

		assert_int_equal(k->seq, BASE);
		assert_int_equal(k->len % MSS, 0);
		for (unsigned i = 0; i < k->len; i++)
			assert_int_equal(k->data[i], rig_byte(BASE - 1 + i));
		free(k);
	}
	rig_drop(r);
	in(r, A, 1, BASE + 10 * MSS, 0);
	assert_int_equal(tp->packets_out, 0);
	assert_int_equal(tp->sacked_out + tp->lost_out + tp->retrans_out, 0);
	rig_free(r);
}

/* SACK blocks that we owe the peer do not cut a full segment in two when it is sent again. */
static void retransmission_stays_whole(void **state)
{
	struct rig *r = flight(&plain);
	struct tcp_range b = seg(1, 4);
	struct pk *k;

	rig_drop(r);
	in(r, A, 5001, BASE, 100);
	k = out(r);
	assert_int_equal(k->o.sack_count, 1);
	free(k);
	pass(r, 100);
	in_sack(r, BASE, 1, &b);
	k = out(r);
	assert_true(k->seq == BASE && k->len == MSS);
	assert_int_equal(k->o.sack_count, 0);
	free(k);
	assert_int_equal(tcp_sk(r->c->s)->packets_out, 10);
	rig_free(r);
}

/* ---- congestion control ---- */

static void slow_start_doubles(void **state)
{
	struct rig *r = rig_passive(&(struct rig_opts){.tx = 1 << 20});
	uint32_t acked = 1, sent;

	sbox_pattern(r->c, 0, 1 << 20);
	for (unsigned round = 0; round < 3; round++) {
		sent = rig_count(r);
		/* The last few may wait to go as one super-segment with the next. */
		assert_in_range(sent, 8u << round, 10u << round);
		rig_drop(r);
		pass(r, 1);
		for (unsigned i = 0; i < sent; i++) {
			acked += MSS;
			in(r, A, 1, acked, 0);
		}
	}
	rig_free(r);
}

/* RFC 9438: after a loss at W the window grows first fast, then flat about W, and is at W again after K. */
static void cubic_curve(void **state)
{
	struct rig *r = rig_passive(&(struct rig_opts){.tx = 1 << 22});
	struct tcp_sock *tp = tcp_sk(r->c->s);
	uint32_t at_half = 0, at_k = 0, k_ms = 2466; /* cbrt(20 * 0.3 / 0.4) s of 20 packets: W 200 below */
	uint64_t t0;

	tp->snd_cwnd = 200;
	tp->min_rtt_us = 1000;
	tp->is_cwnd_limited = true;
	tp->ssthresh = tp->ca->ssthresh(tp);
	assert_int_equal(tp->ssthresh, 140);
	tp->snd_cwnd = 140;
	k_ms = 5313; /* cbrt(60 / 0.4) s */
	t0 = r->w->now_ns;
	for (unsigned i = 0; i < 100; i++) {
		uint64_t ms = (r->w->now_ns - t0) / 1000000;

		for (unsigned k = 0; k < 20; k++)
			tp->ca->avoid(tp, 0, tp->snd_cwnd / 20);
		if (!at_half && ms >= k_ms / 2)
			at_half = tp->snd_cwnd;
		if (!at_k && ms >= k_ms)
			at_k = tp->snd_cwnd;
		pass(r, 100);
	}
	/* W(K/2) = W - C (K/2)^3 = 200 - 7.5 */
	assert_in_range(at_half, 188, 197);
	assert_in_range(at_k, 198, 203);
	assert_true(tp->snd_cwnd > 230);
	rig_free(r);
}

static void reno_grows_by_one(void **state)
{
	struct rig *r = rig_passive(&plain);
	struct tcp_sock *tp = tcp_sk(r->c->s);

	r->c->s->ops->setopt(r->c->s, IPPROTO_TCP, TCP_CONGESTION, "reno", 4);
	tp->snd_cwnd = 20;
	tp->ssthresh = 10;
	tp->is_cwnd_limited = true;
	for (unsigned i = 0; i < 20; i++)
		tp->ca->avoid(tp, 0, 1);
	assert_int_equal(tp->snd_cwnd, 21);
	rig_free(r);
}

static void restart_after_idle(void **state)
{
	struct rig *r = flight(&plain);
	struct tcp_sock *tp = tcp_sk(r->c->s);

	rig_drop(r);
	in(r, A, 1, BASE + 10 * MSS, 0);
	tp->snd_cwnd = 80;
	pass(r, 30000);
	sbox_pattern(r->c, 1020 + 10 * MSS, 50 * MSS);
	assert_int_equal(rig_count(r), 10);
	rig_free(r);
}

/* ---- ECN ---- */

static void ecn_passive(void **state)
{
	struct rig *r = rig_passive(&(struct rig_opts){.ecn = true});
	struct tcp_sock *tp = tcp_sk(r->c->s);
	struct pk *k;

	assert_true(tp->ecn & ECN_OK);
	sbox_pattern(r->c, 0, 5000);
	k = out(r);
	assert_int_equal(k->tos & 3, 2); /* ECT(0) */
	free(k);
	rig_drop(r);
	/* The path marked it: the window comes down once, and CWR says so. */
	tp->snd_cwnd = 10;
	in(r, A | SEG_ECE, 1, 1449, 0);
	assert_int_equal(tp->ca_state, CA_CWR);
	assert_int_equal(tp->ssthresh, 7);
	in(r, A | SEG_ECE, 1, 2897, 0);
	assert_int_equal(tp->ssthresh, 7);
	sbox_pattern(r->c, 5000, 1000);
	in(r, A | SEG_ECE, 1, 5001, 0);
	if (rig_none(r))
		pass(r, 1);
	k = out(r);
	assert_true(k->flags & SEG_CWR);
	free(k);
	rig_free(r);
}

static void ecn_echo(void **state)
{
	struct rig *r = rig_passive(&(struct rig_opts){.ecn = true});
	struct pk *k;

	in_ex(r, &(struct in){.flags = A, .seq = 1, .ack = 1, .len = 100, .tos = 3});
	k = out(r);
	assert_int_equal(k->flags, A | SEG_ECE);
	free(k);
	in_ex(r, &(struct in){.flags = A, .seq = 101, .ack = 1, .len = 100, .tos = 2});
	k = out(r);
	assert_int_equal(k->flags, A | SEG_ECE); /* until CWR comes */
	free(k);
	in_ex(r, &(struct in){.flags = A | SEG_CWR, .seq = 201, .ack = 1, .len = 100, .tos = 2});
	k = out(r);
	assert_int_equal(k->flags, A);
	free(k);
	rig_free(r);
}

static void ecn_offered(void **state)
{
	struct rig *r = rig_new(&plain);
	struct pk *k;

	net_sysctl_set(r->w->a, NET_SYSCTL_TCP_ECN, 1);
	r->c = sbox_new(r->w->a, AF_INET);
	sbox_connect(r->c, "10.9.0.2", 7000);
	k = out(r);
	assert_int_equal(k->flags, S | SEG_ECE | SEG_CWR);
	free(k);
	in(r, S | A, 0, 1, 0); /* the peer does not know it */
	assert_false(tcp_sk(r->c->s)->ecn & ECN_OK);
	rig_free(r);
}

static void no_ecn_on_retransmissions(void **state)
{
	struct rig *r = rig_passive(&(struct rig_opts){.ecn = true, .no_sack = true});
	struct pk *k;

	sbox_pattern(r->c, 0, 100);
	free(out(r));
	pass(r, 250);
	k = out(r);
	assert_int_equal(k->seq, 1);
	assert_int_equal(k->tos & 3, 0);
	free(k);
	rig_free(r);
}

/* ---- path MTU ---- */

static void pmtu(void **state)
{
	struct rig *r = rig_passive(&plain);
	struct tcp_info_abi i;
	struct pk *k;

	sbox_pattern(r->c, 0, 5000);
	rig_drop(r);
	in_icmp(r, 3, 4, 1000, 1);
	k = out(r);
	assert_int_equal(k->seq, 1);
	assert_int_equal(k->len, 948);
	free(k);
	sbox_info(r->c, &i);
	assert_int_equal(i.pmtu, 1000);
	assert_int_equal(i.snd_mss, 948);
	rig_free(r);
}

static void pmtu_forged(void **state)
{
	struct rig *r = rig_passive(&plain);
	struct tcp_info_abi i;

	sbox_pattern(r->c, 0, 5000);
	rig_drop(r);
	in_icmp(r, 3, 4, 600, 900000);
	expect_none(r);
	sbox_info(r->c, &i);
	assert_int_equal(i.pmtu, 1500);
	assert_int_equal(rig_counter(r, MIB_TcpExt_OutOfWindowIcmps), 1);
	rig_free(r);
}

static void black_hole(void **state)
{
	struct rig *r = rig_passive(&plain);
	uint32_t least = 1448;

	net_sysctl_set(r->w->a, NET_SYSCTL_TCP_MTU_PROBING, 1);
	sbox_pattern(r->c, 0, 5000);
	pass(r, 60000);
	while (!rig_none(r)) {
		struct pk *k = out(r);

		least = k->len && k->seq == 1 ? MIN(least, k->len) : least;
		free(k);
	}
	assert_true(least <= 1024);
	assert_true(rig_counter(r, MIB_TcpExt_TCPMTUPFail) >= 1);
	rig_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rto_and_backoff),
		cmocka_unit_test(gives_up),
		cmocka_unit_test(user_timeout),
		cmocka_unit_test(soft_error_is_told),
		cmocka_unit_test(rto_uses_srtt),
		cmocka_unit_test(tail_loss_probe),
		cmocka_unit_test(tlp_sends_new_data),
		cmocka_unit_test(tlp_then_sack_recovers),
		cmocka_unit_test(fast_retransmit_sack),
		cmocka_unit_test(fast_retransmit_reno),
		cmocka_unit_test(sack_holes_are_filled_in_order),
		cmocka_unit_test(prr_paces),
		cmocka_unit_test(lost_retransmission),
		cmocka_unit_test(reordering_is_not_loss),
		cmocka_unit_test(reordering_timer),
		cmocka_unit_test(dsack_undoes),
		cmocka_unit_test(eifel_undoes),
		cmocka_unit_test(frto_spurious),
		cmocka_unit_test(reneging),
		cmocka_unit_test(sack_nonsense),
		cmocka_unit_test(sack_of_single_bytes),
		cmocka_unit_test(super_segment_is_split),
		cmocka_unit_test(retransmission_stays_whole),
		cmocka_unit_test(slow_start_doubles),
		cmocka_unit_test(cubic_curve),
		cmocka_unit_test(reno_grows_by_one),
		cmocka_unit_test(restart_after_idle),
		cmocka_unit_test(ecn_passive),
		cmocka_unit_test(ecn_echo),
		cmocka_unit_test(ecn_offered),
		cmocka_unit_test(no_ecn_on_retransmissions),
		cmocka_unit_test(pmtu),
		cmocka_unit_test(pmtu_forged),
		cmocka_unit_test(black_hole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
