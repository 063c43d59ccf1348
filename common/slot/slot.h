/* The contract between the guest runtime (services/stub), sysd and memd: where things lie in a
 * guest process, and the shared slot through which one host thread of it hands over a call.
 *
 * Everything here is written by hostile code. sysd reads a field once into its own memory and
 * checks it; the guest side may only be wrong about itself.
 *
 * Layout of a guest process, from the sandbox's random base R (2 MiB aligned, high addresses):
 *
 *   R + TEXT     the runtime's text and constants, read-execute, shared by all processes
 *   R + DATA     the runtime's process-wide data (patch tables), private, copied by fork
 *   R + CTL      struct sbx_ctl, read-only, one for the sandbox
 *   R + BELL     the doorbell word, writable, one for the sandbox
 *   R + THREADS  SBX_THREADS_MAX private areas: runtime stack, signal stack, struct sbx_thread
 *   R + SLOTS    SBX_THREADS_MAX slots, a memfd shared with sysd, one for each process; not
 *                inherited by fork (MADV_DONTFORK)
 *
 * One host thread has index i: thread area i, slot i, GS base at its struct sbx_thread.
 */
#ifndef SBX_SLOT_SLOT_H
#define SBX_SLOT_SLOT_H

#include <stddef.h>
#include <stdint.h>

#define SBX_R_ALIGN 0x200000ul
#define SBX_R_TEXT 0x0ul
#define SBX_R_TEXT_SIZE 0x40000ul /* upper bound of the blob */
#define SBX_R_DATA 0x100000ul
#define SBX_R_DATA_SIZE 0x80000ul
#define SBX_R_CTL 0x1f0000ul
#define SBX_R_CTL_SIZE 0x8000ul
#define SBX_R_BELL 0x1f8000ul
#define SBX_R_THREADS 0x200000ul
#define SBX_THREAD_STRIDE 0x10000ul
#define SBX_THREADS_MAX 2048ul
#define SBX_R_SLOTS (SBX_R_THREADS + SBX_THREADS_MAX * SBX_THREAD_STRIDE)
#define SBX_SLOT_STRIDE 0x21000ul /* one control page and the window */
#define SBX_SLOT_WINDOW 0x20000ul
#define SBX_SLOTS_SIZE (SBX_THREADS_MAX * SBX_SLOT_STRIDE)
#define SBX_R_SIZE (SBX_R_SLOTS + SBX_SLOTS_SIZE)

/* The host signal that takes a guest thread out of user code. Never seen by the guest. */
#define SBX_SIGKICK 33 /* glibc's SIGSETXID number; guest signals are virtual, so it is free here */

/* ---- hand-off ---------------------------------------------------------------------------
 * slot.state is the futex word. The guest side moves IDLE -> REQUEST; sysd moves REQUEST ->
 * (ACCEPTED | SLEEPING)* -> REPLY; the guest side consumes REPLY -> IDLE. The first reply to a forked child
 * stands before the child has come up; sysd may take it back, REPLY -> IDLE, as long as it does. */
enum sbx_slot_state {
	SBX_SLOT_IDLE = 0,     /* guest code runs, or the thread is in a host futex wait (t0_wait) */
	SBX_SLOT_REQUEST = 1,  /* a call waits for sysd */
	SBX_SLOT_SLEEPING = 2, /* sysd took it and it will take long: do not spin, futex-wait */
	SBX_SLOT_REPLY = 3,    /* the reply is complete */
};

/* What the guest asks (slot.req). */
enum sbx_req {
	SBX_REQ_SYSCALL = 1, /* nr, args; regs hold the whole integer state */
	SBX_REQ_KICKED = 2,  /* the kick signal found the thread in user code: any signal for me? */
	SBX_REQ_FAULT = 3,   /* a host fault signal in user code: fault_* tell which */
	SBX_REQ_HOSTOPS_DONE = 4, /* the results of an SBX_ACT_HOSTOPS stand in the ops */
	SBX_REQ_HELLO = 5,   /* a new host thread or process has come up in this slot */
	SBX_REQ_ALTSTACK = 6,/* rt_sigreturn: set the alternate stack to args[0..2] = ss_sp, ss_flags,
			      * ss_size as sigaltstack(2) would, errors ignored; then as KICKED */
};

