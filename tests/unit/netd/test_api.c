/* netd's server of sysd's requests, with the test in sysd's place: sockets, connections within, datagrams, and a sysd
 * that lies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/util.h"
#include "common/ipc/fdpass.h"
#include "common/ipc/startup.h"
#include "netd/api/api.h"
#include "netd/core/netif.h"
#include "netd/core/stack.h"

static struct api *api;
static struct netstack *st;
static struct ring ring;
static struct fdpass_inbox inbox;
static uint8_t *arena;
static struct net_msg msg, in;
static uint8_t buf[NET_MSG_MAX], in_buf[NET_MSG_MAX];
static uint64_t now_ns;
static uint32_t last_req;
static struct net_event_end kicks;

static uint64_t env_time(void *arg)
{
	(void)arg;
	return now_ns;
}

static void env_random(void *arg, void *p, size_t size)
{
	static uint32_t x = 1;

	(void)arg;
	for (size_t i = 0; i < size; i++)
		((uint8_t *)p)[i] = (uint8_t)((x = x * 1103515245u + 12345) >> 16);
}

static const struct netstack_env env = {env_time, env_time, env_random, NULL};

static int setup(void **state)
{
	int pass[2], fd = ring_create_fd();

	(void)state;
	now_ns = 1000000000;
	assert_true(fd >= 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pass), 0);
	st = netstack_new(&env);
	assert_non_null(st);
	netif_set_up(netif_loopback(st), true);
	api = calloc(1, sizeof(*api));
	assert_int_equal(api_init(api, fd, pass[1], &env, st), 0);
	assert_int_equal(ring_open(&ring, fd, SBX_RING_SIDE_SYSD), 0);
	close(fd);
	fdpass_inbox_init(&inbox, pass[0]);
	assert_true(ring_recv(&ring, in_buf, sizeof(in_buf)) > 0);
	fd = fdpass_inbox_take(&inbox, 1, 0);
	assert_true(fd >= 0);
	arena = mmap(NULL, NET_ARENA_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
	assert_ptr_not_equal(arena, MAP_FAILED);
	close(fd);
	kicks = (struct net_event_end){.ring = &net_header(arena)->to_netd};
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	api_done(api);
	munmap(arena, NET_ARENA_SIZE);
	fdpass_inbox_done(&inbox);
	ring_close(&ring);
	free(api);
	return 0;
}

static void round_of_netd(void)
{
	for (int i = 0; i < 3; i++) {
		now_ns += 1000000;
		netstack_tick(st);
		api_receive(api);
		netstack_run(st);
		api_publish(api);
	}
}

static struct net_msg *begin(enum net_msg_kind kind)
{
	memset(&msg, 0, sizeof(msg));
	msg.kind = (uint8_t)kind;
	msg.req = ++last_req;
	msg.ns = 1;
	msg.sock = msg.peer = msg.pair = NET_SOCK_NONE;
	return &msg;
}

static void tell(void)
{
	long n = net_msg_encode(&msg, buf, sizeof(buf));

	assert_true(n > 0);
	assert_int_equal(ring_send(&ring, buf, (size_t)n), 0);
	round_of_netd();
}

/* The next message from netd; false: none. */
static bool hear(void)
{
	ssize_t n = ring_recv(&ring, in_buf, sizeof(in_buf));

	if (n == -EAGAIN)
		return false;
	assert_true(n > 0);
	assert_int_equal(net_msg_decode(in_buf, (size_t)n, &in), 0);
	return true;
}

static int ask(void)
{
	tell();
	assert_true(hear());
	assert_int_equal(in.kind, NET_REPLY);
	assert_int_equal(in.req, last_req);
	return in.error;
}

static struct net_name loopback(uint16_t port)
{
	return (struct net_name){.family = AF_INET, .port = port, .addr = {127, 0, 0, 1}};
}

static uint32_t new_socket(int type, int protocol, unsigned flags)
{
	struct net_msg *m = begin(NET_DO);

	m->family = AF_INET;
	m->type = (uint32_t)type;
	m->protocol = (uint32_t)protocol;
	m->flags = flags;
	m->value = 8;
	m->local = loopback(0);
	assert_int_equal(ask(), 0);
	assert_true(in.sock < NET_SOCKS_MAX);
	return in.sock;
}

static void close_socket(uint32_t sock)
{
	begin(NET_CLOSE)->sock = sock;
	msg.req = 0;
	tell();
}

