/* futex(2) straight on the host, for guest memory is the host process's own. A wait ends when a kick
 * comes; sysd is then asked, with the registers of an interrupted call, whether a signal is to be
 * delivered, and if not the wait goes on until its first deadline. Priority inheritance is sysd's. */
#include "services/stub/stub.h"

#define FUTEX_WAIT 0
#define FUTEX_WAKE 1
#define FUTEX_REQUEUE 3
#define FUTEX_CMP_REQUEUE 4
#define FUTEX_WAKE_OP 5
#define FUTEX_WAIT_BITSET 9
#define FUTEX_WAKE_BITSET 10
#define FUTEX_PRIVATE 128
#define FUTEX_CLOCK_REALTIME 256
#define CLOCK_MONOTONIC 1

struct ts {
	int64_t sec, nsec;
};

static bool ts_valid(const struct ts *ts)
{
	return ts->sec >= 0 && (uint64_t)ts->nsec < 1000000000ul;
}

static void clock_now(struct sbx_thread *t, struct ts *ret_ts)
{
	if (t->ctl->vdso_clock_gettime &&
	    rt_vdso_call(t->ctl->vdso_clock_gettime, CLOCK_MONOTONIC, ret_ts, t) == 0)
		return;
	host2(NR_clock_gettime, CLOCK_MONOTONIC, ret_ts);
}

static void ts_add(struct ts *a, const struct ts *b)
{
	if (__builtin_add_overflow(a->sec, b->sec, &a->sec) || a->sec > INT64_MAX - 2)
		a->sec = INT64_MAX - 2;
	a->nsec += b->nsec;
	if (a->nsec >= 1000000000l) {
		a->nsec -= 1000000000l;
		a->sec++;
	}
}

static long wait_host(struct sbx_thread *t, long nr, const uint64_t a[6])
{
	long ret;

	t->slot->t0_wait = 1;
	ret = rt_hostcall_intr(nr, a);
	t->slot->t0_wait = 0;
	return ret;
}

static enum rt_t0 do_wait(struct sbx_thread *t, uint64_t op, long *ret_ret)
{
	struct sbx_regs *r = &t->regs;
	bool relative = (op & 127) == FUTEX_WAIT;
	uint64_t a[6] = {r->rdi, op, r->rdx, 0, 0, r->r9};
	struct ts deadline;
	uint64_t rip = r->rip;
	long ret;

	if (r->r10) {
		if (rt_copy(&deadline, (const void *)r->r10, sizeof(deadline))) {
			*ret_ret = -EFAULT;
			return T0_RET;
		}
		if (!ts_valid(&deadline)) {
			*ret_ret = -EINVAL;
			return T0_RET;
		}
		if (relative) {
			if (t->restart_rip == r->rip && t->restart_uaddr == r->rdi &&
			    t->restart_val == (uint32_t)r->rdx) {
				deadline = (struct ts){t->restart_sec, t->restart_nsec};
			} else {
				struct ts now;

				clock_now(t, &now);
				ts_add(&deadline, &now);
			}
			/* From here on an absolute wait on the monotonic clock. */
			a[1] = FUTEX_WAIT_BITSET | (op & FUTEX_PRIVATE);
			a[5] = 0xffffffff;
		}
		a[3] = (uint64_t)&deadline;
	}
	t->restart_rip = 0;
	ret = wait_host(t, NR_futex, a);
	if (ret != -EINTR) {
		*ret_ret = ret;
		return T0_RET;
	}
	if (relative && r->r10) {
		t->restart_rip = r->rip;
		t->restart_uaddr = r->rdi;
		t->restart_val = (uint32_t)r->rdx;
		t->restart_sec = deadline.sec;
		t->restart_nsec = deadline.nsec;
	}
	r->rax = (uint64_t)(r->r10 ? -ERESTART_RESTARTBLOCK : -ERESTARTSYS);
	t->nr = NR_futex;
	t->in_count = 0;
	rt_request(t, SBX_REQ_KICKED);
	if (r->rax == (uint64_t)-ERESTART_RESTARTBLOCK || r->rax == (uint64_t)-ERESTARTSYS) {
		/* sysd left it to us. */
		r->rax = r->orig_rax;
		r->rip = rip - 2;
	}
	/* restart_syscall(2) of a wait is the wait. */
	if (r->rip == rip - 2 && r->rax == NR_restart_syscall)
		r->rax = NR_futex;
	/* The deadline is for the very same wait only. */
	if (r->rip != rip - 2 || r->rax != NR_futex)
		t->restart_rip = 0;
	return T0_DONE;
}

enum rt_t0 rt_t0_futex(struct sbx_thread *t, long *ret_ret)
{
	struct sbx_regs *r = &t->regs;
	uint64_t op = (uint32_t)r->rsi;

	switch (op & ~(uint64_t)(FUTEX_PRIVATE | FUTEX_CLOCK_REALTIME)) {
	case FUTEX_WAIT:
	case FUTEX_WAIT_BITSET:
		return do_wait(t, op, ret_ret);
	case FUTEX_WAKE:
	case FUTEX_WAKE_BITSET:
	case FUTEX_REQUEUE:
	case FUTEX_CMP_REQUEUE:
	case FUTEX_WAKE_OP:
		*ret_ret = host6(NR_futex, r->rdi, op, r->rdx, r->r10, r->r8, r->r9);
		return T0_RET;
	default:
		return T0_NO;
	}
}

/* Its deadline is absolute: what a signal interrupted is done again as it stands. */
enum rt_t0 rt_t0_futex_waitv(struct sbx_thread *t, long *ret_ret)
{
	struct sbx_regs *r = &t->regs;
	const uint64_t a[6] = {r->rdi, r->rsi, r->rdx, r->r10, r->r8, 0};
	uint64_t rip = r->rip;
	long ret = wait_host(t, NR_futex_waitv, a);

	if (ret != -EINTR) {
		*ret_ret = ret;
		return T0_RET;
	}
	r->rax = (uint64_t)-ERESTARTSYS;
	t->nr = NR_futex_waitv;
	t->in_count = 0;
	rt_request(t, SBX_REQ_KICKED);
	if (r->rax == (uint64_t)-ERESTARTSYS) {
		r->rax = r->orig_rax;
		r->rip = rip - 2;
	}
	return T0_DONE;
}
