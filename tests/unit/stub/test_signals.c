/* Kicks, signal frames, rt_sigreturn, faults: with a guest that looks at all its registers. */
#include <errno.h>
#include <linux/futex.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>
#include <cmocka.h>
#include "tests/unit/stub/harness.h"

struct loop {
	volatile uint64_t counter;
	volatile uint32_t stop, pad;
	volatile uint32_t call, nr; /* make this call in every round */
};
extern long loop_regs(struct loop *l);
extern void clobber_vectors(void);
extern void guest_restorer(void);
#define LOOP ((struct loop *)shared)

static long now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

/* ---- kicks: each one must make the thread ask soon, wherever it lands. On a machine that is busy with other things
 * the guest may get the CPU a few times a second only: then fewer kicks are enough. */

#define KICKS_ENOUGH 100
#define KICKS_US 5000000

static struct kicks {
	unsigned sent, seen, want;
	bool outstanding, signal, started;
	long sent_at, longest, next_at, enough_at;
	uint64_t handler, sp;
	unsigned frames;
} k;

static void guest_loop(void)
{
	GEQ(loop_regs(LOOP), 0);
	guest_exit(0);
}

static void fill_frame(struct sbx_slot *s, int signo, uint64_t handler)
{
	siginfo_t *info = (siginfo_t *)s->sig.siginfo;

	memset(&s->sig, 0, sizeof(s->sig));
	info->si_signo = signo;
	info->si_code = SI_USER;
	info->si_pid = 4242;
	s->sig.handler = handler;
	s->sig.restorer = (uint64_t)guest_restorer;
	s->sig.new_mask = 0xff00;
	s->sig.old_mask = s->sigmask;
	s->sig.signo = (uint32_t)signo;
	s->sig.ss_flags = SS_DISABLE;
	s->act = SBX_ACT_SIGNAL;
}

static void serve_kicks(struct guest *g, unsigned proc, unsigned index, struct sbx_slot *s)
{
	uint32_t req = s->req;

	if (req != SBX_REQ_HELLO && k.outstanding) {
		long took = now_us() - k.sent_at;

		k.outstanding = false;
		k.seen++;
		k.next_at = now_us() + rand() % 60;
		if (took > k.longest)
			k.longest = took;
		if (k.seen == k.want || (k.seen >= KICKS_ENOUGH && now_us() > k.enough_at))
			LOOP->stop = 1;
	}
	serve_default(g, proc, index, s);
	if (req == SBX_REQ_HELLO)
		k.started = true;
	if (k.signal && req == SBX_REQ_KICKED && (s->sigmask & 0x100) == 0) {
		fill_frame(s, SIGUSR1, k.handler);
		k.frames++;
	}
}

static void idle_kicks(struct guest *g)
{
	if (!k.started || LOOP->stop || k.outstanding || now_us() < k.next_at || LOOP->counter < 100)
		return;
	k.outstanding = true;
	k.sent++;
	k.sent_at = now_us();
	guest_kick(g, 0, 0);
}

static void run_kicks(uint32_t call, uint32_t nr, bool spin, unsigned want)
{
	struct guest g = {.serve = serve_kicks, .idle = idle_kicks, .spin = spin};
	uint64_t handler = k.handler;
	bool signal = k.signal;

	memset(&k, 0, sizeof(k));
	k.want = want;
	k.enough_at = now_us() + KICKS_US;
	k.handler = handler;
	k.signal = signal;
	guest_start(&g, guest_loop);
	LOOP->call = call;
	LOOP->nr = nr;
	assert_int_equal(guest_run(&g), -1);
	guest_end(&g);
	assert_true(k.seen == want || k.seen >= KICKS_ENOUGH);
	print_message("      %u kicks, %u frames, %lu rounds, longest %ld us\n", k.seen, k.frames,
		      LOOP->counter, k.longest);
}

