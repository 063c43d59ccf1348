/* The message ring: order, wrap-around, full, sleeping consumers, and a hostile peer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/chan/ring.h"

static struct ring a, b;

static int setup(void **state)
{
	int fd = ring_create_fd();

	assert_true(fd >= 0);
	assert_int_equal(ring_open(&a, fd, 0), 0);
	assert_int_equal(ring_open(&b, fd, 1), 0);
	close(fd);
	return 0;
}

static int teardown(void **state)
{
	ring_close(&a);
	ring_close(&b);
	return 0;
}

static void test_order_and_wrap(void **state)
{
	static uint8_t buf[RING_MSG_MAX], msg[RING_MSG_MAX];

	for (unsigned i = 0; i < 3000; i++) {
		size_t size = (i * 7919u) % 5000;

		memset(msg, (int)i, size);
		assert_int_equal(ring_send(&a, msg, size), 0);
		assert_int_equal(ring_recv(&b, buf, sizeof(buf)), size);
		assert_memory_equal(buf, msg, size);
	}
	assert_int_equal(ring_recv(&b, buf, sizeof(buf)), -EAGAIN);
}

static void test_full_and_too_large(void **state)
{
	static uint8_t msg[RING_MSG_MAX + 1];
	unsigned count = 0;

	assert_int_equal(ring_send(&a, msg, sizeof(msg)), -EMSGSIZE);
	while (ring_send(&a, msg, 60000) == 0)
		count++;
	assert_int_equal(count, RING_DIR_SIZE / 60008);
	assert_int_equal(ring_recv(&b, msg, 100), -EMSGSIZE);
	assert_int_equal(ring_recv(&b, msg, sizeof(msg)), 60000);
	assert_int_equal(ring_send(&a, msg, 60000), 0);
}

static void *echo(void *arg)
{
	uint8_t buf[256];

	for (int i = 0; i < 2000; i++) {
		ssize_t n;

		while ((n = ring_recv(&b, buf, sizeof(buf))) == -EAGAIN)
			ring_wait(&b, i % 3 ? 0 : 20, -1);
		assert_true(n >= 0);
		assert_int_equal(ring_send(&b, buf, (size_t)n), 0);
	}
	return NULL;
}

static void test_sleeping_peers(void **state)
{
	pthread_t t;
	uint8_t buf[256];

	pthread_create(&t, NULL, echo, NULL);
	for (int i = 0; i < 2000; i++) {
		ssize_t n;

		assert_int_equal(ring_send(&a, &i, sizeof(i)), 0);
		while ((n = ring_recv(&a, buf, sizeof(buf))) == -EAGAIN)
			ring_wait(&a, 0, -1);
		assert_int_equal(n, sizeof(i));
		assert_memory_equal(buf, &i, sizeof(i));
	}
	pthread_join(t, NULL);
	assert_int_equal(ring_wait(&a, 0, 2000000), -ETIMEDOUT);
}

static void test_hostile_indices(void **state)
{
	uint8_t buf[64];
	uint32_t *tail = (uint32_t *)a.shm; /* direction 0: what b consumes */

	*tail = 5; /* less than a header, unaligned */
	assert_int_equal(ring_recv(&b, buf, sizeof(buf)), -EPROTO);
	*tail = 0;
	assert_int_equal(ring_recv(&b, buf, sizeof(buf)), -EPROTO); /* broken for ever */
}

static void test_hostile_length(void **state)
{
	uint8_t buf[64];

	assert_int_equal(ring_send(&a, "x", 1), 0);
	memset((uint8_t *)a.shm + 4096, 0xff, 4); /* the length of the message */
	assert_int_equal(ring_recv(&b, buf, sizeof(buf)), -EPROTO);
}

static void test_unsealed_is_refused(void **state)
{
	struct ring r;
	int fd = memfd_create("x", MFD_CLOEXEC);

	assert_int_equal(ftruncate(fd, 4096), 0);
	assert_int_equal(ring_open(&r, fd, 0), -EINVAL);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_order_and_wrap, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_full_and_too_large, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_sleeping_peers, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_hostile_indices, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_hostile_length, setup, teardown),
	    cmocka_unit_test(test_unsealed_is_refused),
	};

	return cmocka_run_group_tests_name("ring", tests, NULL, NULL);
}
