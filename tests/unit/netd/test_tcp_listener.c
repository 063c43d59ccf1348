/* Listeners: their end, their names, what a connection inherits; IPv6 and dual stacks. */
#include "rig.h"

#include <arpa/inet.h>

static const struct rig_opts plain;

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
	struct rig *r = rig_half_open(&plain);

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
