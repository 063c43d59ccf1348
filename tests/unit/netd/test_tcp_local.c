/* Connections of a machine to itself, pairs whose data the owner moves, and many connections at once. */
#include "rig.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <time.h>

struct local {
	struct world *w;
	struct sbox *l, *c, *s;
};

static struct local *local_new(bool pair)
{
	struct local *x = calloc(1, sizeof(*x));

	sbox_pair = pair;
	sbox_tx_size = sbox_rx_size = 256 * 1024;
	x->w = world_new(false);
	x->l = sbox_listen(x->w->a, "0.0.0.0", 80, 5);
	x->c = sbox_new(x->w->a, AF_INET);
	assert_int_equal(sbox_connect(x->c, "127.0.0.1", 80), -EINPROGRESS);
	netstack_run(x->w->a); /* one round is enough */
	assert_int_equal(sbox_state(x->c), TCP_ESTABLISHED);
	x->s = sbox_accept(x->l);
	assert_non_null(x->s);
	return x;
}

static void local_free(struct local *x)
{
	sbox_free(x->c);
	sbox_free(x->s);
	sbox_free(x->l);
	world_free(x->w);
	free(x);
	sbox_pair = false;
}

struct states {
	int n[16];
};

static bool count_state(void *arg, const struct tcp_row *row)
{
	((struct states *)arg)->n[row->state]++;
	return true;
}

static struct states states(struct local *x)
{
	struct states s = {0};

	tcp_dump(x->w->a, count_state, &s);
	return s;
}

static void loopback_data(void **state)
{
	struct local *x = local_new(false);
	struct tcp_info_abi i;
	uint64_t sent = 0, got = 0;
	uint8_t buf[65536];

	for (unsigned k = 0; k < 200; k++) {
		size_t n;

		sent += sbox_pattern(x->c, sent, 200000);
		world_run(x->w);
		while ((n = sbox_read(x->s, buf, sizeof(buf)))) {
			for (size_t j = 0; j < n; j += 997)
				assert_int_equal(buf[j], rig_byte(got + j));
			got += n;
		}
		x->w->now_ns += 50000;
		world_run(x->w);
	}
	world_pass(x->w, 1000);
	assert_true(got > 10 << 20);
	sbox_info(x->c, &i);
	assert_int_equal(i.total_retrans, 0);
	assert_true(i.snd_mss > 60000);
	local_free(x);
}

static void loopback_ping_pong(void **state)
{
	struct local *x = local_new(false);
	uint8_t byte;

	for (unsigned k = 0; k < 1000; k++) {
		/* One round carries it there, whatever was acknowledged or not: no delay of any kind. */
		sbox_write(x->c, "x", 1);
		netstack_run(x->w->a);
		assert_int_equal(sbox_read(x->s, &byte, 1), 1);
		sbox_write(x->s, "y", 1);
		netstack_run(x->w->a);
		assert_int_equal(sbox_read(x->c, &byte, 1), 1);
	}
	local_free(x);
}

static void refused_locally(void **state)
{
	struct world *w = world_new(false);
	struct sbox *c = sbox_new(w->a, AF_INET);

	sbox_connect(c, "127.0.0.1", 81);
	netstack_run(w->a);
	assert_int_equal(nsock_take_error(c->s), ECONNREFUSED);
	sbox_free(c);
	/* 0.0.0.0 is this machine. */
	c = sbox_new(w->a, AF_INET);
	sbox_connect(c, "0.0.0.0", 81);
	netstack_run(w->a);
	assert_int_equal(nsock_take_error(c->s), ECONNREFUSED);
	sbox_free(c);
	world_free(w);
}

/* ---- pairs ---- */

static void pair_is_offered(void **state)
{
	struct local *x = local_new(true);
	struct tcp_info_abi i;

	assert_ptr_equal(x->c->peer, x->s);
	assert_true(tcp_sk(x->c->s)->paired && tcp_sk(x->s->s)->paired);
	nsock_pair_account(x->c->s, 5000, 100);
	nsock_pair_account(x->s->s, 100, 5000);
	sbox_info(x->c, &i);
	assert_int_equal(i.state, TCP_ESTABLISHED);
	assert_int_equal(i.bytes_acked, 5000);
	assert_int_equal(i.bytes_received, 100);
	assert_int_equal(tcp_sk(x->c->s)->snd_nxt, tcp_sk(x->s->s)->rcv_nxt);
	local_free(x);
}

