/* Connections that begin: handshakes both ways, options well- and malformed, the SYN and accept queues, cookies. */
#include "rig.h"

#include <arpa/inet.h>

static const struct rig_opts plain;

static void passive_open(void **state)
{
	struct rig *r = rig_passive(&plain);

	assert_int_equal(sbox_state(r->c), TCP_ESTABLISHED);
	assert_true(r->l->events & NSOCK_IN);
	assert_null(sbox_accept(r->l));
	expect_none(r);
	assert_int_equal(rig_counter(r, MIB_Tcp_PassiveOpens), 1);
	assert_int_equal(rig_counter(r, MIB_Tcp_CurrEstab), 1);
	rig_free(r);
}

static void syn_ack_options(void **state)
{
	struct rig *r = rig_new(&plain);
	static const uint8_t opt[] = {2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 1, 0, 0, 0, 0, 0, 1, 3, 3, 7};
	struct pk *k;

	r->l = sbox_listen(r->w->a, "0.0.0.0", 80, 5);
	in_ex(r, &(struct in){.flags = S, .raw_opts = true, .opts = opt, .opts_size = sizeof(opt)});
	k = out(r);
	assert_int_equal(k->flags, S | A);
	assert_true(k->o.mss_ok && k->o.ts_ok && k->o.sack_perm && k->o.wscale_ok);
	assert_int_equal(k->o.mss, 1460);
	assert_int_equal(k->o.tsecr, 0x100);
	assert_int_equal(k->o.wscale, 7);
	assert_true(k->df);
	free(k);
	rig_free(r);
}

/* Nothing is offered that the SYN did not offer. */
static void no_options_offered(void **state)
{
	struct rig *r = rig_new(&(struct rig_opts){.no_ts = true});
	struct pk *k;

	r->l = sbox_listen(r->w->a, "0.0.0.0", 80, 5);
	in_ex(r, &(struct in){.flags = S, .raw_opts = true, .opts_size = 0});
	k = out(r);
	assert_int_equal(k->flags, S | A);
	assert_true(k->o.mss_ok && !k->o.ts_ok && !k->o.sack_perm && !k->o.wscale_ok);
	free(k);
	in(r, A, 1, 1, 0);
	r->c = sbox_accept(r->l);
	/* RFC 9293 3.7.1: without an MSS option segments have 536 bytes. */
	assert_int_equal(sbox_pattern(r->c, 0, 1000), 1000);
	expect(r, A, 1, 1, 536);
	expect(r, A | P, 537, 1, 464);
	rig_free(r);
}

static void syn_with_opts(const uint8_t *opt, unsigned size, struct tcp_opts *ret)
{
	struct rig *r = rig_new(&plain);
	struct pk *k;

	r->l = sbox_listen(r->w->a, "0.0.0.0", 80, 5);
	in_ex(r, &(struct in){.flags = S, .raw_opts = true, .opts = opt, .opts_size = size});
	k = out(r);
	assert_int_equal(k->flags, S | A);
	*ret = k->o;
	free(k);
	rig_free(r);
}

static void options_malformed(void **state)
{
	/* A length of zero, one, beyond the header; a wrong length for its kind; each ends or skips, none harms. */
	static const uint8_t zero[] = {2, 0, 5, 0xb4, 3, 3, 7, 1}, one[] = {8, 1, 3, 3, 7, 0, 0, 0},
			     beyond[] = {1, 1, 1, 3, 40, 7, 1, 1}, badlen[] = {3, 4, 7, 7, 4, 2, 1, 1},
			     lastbyte[] = {1, 1, 1, 1, 1, 1, 1, 3}, eol[] = {0, 3, 3, 7, 4, 2, 1, 1};
	struct tcp_opts o;

	syn_with_opts(zero, sizeof(zero), &o);
	assert_false(o.wscale_ok);
	syn_with_opts(one, sizeof(one), &o);
	assert_false(o.wscale_ok || o.ts_ok);
	syn_with_opts(beyond, sizeof(beyond), &o);
	assert_false(o.wscale_ok);
	syn_with_opts(badlen, sizeof(badlen), &o);
	assert_true(!o.wscale_ok && o.sack_perm);
	syn_with_opts(lastbyte, sizeof(lastbyte), &o);
	assert_false(o.wscale_ok);
	syn_with_opts(eol, sizeof(eol), &o);
	assert_false(o.wscale_ok || o.sack_perm);
}

