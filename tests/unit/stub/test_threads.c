/* Threads and forks made by host ops, patching under threads, futexes between them. */
#include <errno.h>
#include <linux/futex.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>
#include "tests/unit/stub/harness.h"

/* ---- fork: a call 57 is answered by ops, then by the child's index */

static struct {
	int64_t op_ret;
	bool hello;
	unsigned hops_done;
} fk;

static void serve_fork(struct guest *g, unsigned proc, unsigned index, struct sbx_slot *s)
{
	if (s->req == SBX_REQ_SYSCALL && s->nr == SYS_fork) {
		memset(s->ops, 0, sizeof(s->ops));
		s->act = SBX_ACT_HOSTOPS;
		s->op_count = 1;
		s->ops[0].kind = SBX_HOP_CLONE_PROCESS;
		s->ops[0].args[0] = 0x1234;
		return;
	}
	if (s->req == SBX_REQ_HOSTOPS_DONE) {
		fk.op_ret = s->ops[0].ret;
		fk.hops_done++;
		slot_return(s, 500);
		return;
	}
	if (s->req == SBX_REQ_HELLO && proc == 1) {
		fk.hello = true;
		s->regs.rax = 0;
		s->ppid = 2003;
		slot_resume(s);
		return;
	}
	serve_default(g, proc, index, s);
}

static long site_getppid(void)
{
	long r;

	__asm__ volatile("movl $110, %%eax\n\tsyscall" : "=a"(r) : : "rcx", "r11", "memory");
	return r;
}

static void guest_fork(void)
{
	static volatile int here = 1;
	static struct probe probe;
	volatile uint32_t *flag = (uint32_t *)(shared + 64);

	for (int i = 0; i < 4; i++)
		GEQ(site_getppid(), 1003);
	for (unsigned w = 0; w < PROBE_COUNT; w++)
		probe_run(w, &probe, 95, 1);
	if (RAW0(SYS_fork) == 0) {
		here = 2;
		for (int i = 0; i < 4; i++)
			GEQ(site_getppid(), 2003);
		for (unsigned i = 0; i < 5; i++)
			for (unsigned w = 0; w < PROBE_COUNT; w++)
				probe_run(w, &probe, 95, 1);
		*flag = 1;
		RAW3(SYS_futex, flag, FUTEX_WAKE, 1);
		guest_exit(0);
	}
	while (!*flag)
		RAW4(SYS_futex, flag, FUTEX_WAIT, 0, 0);
	GEQ(here, 1);
	for (int i = 0; i < 4; i++)
		GEQ(site_getppid(), 1003);
	guest_exit(0);
}

static void test_fork(void **state)
{
	struct guest g = {.serve = serve_fork};

	memset(&fk, 0, sizeof(fk));
	guest_start(&g, guest_fork);
	assert_int_equal(guest_run(&g), -1);
	/* Our child as well (CLONE_PARENT); its end may still wait for an answer. */
	kill((pid_t)fk.op_ret, SIGKILL);
	assert_int_equal(waitpid((pid_t)fk.op_ret, NULL, 0), fk.op_ret);
	guest_end(&g);
	assert_true(fk.hello);
	assert_int_equal(fk.hops_done, 1);
	assert_true(fk.op_ret > 0);
}

/* The child finds its first reply in its slot, and the parent returns with its own if the clone worked. */
static void serve_fork_ahead(struct guest *g, unsigned proc, unsigned index, struct sbx_slot *s)
{
	struct sbx_slot *child = guest_slot(g, 1, 0);

	if (s->req == SBX_REQ_SYSCALL && s->nr == SYS_fork) {
		child->regs = s->regs;
		child->regs.rax = 0;
		child->ppid = 2003;
		child->act = SBX_ACT_RESUME;
		__atomic_store_n(&child->state, SBX_SLOT_REPLY, __ATOMIC_SEQ_CST);
		memset(s->ops, 0, sizeof(s->ops));
		s->act = SBX_ACT_HOSTOPS;
		s->op_count = 2;
		s->ops[0] = (struct sbx_hostop){SBX_HOP_SYSCALL, SBX_HOP_RETURN, SYS_mprotect, {1, 1, 1}, 0};
		s->ops[1] = (struct sbx_hostop){SBX_HOP_CLONE_PROCESS, SBX_HOP_RETURN, 0, {0x1234, 1}, 0};
		s->ret = 500;
		return;
	}
	if (s->req == SBX_REQ_HOSTOPS_DONE)
		fk.hops_done++;
	if (s->req == SBX_REQ_HELLO && proc == 1)
		fk.hello = true;
	serve_default(g, proc, index, s);
}

