/* The stack's TCP against the host's: both ways at once, over a TAP with the mishaps of a network in between, every byte
 * compared at both ends. Short as it is; with SBX_LONG=1 a gibibyte in all. */
#include <fcntl.h>
#include <linux/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "rig.h"

#include "hostside.h"
#include "relay.h"

struct trial {
	const char *name;
	uint32_t kib;            /* each way, in the short run */
	uint32_t long_kib;
	struct mishaps up, down;
	uint32_t mtu;            /* 0: 1500 */
	bool offload, v6, accepts;   /* accepts: the stack does */
	const char *ours, *theirs; /* congestion control */
	uint32_t ring;           /* 0: 1 MiB */
};

static uint64_t mono_ns(void *arg)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static uint64_t real_ns(void *arg)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void rnd(void *arg, void *buf, size_t size)
{
	if (getrandom(buf, size, 0) != (ssize_t)size)
		abort();
}

/* One round of everything, and a rest when nothing moved. */
static void turn(struct netstack *st, struct relay *r, bool moved)
{
	uint64_t now = mono_ns(NULL) / 1000, next;
	int64_t wait;
	struct pollfd p = {relay_fd(r), POLLIN, 0};
	struct timespec ts;

	netstack_tick(st);
	moved |= relay_run(r, now);
	netstack_run(st);
	if (moved)
		return;
	next = relay_next(r);
	wait = netstack_next_due(st) * 1000;
	if (wait < 0)
		wait = 100000;
	now = mono_ns(NULL) / 1000;
	if (next != UINT64_MAX)
		wait = MIN(wait, next > now ? (int64_t)(next - now) : 0);
	wait = MIN(wait, (int64_t)100000);
	ts = (struct timespec){0, wait * 1000};
	ppoll(&p, 1, &ts, NULL);
}

static bool pump(struct sbox *b, struct stream *tx, struct stream *rx, bool *shut)
{
	static uint8_t buf[65536];
	bool moved = false;
	uint64_t n;

	while (tx->left && (n = bytering_room(&b->wr)) >= MIN(tx->left, (uint64_t)4096)) {
		uint32_t k = stream_fill(tx, buf, (uint32_t)MIN(n, sizeof(buf)));

		assert_int_equal(sbox_write(b, buf, k), k);
		moved = true;
	}
	if (!tx->left && !*shut) {
		*shut = true;
		b->s->ops->shutdown(b->s, false, true);
	}
	while ((n = sbox_read(b, buf, sizeof(buf)))) {
		if (!stream_check(rx, buf, (uint32_t)n))
			fail_msg("wrong bytes before %llu from the end", (unsigned long long)rx->left);
		moved = true;
	}
	return moved;
}

