/* The handler of all host signals: catches unpatched calls (SIGSYS), faults and kicks.
 *
 * Nothing is served in here. What interrupted user code is saved in sbx_thread.regs and the host's
 * rt_sigreturn goes on in the runtime instead of there, on the runtime stack with every host signal
 * unblocked and the vector state as the guest left it. In the runtime itself a kick only sets a flag,
 * unless the thread is about to sleep or to leave: those stretches of code are restarted. All
 * signals are blocked while this runs, so it does not nest.
 */
#include "services/stub/stub.h"
#include "services/stub/x86_64/sigctx.h"

#define SIGTRAP 5
#define SIGSEGV 11
#define SIGSYS 31
#define AUDIT_ARCH_X86_64 0xc000003eu
#define SI_KERNEL 0x80

/* Goes on in the runtime at `where`, the guest's registers being saved. */
static void go_on_at(struct sbx_thread *t, struct rt_sigcontext *mc, const void *where)
{
	mc->rip = (uint64_t)where;
	mc->rsp = t->stack_top;
	mc->eflags = 0x202;
}

static bool within(uint64_t rip, const char *begin, const char *end)
{
	return rip >= (uint64_t)begin && rip < (uint64_t)end;
}

static void set_fault(struct sbx_thread *t, int signo, const struct rt_siginfo *info,
		      const struct rt_sigcontext *mc)
{
	t->fault_signo = (uint64_t)signo;
	t->fault_code = (uint64_t)(int64_t)info->code;
	t->fault_addr = info->addr;
	t->fault_err = mc->err;
	t->fault_trapno = mc->trapno;
}

/* In one of the shortest paths the call is as good as over: the registers behind it. */
static void leave_fast_path(struct sbx_thread *t, struct rt_sigcontext *mc)
{
	static const uint16_t field[7] = {S_PID, S_TID, S_PPID, S_UID, S_EUID, S_GID, S_EGID};
	uint64_t off = mc->rip - (uint64_t)rt_fast, i = off / FAST_STRIDE;

	if (i >= 7 || off % FAST_STRIDE)
		mc->rcx = t->fast_ret;
	mc->rip = mc->rcx;
	if (i < 7)
		mc->rax = (uint64_t)(int64_t)*(const int32_t *)((const char *)t->slot + field[i]);
	if (mc->rsp - (t->self + SBX_AREA_STACK) <= SBX_AREA_STACK_TOP - SBX_AREA_STACK)
		mc->rsp = t->fast_rsp;
	mc->r11 = mc->eflags;
}

static void kick_in_runtime(struct sbx_thread *t, struct rt_sigcontext *mc)
{
	uint64_t rip = mc->rip;

	t->kicked = 1;
	if (within(rip, rt_exit, rt_exit_end) || within(rip, (char *)rt_exit_frame, rt_exit_frame_end))
		go_on_at(t, mc, rt_exit);
	else if (within(rip, (char *)rt_hostcall_intr, rt_hostcall_intr_end))
		mc->rip = (uint64_t)rt_hostcall_intr_out;
	else if (within(rip, rt_fast, rt_fast_end)) {
		/* As if it had found user code. */
		leave_fast_path(t, mc);
		regs_from_mc(&t->regs, mc);
		t->kicked = 0;
		go_on_at(t, mc, rt_cont_kicked);
	}
}

static uint64_t ex_addr(const int32_t *field)
{
	return (uint64_t)field + (uint64_t)(int64_t)*field;
}

static void fault_in_runtime(struct sbx_thread *t, int signo, const struct rt_siginfo *info,
			     struct rt_sigcontext *mc)
{
	uint64_t rip = mc->rip;

