/* rt_sigreturn(2), without sysd unless the frame names another alternate stack. The frame is the
 * guest's to change: only what Linux lets through is taken from it. */
#include "services/stub/stub.h"
#include "services/stub/x86_64/sigctx.h"

#define SIGSEGV 11
#define SI_KERNEL 0x80
#define SS_ONSTACK 1u
#define MASK_NEVER ((1ul << (9 - 1)) | (1ul << (19 - 1)))

/* 0 or -EFAULT. */
static int restore_vectors(struct sbx_thread *t, uint64_t fp)
{
	const struct rt_data *d = rt_data(t);
	uint8_t *image = (uint8_t *)(t->self + SBX_AREA_XSAVE);
	uint64_t *header = (uint64_t *)(image + XSAVE_HEADER);
	struct rt_fpx_sw sw;
	uint64_t present = 3; /* x87 and SSE: all that an FXSAVE image has */

	if (!fp) {
		memset(image, 0, 576);
		image[24] = 0x80;
		image[25] = 0x1f;
		present = 0;
	} else {
		uint32_t magic2 = 0;

		if (rt_copy(image, (const void *)fp, 512))
			return -EFAULT;
		memcpy(&sw, image + FP_SW_OFFSET, sizeof(sw));
		memset(header, 0, 64);
		if (sw.magic1 == FP_XSTATE_MAGIC1 && sw.xstate_size >= 576 &&
		    sw.xstate_size <= d->xsave_size && sw.xstate_size <= sw.extended_size &&
		    !rt_copy(&magic2, (const void *)(fp + sw.xstate_size), 4) &&
		    magic2 == FP_XSTATE_MAGIC2) {
			if (rt_copy(header, (const void *)(fp + XSAVE_HEADER), sw.xstate_size - XSAVE_HEADER))
				return -EFAULT;
			present = header[0] & sw.xfeatures;
		}
	}
	memset(header, 0, 64);
	header[0] = present & d->xfeatures;
	return rt_xrstor(image, d->xfeatures & ~(present & XFEATURE_PKRU ? 0 : XFEATURE_PKRU));
}

void rt_sigreturn(struct sbx_thread *t)
{
	struct sbx_slot *slot = t->slot;
	struct sbx_regs *r = &t->regs;
	struct rt_ucontext uc;

	if (rt_copy(&uc, (const void *)r->rsp, sizeof(uc)) || restore_vectors(t, uc.mc.fpstate)) {
		t->in_count = 0;
		slot->fault_signo = SIGSEGV;
		slot->fault_code = SI_KERNEL;
		slot->fault_addr = 0;
		slot->fault_err = 0;
		slot->fault_trapno = 0;
		r->orig_rax = (uint64_t)-1;
		rt_request(t, SBX_REQ_FAULT);
		return;
	}
	regs_from_mc(r, &uc.mc);
	r->eflags = (r->eflags & RT_EFLAGS_MASK) | 0x202;
	t->exit_slow = t->gs_virtual || (r->eflags & RT_EFLAGS_TF);
	t->tramp = 0;
	rt_fixup_rip(t, r);
	__atomic_exchange_n(&slot->sigmask, uc.sigmask & ~MASK_NEVER, __ATOMIC_SEQ_CST);
	if (!t->alt_known || uc.ss_sp != t->alt_sp || uc.ss_size != t->alt_size ||
	    ((uc.ss_flags ^ t->alt_flags) & ~SS_ONSTACK)) {
		t->alt_known = 1;
		t->alt_sp = uc.ss_sp;
		t->alt_size = uc.ss_size;
		t->alt_flags = uc.ss_flags & ~SS_ONSTACK;
		t->nr = NR_rt_sigreturn;
		slot->args[0] = uc.ss_sp;
		slot->args[1] = uc.ss_flags;
		slot->args[2] = uc.ss_size;
		t->in_count = 0;
		rt_request(t, SBX_REQ_ALTSTACK);
	} else if (__atomic_load_n(&slot->sigpending, __ATOMIC_ACQUIRE)) {
		t->kicked = 1;
	}
}