static void tapped_is_not_offered(void **state)
{
	struct netif_tap tap = {0};
	struct world *w = world_new(false);
	struct sbox *l, *c, *s;

	sbox_pair = true;
	tap.fn = NULL;
	(void)tap;
	l = sbox_listen(w->a, "0.0.0.0", 80, 5);
	c = sbox_new(w->a, AF_INET);
	/* Data is under way before the handshake is over: not offered either. */
	sbox_connect(c, "127.0.0.1", 80);
	sbox_put(c, "abc", 3);
	netstack_run(w->a);
	s = sbox_accept(l);
	assert_non_null(s);
	assert_false(tcp_sk(c->s)->paired);
	c->s->ops->tx_ready(c->s, false);
	world_run(w);
	assert_int_equal(bytering_avail(&s->rd), 3);
	sbox_free(c);
	sbox_free(s);
	sbox_free(l);
	world_free(w);
	sbox_pair = false;
}

static void pair_half_close(void **state)
{
	struct local *x = local_new(true);
	struct states st;

	nsock_pair_shutdown(x->c->s);
	st = states(x);
	assert_int_equal(st.n[TCP_FIN_WAIT2], 1);
	assert_int_equal(st.n[TCP_CLOSE_WAIT], 1);
	assert_true(x->s->events & NSOCK_RDHUP);
	nsock_pair_shutdown(x->s->s);
	st = states(x);
	assert_int_equal(st.n[TCP_TIME_WAIT], 1);
	assert_int_equal(st.n[TCP_FIN_WAIT2] + st.n[TCP_CLOSE_WAIT] + st.n[TCP_LAST_ACK], 0);
	assert_true(x->c->events & NSOCK_HUP);
	sbox_close(x->c, false);
	sbox_close(x->s, false);
	assert_true(x->c->done && x->s->done);
	local_free(x);
}

static void pair_close_one_then_other(void **state)
{
	struct local *x = local_new(true);
	struct states st;

	sbox_close(x->c, false);
	assert_true(x->c->done);
	st = states(x);
	assert_int_equal(st.n[TCP_FIN_WAIT2], 1);
	assert_int_equal(st.n[TCP_CLOSE_WAIT], 1);
	sbox_close(x->s, false);
	assert_true(x->s->done);
	st = states(x);
	assert_int_equal(st.n[TCP_FIN_WAIT2], 0);
	assert_int_equal(st.n[TCP_TIME_WAIT], 1);
	world_pass(x->w, 61000);
	st = states(x);
	assert_int_equal(st.n[TCP_TIME_WAIT], 0);
	local_free(x);
}

static void pair_reset(void **state)
{
	struct local *x = local_new(true);
	struct states st;

	sbox_close(x->c, true);
	assert_true(x->c->done);
	assert_int_equal(nsock_take_error(x->s->s), ECONNRESET);
	assert_true(x->s->events & NSOCK_ERR);
	st = states(x);
	assert_int_equal(st.n[TCP_ESTABLISHED] + st.n[TCP_FIN_WAIT2] + st.n[TCP_TIME_WAIT], 0);
	local_free(x);
}

static void pair_writes_to_closed_end(void **state)
{
	struct local *x = local_new(true);

	sbox_close(x->c, false);
	nsock_pair_reset(x->s->s);
	assert_int_equal(nsock_take_error(x->s->s), EPIPE);
	assert_int_equal(states(x).n[TCP_FIN_WAIT2], 0);
	local_free(x);
}

static void pair_takes_no_forgeries(void **state)
{
	struct local *x = local_new(true);
	struct tcp_sock *tp = tcp_sk(x->c->s);
	uint8_t d[40] = {0x45, 0, 0, 40, 0, 0, 0x40, 0, 64, 6};
	struct tcp_hdr *h = (struct tcp_hdr *)(d + 20);
	struct pkt *p = pkt_alloc(40);
	uint16_t c;

	memcpy(d + 12, &tp->node.raddr.v4, 4);
	memcpy(d + 16, &tp->node.laddr.v4, 4);
	c = csum_fold(csum_partial(d, 20, 0));
	memcpy(d + 10, &c, 2);
	h->sport = tp->node.rport;
	h->dport = tp->node.lport;
	h->seq = htonl(tp->rcv_nxt);
	h->off = 5 << 4;
	h->flags = SEG_RST;
	memcpy(p->data, d, 40);
	p->len = 40;
	p->protocol = 0x0800;
	p->csum = PKT_CSUM_VALID;
	netif_input(netif_loopback(x->w->a), p);
	assert_int_equal(sbox_state(x->c), TCP_ESTABLISHED);
	local_free(x);
}