	if (signo == SIGTRAP) {
		/* The guest single-steps; we do not, until we go back to it. */
		if (within(rip, rt_fast, rt_fast_end)) {
			leave_fast_path(t, mc);
			return;
		}
		mc->eflags &= ~RT_EFLAGS_TF;
		t->step = 1;
		t->exit_slow = 1;
		if (within(rip, rt_exit, rt_exit_end))
			go_on_at(t, mc, rt_exit);
		return;
	}
	if (t->in_vdso) {
		mc->rip = (uint64_t)rt_vdso_fault;
		mc->rsp = t->vdso_rsp;
		mc->eflags = 0x202;
		return;
	}
	for (const struct rt_extable *e = stub_extable_begin; e < stub_extable_end; e++) {
		if (rip >= ex_addr(&e->begin) && rip < ex_addr(&e->end)) {
			mc->rip = ex_addr(&e->fixup);
			mc->eflags &= ~0x400ul;
			return;
		}
	}
	if (within(mc->rip, rt_exit, rt_exit_end)) {
		/* The jump to an address that is none. */
		set_fault(t, signo, info, mc);
		go_on_at(t, mc, rt_cont_fault);
		return;
	}
	/* The guest has damaged what the runtime works with. */
	for (;;)
		host1(NR_exit_group, 128 + signo);
}

/* Returns the GS base with which the thread goes on. */
uint64_t rt_signal(int signo, const struct rt_siginfo *info, struct rt_ucontext *uc,
		   struct sbx_thread *t, uint64_t gs);
uint64_t rt_signal(int signo, const struct rt_siginfo *info, struct rt_ucontext *uc,
		   struct sbx_thread *t, uint64_t gs)
{
	struct rt_sigcontext *mc = &uc->mc;
	struct sbx_regs *r = &t->regs;

	/* No host signal may stay blocked: a blocked SIGSYS kills. */
	uc->sigmask = 0;
	if (t->in_vdso || within(mc->rip, stub_header, stub_text_end)) {
		if (signo == SBX_SIGKICK)
			kick_in_runtime(t, mc);
		else if (signo == SIGSYS)
			mc->rax = (uint64_t)-ENOSYS;
		else
			fault_in_runtime(t, signo, info, mc);
		return t->self;
	}
	if (signo != SBX_SIGKICK && info->code <= 0)
		return gs; /* sent, not raised: nobody has a right to */
	if (signo == SIGTRAP && rt_trap_fixup(t, mc))
		return gs;

	if (gs != t->self) {
		/* The guest has set GS by an instruction: patched code finds nothing by it any more. */
		t->guest_gs = gs;
		t->gs_virtual = 1;
		rt_data(t)->unpatchable = 1;
		if (signo != SIGSYS && signo != SIGTRAP && signo != SBX_SIGKICK && rt_retry_site(t, mc)) {
			regs_from_mc(r, mc);
			t->exit_slow = 1;
			t->tramp = 0;
			t->site_kind = 0;
			t->unpatch = 1; /* which faults, and so is for after this handler */
			go_on_at(t, mc, rt_cont_kicked);
			return t->self;
		}
	}
	regs_from_mc(r, mc);
	if (rt_untramp(t, &r->rip) && signo == SIGTRAP)
		return gs; /* single-stepping goes on behind the call */
	t->exit_slow = t->gs_virtual || (r->eflags & RT_EFLAGS_TF);
	t->tramp = 0;
	t->site_kind = 0;
	if (signo == SBX_SIGKICK) {
		go_on_at(t, mc, rt_cont_kicked);
	} else if (signo == SIGSYS) {
		if (info->arch != AUDIT_ARCH_X86_64) {
			/* int 0x80 and its kin: a kernel without 32-bit support. */
			mc->rax = (uint64_t)-ENOSYS;
			return gs;
		}
		r->rax = r->orig_rax = (uint64_t)(int64_t)info->syscall;
		go_on_at(t, mc, rt_cont_syscall);
	} else {
		set_fault(t, signo, info, mc);
		go_on_at(t, mc, rt_cont_fault);
	}
	return t->self;
}