/* KICKED has regs.orig_rax = -1, but when it interrupted a futex wait that the runtime had on the host:
 * then orig_rax is the call's number and rax -ERESTARTSYS or -ERESTART_RESTARTBLOCK, to be treated as if
 * a handler had returned it (the runtime keeps the deadline of a restarted wait). KICKED and ALTSTACK are
 * answered by RESUME or SIGNAL.
 * A signal frame that could not be written comes back as FAULT with fault_trapno = SBX_TRAPNO_FRAME,
 * fault_err = the signal's number, signo SIGSEGV, and the registers before the frame. */
#define SBX_TRAPNO_FRAME 0xffffu

/* What sysd answers (slot.act). */
enum sbx_act {
	SBX_ACT_RETURN = 1,  /* copy out the segments, set rax = ret, back to user code */
	SBX_ACT_RESUME = 2,  /* back to user code with regs as they are in the slot (all of them) */
	SBX_ACT_HOSTOPS = 3, /* run ops[0..op_count), then SBX_REQ_HOSTOPS_DONE */
	SBX_ACT_SIGNAL = 4,  /* copy out, take regs from the slot, build the frame of struct sbx_sigframe_req, run the handler */
	SBX_ACT_EXIT_THREAD = 5, /* host exit(2) of this thread; if clear_tid is set nothing else */
	SBX_ACT_EXIT_GROUP = 6,
};

/* Integer registers of the guest, at the call or the interruption. rcx and r11 are real
 * (for a system call they hold what the syscall instruction leaves there). */
struct sbx_regs {
	uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8;
	uint64_t rax, rcx, rdx, rsi, rdi, orig_rax;
	uint64_t rip, eflags, rsp, fs_base, gs_base;
};

/* A piece of guest memory that stands in the window: copied in by the guest before the request
 * (in) or to be copied out by it at the reply (out). */
struct sbx_seg {
	uint64_t uaddr;
	uint32_t size;
	uint32_t off; /* in the window */
};
#define SBX_SEGS_MAX 12

/* A host call that the runtime carries out for sysd. */
enum sbx_hop_kind {
	SBX_HOP_SYSCALL = 1,      /* nr, args; ret = what it returned */
	SBX_HOP_CLONE_THREAD = 2, /* args[0] = thread index of the new thread; its slot is laid out */
	SBX_HOP_CLONE_PROCESS = 3,/* args[0] = cookie; the child maps its slots, with args[2] as the
				   * descriptor's number, and says HELLO, or with args[1] = 1 waits for its
				   * first reply without a word */
	SBX_HOP_ZERO = 5,         /* clear args[1] bytes at args[0] (fault: ret = -EFAULT) */
	SBX_HOP_COPY = 6,         /* copy args[1] bytes to args[0] from window offset args[2] */
	SBX_HOP_CMPXCHG32 = 7,    /* *(u32 *)args[0]: args[1] -> args[2]; ret = the old value or -EFAULT */
	SBX_HOP_RESET = 8,        /* exec: forget patches; the runtime's data is as new */
	SBX_HOP_FUTEX_WAKE = 9,   /* args[0] = uaddr, args[1] = count: shared futex wake */
};
#define SBX_HOP_STOP_ON_ERROR 1u /* flag: an error ends the list, later ops get ret = -ECANCELED */
#define SBX_HOP_RETURN 2u /* flag of a list's last op: when its ret is no error, the thread goes on as by
			   * SBX_ACT_RETURN and says nothing */
struct sbx_hostop {
	uint32_t kind, flags;
	uint64_t nr;
	uint64_t args[6];
	int64_t ret;
};
#define SBX_HOPS_MAX 24

/* What the runtime needs to build a signal frame as Linux lays it out (rt_sigframe). */
struct sbx_sigframe_req {
	uint64_t handler, restorer, sa_flags;
	uint64_t new_mask;      /* virtual mask while the handler runs */
	uint64_t old_mask;      /* stored into the frame */
	uint64_t sp;            /* top of the alternate stack to switch to, or 0: stay on this stack */
	uint64_t ss_sp, ss_size;/* what uc_stack reports */
	uint32_t ss_flags, signo;
	uint64_t cr2, err, trapno; /* of faults */
	uint8_t siginfo[128];
	uint32_t has_ret, pad;  /* 1: regs.rax = ret before the frame is built */
};

