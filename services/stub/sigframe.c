/* A signal frame on the guest's stack, laid out as Linux does it. */
#include "services/stub/stub.h"
#include "services/stub/x86_64/sigctx.h"

#define SIGSEGV 11
#define SI_KERNEL 0x80
#define SS_AUTODISARM (1u << 31)
#define SS_DISABLE 2u
#define RED_ZONE 128

/* The handler starts with vector registers as a new program has them. */
static void reset_vectors(struct sbx_thread *t)
{
	uint8_t *image = (uint8_t *)(t->self + SBX_AREA_XSAVE);

	memset(image, 0, 576);
	image[24] = 0x80; /* mxcsr = 0x1f80 */
	image[25] = 0x1f;
	image[0] = 0x7f; /* fcw = 0x37f */
	image[1] = 0x03;
	rt_xrstor(image, rt_data(t)->xfeatures & ~XFEATURE_PKRU);
}

static int save_vectors(struct sbx_thread *t, uint64_t fp)
{
	const struct rt_data *d = rt_data(t);
	struct rt_fpx_sw sw = {
		.magic1 = FP_XSTATE_MAGIC1,
		.extended_size = d->xsave_size + 4,
		.xfeatures = d->xfeatures,
		.xstate_size = d->xsave_size,
	};
	uint32_t magic2 = FP_XSTATE_MAGIC2;
	uint64_t present;

	if (rt_zero((void *)(fp + XSAVE_HEADER), 64) || rt_xsave((void *)fp, d->xfeatures) ||
	    rt_copy((void *)(fp + FP_SW_OFFSET), &sw, sizeof(sw)) ||
	    rt_copy((void *)(fp + d->xsave_size), &magic2, 4) ||
	    rt_copy(&present, (void *)(fp + XSAVE_HEADER), 8))
		return -EFAULT;
	/* Handlers that know only the old layout change x87 and SSE without looking at this word. */
	present |= 3;
	return rt_copy((void *)(fp + XSAVE_HEADER), &present, 8) ? -EFAULT : 0;
}

static bool on_stack(uint64_t sp, const struct sbx_sigframe_req *q)
{
	return !(q->ss_flags & SS_DISABLE) && q->ss_size && sp - q->ss_sp - 1 < q->ss_size;
}

bool rt_signal_frame(struct sbx_thread *t)
{
	const struct rt_data *d = rt_data(t);
	const struct sbx_sigframe_req *q = &t->slot->sig;
	struct sbx_regs *r = &t->regs;
	struct rt_sigframe f;
	uint64_t sp = r->rsp - RED_ZONE, fp, frame;
	bool was_on = on_stack(r->rsp, q);

	if (q->sp)
		sp = q->sp;
	fp = (sp - (d->xsave_size + 4)) & ~63ul;
	frame = ((fp - sizeof(f)) & ~15ul) - 8;

	memset(&f, 0, sizeof(f));
	f.pretcode = q->restorer;
	f.uc.flags = UC_FLAGS;
	f.uc.ss_sp = q->ss_sp;
	f.uc.ss_flags = q->ss_flags;
	f.uc.ss_size = q->ss_size;
	mc_from_regs(&f.uc.mc, r);
	f.uc.mc.err = q->err;
	f.uc.mc.trapno = q->trapno;
	f.uc.mc.oldmask = q->old_mask;
	f.uc.mc.cr2 = q->cr2;
	f.uc.mc.fpstate = fp;
	f.uc.sigmask = q->old_mask;
	memcpy(f.info, q->siginfo, sizeof(f.info));

	/* An overflow of the alternate stack must not run into what lies below it. */
	if (((q->sp || was_on) && q->ss_size && frame - q->ss_sp >= q->ss_size) || !q->restorer ||
	    save_vectors(t, fp) || rt_copy((void *)frame, &f, sizeof(f))) {
		t->fault_signo = SIGSEGV;
		t->fault_code = SI_KERNEL;
		t->fault_addr = 0;
		t->fault_err = q->signo;
		t->fault_trapno = SBX_TRAPNO_FRAME;
		return false;
	}
	reset_vectors(t);
	t->alt_known = 1;
	if (q->ss_flags & SS_AUTODISARM) {
		t->alt_sp = t->alt_size = 0;
		t->alt_flags = SS_DISABLE;
	} else {
		t->alt_sp = q->ss_sp;
		t->alt_size = q->ss_size;
		t->alt_flags = q->ss_flags;
	}
	r->rdi = q->signo;
	r->rsi = frame + offsetof(struct rt_sigframe, info);
	r->rdx = frame + offsetof(struct rt_sigframe, uc);
	r->rax = 0;
	r->rip = q->handler;
	r->rsp = frame;
	r->eflags &= ~0x10500ul; /* DF, TF, RF */
	t->exit_slow = t->gs_virtual;
	__atomic_exchange_n(&t->slot->sigmask, q->new_mask, __ATOMIC_SEQ_CST);
	/* One frame at a time: sysd is asked for the next on the way out. */
	if (__atomic_load_n(&t->slot->sigpending, __ATOMIC_ACQUIRE))
		t->kicked = 1;
	return true;
}
