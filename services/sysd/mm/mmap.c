/* mmap(2) and munmap(2). Anonymous memory arrives here only in strict mode or under a tracer: the
 * runtime maps it alone. A file mapping is carried out by the guest process itself, with a descriptor
 * that memd lends for that one call. */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include "common/base/util.h"
#include "services/sysd/mm/internal.h"
#include "services/sysd/mm/memd_client.h"
#include "services/sysd/mm/mm.h"
#include "services/sysd/mm/mmap_req.h"
#include "services/sysd/mm/vma.h"
#include "services/sysd/syscall/syscall.h"
#include "services/sysd/task/task.h"
#include "services/sysd/vfs/fdtable.h"
#include "services/sysd/vfs/file.h"
#include "services/sysd/vfs/inode.h"
#include "services/sysd/vfs/mount.h"

#define MAP_TYPE_MASK 0xfu
#define MAP_SHARED_VALIDATE_TYPE 3u
#define MAP_SYNC_FLAG 0x80000u
/* What mmap(2) of this architecture knows; MAP_SHARED_VALIDATE refuses the rest. */
#define MAP_KNOWN                                                                               \
	(MAP_TYPE_MASK | MAP_FIXED | MAP_ANONYMOUS | MAP_32BIT | MAP_GROWSDOWN | MAP_DENYWRITE |       \
	 MAP_EXECUTABLE | MAP_LOCKED | MAP_NORESERVE | MAP_POPULATE | MAP_NONBLOCK | MAP_STACK |       \
	 MAP_HUGETLB | MAP_SYNC_FLAG | MAP_FIXED_NOREPLACE)
#define MAP_HUGE_BITS (0x3fu << MAP_HUGE_SHIFT)
#ifndef MAP_HUGE_SHIFT
#define MAP_HUGE_SHIFT 26
#endif

bool mm_touches_runtime(uint64_t addr, uint64_t size)
{
	uint64_t base = memd_info.base;

	return addr < base + SBX_R_SIZE && (size > UINT64_MAX - addr || addr + size > base);
}

bool mm_plausible(int64_t addr, uint64_t size)
{
	return addr >= 0 && !(addr & 4095) && (uint64_t)addr < USER_TOP && size <= USER_TOP - (uint64_t)addr;
}

int64_t mm_map_approved(struct task *t, uint64_t args[6], int host_fd, uint64_t object_id, bool writable)
{
	int lend = memd_lend_fd(t->ht->index), ret;

	t->mm->whole = (struct mm_whole){0};
	args[4] = (uint64_t)lend;
	ret = memd_order_map(t->mm->hp, args, host_fd, object_id, writable);
	if (ret)
		return ret;
	struct sbx_hostop ops[2] = {
		{.kind = SBX_HOP_SYSCALL, .nr = SYS_mmap},
		{.kind = SBX_HOP_SYSCALL, .nr = SYS_close, .args = {(uint64_t)lend}},
	};

	memcpy(ops[0].args, args, sizeof(ops[0].args));
	ret = hthread_run_ops(t, ops, 2);
	if (ret)
		return ret;
	return ops[0].ret;
}

static int check_file(struct file *f, uint32_t prot, uint32_t flags)
{
	uint32_t type = flags & MAP_TYPE_MASK;

	if (!f->readable)
		return -EACCES;
	if (type != MAP_PRIVATE && (prot & PROT_WRITE) && !f->writable)
		return -EACCES;
	if ((prot & PROT_EXEC) && f->path.mnt && (f->path.mnt->flags & MNT_NOEXEC))
		return -EPERM;
	if (!f->op || !f->op->mmap)
		return -ENODEV;
	if (flags & MAP_GROWSDOWN)
		return -EINVAL;
	return 0;
}

static int64_t map_anonymous(struct task *t, uint64_t addr, uint64_t size, uint32_t prot, uint32_t flags)
{
	int64_t ret = hthread_syscall(t, SYS_mmap, addr, size, prot, flags | MAP_ANONYMOUS, (uint64_t)-1, 0);

	if (mm_plausible(ret, size))
		vma_remove(t->mm, (uint64_t)ret, page_round(size));
	return ret;
}

/* A dynamic linker maps a library as a whole and then its segments over that, each with a protection of its
 * own: where the file's pages would come to lie as they lie already, to change the protection is the same, and
 * needs no descriptor and no approval. Only while one thread could have changed the memory since: the runtime
 * counts what it did alone. (A guest that miscounts deceives itself about its own memory.) */
static bool watches_changes(const struct task *t)
{
	return t->mm->refs == 1 && t->ht->hp->mm == t->mm && !hthread_slot(t->ht)->trace;
}

static void note_whole(struct task *t, const struct mmap_req *req, uint64_t at)
{
	if (req->flags != MAP_PRIVATE || req->prot & PROT_WRITE || !req->object_id || !watches_changes(t))
		return;
	t->mm->whole = (struct mm_whole){.start = at,
					 .end = at + page_round(req->size),
					 .offset = req->offset,
					 .object_id = req->object_id,
					 .changes = hthread_slot(t->ht)->map_changes};
}

/* True: done. */
static bool protect_instead(struct task *t, const struct mmap_req *req, uint64_t addr)
{
	struct mm_whole *w = &t->mm->whole;
	uint64_t end = addr + page_round(req->size);

	if (!w->object_id || w->object_id != req->object_id || req->flags != (MAP_PRIVATE | MAP_FIXED) ||
	    addr < w->start || end > w->end || req->offset != w->offset + (addr - w->start) ||
	    !watches_changes(t) || w->changes != hthread_slot(t->ht)->map_changes)
		return false;
	/* Whatever comes of it, what lies below may be written to from now on. */
	w->offset += end - w->start;
	w->start = end;
	return hthread_syscall(t, SYS_mprotect, addr, end - addr, req->prot, 0, 0, 0) == 0;
}

