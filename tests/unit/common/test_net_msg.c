/* Messages between sysd and netd, and the event and datagram rings of their arena. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "common/base/util.h"
#include "common/cbor/cursor.h"
#include "common/chan/netshm.h"
#include "common/ipc/msg_net.h"

static uint8_t buf[NET_MSG_MAX];

static void test_do(void **state)
{
	static struct net_msg m = {.kind = NET_DO, .req = 7, .sock = NET_SOCK_NONE, .ns = 1, .family = AF_INET6,
				   .type = SOCK_STREAM, .protocol = 6, .uid = 1000, .inode = 123456,
				   .flags = NET_DO_BIND | NET_DO_CONNECT},
			      got;
	long n;

	(void)state;
	m.local = (struct net_name){.family = AF_INET, .port = 80, .addr = {127, 0, 0, 1}};
	m.remote = (struct net_name){.family = AF_INET6, .port = 81, .scope = 2, .flowinfo = 9, .addr = {0xfe, 0x80}};
	m.opt_count = 2;
	m.opts[0] = (struct net_opt){1, 2, 4, (const uint8_t *)"abcd"};
	m.opts[1] = (struct net_opt){-1, 0, 0, (const uint8_t *)""};
	n = net_msg_encode(&m, buf, sizeof(buf));
	assert_true(n > 0);
	assert_int_equal(net_msg_decode(buf, (size_t)n, &got), 0);
	assert_memory_equal(&got.local, &m.local, sizeof(m.local));
	assert_memory_equal(&got.remote, &m.remote, sizeof(m.remote));
	assert_int_equal(got.opt_count, 2);
	assert_memory_equal(got.opts[0].data, "abcd", 4);
	assert_int_equal(got.opts[1].level, -1);
	for (long k = 0; k < n; k++)
		assert_int_equal(net_msg_decode(buf, (size_t)k, &got), -EPROTO);
}

static void test_refusals(void **state)
{
	static struct net_msg m = {.kind = NET_REPLY, .error = -5, .data = (const uint8_t *)"xy", .data_size = 2}, got;
	struct cbor_w w;
	long n;

	(void)state;
	n = net_msg_encode(&m, buf, sizeof(buf));
	assert_int_equal(net_msg_decode(buf, (size_t)n, &got), 0);
	assert_int_equal(got.error, -5);
	assert_int_equal(net_msg_encode(&m, buf, 10), -EMSGSIZE);
	m.error = 5;
	n = net_msg_encode(&m, buf, sizeof(buf));
	assert_int_equal(net_msg_decode(buf, (size_t)n, &got), -EPROTO);
	m.kind = 99;
	assert_int_equal(net_msg_encode(&m, buf, sizeof(buf)), -EINVAL);
	/* an address whose size does not fit its family */
	cbor_w_init(&w, buf, sizeof(buf));
	cbor_w_array(&w, 6);
	cbor_w_uint(&w, NET_ROUTE);
	cbor_w_uint(&w, 1);
	cbor_w_uint(&w, 1);
	cbor_w_null(&w);
	cbor_w_array(&w, 5);
	for (int i = 0; i < 4; i++)
		cbor_w_uint(&w, i ? 0 : AF_INET);
	cbor_w_bytes(&w, "12345", 5);
	cbor_w_uint(&w, 0);
	assert_int_equal(net_msg_decode(buf, (size_t)cbor_w_done(&w), &got), -EPROTO);
}

static void test_events(void **state)
{
	struct net_events *ring = aligned_alloc(64, sizeof(*ring));
	struct net_event_end put = {.ring = ring}, get = {.ring = ring};
	static uint32_t pending[NET_SOCKS_MAX];
	uint32_t free_pending = 0;

	(void)state;
	memset(ring, 0, sizeof(*ring));
	assert_int_equal(net_event_get(&get), -EAGAIN);
	for (unsigned round = 0; round < 3; round++) {
		for (uint32_t i = 0; i < NET_SOCKS_MAX; i++) {
			assert_true(net_event_put(&put, &pending[i], i));
			assert_true(net_event_put(&put, &pending[i], i)); /* once */
		}
		assert_false(net_event_put(&put, &free_pending, 1)); /* only a liar gets here */
		free_pending = 0;
		for (uint32_t i = 0; i < NET_SOCKS_MAX; i++) {
			assert_true(net_event_any(&get));
			assert_int_equal(net_event_get(&get), i);
			net_event_clear(&pending[i]);
		}
		assert_false(net_event_any(&get));
	}
	free(ring);
}

static void test_datagrams(void **state)
{
	static uint8_t arena[65536];
	static struct bytering_shm shm;
	struct bytering prod, cons;
	struct bytering_region old;
	struct net_dgram d = {.ttl = 64}, got;
	uint8_t text[3000];
	struct iovec in[2], out[2];

	(void)state;
	memset(text, 'x', sizeof(text));
	bytering_init(&prod, &shm, arena, sizeof(arena), 0, 8192, UINT64_MAX);
	bytering_attach(&cons, &shm, arena, sizeof(arena), 0, 8192);
	assert_int_equal(net_dgram_look(&cons, 0, &got, out), -EAGAIN);
	for (unsigned i = 0; i < 500; i++) {
		d.size = i * 37 % 3000;
		d.flow_label = i;
		in[0] = (struct iovec){text, d.size / 2};
		in[1] = (struct iovec){text, d.size - d.size / 2};
		if (i == 200)
			assert_true(bytering_grow(&prod, 32768, 16384));
		assert_true(net_dgram_put(&prod, &d, in, 2));
		assert_int_equal(net_dgram_look(&cons, cons.head, &got, out), 0);
		assert_int_equal(got.size, d.size);
		assert_int_equal(got.flow_label, i);
		assert_int_equal(out[0].iov_len + out[1].iov_len, d.size);
		bytering_take(&cons, net_dgram_room(got.size), &old);
	}
	while (net_dgram_put(&prod, &d, in, 2))
		;
	assert_true(bytering_room(&prod) < net_dgram_room(d.size));
	/* a record that promises more than there is */
	((struct net_dgram *)(cons.cur.base + (cons.head & (cons.cur.size - 1))))->size = 60000;
	assert_int_equal(net_dgram_look(&cons, cons.head, &got, out), -EPROTO);
	assert_true(cons.broken);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_do),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_events),
		cmocka_unit_test(test_datagrams),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
