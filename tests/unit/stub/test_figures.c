/* What a call costs: figures, and only loose limits, for the machine may be busy. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>
#include "tests/unit/stub/harness.h"

#define OUT ((volatile uint64_t *)(shared + 64))

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts); /* the vDSO */
	return (uint64_t)ts.tv_sec * 1000000000ul + (uint64_t)ts.tv_nsec;
}

static uint64_t best(uint64_t (*fn)(uint64_t), uint64_t n)
{
	uint64_t min = ~0ul;

	for (int i = 0; i < 10; i++) {
		uint64_t start = now_ns(), took;

		fn(n);
		took = (now_ns() - start) * 10 / n;
		if (took < min)
			min = took;
	}
	return min;
}

static uint64_t loop_yield_t0(uint64_t n)
{
	uint64_t r;

	for (uint64_t i = 0; i < n; i++)
		__asm__ volatile("movl $158, %%eax\n\tsyscall" : "=a"(r) : "D"(0x1003), "S"(shared) : "rcx", "r11", "memory");
	return r;
}

static void guest_figures(void)
{
	OUT[0] = best(loop_getppid, 100000);
	OUT[1] = best(loop_yield_t0, 100000);
	OUT[2] = best(loop_sigsys, 3000);
	OUT[3] = best(loop_umask, OUT[7] ? 20000 : 1000);
	guest_exit(0);
}

static void test_figures(void **state)
{
	struct guest g = {.spin = true, .pin = true};
	uint64_t native = best(loop_native_getppid, 20000);

	guest_start(&g, guest_figures);
	OUT[7] = 1;
	g.ctl->spin_tsc = 10000000;
	assert_int_equal(guest_run(&g), -1);
	guest_end(&g);
	print_message("native getppid                      %5.1f ns\n", native / 10.);
	print_message("patched, shortest T0 path (getppid) %5.1f ns\n", OUT[0] / 10.);
	print_message("patched, T0 (arch_prctl GET_FS)     %5.1f ns\n", OUT[1] / 10.);
	print_message("SIGSYS, T0 (getppid)                %5.1f ns\n", OUT[2] / 10.);
	print_message("patched, T1 spinning (umask)        %5.1f ns\n", OUT[3] / 10.);
	assert_true(OUT[0] < 2000);
}

static void test_figures_futex(void **state)
{
	struct guest g = {.spin = false};

	guest_start(&g, guest_figures);
	assert_int_equal(guest_run(&g), -1);
	guest_end(&g);
	print_message("patched, T1 by futex (umask)        %5.1f ns\n", OUT[3] / 10.);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_figures),
		cmocka_unit_test(test_figures_futex),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