static void test_kick_user(void **state)
{
	k.signal = false;
	run_kicks(0, 0, true, 1000);
}
static void test_kick_fast(void **state)
{
	k.signal = false;
	run_kicks(1, 110, true, 2000);
}
static void test_kick_t0(void **state)
{
	k.signal = false;
	run_kicks(1, 24, true, 2000);
}
static void test_kick_t1(void **state)
{
	k.signal = false;
	run_kicks(1, 95, true, 1000);
}

/* ---- the same with a handler that clobbers what it can */

static void handler(int signo, siginfo_t *info, void *ctx)
{
	ucontext_t *uc = ctx;

	GEQ(signo, SIGUSR1);
	GEQ(info->si_signo, SIGUSR1);
	GEQ(info->si_pid, 4242);
	GEQ((uint64_t)__builtin_frame_address(0) & 15, 0);
	GEQ(uc->uc_flags, 7);
	GCHECK(uc->uc_mcontext.fpregs != NULL);
	GEQ(uc->uc_mcontext.fpregs->mxcsr & 0xffc0, 0x1f80);
	GEQ(uc->uc_mcontext.gregs[REG_CSGSFS] & 0xffff, 0x33);
	GCHECK((uint64_t)ctx < (uint64_t)uc->uc_mcontext.gregs[REG_RSP] - 128);
	clobber_vectors();
	(*(volatile uint64_t *)(shared + 4096))++;
}

static void test_frames_user(void **state)
{
	k.signal = true;
	k.handler = (uint64_t)handler;
	run_kicks(0, 0, true, 1000);
	assert_true(k.frames > k.seen / 4);
	assert_int_equal(*(uint64_t *)(shared + 4096), k.frames);
}
static void test_frames_fast(void **state)
{
	run_kicks(1, 110, true, 1000);
	assert_int_equal(*(uint64_t *)(shared + 4096), k.frames);
}
static void test_frames_t0(void **state)
{
	run_kicks(1, 24, true, 1000);
	assert_int_equal(*(uint64_t *)(shared + 4096), k.frames);
}

/* ---- frames by order: umask(1000 + n) is answered by a signal */

static uint64_t alt_sp, alt_size, alt_flags;
static unsigned alt_requests;
static void serve_orders(struct guest *g, unsigned proc, unsigned index, struct sbx_slot *s)
{
	if (s->req == SBX_REQ_ALTSTACK) {
		if (alt_requests++)
			goto out;
		alt_sp = s->args[0];
		alt_flags = s->args[1];
		alt_size = s->args[2];
	}
out:
	if (s->req == SBX_REQ_FAULT) {
		*(uint64_t *)(shared + 4096 + 8) = s->fault_signo;
		*(uint64_t *)(shared + 4096 + 16) = s->fault_addr;
		*(uint64_t *)(shared + 4096 + 24) = s->fault_trapno;
		*(uint64_t *)(shared + 4096 + 32) = s->regs.rip;
		*(uint64_t *)(shared + 4096 + 40) = s->fault_err;
		*(int64_t *)(shared + 4096 + 48) = s->fault_code;
		s->regs.eflags = 0x202; /* no trap flag */
		s->regs.rip = *(uint64_t *)(shared + 4096 + 56);
		s->regs.rsp = *(uint64_t *)(shared + 4096 + 64);
		slot_resume(s);
		return;
	}
	if (s->req != SBX_REQ_SYSCALL || s->nr != 95 || s->args[0] < 1000) {
		serve_default(g, proc, index, s);
		return;
	}
	fill_frame(s, SIGUSR1, s->args[1]);
	s->sig.has_ret = 1;
	s->ret = 55;
	if (s->args[0] == 1001) { /* on the alternate stack */
		s->sig.ss_sp = s->args[2];
		s->sig.ss_size = s->args[3];
		s->sig.ss_flags = 0;
		s->sig.sp = s->args[2] + s->args[3];
	}
}

