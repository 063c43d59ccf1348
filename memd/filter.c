/* Builds the guests' filter as classic BPF. The kernel's action cache is of no use here, as every verdict
 * depends on the instruction pointer, so the program is a short tree: pointer, then futex (the one
 * hot call), then a binary search by number, then arguments. */
#include "memd/filter.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include "common/base/util.h"
#include "common/slot/slot.h"
#include "common/slot/stub.h"

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#define MADV_GUARD_REMOVE 103
#endif
#ifndef MADV_DONTNEED_LOCKED
#define MADV_DONTNEED_LOCKED 24
#endif
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

enum check { CHECK_NONE, CHECK_MMAP, CHECK_MADVISE, CHECK_CLONE, CHECK_FUTEX, CHECK_MEMBARRIER,
	     CHECK_CLOCK, CHECK_SELF };

struct entry {
	struct guest_filter_entry pub;
	enum check check;
};

/* Sorted by number. */
static const struct entry entries[] = {
	{{SYS_close, "close", "gives back a lent descriptor"}, CHECK_NONE},
	{{SYS_mmap, "mmap", "anonymous memory; the own slots at their place; a file only as memd approves each call"}, CHECK_MMAP},
	{{SYS_mprotect, "mprotect", "own memory; a lent read-only file stays so"}, CHECK_NONE},
	{{SYS_munmap, "munmap", "own memory"}, CHECK_NONE},
	{{SYS_rt_sigreturn, "rt_sigreturn", "return from SIGSYS and kicks; sets own registers and mask"},
	 CHECK_NONE},
	{{SYS_sched_yield, "sched_yield", "no arguments"}, CHECK_NONE},
	{{SYS_mremap, "mremap", "own memory"}, CHECK_NONE},
	{{SYS_msync, "msync", "own mappings"}, CHECK_NONE},
	{{SYS_mincore, "mincore", "own mappings"}, CHECK_NONE},
	{{SYS_madvise, "madvise", "a list of advices about own memory"}, CHECK_MADVISE},
	{{SYS_clone, "clone", "one exact shape of a thread; one of a process, as memd approves"},
	 CHECK_CLONE},
	{{SYS_exit, "exit", "ends the thread"}, CHECK_NONE},
	{{SYS_getrusage, "getrusage", "own usage"}, CHECK_NONE},
	{{SYS_sigaltstack, "sigaltstack", "the runtime's signal stack of a new thread"}, CHECK_NONE},
	{{SYS_mlock, "mlock", "bounded by RLIMIT_MEMLOCK"}, CHECK_NONE},
	{{SYS_munlock, "munlock", "own memory"}, CHECK_NONE},
	{{SYS_mlockall, "mlockall", "bounded by RLIMIT_MEMLOCK"}, CHECK_NONE},
	{{SYS_munlockall, "munlockall", "own memory"}, CHECK_NONE},
	{{SYS_gettid, "gettid", "no arguments"}, CHECK_NONE},
	{{SYS_futex, "futex", "wait, wake and requeue; nothing with priority inheritance"}, CHECK_FUTEX},
	{{SYS_sched_setaffinity, "sched_setaffinity", "the calling thread's own CPUs, as the guest asked"},
	 CHECK_SELF},
	{{SYS_remap_file_pages, "remap_file_pages", "another offset of a file that is mapped shared there already"},
	 CHECK_NONE},
	{{SYS_set_tid_address, "set_tid_address", "a word of its own memory that its end clears"}, CHECK_NONE},
	{{SYS_restart_syscall, "restart_syscall", "the kernel's own restart of a timed futex wait"},
	 CHECK_NONE},
	{{SYS_clock_gettime, "clock_gettime", "CLOCK_MONOTONIC where the vDSO does not, and own CPU time"},
	 CHECK_CLOCK},
	{{SYS_exit_group, "exit_group", "ends the process"}, CHECK_NONE},
	{{SYS_membarrier, "membarrier", "orders memory; changes nothing, and waits no longer than any caller may"}, CHECK_MEMBARRIER},
	{{SYS_mlock2, "mlock2", "bounded by RLIMIT_MEMLOCK"}, CHECK_NONE},
	{{SYS_futex_waitv, "futex_waitv", "a wait on words of its own memory"}, CHECK_NONE},
};

