/* The guests' filter: its verdicts on every number and on argument shapes, by a small interpreter of
 * classic BPF and, for a sample, by the host kernel itself. */
#include <errno.h>
#include <linux/audit.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>
#include "common/slot/slot.h"
#include "common/slot/stub.h"
#include "memd/filter.h"

#define TEXT 0x7fff90000000ul
#define TEXT_END (TEXT + 0x1000)
#define THREAD_FLAGS 0x01350f00ul
#define PROCESS_FLAGS 0x8011ul
#define SLOTS 0x7fff98000000ul

static struct sock_filter prog[GUEST_FILTER_MAX];
static int prog_len;

static int setup(void **state)
{
	struct guest_filter gf = {TEXT, TEXT_END, THREAD_FLAGS, PROCESS_FLAGS, SLOTS};

	prog_len = guest_filter_build(&gf, prog, GUEST_FILTER_MAX);
	return prog_len > 0 ? 0 : -1;
}

static uint32_t run(const struct seccomp_data *d)
{
	uint32_t a = 0;

	for (int pc = 0; pc < prog_len; pc++) {
		const struct sock_filter *f = &prog[pc];

		switch (f->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			assert_true(f->k + 4 <= sizeof(*d) && f->k % 4 == 0);
			memcpy(&a, (const char *)d + f->k, 4);
			break;
		case BPF_ALU | BPF_AND | BPF_K: a &= f->k; break;
		case BPF_JMP | BPF_JEQ | BPF_K: pc += a == f->k ? f->jt : f->jf; break;
		case BPF_JMP | BPF_JGE | BPF_K: pc += a >= f->k ? f->jt : f->jf; break;
		case BPF_JMP | BPF_JGT | BPF_K: pc += a > f->k ? f->jt : f->jf; break;
		case BPF_JMP | BPF_JSET | BPF_K: pc += (a & f->k) ? f->jt : f->jf; break;
		case BPF_RET | BPF_K: return f->k;
		default: fail_msg("instruction %x", f->code);
		}
	}
	fail_msg("ran off the end");
	return 0;
}

static uint32_t map_verdict(const uint64_t args[6])
{
	struct seccomp_data d = {.nr = SYS_mmap, .arch = AUDIT_ARCH_X86_64, .instruction_pointer = TEXT + 0x100};

	memcpy(d.args, args, sizeof(d.args));
	return run(&d) & SECCOMP_RET_ACTION_FULL;
}

static uint32_t verdict(uint64_t ip, int nr, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3)
{
	struct seccomp_data d = {.nr = nr,
				 .arch = AUDIT_ARCH_X86_64,
				 .instruction_pointer = ip,
				 .args = {a0, a1, a2, a3, 0, 0}};

	return run(&d) & SECCOMP_RET_ACTION_FULL;
}
#define IN(nr, ...) verdict(TEXT + 0x100, nr, __VA_ARGS__)

static void test_size(void **state)
{
	printf("guest filter: %zu system calls, %d instructions\n", guest_filter_count(), prog_len);
	assert_true(guest_filter_count() < 32);
	for (size_t i = 0; guest_filter_entry(i); i++) {
		assert_non_null(guest_filter_entry(i)->name);
		assert_non_null(guest_filter_entry(i)->why);
		if (i)
			assert_true(guest_filter_entry(i)->nr > guest_filter_entry(i - 1)->nr);
	}
}

static void test_outside_traps(void **state)
{
	for (int nr = -1; nr < 1024; nr++) {
		assert_int_equal(verdict(0x401000, nr, 0, 0, 0, 0), SECCOMP_RET_TRAP);
		assert_int_equal(verdict(TEXT, nr, 0, 0, 0, 0), SECCOMP_RET_TRAP);
		assert_int_equal(verdict(TEXT_END + 1, nr, 0, 0, 0, 0), SECCOMP_RET_TRAP);
		assert_int_equal(verdict(TEXT + 0x100 - (1ul << 32), nr, 0, 0, 0, 0), SECCOMP_RET_TRAP);
		assert_int_equal(verdict(TEXT + 0x100 + (1ul << 32), nr, 0, 0, 0, 0), SECCOMP_RET_TRAP);
		assert_int_equal(verdict(0xffffffffff600000ul, nr, 0, 0, 0, 0), SECCOMP_RET_TRAP);
	}
}

