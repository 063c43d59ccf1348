/* mprotect, mremap, madvise, msync, mincore, the mlock family, and their rarer relatives: checked for
 * the runtime's region, then done by the guest process itself. The runtime does most of them alone;
 * they arrive here in strict mode and under a tracer. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include "common/base/util.h"
#include "services/sysd/mm/internal.h"
#include "services/sysd/mm/mm.h"
#include "services/sysd/mm/usercopy.h"
#include "services/sysd/mm/vma.h"
#include "services/sysd/platform/hthread.h"
#include "services/sysd/syscall/syscall.h"
#include "services/sysd/task/task.h"

static int64_t host(struct task *t, long nr, const uint64_t a[6])
{
	return hthread_syscall(t, nr, a[0], a[1], a[2], a[3], a[4], a[5]);
}

SYS_HANDLER(mprotect)
{
	if (!(a[0] & 4095) && mm_touches_runtime(a[0], page_round(a[1])))
		return -ENOMEM;
	return host(t, SYS_mprotect, a);
}

/* There are no protection keys: pkeys(7) has ENOSPC for that. */
SYS_HANDLER(pkey_alloc)
{
	if (a[0] || a[1] & ~3ull)
		return -EINVAL;
	return -ENOSPC;
}
SYS_HANDLER(pkey_free)
{
	return -EINVAL;
}
SYS_HANDLER(pkey_mprotect)
{
	if ((int)a[3] != -1)
		return -EINVAL;
	return sys_mprotect(t, a);
}

SYS_HANDLER(mremap)
{
	uint64_t addr = a[0], old_size = page_round(a[1]), new_size = page_round(a[2]), flags = a[3];
	int64_t ret;

	if (mm_touches_runtime(addr, MAX(old_size, 1ul)))
		return -EFAULT;
	if (flags & MREMAP_FIXED && mm_touches_runtime(a[4], MAX(new_size, 1ul)))
		return -EINVAL;
	ret = host(t, SYS_mremap, a);
	if (mm_plausible(ret, new_size))
		vma_move(t->mm, addr, old_size, (uint64_t)ret, new_size);
	return ret;
}

SYS_HANDLER(remap_file_pages)
{
	uint64_t start = a[0] & ~4095ull, size = a[1] & ~4095ull, pgoff = a[3];
	int64_t ret;

	if ((int)a[2] || start + size <= start || pgoff + size / 4096 < pgoff || mm_touches_runtime(start, size))
		return -EINVAL;
	ret = host(t, SYS_remap_file_pages, (uint64_t[6]){start, size, 0, pgoff, a[4]});
	if (!ret)
		ret = vma_shift(t->mm, start, size, pgoff * 4096);
	return ret;
}

/* Advice that the host is not asked for: it is about its own pages, and a hint the kernel may ignore. */
#define ADVICE_MERGEABLE 12
#define ADVICE_UNMERGEABLE 13
#define ADVICE_HWPOISON 100
#define ADVICE_SOFT_OFFLINE 101

SYS_HANDLER(madvise)
{
	if (a[0] & 4095 || (a[1] && !page_round(a[1])))
		return -EINVAL;
	if (mm_touches_runtime(a[0], page_round(a[1])))
		return -ENOMEM;
	switch ((int)a[2]) {
	case ADVICE_MERGEABLE:
	case ADVICE_UNMERGEABLE:
		return 0;
	case ADVICE_HWPOISON:
	case ADVICE_SOFT_OFFLINE:
		return -EPERM;
	}
	return host(t, SYS_madvise, a);
}

SYS_HANDLER(msync)
{
	if (!(a[0] & 4095) && mm_touches_runtime(a[0], page_round(a[1])))
		return -ENOMEM;
	return host(t, SYS_msync, a);
}

SYS_HANDLER(mincore)
{
	uint64_t pages = page_round(a[1]) / 4096;

	if (!(a[0] & 4095) && mm_touches_runtime(a[0], page_round(a[1])))
		return -ENOMEM;
	if (mm_touches_runtime(a[2], MAX(pages, 1ul)))
		return -EFAULT;
	return host(t, SYS_mincore, a);
}

static int64_t lock(struct task *t, long nr, const uint64_t a[6])
{
	if (mm_touches_runtime(a[0], page_round(a[1] + (a[0] & 4095))))
		return -ENOMEM;
	return host(t, nr, a);
}
SYS_HANDLER(mlock)
{
	return lock(t, SYS_mlock, a);
}
SYS_HANDLER(mlock2)
{
	return lock(t, SYS_mlock2, a);
}
SYS_HANDLER(munlock)
{
	return lock(t, SYS_munlock, a);
}

/* The host's mlockall(MCL_CURRENT) would also lock, and first touch, the runtime's own large areas; so what
 * the guest has mapped is locked region by region. MCL_FUTURE is about the guest's next mappings only. */
struct lock_walk {
	struct sbx_hostop *ops;
	unsigned count, capacity;
	bool onfault;
};

static int collect(const struct mm_region *r, void *arg)
{
	struct lock_walk *w = arg;

	if (!r->prot || r->start >= USER_TOP || (r->name && !strncmp(r->name, "[v", 2)))
		return 0;
	if (w->count == w->capacity) {
		unsigned capacity = w->capacity ? 2 * w->capacity : 64;
		struct sbx_hostop *ops = realloc(w->ops, capacity * sizeof(*ops));

		if (!ops)
			return -ENOMEM;
		w->ops = ops;
		w->capacity = capacity;
	}
	w->ops[w->count++] = (struct sbx_hostop){
		.kind = SBX_HOP_SYSCALL,
		.nr = SYS_mlock2,
		.flags = SBX_HOP_STOP_ON_ERROR,
		.args = {r->start, r->end - r->start, w->onfault ? MLOCK_ONFAULT : 0}};
	return 0;
}

static int lock_current(struct task *t, bool onfault)
{
	struct lock_walk w = {.onfault = onfault};
	int ret = mm_walk(t->mm, false, collect, &w);

	if (!ret)
		ret = hthread_run_ops(t, w.ops, w.count);
	for (unsigned i = 0; !ret && i < w.count; i++)
		if (w.ops[i].ret < 0)
			ret = w.ops[i].ret == -EAGAIN ? -EAGAIN : -ENOMEM;
	free(w.ops);
	return ret;
}

SYS_HANDLER(mlockall)
{
	uint64_t flags = a[0];
	int64_t ret = 0;

	if (!flags || flags & ~7ull || flags == MCL_ONFAULT)
		return -EINVAL;
	if (!capable(t, 14 /* CAP_IPC_LOCK */) && !t->signal->rlim[RLIMIT_MEMLOCK].rlim_cur)
		return -EPERM;
	if (flags & MCL_CURRENT)
		ret = lock_current(t, flags & MCL_ONFAULT);
	if (!ret && flags & MCL_FUTURE)
		ret = hthread_syscall(t, SYS_mlockall, flags & ~(uint64_t)MCL_CURRENT, 0, 0, 0, 0, 0);
	return ret;
}
SYS_HANDLER(munlockall)
{
	return host(t, SYS_munlockall, a);
}