static void pair_killed(void **state)
{
	struct local *x = local_new(true);

	assert_int_equal(tcp_kill(x->c->s), 0);
	assert_int_equal(nsock_take_error(x->s->s), ECONNRESET);
	local_free(x);
}

/* ---- many ---- */

static uint64_t cpu_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* Connections by the tens of thousands: found at once, and a tick does not look at them. */
static void many(void **state)
{
	enum { N = 20000, PER_PORT = 2000 };
	struct world *w = world_new(false);
	struct sbox **l = calloc(N / PER_PORT, sizeof(*l)), **c = calloc(N, sizeof(*c)), **s = calloc(N, sizeof(*s));
	uint64_t t0, t1;
	unsigned got = 0;
	struct tcp_counts n;

	sbox_tx_size = sbox_rx_size = 4096;
	for (unsigned i = 0; i < N / PER_PORT; i++)
		l[i] = sbox_listen(w->a, "0.0.0.0", 8000 + i, 100);
	for (unsigned i = 0; i < N; i++) {
		c[i] = sbox_new(w->a, AF_INET);
		assert_int_equal(sbox_connect(c[i], "127.0.0.1", 8000 + i / PER_PORT), -EINPROGRESS);
		netstack_run(w->a);
		s[i] = sbox_accept(l[i / PER_PORT]);
		got += s[i] != NULL;
		/* Half of them with keep-alive on. */
		if (i & 1) {
			c[i]->s->opt.keepalive = true;
			c[i]->s->ops->opt_changed(c[i]->s);
		}
	}
	assert_int_equal(got, N);
	tcp_count(w->a, &n);
	assert_int_equal(n.allocated, 2 * N + N / PER_PORT);
	world_pass(w, 1000);
	t0 = cpu_ms();
	for (unsigned i = 0; i < 100000; i++) {
		w->now_ns += 1000000;
		netstack_run(w->a);
	}
	t1 = cpu_ms();
	/* 100,000 ticks: a microsecond each is plenty even on a busy machine under a sanitizer. */
	assert_true(t1 - t0 < 5000);
	for (unsigned i = 0; i < N; i += 7) {
		sbox_write(c[i], "z", 1);
		netstack_run(w->a);
		assert_int_equal(bytering_avail(&s[i]->rd), 1);
	}
	for (unsigned i = 0; i < N; i++) {
		sbox_free(c[i]);
		netstack_run(w->a);
		sbox_free(s[i]);
	}
	for (unsigned i = 0; i < N / PER_PORT; i++)
		sbox_free(l[i]);
	tcp_count(w->a, &n);
	assert_int_equal(n.allocated, 0);
	free(l);
	free(c);
	free(s);
	world_free(w);
}

/* Short connections in a row: ports come back, TIME_WAIT entries are bounded in number and time, nothing leaks. */
static void short_connections(void **state)
{
	struct world *w = world_new(false);
	struct sbox *l, *c, *s;
	struct tcp_counts n;

	sbox_tx_size = sbox_rx_size = 4096;
	l = sbox_listen(w->a, "0.0.0.0", 80, 100);
	for (unsigned i = 0; i < 50000; i++) {
		c = sbox_new(w->a, AF_INET);
		assert_int_equal(sbox_connect(c, "127.0.0.1", 80), -EINPROGRESS);
		netstack_run(w->a);
		s = sbox_accept(l);
		assert_non_null(s);
		sbox_close(c, false);
		netstack_run(w->a);
		sbox_close(s, false);
		netstack_run(w->a);
		assert_true(c->done && s->done);
		sbox_free(c);
		sbox_free(s);
		w->now_ns += 3000000;
	}
	tcp_count(w->a, &n);
	assert_true(n.time_wait > 1000 && n.time_wait < 28232);
	world_pass(w, 61000);
	tcp_count(w->a, &n);
	assert_int_equal(n.time_wait, 0);
	assert_int_equal(n.allocated, 1);
	sbox_free(l);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(loopback_data),
		cmocka_unit_test(loopback_ping_pong),
		cmocka_unit_test(refused_locally),
		cmocka_unit_test(pair_is_offered),
		cmocka_unit_test(tapped_is_not_offered),
		cmocka_unit_test(pair_half_close),
		cmocka_unit_test(pair_close_one_then_other),
		cmocka_unit_test(pair_reset),
		cmocka_unit_test(pair_writes_to_closed_end),
		cmocka_unit_test(pair_takes_no_forgeries),
		cmocka_unit_test(pair_killed),
		cmocka_unit_test(many),
		cmocka_unit_test(short_connections),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
