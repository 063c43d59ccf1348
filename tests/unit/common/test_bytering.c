/* Byte rings: order, wrap-around, limits, the end, growth while data is under way, and a hostile peer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/util.h"
#include "common/chan/bytering.h"

#define ARENA_SIZE (1024 * 1024u)

static struct bytering_shm shm;
static struct bytering prod, cons;
static uint8_t *arena;

static int setup(void **state)
{
	(void)state;
	memset(&shm, 0, sizeof(shm));
	arena = calloc(1, ARENA_SIZE);
	assert_non_null(arena);
	bytering_init(&prod, &shm, arena, ARENA_SIZE, 0, 4096, UINT64_MAX);
	bytering_attach(&cons, &shm, arena, ARENA_SIZE, 0, 4096);
	assert_false(prod.broken || cons.broken);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(arena);
	return 0;
}

static uint8_t at(uint64_t pos)
{
	return (uint8_t)(pos * 131 + (pos >> 8));
}

static size_t put(size_t size)
{
	uint8_t buf[8192];

	for (size_t i = 0; i < size; i++)
		buf[i] = at(prod.tail + i);
	return bytering_write(&prod, buf, size);
}

/* Takes up to size bytes and checks them; says whether a region was left. */
static size_t take(size_t size, bool *ret_left)
{
	struct bytering_region old;
	struct iovec iov[2];
	size_t n = bytering_peek(&cons, cons.head, size, iov), k = 0;

	for (unsigned i = 0; i < 2 && k < n; i++)
		for (size_t j = 0; j < iov[i].iov_len; j++, k++)
			assert_int_equal(((uint8_t *)iov[i].iov_base)[j], at(cons.head + k));
	*ret_left = bytering_take(&cons, n, &old);
	return n;
}

static void test_order_and_wrap(void **state)
{
	bool left;

	(void)state;
	for (unsigned i = 0; i < 5000; i++) {
		size_t size = i * 7919u % 4097;

		assert_int_equal(put(size), size);
		assert_int_equal(bytering_avail(&cons), size);
		assert_int_equal(take(size / 2, &left), size / 2);
		assert_int_equal(take(8192, &left), size - size / 2);
	}
	assert_int_equal(bytering_avail(&cons), 0);
	assert_false(left);
}

static void test_limit_and_full(void **state)
{
	bool left;

	(void)state;
	assert_int_equal(put(5000), 4096);
	assert_int_equal(bytering_room(&prod), 0);
	assert_int_equal(put(1), 0);
	bytering_set_limit(&cons, 100);
	assert_int_equal(take(4050, &left), 4050);
	assert_int_equal(bytering_room(&prod), 54);
	bytering_set_limit(&cons, 10);
	assert_int_equal(bytering_room(&prod), 0);
	bytering_set_limit(&cons, 1 << 20);
	assert_int_equal(bytering_room(&prod), 4050);
}

static void test_middle(void **state)
{
	struct iovec iov[2];
	bool left;

	(void)state;
	put(4000);
	take(3000, &left);
	put(3000);
	assert_int_equal(bytering_peek(&cons, 3500, 1000, iov), 1000);
	assert_int_equal(iov[0].iov_len, 596);
	assert_int_equal(*(uint8_t *)iov[1].iov_base, at(4096));
	assert_int_equal(bytering_peek(&cons, 2999, 10, iov), 0);
	assert_int_equal(bytering_peek(&cons, 7000, 10, iov), 0);
	assert_int_equal(bytering_peek(&cons, 6999, 10, iov), 1);
}

static void test_end(void **state)
{
	bool left;

	(void)state;
	put(10);
	assert_false(bytering_finished(&cons));
	bytering_finish(&prod);
	assert_false(bytering_finished(&cons));
	take(10, &left);
	assert_true(bytering_finished(&cons));
}

static void test_growth(void **state)
{
	struct bytering_region old;
	bool left;

	(void)state;
	put(4096);
	assert_true(bytering_grow(&prod, 8192, 8192));
	assert_false(bytering_grow(&prod, 16384, 16384));
	assert_int_equal(bytering_room(&prod), 8192);
	assert_int_equal(put(8192), 8192);
	assert_int_equal(bytering_room(&prod), 0);
	assert_false(bytering_settled(&prod, &old));
	assert_int_equal(take(4000, &left), 4000);
	assert_false(left);
	assert_int_equal(take(200, &left), 200); /* over the border */
	assert_true(left);
	assert_true(bytering_settled(&prod, &old));
	assert_ptr_equal(old.base, arena);
	assert_false(bytering_settled(&prod, &old));
	assert_int_equal(bytering_room(&prod), 104);
	assert_true(bytering_grow(&prod, 0, 2048)); /* and smaller */
	assert_int_equal(put(2048), 2048);
	while (take(1000, &left))
		;
	assert_int_equal(cons.head, prod.tail);
	assert_int_equal(cons.cur.size, 2048);
}