static void options_unknown(void **state)
{
	/* Kinds that nobody knows, MD5, experimental, with odd lengths, before the ones that count. */
	static const uint8_t opt[] = {254, 5, 1, 2, 3, 77, 3, 9, 4, 2, 3, 3, 2, 34, 2, 1};
	struct tcp_opts o;

	syn_with_opts(opt, sizeof(opt), &o);
	assert_true(o.sack_perm && o.wscale_ok);
}

static void wscale_too_large(void **state)
{
	/* RFC 7323 2.3: beyond 14 counts as 14. */
	struct rig *r = rig_passive(&(struct rig_opts){.wscale = 60});

	assert_int_equal(tcp_sk(r->c->s)->snd_wscale, 14);
	rig_free(r);
}

static void mss_zero_and_tiny(void **state)
{
	struct rig *r = rig_passive(&(struct rig_opts){.mss = 1, .no_ts = true});

	/* A peer cannot make us send a packet for each byte. */
	sbox_pattern(r->c, 0, 480);
	for (unsigned i = 0; i < 9; i++)
		expect(r, A, 1 + 48 * i, 1, 48);
	expect(r, A | P, 433, 1, 48);
	rig_free(r);
}

static void active_open(void **state)
{
	struct rig *r = rig_active(&plain);

	assert_int_equal(rig_counter(r, MIB_Tcp_ActiveOpens), 1);
	rig_free(r);
}

static void active_syn(void **state)
{
	struct rig *r = rig_new(&plain);
	struct pk *k;

	r->c = sbox_new(r->w->a, AF_INET);
	assert_int_equal(sbox_connect(r->c, "10.9.0.2", 7000), -EINPROGRESS);
	assert_int_equal(sbox_connect(r->c, "10.9.0.2", 7000), -EALREADY);
	k = out(r);
	assert_int_equal(k->flags, S);
	assert_int_equal(k->dport, htons(7000));
	assert_true(ntohs(k->sport) >= 32768);
	assert_true(k->o.mss == 1460 && k->o.ts_ok && k->o.sack_perm && k->o.wscale == 7);
	assert_int_equal(k->o.tsecr, 0);
	free(k);
	rig_free(r);
}

static void refused(void **state)
{
	struct rig *r = rig_new(&plain);

	r->c = sbox_new(r->w->a, AF_INET);
	sbox_connect(r->c, "10.9.0.2", 7000);
	free(out(r));
	in(r, R | A, 0, 1, 0);
	assert_int_equal(sbox_state(r->c), TCP_CLOSE);
	assert_int_equal(nsock_take_error(r->c->s), ECONNREFUSED);
	assert_true(r->c->events & NSOCK_ERR);
	expect_none(r);
	rig_free(r);
}

static void syn_sent_bad_ack(void **state)
{
	struct rig *r = rig_new(&plain);

	r->c = sbox_new(r->w->a, AF_INET);
	sbox_connect(r->c, "10.9.0.2", 7000);
	free(out(r));
	/* An ACK of something that we did not send: reset, and the attempt goes on. */
	in(r, S | A, 0, 5, 0);
	expect(r, R, 5, 0, 0);
	in(r, A, 0, 0, 0);
	expect(r, R, 0, 0, 0);
	/* An RST for another sequence number is not for us. */
	in(r, R | A, 0, 7, 0);
	in(r, R, 0, 0, 0);
	assert_int_equal(sbox_state(r->c), TCP_SYN_SENT);
	expect_none(r);
	in(r, S | A, 0, 1, 0);
	expect(r, A, 1, 1, 0);
	rig_free(r);
}

static void syn_retransmission(void **state)
{
	struct rig *r = rig_new(&plain);
	static const unsigned at[] = {0, 1000, 2000, 3000, 4000, 5000, 7000, 11000, 19000, 35000, 67000};

	r->c = sbox_new(r->w->a, AF_INET);
	sbox_connect(r->c, "10.9.0.2", 7000);
	pass(r, 200000);
	assert_int_equal(rig_count(r), ARRAY_SIZE(at));
	for (unsigned i = 0; i < ARRAY_SIZE(at); i++) {
		struct pk *k = out(r);

		assert_int_equal(k->flags, S);
		assert_int_equal(k->seq, 0);
		assert_in_range(k->at_ms, at[i], at[i] + 3);
		free(k);
	}
	assert_int_equal(nsock_take_error(r->c->s), ETIMEDOUT);
	assert_int_equal(sbox_state(r->c), TCP_CLOSE);
	rig_free(r);
}