static void handler_rip(int signo, siginfo_t *info, void *ctx)
{
	ucontext_t *uc = ctx;
	uint64_t mask = 0;

	GEQ(uc->uc_mcontext.gregs[REG_RAX], 55);
	GEQ(RAW4(SYS_rt_sigprocmask, 0, 0, &mask, 8), 0);
	GEQ(mask, 0xff00);
	GEQ(*(uint64_t *)&uc->uc_sigmask, 0x30);
	uc->uc_mcontext.gregs[REG_RAX] = 66;
	*(uint64_t *)&uc->uc_sigmask = 0x70 | 1 << 8;
}

static void handler_alt(int signo, siginfo_t *info, void *ctx)
{
	ucontext_t *uc = ctx;
	uint8_t *alt = shared + 0x10000;

	GCHECK((uint8_t *)&uc >= alt && (uint8_t *)&uc < alt + 0x8000);
	GEQ(uc->uc_stack.ss_sp, alt);
	GEQ(uc->uc_stack.ss_size, 0x8000);
	if (*(uint64_t *)(shared + 4096))
		uc->uc_stack.ss_size = 0x4000;
}

static jmp_buf jb;
static void handler_jmp(int signo, siginfo_t *info, void *ctx)
{
	__builtin_longjmp(jb, 1);
}

#define FAULT ((volatile uint64_t *)(shared + 4096))
static void recover(void)
{
	__builtin_longjmp(jb, 1);
}
static void arm(void)
{
	FAULT[7] = (uint64_t)recover;
	FAULT[8] = (uint64_t)shared + 0x80000 - 8;
}

static void guest_orders(void)
{
	uint64_t mask = 0x30;

	GEQ(RAW4(SYS_rt_sigprocmask, SIG_SETMASK, &mask, 0, 8), 0);
	GEQ(RAW4(SYS_rt_sigprocmask, 77, &mask, 0, 8), -EINVAL);
	GEQ(RAW4(SYS_rt_sigprocmask, 0, &mask, 0, 4), -EINVAL);
	GEQ(RAW4(SYS_rt_sigprocmask, 0, 16, 0, 8), -EFAULT);
	GEQ(RAW4(SYS_rt_sigprocmask, 0, 0, 16, 8), -EFAULT);
	for (int i = 0; i < 3; i++) {
		GEQ(RAW2(95, 1000, handler_rip), 66);
		GEQ(RAW4(SYS_rt_sigprocmask, SIG_BLOCK, 0, &mask, 8), 0);
		GEQ(mask, 0x70); /* SIGKILL stays out */
		mask = 0x40;
		GEQ(RAW4(SYS_rt_sigprocmask, SIG_UNBLOCK, &mask, &mask, 8), 0);
		GEQ(mask, 0x70);
	}
	for (int i = 0; i < 3; i++)
		GEQ(RAW4(95, 1001, handler_alt, shared + 0x10000, 0x8000), 55);
	*(uint64_t *)(shared + 4096) = 1;
	GEQ(RAW4(95, 1001, handler_alt, shared + 0x10000, 0x8000), 55);
	mask = 0x30;
	for (int i = 0; i < 3; i++) {
		if (!__builtin_setjmp(jb)) {
			RAW2(95, 1000, handler_jmp);
			GCHECK(0);
		}
	}
	/* An alternate stack that is too small, and one that is not there. */
	if (!__builtin_setjmp(jb)) {
		arm();
		RAW4(95, 1001, handler_alt, shared + 0x10000, 0x400);
		GCHECK(0);
	}
	GEQ(FAULT[1], SIGSEGV);
	GEQ(FAULT[3], SBX_TRAPNO_FRAME);
	GEQ(FAULT[5], SIGUSR1);
	if (!__builtin_setjmp(jb)) {
		arm();
		RAW4(95, 1001, handler_alt, 0x10000, 0x8000);
		GCHECK(0);
	}
	GEQ(FAULT[3], SBX_TRAPNO_FRAME);
	/* Faults. */
	if (!__builtin_setjmp(jb)) {
		arm();
		*(volatile int *)0x1238 = 1;
	}
	GEQ(FAULT[1], SIGSEGV);
	GEQ(FAULT[2], 0x1238);
	GEQ(FAULT[3], 14);
	GEQ(FAULT[5], 6);
	GEQ(FAULT[6], SEGV_MAPERR);
	if (!__builtin_setjmp(jb)) {
		arm();
		__asm__ volatile("ud2");
	}
	GEQ(FAULT[1], SIGILL);
	if (!__builtin_setjmp(jb)) {
		arm();
		__asm__ volatile("int3");
	}
	GEQ(FAULT[1], SIGTRAP);
	if (!__builtin_setjmp(jb)) {
		volatile int zero = 0;

		arm();
		zero = 7 / zero;
	}
	GEQ(FAULT[1], SIGFPE);
	/* rt_sigreturn from nowhere, and of rubbish; a jump to no address. */
	if (!__builtin_setjmp(jb)) {
		arm();
		__asm__ volatile("movq $64, %rsp\n\tmovl $15, %eax\n\tsyscall");
	}
	GEQ(FAULT[1], SIGSEGV);
	if (!__builtin_setjmp(jb)) {
		static uint64_t frame[200];

		arm();
		memset(frame, 0x5a, sizeof(frame));
		__asm__ volatile("movq %0, %%rsp\n\tmovl $15, %%eax\n\tsyscall" : : "r"(frame));
	}
	GEQ(FAULT[1], SIGSEGV);
	if (!__builtin_setjmp(jb)) {
		static uint64_t frame[200]; /* no vector state; rip not canonical */

		arm();
		memset(frame, 0, sizeof(frame));
		frame[5 + 16] = 1ul << 60;
		__asm__ volatile("movq %0, %%rsp\n\tmovl $15, %%eax\n\tsyscall" : : "r"(frame));
	}
	GEQ(FAULT[1], SIGSEGV);
	GEQ(FAULT[4], 1ul << 60);
	/* A word of single-stepping. */
	if (!__builtin_setjmp(jb)) {
		arm();
		__asm__ volatile("pushfq\n\torl $0x100, (%rsp)\n\tpopfq\n\tnop\n\tnop");
	}
	GEQ(FAULT[1], SIGTRAP);
	GEQ(FAULT[6], TRAP_TRACE);
	guest_exit(0);
}