static const uint32_t futex_ops[] = {
	FUTEX_WAIT, FUTEX_WAKE, FUTEX_REQUEUE, FUTEX_CMP_REQUEUE, FUTEX_WAKE_OP,
	FUTEX_WAIT_BITSET, FUTEX_WAKE_BITSET,
};
static const uint32_t advices[] = {
	MADV_DONTNEED, MADV_FREE, MADV_WILLNEED, MADV_NORMAL, MADV_RANDOM, MADV_SEQUENTIAL, MADV_REMOVE,
	MADV_DONTFORK, MADV_DOFORK, MADV_HUGEPAGE, MADV_NOHUGEPAGE, MADV_DONTDUMP, MADV_DODUMP,
	MADV_WIPEONFORK, MADV_KEEPONFORK, MADV_COLD, MADV_PAGEOUT, MADV_POPULATE_READ,
	MADV_POPULATE_WRITE, MADV_DONTNEED_LOCKED, MADV_COLLAPSE, MADV_GUARD_INSTALL, MADV_GUARD_REMOVE,
};
static const uint32_t membarriers[] = {
	MEMBARRIER_CMD_QUERY,
	MEMBARRIER_CMD_GLOBAL,
	MEMBARRIER_CMD_GLOBAL_EXPEDITED,
	MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED,
	MEMBARRIER_CMD_PRIVATE_EXPEDITED,
	MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED,
	MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE,
	MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE,
};

#define OFF_NR offsetof(struct seccomp_data, nr)
#define OFF_ARCH offsetof(struct seccomp_data, arch)
#define OFF_IP offsetof(struct seccomp_data, instruction_pointer)
#define OFF_ARG(i) (offsetof(struct seccomp_data, args) + 8 * (i))
#define ERRNO(e) (SECCOMP_RET_ERRNO | ((e) & SECCOMP_RET_DATA))

struct out {
	struct sock_filter *prog;
	size_t count, max;
	bool failed;
};

static size_t emit(struct out *o, uint16_t code, uint32_t k, uint8_t jt, uint8_t jf)
{
	if (o->count >= o->max) {
		o->failed = true;
		return 0;
	}
	o->prog[o->count] = (struct sock_filter){code, jt, jf, k};
	return o->count++;
}
static void load(struct out *o, size_t off)
{
	emit(o, BPF_LD | BPF_W | BPF_ABS, (uint32_t)off, 0, 0);
}
static void ret(struct out *o, uint32_t action)
{
	emit(o, BPF_RET | BPF_K, action, 0, 0);
}
/* Returns `action` when A has the value; else goes on. */
static void ret_if_eq(struct out *o, uint32_t value, uint32_t action)
{
	emit(o, BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
	ret(o, action);
}
static void allow_if_in(struct out *o, const uint32_t *set, size_t count, uint32_t otherwise)
{
	for (size_t i = 0; i < count; i++)
		ret_if_eq(o, set[i], SECCOMP_RET_ALLOW);
	ret(o, otherwise);
}

/* The mapping of the process's own slots, argument for argument: at that number there is nothing else, ever. */
static void emit_slots(struct out *o, const struct guest_filter *f)
{
	const uint64_t want[6] = {f->slots_start, SBX_SLOTS_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
				  SBX_FD_SLOTS, 0};
	static const uint8_t order[6] = {4, 0, 1, 2, 3, 5}; /* other mappings differ in the first */

	for (int i = 0; i < 6; i++)
		for (int half = 0; half < 2; half++) {
			load(o, OFF_ARG(order[i]) + 4 * (size_t)half);
			emit(o, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(want[order[i]] >> (32 * half)), 1, 0);
			ret(o, SECCOMP_RET_USER_NOTIF);
		}
	ret(o, SECCOMP_RET_ALLOW);
}

static void emit_check(struct out *o, const struct guest_filter *f, enum check check)
{
	switch (check) {
	case CHECK_NONE:
		ret(o, SECCOMP_RET_ALLOW);
		break;
	case CHECK_MMAP:
		/* The kernel looks for a descriptor only without MAP_ANONYMOUS; huge pages of hugetlbfs are a
		 * pool of the host's. */
		load(o, OFF_ARG(3));
		emit(o, BPF_JMP | BPF_JSET | BPF_K, MAP_ANONYMOUS, 0, 3);
		emit(o, BPF_JMP | BPF_JSET | BPF_K, MAP_HUGETLB, 0, 1);
		ret(o, ERRNO(ENOMEM));
		ret(o, SECCOMP_RET_ALLOW);
		emit_slots(o, f);
		break;
	case CHECK_MADVISE:
		load(o, OFF_ARG(2));
		allow_if_in(o, advices, ARRAY_SIZE(advices), ERRNO(EINVAL));
		break;
	case CHECK_CLONE:
		load(o, OFF_ARG(0) + 4);
		emit(o, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0);
		ret(o, ERRNO(EPERM));
		load(o, OFF_ARG(0));
		ret_if_eq(o, (uint32_t)f->clone_thread_flags, SECCOMP_RET_ALLOW);
		ret_if_eq(o, (uint32_t)f->clone_process_flags, SECCOMP_RET_USER_NOTIF);
		ret(o, ERRNO(EPERM));
		break;
	case CHECK_FUTEX:
		load(o, OFF_ARG(1));
		emit(o, BPF_ALU | BPF_AND | BPF_K, (uint32_t)~(FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME), 0,
		     0);
		allow_if_in(o, futex_ops, ARRAY_SIZE(futex_ops), ERRNO(EPERM));
		break;
	case CHECK_MEMBARRIER:
		load(o, OFF_ARG(0));
		allow_if_in(o, membarriers, ARRAY_SIZE(membarriers), ERRNO(EPERM));
		break;
	case CHECK_CLOCK:
		/* Not the dynamic clocks, which are descriptors and processes. */
		load(o, OFF_ARG(0));
		ret_if_eq(o, CLOCK_MONOTONIC, SECCOMP_RET_ALLOW);
		ret_if_eq(o, CLOCK_THREAD_CPUTIME_ID, SECCOMP_RET_ALLOW);
		ret(o, ERRNO(EPERM));
		break;
	case CHECK_SELF:
		load(o, OFF_ARG(0));
		ret_if_eq(o, 0, SECCOMP_RET_ALLOW);
		ret(o, ERRNO(EPERM));
		break;
	}
}

/* Binary search over entries[lo, hi) with the number in A. */
static void emit_tree(struct out *o, const struct guest_filter *f, size_t lo, size_t hi)
{
	size_t mid = (lo + hi) / 2;
	size_t at;

	if (hi - lo <= 2) {
		for (; lo < hi; lo++) {
			at = emit(o, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)entries[lo].pub.nr, 0, 0);
			emit_check(o, f, entries[lo].check);
			if (o->failed || o->count - at - 1 > 255)
				o->failed = true;
			else
				o->prog[at].jf = (uint8_t)(o->count - at - 1);
		}
		ret(o, ERRNO(EPERM));
		return;
	}
	at = emit(o, BPF_JMP | BPF_JGE | BPF_K, (uint32_t)entries[mid].pub.nr, 0, 0);
	emit_tree(o, f, lo, mid);
	if (o->failed || o->count - at - 1 > 255) {
		o->failed = true;
		return;
	}
	o->prog[at].jt = (uint8_t)(o->count - at - 1);
	emit_tree(o, f, mid, hi);
}

