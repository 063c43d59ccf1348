/* The test in netd's place: a netd that does not read, one that does not answer, and one that lies in everything it can
 * write (messages, regions, control blocks, rings, event rings), also while sysd looks at it. sysd must give bounded
 * answers and stay within its memory (the sanitizers say so). */
#include "tests/unit/kernel/harness.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/util.h"
#include "common/chan/ring.h"
#include "common/ipc/fdpass.h"
#include "common/ipc/startup.h"
#include "common/log/log.h"
#include "services/sysd/core/clock.h"
#include "services/sysd/net/inet/client.h"
#include "services/sysd/net/inet/inet.h"
#include "services/sysd/net/net_ns.h"
#include "services/sysd/task/nsproxy.h"

#define SOCKS 24u /* the liar's sockets lie close together, so that it hits them often */

static struct {
	struct ring ring;
	int pass, arena_fd, bell[2];
	uint8_t *arena;
	struct net_msg in, out;
	uint8_t buf[NET_MSG_MAX];
	uint32_t asked[16], asked_count;
	struct net_event_end news;
} liar = {.pass = -1, .arena_fd = -1};

static struct net_ns *ns;
static uint64_t seed = 88172645463325252ull;

static uint32_t rnd(uint32_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 32) % below;
}

static void say(struct net_msg *m)
{
	long n = net_msg_encode(m, liar.buf, sizeof(liar.buf));

	if (n > 0)
		(void)ring_send(&liar.ring, liar.buf, (size_t)n);
}

static struct net_msg *begin(enum net_msg_kind kind)
{
	struct net_msg *m = &liar.out;

	memset(m, 0, sizeof(*m));
	m->kind = (uint8_t)kind;
	m->sock = m->peer = m->pair = NET_SOCK_NONE;
	return m;
}

/* The next request or notice; false: none. */
static bool hear(void)
{
	static uint8_t buf[NET_MSG_MAX];
	ssize_t n = ring_recv(&liar.ring, buf, sizeof(buf));

	if (n < 0)
		return false;
	assert_int_equal(net_msg_decode(buf, (size_t)n, &liar.in), 0);
	return true;
}

/* A life of netd: connects, and waits until sysd has taken it. */
static void live(void)
{
	int fd = ring_create_fd(), pass[2];

	assert_true(fd >= 0);
	if (liar.arena_fd < 0) {
		liar.arena_fd = memfd_create("arena", MFD_CLOEXEC | MFD_ALLOW_SEALING);
		assert_int_equal(ftruncate(liar.arena_fd, NET_ARENA_SIZE), 0);
		assert_int_equal(fcntl(liar.arena_fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW), 0);
		liar.arena = mmap(NULL, NET_ARENA_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE,
				  liar.arena_fd, 0);
		assert_ptr_not_equal(liar.arena, MAP_FAILED);
		assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, liar.bell), 0);
	}
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pass), 0);
	ring_close(&liar.ring);
	assert_int_equal(ring_open(&liar.ring, fd, SBX_RING_SIDE_PEER), 0);
	close_fd(&liar.pass);
	liar.pass = pass[1];
	memset(net_header(liar.arena), 0, offsetof(struct net_header, to_sysd));
	for (uint32_t i = 0; i < SOCKS; i++)
		memset(net_ctl(liar.arena, i), 0, sizeof(struct net_ctl));
	memset(&net_header(liar.arena)->to_sysd, 0, offsetof(struct net_events, slot));
	memset(&net_header(liar.arena)->to_netd, 0, offsetof(struct net_events, slot));
	liar.news = (struct net_event_end){.ring = &net_header(liar.arena)->to_sysd};
	liar.asked_count = 0;
	assert_int_equal(netd_reconnect(fd, pass[0]), 0);
	assert_int_equal(fdpass_send(liar.pass, 1, liar.arena_fd), 0);
	assert_int_equal(fdpass_send(liar.pass, 2, liar.bell[0]), 0);
	begin(NET_UP)->ticket = 1;
	liar.out.ticket2 = 2;
	liar.out.value = NET_ARENA_SIZE;
	say(&liar.out);
	for (int i = 0; i < 100 && !netd_arena(); i++)
		sched_yield_strand();
	assert_non_null(netd_arena());
}

static struct inet_sock *new_sock(int type)
{
	bool stream = type == SOCK_STREAM;
	struct inet_sock *k = inet_alloc(NULL, ns, stream ? &inet_stream_ops : &inet_dgram_ops, AF_INET, type,
					 stream ? 6 : 17);

	assert_non_null(k);
	return k;
}

static void end_sock(struct inet_sock *k)
{
	k->s.ops->release(&k->s);
	socket_unref(&k->s);
}

static struct sock_addr some_addr(void)
{
	struct sock_addr a = {.size = 16};

