/* The way back that also restores GS and the trap flag: the host's rt_sigreturn of a frame that is
 * made up here. The vector state goes through it as well, for a frame without one would clear it. */
#include "services/stub/stub.h"
#include "services/stub/x86_64/sigctx.h"

void rt_exit_slow(struct sbx_thread *t)
{
	const struct rt_data *d = rt_data(t);
	struct rt_sigframe *f = (struct rt_sigframe *)(t->self + SBX_AREA_XSAVE);
	uint64_t fp = t->self + SBX_AREA_XSAVE + 0x200;
	struct rt_fpx_sw sw = {
		.magic1 = FP_XSTATE_MAGIC1,
		.extended_size = d->xsave_size + 4,
		.xfeatures = d->xfeatures,
		.xstate_size = d->xsave_size,
	};
	uint32_t magic2 = FP_XSTATE_MAGIC2;

	memset(f, 0, sizeof(*f));
	f->uc.flags = UC_FLAGS;
	f->uc.ss_sp = t->self + SBX_AREA_SIGSTACK;
	f->uc.ss_size = SBX_AREA_SIGSTACK_SIZE;
	mc_from_regs(&f->uc.mc, &t->regs);
	if (t->step)
		f->uc.mc.eflags |= RT_EFLAGS_TF;
	f->uc.mc.fpstate = fp;
	memset((void *)(fp + XSAVE_HEADER), 0, 64);
	rt_xsave((void *)fp, d->xfeatures);
	memcpy((void *)(fp + FP_SW_OFFSET), &sw, sizeof(sw));
	memcpy((void *)(fp + d->xsave_size), &magic2, 4);
	t->step = 0;
	t->exit_slow = t->gs_virtual;
	rt_exit_frame(&f->uc, t->gs_virtual ? t->guest_gs : t->self);
}
