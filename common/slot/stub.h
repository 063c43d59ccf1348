/* What memd, the tests and the runtime itself know of the guest runtime (services/stub): the header of
 * its blob, the layout of a thread area, and the host calls that it makes.
 *
 * The blob is position-independent and has no writable data: memd copies it to R + SBX_R_TEXT and maps
 * it read-execute. Offsets in the header count from the start of the blob. services/stub/README.md has
 * the start sequence of a blank process step by step.
 */
#ifndef SBX_SLOT_STUB_H
#define SBX_SLOT_STUB_H

#include "common/slot/slot.h"

#define SBX_STUB_MAGIC 0x62757473786273ull /* "sbxstub" */
#define SBX_STUB_VERSION 1u

struct sbx_stub_header {
	uint64_t magic;
	uint32_t version;
	uint32_t total_size;   /* of the blob, bytes */
	/* Host calls are issued by instructions in [text_begin, text_end); the instruction pointer that
	 * seccomp sees (behind the `syscall`) lies in (text_begin, text_end]. */
	uint32_t text_begin, text_end;
	/* Where the main thread of a blank process starts: jump there with edi = thread index and
	 * rsi = NULL or a list of struct sbx_range, ended by size 0, that lies in its thread area at
	 * SBX_AREA_ARGS (ranges to unmap first). The stack pointer is set by the entry itself. Never
	 * returns. */
	uint32_t blank_entry;
	/* The handler of SIGSYS, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP and SBX_SIGKICK, all of them
	 * with sa_flags = SBX_STUB_SA_FLAGS, sa_restorer = restorer and sa_mask = ~0. */
	uint32_t signal_handler;
	uint32_t restorer;
	uint32_t pad;
};

/* SA_SIGINFO | SA_ONSTACK | SA_RESTORER; not SA_RESTART: a kick must end a host futex wait. */
#define SBX_STUB_SA_FLAGS 0x0c000004ul

struct sbx_range {
	uint64_t start, size;
};

/* A thread area: SBX_THREAD_STRIDE bytes, private and writable, at
 * R + SBX_R_THREADS + index * SBX_THREAD_STRIDE. All zero before its first use. */
#define SBX_AREA_XSAVE 0x1000ul      /* room for vector state while frames are made and taken apart */
#define SBX_AREA_ARGS 0x2e00ul       /* struct sbx_range list for blank_entry, 512 bytes */
#define SBX_AREA_STACK 0x3000ul      /* runtime stack, up to SBX_AREA_STACK_TOP */
#define SBX_AREA_STACK_TOP 0x8000ul
#define SBX_AREA_SIGSTACK 0x8000ul   /* host signal stack */
#define SBX_AREA_SIGSTACK_SIZE 0x8000ul

/* What stands at the start of a thread area; GS base points to it while patched guest code or the
 * runtime runs. The offsets are known to services/stub/x86_64/asm.h. */
struct sbx_thread {
	uint64_t self;         /* its own address */
	struct sbx_slot *slot;
	const struct sbx_ctl *ctl;
	uint32_t *bell;
	uint64_t stack_top;
	uint64_t entry;        /* where trampolines go: number in eax, return address in rcx */
	uint64_t entry_follow;    /* likewise, with r11 = the trampoline, for sites whose next instruction moved */
	uint64_t fast_rsp, fast_ret; /* kept by the shortest paths */
	/* These two are one 64-bit word: the way out is fast only while both are 0. */
	uint32_t kicked;       /* a kick came while the runtime ran */
	uint32_t exit_slow;    /* leave through a host rt_sigreturn: the guest has its own GS, or TF */
	uint64_t base;         /* R */
	uint64_t tramp;        /* trampoline of the call that is being served, or 0 */
	uint64_t fast[7];      /* entries for getpid gettid getppid getuid geteuid getgid getegid */
	uint64_t guest_gs;     /* the guest's own GS base, when gs_virtual */
	uint32_t gs_virtual;
	uint32_t in_vdso;      /* the runtime is inside a vDSO function */
	uint64_t vdso_rsp;     /* where to go on when that faults */
	uint32_t index;
	uint32_t site_kind;    /* 0 SIGSYS, 1 patched */
	uint32_t alt_known;    /* alt_* are what sysd has as the signal stack of the task */
	uint32_t alt_flags;
	uint64_t alt_sp, alt_size;
	/* A relative futex wait that a kick interrupted, in case it is restarted. */
	uint64_t restart_rip, restart_uaddr, restart_val;
	int64_t restart_sec, restart_nsec;
	uint64_t fault_signo, fault_code, fault_addr, fault_err, fault_trapno;
	/* of the request that is being put together; slot.nr, in_count, in_off when it is posted */
	uint64_t nr;
	uint32_t in_count, in_off;
	uint32_t step;         /* the guest single-steps: TF is to be set again on the way out */
	uint32_t unpatch;      /* the guest took GS away: no site may stay patched */
	uint32_t slots_kept;   /* it saw to it that children do not inherit the mapping of the slots */
	_Alignas(64) struct sbx_regs regs; /* the guest's, complete, whenever the runtime runs */
};
_Static_assert(sizeof(struct sbx_thread) <= SBX_AREA_XSAVE, "a thread's struct is one page");