	a.family = AF_INET;
	a.raw[2] = 0x20; /* a port that needs no privilege */
	memcpy(a.raw + 4, "\x7f\0\0\1", 4);
	return a;
}

/* ---- a netd that does not read, or does not answer ------------------------------------------------ */

static void answer(uint32_t sock)
{
	struct net_msg *m;
	uint32_t req;

	do {
		for (int i = 0; i < 1000 && !hear(); i++)
			sched_yield_strand();
	} while (!liar.in.req);
	req = liar.in.req;
	m = begin(NET_REPLY);
	m->req = req;
	m->sock = sock;
	m->rx = (struct net_place){ALIGN_UP(NET_REGIONS_OFF, 65536ull), 65536};
	m->tx = (struct net_place){m->rx.off + 65536, 65536};
	say(m);
}

static void answers(void *arg)
{
	answer((uint32_t)(uintptr_t)arg);
}

static void attach(struct inet_sock *k, uint32_t index)
{
	assert_int_equal(sched_spawn(answers, (void *)(uintptr_t)index), 0);
	assert_int_equal(inet_attach(k), 0);
	assert_int_equal(k->index, index);
}

static void closes_are_not_lost(struct task *t, void *arg)
{
	struct inet_sock *k[8];
	unsigned told = 0, closed = 0, options = 0;
	struct net_msg *m;
	int err;

	live();
	for (uint32_t i = 0; i < ARRAY_SIZE(k); i++) {
		k[i] = new_sock(SOCK_STREAM);
		attach(k[i], i);
	}
	/* Until the ring is full, and more than are kept. */
	do {
		m = netd_msg(NET_SETOPT);
		m->sock = 0;
		err = netd_tell(m, false);
		told++;
		assert_in_range(told, 1, 10000000);
	} while (!err);
	assert_int_equal(err, -EAGAIN);
	/* A request fails at once, it cannot overtake what waits. */
	m = netd_msg(NET_GETOPT);
	m->sock = 0;
	assert_int_equal(netd_call(m, NULL), -ENOBUFS);
	for (uint32_t i = 0; i < ARRAY_SIZE(k); i++)
		end_sock(k[i]);
	for (int idle = 0; idle < 100; idle++) {
		while (hear()) {
			idle = 0;
			if (liar.in.kind == NET_CLOSE) {
				assert_int_equal(liar.in.sock, closed++); /* in their order, behind all else */
				assert_int_equal(options, told - 1);
			} else if (liar.in.kind == NET_SETOPT) {
				options++;
			}
		}
		sched_yield_strand();
	}
	assert_int_equal(closed, ARRAY_SIZE(k));
	/* And all is well again. */
	k[0] = new_sock(SOCK_DGRAM);
	attach(k[0], 3);
	end_sock(k[0]);
}

static void gives_up_waiting(struct task *t, void *arg)
{
	uint64_t begun = clock_mono_ns();
	struct inet_sock *k;
	uint32_t req;

	live();
	netd_patience_s = 1;
	k = new_sock(SOCK_DGRAM);
	assert_int_equal(inet_attach(k), -ENETDOWN);
	assert_in_range(clock_mono_ns() - begun, NSEC_PER_SEC * 9 / 10, 100 * NSEC_PER_SEC);
	/* The answer comes after all: it is used. */
	while (hear() && liar.in.kind != NET_DO)
		;
	req = liar.in.req;
	begin(NET_REPLY)->req = req;
	liar.out.sock = 5;
	liar.out.tx = liar.out.rx = (struct net_place){ALIGN_UP(NET_REGIONS_OFF, 65536ull), 65536};
	say(&liar.out);
	for (int i = 0; i < 10; i++)
		sched_yield_strand();
	assert_true(k->attached);
	assert_int_equal(k->index, 5);
	end_sock(k);
}

/* An answer must not look like a number that the dispatcher keeps to itself. */
static void restart_answer(void *arg)
{
	uint32_t req;

	for (int i = 0; i < 1000 && !(hear() && liar.in.req); i++)
		sched_yield_strand();
	req = liar.in.req;
	begin(NET_REPLY)->req = req;
	liar.out.error = -512;
	say(&liar.out);
}

static void answers_no_restart(struct task *t, void *arg)
{
	struct inet_sock *k = new_sock(SOCK_DGRAM);

	live();
	assert_int_equal(sched_spawn(restart_answer, NULL), 0);
	assert_int_equal(inet_attach(k), -EPROTO);
	end_sock(k);
}

/* ---- a netd that lies ----------------------------------------------------------------------------- */