static void trial(void **state)
{
	const struct trial *t = *state;
	struct netstack_env env = {mono_ns, real_ns, rnd, NULL};
	struct netstack *st = netstack_new(&env);
	bool is_long = getenv("SBX_LONG") != NULL, shut = false;
	uint64_t bytes = (is_long ? t->long_kib : t->kib) * UINT64_C(1024), begin, moved_at, sent_ms = 0, got_ms = 0;
	static uint16_t port = 5000;
	struct relay *r;
	struct sbox *l = NULL, *b = NULL;
	struct stream tx, rx;
	struct tcp_info_abi info;
	pid_t pid;

	port++;
	r = relay_new(st, "sbxtap0", t->mtu ? t->mtu : 1500, t->offload);
	assert_non_null(r);
	world_addr(relay_netif(r), "10.77.0.1/24");
	world_addr(relay_netif(r), "fd77::1/64");
	relay_mishaps(r, true, &t->up);
	relay_mishaps(r, false, &t->down);
	sbox_tx_size = sbox_rx_size = t->ring ? t->ring : 1 << 20;
	if (t->accepts) {
		l = sbox_listen(st, t->v6 ? "::" : "0.0.0.0", port, 5);
		if (t->ours)
			l->s->ops->setopt(l->s, IPPROTO_TCP, TCP_CONGESTION, t->ours, (uint32_t)strlen(t->ours));
	}
	pid = hostside_start(!t->accepts, t->v6, port, bytes, t->theirs ? t->theirs : "cubic");
	begin = moved_at = mono_ns(NULL);
	if (t->accepts) {
		while (!(b = sbox_accept(l))) {
			turn(st, r, false);
			assert_true(mono_ns(NULL) - begin < 100000000000);
		}
	} else {
		b = sbox_new(st, t->v6 ? AF_INET6 : AF_INET);
		if (t->ours)
			b->s->ops->setopt(b->s, IPPROTO_TCP, TCP_CONGESTION, t->ours, (uint32_t)strlen(t->ours));
		netstack_tick(st);
		assert_int_equal(sbox_connect(b, t->v6 ? "fd77::2" : "10.77.0.2", port), -EINPROGRESS);
	}
	/* Which of the two seeds is whose is seen from the host. */
	stream_init(&tx, t->accepts ? 2 : 1, bytes);
	stream_init(&rx, t->accepts ? 1 : 2, bytes);
	while (tx.left || rx.left || !bytering_finished(&b->rd) || tcp_sk(b->s)->state == TCP_ESTABLISHED) {
		bool moved = false;

		netstack_tick(st);
		assert_int_equal(b->s->err, 0);
		if (sbox_state(b) != TCP_SYN_SENT)
			moved = pump(b, &tx, &rx, &shut);
		turn(st, r, moved);
		if (moved)
			moved_at = mono_ns(NULL);
		if (!rx.left && !got_ms)
			got_ms = (mono_ns(NULL) - begin) / 1000000;
		if (shut && !sent_ms && !tcp_sk(b->s)->packets_out && !tcp_send_pending(tcp_sk(b->s)))
			sent_ms = (mono_ns(NULL) - begin) / 1000000;
		if (mono_ns(NULL) - moved_at > 100000000000)
			fail_msg("nothing moved for 100 s: %llu to send, %llu to come, state %u",
				 (unsigned long long)tx.left, (unsigned long long)rx.left, sbox_state(b));
		if (rx.left == 0 && tx.left == 0)
			bytering_avail(&b->rd);
	}
	sbox_info(b, &info);
	if (getenv("SBX_SAY"))
		print_message("  %s: %llu KiB sent in %llu ms (0: not yet), received in %llu ms; retransmitted %u, spurious %u, time-outs %u, out of order %u\n",
			      t->name, (unsigned long long)bytes / 1024, (unsigned long long)sent_ms,
			      (unsigned long long)got_ms, info.total_retrans, info.dsack_dups, info.total_rto,
			      info.rcv_ooopack);
	/* Its FIN and our last ACK have to come through too. */
	sbox_close(b, false);
	for (begin = mono_ns(NULL); !b->done && mono_ns(NULL) - begin < 30000000000;)
		turn(st, r, false);
	for (begin = mono_ns(NULL); kill(pid, 0) == 0 && mono_ns(NULL) - begin < 30000000000;) {
		siginfo_t si = {0};

		turn(st, r, false);
		if (waitid(P_PID, (id_t)pid, &si, WEXITED | WNOHANG | WNOWAIT) == 0 && si.si_pid == pid)
			break;
	}
	assert_int_equal(hostside_wait(pid), 0);
	assert_true(b->done);
	sbox_free(b);
	sbox_free(l);
	netstack_free(st);
	relay_free(r);
	sbox_reap();
}