static void test_connection_within(void **state)
{
	uint32_t l = new_socket(SOCK_STREAM, 6, NET_DO_BIND | NET_DO_LISTEN), client, child;
	uint16_t port = in.local.port;
	struct net_msg *m;

	(void)state;
	assert_true(port);
	m = begin(NET_DO);
	m->family = AF_INET;
	m->type = SOCK_STREAM;
	m->protocol = 6;
	m->flags = NET_DO_CONNECT;
	m->remote = loopback(port);
	tell();
	/* the child first, so that it is known when the caller wakes */
	assert_true(hear());
	assert_int_equal(in.kind, NET_CHILD);
	assert_int_equal(in.sock, l);
	child = in.peer;
	client = in.pair;
	assert_true(in.rx.size >= 65536 && in.rx.off + in.rx.size <= NET_ARENA_SIZE);
	assert_true(hear());
	assert_int_equal(in.kind, NET_REPLY);
	assert_int_equal(in.flags, NET_DID_CONNECT | NET_DID_PAIR);
	assert_int_equal(in.sock, client);
	assert_int_equal(in.peer, child);
	begin(NET_ACCEPTED)->sock = child;
	msg.inode = 4711;
	tell();
	begin(NET_PAIR)->sock = client;
	msg.flags = NET_PAIR_FIN;
	tell();
	close_socket(client);
	close_socket(child);
	close_socket(l);
	assert_false(hear());
}

static void test_refused_and_bad_names(void **state)
{
	struct net_msg *m = begin(NET_DO);

	(void)state;
	m->family = AF_INET;
	m->type = SOCK_STREAM;
	m->protocol = 6;
	m->flags = NET_DO_CONNECT;
	m->remote = loopback(htons(9));
	assert_int_equal(ask(), -ECONNREFUSED);
	m = begin(NET_DO);
	m->family = AF_INET;
	m->type = SOCK_DGRAM;
	m->protocol = 17;
	m->flags = NET_DO_BIND;
	m->local = (struct net_name){.family = AF_INET, .addr = {203, 0, 113, 9}};
	assert_int_equal(ask(), -EADDRNOTAVAIL);
	begin(NET_GETOPT)->sock = 5;
	assert_int_equal(ask(), -EBADF);
	begin(NET_DO)->ns = 99;
	assert_int_equal(ask(), -ENONET);
	begin(NET_DO)->family = AF_UNIX;
	assert_int_equal(ask(), -EAFNOSUPPORT);
	assert_int_equal(api->arena.free_count, api->arena.ctl_used);
}

static void attach(struct bytering *tx, struct bytering *rx, uint32_t sock)
{
	struct net_ctl *c = net_ctl(arena, sock);

	bytering_attach(tx, &c->tx, arena, NET_ARENA_SIZE, in.tx.off, in.tx.size);
	bytering_attach(rx, &c->rx, arena, NET_ARENA_SIZE, in.rx.off, in.rx.size);
}

static void kick(uint32_t sock)
{
	net_event_put(&kicks, &net_ctl(arena, sock)->kick_pending, sock);
	round_of_netd();
}

static void test_datagrams(void **state)
{
	struct bytering tx_a, rx_a, tx_b, rx_b;
	struct net_dgram d = {.size = 5}, got;
	struct iovec iov = {"hello", 5}, out[2];
	struct net_event_end events = {.ring = &net_header(arena)->to_sysd};
	struct net_name to;
	uint32_t a, b;

	(void)state;
	a = new_socket(SOCK_DGRAM, 17, NET_DO_BIND);
	to = in.local;
	attach(&tx_a, &rx_a, a);
	b = new_socket(SOCK_DGRAM, 17, 0);
	attach(&tx_b, &rx_b, b);
	begin(NET_ROUTE)->sock = b;
	msg.remote = to;
	assert_int_equal(ask(), 0);
	assert_true(in.flags & NET_ROUTE_LOCAL);
	assert_true(in.local.port);
	begin(NET_ROUTE)->sock = b;
	msg.remote = (struct net_name){.family = AF_INET, .addr = {203, 0, 113, 9}, .port = 1};
	assert_int_equal(ask(), -ENETUNREACH);
	d.to = to;
	while (net_event_get(&events) >= 0)
		;
	for (unsigned i = 0; i < 300; i++) {
		assert_true(net_dgram_put(&tx_b, &d, &iov, 1));
		kick(b);
		assert_int_equal(net_dgram_look(&rx_a, rx_a.head, &got, out), 0);
		assert_int_equal(got.size, 5);
		assert_memory_equal(out[0].iov_base, "hello", 5);
		bytering_take(&rx_a, net_dgram_room(5), &(struct bytering_region){0});
		net_event_clear(&net_ctl(arena, a)->event_pending);
	}
	close_socket(a);
	close_socket(b);
}

/* A socket's number may stand in the ring when it is gone; the next socket with that number is heard all the same. */
static void test_kick_of_one_that_is_gone(void **state)
{
	uint32_t a, b;

	(void)state;
	a = new_socket(SOCK_DGRAM, 17, NET_DO_BIND);
	begin(NET_CLOSE)->sock = a;
	msg.req = 0;
	assert_true(net_event_put(&kicks, &net_ctl(arena, a)->kick_pending, a));
	tell(); /* messages come before kicks */
	b = new_socket(SOCK_DGRAM, 17, NET_DO_BIND);
	assert_int_equal(a, b);
	assert_int_equal(net_ctl(arena, b)->kick_pending, 0);
	close_socket(b);
}

