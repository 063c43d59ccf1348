/* Host system calls and the few instructions that C has no words for. */
#ifndef STUB_HOSTCALL_H
#define STUB_HOSTCALL_H

#include <stdint.h>

#define NR_mmap 9
#define NR_mprotect 10
#define NR_munmap 11
#define NR_rt_sigprocmask 14
#define NR_rt_sigreturn 15
#define NR_close 3
#define NR_sched_yield 24
#define NR_mremap 25
#define NR_msync 26
#define NR_mincore 27
#define NR_madvise 28
#define NR_getpid 39
#define NR_clone 56
#define NR_fork 57
#define NR_execve 59
#define NR_exit 60
#define NR_gettimeofday 96
#define NR_getuid 102
#define NR_getgid 104
#define NR_geteuid 107
#define NR_getegid 108
#define NR_getppid 110
#define NR_sigaltstack 131
#define NR_mlock 149
#define NR_munlock 150
#define NR_arch_prctl 158
#define NR_gettid 186
#define NR_time 201
#define NR_futex 202
#define NR_futex_waitv 449
#define NR_set_tid_address 218
#define NR_set_robust_list 273
#define NR_restart_syscall 219
#define NR_clock_gettime 228
#define NR_exit_group 231
#define NR_execveat 322
#define NR_clone3 435
#define NR_getcpu 309
#define NR_membarrier 324
#define NR_mlock2 325

static inline long host6(long nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e,
			 uint64_t f)
{
	long ret;
	register uint64_t r10 __asm__("r10") = d;
	register uint64_t r8 __asm__("r8") = e;
	register uint64_t r9 __asm__("r9") = f;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
}
#define host0(nr) host6(nr, 0, 0, 0, 0, 0, 0)
#define host1(nr, a) host6(nr, (uint64_t)(a), 0, 0, 0, 0, 0)
#define host2(nr, a, b) host6(nr, (uint64_t)(a), (uint64_t)(b), 0, 0, 0, 0)
#define host3(nr, a, b, c) host6(nr, (uint64_t)(a), (uint64_t)(b), (uint64_t)(c), 0, 0, 0)

static inline uint64_t rdtsc(void)
{
	uint32_t lo, hi;

	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return (uint64_t)hi << 32 | lo;
}

/* CPU in bits 0-11, node above. */
static inline uint32_t rdpid(void)
{
	uint64_t v;

	__asm__ volatile("rdpid %0" : "=r"(v));
	return (uint32_t)v;
}

/* The same through the limit of the kernel's per-CPU segment, for processors without rdpid. */
static inline uint32_t lsl_pid(void)
{
	uint32_t v;

	__asm__ volatile("lsl %1, %0" : "=r"(v) : "r"(0x7bu));
	return v;
}

static inline uint64_t rdfsbase(void)
{
	uint64_t v;

	__asm__ volatile("rdfsbase %0" : "=r"(v));
	return v;
}

static inline void cpu_relax(void)
{
	__asm__ volatile("pause" ::: "memory");
}

static inline void cpuid(uint32_t leaf, uint32_t sub, uint32_t r[4])
{
	__asm__ volatile("cpuid"
			 : "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3])
			 : "a"(leaf), "c"(sub));
}

static inline uint64_t xgetbv0(void)
{
	uint32_t lo, hi;

	__asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
	return (uint64_t)hi << 32 | lo;
}

#endif