#define BOTH(...) .up = {__VA_ARGS__}, .down = {__VA_ARGS__}
static const struct trial trials[] = {
	{"clean, offload", 32768, 262144, .offload = true},
	{"clean, offload, IPv6, accepting", 16384, 131072, .offload = true, .v6 = true, .accepts = true},
	{"clean, segments", 8192, 65536, .accepts = true},
	{"loss 0.1 %", 8192, 32768, BOTH(.loss_ppm = 1000, .delay_us = 1000)},
	{"loss 1 %, accepting", 2048, 16384, .accepts = true, BOTH(.loss_ppm = 10000, .delay_us = 2000)},
	{"loss 5 %", 512, 4096, BOTH(.loss_ppm = 50000, .delay_us = 1000)},
	{"loss 5 % of super-segments, Reno", 512, 4096, BOTH(.loss_ppm = 50000, .delay_us = 1000), .offload = true,
	 .ours = "reno", .theirs = "reno"},
	{"reordering", 2048, 16384, BOTH(.reorder_ppm = 50000, .reorder_us = 3000, .delay_us = 5000)},
	{"reordering beyond a round trip", 512, 4096, BOTH(.reorder_ppm = 10000, .reorder_us = 30000, .delay_us = 2000)},
	{"duplication", 4096, 32768, BOTH(.dup_ppm = 100000, .delay_us = 1000)},
	{"corruption", 1024, 8192, BOTH(.corrupt_ppm = 10000, .delay_us = 1000), .accepts = true},
	{"200 ms", 1024, 16384, BOTH(.delay_us = 100000)},
	{"1 MB/s with a short queue", 1024, 8192, BOTH(.rate = 1000000, .delay_us = 10000, .queue = 30000)},
	{"MTU 576", 1024, 8192, .mtu = 576, .accepts = true, BOTH(.loss_ppm = 5000, .delay_us = 1000)},
	{"MTU 1280, IPv6", 1024, 8192, .mtu = 1280, .v6 = true, BOTH(.loss_ppm = 5000, .delay_us = 1000)},
	{"MTU 9000", 4096, 32768, .mtu = 9000, BOTH(.loss_ppm = 1000, .delay_us = 1000)},
	{"asymmetric", 1024, 8192, .up = {.rate = 500000, .delay_us = 20000, .loss_ppm = 1000},
	 .down = {.delay_us = 1000, .loss_ppm = 20000}},
	{"asymmetric the other way, accepting", 1024, 8192, .accepts = true, .up = {.loss_ppm = 20000},
	 .down = {.rate = 500000, .delay_us = 30000, .reorder_ppm = 5000, .reorder_us = 10000}},
	{"tiny rings", 512, 4096, .ring = 8192, BOTH(.loss_ppm = 2000, .delay_us = 500)},
	{"everything", 512, 8192, BOTH(.loss_ppm = 10000, .dup_ppm = 10000, .corrupt_ppm = 5000, .reorder_ppm = 20000,
				       .reorder_us = 4000, .delay_us = 3000, .jitter_us = 500)},
	{"everything, BBR on the other side", 512, 8192, .accepts = true, .theirs = "bbr",
	 BOTH(.loss_ppm = 10000, .dup_ppm = 10000, .reorder_ppm = 20000, .reorder_us = 4000, .delay_us = 3000)},
};

int main(int argc, char **argv)
{
	struct CMUnitTest tests[ARRAY_SIZE(trials)];
	unsigned n = 0;

	if (geteuid() != 0 || access("/dev/net/tun", R_OK | W_OK) < 0 || unshare(CLONE_NEWNET) < 0) {
		fprintf(stderr, "skipped: it takes root and /dev/net/tun\n");
		return 77;
	}
	signal(SIGPIPE, SIG_IGN);
	for (unsigned i = 0; i < ARRAY_SIZE(trials); i++) {
		if (argc > 1 && !strstr(trials[i].name, argv[1]))
			continue;
		tests[n++] = (struct CMUnitTest){trials[i].name, trial, NULL, NULL, (void *)(uintptr_t)&trials[i]};
	}
	return _cmocka_run_group_tests("linux_tcp", tests, n, NULL, NULL);
}