static uint64_t some_number(void)
{
	static const uint64_t edges[] = {0, 1, 4095, 4096, 8192, 65536, 131072, 1u << 24, UINT32_MAX, NET_ARENA_SIZE - 8192,
					 NET_ARENA_SIZE, NET_ARENA_SIZE + 8192, INT64_MAX, UINT64_MAX, UINT64_MAX - 8191};

	switch (rnd(4)) {
	case 0: return edges[rnd(ARRAY_SIZE(edges))];
	case 1: return (uint64_t)rnd(1u << 31) << rnd(33);
	case 2: return NET_REGIONS_OFF + rnd(64) * 8192ull;
	default: return rnd(70000);
	}
}

static uint32_t some_sock(void)
{
	switch (rnd(16)) {
	case 0: return NET_SOCK_NONE;
	case 1: return NET_SOCKS_MAX;
	case 2: return (uint32_t)some_number();
	default: return rnd(SOCKS);
	}
}

static struct net_place some_place(void)
{
	if (rnd(2))
		return (struct net_place){some_number(), some_number()};
	return (struct net_place){ALIGN_UP(NET_REGIONS_OFF, 65536ull) + rnd(SOCKS) * 65536ull, 8192ull << rnd(4)};
}

static struct net_name some_name(void)
{
	struct net_name n = {.family = rnd(3) ? AF_INET : AF_INET6, .port = (uint16_t)rnd(65536), .scope = rnd(4)};

	for (unsigned i = 0; i < sizeof(n.addr); i++)
		n.addr[i] = (uint8_t)rnd(256);
	return n;
}

static void lie_by_message(void)
{
	static const uint8_t kinds[] = {NET_REPLY, NET_REPLY, NET_REPLY, NET_CHILD, NET_CHILD, NET_ERROR, NET_NLMSG, NET_UP,
					NET_CLOSE};
	static uint8_t data[4096];
	struct net_msg *m = begin((enum net_msg_kind)kinds[rnd(ARRAY_SIZE(kinds))]);

	m->req = liar.asked_count && rnd(8) ? liar.asked[rnd(MIN(liar.asked_count, (uint32_t)ARRAY_SIZE(liar.asked)))]
					     : rnd(1000);
	m->error = rnd(3) ? 0 : -(int32_t)rnd(4096);
	m->sock = some_sock();
	m->peer = some_sock();
	m->pair = some_sock();
	m->ns = rnd(3);
	m->flags = rnd(2) ? rnd(8) : (uint32_t)some_number();
	m->value = some_number();
	m->value2 = some_number();
	m->ticket = rnd(4);
	m->local = some_name();
	m->remote = some_name();
	m->tx = some_place();
	m->rx = some_place();
	m->data = data;
	m->data_size = rnd(4) ? 0 : rnd(sizeof(data));
	say(m);
}

/* Any word of a block, a record in a ring, or the event ring. */
static void lie_in_memory(uint64_t r, uint64_t value)
{
	uint64_t *ctl = (uint64_t *)(void *)net_ctl(liar.arena, (uint32_t)(r >> 8) % SOCKS);
	struct net_header *h = net_header(liar.arena);

	switch (r % 8) {
	case 0: __atomic_store_n(&h->to_sysd.tail, (uint32_t)value, __ATOMIC_RELAXED); break;
	case 1: __atomic_store_n(&h->to_sysd.slot[(r >> 8) % 64], (uint32_t)value, __ATOMIC_RELAXED); break;
	case 2: __atomic_store_n(&h->to_netd.head, (uint32_t)value, __ATOMIC_RELAXED); break;
	case 3: __atomic_add_fetch(&h->generation, 1, __ATOMIC_RELAXED); break;
	case 4: /* the words of a record's head */
		__atomic_store_n((uint64_t *)(void *)(liar.arena + ALIGN_UP(NET_REGIONS_OFF, 65536ull) +
						      (r >> 8) % SOCKS * 65536 + (r >> 16) % 16 * 8),
				 value, __ATOMIC_RELAXED);
		break;
	case 5: /* positions that are near the truth */
		__atomic_add_fetch(&ctl[(r >> 16) % (sizeof(struct net_ctl) / 8)], value % 256, __ATOMIC_RELAXED);
		break;
	default: __atomic_store_n(&ctl[(r >> 16) % (sizeof(struct net_ctl) / 8)], value, __ATOMIC_RELAXED);
	}
}

static void lie_by_event(void)
{
	uint32_t index = rnd(SOCKS);

	net_event_put(&liar.news, &net_ctl(liar.arena, index)->event_pending, index);
}

static unsigned workers;
static bool over;