static void test_other_architecture(void **state)
{
	struct seccomp_data d = {.nr = 1, .arch = AUDIT_ARCH_I386, .instruction_pointer = TEXT + 4};

	assert_int_equal(run(&d), SECCOMP_RET_TRAP);
	assert_int_equal(IN(SYS_getpid | 0x40000000, 0, 0, 0, 0), SECCOMP_RET_ERRNO);
	assert_int_equal(IN(SYS_munmap | 0x40000000, 0, 0, 0, 0), SECCOMP_RET_ERRNO);
	assert_int_equal(IN(512, 0, 0, 0, 0), SECCOMP_RET_ERRNO);
}

static void test_only_listed_numbers(void **state)
{
	size_t count = 0;

	for (int nr = -1; nr < 2048; nr++) {
		int listed = 0;

		for (size_t i = 0; guest_filter_entry(i); i++)
			listed |= guest_filter_entry(i)->nr == nr;
		count += listed;
		uint32_t v = IN(nr, 0, 0, 0, 0);

		if (!listed)
			assert_int_equal(v, SECCOMP_RET_ERRNO);
	}
	assert_int_equal(count, guest_filter_count());
	static const int never[] = {SYS_execve, SYS_execveat, SYS_open, SYS_openat, SYS_socket, SYS_ptrace,
				    SYS_kill, SYS_tgkill, SYS_clone3, SYS_vfork, SYS_fork, SYS_ioctl, SYS_read,
				    SYS_write, SYS_dup, SYS_dup2, SYS_fcntl, SYS_process_vm_readv, SYS_prctl,
				    SYS_seccomp, SYS_shmat, SYS_io_uring_setup, SYS_bpf, SYS_pidfd_open,
				    SYS_process_madvise, SYS_pkey_mprotect, SYS_userfaultfd, SYS_recvmsg,
				    SYS_sendmsg, SYS_setns, SYS_unshare, SYS_mount, SYS_memfd_create};
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		assert_int_equal(IN(never[i], 0, 0, 0, 0), SECCOMP_RET_ERRNO);
}

static void test_mmap(void **state)
{
	assert_int_equal(IN(SYS_mmap, 0, 4096, 7, MAP_PRIVATE | MAP_ANONYMOUS), SECCOMP_RET_ALLOW);
	assert_int_equal(IN(SYS_mmap, 0, 4096, 3, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED), SECCOMP_RET_ALLOW);
	assert_int_equal(IN(SYS_mmap, 0, 4096, 1, MAP_PRIVATE), SECCOMP_RET_USER_NOTIF);
	assert_int_equal(IN(SYS_mmap, 0, 4096, 1, MAP_SHARED | MAP_HUGETLB), SECCOMP_RET_USER_NOTIF);
	/* Only the low half counts for the host kernel's test of MAP_ANONYMOUS. */
	assert_int_equal(IN(SYS_mmap, 0, 4096, 1, (uint64_t)MAP_ANONYMOUS << 32 | MAP_PRIVATE),
			 SECCOMP_RET_USER_NOTIF);
	assert_int_equal(IN(SYS_mmap, 0, 4096, 1, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB),
			 SECCOMP_RET_ERRNO);
}

