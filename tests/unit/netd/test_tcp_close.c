/* Connections that end, in every order, and that are attacked: FIN, RST, TIME_WAIT, keep-alive, RFC 5961, PAWS. */
#include "rig.h"

#include <arpa/inet.h>

static const struct rig_opts plain;

static unsigned rows_in_state(struct rig *r, int state);

static bool count_row(void *arg, const struct tcp_row *row)
{
	int *want = arg;

	if (row->state == want[0])
		want[1]++;
	return true;
}

static unsigned rows_in_state(struct rig *r, int state)
{
	int want[2] = {state, 0};

	tcp_dump(r->w->a, count_row, want);
	return (unsigned)want[1];
}

/* ---- closing ---- */

static void active_close(void **state)
{
	struct rig *r = rig_passive(&plain);

	sbox_close(r->c, false);
	assert_int_equal(sbox_state(r->c), TCP_FIN_WAIT1);
	expect(r, A | P | F, 1, 1, 0);
	in(r, A, 1, 2, 0);
	/* Now a small entry. */
	assert_true(r->c->done);
	assert_int_equal(rows_in_state(r, TCP_FIN_WAIT2), 1);
	in(r, A | F, 1, 2, 0);
	expect(r, A, 2, 2, 0);
	assert_int_equal(rows_in_state(r, TCP_TIME_WAIT), 1);
	pass(r, 59000);
	assert_int_equal(rows_in_state(r, TCP_TIME_WAIT), 1);
	pass(r, 2000);
	assert_int_equal(rows_in_state(r, TCP_TIME_WAIT), 0);
	assert_int_equal(rig_counter(r, MIB_TcpExt_TW), 1);
	rig_free(r);
}

static void fin_and_ack_together(void **state)
{
	struct rig *r = rig_passive(&plain);

	sbox_close(r->c, false);
	rig_drop(r);
	in(r, A | F, 1, 2, 0);
	assert_true(r->c->done);
	expect(r, A, 2, 2, 0);
	assert_int_equal(rows_in_state(r, TCP_TIME_WAIT), 1);
	rig_free(r);
}

static void passive_close(void **state)
{
	struct rig *r = rig_passive(&plain);

	in(r, A | F, 1, 1, 0);
	assert_int_equal(sbox_state(r->c), TCP_CLOSE_WAIT);
	assert_true(r->c->events & NSOCK_RDHUP);
	pass(r, 50);
	expect(r, A, 1, 2, 0);
	sbox_pattern(r->c, 0, 100); /* still we may send */
	expect(r, A | P, 1, 2, 100);
	sbox_close(r->c, false);
	expect(r, A | P | F, 101, 2, 0);
	assert_int_equal(sbox_state(r->c), TCP_LAST_ACK);
	in(r, A, 2, 102, 0);
	assert_true(r->c->done);
	assert_int_equal(rows_in_state(r, TCP_TIME_WAIT), 0);
	rig_free(r);
}

static void half_close(void **state)
{
	struct rig *r = rig_passive(&plain);

	sbox_pattern(r->c, 0, 10);
	r->c->s->ops->shutdown(r->c->s, false, true);
	expect(r, A | P, 1, 1, 10);
	expect(r, A | P | F, 11, 1, 0);
	in(r, A, 1, 12, 0);
	assert_int_equal(sbox_state(r->c), TCP_FIN_WAIT2);
	/* The other direction stays for as long as the owner wants. */
	pass(r, 300000);
	in(r, A, 1, 12, 1000);
	sbox_expect(r->c, 0, 1000);
	in(r, A | F, 1001, 12, 0);
	assert_int_equal(rows_in_state(r, TCP_TIME_WAIT), 1);
	assert_false(r->c->done);
	assert_true(r->c->s->ops->poll(r->c->s) & NSOCK_HUP);
	sbox_close(r->c, false);
	assert_true(r->c->done);
	rig_free(r);
}