static void use_sock(struct inet_sock *k)
{
	static uint8_t bytes[40000];
	struct sock_addr a = some_addr();
	struct sock_msg m = {.name = {.size = 0}};
	struct socket *child;

	uio_init_kernel(&m.u, bytes, rnd(sizeof(bytes)));
	switch (rnd(10)) {
	case 0: (void)k->s.ops->bind(&k->s, NULL, &a); break;
	case 1: (void)k->s.ops->connect(&k->s, NULL, &a, true); break;
	case 2:
		if (k->s.ops->listen)
			(void)k->s.ops->listen(&k->s, NULL, 5);
		break;
	case 3:
		if (k->s.ops->accept && !k->s.ops->accept(&k->s, NULL, true, &child)) {
			inet_installed(child);
			end_sock((struct inet_sock *)child);
		}
		break;
	case 4: (void)k->s.ops->shutdown(&k->s, 1 + rnd(3)); break;
	case 5:
	case 6:
		if (k->s.type == SOCK_DGRAM)
			m.name = a;
		(void)k->s.ops->sendmsg(&k->s, NULL, &m, MSG_DONTWAIT | MSG_NOSIGNAL | (rnd(8) ? 0 : MSG_OOB));
		break;
	case 7: (void)k->s.ops->poll(&k->s, NULL); break;
	default:
		(void)k->s.ops->recvmsg(&k->s, NULL, &m,
					MSG_DONTWAIT | (rnd(4) ? 0 : MSG_PEEK) | (rnd(16) ? 0 : MSG_ERRQUEUE) |
						(rnd(16) ? 0 : MSG_OOB) | (rnd(16) ? 0 : MSG_TRUNC));
	}
}

static void worker(void *arg)
{
	while (!over) {
		struct inet_sock *k = new_sock(rnd(2) ? SOCK_STREAM : SOCK_DGRAM);

		for (unsigned n = 1 + rnd(30); n && !over; n--) {
			use_sock(k);
			sched_yield_strand();
		}
		end_sock(k);
	}
	workers--;
}

#ifndef __SANITIZE_THREAD__
static void *scribbler(void *arg)
{
	uint64_t r = 1;

	while (!__atomic_load_n(&over, __ATOMIC_RELAXED)) {
		r = r * 6364136223846793005u + 1442695040888963407u;
		lie_in_memory(r >> 20, r >> (r >> 58));
		if (!(r >> 40 & 1023)) {
			struct timespec ts = {0, 100000};

			nanosleep(&ts, NULL);
		}
	}
	return NULL;
}
#endif

static void lies(struct task *t, void *arg)
{
	uint64_t end = clock_mono_ns() + 2 * NSEC_PER_SEC;
	unsigned steps = 0, lives = 1;
	uint32_t epoch;

	netd_patience_s = 1;
	live();
	epoch = netd_epoch();
	for (unsigned i = 0; i < 6; i++) {
		workers++;
		assert_int_equal(sched_spawn(worker, NULL), 0);
	}
	for (; clock_mono_ns() < end; steps++) {
		if (!netd_arena() || netd_epoch() != epoch || !rnd(3000)) { /* it was caught, or dies by itself */
			live();
			epoch = netd_epoch();
			lives++;
		}
		while (hear())
			if (liar.in.req)
				liar.asked[liar.asked_count++ % ARRAY_SIZE(liar.asked)] = liar.in.req;
		for (unsigned n = rnd(4); n; n--) {
			switch (rnd(4)) {
			case 0: lie_in_memory((uint64_t)rnd(UINT32_MAX) << 8 | rnd(8), some_number()); break;
			case 1: lie_by_event(); break;
			default: lie_by_message();
			}
		}
		if (!rnd(2000)) /* a message that is none */
			(void)ring_send(&liar.ring, liar.buf, rnd(200));
		sched_yield_strand();
	}
	__atomic_store_n(&over, true, __ATOMIC_RELAXED);
	live(); /* whoever waits is let go */
	while (workers)
		sched_yield_strand();
	print_message("      %u steps, %u lives\n", steps, lives);
	assert_true(steps > 100);
}

static void survives_lies(void **state)
{
	pthread_t thread;
	bool changing = false;

	over = false;
	ktest_spawn(lies, NULL);
#ifndef __SANITIZE_THREAD__
	if (*state) {
		changing = true;
		/* the memory has been there since the first test */
		assert_int_equal(pthread_create(&thread, NULL, scribbler, NULL), 0);
	}
#endif
	ktest_run();
	if (changing)
		pthread_join(thread, NULL);
}

static void survives_changing_memory(void **state)
{
	*state = state;
	survives_lies(state);
	*state = NULL;
}

#define RUN(fn)                              \
	static void run_##fn(void **state)   \
	{                                    \
		ktest_call(fn, NULL);        \
	}
RUN(closes_are_not_lost)
RUN(gives_up_waiting)
RUN(answers_no_restart)

static int setup(void **state)
{
	log_init("test", open("/dev/null", O_WRONLY | O_CLOEXEC), LOG_ERROR_, LOG_TEXT);
	ns = net_ns_new();
	return ns ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(run_closes_are_not_lost), cmocka_unit_test(run_gives_up_waiting),
		cmocka_unit_test(run_answers_no_restart),  cmocka_unit_test(survives_lies),
		cmocka_unit_test(survives_changing_memory),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
