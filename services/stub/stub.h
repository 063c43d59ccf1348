/* The guest runtime's own declarations. It is freestanding: no libc, no writable data but the thread
 * areas and R + SBX_R_DATA. Everything it holds the guest can overwrite; that harms the guest alone.
 */
#ifndef STUB_STUB_H
#define STUB_STUB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "common/slot/slot.h"
#include "common/slot/stub.h"
#include "services/stub/x86_64/asm.h"
#include "services/stub/x86_64/hostcall.h"

/* One blob: nothing goes through a GOT. */
#pragma GCC visibility push(hidden)

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define BARRIER() __asm__ volatile("" ::: "memory")

/* errno values, as system calls return them */
#define EPERM 1
#define EINTR 4
#define ENOMEM 12
#define EFAULT 14
#define EINVAL 22
#define ENOSYS 38
#define ETIMEDOUT 110
#define ECANCELED 125
#define ERESTARTSYS 512
#define ERESTART_RESTARTBLOCK 516

/* ---- process-wide data, at R + SBX_R_DATA; private, copied by fork ------------------------- */

#define RT_SITES 2048
#define RT_SITE_HASH 4096      /* a power of two */
#define RT_TRAMP_PAGES 128

struct rt_site {
	uint64_t rip;          /* behind the `syscall` */
	uint32_t hits;
	uint32_t state;        /* enum rt_site_state */
	uint64_t tramp;        /* its trampoline */
	uint64_t saved;        /* the 8 bytes that stood at `patched_at` */
	uint64_t patched_at;
};
enum rt_site_state {
	SITE_COUNTING = 0,
	SITE_BUSY = 1,         /* one thread is patching it */
	SITE_NEVER = 2,        /* of no known form */
	SITE_BEFORE = 3,       /* the instruction before it became a jump */
	SITE_FOLLOW = 4,       /* it and the instruction behind it became a jump */
};

struct rt_data {
	uint32_t ready;
	uint32_t threads_made; /* more than the main thread was ever started here */
	uint32_t unpatchable;  /* a guest GS base is in use: no patches any more */
	uint32_t xsave_size;   /* of the image without its magic word */
	uint64_t xfeatures;    /* the components of signal frames */
	uint32_t has_rdpid;
	uint32_t lock;         /* of the tables below */
	uint32_t tramp_page_count;
	uint32_t site_count;
	uint64_t tramp_page[RT_TRAMP_PAGES];
	uint32_t tramp_used[RT_TRAMP_PAGES]; /* bytes */
	/* The hash has indices + 1 and the sites stand in the order they were met, so that a process
	 * touches few pages for them. */
	uint16_t site_hash[RT_SITE_HASH];
	struct rt_site site[RT_SITES];
};
_Static_assert(sizeof(struct rt_data) <= SBX_R_DATA_SIZE, "process data fits its room");

static inline struct rt_data *rt_data(const struct sbx_thread *t)
{
	return (struct rt_data *)(t->base + SBX_R_DATA);
}

static inline uint8_t *rt_window(const struct sbx_thread *t)
{
	return (uint8_t *)t->slot + 4096;
}