int guest_filter_build(const struct guest_filter *f, struct sock_filter *prog, size_t max)
{
	struct out o = {prog, 0, max, false};
	/* The pointer that seccomp reports is behind the instruction: in (start, end]. */
	uint32_t hi = (uint32_t)(f->text_start >> 32), lo = (uint32_t)f->text_start;
	uint32_t end = (uint32_t)f->text_end;

	if (hi != (uint32_t)(f->text_end >> 32) || end <= lo)
		return -EINVAL;
	/* 32-bit entries never get further: the runtime answers them. */
	load(&o, OFF_ARCH);
	emit(&o, BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0);
	ret(&o, SECCOMP_RET_TRAP);
	load(&o, OFF_IP + 4);
	emit(&o, BPF_JMP | BPF_JEQ | BPF_K, hi, 1, 0);
	ret(&o, SECCOMP_RET_TRAP);
	load(&o, OFF_IP);
	emit(&o, BPF_JMP | BPF_JGT | BPF_K, lo, 1, 0);
	ret(&o, SECCOMP_RET_TRAP);
	emit(&o, BPF_JMP | BPF_JGT | BPF_K, end, 0, 1);
	ret(&o, SECCOMP_RET_TRAP);

	load(&o, OFF_NR);
	size_t at = emit(&o, BPF_JMP | BPF_JEQ | BPF_K, SYS_futex, 0, 0);

	emit_check(&o, f, CHECK_FUTEX);
	if (!o.failed)
		o.prog[at].jf = (uint8_t)(o.count - at - 1);
	emit_tree(&o, f, 0, ARRAY_SIZE(entries));
	return o.failed ? -E2BIG : (int)o.count;
}

size_t guest_filter_count(void)
{
	return ARRAY_SIZE(entries);
}

const struct guest_filter_entry *guest_filter_entry(size_t index)
{
	return index < ARRAY_SIZE(entries) ? &entries[index].pub : NULL;
}
