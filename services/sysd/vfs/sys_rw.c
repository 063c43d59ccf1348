/* read(2), write(2) and their relatives, lseek(2). */
#include <linux/fs.h>

#include "services/sysd/mm/uio.h"
#include "services/sysd/syscall/syscall.h"
#include "services/sysd/vfs/fdtable.h"
#include "services/sysd/vfs/internal.h"
#include "services/sysd/vfs/rw.h"

#define MAX_RW_COUNT 0x7ffff000ul
#define RWF_KNOWN (RWF_HIPRI | RWF_DSYNC | RWF_SYNC | RWF_NOWAIT | RWF_APPEND | 0x20 /* RWF_NOAPPEND */)
#define ABI_RWF_NOAPPEND 0x20u

static long rw_one(struct task *t, int fd, uint64_t buf, uint64_t count, bool write)
{
	struct file *f = fd_get(t, fd);
	struct uio u;
	long ret;

	if (unlikely(!f))
		return -EBADF;
	if (unlikely((int64_t)count < 0)) {
		ret = (write ? f->writable : f->readable) ? -EFAULT : -EBADF;
	} else {
		uio_init_user(&u, t, buf, MIN(count, MAX_RW_COUNT));
		ret = write ? vfs_write(f, &u, NULL) : vfs_read(f, &u, NULL);
	}
	file_unref(f);
	return ret;
}

SYS_HANDLER(read)
{
	return rw_one(t, (int)a[0], a[1], a[2], false);
}

SYS_HANDLER(write)
{
	return rw_one(t, (int)a[0], a[1], a[2], true);
}

static long prw_one(struct task *t, int fd, uint64_t buf, uint64_t count, int64_t pos, bool write)
{
	struct file *f;
	struct uio u;
	long ret;

	if (pos < 0)
		return -EINVAL;
	f = fd_get(t, fd);
	if (unlikely(!f))
		return -EBADF;
	if (unlikely((int64_t)count < 0)) {
		ret = -EFAULT; /* no such address */
	} else {
		uio_init_user(&u, t, buf, MIN(count, MAX_RW_COUNT));
		ret = write ? vfs_write(f, &u, &pos) : vfs_read(f, &u, &pos);
	}
	file_unref(f);
	return ret;
}

SYS_HANDLER(pread64)
{
	return prw_one(t, (int)a[0], a[1], a[2], (int64_t)a[3], false);
}

SYS_HANDLER(pwrite64)
{
	return prw_one(t, (int)a[0], a[1], a[2], (int64_t)a[3], true);
}

int file_check_rwf(bool write, unsigned flags)
{
	if (flags & ~(unsigned)RWF_KNOWN)
		return -EOPNOTSUPP;
	return (flags & RWF_APPEND) && (flags & ABI_RWF_NOAPPEND) ? -EINVAL : 0;
}

ssize_t file_rw_flags(struct file *f, struct uio *u, int64_t *pos, bool write, unsigned flags)
{
	unsigned saved = f->flags;
	int64_t p = pos ? *pos : f->pos;
	bool stream = !f->op->llseek, append;
	long ret;

	ret = file_check_rwf(write, flags);
	if (ret)
		return ret;
	if (pos && stream)
		return -ESPIPE;
	if (!(write ? f->writable : f->readable))
		return -EBADF;
	if ((flags & RWF_NOWAIT) && !S_ISREG(f->inode->mode))
		f->flags |= O_NONBLOCK;
	append = write && ((f->flags & O_APPEND) || (flags & RWF_APPEND)) && !(flags & ABI_RWF_NOAPPEND);
	if (write)
		ret = file_write_at(f, u, stream ? NULL : &p, append);
	else
		ret = file_read_at(f, u, stream ? NULL : &p);
	if (flags & RWF_NOWAIT)
		f->flags = (f->flags & ~(unsigned)O_NONBLOCK) | (saved & O_NONBLOCK);
	if (ret > 0 && !pos && !stream)
		f->pos = p;
	if (ret > 0 && write && (flags & (RWF_DSYNC | RWF_SYNC)) && f->op->fsync) {
		int err = f->op->fsync(f, !(flags & RWF_SYNC));

		if (err < 0)
			ret = err;
	}
	return ret;
}

static long rw_vector(struct task *t, int fd, uint64_t iov, uint64_t count, int64_t *pos, bool write,
		      unsigned flags)
{
	struct file *f = fd_get(t, fd);
	struct uio u;
	long ret;

	if (!f)
		return -EBADF;
	if (pos && !f->op->llseek) {
		ret = -ESPIPE;
	} else if (!(write ? f->writable : f->readable)) {
		ret = -EBADF;
	} else {
		ret = uio_init_iovec(&u, t, iov, count);
		if (!ret) {
			if (flags)
				ret = file_rw_flags(f, &u, pos, write, flags);
			else
				ret = write ? vfs_write(f, &u, pos) : vfs_read(f, &u, pos);
			uio_done(&u);
		}
	}
	file_unref(f);
	return ret;
}

SYS_HANDLER(readv)
{
	return rw_vector(t, (int)a[0], a[1], a[2], NULL, false, 0);
}

SYS_HANDLER(writev)
{
	return rw_vector(t, (int)a[0], a[1], a[2], NULL, true, 0);
}

static long at_pos(struct task *t, const uint64_t a[6], bool write, bool v2)
{
	int64_t pos = (int64_t)a[3]; /* a[4] would be the upper half on 32 bits */
	unsigned flags = v2 ? (unsigned)a[5] : 0;

	if (v2 && pos == -1)
		return rw_vector(t, (int)a[0], a[1], a[2], NULL, write, flags);
	if (pos < 0)
		return -EINVAL;
	return rw_vector(t, (int)a[0], a[1], a[2], &pos, write, flags);
}

SYS_HANDLER(preadv)
{
	return at_pos(t, a, false, false);
}

SYS_HANDLER(pwritev)
{
	return at_pos(t, a, true, false);
}

SYS_HANDLER(preadv2)
{
	return at_pos(t, a, false, true);
}

SYS_HANDLER(pwritev2)
{
	return at_pos(t, a, true, true);
}

SYS_HANDLER(lseek)
{
	struct file *f = fd_get(t, (int)a[0]);
	int64_t ret;

	if (!f)
		return -EBADF;
	ret = (unsigned)a[2] > SEEK_HOLE ? -EINVAL : vfs_llseek(f, (int64_t)a[1], (int)a[2]);
	file_unref(f);
	return ret;
}