#define RT_CHECK(field, off) \
	_Static_assert(offsetof(struct sbx_thread, field) == (off), "asm.h: " #field)
RT_CHECK(self, T_SELF);
RT_CHECK(slot, T_SLOT);
RT_CHECK(stack_top, T_STACK_TOP);
RT_CHECK(entry, T_ENTRY);
RT_CHECK(entry_follow, T_ENTRY_FOLLOW);
RT_CHECK(fast_rsp, T_FAST_RSP);
RT_CHECK(fast_ret, T_FAST_RET);
RT_CHECK(kicked, T_KICKED);
RT_CHECK(exit_slow, T_KICKED + 4);
RT_CHECK(tramp, T_TRAMP);
RT_CHECK(fast, T_FAST);
RT_CHECK(in_vdso, T_IN_VDSO);
RT_CHECK(vdso_rsp, T_VDSO_RSP);
RT_CHECK(site_kind, T_SITE_KIND);
RT_CHECK(regs, T_REGS);
RT_CHECK(regs.rsp, R_RSP);
RT_CHECK(regs.eflags, R_EFLAGS);
RT_CHECK(regs.rip, R_RIP);
RT_CHECK(regs.rax, R_RAX);
_Static_assert(offsetof(struct sbx_slot, tid) == S_TID, "asm.h: tid");
_Static_assert(offsetof(struct sbx_slot, egid) == S_EGID, "asm.h: egid");
_Static_assert(offsetof(struct sbx_slot, trace) == S_TRACE, "asm.h: trace");

/* ---- assembly (x86_64/) -------------------------------------------------------------------- */

extern char stub_header[], stub_text_begin[], stub_text_end[];
extern char rt_entry[], rt_entry_follow[], rt_exit[], rt_exit_end[], rt_fast[], rt_fast_out[], rt_fast_end[];
extern char rt_cont_syscall[], rt_cont_kicked[], rt_cont_fault[];
extern char rt_hostcall_intr_end[], rt_hostcall_intr_out[], rt_exit_frame_end[], rt_vdso_fault[];
struct rt_extable {
	int32_t begin, end, fixup; /* distances from the field itself */
};
extern const struct rt_extable stub_extable_begin[], stub_extable_end[];

uint64_t rt_copy(void *dst, const void *src, uint64_t size);
uint64_t rt_zero(void *dst, uint64_t size);
long rt_copy_str(char *dst, const char *src, uint64_t max);
int rt_cmpxchg32(uint32_t *p, uint32_t old, uint32_t new, uint32_t *ret_seen);
int rt_cmpxchg64(uint64_t *p, uint64_t old, uint64_t new);
int rt_cmpxchg128(void *p, const uint64_t old[2], const uint64_t new[2]);
int rt_xsave(void *buf, uint64_t mask);
int rt_xrstor(const void *buf, uint64_t mask);
int rt_wrfsbase(uint64_t value);
long rt_vdso_call(uint64_t fn, long id, void *ts, struct sbx_thread *t);
long rt_hostcall_intr(long nr, const uint64_t args[6]);
long rt_clone_thread(uint64_t flags, uint64_t stack_top, void *ctid);
__attribute__((noreturn)) void rt_exit_frame(void *frame, uint64_t gs);
void *memcpy(void *dst, const void *src, size_t size);
void *memset(void *dst, int c, size_t size);

/* ---- C ------------------------------------------------------------------------------------- */

/* thread.c: fills the struct of thread area `index`. */
void rt_thread_init(struct sbx_thread *t, uint64_t base, uint32_t index);

/* t1.c: hands a request over and does what sysd answers, until guest code is to go on. */
void rt_request(struct sbx_thread *t, uint32_t req);
/* Only the hand-off: slot.req and its arguments are filled; returns when a reply stands there. */
void rt_handoff(struct sbx_thread *t);

/* copyin.c */
void rt_copy_in(struct sbx_thread *t, uint64_t nr);
int rt_copy_out(struct sbx_thread *t); /* 0 or -EFAULT */

/* hostops.c: what comes next. SBX_REQ_HOSTOPS_DONE, SBX_REQ_HELLO (a forked child has to say so), or one of these:
 * go on as by SBX_ACT_RETURN; wait for the first reply. */
#define RT_OPS_RETURN 0x100u
#define RT_OPS_AWAIT 0x101u
uint32_t rt_run_ops(struct sbx_thread *t);

/* What became of a call that the runtime may answer alone. */
enum rt_t0 {
	T0_NO,   /* not here: sysd's */
	T0_RET,  /* *ret_ret is the result */
	T0_DONE, /* the guest's registers say where it goes on */
};
/* t0.c */
enum rt_t0 rt_t0(struct sbx_thread *t, uint64_t nr, long *ret_ret);
/* mmcalls.c, futex.c, clock.c */
enum rt_t0 rt_t0_mm(struct sbx_thread *t, uint64_t nr, long *ret_ret);
enum rt_t0 rt_t0_futex_waitv(struct sbx_thread *t, long *ret_ret);
enum rt_t0 rt_t0_futex(struct sbx_thread *t, long *ret_ret);
enum rt_t0 rt_t0_clock(struct sbx_thread *t, uint64_t nr, long *ret_ret);

/* sigframe.c: builds the frame that slot.sig asks for; false: the stack is not writable, and the
 * fault_* fields of t say so. */
bool rt_signal_frame(struct sbx_thread *t);
/* sigreturn.c */
void rt_sigreturn(struct sbx_thread *t);
/* exit.c: leaves for guest code through a host rt_sigreturn. */
__attribute__((noreturn)) void rt_exit_slow(struct sbx_thread *t);

/* patch.c: a SIGSYS came from the site that ends at regs.rip. */
void rt_site_hit(struct sbx_thread *t);
/* Where guest code goes on if regs.rip lies inside a patched place. */
void rt_fixup_rip(struct sbx_thread *t, struct sbx_regs *regs);
/* A SIGTRAP in the middle of a patched place: puts the registers behind it. */
struct rt_sigcontext;
bool rt_trap_fixup(struct sbx_thread *t, struct rt_sigcontext *mc);
/* The user state that a register set inside a trampoline stands for; false: rip is in none. */
bool rt_untramp(struct sbx_thread *t, uint64_t *rip);
/* After a fault with a foreign GS base: was it a patched call? Then *mc stands at the call, which now traps. */
bool rt_retry_site(struct sbx_thread *t, struct rt_sigcontext *mc);
void rt_unpatch_all(struct sbx_thread *t);
void rt_patch_reset(struct sbx_thread *t);
/* Carries out the instruction at regs.rip, which stands in the trampoline t->tramp. */
void rt_finish_follow(struct sbx_thread *t);

/* The user's part of eflags that a frame or sysd may set. */
#define RT_EFLAGS_MASK 0x50dd5ul
#define RT_EFLAGS_TF 0x100ul

static inline bool rt_overlaps_runtime(const struct sbx_thread *t, uint64_t start, uint64_t size)
{
	uint64_t end = start + size;

	if (end < start)
		return true;
	return start < t->base + SBX_R_SIZE && end > t->base;
}

#endif
