/* Clock reads through the host's vDSO, for programs that issue the call itself. */
#include "services/stub/stub.h"

#define CLOCK_REALTIME 0
#define CLOCK_REALTIME_COARSE 5
/* REALTIME, MONOTONIC, MONOTONIC_RAW, both COARSE, BOOTTIME, TAI: what the vDSO answers itself */
#define VDSO_CLOCKS 0x8f3u

struct ts {
	int64_t sec, nsec;
};

static bool read_clock(struct sbx_thread *t, uint64_t id, struct ts *ret_ts)
{
	if (!t->ctl->vdso_clock_gettime || id > 11 || !(VDSO_CLOCKS >> id & 1))
		return false;
	return rt_vdso_call(t->ctl->vdso_clock_gettime, (long)id, ret_ts, t) == 0;
}

static long put(uint64_t uaddr, const void *v, uint64_t size)
{
	return rt_copy((void *)uaddr, v, size) ? -EFAULT : 0;
}

enum rt_t0 rt_t0_clock(struct sbx_thread *t, uint64_t nr, long *ret_ret)
{
	struct sbx_regs *r = &t->regs;
	struct ts ts;

	switch (nr) {
	case NR_clock_gettime:
		if (r->rdi > 11 || !read_clock(t, r->rdi, &ts))
			return T0_NO;
		*ret_ret = put(r->rsi, &ts, sizeof(ts));
		return T0_RET;
	case NR_gettimeofday:
		if (r->rsi || !read_clock(t, CLOCK_REALTIME, &ts))
			return T0_NO;
		ts.nsec /= 1000;
		*ret_ret = r->rdi ? put(r->rdi, &ts, sizeof(ts)) : 0;
		return T0_RET;
	case NR_time:
		if (!read_clock(t, CLOCK_REALTIME_COARSE, &ts))
			return T0_NO;
		*ret_ret = ts.sec;
		if (r->rdi && put(r->rdi, &ts.sec, 8))
			*ret_ret = -EFAULT;
		return T0_RET;
	case NR_getcpu: {
		uint32_t v = rt_data(t)->has_rdpid ? rdpid() : lsl_pid(), cpu = v & 0xfff, node = v >> 12;

		*ret_ret = 0;
		if ((r->rdi && put(r->rdi, &cpu, 4)) || (r->rsi && put(r->rsi, &node, 4)))
			*ret_ret = -EFAULT;
		return T0_RET;
	}
	default:
		return T0_NO;
	}
}