static void test_clone(void **state)
{
	assert_int_equal(IN(SYS_clone, THREAD_FLAGS, 0, 0, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(IN(SYS_clone, PROCESS_FLAGS, 0, 0, 0), SECCOMP_RET_USER_NOTIF);
	assert_int_equal(IN(SYS_clone, THREAD_FLAGS | 1ul << 32, 0, 0, 0), SECCOMP_RET_ERRNO);
	assert_int_equal(IN(SYS_clone, PROCESS_FLAGS | 1ul << 33, 0, 0, 0), SECCOMP_RET_ERRNO);
	for (int bit = 0; bit < 32; bit++) {
		assert_int_equal(IN(SYS_clone, THREAD_FLAGS ^ (1ul << bit), 0, 0, 0), SECCOMP_RET_ERRNO);
		assert_int_equal(IN(SYS_clone, PROCESS_FLAGS ^ (1ul << bit), 0, 0, 0), SECCOMP_RET_ERRNO);
	}
	assert_int_equal(IN(SYS_clone, SIGCHLD, 0, 0, 0), SECCOMP_RET_ERRNO);
}

static void test_futex(void **state)
{
	static const int good[] = {FUTEX_WAIT, FUTEX_WAKE, FUTEX_REQUEUE, FUTEX_CMP_REQUEUE, FUTEX_WAKE_OP,
				   FUTEX_WAIT_BITSET, FUTEX_WAKE_BITSET};
	for (int op = 0; op < 0x400; op++) {
		int base = op & ~(FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME), ok = 0;

		for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
			ok |= good[i] == base;
		assert_int_equal(IN(SYS_futex, 0, op, 0, 0), ok ? SECCOMP_RET_ALLOW : SECCOMP_RET_ERRNO);
	}
}

static void test_other_arguments(void **state)
{
	assert_int_equal(IN(SYS_madvise, 0, 0, MADV_DONTNEED, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(IN(SYS_madvise, 0, 0, 12 /* MERGEABLE */, 0), SECCOMP_RET_ERRNO);
	assert_int_equal(IN(SYS_madvise, 0, 0, 100 /* HWPOISON */, 0), SECCOMP_RET_ERRNO);
	assert_int_equal(IN(SYS_madvise, 0, 0, 101 /* SOFT_OFFLINE */, 0), SECCOMP_RET_ERRNO);
	assert_int_equal(IN(SYS_membarrier, 0, 0, 0, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(IN(SYS_membarrier, 1 /* GLOBAL */, 0, 0, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(IN(SYS_membarrier, 128 /* rseq */, 0, 0, 0), SECCOMP_RET_ERRNO);
	assert_int_equal(IN(SYS_clock_gettime, CLOCK_MONOTONIC, 0, 0, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(IN(SYS_clock_gettime, ~0ul & 0xfffffffb, 0, 0, 0), SECCOMP_RET_ERRNO);
}

/* ---- the host kernel's own opinion ---------------------------------------------------------*/

typedef long (*raw_fn)(long nr, long a, long b, long c, long d, long e, long f);

static void on_sys(int signo, siginfo_t *si, void *uc)
{
	raw_fn raw = (raw_fn)TEXT;

	raw(SYS_exit_group, 77, 0, 0, 0, 0, 0);
}

/* 77: trapped; 78: refused with EPERM; 79: any other result; -1: killed. */
static int in_child(int inside, long nr, long a0, long a1, long a2, long a3)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		/* mov rax=rdi; shift arguments; syscall; ret */
		static const unsigned char code[] = {
			0x48, 0x89, 0xf8, 0x48, 0x89, 0xf7, 0x48, 0x89, 0xd6, 0x48, 0x89, 0xca, 0x4d, 0x89,
			0xc2, 0x4d, 0x89, 0xc8, 0x4c, 0x8b, 0x4c, 0x24, 0x08, 0x0f, 0x05, 0xc3};
		struct sock_fprog fp = {(unsigned short)prog_len, prog};
		struct sigaction sa = {.sa_sigaction = on_sys, .sa_flags = SA_SIGINFO};
		void *p = mmap((void *)TEXT, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		void *q = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			       0);

		if (p == MAP_FAILED || q == MAP_FAILED)
			_exit(1);
		memcpy(p, code, sizeof(code));
		memcpy(q, code, sizeof(code));
		sigaction(SIGSYS, &sa, NULL);
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &fp))
			_exit(2);
		long ret = ((raw_fn)(inside ? p : q))(nr, a0, a1, a2, a3, -1, 0);

		((raw_fn)p)(SYS_exit_group, ret == -EPERM ? 78 : 79, 0, 0, 0, 0, 0);
		_exit(3);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* The own slots need no approval, in one shape only: every other bit of every argument does. */
static void test_slots(void **state)
{
	const uint64_t own[6] = {SLOTS, SBX_SLOTS_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, SBX_FD_SLOTS, 0};

	assert_int_equal(map_verdict(own), SECCOMP_RET_ALLOW);
	for (int i = 0; i < 6; i++)
		for (int bit = 0; bit < 64; bit++) {
			uint64_t args[6];

			memcpy(args, own, sizeof(args));
			args[i] ^= 1ull << bit;
			if (i == 3 && 1ull << bit == MAP_ANONYMOUS)
				continue;
			assert_int_equal(map_verdict(args), SECCOMP_RET_USER_NOTIF);
		}
}

static void test_on_the_host(void **state)
{
	assert_int_equal(in_child(0, SYS_getpid, 0, 0, 0, 0), 77);
	assert_int_equal(in_child(0, SYS_munmap, 0, 0, 0, 0), 77);
	assert_int_equal(in_child(0, SYS_exit_group, 5, 0, 0, 0), 77);
	assert_int_equal(in_child(1, SYS_exit_group, 5, 0, 0, 0), 5);
	assert_int_equal(in_child(1, SYS_getpid, 0, 0, 0, 0), 78);
	assert_int_equal(in_child(1, SYS_openat, 0, 0, 0, 0), 78);
	assert_int_equal(in_child(1, SYS_gettid, 0, 0, 0, 0), 79);
	assert_int_equal(in_child(1, SYS_mmap, 0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS), 79);
	assert_int_equal(in_child(1, SYS_clone, SIGCHLD, 0, 0, 0), 78);
	for (long nr = 0; nr < 470; nr++) {
		int listed = 0;

		for (size_t i = 0; guest_filter_entry(i); i++)
			listed |= guest_filter_entry(i)->nr == nr;
		/* uretprobe and uprobe: the host kernel lets no filter see them; outside of its own
		 * trampolines they only harm the caller. */
		if (!listed && nr != 335 && nr != 336 && in_child(1, nr, 0, 0, 0, 0) != 78)
			fail_msg("number %ld", nr);
	}
}

static void test_bad_text(void **state)
{
	struct sock_filter small[8];
	struct guest_filter gf = {TEXT, TEXT_END, THREAD_FLAGS, PROCESS_FLAGS, SLOTS};

	assert_int_equal(guest_filter_build(&gf, small, 8), -E2BIG);
	gf.text_end = gf.text_start;
	assert_int_equal(guest_filter_build(&gf, prog, GUEST_FILTER_MAX), -EINVAL);
	gf.text_end = gf.text_start + (1ul << 32);
	assert_int_equal(guest_filter_build(&gf, prog, GUEST_FILTER_MAX), -EINVAL);
	setup(NULL);
}

/* docs/guest-filter.md says what the table says. */
static void test_docs(void **state)
{
	const char *path = SBX_SOURCE_DIR "/docs/guest-filter.md";
	char text[8192], have[8192] = {0};
	size_t n;
	FILE *f;

	n = (size_t)snprintf(text, sizeof(text),
			     "# The system calls of guest processes\n\n"
			     "Made from memd/filter.c by tests/unit/memd/test_filter.c; SBX_WRITE_DOCS=1 writes it anew.\n"
			     "A call from outside the runtime's text never runs: it becomes SIGSYS and a request to sysd.\n"
			     "From its text, which hostile code can jump to as well, these %zu run; all others are EPERM.\n"
			     "memd/README.md says how memd approves file mappings and processes.\n\n"
			     "| call | why it is harmless |\n|---|---|\n",
			     guest_filter_count());
	for (size_t i = 0; guest_filter_entry(i); i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "| %s | %s |\n", guest_filter_entry(i)->name,
				      guest_filter_entry(i)->why);
	assert_true(n < sizeof(text));
	if (getenv("SBX_WRITE_DOCS")) {
		f = fopen(path, "w");
		assert_non_null(f);
		fputs(text, f);
		fclose(f);
	}
	f = fopen(path, "r");
	assert_non_null(f);
	(void)!fread(have, 1, sizeof(have) - 1, f);
	fclose(f);
	assert_string_equal(have, text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_docs),
		cmocka_unit_test(test_size),
		cmocka_unit_test(test_outside_traps),
		cmocka_unit_test(test_other_architecture),
		cmocka_unit_test(test_only_listed_numbers),
		cmocka_unit_test(test_mmap),
		cmocka_unit_test(test_clone),
		cmocka_unit_test(test_futex),
		cmocka_unit_test(test_other_arguments),
		cmocka_unit_test(test_slots),
		cmocka_unit_test(test_on_the_host),
		cmocka_unit_test(test_bad_text),
	};
	return cmocka_run_group_tests(tests, setup, NULL);
}