static void simultaneous_close(void **state)
{
	struct rig *r = rig_passive(&plain);

	sbox_close(r->c, false);
	rig_drop(r);
	in(r, A | F, 1, 1, 0); /* does not acknowledge ours */
	expect(r, A, 2, 2, 0);
	assert_int_equal(rows_in_state(r, TCP_CLOSING), 1);
	in(r, A, 2, 2, 0);
	assert_true(r->c->done);
	assert_int_equal(rows_in_state(r, TCP_TIME_WAIT), 1);
	rig_free(r);
}

static void fin_behind_data_and_window(void **state)
{
	struct rig *r = rig_passive(&(struct rig_opts){.tx = 65536});

	sbox_pattern(r->c, 0, 30000);
	sbox_close(r->c, false);
	rig_drop(r);
	in(r, A, 1, 14481, 0);
	in(r, A, 1, 28961, 0);
	{
		struct pk *k = NULL;

		while (!rig_none(r)) {
			free(k);
			k = out(r);
		}
		assert_non_null(k);
		assert_true(k->flags & F);
		assert_int_equal(k->seq + k->len, 30001);
		free(k);
	}
	assert_false(r->c->done);
	in(r, A, 1, 30002, 0);
	assert_true(r->c->done);
	rig_free(r);
}

static void fin_is_retransmitted(void **state)
{
	struct rig *r = rig_passive(&plain);

	sbox_close(r->c, false);
	rig_drop(r);
	pass(r, 2000);
	expect(r, A | P | F, 1, 1, 0);
	assert_true(rig_count(r) >= 1);
	rig_free(r);
}

static void orphan_gives_up(void **state)
{
	struct rig *r = rig_passive(&plain);
	struct tcp_counts n;

	sbox_pattern(r->c, 0, 100);
	sbox_close(r->c, false);
	tcp_count(r->w->a, &n);
	assert_int_equal(n.orphans, 1);
	pass(r, 400000);
	assert_true(r->c->done);
	tcp_count(r->w->a, &n);
	assert_int_equal(n.orphans, 0);
	rig_free(r);
}

static void abort_close(void **state)
{
	struct rig *r = rig_passive(&plain);

	sbox_pattern(r->c, 0, 100);
	rig_drop(r);
	sbox_close(r->c, true);
	expect(r, R | A, 101, 1, 0);
	assert_true(r->c->done);
	/* What comes after is answered by nobody's RST. */
	in(r, A, 1, 101, 0);
	expect(r, R, 101, 0, 0);
	rig_free(r);
}

static void data_for_nobody(void **state)
{
	struct rig *r = rig_passive(&plain);

	sbox_close(r->c, false);
	rig_drop(r);
	in(r, A, 1, 1, 100); /* FIN_WAIT_1 */
	{
		struct pk *k = out(r);

		assert_true(k->flags & R);
		free(k);
	}
	assert_true(r->c->done);
	assert_int_equal(rig_counter(r, MIB_TcpExt_TCPAbortOnData), 1);
	rig_free(r);
}

static void data_for_nobody_fin_wait2(void **state)
{
	struct rig *r = rig_passive(&plain);

	sbox_close(r->c, false);
	rig_drop(r);
	in(r, A, 1, 2, 0);
	in(r, A, 1, 2, 100);
	expect(r, R, 2, 0, 0);
	assert_int_equal(rows_in_state(r, TCP_FIN_WAIT2), 0);
	rig_free(r);
}

static void linger2(void **state)
{
	struct rig *r = rig_passive(&plain);

	sbox_opt(r->c, TCP_LINGER2, 5);
	sbox_close(r->c, false);
	in(r, A, 1, 2, 0);
	pass(r, 4000);
	assert_int_equal(rows_in_state(r, TCP_FIN_WAIT2), 1);
	pass(r, 2000);
	assert_int_equal(rows_in_state(r, TCP_FIN_WAIT2), 0);
	rig_free(r);
}

