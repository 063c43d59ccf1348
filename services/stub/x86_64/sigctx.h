/* The kernel's signal frame of x86-64: the host's towards the runtime, and ours towards the guest. */
#ifndef STUB_SIGCTX_H
#define STUB_SIGCTX_H

#include <stdint.h>

struct rt_sigcontext {
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
	uint64_t rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip, eflags;
	uint16_t cs, gs, fs, ss;
	uint64_t err, trapno, oldmask, cr2, fpstate, reserved[8];
};

struct rt_ucontext {
	uint64_t flags, link;
	uint64_t ss_sp;
	uint32_t ss_flags, ss_pad;
	uint64_t ss_size;
	struct rt_sigcontext mc;
	uint64_t sigmask;
};
_Static_assert(sizeof(struct rt_ucontext) == 304, "struct ucontext");

struct rt_sigframe {
	uint64_t pretcode;
	struct rt_ucontext uc;
	uint8_t info[128];
};
_Static_assert(sizeof(struct rt_sigframe) == 440, "struct rt_sigframe");

struct rt_siginfo {
	int32_t signo, err, code, pad;
	union {
		uint64_t addr;
		struct {
			uint64_t call_addr;
			int32_t syscall;
			uint32_t arch;
		};
	};
};

#define UC_FLAGS 7u /* UC_FP_XSTATE | UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS */
#define USER_CS 0x33
#define USER_SS 0x2b

/* The last 48 bytes of the FXSAVE part, left to software. */
#define FP_SW_OFFSET 464
#define FP_XSTATE_MAGIC1 0x46505853u
#define FP_XSTATE_MAGIC2 0x46505845u
struct rt_fpx_sw {
	uint32_t magic1, extended_size;
	uint64_t xfeatures;
	uint32_t xstate_size, pad[7];
};
_Static_assert(sizeof(struct rt_fpx_sw) == 48, "struct _fpx_sw_bytes");
#define XSAVE_HEADER 512
#define XFEATURE_PKRU (1ul << 9)

static inline void regs_from_mc(struct sbx_regs *r, const struct rt_sigcontext *mc)
{
	r->r15 = mc->r15;
	r->r14 = mc->r14;
	r->r13 = mc->r13;
	r->r12 = mc->r12;
	r->rbp = mc->rbp;
	r->rbx = mc->rbx;
	r->r11 = mc->r11;
	r->r10 = mc->r10;
	r->r9 = mc->r9;
	r->r8 = mc->r8;
	r->rax = mc->rax;
	r->rcx = mc->rcx;
	r->rdx = mc->rdx;
	r->rsi = mc->rsi;
	r->rdi = mc->rdi;
	r->rip = mc->rip;
	r->rsp = mc->rsp;
	r->eflags = mc->eflags;
	r->orig_rax = (uint64_t)-1;
}

static inline void mc_from_regs(struct rt_sigcontext *mc, const struct sbx_regs *r)
{
	mc->r15 = r->r15;
	mc->r14 = r->r14;
	mc->r13 = r->r13;
	mc->r12 = r->r12;
	mc->rbp = r->rbp;
	mc->rbx = r->rbx;
	mc->r11 = r->r11;
	mc->r10 = r->r10;
	mc->r9 = r->r9;
	mc->r8 = r->r8;
	mc->rax = r->rax;
	mc->rcx = r->rcx;
	mc->rdx = r->rdx;
	mc->rsi = r->rsi;
	mc->rdi = r->rdi;
	mc->rip = r->rip;
	mc->rsp = r->rsp;
	mc->eflags = r->eflags;
	mc->cs = USER_CS;
	mc->gs = 0;
	mc->fs = 0;
	mc->ss = USER_SS;
}

#endif
