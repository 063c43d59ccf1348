/* The executor: strands, wait queues, timers, offloads, mutexes. */
#include "tests/unit/kernel/harness.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <sys/epoll.h>
#include "services/sysd/core/clock.h"
#include "services/sysd/core/ktimer.h"
#include "services/sysd/core/waitq.h"
#include "services/sysd/mm/uio.h"
#include "services/sysd/mm/usercopy.h"

static struct waitq q;
static int value, order[8], order_count;

static void waits(struct task *t, void *arg)
{
	assert_int_equal(WAIT_EVENT(&q, value == 1), 0);
	order[order_count++] = 2;
}

static void wakes(struct task *t, void *arg)
{
	sched_yield_strand();
	order[order_count++] = 1;
	value = 1;
	waitq_wake_all(&q);
}

static void test_wait_and_wake(void **state)
{
	waitq_init(&q);
	value = order_count = 0;
	ktest_spawn(waits, NULL);
	ktest_spawn(wakes, NULL);
	ktest_run();
	assert_int_equal(order[0], 1);
	assert_int_equal(order[1], 2);
	assert_false(waitq_active(&q));
}

static void times_out(struct task *t, void *arg)
{
	uint64_t start = clock_mono_ns();

	assert_int_equal(WAIT_EVENT_FLAGS(&q, false, 0, start + 20000000), -ETIMEDOUT);
	assert_true(clock_mono_ns() >= start + 20000000);
	order_count++;
}

static void test_timeouts(void **state)
{
	waitq_init(&q);
	order_count = 0;
	for (int i = 0; i < 5; i++)
		ktest_spawn(times_out, NULL);
	ktest_run();
	assert_int_equal(order_count, 5);
	assert_true(ktimer_next() == KTIMER_NEVER);
}

static void exclusive_waits(struct task *t, void *arg)
{
	assert_int_equal(WAIT_EVENT_FLAGS(&q, value > 0, WAIT_EXCLUSIVE, KTIMER_NEVER), 0);
	value--;
	order_count++;
}

static void wakes_one_by_one(struct task *t, void *arg)
{
	for (int i = 0; i < 3; i++) {
		sched_yield_strand();
		assert_int_equal(order_count, i);
		value++;
		waitq_wake_one(&q);
		sched_yield_strand();
	}
}

static void test_exclusive(void **state)
{
	waitq_init(&q);
	value = order_count = 0;
	for (int i = 0; i < 3; i++)
		ktest_spawn(exclusive_waits, NULL);
	ktest_spawn(wakes_one_by_one, NULL);
	ktest_run();
	assert_int_equal(order_count, 3);
}

static struct kmutex mutex;
static int inside;

static void locks(struct task *t, void *arg)
{
	for (int i = 0; i < 10; i++) {
		kmutex_lock(&mutex);
		assert_int_equal(inside++, 0);
		sched_yield_strand();
		inside--;
		kmutex_unlock(&mutex);
	}
}

static void test_mutex(void **state)
{
	kmutex_init(&mutex);
	for (int i = 0; i < 4; i++)
		ktest_spawn(locks, NULL);
	ktest_run();
	assert_null(mutex.owner);
}

static long slow(void *arg)
{
	usleep(5000);
	return *(long *)arg + 1;
}

static void offloads(struct task *t, void *arg)
{
	long v = (long)(intptr_t)arg;

	assert_int_equal(sched_offload(slow, &v), v + 1);
}

static void test_offload(void **state)
{
	for (long i = 0; i < 8; i++)
		ktest_spawn(offloads, (void *)i);
	ktest_run();
}

static int fds[2];
static struct host_watch watch;
static struct waitq watched;
static uint32_t events;

static void on_ready(void *arg, uint32_t revents)
{
	events = revents;
	waitq_wake_all(&watched);
}

static void watches(struct task *t, void *arg)
{
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(host_watch_add(&watch, fds[0], on_ready, NULL), 0);
	assert_int_equal(host_watch_arm(&watch, EPOLLIN), 0);
	assert_int_equal(write(fds[1], "x", 1), 1);
	assert_int_equal(WAIT_EVENT(&watched, events), 0);
	assert_true(events & EPOLLIN);
	host_watch_remove(&watch);
	close(fds[0]);
	close(fds[1]);
}

static void test_host_watch(void **state)
{
	waitq_init(&watched);
	ktest_call(watches, NULL);
}

static void copies(struct task *t, void *arg)
{
	char src[] = "hello", dst[16] = "";
	struct uio u;

	assert_int_equal(user_read(t, dst, U(src), 6), 0);
	assert_string_equal(dst, "hello");
	assert_int_equal(user_read(t, dst, 8, 6), -EFAULT);
	assert_int_equal(user_write(t, 0, src, 6), -EFAULT);
	assert_int_equal(user_read_str(t, dst, U(src), sizeof(dst)), 5);
	assert_int_equal(user_read_str(t, dst, U(src), 3), -ENAMETOOLONG);
	uio_init_user(&u, t, U(dst), 4);
	assert_int_equal(uio_copy_to(&u, "abcdef", 6), 4);
	assert_int_equal(u.resid, 0);
	assert_memory_equal(dst, "abcdo", 5);
}

static void test_usercopy(void **state)
{
	ktest_call(copies, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_wait_and_wake), cmocka_unit_test(test_timeouts),
	    cmocka_unit_test(test_exclusive),     cmocka_unit_test(test_mutex),
	    cmocka_unit_test(test_offload),       cmocka_unit_test(test_host_watch),
	    cmocka_unit_test(test_usercopy),
	};

	return cmocka_run_group_tests_name("core", tests, NULL, NULL);
}