static void linger2_long(void **state)
{
	struct rig *r = rig_passive(&plain);

	sbox_opt(r->c, TCP_LINGER2, 110);
	sbox_close(r->c, false);
	in(r, A, 1, 2, 0);
	pass(r, 40000);
	assert_false(r->c->done); /* a full socket for the part beyond a minute */
	pass(r, 20000);
	assert_true(r->c->done);
	pass(r, 40000);
	assert_int_equal(rows_in_state(r, TCP_FIN_WAIT2), 1);
	pass(r, 15000);
	assert_int_equal(rows_in_state(r, TCP_FIN_WAIT2), 0);
	rig_free(r);
}

static void peer_resets(void **state)
{
	struct rig *r = rig_passive(&plain);

	in(r, A, 1, 1, 50);
	rig_drop(r);
	in(r, R, 51, 0, 0);
	assert_int_equal(sbox_state(r->c), TCP_CLOSE);
	assert_int_equal(nsock_take_error(r->c->s), ECONNRESET);
	assert_true(r->c->events & NSOCK_ERR && r->c->events & NSOCK_HUP);
	/* What was received before can still be read. */
	sbox_expect(r->c, 0, 50);
	assert_int_equal(rig_counter(r, MIB_Tcp_EstabResets), 1);
	rig_free(r);
}

static void reset_in_close_wait(void **state)
{
	struct rig *r = rig_passive(&plain);

	in(r, A | F, 1, 1, 0);
	in(r, R, 2, 0, 0);
	assert_int_equal(nsock_take_error(r->c->s), EPIPE);
	rig_free(r);
}

static void disconnect_and_again(void **state)
{
	struct rig *r = rig_active(&plain);

	assert_int_equal(r->c->s->ops->connect(r->c->s, NULL), 0);
	expect(r, R | A, 1, 1, 0);
	assert_int_equal(sbox_state(r->c), TCP_CLOSE);
	r->iss_known = false;
	assert_int_equal(sbox_connect(r->c, "10.9.0.2", 7001), -EINPROGRESS);
	expect(r, S, 0, 0, 0);
	rig_free(r);
}

static void killed_by_operator(void **state)
{
	struct rig *r = rig_passive(&plain);

	assert_int_equal(tcp_kill(r->c->s), 0);
	expect(r, R | A, 1, 1, 0);
	assert_int_equal(nsock_take_error(r->c->s), ECONNABORTED);
	rig_free(r);
}

/* ---- TIME_WAIT ---- */

static struct rig *time_wait(void)
{
	struct rig *r = rig_passive(&plain);

	sbox_close(r->c, false);
	in(r, A | F, 1, 2, 0);
	rig_drop(r);
	assert_int_equal(rows_in_state(r, TCP_TIME_WAIT), 1);
	return r;
}

static void time_wait_answers(void **state)
{
	struct rig *r = time_wait();

	in(r, A | F, 1, 2, 0); /* the FIN again: our ACK was lost */
	expect(r, A, 2, 2, 0);
	in(r, A | F, 1, 2, 0);
	expect_none(r); /* not too often */
	pass(r, 50000);
	in(r, A | F, 1, 2, 0);
	expect(r, A, 2, 2, 0);
	pass(r, 50000); /* and the minute begins anew */
	assert_int_equal(rows_in_state(r, TCP_TIME_WAIT), 1);
	rig_free(r);
}

static void time_wait_reset(void **state)
{
	struct rig *r = time_wait();

	in(r, R, 77, 0, 0);
	assert_int_equal(rows_in_state(r, TCP_TIME_WAIT), 1);
	in(r, R, 2, 0, 0);
	assert_int_equal(rows_in_state(r, TCP_TIME_WAIT), 0);
	rig_free(r);
}

static void time_wait_rfc1337(void **state)
{
	struct rig *r = time_wait();

	net_sysctl_set(r->w->a, NET_SYSCTL_TCP_RFC1337, 1);
	in(r, R, 2, 0, 0);
	assert_int_equal(rows_in_state(r, TCP_TIME_WAIT), 1);
	rig_free(r);
}

