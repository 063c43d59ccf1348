/* Connections that begin: handshakes both ways, options well- and malformed, and where nobody listens. */
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
