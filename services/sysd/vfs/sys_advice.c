/* Calls that give advice on caching or ask about it: readahead(2), fadvise64(2), cachestat(2). The page
 * cache is the host's; the checks are ours. */
#include "services/sysd/mm/usercopy.h"
#include "services/sysd/syscall/syscall.h"
#include "services/sysd/vfs/fdtable.h"
#include "services/sysd/vfs/internal.h"

SYS_HANDLER(readahead)
{
	struct file *f = fd_get(t, (int)a[0]);
	long ret = 0;

	if (!f)
		return -EBADF;
	if (!f->readable)
		ret = -EBADF;
	else if (!S_ISREG(f->inode->mode) && !S_ISBLK(f->inode->mode))
		ret = -EINVAL;
	file_unref(f);
	return ret;
}

SYS_HANDLER(fadvise64)
{
	struct file *f = fd_get(t, (int)a[0]);
	long ret = 0;

	if (!f)
		return -EBADF;
	if (S_ISFIFO(f->inode->mode))
		ret = -ESPIPE;
	else if ((int64_t)a[2] < 0 || (unsigned)a[3] > POSIX_FADV_NOREUSE)
		ret = -EINVAL;
	file_unref(f);
	return ret;
}

struct abi_cachestat_range {
	uint64_t off, size;
};
struct abi_cachestat {
	uint64_t cache, dirty, writeback, evicted, recently_evicted;
};

SYS_HANDLER(cachestat)
{
	struct abi_cachestat_range r;
	struct abi_cachestat cs = {0};
	struct file *f = fd_get(t, (int)a[0]);
	uint64_t end;
	long ret;

	if (!f)
		return -EBADF;
	if (user_get(t, r, a[1]) < 0) {
		ret = -EFAULT;
	} else if (!S_ISREG(f->inode->mode)) {
		ret = -EOPNOTSUPP;
	} else if (a[3]) {
		ret = -EINVAL;
	} else {
		/* Files in memory are always there; of others, what the host keeps is not asked for. */
		end = r.size ? MIN(r.off + r.size, f->inode->size) : f->inode->size;
		if (end > r.off && end >= r.size)
			cs.cache = (ALIGN_UP(end, SBX_PAGE_SIZE) - ALIGN_DOWN(r.off, SBX_PAGE_SIZE)) / SBX_PAGE_SIZE;
		ret = user_put(t, cs, a[2]);
	}
	file_unref(f);
	return ret;
}