static void time_wait_succeeded_by_syn(void **state)
{
	struct rig *r = time_wait();
	struct pk *k;

	pass(r, 10);
	/* An old SYN: not. */
	in_ex(r, &(struct in){.flags = S, .seq = 0, .tsval = 1});
	assert_int_equal(rows_in_state(r, TCP_TIME_WAIT), 1);
	rig_drop(r);
	in(r, S, 5000, 0, 0);
	k = out(r);
	assert_int_equal(k->flags, S | A);
	assert_int_equal(k->raw_ack - r->irs, 5001);
	assert_int_equal(k->seq, 2 + 65537); /* above all that the old one sent */
	free(k);
	assert_int_equal(rows_in_state(r, TCP_TIME_WAIT), 0);
	rig_free(r);
}

static void time_wait_reused_by_connect(void **state)
{
	struct rig *r = rig_active(&plain);
	uint16_t port = r->port;
	struct nsock_name n = name_of("10.9.0.1", ntohs(port));
	struct pk *k;

	net_sysctl_set(r->w->a, NET_SYSCTL_TCP_TW_REUSE, 1);
	sbox_close(r->c, false);
	in(r, A | F, 1, 2, 0);
	rig_drop(r);
	sbox_free(r->c);
	r->c = sbox_new(r->w->a, AF_INET);
	r->c->s->opt.reuseaddr = true;
	assert_int_equal(r->c->s->ops->bind(r->c->s, &n), -EADDRINUSE);
	pass(r, 60500);
	assert_int_equal(r->c->s->ops->bind(r->c->s, &n), 0);
	(void)k;
	rig_free(r);
}

static void time_wait_reuse_needs_time(void **state)
{
	struct rig *r = rig_new(&plain);
	struct nsock_name n = name_of("10.9.0.1", 5555);
	struct pk *k;

	net_sysctl_set(r->w->a, NET_SYSCTL_TCP_TW_REUSE, 1);
	for (unsigned round = 0; round < 2; round++) {
		int ret;

		r->c = sbox_new(r->w->a, AF_INET);
		r->c->s->opt.reuseaddr = true;
		assert_int_equal(r->c->s->ops->bind(r->c->s, &n), 0);
		ret = sbox_connect(r->c, "10.9.0.2", 7000);
		if (round) {
			/* Within the same second the timestamps could not tell old from new. */
			assert_int_equal(ret, -EADDRNOTAVAIL);
			pass(r, 2100);
			ret = sbox_connect(r->c, "10.9.0.2", 7000);
			assert_int_equal(ret, -EINPROGRESS);
			k = out(r);
			assert_int_equal(k->seq, 2 + 65537);
			free(k);
			break;
		}
		assert_int_equal(ret, -EINPROGRESS);
		free(out(r));
		in(r, S | A, 0, 1, 0);
		/* SYN options are not in this SYN-ACK, so timestamps: */
		rig_drop(r);
		tcp_sk(r->c->s)->ts_ok = true;
		sbox_close(r->c, false);
		rig_drop(r);
		in(r, A | F, 1, 2, 0);
		rig_drop(r);
		assert_int_equal(rows_in_state(r, TCP_TIME_WAIT), 1);
		sbox_free(r->c);
	}
	rig_free(r);
}

static void time_wait_overflow(void **state)
{
	struct rig *r = rig_passive(&plain);

	net_sysctl_set(r->w->a, NET_SYSCTL_TCP_MAX_TW_BUCKETS, 0);
	sbox_close(r->c, false);
	in(r, A | F, 1, 2, 0);
	assert_true(r->c->done);
	assert_int_equal(rows_in_state(r, TCP_TIME_WAIT), 0);
	assert_int_equal(rig_counter(r, MIB_TcpExt_TCPTimeWaitOverflow), 1);
	rig_free(r);
}

/* ---- keep-alive ---- */