static int64_t map_file(struct task *t, struct file *f, uint64_t addr, uint64_t size, uint32_t prot,
			uint32_t flags, uint64_t offset)
{
	bool shared = (flags & MAP_TYPE_MASK) != MAP_PRIVATE;
	struct mmap_req req = {.size = size, .offset = offset, .prot = prot, .flags = flags, .host_fd = -1};
	int ret = check_file(f, prot, flags);

	if (ret)
		return ret;
	vma_prune(t->mm);
	ret = f->op->mmap(f, &req);
	if (ret)
		return ret;
	if (req.anonymous)
		return map_anonymous(t, addr, size, prot, flags);
	if (req.host_fd < 0)
		return -ENODEV;
	if (protect_instead(t, &req, addr))
		return (int64_t)addr;
	/* A shared mapping of a file that is open for writing may become writable later (mprotect(2)); any
	 * other gets a descriptor that cannot. */
	bool writable = shared && f->writable && req.host_writable;
	uint64_t args[6] = {addr, size, prot, flags, 0, offset};
	int64_t at = mm_map_approved(t, args, req.host_fd, req.object_id, writable);

	if (!mm_plausible(at, size))
		return at < 0 && at > -4096 ? at : -EINVAL;
	vma_add(t->mm, (uint64_t)at, page_round(size), offset, req.host_fd, &f->path);
	note_whole(t, &req, (uint64_t)at);
	return at;
}

SYS_HANDLER(mmap)
{
	uint64_t addr = a[0], size = a[1], offset = a[5];
	uint32_t prot = (uint32_t)a[2], flags = (uint32_t)a[3], type = flags & MAP_TYPE_MASK;
	struct file *f;
	int64_t ret;

	if (offset & 4095)
		return -EINVAL;
	if (!(flags & MAP_ANONYMOUS)) {
		f = fd_get(t, (int)a[4]);
		if (!f)
			return -EBADF;
	} else {
		f = NULL;
	}
	ret = -EINVAL;
	if (!size)
		goto out;
	ret = -ENOMEM;
	if (!page_round(size) || page_round(size) > USER_TOP)
		goto out;
	ret = -EOVERFLOW;
	if (offset + page_round(size) < offset)
		goto out;
	/* Linux ignores hints it cannot use; one that would put the mapping over the runtime is such. */
	if (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) {
		ret = -EINVAL;
		if (addr & 4095)
			goto out;
		ret = flags & MAP_FIXED_NOREPLACE ? -EEXIST : -ENOMEM;
		if (mm_touches_runtime(addr, size))
			goto out;
	} else if (mm_touches_runtime(addr, size)) {
		addr = 0;
	}
	/* Huge pages of hugetlbfs are the host's, there are none for a guest. */
	ret = -ENOMEM;
	if (flags & MAP_HUGETLB && !f)
		goto out;
	if (f) {
		if (type == MAP_SHARED_VALIDATE_TYPE) {
			ret = -EOPNOTSUPP;
			if (flags & ~(uint32_t)(MAP_KNOWN | MAP_HUGE_BITS) || flags & MAP_SYNC_FLAG)
				goto out;
			flags = (flags & ~MAP_TYPE_MASK) | MAP_SHARED;
		} else {
			ret = -EINVAL;
			if (type != MAP_SHARED && type != MAP_PRIVATE)
				goto out;
			if (flags & MAP_HUGETLB)
				goto out;
		}
		ret = map_file(t, f, addr, size, prot, flags & ~(uint32_t)(MAP_DENYWRITE | MAP_EXECUTABLE),
			       offset);
	} else {
		ret = -EINVAL;
		if (type != MAP_SHARED && type != MAP_PRIVATE)
			goto out;
		ret = map_anonymous(t, addr, size, prot, flags);
	}
out:
	if (f)
		file_unref(f);
	return ret;
}

int64_t mm_map_host_fd(struct task *t, uint64_t addr, uint64_t size, uint32_t prot, uint32_t flags,
		       int host_fd, uint64_t offset, uint64_t object_id, bool writable,
		       const struct path *path)
{
	uint64_t args[6] = {addr, size, prot, flags, 0, offset};

	if (!size || !page_round(size))
		return -EINVAL;
	if (addr && mm_touches_runtime(addr, size))
		return flags & MAP_FIXED_NOREPLACE ? -EEXIST : -EINVAL;
	int64_t at = mm_map_approved(t, args, host_fd, object_id, writable);

	if (!mm_plausible(at, size))
		return at < 0 && at > -4096 ? at : -EINVAL;
	vma_add(t->mm, (uint64_t)at, page_round(size), offset, host_fd, path);
	return at;
}

int64_t mm_map_anonymous(struct task *t, uint64_t size, uint32_t prot)
{
	int64_t at = map_anonymous(t, 0, size, prot, MAP_PRIVATE);

	return mm_plausible(at, size) ? at : at < 0 && at > -4096 ? at : -EINVAL;
}

int64_t mm_unmap(struct task *t, uint64_t addr, uint64_t size)
{
	int64_t ret;

	if (addr & 4095 || !size || !page_round(size) || mm_touches_runtime(addr, size))
		return -EINVAL;
	ret = hthread_syscall(t, SYS_munmap, addr, size, 0, 0, 0, 0);
	if (!ret)
		vma_remove(t->mm, addr, page_round(size));
	return ret;
}

SYS_HANDLER(munmap)
{
	return mm_unmap(t, a[0], a[1]);
}