/* ---- host calls ---------------------------------------------------------------------------
 * All that the runtime issues from its text, by itself or because sysd ordered it as a host op: what
 * memd's filter has to let through or to decide. X(name, who, shape)
 *   who:  FREE   harmless for the arguments in its shape; let it pass
 *         ASK    USER_NOTIF: memd compares it with what sysd ordered, or what fork announced */
#define SBX_HOST_CALLS(X)                                                                          \
	X(rt_sigreturn, FREE, "no arguments; a frame on the runtime's own memory")                 \
	X(futex, FREE,                                                                             \
	  "op & ~(PRIVATE|CLOCK_REALTIME) in WAIT WAKE REQUEUE CMP_REQUEUE WAKE_OP WAIT_BITSET "  \
	  "WAKE_BITSET, no PI")                                                                   \
	X(sched_yield, FREE, "")                                                                   \
	X(mmap, FREE, "with MAP_ANONYMOUS in flags, fd ignored")                                   \
	X(mmap, ASK, "without MAP_ANONYMOUS: (u32)args[4] is the descriptor number to add")        \
	X(munmap, FREE, "")                                                                        \
	X(mprotect, FREE, "")                                                                      \
	X(mremap, FREE, "")                                                                        \
	X(madvise, FREE, "")                                                                       \
	X(msync, FREE, "")                                                                         \
	X(mincore, FREE, "")                                                                       \
	X(mlock, FREE, "")                                                                         \
	X(munlock, FREE, "")                                                                       \
	X(mlock2, FREE, "")                                                                        \
	X(remap_file_pages, FREE, "")                                                              \
	X(futex_waitv, FREE, "")                                                                   \
	X(membarrier, FREE, "")                                                                    \
	X(clock_gettime, FREE, "clock id CLOCK_MONOTONIC only")                                    \
	X(sigaltstack, FREE, "once for each host thread")                                          \
	X(set_tid_address, FREE, "&slot.host_tid, once for each main thread")                      \
	X(close, FREE, "the number that memd lent")                                                \
	X(exit, FREE, "")                                                                          \
	X(exit_group, FREE, "")                                                                    \
	X(clone, ASK, "SBX_CLONE_THREAD_FLAGS or SBX_CLONE_PROCESS_FLAGS, see below")

/* SBX_HOP_CLONE_THREAD: clone(these, stack top of the new area, 0, &slot[index].host_tid, 0). The
 * host kernel writes host_tid when the thread starts and zeroes it when it is gone. */
#define SBX_CLONE_THREAD_FLAGS 0x01250f00ul
	/* VM | FS | FILES | SIGHAND | THREAD | SYSVSEM | CHILD_SETTID | CHILD_CLEARTID */
/* SBX_HOP_CLONE_PROCESS: clone(these, 0, 0, 0, cookie): the cookie stands in the (unused) tls
 * argument, args[4] of the notification. It is not zero and fits 32 bits. */
#define SBX_CLONE_PROCESS_FLAGS 0x00008011ul /* CLONE_PARENT | SIGCHLD */

/* The forked child then asks for its own slots with
 *   mmap(R + SBX_R_SLOTS, SBX_SLOTS_SIZE, PROT_READ|PROT_WRITE, MAP_SHARED|MAP_FIXED,
 *        cookie << 32 | N, 0)
 * where N is SBX_FD_SLOTS or the descriptor that the order named (args[2] of the op), which memd may have put into
 * the parent's table before the clone: then memd lets the call pass, and it maps them (the kernel looks at the lower half of
 * the number only). Else memd answers it itself: the descriptor stands at SBX_FD_SLOTS and the result is 0. The call
 * without the cookie maps that, and is the only mapping of a file that passes without memd; the child close()s
 * SBX_FD_SLOTS. It keeps the mapping from its own forks, and says HELLO in the slot of the same index or waits for its
 * first reply there. */
#define SBX_FD_SLOTS 0u
/* Numbers at which sets of slots stay open in processes that fork, one set at each. */
#define SBX_FD_SETS 12u
#define SBX_FD_SETS_END 32u
#define SBX_FD_SET(set_id) (SBX_FD_SETS + (uint32_t)((set_id) % (SBX_FD_SETS_END - SBX_FD_SETS)))

extern const unsigned char sbx_stub_blob[];
extern const unsigned int sbx_stub_blob_size;

#endif