static void syncnt(void **state)
{
	struct rig *r = rig_new(&plain);

	r->c = sbox_new(r->w->a, AF_INET);
	assert_int_equal(sbox_opt(r->c, TCP_SYNCNT, 1), 0);
	assert_int_equal(sbox_opt(r->c, TCP_SYNCNT, 0), -EINVAL);
	sbox_connect(r->c, "10.9.0.2", 7000);
	pass(r, 100000);
	assert_int_equal(rig_count(r), 6);
	assert_int_equal(nsock_take_error(r->c->s), ETIMEDOUT);
	rig_free(r);
}

static void unreachable_ends_attempt(void **state)
{
	struct rig *r = rig_new(&plain);

	r->c = sbox_new(r->w->a, AF_INET);
	sbox_connect(r->c, "10.9.0.2", 7000);
	free(out(r));
	/* About another sequence number: somebody guesses. */
	in_icmp(r, 3, 1, 0, 9999);
	assert_int_equal(sbox_state(r->c), TCP_SYN_SENT);
	in_icmp(r, 3, 1, 0, 0);
	assert_int_equal(sbox_state(r->c), TCP_CLOSE);
	assert_int_equal(nsock_take_error(r->c->s), EHOSTUNREACH);
	rig_free(r);
}

static void simultaneous_open(void **state)
{
	struct rig *r = rig_new(&plain);
	static const uint8_t opt[] = {2, 4, 5, 0xb4, 8, 10, 0, 0, 1, 0, 0, 0, 0, 0, 1, 1};

	r->c = sbox_new(r->w->a, AF_INET);
	sbox_connect(r->c, "10.9.0.2", 7000);
	free(out(r));
	in_ex(r, &(struct in){.flags = S, .raw_opts = true, .opts = opt, .opts_size = sizeof(opt)});
	assert_int_equal(sbox_state(r->c), TCP_SYN_RECV);
	expect(r, S | A, 0, 1, 0);
	in(r, S | A, 0, 1, 0);
	assert_int_equal(sbox_state(r->c), TCP_ESTABLISHED);
	assert_true(r->c->events & NSOCK_OUT);
	rig_drop(r);
	in(r, A | P, 1, 1, 100);
	sbox_expect(r->c, 0, 100);
	rig_free(r);
}

static void self_connect(void **state)
{
	struct world *w = world_new(false);
	struct sbox *c = sbox_new(w->a, AF_INET);
	struct nsock_name n = name_of("127.0.0.1", 4321);

	assert_int_equal(c->s->ops->bind(c->s, &n), 0);
	assert_int_equal(sbox_connect(c, "127.0.0.1", 4321), -EINPROGRESS);
	world_run(w);
	assert_int_equal(sbox_state(c), TCP_ESTABLISHED);
	sbox_pattern(c, 0, 5000);
	world_run(w);
	sbox_expect(c, 0, 5000);
	sbox_free(c);
	world_free(w);
}

/* ---- nobody listens ---- */

static void closed_port(void **state)
{
	struct rig *r = rig_new(&(struct rig_opts){.no_ts = true});

	r->iss = 0;
	in(r, S, 0, 0, 0);
	expect(r, R | A, 0, 1, 0);
	in(r, S, 0, 0, 5); /* the payload counts */
	expect(r, R | A, 0, 6, 0);
	in(r, A, 5, 77, 0);
	expect(r, R, 77, 0, 0);
	in(r, R, 5, 0, 0);
	in(r, R | A, 5, 77, 0);
	expect_none(r);
	rig_free(r);
}

static void listener_rules(void **state)
{
	struct rig *r = rig_new(&(struct rig_opts){.no_ts = true});

	r->iss = 0;
	r->l = sbox_listen(r->w->a, "0.0.0.0", 80, 5);
	in(r, R, 0, 0, 0);
	expect_none(r);
	in(r, A, 5, 77, 0);
	expect(r, R, 77, 0, 0);
	in(r, S | A, 5, 77, 0);
	expect(r, R, 77, 0, 0);
	in(r, S | F, 0, 0, 0);
	in(r, F, 0, 0, 0);
	in(r, 0, 0, 0, 10);
	expect_none(r);
	rig_free(r);
}

