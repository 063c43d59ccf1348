/* Two stacks over a wire with every mishap: what is written at one end is read at the other, and nothing is left behind. */
#include "rig.h"

struct flow {
	struct sbox *b;
	uint64_t sent, got, want;
	uint64_t sum_sent, sum_got;
	bool shut;
};

static uint8_t next_byte(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return (uint8_t)*x;
}

/* Writes and reads what can be; FNV over all bytes each way. */
static bool flow_step(struct flow *f, uint64_t *seed)
{
	static uint8_t buf[65536];
	bool moved = false;
	size_t n;

	if (!f->b->s)
		return false;
	while (f->sent < f->want) {
		n = (size_t)MIN((uint64_t)sizeof(buf), f->want - f->sent);
		n = MIN(n, (size_t)bytering_room(&f->b->wr));
		if (!n)
			break;
		for (size_t i = 0; i < n; i++) {
			buf[i] = next_byte(seed);
			f->sum_sent = (f->sum_sent ^ buf[i]) * 1099511628211u;
		}
		assert_int_equal(sbox_write(f->b, buf, n), n);
		f->sent += n;
		moved = true;
	}
	if (f->sent == f->want && !f->shut) {
		f->b->s->ops->shutdown(f->b->s, false, true);
		f->shut = true;
		moved = true;
	}
	while ((n = sbox_read(f->b, buf, sizeof(buf)))) {
		for (size_t i = 0; i < n; i++)
			f->sum_got = (f->sum_got ^ buf[i]) * 1099511628211u;
		f->got += n;
		moved = true;
	}
	return moved;
}

static void bulk(uint64_t bytes, const struct mempair_faults *ab, const struct mempair_faults *ba, uint32_t mtu,
		 uint32_t features, const char *ca, uint64_t limit_ms, bool v6)
{
	struct world *w = world_new_ex(mtu, features, true);
	struct sbox *l, *c, *s = NULL;
	struct flow fc, fs;
	uint64_t seed_c = 1, seed_s = 2, begin = w->now_ns;
	struct tcp_info_abi info;
	unsigned idle = 0;

	sbox_tx_size = sbox_rx_size = 1024 * 1024;
	mempair_set_faults(w->wire, 0, ab);
	mempair_set_faults(w->wire, 1, ba);
	l = sbox_listen(w->b, v6 ? "::" : "0.0.0.0", 5001, 5);
	c = sbox_new(w->a, v6 ? AF_INET6 : AF_INET);
	if (ca)
		assert_int_equal(c->s->ops->setopt(c->s, IPPROTO_TCP, TCP_CONGESTION, ca, (uint32_t)strlen(ca)), 0);
	assert_int_equal(sbox_connect(c, v6 ? "fd00::2" : "10.0.0.2", 5001), -EINPROGRESS);
	for (int i = 0; i < 100000 && !s; i++) {
		world_pass(w, 1);
		s = sbox_accept(l);
	}
	assert_non_null(s);
	fc = (struct flow){.b = c, .want = bytes};
	fs = (struct flow){.b = s, .want = bytes};
	while (fc.got < bytes || fs.got < bytes || c->s || s->s) {
		bool moved = flow_step(&fc, &seed_c);

		moved |= flow_step(&fs, &seed_s);
		world_run(w);
		if (!moved) {
			int64_t da = netstack_next_due(w->a), db = netstack_next_due(w->b), step = 1;

			if (da > 0 && db > 0)
				step = MIN(da, db);
			w->now_ns += (uint64_t)MAX(MIN(step, (int64_t)50), (int64_t)1) * 1000000;
			world_run(w);
		} else {
			w->now_ns += 20000;
		}
		if (fc.got == bytes && fs.got == bytes) {
			if (!idle++) {
				sbox_info(c, &info);
				if (getenv("TCP_BULK_SAY"))
					print_message("%llu ms, cwnd %u, rtt %u us, retransmitted %u, dup %u, rto %u\n",
						      (unsigned long long)((w->now_ns - begin) / 1000000),
						      info.snd_cwnd, info.rtt, info.total_retrans, info.dsack_dups,
						      info.total_rto);
				sbox_close(c, false);
				sbox_close(s, false);
			}
		}
		if ((w->now_ns - begin) / 1000000 > limit_ms)
			fail_msg("after %llu ms: %llu and %llu of %llu bytes, states %u %u, in flight %u",
				 (unsigned long long)limit_ms, (unsigned long long)fc.got,
				 (unsigned long long)fs.got, (unsigned long long)bytes, sbox_state(c), sbox_state(s),
				 c->s ? tcp_in_flight(tcp_sk(c->s)) : 0);
	}
	assert_int_equal(fc.sum_sent, fs.sum_got);
	assert_int_equal(fs.sum_sent, fc.sum_got);
	sbox_free(c);
	sbox_free(s);
	sbox_free(l);
	world_free(w);
}

