/* Guest ABI of clocks, timers and usage figures (x86-64 Linux). */
#ifndef SYSD_ABI_TIME_H
#define SYSD_ABI_TIME_H

#include <stdint.h>

struct abi_timespec {
	int64_t sec, nsec;
};
struct abi_timeval {
	int64_t sec, usec;
};
struct abi_timezone {
	int32_t minuteswest, dsttime;
};
struct abi_itimerspec {
	struct abi_timespec interval, value;
};
struct abi_itimerval {
	struct abi_timeval interval, value;
};
struct abi_tms {
	int64_t utime, stime, cutime, cstime; /* in ticks of ABI_USER_HZ */
};
#define ABI_USER_HZ 100

struct abi_rusage {
	struct abi_timeval utime, stime;
	int64_t maxrss, ixrss, idrss, isrss, minflt, majflt, nswap, inblock, oublock, msgsnd, msgrcv,
		nsignals, nvcsw, nivcsw;
};
_Static_assert(sizeof(struct abi_rusage) == 144, "struct rusage is 144 bytes");

#define ABI_RUSAGE_SELF 0
#define ABI_RUSAGE_CHILDREN -1
#define ABI_RUSAGE_BOTH -2 /* the kernel's own: what wait4 reports */
#define ABI_RUSAGE_THREAD 1

#define ABI_CLOCK_REALTIME 0
#define ABI_CLOCK_MONOTONIC 1
#define ABI_CLOCK_PROCESS_CPUTIME_ID 2
#define ABI_CLOCK_THREAD_CPUTIME_ID 3
#define ABI_CLOCK_MONOTONIC_RAW 4
#define ABI_CLOCK_REALTIME_COARSE 5
#define ABI_CLOCK_MONOTONIC_COARSE 6
#define ABI_CLOCK_BOOTTIME 7
#define ABI_CLOCK_REALTIME_ALARM 8
#define ABI_CLOCK_BOOTTIME_ALARM 9
#define ABI_CLOCK_TAI 11

/* Clock ids of processes and threads: (~pid << 3) | per-thread bit | kind. */
#define ABI_CPUCLOCK_PID(c) ((int32_t) ~((c) >> 3))
#define ABI_CPUCLOCK_PERTHREAD 4
#define ABI_CPUCLOCK_WHICH 3
#define ABI_CPUCLOCK_PROF 0
#define ABI_CPUCLOCK_VIRT 1
#define ABI_CPUCLOCK_SCHED 2
#define ABI_CPUCLOCK_FD 3 /* a dynamic clock, behind a descriptor */

#define ABI_TIMER_ABSTIME 1
#define ABI_ITIMER_REAL 0
#define ABI_ITIMER_VIRTUAL 1
#define ABI_ITIMER_PROF 2

struct abi_sigevent {
	uint64_t value;
	int32_t signo, notify;
	int32_t tid; /* SIGEV_THREAD_ID */
	int32_t pad[11];
};
_Static_assert(sizeof(struct abi_sigevent) == 64, "struct sigevent is 64 bytes");
#define ABI_SIGEV_SIGNAL 0
#define ABI_SIGEV_NONE 1
#define ABI_SIGEV_THREAD 2
#define ABI_SIGEV_THREAD_ID 4

struct abi_timex {
	uint32_t modes, pad0;
	int64_t offset, freq, maxerror, esterror;
	int32_t status, pad1;
	int64_t constant, precision, tolerance;
	struct abi_timeval time;
	int64_t tick, ppsfreq, jitter;
	int32_t shift, pad2;
	int64_t stabil, jitcnt, calcnt, errcnt, stbcnt;
	int32_t tai, pad3[11];
};
_Static_assert(sizeof(struct abi_timex) == 208, "struct timex is 208 bytes");

#endif
