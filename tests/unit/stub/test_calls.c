/* Calls by every way in: registers and flags kept, answers right, memory copied. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <cmocka.h>
#include "tests/unit/stub/harness.h"

static struct probe probe;

static void guest_probes(void)
{
	for (uint64_t round = 0; round < 40; round++) {
		GEQ(probe_run(PROBE_REG, &probe, 110, round), 1003);
		GEQ(probe_run(PROBE_REG, &probe, 95, round), (round & 0xfff) + 1);
		GEQ(probe_run(PROBE_MOV_GETPPID, &probe, 0, round), 1003);
		GEQ(probe_run(PROBE_MOV_UMASK, &probe, 0, round), round + 1);
		GEQ(probe_run(PROBE_MOVQ_UMASK, &probe, 0, round), round + 1);
		GEQ(probe_run(PROBE_CMP, &probe, 110, round), 1003);
		GEQ(probe_run(PROBE_CMP, &probe, 95, round), round + 1);
		GEQ(probe_run(PROBE_CMP, &probe, 470, round), -ENOSYS);
		GEQ(probe_run(PROBE_MOV_YIELD, &probe, 0, round), 0);
	}
	guest_exit(0);
}

static unsigned sigsys_hits, patched_hits;
static void serve_kinds(struct guest *g, unsigned proc, unsigned index, struct sbx_slot *s)
{
	if (s->req == SBX_REQ_SYSCALL && s->nr == 95)
		(*(s->site_kind ? &patched_hits : &sigsys_hits))++;
	serve_default(g, proc, index, s);
}

static void run(void (*fn)(void), serve_fn serve)
{
	struct guest g = {.serve = serve};

	guest_start(&g, fn);
	assert_int_equal(guest_run(&g), -1);
	guest_end(&g);
}

static void test_registers(void **state)
{
	sigsys_hits = patched_hits = 0;
	run(guest_probes, serve_kinds);
	/* 4 sites of umask: the reg form stays, the others are patched after some hits of their 40. */
	assert_int_equal(sigsys_hits + patched_hits, 160);
	assert_in_range(patched_hits, 90, 118);
}

static void test_registers_unpatched(void **state)
{
	struct guest g = {.serve = serve_kinds};

	sigsys_hits = patched_hits = 0;
	guest_start(&g, guest_probes);
	g.ctl->patching = 0;
	assert_int_equal(guest_run(&g), -1);
	guest_end(&g);
	assert_int_equal(patched_hits, 0);
}

static void test_registers_spinning(void **state)
{
	struct guest g = {.spin = true};

	guest_start(&g, guest_probes);
	assert_int_equal(guest_run(&g), -1);
	guest_end(&g);
}