static void keep_alive(void **state)
{
	struct rig *r = rig_passive(&plain);

	sbox_opt(r->c, TCP_KEEPIDLE, 10);
	sbox_opt(r->c, TCP_KEEPINTVL, 5);
	sbox_opt(r->c, TCP_KEEPCNT, 3);
	r->c->s->opt.keepalive = true;
	r->c->s->ops->opt_changed(r->c->s);
	pass(r, 9900);
	expect_none(r);
	pass(r, 200);
	expect(r, A, 0, 1, 0);
	in(r, A, 1, 1, 0); /* alive */
	pass(r, 9000);
	expect_none(r);
	pass(r, 2000);
	expect(r, A, 0, 1, 0);
	pass(r, 5000);
	expect(r, A, 0, 1, 0);
	pass(r, 5000);
	expect(r, A, 0, 1, 0);
	pass(r, 5000);
	expect(r, R | A, 1, 1, 0);
	assert_int_equal(nsock_take_error(r->c->s), ETIMEDOUT);
	rig_free(r);
}

static void keep_alive_is_answered(void **state)
{
	struct rig *r = rig_passive(&plain);

	in(r, A, 0, 1, 0); /* a probe of the peer's */
	expect(r, A, 1, 1, 0);
	in(r, A, 0, 1, 1); /* of an old kind, with a byte */
	assert_int_equal(bytering_avail(&r->c->rd), 0);
	rig_free(r);
}

/* ---- attacks ---- */

static void blind_reset(void **state)
{
	struct rig *r = rig_passive(&plain);

	in(r, R, 500, 0, 0); /* in the window, not exactly next */
	assert_int_equal(sbox_state(r->c), TCP_ESTABLISHED);
	expect(r, A, 1, 1, 0); /* the challenge */
	assert_int_equal(rig_counter(r, MIB_TcpExt_TCPChallengeACK), 1);
	in(r, R, 501, 0, 0);
	expect_none(r); /* one in half a second */
	pass(r, 600);
	in(r, R, 502, 0, 0);
	expect(r, A, 1, 1, 0);
	in(r, R, 0x40000000, 0, 0); /* outside: nothing at all */
	expect_none(r);
	in(r, R, 1, 0, 0);
	assert_int_equal(sbox_state(r->c), TCP_CLOSE);
	rig_free(r);
}

static void reset_behind_sack(void **state)
{
	struct rig *r = rig_passive(&plain);

	in(r, A, 1001, 1, 1000);
	rig_drop(r);
	in(r, R, 2001, 0, 0); /* the peer sent so far and then reset */
	assert_int_equal(sbox_state(r->c), TCP_CLOSE);
	rig_free(r);
}

static void blind_syn(void **state)
{
	struct rig *r = rig_passive(&plain);

	in(r, S, 500, 0, 0);
	expect(r, A, 1, 1, 0);
	assert_int_equal(sbox_state(r->c), TCP_ESTABLISHED);
	assert_int_equal(rig_counter(r, MIB_TcpExt_TCPSYNChallenge), 1);
	pass(r, 1000);
	in(r, S | A, 0x70000000, 1, 0);
	expect(r, A, 1, 1, 0);
	assert_int_equal(sbox_state(r->c), TCP_ESTABLISHED);
	rig_free(r);
}

static void blind_data(void **state)
{
	struct rig *r = rig_passive(&plain);

	/* RFC 5961 5.2: an ACK of something never sent, or of long ago. */
	in(r, A, 1, 5000, 100);
	assert_int_equal(bytering_avail(&r->c->rd), 0);
	rig_drop(r);
	in(r, A, 1, 0x80000000, 100);
	assert_int_equal(bytering_avail(&r->c->rd), 0);
	rig_drop(r);
	in(r, P, 1, 0, 100); /* no ACK at all */
	assert_int_equal(bytering_avail(&r->c->rd), 0);
	expect_none(r);
	in(r, 0, 1, 0, 0);
	in(r, F, 1, 0, 0);
	in(r, F | U | P, 1, 0, 0); /* a christmas tree */
	expect_none(r);
	assert_int_equal(sbox_state(r->c), TCP_ESTABLISHED);
	rig_free(r);
}

