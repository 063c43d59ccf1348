/* The regions of the memory shared with sysd: none overlaps another, and a guest cannot use the address space up by what
 * it has given back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/util.h"
#include "netd/api/arena.h"

#define TOP (1ull << REGION_MAX_SHIFT)
#define SIZE (ALIGN_UP(NET_REGIONS_OFF, TOP) + 4 * TOP)
#define SMALL (1ull << REGION_MIN_SHIFT)
#define ALL (SIZE / SMALL)

static struct arena a;

static int setup(void **state)
{
	return arena_init(&a, SIZE);
}

static int teardown(void **state)
{
	arena_done(&a);
	return 0;
}

/* Takes regions of one size until there are no more. */
static unsigned fill(uint64_t size, struct net_place *p)
{
	unsigned n = 0;

	while (arena_get(&a, size, &p[n]) == 0)
		n++;
	return n;
}

static void small_ones_become_large_ones(void **state)
{
	static struct net_place p[ALL];
	struct net_place large[8];
	unsigned n;

	for (unsigned round = 0; round < 3; round++) {
		n = fill(SMALL, p);
		assert_in_range(n, 4 * TOP / SMALL, ALL);
		assert_int_equal(arena_get(&a, TOP, &large[0]), -ENOMEM);
		for (unsigned i = 0; i < n; i++) {
			bool used = i % 64 == 0;

			if (used)
				a.base[p[i].off] = 1;
			arena_put(&a, &p[i], used);
		}
		n = fill(TOP, large);
		assert_int_equal(n, 4);
		for (unsigned i = 0; i < n; i++) {
			assert_int_equal(large[i].off % TOP, 0);
			/* nothing of an earlier user */
			for (uint64_t at = 0; at < TOP; at += 16 * SMALL)
				assert_int_equal(a.base[large[i].off + at], 0);
			arena_put(&a, &large[i], TOP);
		}
	}
}

static void every_second_one_is_in_the_way(void **state)
{
	static struct net_place p[ALL];
	struct net_place q;
	unsigned n = fill(SMALL, p);

	for (unsigned i = 0; i < n; i += 2)
		arena_put(&a, &p[i], 0);
	assert_int_equal(arena_get(&a, 2 * SMALL, &q), -ENOMEM);
	/* What is free can be had all the same. */
	for (unsigned i = 0; i < n; i += 2)
		assert_int_equal(arena_get(&a, SMALL, &p[i]), 0);
	assert_int_equal(arena_get(&a, SMALL, &q), -ENOMEM);
	for (unsigned i = 0; i < n; i++)
		arena_put(&a, &p[i], 0);
	assert_int_equal(arena_get(&a, TOP, &q), 0);
	arena_put(&a, &q, 0);
}

static uint64_t host_blocks(void)
{
	struct stat st;

	assert_int_equal(fstat(a.fd, &st), 0);
	return (uint64_t)st.st_blocks;
}

static void what_nobody_used_for_a_while_goes(void **state)
{
	static struct net_place p[ALL];
	uint64_t before = host_blocks();
	unsigned n = 1000;

	for (unsigned i = 0; i < n; i++) {
		assert_int_equal(arena_get(&a, SMALL, &p[i]), 0);
		a.base[p[i].off] = 1;
	}
	assert_false(arena_untidy(&a));
	for (unsigned i = 0; i < n; i++)
		arena_put(&a, &p[i], 1);
	assert_true(arena_untidy(&a));
	assert_int_equal(arena_tidy(&a, n), 0); /* they had a user since the last time: never */
	for (unsigned i = 0; i < 300; i++)      /* those that came back last are used, the others not */
		assert_int_equal(arena_get(&a, SMALL, &p[i]), 0);
	for (unsigned i = 0; i < 300; i++)
		arena_put(&a, &p[i], 1);
	assert_int_equal(arena_tidy(&a, 500), 500);
	assert_int_equal(arena_tidy(&a, 500), 136); /* all but 300 and the 64 that stay */
	assert_true(arena_untidy(&a));
	assert_int_equal(arena_tidy(&a, 500), 300);
	assert_false(arena_untidy(&a));
	assert_true(host_blocks() - before <= 64 * 8);
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(arena_get(&a, SMALL, &p[i]), 0);
	assert_false(arena_untidy(&a));
	for (unsigned i = 0; i < n; i++) {
		a.base[p[i].off] = 1;
		arena_put(&a, &p[i], 1);
	}
	assert_int_equal(arena_tidy(&a, n), 0);
	assert_int_equal(arena_tidy(&a, n), n - 64);
	assert_true(host_blocks() - before <= 64 * 8);
}

static void none_overlaps(void **state)
{
	static uint8_t owner[ALL];
	struct net_place p[200] = {0};
	unsigned failed = 0;

	memset(owner, 0, sizeof(owner));
	srand(4711);
	for (unsigned round = 0; round < 5000; round++) {
		unsigned i = (unsigned)rand() % ARRAY_SIZE(p), shift = REGION_MIN_SHIFT + (unsigned)rand() % 12;
		struct net_place *q = &p[i];

		if (q->size) {
			for (uint64_t k = q->off / SMALL; k < (q->off + q->size) / SMALL; k++) {
				assert_int_equal(owner[k], i + 1);
				owner[k] = 0;
			}
			arena_put(&a, q, (uint64_t)rand() % (64 * 1024));
			assert_int_equal(q->size, 0);
		} else if (arena_get(&a, 1ull << shift, q)) {
			failed++;
		} else {
			assert_int_equal(q->size, 1ull << shift);
			assert_int_equal(q->off % q->size, 0);
			assert_true(q->off >= NET_REGIONS_OFF && q->off + q->size <= SIZE);
			for (uint64_t k = q->off / SMALL; k < (q->off + q->size) / SMALL; k++) {
				assert_int_equal(owner[k], 0);
				owner[k] = (uint8_t)(i + 1);
			}
		}
	}
	assert_true(failed > 0); /* it was full at times */
	for (unsigned i = 0; i < ARRAY_SIZE(p); i++)
		arena_put(&a, &p[i], 0);
	a.puts = 1000000;
	assert_int_equal(fill(TOP, p), 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(small_ones_become_large_ones, setup, teardown),
		cmocka_unit_test_setup_teardown(every_second_one_is_in_the_way, setup, teardown),
		cmocka_unit_test_setup_teardown(what_nobody_used_for_a_while_goes, setup, teardown),
		cmocka_unit_test_setup_teardown(none_overlaps, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