static void test_lies(void **state)
{
	struct bytering tx, rx;
	uint32_t u, s, fake = 0;

	(void)state;
	u = new_socket(SOCK_DGRAM, 17, NET_DO_BIND);
	attach(&tx, &rx, u);
	net_ctl(arena, u)->tx.tail = UINT64_MAX;
	kick(u);
	net_ctl(arena, u)->rx.head = 12345678;
	s = new_socket(SOCK_STREAM, 6, NET_DO_BIND | NET_DO_LISTEN);
	net_ctl(arena, s)->want = 200;
	net_ctl(arena, s)->urgent = 7;
	net_ctl(arena, s)->tx.tail = 1ull << 60;
	net_ctl(arena, s)->tx.generation = 3;
	kick(s);
	for (uint32_t i = 0; i < 1000; i++) {
		fake = 0;
		net_event_put(&kicks, &fake, i * 77777777u);
	}
	round_of_netd();
	net_header(arena)->to_netd.tail += 50000; /* stale slots */
	round_of_netd();
	net_header(arena)->to_sysd.head = 99;
	begin(NET_PAIR)->sock = s;
	msg.flags = NET_PAIR_RESET;
	msg.req = 0;
	tell();
	begin(NET_ACCEPTED)->sock = s;
	tell();
	begin(NET_UP);
	tell();
	assert_int_equal(ring_send(&ring, "\xff\x00garbage", 9), 0);
	round_of_netd();
	close_socket(s);
	close_socket(s);
	close_socket(u);
	/* and netd goes on */
	close_socket(new_socket(SOCK_STREAM, 6, NET_DO_BIND | NET_DO_LISTEN));
	assert_false(api->broken);
}

static void test_namespaces(void **state)
{
	(void)state;
	begin(NET_NS)->ns = 7;
	msg.flags = NET_NS_NEW;
	assert_int_equal(ask(), 0);
	begin(NET_NS)->ns = 7;
	msg.flags = NET_NS_NEW;
	assert_int_equal(ask(), -EEXIST);
	begin(NET_DO)->ns = 7;
	msg.family = AF_INET;
	msg.type = SOCK_STREAM;
	msg.protocol = 6;
	assert_int_equal(ask(), 0);
	begin(NET_NS)->ns = 7;
	msg.flags = NET_NS_FREE;
	assert_int_equal(ask(), 0);
	begin(NET_PROC)->ns = 7;
	assert_int_equal(ask(), -ENONET);
	begin(NET_PROC);
	strcpy(msg.text, "tcp");
	assert_int_equal(ask(), 0);
	assert_true(in.data_size > 50);
}

/* A namespace goes while a listener of it has a child that nobody took. */
static void test_namespace_with_a_listener(void **state)
{
	uint16_t port;

	(void)state;
	begin(NET_NS)->ns = 7;
	msg.flags = NET_NS_NEW;
	assert_int_equal(ask(), 0);
	netif_set_up(netif_loopback(api_space_find(api, 7)->st), true);
	begin(NET_DO)->ns = 7;
	msg.family = AF_INET;
	msg.type = SOCK_STREAM;
	msg.protocol = 6;
	msg.flags = NET_DO_BIND | NET_DO_LISTEN;
	msg.value = 8;
	msg.local = loopback(0);
	assert_int_equal(ask(), 0);
	port = in.local.port;
	for (int i = 0; i < 3; i++) {
		begin(NET_DO)->ns = 7;
		msg.family = AF_INET;
		msg.type = SOCK_STREAM;
		msg.protocol = 6;
		msg.flags = NET_DO_CONNECT;
		msg.remote = loopback(port);
		tell();
		while (hear() && in.kind != NET_REPLY)
			;
	}
	begin(NET_NS)->ns = 7;
	msg.flags = NET_NS_FREE;
	assert_int_equal(ask(), 0);
	assert_int_equal(api->arena.free_count, api->arena.ctl_used);
}

static void test_listen_without_connections(void **state)
{
	static const struct {
		int family, type, protocol;
	} kinds[] = {{AF_INET, SOCK_DGRAM, 17}, {AF_INET, SOCK_RAW, 1}, {AF_INET, SOCK_DGRAM, 1}, {AF_PACKET, SOCK_RAW, 3}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		begin(NET_DO)->family = (uint32_t)kinds[i].family;
		msg.type = (uint32_t)kinds[i].type;
		msg.protocol = (uint32_t)kinds[i].protocol;
		msg.flags = NET_DO_LISTEN;
		assert_int_equal(ask(), -EOPNOTSUPP);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_connection_within, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused_and_bad_names, setup, teardown),
		cmocka_unit_test_setup_teardown(test_datagrams, setup, teardown),
		cmocka_unit_test_setup_teardown(test_kick_of_one_that_is_gone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lies, setup, teardown),
		cmocka_unit_test_setup_teardown(test_namespaces, setup, teardown),
		cmocka_unit_test_setup_teardown(test_namespace_with_a_listener, setup, teardown),
		cmocka_unit_test_setup_teardown(test_listen_without_connections, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