static void challenge_limit(void **state)
{
	struct rig *r = rig_passive(&plain);
	struct tcp_sock *tp = tcp_sk(r->c->s);

	net_sysctl_set(r->w->a, NET_SYSCTL_TCP_CHALLENGE_ACK_LIMIT, 10);
	net_sysctl_set(r->w->a, NET_SYSCTL_TCP_INVALID_RATELIMIT, 0);
	for (unsigned i = 0; i < 100; i++)
		in(r, R, 500, 0, 0);
	assert_in_range(rig_count(r), 5, 15);
	rig_drop(r);
	pass(r, 1001);
	for (unsigned i = 0; i < 100; i++)
		in(r, R, 500, 0, 0);
	assert_in_range(rig_count(r), 5, 15);
	(void)tp;
	rig_free(r);
}

static void paws(void **state)
{
	struct rig *r = rig_passive(&plain);
	uint32_t now = (uint32_t)(r->w->now_ns / 1000000);

	in_ex(r, &(struct in){.flags = A, .seq = 1, .ack = 1, .len = 100, .tsval = now + 100});
	rig_drop(r);
	in_ex(r, &(struct in){.flags = A, .seq = 101, .ack = 1, .len = 100, .tsval = now + 50});
	assert_int_equal(bytering_avail(&r->c->rd), 100);
	expect(r, A, 1, 101, 0);
	assert_int_equal(rig_counter(r, MIB_TcpExt_PAWSEstab), 1);
	/* RSTs are not subject to it. */
	in_ex(r, &(struct in){.flags = R, .seq = 101, .tsval = now + 50});
	assert_int_equal(sbox_state(r->c), TCP_CLOSE);
	rig_free(r);
}

static void paws_after_24_days(void **state)
{
	struct rig *r = rig_passive(&plain);
	uint32_t now = (uint32_t)(r->w->now_ns / 1000000);

	in_ex(r, &(struct in){.flags = A, .seq = 1, .ack = 1, .len = 100, .tsval = now + 100});
	rig_drop(r);
	pass(r, 25ull * 24 * 3600 * 1000);
	in_ex(r, &(struct in){.flags = A, .seq = 101, .ack = 1, .len = 100, .tsval = now});
	assert_int_equal(bytering_avail(&r->c->rd), 200);
	rig_free(r);
}

static void timestamps_echo(void **state)
{
	struct rig *r = rig_passive(&plain);
	struct pk *k;

	in_ex(r, &(struct in){.flags = A, .seq = 1, .ack = 1, .len = 100, .tsval = 0x7000000});
	free(out(r));
	/* A later segment beyond a hole must not change what is echoed (RFC 7323 4.3). */
	in_ex(r, &(struct in){.flags = A, .seq = 201, .ack = 1, .len = 100, .tsval = 0x7000010});
	k = out(r);
	assert_int_equal(k->o.tsecr, (uint32_t)(r->w->now_ns / 1000000) > 0x7000000 ? k->o.tsecr : 0x7000000);
	free(k);
	rig_free(r);
}

static void bad_checksums_and_lengths(void **state)
{
	struct rig *r = rig_passive(&plain);

	in_ex(r, &(struct in){.flags = A, .seq = 1, .ack = 1, .len = 100, .bad_csum = true});
	assert_int_equal(rig_counter(r, MIB_Tcp_InCsumErrors), 1);
	in_ex(r, &(struct in){.flags = A, .seq = 1, .ack = 1, .len = 100, .off = 4}); /* a header below 20 bytes */
	in_ex(r, &(struct in){.flags = A, .seq = 1, .ack = 1, .len = 8, .off = 15});  /* beyond the packet */
	in_ex(r, &(struct in){.flags = A, .seq = 1, .ack = 1, .no_ts = true, .cut = 1}); /* 19 bytes */
	in_ex(r, &(struct in){.flags = A, .seq = 1, .ack = 1, .no_ts = true, .cut = 19});
	assert_int_equal(rig_counter(r, MIB_Tcp_InErrs), 5);
	assert_int_equal(bytering_avail(&r->c->rd), 0);
	expect_none(r);
	/* A header that is longer than its options. */
	in_ex(r, &(struct in){.flags = A, .seq = 1, .ack = 1, .len = 100});
	sbox_expect(r->c, 0, 100);
	rig_free(r);
}