static void test_fork_ahead(void **state)
{
	struct guest g = {.serve = serve_fork_ahead};
	pid_t pid;

	memset(&fk, 0, sizeof(fk));
	guest_start(&g, guest_fork);
	assert_int_equal(guest_run(&g), -1);
	assert_int_equal(guest_slot(&g, 0, 0)->ops[0].ret, -EINVAL);
	pid = (pid_t)guest_slot(&g, 0, 0)->ops[1].ret;
	assert_true(pid > 0);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	guest_end(&g);
	assert_false(fk.hello);
	assert_int_equal(fk.hops_done, 0);
}

/* ---- host ops on memory */

static void serve_ops(struct guest *g, unsigned proc, unsigned index, struct sbx_slot *s)
{
	if (s->req == SBX_REQ_SYSCALL && s->nr == 95) {
		struct sbx_hostop *op = s->ops;
		uint64_t m = s->args[0];

		memset(op, 0, sizeof(s->ops));
		memcpy((uint8_t *)s + 4096 + 100, "hello", 6);
		s->act = SBX_ACT_HOSTOPS;
		op[0] = (struct sbx_hostop){SBX_HOP_COPY, 0, 0, {m, 6, 100}, 0};
		op[1] = (struct sbx_hostop){SBX_HOP_COPY, 0, 0, {16, 6, 100}, 0};
		op[2] = (struct sbx_hostop){SBX_HOP_COPY, 0, 0, {m, 6, SBX_SLOT_WINDOW - 5}, 0};
		op[3] = (struct sbx_hostop){SBX_HOP_ZERO, 0, 0, {m + 8, 8}, 0};
		op[4] = (struct sbx_hostop){SBX_HOP_ZERO, 0, 0, {m + 4000, 1 << 20}, 0};
		op[5] = (struct sbx_hostop){SBX_HOP_CMPXCHG32, 0, 0, {m + 16, 7, 9}, 0};
		op[6] = (struct sbx_hostop){SBX_HOP_CMPXCHG32, 0, 0, {m + 16, 7, 8}, 0};
		op[7] = (struct sbx_hostop){SBX_HOP_CMPXCHG32, 0, 0, {24, 7, 8}, 0};
		op[8] = (struct sbx_hostop){SBX_HOP_SYSCALL, SBX_HOP_STOP_ON_ERROR, SYS_mprotect, {m + 1, 1, 1}, 0};
		op[9] = (struct sbx_hostop){SBX_HOP_FUTEX_WAKE, 0, 0, {m, 1}, 0};
		op[10] = (struct sbx_hostop){99, 0, 0, {0}, 0};
		s->op_count = 11;
		return;
	}
	if (s->req == SBX_REQ_HOSTOPS_DONE) {
		static const int64_t want[11] = {0, -EFAULT, -EINVAL, 0, -EFAULT, 7, 9, -EFAULT, -EINVAL,
						 -ECANCELED, -ECANCELED};

		for (unsigned i = 0; i < 11; i++)
			assert_int_equal(s->ops[i].ret, want[i]);
		slot_return(s, 3);
		return;
	}
	serve_default(g, proc, index, s);
}