static void test_growth_of_an_empty_ring(void **state)
{
	struct bytering_region old;
	bool left;

	(void)state;
	assert_true(bytering_grow(&prod, 8192, 8192));
	/* The consumer has not looked yet: a second change has to wait, even though nothing is in the ring. */
	assert_false(bytering_grow(&prod, 16384, 16384));
	assert_true(bytering_take(&cons, 0, &old));
	assert_false(bytering_grow(&prod, 16384, 16384)); /* the old region has to be taken back first */
	assert_true(bytering_settled(&prod, &old));
	assert_true(bytering_grow(&prod, 16384, 16384));
	assert_int_equal(put(8000), 8000);
	assert_int_equal(take(8000, &left), 8000);
	assert_true(left);
}

#define STREAM (8u * 1024 * 1024)

static void *producer(void *arg)
{
	unsigned places = 0, seed = 1;

	(void)arg;
	while (prod.tail < STREAM) {
		struct bytering_region old;

		seed = seed * 1103515245 + 12345;
		put(MIN((size_t)(seed >> 16) % 3000, (size_t)(STREAM - prod.tail)));
		bytering_settled(&prod, &old);
		if ((seed >> 8) % 64 == 0 &&
		    bytering_grow(&prod, places % 2 ? 65536 : 131072, 4096ull << (seed >> 24) % 4))
			places++;
	}
	bytering_finish(&prod);
	return NULL;
}

static void test_threads(void **state)
{
	unsigned changes = 0;
	pthread_t thread;
	bool left;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, producer, NULL), 0);
	while (!bytering_finished(&cons)) {
		take(1 + cons.head % 5000, &left);
		changes += left;
		assert_false(cons.broken);
	}
	pthread_join(thread, NULL);
	assert_int_equal(cons.head, STREAM);
	assert_true(changes > 10);
}

/* ---- a peer that lies --------------------------------------------------------------------------- */

static void expect_broken_consumer(void)
{
	struct bytering_region old;
	struct iovec iov[2];

	assert_int_equal(bytering_avail(&cons), 0);
	assert_true(cons.broken);
	assert_int_equal(bytering_peek(&cons, cons.head, 100, iov), 0);
	assert_false(bytering_take(&cons, 0, &old));
}

static void test_hostile_tail(void **state)
{
	static const uint64_t lies[] = {4097, 1ull << 40, UINT64_MAX};

	for (size_t i = 0; i < ARRAY_SIZE(lies); i++) {
		shm.tail = lies[i];
		expect_broken_consumer();
		teardown(state);
		setup(state);
	}
	put(100);
	assert_int_equal(bytering_avail(&cons), 100);
	shm.tail = 50;
	expect_broken_consumer();
}

static void test_hostile_regions(void **state)
{
	static const struct {
		uint64_t generation, pos, off, size;
	} lies[] = {
		{2, 0, 8192, 4096},                 /* a change left out */
		{1, 0, ARENA_SIZE, 4096},           /* outside */
		{1, 0, UINT64_MAX - 4095, 4096},    /* wraps */
		{1, 0, 0, 3000},                    /* no power of two */
		{1, 0, 0, 0},
		{1, 0, 0, 1ull << 63},
		{1, 5000, 8192, 4096},              /* further away than the old region is large */
		{1, 50, 8192, 4096},                /* behind the tail */
	};

	for (size_t i = 0; i < ARRAY_SIZE(lies); i++) {
		shm.switch_pos = lies[i].pos;
		shm.next_off = lies[i].off;
		shm.next_size = lies[i].size;
		shm.generation = lies[i].generation;
		expect_broken_consumer();
		teardown(state);
		setup(state);
	}
}

static void test_hostile_head(void **state)
{
	struct iovec iov[2];

	(void)state;
	put(100);
	shm.head = 101;
	assert_int_equal(bytering_room(&prod), 0);
	assert_true(prod.broken);
	assert_int_equal(bytering_reserve(&prod, 10, iov), 0);
	assert_false(bytering_grow(&prod, 8192, 8192));
}

static void test_hostile_arguments(void **state)
{
	struct bytering r;

	(void)state;
	bytering_attach(&r, &shm, arena, ARENA_SIZE, ARENA_SIZE - 2048, 4096);
	assert_true(r.broken);
	bytering_attach(&r, &shm, arena, ARENA_SIZE, 0, 4095);
	assert_true(r.broken);
	assert_int_equal(bytering_avail(&r), 0);
	assert_int_equal(bytering_room(&r), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_order_and_wrap, setup, teardown),
		cmocka_unit_test_setup_teardown(test_limit_and_full, setup, teardown),
		cmocka_unit_test_setup_teardown(test_middle, setup, teardown),
		cmocka_unit_test_setup_teardown(test_end, setup, teardown),
		cmocka_unit_test_setup_teardown(test_growth, setup, teardown),
		cmocka_unit_test_setup_teardown(test_growth_of_an_empty_ring, setup, teardown),
		cmocka_unit_test_setup_teardown(test_threads, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hostile_tail, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hostile_regions, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hostile_head, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hostile_arguments, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