static void guest_ids(void)
{
	for (int i = 0; i < 5; i++) {
		long r;
#define ID(nr, want) \
	__asm__ volatile("movl $" #nr ", %%eax\n\tsyscall" : "=a"(r) : : "rcx", "r11", "memory"); \
	GEQ(r, want)
		ID(39, 1001);
		ID(186, 1002);
		ID(110, 1003);
		ID(102, 1004);
		ID(107, 1005);
		ID(104, 1006);
		ID(108, 1007);
	}
	guest_exit(0);
}

static void test_ids(void **state)
{
	run(guest_ids, NULL);
}

/* ---- traced: nothing in T0 */

static void serve_trace(struct guest *g, unsigned proc, unsigned index, struct sbx_slot *s)
{
	if (s->req == SBX_REQ_SYSCALL && s->nr == 110)
		slot_return(s, 77);
	else
		serve_default(g, proc, index, s);
	if (s->req == SBX_REQ_SYSCALL && s->nr == 95)
		s->trace = (uint32_t)s->args[0];
}

static long getppid_site(void)
{
	long r;

	__asm__ volatile("movl $110, %%eax\n\tsyscall" : "=a"(r) : : "rcx", "r11", "memory");
	return r;
}

static void guest_trace(void)
{
	for (int i = 0; i < 4; i++) {
		RAW1(95, 0);
		GEQ(getppid_site(), 1003);
		GEQ(RAW0(110), 1003);
		RAW1(95, 1);
		GEQ(getppid_site(), 77);
		GEQ(RAW0(110), 77);
	}
	guest_exit(0);
}

static void test_trace(void **state)
{
	run(guest_trace, serve_trace);
}

/* ---- what a forked child calls */

static void guest_fork_page(void)
{
	static const uint8_t fork_site[] = {0xb8, 57, 0, 0, 0, 0x0f, 0x05, 0xc3};
	static const uint8_t exec_site[] = {0xb8, 59, 0, 0, 0, 0x0f, 0x05, 0xc3};
	static const uint8_t other_site[] = {0xb8, 95, 0, 0, 0, 0x0f, 0x05, 0xc3};
	/* mov %edi, %eax; xchg %rdi, %rsi; syscall; cmp $-4096, %rax; ret */
	static const uint8_t any_site[] = {0x89, 0xf8, 0x48, 0x87, 0xf7, 0x0f, 0x05, 0x48, 0x3d, 0, 0xf0, 0xff, 0xff, 0xc3};
	uint8_t *m = (uint8_t *)RAW6(SYS_mmap, 0, 4096, 7, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	long (*fork_call)(void) = (long (*)(void))(m + 0x100), (*exec_call)(void) = (long (*)(void))(m + 0xffa - 0x20);
	long (*any_call)(long, long) = (long (*)(long, long))(m + 0x31);

	GCHECK((long)m > 0);
	memset(m, 0x90, 4096);
	memcpy(m + 0x100, fork_site, sizeof(fork_site));
	memcpy((void *)exec_call, exec_site, sizeof(exec_site));
	memcpy((void *)any_call, any_site, sizeof(any_site));
	memcpy(m + 0x200, other_site, sizeof(other_site));
	for (int i = 0; i < 10; i++)
		GEQ(fork_call(), -ENOSYS);
	GEQ(m[0x100], 0xe9);
	GEQ(*(uint8_t *)exec_call, 0xe9);
	GEQ(((uint8_t *)any_call)[5], 0xe9);
	GEQ(m[0x200], 0xb8);
	GEQ(exec_call(), -ENOSYS);
	GEQ(any_call(SYS_umask, 41), 42);
	GEQ(any_call(SYS_execve, 0), -ENOSYS);
	guest_exit(0);
}

static void serve_fork_page(struct guest *g, unsigned proc, unsigned index, struct sbx_slot *s)
{
	if (s->req == SBX_REQ_SYSCALL && (s->nr == SYS_execve || s->nr == SYS_umask))
		assert_true(s->site_kind); /* not by SIGSYS */
	serve_default(g, proc, index, s);
}

static void test_fork_page(void **state)
{
	run(guest_fork_page, serve_fork_page);
}

/* ---- copy-in and copy-out */

#define NR_CSTR 300
#define NR_IN 301
#define NR_ARG 302
#define NR_IOV 303
#define NR_OUT 304
#define NR_ARRAY 305
#define NR_FDSET 306
#define NR_MSG 307
#define NR_MSG_IN 308

static void serve_copy(struct guest *g, unsigned proc, unsigned index, struct sbx_slot *s)
{
	uint8_t *w = (uint8_t *)s + 4096;

	if (s->req != SBX_REQ_SYSCALL || s->nr < NR_CSTR || s->nr > NR_MSG_IN) {
		serve_default(g, proc, index, s);
		return;
	}
	uint64_t sum = 0;
	for (unsigned i = 0; i < s->in_count; i++)
		for (unsigned j = 0; j < s->in[i].size; j++)
			sum += w[s->in[i].off + j];
	if (s->nr == NR_OUT) {
		memcpy(w, "0123456789abcdef", 16);
		s->out_count = 2;
		s->out[0] = (struct sbx_seg){s->args[0], 8, 0};
		s->out[1] = (struct sbx_seg){s->args[1], 8, 8};
		slot_return(s, 5);
		return;
	}
	if (s->nr == NR_CSTR && s->in_count) {
		assert_int_equal(s->in[0].uaddr, s->args[0]);
		assert_int_equal(w[s->in[0].off + s->in[0].size - 1], 0);
		assert_int_equal(strlen((char *)w + s->in[0].off) + 1, s->in[0].size);
	}
	slot_return(s, (int64_t)(s->in_count << 24 | (sum & 0xffffff)));
}

static long sum_of(const void *p, unsigned long size)
{
	long sum = 0;

	for (unsigned long i = 0; i < size; i++)
		sum += ((const uint8_t *)p)[i];
	return sum;
}

/* m: a page of ones, with nothing behind it. */
static void guest_copy_msg(uint8_t *m)
{
	struct iovec iov[2] = {{m, 10}, {m + 100, 20}};
	struct msghdr h = {.msg_name = m, .msg_namelen = 16, .msg_iov = iov, .msg_iovlen = 2, .msg_control = m, .msg_controllen = 40};
	long base = sum_of(&h, sizeof(h)) + sum_of(iov, sizeof(iov));

	GEQ(RAW1(NR_MSG, &h), (2 << 24) + base);
	GEQ(RAW1(NR_MSG_IN, &h), (6 << 24) + base + 16 + 40 + 30);
	h.msg_namelen = (socklen_t)-1;
	h.msg_controllen = 1 << 20;
	base = sum_of(&h, sizeof(h)) + sum_of(iov, sizeof(iov));
	GEQ(RAW1(NR_MSG_IN, &h), (4 << 24) + base + 30);
	h.msg_iovlen = 1ul << 60;
	GEQ(RAW1(NR_MSG_IN, &h), (1 << 24) + sum_of(&h, sizeof(h)));
	GEQ(RAW1(NR_MSG_IN, m + 4096 - 8), 0);
	GEQ(RAW1(NR_MSG, 0), 0);
}

static void guest_copy(void)
{
	uint8_t *m = (uint8_t *)RAW6(SYS_mmap, 0, 8192, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct iovec iov[3] = {{m, 10}, {m + 100, 20}, {(void *)16, 1}};
	long want;

	GCHECK((long)m > 0);
	GEQ(RAW2(SYS_munmap, m + 4096, 4096), 0);
	/* Strings of every length at every distance from the end of the page. */
	for (unsigned len = 0; len < 40; len++) {
		for (unsigned gap = 0; gap < 20; gap++) {
			uint8_t *p = m + 4096 - gap - len - 1;

			memset(p, 'a', len);
			p[len] = 0;
			GEQ(RAW1(NR_CSTR, p), (1 << 24) + 'a' * len);
		}
		memset(m + 4096 - len, 'b', len);
		GEQ(RAW1(NR_CSTR, m + 4096 - len), 0); /* runs into nothing */
	}
	GEQ(RAW1(NR_CSTR, 0), 0);
	GEQ(RAW1(NR_CSTR, 8), 0);
	GEQ(RAW1(NR_CSTR, 0x8000000000000000ul), 0);
	GEQ(RAW1(NR_CSTR, -1), 0);
	memset(m, 1, 4096);
	GEQ(RAW1(NR_CSTR, m), 0);
	GEQ(RAW1(NR_IN, m), (1 << 24) + 24);
	GEQ(RAW1(NR_IN, m + 4090), 0);
	GEQ(RAW1(NR_IN, 0x1234), 0);
	GEQ(RAW2(NR_ARG, m, 4096), (1 << 24) + 4096);
	GEQ(RAW2(NR_ARG, m, 4097), 0);
	GEQ(RAW2(NR_ARG, m, 0), 0);
	GEQ(RAW2(NR_ARG, m, -1), 0);
	GEQ(RAW2(NR_ARG, m, 1ul << 32), 0);
	want = 0;
	for (unsigned i = 0; i < sizeof(iov); i++)
		want += ((uint8_t *)iov)[i];
	GEQ(RAW2(NR_IOV, iov, 3), (3 << 24) + want + 30);
	want = 0;
	for (unsigned i = 0; i < 32; i++)
		want += ((uint8_t *)iov)[i];
	GEQ(RAW2(NR_IOV, iov, 2), (3 << 24) + want + 30);
	GEQ(RAW2(NR_IOV, iov, 100000), 0);

	/* Arrays, counted by an unsigned int; sets of descriptors, in whole longs; headers with what they name. */
	GEQ(RAW2(NR_ARRAY, m, 3), (1 << 24) + 24);
	GEQ(RAW2(NR_ARRAY, m, (1ul << 32) + 3), (1 << 24) + 24);
	GEQ(RAW2(NR_ARRAY, m, 0), 0);
	GEQ(RAW2(NR_ARRAY, m, 1025), 0);
	GEQ(RAW2(NR_ARRAY, m + 4090, 1), 0);
	GEQ(RAW2(NR_FDSET, 1, m), (1 << 24) + 8);
	GEQ(RAW2(NR_FDSET, 64, m), (1 << 24) + 8);
	GEQ(RAW2(NR_FDSET, 65, m), (1 << 24) + 16);
	GEQ(RAW2(NR_FDSET, 0, m), 0);
	GEQ(RAW2(NR_FDSET, -1, m), 0);
	GEQ(RAW2(NR_FDSET, 4097, m), 0);
	guest_copy_msg(m);

	GEQ(RAW2(NR_OUT, m, m + 100), 5);
	GCHECK(!memcmp(m, "01234567", 8) && !memcmp(m + 100, "89abcdef", 8));
	GEQ(RAW2(NR_OUT, m, 64), -EFAULT);
	GEQ(RAW2(NR_OUT, m + 4092, m), -EFAULT);
	GEQ(RAW2(NR_OUT, -4096, m), -EFAULT);
	GEQ(RAW3(SYS_mprotect, m, 4096, 1), 0);
	GEQ(RAW2(NR_OUT, m, m), -EFAULT);
	guest_exit(0);
}

static void test_copy(void **state)
{
	struct guest g = {.serve = serve_copy};

	guest_start(&g, guest_copy);
	g.ctl->hint[NR_CSTR].arg[0].kind = SBX_HINT_CSTR;
	g.ctl->hint[NR_IN].arg[0].kind = SBX_HINT_IN;
	g.ctl->hint[NR_IN].arg[0].size = 24;
	g.ctl->hint[NR_ARG].arg[0].kind = SBX_HINT_IN_ARG;
	g.ctl->hint[NR_ARG].arg[0].len_arg = 1;
	g.ctl->hint[NR_IOV].arg[0].kind = SBX_HINT_IOVEC_IN;
	g.ctl->hint[NR_IOV].arg[0].len_arg = 1;
	g.ctl->hint[NR_ARRAY].arg[0].kind = SBX_HINT_ARRAY;
	g.ctl->hint[NR_ARRAY].arg[0].len_arg = 1;
	g.ctl->hint[NR_ARRAY].arg[0].size = 8;
	g.ctl->hint[NR_FDSET].arg[1].kind = SBX_HINT_FDSET;
	g.ctl->hint[NR_MSG].arg[0].kind = SBX_HINT_MSG;
	g.ctl->hint[NR_MSG_IN].arg[0].kind = SBX_HINT_MSG_IN;
	assert_int_equal(guest_run(&g), -1);
	guest_end(&g);
}

/* ---- memory calls */

static void guest_mm(void)
{
	uint8_t *m = (uint8_t *)RAW6(SYS_mmap, 0, 65536, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	long r = GUEST_BASE;

	m[65535] = 7;
	m = (uint8_t *)RAW4(SYS_mremap, m, 65536, 131072, MREMAP_MAYMOVE);
	GEQ(m[65535], 7);
	GEQ(RAW3(SYS_madvise, m, 131072, MADV_DONTNEED), 0);
	GEQ(m[65535], 0);
	GEQ(RAW2(SYS_munmap, m, 131072), 0);
	GEQ(RAW2(SYS_munmap, m + 1, 4096), -EINVAL);
	GEQ(RAW2(SYS_munmap, r, 4096), -EINVAL);
	GEQ(RAW2(SYS_munmap, r - 4096, 8192), -EINVAL);
	GEQ(RAW2(SYS_munmap, r + SBX_R_SIZE - 4096, 4096), -EINVAL);
	GEQ(RAW2(SYS_munmap, 0, -1), -EINVAL);
	GEQ(RAW3(SYS_mprotect, r, 4096, 7), -ENOMEM);
	GEQ(RAW6(SYS_mmap, r, 4096, 3, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0), -ENOMEM);
	GEQ(RAW6(SYS_mmap, r, 4096, 3, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0), -EEXIST);
	GEQ(RAW4(SYS_mremap, r, 4096, 8192, MREMAP_MAYMOVE), -EINVAL);
	/* A file mapping is sysd's. */
	GEQ(RAW6(SYS_mmap, 0, 4096, 1, MAP_PRIVATE, 0, 0), -ENOSYS);
	GEQ(RAW2(SYS_membarrier, 0, 0), -ENOSYS);
	GEQ(RAW2(SYS_membarrier, 16, 0), 0);
	GEQ(RAW2(SYS_membarrier, 8, 0), 0);
	guest_exit(0);
}

static void test_mm(void **state)
{
	run(guest_mm, NULL);
}

/* ---- clocks */

static void guest_clocks(void)
{
	struct timespec ts, vdso;
	long tv[2], t;
	unsigned cpu = 99, node = 99;

	for (int i = 0; i < 3; i++) {
		GEQ(RAW2(SYS_clock_gettime, CLOCK_MONOTONIC, &ts), 0);
		clock_gettime(CLOCK_MONOTONIC, &vdso);
		GCHECK(vdso.tv_sec - ts.tv_sec >= 0 && vdso.tv_sec - ts.tv_sec <= 2);
		GEQ(RAW2(SYS_clock_gettime, CLOCK_REALTIME, &ts), 0);
		GEQ(RAW2(SYS_gettimeofday, tv, 0), 0);
		GCHECK(tv[0] - ts.tv_sec >= 0 && tv[0] - ts.tv_sec <= 2 && tv[1] >= 0 && tv[1] < 1000000);
		t = RAW1(SYS_time, 0);
		GCHECK(t - ts.tv_sec >= -1 && t - ts.tv_sec <= 2);
		GEQ(RAW2(SYS_clock_gettime, CLOCK_MONOTONIC, 8), -EFAULT);
		GEQ(RAW2(SYS_clock_gettime, CLOCK_PROCESS_CPUTIME_ID, &ts), -ENOSYS); /* sysd's */
		GEQ(RAW3(SYS_getcpu, &cpu, &node, 0), 0);
		GCHECK(cpu < 4096 && node < 1024);
		GEQ(RAW3(SYS_getcpu, 8, 0, 0), -EFAULT);
		/* Vector registers are kept although the vDSO may use them. */
		GEQ(probe_run(PROBE_CMP, &probe, SYS_time, 0) - (uint64_t)t <= 2, 1);
	}
	guest_exit(0);
}

static void test_clocks(void **state)
{
	run(guest_clocks, NULL);
}

/* A vDSO address that is wrong costs the answer, not the process. */
static void guest_bad_vdso(void)
{
	struct timespec ts;

	for (int i = 0; i < 3; i++) {
		GEQ(RAW2(SYS_clock_gettime, CLOCK_MONOTONIC, &ts), -ENOSYS);
		GEQ(getppid_site(), 1003);
	}
	guest_exit(0);
}

static void test_bad_vdso(void **state)
{
	struct guest g = {0};

	guest_start(&g, guest_bad_vdso);
	g.ctl->vdso_clock_gettime = 0x1000;
	assert_int_equal(guest_run(&g), -1);
	guest_end(&g);
}

/* ---- GS */

static void guest_gs(void)
{
	uint64_t words[4] = {11, 22, 33, 44}, v, got;

	for (int i = 0; i < 3; i++)
		GEQ(getppid_site(), 1003);
	for (int i = 0; i < 3; i++)
		probe_run(PROBE_CMP, &probe, 95, 3);
	GEQ(RAW2(SYS_arch_prctl, 0x1001, words), 0);
	for (int i = 0; i < 5; i++) {
		__asm__ volatile("movq %%gs:8, %0" : "=r"(v));
		GEQ(v, 22);
		GEQ(getppid_site(), 1003);
		for (unsigned w = 0; w < PROBE_COUNT; w++)
			probe_run(w, &probe, 95, 3);
		GEQ(RAW1(95, 5), 6);
		GEQ(RAW2(SYS_arch_prctl, 0x1004, &got), 0);
		GEQ(got, words);
	}
	GEQ(RAW2(SYS_arch_prctl, 0x1001, 1ul << 63), -EPERM);
	__asm__ volatile("wrgsbase %0" : : "r"(words + 1));
	GEQ(RAW1(95, 5), 6);
	__asm__ volatile("movq %%gs:8, %0" : "=r"(v));
	GEQ(v, 33);
	GEQ(RAW2(SYS_arch_prctl, 0x1003, &got), 0);
	__asm__ volatile("rdfsbase %0" : "=r"(v));
	GEQ(got, v);
	GEQ(RAW2(SYS_arch_prctl, 0x1002, words), 0);
	__asm__ volatile("movq %%fs:16, %0" : "=r"(v));
	GEQ(v, 33);
	guest_exit(0);
}

static void test_gs(void **state)
{
	run(guest_gs, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_registers),
		cmocka_unit_test(test_registers_unpatched),
		cmocka_unit_test(test_fork_page),
		cmocka_unit_test(test_registers_spinning),
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_trace),
		cmocka_unit_test(test_copy),
		cmocka_unit_test(test_mm),
		cmocka_unit_test(test_gs),
		cmocka_unit_test(test_clocks),
		cmocka_unit_test(test_bad_vdso),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
