/* Memory calls straight on the host: the host's own map of the process is the truth. The runtime's
 * region is not the guest's to change. */
#include "services/stub/stub.h"

#define MAP_TYPE 0xf
#define MAP_FIXED 0x10
#define MAP_ANONYMOUS 0x20
#define MAP_FIXED_NOREPLACE 0x100000
#define MREMAP_FIXED 2
#define EEXIST 17

enum rt_t0 rt_t0_mm(struct sbx_thread *t, uint64_t nr, long *ret_ret)
{
	struct sbx_regs *r = &t->regs;
	uint64_t size = (r->rsi + 4095) & ~4095ul;

	if (t->ctl->strict_mm)
		return T0_NO;
	switch (nr) {
	case NR_mmap:
		if (!(r->r10 & MAP_ANONYMOUS))
			return T0_NO;
		if ((r->r10 & (MAP_FIXED | MAP_FIXED_NOREPLACE)) && rt_overlaps_runtime(t, r->rdi, size)) {
			*ret_ret = r->r10 & MAP_FIXED_NOREPLACE ? -EEXIST : -ENOMEM;
			return T0_RET;
		}
		if (r->r10 & MAP_FIXED)
			t->slot->map_changes++;
		*ret_ret = host6(NR_mmap, r->rdi, r->rsi, r->rdx, r->r10, (uint64_t)-1, r->r9);
		return T0_RET;
	case NR_munmap:
	case NR_madvise:
		if (rt_overlaps_runtime(t, r->rdi, size)) {
			*ret_ret = -EINVAL;
			return T0_RET;
		}
		break;
	case NR_mprotect:
	case NR_msync:
	case NR_mincore:
		if (r->rdi & 4095)
			break; /* EINVAL before anything else */
		/* fall through */
	case NR_mlock:
	case NR_mlock2:
	case NR_munlock:
		if (rt_overlaps_runtime(t, r->rdi, size)) {
			*ret_ret = -ENOMEM;
			return T0_RET;
		}
		break;
	case NR_membarrier:
		/* The private ones: the host's own, for threads are host threads. */
		if ((r->rdi & ~(8ul | 16 | 32 | 64)) || (r->rdi & (r->rdi - 1)) || !r->rdi || r->rsi)
			return T0_NO;
		break;
	case NR_mremap:
		if (rt_overlaps_runtime(t, r->rdi, size) ||
		    ((r->r10 & MREMAP_FIXED) && rt_overlaps_runtime(t, r->r8, r->rdx))) {
			*ret_ret = -EINVAL;
			return T0_RET;
		}
		break;
	}
	t->slot->map_changes++;
	*ret_ret = host6((long)nr, r->rdi, r->rsi, r->rdx, r->r10, r->r8, r->r9);
	return T0_RET;
}