/* ---- the SYN queue ---- */

static struct rig *half_open(const struct rig_opts *o)
{
	struct rig *r = rig_new(o);

	r->l = sbox_listen(r->w->a, "0.0.0.0", 80, o->backlog ? o->backlog : 5);
	in(r, S, 0, 0, 0);
	return r;
}

static void syn_ack_retransmission(void **state)
{
	struct rig *r = half_open(&plain);
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
	struct rig *r = half_open(&plain);

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
	struct rig *r = half_open(&plain);

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
	struct rig *r = half_open(&plain);
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
	struct rig *r = half_open(&plain);

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
	struct rig *r = half_open(&plain);

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

static void syn_from(struct rig *r, uint16_t port)
{
	r->iss_known = false;
	in_ex(r, &(struct in){.flags = S, .sport = htons(port)});
}

static void ack_from(struct rig *r, uint16_t port, const struct pk *k)
{
	in_ex(r, &(struct in){.flags = A, .seq = r->irs + 1, .ack = k->raw_seq + 1, .raw_seq = true, .sport = htons(port),
			      .tsecr = k->o.tsval});
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

static void listener_closes(void **state)
{
	struct rig *r = rig_new(&plain);
	struct pk *k;

	r->l = sbox_listen(r->w->a, "0.0.0.0", 80, 8);
	syn_from(r, 9000);
	k = out(r);
	ack_from(r, 9000, k);
	free(k);
	syn_from(r, 9001);
	rig_drop(r);
	assert_int_equal(tcp_sk(r->l->s)->accept_count, 1);
	sbox_close(r->l, false);
	assert_int_equal(rig_count(r), 1);
	k = out(r);
	assert_int_equal(k->flags, R | A);
	free(k);
	rig_free(r);
}

static void adopt_refused(void **state)
{
	struct rig *r = half_open(&plain);

	free(out(r));
	sbox_refuse = true;
	in(r, A, 1, 1, 0);
	assert_null(sbox_accept(r->l));
	sbox_refuse = false;
	in(r, A, 1, 1, 0);
	r->c = sbox_accept(r->l);
	assert_non_null(r->c);
	rig_free(r);
}

static void reuseport_balances(void **state)
{
	struct rig *r = rig_new(&plain);
	struct nsock_name n = name_of("0.0.0.0", 80);
	struct sbox *l[4];

	for (unsigned i = 0; i < 4; i++) {
		l[i] = sbox_new(r->w->a, AF_INET);
		l[i]->s->opt.reuseport = true;
		assert_int_equal(l[i]->s->ops->bind(l[i]->s, &n), 0);
		assert_int_equal(l[i]->s->ops->listen(l[i]->s, 2000), 0);
	}
	for (unsigned i = 0; i < 400; i++)
		syn_from(r, (uint16_t)(10000 + i));
	for (unsigned i = 0; i < 4; i++) {
		assert_in_range(tcp_sk(l[i]->s)->req_count, 60, 140);
		sbox_free(l[i]);
	}
	rig_free(r);
}

static void accept_inherits(void **state)
{
	struct rig *r = rig_new(&plain);
	uint32_t size = 16;
	char name[16];
	struct pk *k;

	r->l = sbox_listen(r->w->a, "0.0.0.0", 80, 5);
	sbox_opt(r->l, TCP_NODELAY, 1);
	sbox_opt(r->l, TCP_KEEPIDLE, 33);
	assert_int_equal(r->l->s->ops->setopt(r->l->s, IPPROTO_TCP, TCP_CONGESTION, "reno", 4), 0);
	assert_int_equal(r->l->s->ops->setopt(r->l->s, IPPROTO_TCP, TCP_CONGESTION, "renox", 5), -ENOENT);
	r->l->s->opt.tos = 0x28;
	in(r, S, 0, 0, 0);
	free(out(r));
	in(r, A, 1, 1, 0);
	r->c = sbox_accept(r->l);
	assert_int_equal(r->c->s->ops->getopt(r->c->s, IPPROTO_TCP, TCP_CONGESTION, name, &size), 0);
	assert_string_equal(name, "reno");
	assert_int_equal(tcp_keep_time_ms(tcp_sk(r->c->s)), 33000);
	sbox_pattern(r->c, 0, 10);
	k = out(r);
	assert_int_equal(k->tos, 0x28);
	free(k);
	rig_free(r);
}

static void bind_rules(void **state)
{
	struct rig *r = rig_new(&plain);
	struct nsock_name n = name_of("10.9.0.77", 80);

	r->c = sbox_new(r->w->a, AF_INET);
	assert_int_equal(r->c->s->ops->bind(r->c->s, &n), -EADDRNOTAVAIL);
	n = name_of("224.0.0.1", 80);
	assert_int_equal(r->c->s->ops->bind(r->c->s, &n), -EADDRNOTAVAIL);
	n = name_of("10.9.0.1", 80);
	assert_int_equal(r->c->s->ops->bind(r->c->s, &n), 0);
	assert_int_equal(r->c->s->ops->bind(r->c->s, &n), -EINVAL);
	r->l = sbox_new(r->w->a, AF_INET);
	assert_int_equal(r->l->s->ops->bind(r->l->s, &n), -EADDRINUSE);
	assert_int_equal(sbox_connect(r->l, "224.0.0.5", 80), -ENETUNREACH);
	assert_int_equal(sbox_connect(r->l, "192.0.2.1", 80), -ENETUNREACH);
	assert_int_equal(r->l->s->ops->shutdown(r->l->s, true, true), -ENOTCONN);
	rig_free(r);
}

/* ---- IPv6 ---- */

static void v6_passive(void **state)
{
	struct rig *r = rig_passive(&(struct rig_opts){.v6 = true});
	struct pk *k;

	assert_int_equal(r->c->s->peer.addr.family, AF_INET6);
	sbox_pattern(r->c, 0, 2000);
	k = out(r);
	assert_true(k->v6);
	assert_int_equal(k->len, 1428);
	free(k);
	rig_drop(r);
	in(r, A | P, 1, 2001, 10);
	sbox_expect(r->c, 0, 10);
	rig_free(r);
}

static void v6_active(void **state)
{
	struct rig *r = rig_active(&(struct rig_opts){.v6 = true});

	/* Packet too big (RFC 8201). */
	sbox_pattern(r->c, 0, 3000);
	rig_drop(r);
	in_icmp(r, 2, 0, 1280, 1);
	expect(r, A, 1, 1, 1208);
	rig_free(r);
}

/* An IPv6 wildcard takes IPv4 connections, with mapped names; V6ONLY does not. */
static void dual_stack(void **state)
{
	struct rig *r = rig_new(&plain);
	struct nsock_name n;

	r->l = sbox_listen(r->w->a, "::", 80, 5);
	in(r, S, 0, 0, 0);
	expect(r, S | A, 0, 1, 0);
	in(r, A, 1, 1, 0);
	r->c = sbox_accept(r->l);
	assert_non_null(r->c);
	assert_int_equal(r->c->s->ops->getname(r->c->s, true, &n), 0);
	assert_int_equal(n.addr.family, AF_INET);
	r->l->s->opt.v6only = true;
	r->iss_known = false;
	in_ex(r, &(struct in){.flags = S, .sport = htons(7001)});
	{
		struct pk *k = out(r);

		assert_int_equal(k->flags, R | A);
		free(k);
	}
	rig_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(passive_open),
		cmocka_unit_test(syn_ack_options),
		cmocka_unit_test(no_options_offered),
		cmocka_unit_test(options_malformed),
		cmocka_unit_test(options_unknown),
		cmocka_unit_test(wscale_too_large),
		cmocka_unit_test(mss_zero_and_tiny),
		cmocka_unit_test(active_open),
		cmocka_unit_test(active_syn),
		cmocka_unit_test(refused),
		cmocka_unit_test(syn_sent_bad_ack),
		cmocka_unit_test(syn_retransmission),
		cmocka_unit_test(syncnt),
		cmocka_unit_test(unreachable_ends_attempt),
		cmocka_unit_test(simultaneous_open),
		cmocka_unit_test(self_connect),
		cmocka_unit_test(closed_port),
		cmocka_unit_test(listener_rules),
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
		cmocka_unit_test(listener_closes),
		cmocka_unit_test(adopt_refused),
		cmocka_unit_test(reuseport_balances),
		cmocka_unit_test(accept_inherits),
		cmocka_unit_test(bind_rules),
		cmocka_unit_test(v6_passive),
		cmocka_unit_test(v6_active),
		cmocka_unit_test(dual_stack),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
