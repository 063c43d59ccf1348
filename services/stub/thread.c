/* The start of host threads and processes: their thread area, their signal stack, the HELLO. */
#include "services/stub/stub.h"

struct host_stack {
	uint64_t sp;
	uint32_t flags, pad;
	uint64_t size;
};

void rt_thread_init(struct sbx_thread *t, uint64_t base, uint32_t index)
{
	uint64_t area = (uint64_t)t;

	t->self = area;
	t->slot = (struct sbx_slot *)(base + SBX_R_SLOTS + index * SBX_SLOT_STRIDE);
	t->ctl = (const struct sbx_ctl *)(base + SBX_R_CTL);
	t->bell = (uint32_t *)(base + SBX_R_BELL);
	t->stack_top = area + SBX_AREA_STACK_TOP;
	t->entry = (uint64_t)rt_entry;
	t->entry_follow = (uint64_t)rt_entry_follow;
	for (unsigned i = 0; i < 7; i++)
		t->fast[i] = (uint64_t)rt_fast + i * FAST_STRIDE;
	t->kicked = 0;
	t->exit_slow = 0;
	t->step = 0;
	t->base = base;
	t->tramp = 0;
	t->guest_gs = 0;
	t->gs_virtual = 0;
	t->in_vdso = 0;
	t->index = index;
	t->alt_known = 0;
	t->restart_rip = 0;
	t->slots_kept = 0;
}

/* Once in the life of a sandbox's address spaces: every process is a fork of the one that did it. */
static void data_init(struct rt_data *d)
{
	uint32_t r[4];
	uint64_t features;
	uint32_t size = 576;

	cpuid(7, 0, r);
	d->has_rdpid = r[2] >> 22 & 1;
	/* Signal frames carry what XCR0 enables, but for AMX, which a process has to ask for. */
	features = xgetbv0() & ~(3ul << 17);
	for (unsigned i = 2; i < 63; i++) {
		if (!(features >> i & 1))
			continue;
		cpuid(0xd, i, r);
		if (r[0] + r[1] > size)
			size = r[0] + r[1];
	}
	d->xfeatures = features;
	d->xsave_size = size;
	d->ready = 1;
}

static void set_sigstack(struct sbx_thread *t)
{
	struct host_stack ss = {
		.sp = t->self + SBX_AREA_SIGSTACK,
		.size = SBX_AREA_SIGSTACK_SIZE,
	};

	host2(NR_sigaltstack, &ss, 0);
}

/* The thread runs on its runtime stack, GS base set. */
void rt_blank_start(struct sbx_thread *t, uint32_t index, uint64_t base,
		    const struct sbx_range *unmap);
void rt_blank_start(struct sbx_thread *t, uint32_t index, uint64_t base,
		    const struct sbx_range *unmap)
{
	rt_thread_init(t, base, index);
	if (!rt_data(t)->ready)
		data_init(rt_data(t));
	set_sigstack(t);
	for (; unmap && unmap->size; unmap++)
		host2(NR_munmap, unmap->start, unmap->size);
	t->slot->host_tid = (uint32_t)host1(NR_set_tid_address, &t->slot->host_tid);
	rt_request(t, SBX_REQ_HELLO);
}

/* A new thread of this process; its struct was filled by the thread that made it. */
void rt_thread_start(struct sbx_thread *t);
void rt_thread_start(struct sbx_thread *t)
{
	set_sigstack(t);
	rt_request(t, SBX_REQ_HELLO);
}