static void min_ttl(void **state)
{
	struct rig *r = rig_passive(&plain);

	r->c->s->opt.minttl_set = true;
	r->c->s->opt.minttl = 255;
	in(r, R, 1, 0, 0);
	assert_int_equal(sbox_state(r->c), TCP_ESTABLISHED);
	in_ex(r, &(struct in){.flags = A, .seq = 1, .ack = 1, .len = 10, .ttl = 255});
	sbox_expect(r->c, 0, 10);
	rig_free(r);
}

static void owner_breaks_ring(void **state)
{
	struct rig *r = rig_passive(&plain);

	/* The owner's process lies about what it wrote: the connection ends, the stack does not. */
	sbox_pattern(r->c, 0, 100);
	rig_drop(r);
	r->c->tx_shm.tail = UINT64_MAX / 2;
	r->c->s->ops->tx_ready(r->c->s, false);
	pass(r, 2000);
	assert_int_equal(sbox_state(r->c), TCP_CLOSE);
	assert_int_equal(nsock_take_error(r->c->s), EIO);
	rig_free(r);
}

static void reader_breaks_ring(void **state)
{
	struct rig *r = rig_passive(&plain);

	in(r, A, 1, 1, 100);
	r->c->rx_shm.head = UINT64_MAX / 2;
	in(r, A, 101, 1, 100);
	in(r, A, 201, 1, 100);
	assert_int_equal(tcp_rx_room(tcp_sk(r->c->s)), 0);
	rig_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(active_close),
		cmocka_unit_test(fin_and_ack_together),
		cmocka_unit_test(passive_close),
		cmocka_unit_test(half_close),
		cmocka_unit_test(simultaneous_close),
		cmocka_unit_test(fin_behind_data_and_window),
		cmocka_unit_test(fin_is_retransmitted),
		cmocka_unit_test(orphan_gives_up),
		cmocka_unit_test(abort_close),
		cmocka_unit_test(data_for_nobody),
		cmocka_unit_test(data_for_nobody_fin_wait2),
		cmocka_unit_test(linger2),
		cmocka_unit_test(linger2_long),
		cmocka_unit_test(peer_resets),
		cmocka_unit_test(reset_in_close_wait),
		cmocka_unit_test(disconnect_and_again),
		cmocka_unit_test(killed_by_operator),
		cmocka_unit_test(time_wait_answers),
		cmocka_unit_test(time_wait_reset),
		cmocka_unit_test(time_wait_rfc1337),
		cmocka_unit_test(time_wait_succeeded_by_syn),
		cmocka_unit_test(time_wait_reused_by_connect),
		cmocka_unit_test(time_wait_reuse_needs_time),
		cmocka_unit_test(time_wait_overflow),
		cmocka_unit_test(keep_alive),
		cmocka_unit_test(keep_alive_is_answered),
		cmocka_unit_test(blind_reset),
		cmocka_unit_test(reset_behind_sack),
		cmocka_unit_test(blind_syn),
		cmocka_unit_test(blind_data),
		cmocka_unit_test(challenge_limit),
		cmocka_unit_test(paws),
		cmocka_unit_test(paws_after_24_days),
		cmocka_unit_test(timestamps_echo),
		cmocka_unit_test(bad_checksums_and_lengths),
		cmocka_unit_test(min_ttl),
		cmocka_unit_test(owner_breaks_ring),
		cmocka_unit_test(reader_breaks_ring),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