static void guest_ops(void)
{
	uint8_t *m = (uint8_t *)RAW6(SYS_mmap, 0, 8192, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	RAW2(SYS_munmap, m + 4096, 4096);
	for (int i = 0; i < 3; i++) {
		memset(m, 1, 16);
		*(uint32_t *)(m + 16) = 7;
		GEQ(RAW1(95, m), 3);
	}
	guest_exit(0);
}

static void test_ops(void **state)
{
	struct guest g = {.serve = serve_ops};

	guest_start(&g, guest_ops);
	assert_int_equal(guest_run(&g), -1);
	guest_end(&g);
}

/* ---- threads: clone(fn, stack) is answered by an op and a HELLO */

#define THREADS 6
static unsigned next_thread;
static uint64_t thread_rip, thread_rsp[32];
static struct {
	struct sbx_slot *slot;
	bool held;
} held;

static void serve_threads(struct guest *g, unsigned proc, unsigned index, struct sbx_slot *s)
{
	if (s->req == SBX_REQ_SYSCALL && s->nr == SYS_clone) {
		thread_rip = s->args[0];
		memset(s->ops, 0, sizeof(s->ops));
		s->act = SBX_ACT_HOSTOPS;
		s->op_count = 1;
		s->ops[0].kind = SBX_HOP_CLONE_THREAD;
		s->ops[0].args[0] = ++next_thread;
		thread_rsp[next_thread] = s->args[1];
		guest_slot(g, 0, next_thread)->ppid = 1003;
		return;
	}
	if (s->req == SBX_REQ_HOSTOPS_DONE) {
		slot_return(s, s->ops[0].ret > 0 ? 1 : s->ops[0].ret);
		return;
	}
	if (s->req == SBX_REQ_HELLO && index) {
		assert_int_not_equal(s->host_tid, 0);
		s->regs.rip = thread_rip;
		s->regs.rsp = thread_rsp[index] - 8;
		s->regs.rdi = index;
		slot_resume(s);
		return;
	}
	if (s->req == SBX_REQ_SYSCALL && s->nr == 400) { /* held until 401 */
		held.slot = s;
		s->act = 100;
		return;
	}
	if (s->req == SBX_REQ_SYSCALL && s->nr == 402) { /* threads that are not gone yet */
		unsigned n = 0;

		for (unsigned i = 1; i <= THREADS; i++)
			n += guest_slot(g, 0, i)->host_tid != 0;
		slot_return(s, n);
		return;
	}
	if (s->req == SBX_REQ_SYSCALL && s->nr == 401) {
		struct sbx_slot *h = held.slot;

		if (!h) {
			slot_return(s, 0);
			return;
		}
		slot_return(h, 4000);
		held.slot = NULL;
		__atomic_store_n(&h->state, SBX_SLOT_REPLY, __ATOMIC_SEQ_CST);
		if (__atomic_load_n(&h->guest_waits, __ATOMIC_SEQ_CST))
			syscall(SYS_futex, &h->state, FUTEX_WAKE, 1, NULL, NULL, 0);
		slot_return(s, 1);
		return;
	}
	serve_default(g, proc, index, s);
}

static volatile uint32_t ended;

static void spawn(void (*fn)(long index))
{
	uint8_t *stack = (uint8_t *)RAW6(SYS_mmap, 0, 65536, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	GEQ(RAW2(SYS_clone, fn, stack + 65536), 1);
}

static void thread_end(void)
{
	__atomic_fetch_add(&ended, 1, __ATOMIC_SEQ_CST);
	RAW3(SYS_futex, &ended, FUTEX_WAKE, 1);
	RAW1(SYS_exit, 0);
}

static void wait_ended(uint32_t n)
{
	uint32_t v;

	while ((v = ended) < n)
		RAW4(SYS_futex, &ended, FUTEX_WAIT, v, 0);
}

/* All of them through the same patched sites, which probe.S cannot (its variables are global). */
static uint32_t cs_lock;
static void thread_calls(long index)
{
	for (long i = 0; i < 3000; i++) {
		long r;

		GEQ(site_getppid(), 1003);
		__asm__ volatile("movl $95, %%eax\n\tsyscall" : "=a"(r) : "D"(i * 8 + index) : "rcx", "r11", "memory");
		GEQ(r, i * 8 + index + 1);
		__asm__ volatile("syscall\n\tcmpq $-4095, %%rax\n\tjae 1f\n\tincq %%rax\n1:"
				 : "=a"(r) : "a"(95), "D"(i * 8 + index) : "rcx", "r11", "memory");
		GEQ(r, i * 8 + index + 2);
		/* a futex lock that hands over all the time */
		while (__atomic_exchange_n(&cs_lock, 1, __ATOMIC_ACQUIRE))
			RAW4(SYS_futex, &cs_lock, FUTEX_WAIT_PRIVATE, 1, 0);
		__atomic_store_n(&cs_lock, 0, __ATOMIC_RELEASE);
		RAW3(SYS_futex, &cs_lock, FUTEX_WAKE_PRIVATE, 1);
	}
	thread_end();
}

static void guest_threads(void)
{
	for (unsigned i = 0; i < THREADS; i++)
		spawn(thread_calls);
	wait_ended(THREADS);
	/* The host zeroes host_tid when a thread is gone, but not at the end of the process. */
	while (RAW0(402))
		RAW0(SYS_sched_yield);
	guest_exit(0);
}

static void test_threads(void **state)
{
	struct guest g = {.serve = serve_threads, .threads = THREADS + 1};

	next_thread = 0;
	guest_start(&g, guest_threads);
	assert_int_equal(guest_run(&g), -1);
	guest_end(&g);
}

/* A thread is in a call of the site that another one gets patched meanwhile: at every alignment. */
#define SITE(n)                                                                                    \
	__attribute__((noinline)) static long cmp_site##n(long nr)                                 \
	{                                                                                          \
		long r;                                                                            \
                                                                                                   \
		__asm__ volatile(".balign 32\n\t.skip " #n " + 1, 0x90\n\tsyscall\n\tcmpq $-4095, %%rax\n\t" \
				 "jb 1f\n\tmovl $-1, %%eax\n\tcltq\n1:"                            \
				 : "=a"(r) : "a"(nr), "D"(0) : "rcx", "r11", "memory");            \
		return r;                                                                          \
	}
SITE(0) SITE(1) SITE(2) SITE(3) SITE(4) SITE(5) SITE(6) SITE(7)
SITE(8) SITE(9) SITE(10) SITE(11) SITE(12) SITE(13) SITE(14) SITE(15)
static long (*const cmp_sites[16])(long) = {
	cmp_site0, cmp_site1, cmp_site2, cmp_site3, cmp_site4, cmp_site5, cmp_site6, cmp_site7,
	cmp_site8, cmp_site9, cmp_site10, cmp_site11, cmp_site12, cmp_site13, cmp_site14, cmp_site15};

static void thread_held(long index)
{
	GEQ(cmp_sites[index - 1](400), 4000);
	thread_end();
}

static void guest_held(void)
{
	for (unsigned n = 0; n < 16; n++) {
		spawn(thread_held);
		/* The first hit is the other thread's; after some of ours the site is patched. */
		for (int i = 0; i < 100; i++)
			RAW0(SYS_sched_yield);
		while (!cmp_sites[n](401))
			RAW0(SYS_sched_yield);
		for (int i = 0; i < 20; i++)
			GEQ(cmp_sites[n](95), 1);
		wait_ended(n + 1);
	}
	guest_exit(0);
}

static unsigned patched_95;
static void serve_held(struct guest *g, unsigned proc, unsigned index, struct sbx_slot *s)
{
	if (s->req == SBX_REQ_SYSCALL && s->nr == 95 && s->site_kind)
		patched_95++;
	serve_threads(g, proc, index, s);
}

static void test_patched_under_a_call(void **state)
{
	struct guest g = {.serve = serve_held, .threads = 17};

	next_thread = 0;
	memset(&held, 0, sizeof(held));
	guest_start(&g, guest_held);
	assert_int_equal(guest_run(&g), -1);
	guest_end(&g);
	assert_in_range(patched_95, 180, 320);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fork),
		cmocka_unit_test(test_fork_ahead),
		cmocka_unit_test(test_ops),
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_patched_under_a_call),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