struct sbx_slot {
	/* line 0: hand-off, with what of the request and the reply is small: one line each way. The
	 * poller reads it all the time, so the guest side writes it only just before it posts. */
	_Alignas(64) uint32_t state;   /* futex word, enum sbx_slot_state */
	uint32_t guest_waits;          /* guest side sleeps in futex(state): wake it */
	uint32_t guest_cpu;            /* CPU on which the request was posted (rdpid) */
	uint32_t t0_wait;              /* 1 while the runtime is in a host futex wait of the guest */
	uint32_t host_tid;             /* written by the host kernel (CLONE_CHILD_SETTID) or runtime */
	uint32_t kicked;               /* unused: the runtime keeps it in its thread area */
	/* reply */
	uint32_t act;
	uint32_t out_count;
	int64_t ret;
	/* request */
	uint32_t req;
	uint32_t in_count;
	uint64_t nr;
	uint32_t in_off;               /* first free byte of the window behind the input */
	uint32_t site_kind;            /* 0 SIGSYS, 1 patched: for statistics */
	/* line 1: T0 state. The guest writes mask; sysd writes the others and reads mask */
	_Alignas(64) uint64_t sigmask; /* virtual signal mask of the current task */
	uint32_t sigpending;           /* sysd: a signal is queued (blocked or not): T0 must not decide */
	uint32_t tid, pid, ppid, uid, euid, gid, egid; /* answers of T0 calls, guest's numbering */
	uint32_t trace;                /* sysd: nothing in T0, every call goes to sysd (strace, ptrace) */
	uint32_t map_changes;          /* the guest: counts what it did to mappings that exist */
	uint64_t robust_list;          /* set_robust_list(2) and set_tid_address(2) of the current task: the */
	uint64_t clear_tid;            /* guest writes, sysd looks at each request and when the thread ends */
	/* line 2: the rest of the request, and further parts of the reply */
	_Alignas(64) uint64_t args[6];
	uint32_t op_count;
	uint32_t fault_signo;
	int32_t fault_code;
	uint32_t pad0;
	uint64_t fault_addr, fault_err, fault_trapno;
	struct sbx_regs regs;
	struct sbx_seg in[SBX_SEGS_MAX];
	struct sbx_seg out[SBX_SEGS_MAX];
	struct sbx_sigframe_req sig;
	struct sbx_hostop ops[SBX_HOPS_MAX];
};
_Static_assert(sizeof(struct sbx_slot) <= 4096, "the control page of a slot is one page");

/* ---- what the runtime is told (read-only, one for the sandbox, written by sysd) --------------*/

/* How the runtime copies one argument in or out; made by sysd from its system call table. */
enum sbx_hint {
	SBX_HINT_NONE = 0,
	SBX_HINT_CSTR = 1,      /* NUL-terminated, at most 4096 bytes */
	SBX_HINT_IN = 2,        /* size bytes */
	SBX_HINT_IN_ARG = 3,    /* args[len_arg] bytes, at most the window */
	SBX_HINT_IOVEC = 4,     /* args[len_arg] iovecs; for writev also their contents (IOVEC_IN) */
	SBX_HINT_IOVEC_IN = 5,
	SBX_HINT_ARRAY = 6,     /* args[len_arg], an unsigned int, times size bytes */
	SBX_HINT_FDSET = 7,     /* as many longs as hold args[len_arg] bits */
	SBX_HINT_MSG = 8,       /* a msghdr (recvmsg(2)) and its iovecs; for sendmsg what they and it point to (MSG_IN) */
	SBX_HINT_MSG_IN = 9,
};
struct sbx_call_hint {
	uint8_t t0;       /* 1: the runtime may answer it alone */
	uint8_t patch;    /* reserved */
	struct {
		uint8_t kind, len_arg;
		uint16_t size;
	} arg[6];
};
#define SBX_NR_MAX 480

struct sbx_ctl {
	/* The executor of sysd: its CPU while it polls the slots, or -1 while it does not. A guest
	 * spins only while this differs from its own CPU and is not -1. */
	_Alignas(64) int32_t poller_cpu;
	uint32_t cpu_count;
	uint64_t spin_tsc;      /* how long the guest side may spin, in TSC ticks */
	_Alignas(64) uint64_t base;
	uint32_t patching;      /* 0: never patch */
	uint32_t strict_mm;     /* 1: no memory call in T0 */
	uint64_t vdso_clock_gettime; /* its address in every guest process, or 0: T1 */
	_Alignas(64) struct sbx_call_hint hint[SBX_NR_MAX];
};
_Static_assert(sizeof(struct sbx_ctl) <= SBX_R_CTL_SIZE, "ctl fits its room");

#endif