static void test_orders(void **state)
{
	struct guest g = {.serve = serve_orders};

	alt_requests = 0;
	guest_start(&g, guest_orders);
	assert_int_equal(guest_run(&g), -1);
	guest_end(&g);
	/* Only the frame whose stack the handler changed, and the forged one. */
	assert_int_equal(alt_requests, 2);
	assert_int_equal(alt_size, 0x4000);
	assert_ptr_equal((void *)alt_sp, shared + 0x10000);
}

/* ---- futex waits */

static struct {
	int mode;
	long at;
	unsigned kicked;
	uint64_t rax, orig;
} fx;

static void serve_futex(struct guest *g, unsigned proc, unsigned index, struct sbx_slot *s)
{
	if (s->req == SBX_REQ_SYSCALL && s->nr == 95) {
		fx.mode = (int)s->args[0];
		fx.at = now_us() + 3000;
		slot_return(s, 0);
		return;
	}
	if (s->req == SBX_REQ_KICKED) {
		fx.kicked++;
		fx.rax = s->regs.rax;
		fx.orig = s->regs.orig_rax;
		if (fx.orig != (uint64_t)-1) {
			if (fx.mode == 1) { /* as for a signal with a handler */
				s->regs.rax = (uint64_t)-EINTR;
				fx.mode = 0;
			} else { /* as for none: restart */
				s->regs.rax = s->regs.orig_rax;
				s->regs.rip -= 2;
			}
		}
		slot_resume(s);
		*(volatile uint64_t *)(shared + 4096) = fx.kicked;
		return;
	}
	serve_default(g, proc, index, s);
}

static void idle_futex(struct guest *g)
{
	if (fx.mode && now_us() > fx.at) {
		fx.at = now_us() + (fx.mode == 3 ? 700 : 3000);
		guest_kick(g, 0, 0);
	}
}

static long clock_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts); /* the vDSO */
	return ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

