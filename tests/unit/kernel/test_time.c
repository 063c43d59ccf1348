/* Sleeps, interval timers and POSIX timers through their system calls, with signals counted by hand. */
#include "tests/unit/kernel/harness.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include "services/sysd/abi/time.h"
#include "services/sysd/core/clock.h"
#include "services/sysd/signal/signal.h"
#include "services/sysd/time/posix_timer.h"
#include "services/sysd/time/timespec.h"

SYS_HANDLER(nanosleep);
SYS_HANDLER(clock_nanosleep);
SYS_HANDLER(clock_gettime);
SYS_HANDLER(timer_create);
SYS_HANDLER(timer_settime);
SYS_HANDLER(timer_gettime);
SYS_HANDLER(timer_delete);

static struct cred root = {.refs = 1000, .cap_effective = ~0ull};
static struct signal group;

static void equip(struct task *t)
{
	group.pid = 1;
	group.leader = t;
	list_init(&group.threads);
	list_add_tail(&group.threads, &t->thread_node);
	list_init(&group.posix_timers);
	list_init(&group.shared_pending.queue);
	t->signal = &group;
	t->cred = &root;
}

static void sleep_main(struct task *t, void *arg)
{
	struct abi_timespec ts = {0, 20000000}, bad = {0, 1000000000}, now, past = {1, 0};
	uint64_t start = clock_mono_ns();

	equip(t);
	assert_int_equal(ktest_sys(t, sys_nanosleep, U(&ts), 0), 0);
	assert_true(clock_mono_ns() - start >= 20000000);
	assert_int_equal(ktest_sys(t, sys_nanosleep, U(&bad), 0), -EINVAL);
	assert_int_equal(ktest_sys(t, sys_nanosleep, 8, 0), -EFAULT);
	assert_int_equal(ktest_sys(t, sys_clock_nanosleep, ABI_CLOCK_REALTIME, 1, U(&past), 0), 0);
	assert_int_equal(ktest_sys(t, sys_clock_nanosleep, ABI_CLOCK_THREAD_CPUTIME_ID, 0, U(&ts), 0), -EOPNOTSUPP);
	assert_int_equal(ktest_sys(t, sys_clock_gettime, ABI_CLOCK_BOOTTIME, U(&now)), 0);
	assert_int_equal(ktest_sys(t, sys_clock_gettime, 10, U(&now)), -EINVAL);
	list_del(&t->thread_node);
}

/* SIGEV_NONE needs no signal code: the arithmetic of expiries. */
static void timer_main(struct task *t, void *arg)
{
	struct abi_sigevent ev = {.notify = ABI_SIGEV_NONE};
	struct abi_itimerspec its = {{0, 10000000}, {0, 10000000}}, cur;
	struct abi_timespec ms25 = {0, 25000000};
	int32_t id[3];

	equip(t);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(ktest_sys(t, sys_timer_create, ABI_CLOCK_MONOTONIC, U(&ev), U(&id[i])), 0);
		assert_int_equal(id[i], i);
	}
	assert_int_equal(ktest_sys(t, sys_timer_delete, 1), 0);
	assert_int_equal(ktest_sys(t, sys_timer_delete, 1), -EINVAL);
	assert_int_equal(ktest_sys(t, sys_timer_create, ABI_CLOCK_MONOTONIC, U(&ev), U(&id[1])), 0);
	assert_int_equal(id[1], 1);
	assert_int_equal(ktest_sys(t, sys_timer_settime, 0, 0, U(&its), 0), 0);
	ktest_sys(t, sys_nanosleep, U(&ms25), 0);
	assert_int_equal(ktest_sys(t, sys_timer_gettime, 0, U(&cur)), 0);
	assert_true(cur.value.nsec > 0 && cur.value.nsec <= 10000000);
	assert_int_equal(cur.interval.nsec, 10000000);
	posix_timers_delete_all(&group);
	assert_true(list_empty(&group.posix_timers));
	list_del(&t->thread_node);
}

static void test_sleep(void **state)
{
	ktest_call(sleep_main, NULL);
}

static void test_timer(void **state)
{
	ktest_call(timer_main, NULL);
}

static void test_arithmetic(void **state)
{
	struct abi_timespec big = {INT64_MAX, 999999999}, neg = {-1, 0};

	assert_int_equal(timespec_ns(&big), TIME_NS_MAX);
	assert_false(timespec_valid(&neg));
	assert_int_equal(deadline_after(TIME_NS_MAX), KTIMER_NEVER);
	assert_int_equal(ns_timespec(1500000000).sec, 1);
	assert_int_equal(ns_timespec(1500000000).nsec, 500000000);
	assert_int_equal(ns_timeval(1999999999).usec, 999999);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_sleep), cmocka_unit_test(test_timer),
					   cmocka_unit_test(test_arithmetic)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