static void clean(void **state)
{
	static const struct mempair_faults none = {.delay_ms = 1};

	bulk(8 << 20, &none, &none, 1500, 0, NULL, 60000, false);
}

static void clean_offload(void **state)
{
	static const struct mempair_faults none = {.delay_ms = 1};

	bulk(16 << 20, &none, &none, 1500, NETIF_F_CSUM | NETIF_F_TSO, NULL, 60000, true);
}

static void all_mishaps(void **state)
{
	static const struct mempair_faults bad = {.loss_ppm = 10000, .dup_ppm = 5000, .reorder_ppm = 10000,
						  .reorder_ms = 4, .corrupt_ppm = 2000, .delay_ms = 5, .jitter_ms = 1,
						  .rate = 40 << 20, .queue = 500};

	bulk(64 << 20, &bad, &bad, 1500, 0, NULL, 3000000, false);
}

static void reno_small_mtu(void **state)
{
	static const struct mempair_faults bad = {.loss_ppm = 5000, .reorder_ppm = 5000, .reorder_ms = 30,
						  .delay_ms = 20, .rate = 4 << 20};

	bulk(3 << 20, &bad, &bad, 576, 0, "reno", 600000, false);
}

static void asymmetric(void **state)
{
	static const struct mempair_faults ab = {.loss_ppm = 1000, .delay_ms = 60, .rate = 2 << 20},
					   ba = {.loss_ppm = 30000, .delay_ms = 2, .rate = 20 << 20, .dup_ppm = 20000};

	bulk(2 << 20, &ab, &ba, 9000, NETIF_F_CSUM | NETIF_F_TSO, NULL, 600000, true);
}

/* Rings begin with 64 KiB; over 100 ms that would be 640 KiB a second. They are asked to grow as slow start goes on. */
static void buffers_grow(void **state)
{
	static const struct mempair_faults delay = {.delay_ms = 50, .queue = 100000};
	static uint8_t buf[65536];
	struct world *w;
	struct sbox *l, *c, *s = NULL;
	uint64_t got = 0, end;
	size_t n;

	sbox_tx_size = sbox_rx_size = 65536;
	sbox_arena = 32 << 20;
	w = world_new_ex(1500, NETIF_F_CSUM | NETIF_F_TSO, true);
	mempair_set_faults(w->wire, 0, &delay);
	mempair_set_faults(w->wire, 1, &delay);
	l = sbox_listen(w->b, "0.0.0.0", 5001, 5);
	c = sbox_new(w->a, AF_INET);
	assert_int_equal(sbox_connect(c, "10.0.0.2", 5001), -EINPROGRESS);
	while (!(s = sbox_accept(l)))
		world_pass(w, 1);
	end = w->now_ns + 4000000000u;
	while (w->now_ns < end) {
		if (c->wr.next.base)
			bytering_room(&c->wr);
		while ((n = (size_t)MIN(bytering_room(&c->wr), sizeof(buf))))
			sbox_write(c, buf, n);
		while ((n = sbox_read(s, buf, sizeof(buf))))
			got += n;
		world_pass(w, 1);
	}
	if (getenv("TCP_BULK_SAY"))
		print_message("%llu KiB in 4 s; rings %llu, %llu KiB; cwnd %u\n", (unsigned long long)got >> 10,
			      (unsigned long long)c->wr.cur.size >> 10, (unsigned long long)s->rd.cur.size >> 10,
			      tcp_sk(c->s)->snd_cwnd);
	assert_true(got > 40 << 20);
	sbox_free(c);
	sbox_free(s);
	sbox_free(l);
	world_free(w);
	sbox_arena = 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clean),
		cmocka_unit_test(clean_offload),
		cmocka_unit_test(all_mishaps),
		cmocka_unit_test(reno_small_mtu),
		cmocka_unit_test(asymmetric),
		cmocka_unit_test(buffers_grow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