__attribute__((noinline)) static long wait_mov(uint32_t *word, struct timespec *ts)
{
	register struct timespec *r10 __asm__("r10") = ts;
	long r;

	__asm__ volatile("movl $202, %%eax\n\tsyscall"
			 : "=a"(r) : "D"(word), "S"(FUTEX_WAIT), "d"(5), "r"(r10) : "rcx", "r11", "memory");
	return r;
}

__attribute__((noinline)) static long wait_cmp(uint32_t *word, struct timespec *ts)
{
	register struct timespec *r10 __asm__("r10") = ts;
	long r;

	__asm__ volatile("syscall\n\tcmpq $-4095, %%rax"
			 : "=a"(r)
			 : "a"(202), "D"(word), "S"(FUTEX_WAIT), "d"(5), "r"(r10)
			 : "rcx", "r11", "memory");
	return r;
}

static void guest_futex(void)
{
	static uint32_t word = 5;
	struct timespec ts = {0, 30000000}, far = {10, 0}, bad = {0, 1000000000};
	long start;

	GEQ(RAW3(SYS_futex, &word, FUTEX_WAKE, 1), 0);
	GEQ(RAW4(SYS_futex, &word, FUTEX_WAIT, 4, 0), -EAGAIN);
	GEQ(RAW4(SYS_futex, &word, FUTEX_WAIT, 5, &bad), -EINVAL);
	GEQ(RAW4(SYS_futex, &word, FUTEX_WAIT, 5, 8), -EFAULT);
	GEQ(RAW4(SYS_futex, 8, FUTEX_WAIT, 5, 0), -EFAULT);
	GEQ(RAW3(SYS_futex, &word, FUTEX_LOCK_PI, 0), -ENOSYS);
	start = clock_us();
	GEQ(RAW4(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 5, &ts), -ETIMEDOUT);
	GCHECK(clock_us() - start >= 30000);
	/* Interrupted for good. */
	RAW1(95, 1);
	GEQ(RAW4(SYS_futex, &word, FUTEX_WAIT, 5, 0), -EINTR);
	RAW1(95, 1);
	GEQ(RAW4(SYS_futex, &word, FUTEX_WAIT, 5, &far), -EINTR);
	/* Kicked again and again: the deadline stays. */
	for (int mode = 2; mode <= 3; mode++) {
		RAW1(95, mode);
		start = clock_us();
		GEQ(RAW4(SYS_futex, &word, FUTEX_WAIT, 5, &ts), -ETIMEDOUT);
		start = clock_us() - start;
		GCHECK(start >= 30000);
		GCHECK(start < 10000000); /* else each kick begins it anew */
		RAW1(95, 0);
	}
	/* By patched sites of both forms. */
	for (int i = 0; i < 6; i++) {
		RAW1(95, 2);
		GEQ(wait_mov(&word, &ts), -ETIMEDOUT);
		GEQ(wait_cmp(&word, &ts), -ETIMEDOUT);
		RAW1(95, 1);
		GEQ(wait_cmp(&word, &far), -EINTR);
		RAW1(95, 1);
		GEQ(wait_mov(&word, &far), -EINTR);
	}
	guest_exit(0);
}

static void test_futex(void **state)
{
	struct guest g = {.serve = serve_futex, .idle = idle_futex};

	memset(&fx, 0, sizeof(fx));
	guest_start(&g, guest_futex);
	assert_int_equal(guest_run(&g), -1);
	guest_end(&g);
	assert_true(fx.kicked >= 14); /* the waits that only a kick ends */
	print_message("      %u kicks\n", fx.kicked);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_orders),	    cmocka_unit_test(test_futex),
		cmocka_unit_test(test_kick_user),   cmocka_unit_test(test_kick_fast),
		cmocka_unit_test(test_kick_t0),	    cmocka_unit_test(test_kick_t1),
		cmocka_unit_test(test_frames_user), cmocka_unit_test(test_frames_fast),
		cmocka_unit_test(test_frames_t0),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
