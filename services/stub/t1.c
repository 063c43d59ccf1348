/* The hand-off of a request to sysd, and carrying out its answer.
 *
 * The order that keeps wake-ups from getting lost: REQUEST is published before poller_cpu is read,
 * with a full fence between; sysd stores -1 to poller_cpu, fences, and looks at all slots once more
 * before it sleeps on the doorbell. Likewise guest_waits is stored before the last look at state, and
 * sysd stores REPLY before it reads guest_waits.
 */
#include "services/stub/stub.h"

#define FUTEX_WAIT 0
#define FUTEX_WAKE 1

static inline uint32_t load32(const uint32_t *p)
{
	return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

static inline int32_t poller(const struct sbx_thread *t)
{
	return __atomic_load_n(&t->ctl->poller_cpu, __ATOMIC_ACQUIRE);
}

static inline int32_t own_cpu(const struct sbx_thread *t)
{
	return (int32_t)((likely(rt_data(t)->has_rdpid) ? rdpid() : lsl_pid()) & 0xfff);
}

static void ring(struct sbx_thread *t)
{
	__atomic_fetch_add(t->bell, 1, __ATOMIC_SEQ_CST);
	host3(NR_futex, t->bell, FUTEX_WAKE, 1);
}

/* True: the reply stands. */
static bool spin(struct sbx_thread *t, struct sbx_slot *slot)
{
	uint64_t end = rdtsc() + t->ctl->spin_tsc;

	for (unsigned n = 1;; n++) {
		uint32_t s = load32(&slot->state);

		if (s == SBX_SLOT_REPLY)
			return true;
		if (s == SBX_SLOT_SLEEPING)
			return false;
		cpu_relax();
		if (n % 8 == 0) {
			int32_t p = poller(t);

			if (p == -1 || p == own_cpu(t) || rdtsc() > end)
				return false;
		}
	}
}

void rt_handoff(struct sbx_thread *t)
{
	struct sbx_slot *slot = t->slot;
	int32_t cpu = own_cpu(t), p;
	bool rung = false;
	uint32_t s;

	/* The poller reads this line all the time: each write to it costs a transfer. */
	if (slot->guest_cpu != (uint32_t)cpu)
		slot->guest_cpu = (uint32_t)cpu;
	if (slot->guest_waits)
		slot->guest_waits = 0;
	/* A kick from before this request has nothing to say that the reply will not. */
	t->kicked = 0;
	__atomic_exchange_n(&slot->state, SBX_SLOT_REQUEST, __ATOMIC_SEQ_CST);
	p = poller(t);
	if (p == -1) {
		ring(t);
		rung = true;
	} else if (p != cpu && spin(t, slot)) {
		goto done;
	}
	while (load32(&slot->state) != SBX_SLOT_REPLY) {
		__atomic_exchange_n(&slot->guest_waits, 1, __ATOMIC_SEQ_CST);
		s = load32(&slot->state);
		if (s == SBX_SLOT_REPLY)
			break;
		if (s == SBX_SLOT_REQUEST && !rung && poller(t) == -1) {
			ring(t);
			rung = true;
		}
		host6(NR_futex, (uint64_t)&slot->state, FUTEX_WAIT, s, 0, 0, 0);
	}
	/* Where it goes on: sysd polls only while that is not where it is itself. */
	slot->guest_cpu = (uint32_t)own_cpu(t);
done:
	__atomic_store_n(&slot->state, SBX_SLOT_IDLE, __ATOMIC_RELEASE);
}

/* A forked child's first reply, which nobody asked for. */
static void await(struct sbx_thread *t)
{
	struct sbx_slot *slot = t->slot;

	for (;;) {
		uint32_t s = SBX_SLOT_REPLY;

		if (__atomic_compare_exchange_n(&slot->state, &s, SBX_SLOT_IDLE, false, __ATOMIC_SEQ_CST,
						__ATOMIC_SEQ_CST))
			break;
		__atomic_exchange_n(&slot->guest_waits, 1, __ATOMIC_SEQ_CST);
		s = load32(&slot->state);
		if (s != SBX_SLOT_REPLY)
			host6(NR_futex, (uint64_t)&slot->state, FUTEX_WAIT, s, 0, 0, 0);
	}
	slot->guest_cpu = (uint32_t)own_cpu(t);
}

/* Registers as sysd wants them. */
static void take_regs(struct sbx_thread *t)
{
	uint64_t fs = t->regs.fs_base;

	t->regs = t->slot->regs;
	t->regs.eflags = (t->regs.eflags & RT_EFLAGS_MASK) | 0x202;
	if (t->regs.fs_base != fs)
		rt_wrfsbase(t->regs.fs_base);
	if (t->regs.gs_base != t->guest_gs) {
		t->guest_gs = t->regs.gs_base;
		if (!t->gs_virtual) {
			t->gs_virtual = 1;
			rt_unpatch_all(t);
		}
	}
	t->exit_slow = t->gs_virtual || t->step || (t->regs.eflags & RT_EFLAGS_TF);
}

void rt_request(struct sbx_thread *t, uint32_t req)
{
	struct sbx_slot *slot = t->slot;

	t->regs.fs_base = rdfsbase();
	t->regs.gs_base = t->guest_gs;
	slot->regs = t->regs;
	for (;;) {
		/* All of line 0 at once, and nothing of it before. */
		slot->in_count = t->in_count;
		slot->in_off = t->in_off;
		slot->nr = t->nr;
		slot->site_kind = t->site_kind;
		slot->req = req;
		rt_handoff(t);
replied:
		switch (slot->act) {
		case SBX_ACT_RETURN:
returns:
			t->regs.rax = (uint64_t)slot->ret;
			if (slot->out_count && rt_copy_out(t))
				t->regs.rax = (uint64_t)-EFAULT;
			return;
		case SBX_ACT_RESUME:
			if (slot->out_count)
				rt_copy_out(t);
			take_regs(t);
			rt_fixup_rip(t, &t->regs);
			return;
		case SBX_ACT_HOSTOPS:
			req = rt_run_ops(t);
			if (req == RT_OPS_RETURN)
				goto returns;
			if (req == RT_OPS_AWAIT) {
				await(t);
				goto replied;
			}
			break;
		case SBX_ACT_SIGNAL:
			if (slot->out_count && rt_copy_out(t) && slot->sig.has_ret)
				slot->ret = -EFAULT;
			take_regs(t);
			if (slot->sig.has_ret)
				t->regs.rax = (uint64_t)slot->ret;
			if (rt_signal_frame(t))
				return;
			slot->fault_signo = (uint32_t)t->fault_signo;
			slot->fault_code = (int32_t)t->fault_code;
			slot->fault_addr = t->fault_addr;
			slot->fault_err = t->fault_err;
			slot->fault_trapno = t->fault_trapno;
			slot->regs = t->regs;
			req = SBX_REQ_FAULT;
			break;
		case SBX_ACT_EXIT_THREAD:
			for (;;)
				host1(NR_exit, 0);
		case SBX_ACT_EXIT_GROUP:
		default:
			for (;;)
				host1(NR_exit_group, 0);
		}
	}
}

/* sysd walks the list of a thread that ends (get_robust_list(2)); it need not fetch an empty one. Returns what it took
 * away, or 0. */
static uint64_t drop_empty_robust_list(struct sbx_thread *t)
{
	uint64_t head = t->slot->robust_list, list[3]; /* first entry, offset, pending operation */

	if (!head || rt_copy(list, (const void *)head, sizeof(list)) || list[0] != head || list[2])
		return 0;
	t->slot->robust_list = 0;
	return head;
}

/* ---- what the entries call ----------------------------------------------------------------- */

void rt_syscall(struct sbx_thread *t);
void rt_syscall(struct sbx_thread *t)
{
	struct sbx_slot *slot = t->slot;
	struct sbx_regs *r = &t->regs;
	uint64_t nr = (uint64_t)(int32_t)r->rax, rip = r->rip, robust_list = 0;
	long ret;

	if (unlikely(!t->site_kind))
		rt_site_hit(t);
	if (unlikely(nr == NR_rt_sigreturn)) {
		rt_sigreturn(t);
		return;
	}
	if (nr < SBX_NR_MAX && t->ctl->hint[nr].t0 && !slot->trace) {
		switch (rt_t0(t, nr, &ret)) {
		case T0_RET:
			r->rax = (uint64_t)ret;
			goto out;
		case T0_DONE:
			goto out;
		case T0_NO:
			break;
		}
	}
	slot->args[0] = r->rdi;
	slot->args[1] = r->rsi;
	slot->args[2] = r->rdx;
	slot->args[3] = r->r10;
	slot->args[4] = r->r8;
	slot->args[5] = r->r9;
	if (unlikely(nr == NR_sigaltstack))
		t->alt_known = 0;
	else if (unlikely(nr == NR_exit_group || nr == NR_exit))
		robust_list = drop_empty_robust_list(t);
	t->nr = nr;
	t->in_count = 0;
	t->in_off = 0;
	if (nr < SBX_NR_MAX)
		rt_copy_in(t, nr);
	rt_request(t, SBX_REQ_SYSCALL);
	if (unlikely(robust_list)) /* a filter of the guest's refused the call */
		slot->robust_list = robust_list;
out:
	if (t->tramp && r->rip == rip)
		rt_finish_follow(t);
	else if (unlikely(!t->site_kind))
		rt_fixup_rip(t, r);
}

/* A kick found the thread in user code, or on its way there. */
void rt_kicked(struct sbx_thread *t);
void rt_kicked(struct sbx_thread *t)
{
	if (unlikely(t->unpatch)) {
		t->unpatch = 0;
		rt_unpatch_all(t);
	}
	t->regs.orig_rax = (uint64_t)-1;
	t->in_count = 0;
	rt_request(t, SBX_REQ_KICKED);
}

void rt_fault(struct sbx_thread *t);
void rt_fault(struct sbx_thread *t)
{
	struct sbx_slot *slot = t->slot;

	t->regs.orig_rax = (uint64_t)-1;
	t->in_count = 0;
	slot->fault_signo = (uint32_t)t->fault_signo;
	slot->fault_code = (int32_t)t->fault_code;
	slot->fault_addr = t->fault_addr;
	slot->fault_err = t->fault_err;
	slot->fault_trapno = t->fault_trapno;
	rt_request(t, SBX_REQ_FAULT);
}

/* rt_exit found kicked or exit_slow set. */
void rt_exit_work(struct sbx_thread *t);
void rt_exit_work(struct sbx_thread *t)
{
	if (t->kicked)
		rt_kicked(t);
	else
		rt_exit_slow(t);
}
