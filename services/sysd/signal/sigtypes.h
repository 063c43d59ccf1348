/* Types of signals that struct task embeds. Guest ABI numbers: x86-64 Linux. */
#ifndef SYSD_SIGNAL_SIGTYPES_H
#define SYSD_SIGNAL_SIGTYPES_H

#include <stdbool.h>
#include <stdint.h>
#include "common/base/list.h"
#include "services/sysd/core/waitq.h"

struct ucount;

typedef uint64_t sigset64_t; /* bit signo - 1 */
#define SIG_BIT(signo) (1ull << ((signo)-1))
#define SIG_COUNT 64

/* siginfo_t as the guest sees it. */
struct abi_siginfo {
	int32_t si_signo, si_errno, si_code, pad;
	union {
		uint8_t raw[112];
		struct { int32_t pid; uint32_t uid; uint64_t value; } rt;      /* kill, sigqueue */
		struct { int32_t tid, overrun; uint64_t value; } timer;
		struct { int32_t pid; uint32_t uid; int32_t status, pad; int64_t utime, stime; } chld;
		struct { uint64_t addr; int16_t addr_lsb; uint64_t lower, upper; } fault;
		struct { int64_t band; int32_t fd; } poll;
		struct { uint64_t call_addr; int32_t syscall; uint32_t arch; } sys;
	};
};
_Static_assert(sizeof(struct abi_siginfo) == 128, "siginfo_t is 128 bytes");

struct sigqueue {
	struct list link;
	struct abi_siginfo info;
	struct ucount *ucount; /* whose RLIMIT_SIGPENDING it counts against */
};
struct sigpending {
	struct list queue; /* struct sigqueue */
	sigset64_t set;
};
struct abi_sigaction {
	uint64_t handler, flags, restorer;
	sigset64_t mask;
};
struct sighand {
	unsigned refs;
	struct abi_sigaction action[SIG_COUNT];
	struct waitq signalfd_wait;
};
struct altstack {
	uint64_t sp, size;
	uint32_t flags;
};

#endif
