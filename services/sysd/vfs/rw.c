/* Reading and writing open files: what is common to every kind. */
#include "services/sysd/vfs/internal.h"

#include <linux/fs.h>

#include "services/sysd/signal/signal.h"
#include "services/sysd/vfs/fsnotify.h"
#include "services/sysd/vfs/rw.h"

#define MAX_RW_COUNT 0x7ffff000ul

/* A description's position is shared by its descriptors and processes; one read or write at a time. */
static inline bool pos_lock(struct file *f)
{
	if (!f->op->llseek || (f->refs <= 2 && !f->pos_lock.owner))
		return false; /* only this call's and one table's reference: nobody else gets at it */
	if (!S_ISREG(f->inode->mode) && !S_ISDIR(f->inode->mode))
		return false;
	kmutex_lock(&f->pos_lock);
	return true;
}

ssize_t file_read_at(struct file *f, struct uio *u, int64_t *pos)
{
	ssize_t n;

	if (S_ISDIR(f->inode->mode))
		return -EISDIR;
	if (!f->op->read)
		return -EINVAL;
	if (pos && (*pos < 0 || *pos + (uint64_t)u->resid > MAX_FILE_SIZE))
		return -EINVAL;
	n = f->op->read(f, u, pos);
	if (n > 0) {
		if (S_ISREG(f->inode->mode) && !(f->flags & O_NOATIME))
			touch_atime(&f->path);
		fsnotify_file(f, IN_ACCESS);
	}
	return n;
}

/* RLIMIT_FSIZE and the largest offset; cuts the size down. */
static int write_limits(struct task *t, struct file *f, struct uio *u, int64_t pos, size_t *ret_cut)
{
	uint64_t limit = t_rlimit(t, RLIMIT_FSIZE);

	*ret_cut = 0;
	if (unlikely(limit != RLIM_INFINITY)) {
		if ((uint64_t)pos >= limit) {
			signal_send_task(t, SIGXFSZ, NULL);
			return -EFBIG;
		}
		if (u->resid > limit - (uint64_t)pos)
			*ret_cut = u->resid - (size_t)(limit - (uint64_t)pos);
	}
	if ((uint64_t)pos >= MAX_FILE_SIZE)
		return -EFBIG;
	if (u->resid - *ret_cut > MAX_FILE_SIZE - (uint64_t)pos)
		*ret_cut = u->resid - (size_t)(MAX_FILE_SIZE - (uint64_t)pos);
	(void)f;
	return 0;
}

/* Shortens a vector by `cut` bytes at its end. */
static void uio_cut(struct uio *u, size_t cut)
{
	u->resid -= cut;
	while (cut && u->seg_count) {
		struct uio_seg *s = &u->segs[u->seg_count - 1];
		size_t n = MIN(cut, s->size);

		s->size -= n;
		cut -= n;
		if (!s->size)
			u->seg_count--;
	}
}

ssize_t file_write_at(struct file *f, struct uio *u, int64_t *pos, bool append)
{
	struct inode *inode = f->inode;
	struct task *t = current_task();
	size_t cut;
	ssize_t n;

	if (!f->op->write)
		return -EINVAL;
	if (pos && (*pos < 0 || *pos + (uint64_t)u->resid > MAX_FILE_SIZE))
		return -EINVAL;
	if (!S_ISREG(inode->mode)) {
		n = f->op->write(f, u, pos);
		if (n > 0)
			fsnotify_file(f, IN_MODIFY);
		return n;
	}
	if (!pos)
		return -EINVAL;
	if (!u->resid)
		return 0;
	kmutex_lock(&inode->lock);
	if (append) {
		/* On a file somebody else changes too, ask for the size. */
		if (inode->op && inode->op->getattr)
			inode->op->getattr(inode);
		*pos = (int64_t)inode->size;
	}
	n = t ? write_limits(t, f, u, *pos, &cut) : 0;
	if (!n && t) {
		if (cut)
			uio_cut(u, cut);
		n = file_remove_privs(t, f->path.dentry, true);
	}
	if (!n)
		n = f->op->write(f, u, pos);
	kmutex_unlock(&inode->lock);
	if (n > 0) {
		if ((f->flags & O_DSYNC) && f->op->fsync) {
			int err = f->op->fsync(f, (f->flags & O_SYNC) != O_SYNC);

			if (err < 0)
				n = err;
		}
		fsnotify_file(f, IN_MODIFY);
	}
	return n;
}

ssize_t vfs_read(struct file *f, struct uio *u, int64_t *pos)
{
	bool locked;
	ssize_t n;

	if (pos && !f->op->llseek)
		return -ESPIPE;
	if (!f->readable)
		return -EBADF;
	if (pos)
		return file_read_at(f, u, pos);
	locked = pos_lock(f);
	n = file_read_at(f, u, f->op->llseek ? &f->pos : NULL);
	if (locked)
		kmutex_unlock(&f->pos_lock);
	return n;
}

ssize_t vfs_write(struct file *f, struct uio *u, int64_t *pos)
{
	bool locked, append = f->flags & O_APPEND;
	int64_t p;
	ssize_t n;

	if (pos && !f->op->llseek)
		return -ESPIPE;
	if (!f->writable)
		return -EBADF;
	if (pos) {
		/* pwrite(2) with O_APPEND appends, and leaves the caller's position to advance alike. */
		p = *pos;
		n = file_write_at(f, u, &p, append);
		if (n > 0)
			*pos += n;
		return n;
	}
	locked = pos_lock(f);
	n = file_write_at(f, u, f->op->llseek ? &f->pos : NULL, append);
	if (locked)
		kmutex_unlock(&f->pos_lock);
	return n;
}

int64_t generic_llseek(struct file *f, int64_t off, int whence)
{
	uint64_t size = f->inode->size;

	switch (whence) {
	case SEEK_SET:
		break;
	case SEEK_CUR:
		if (!off)
			return f->pos;
		if (__builtin_add_overflow(off, f->pos, &off))
			return -EINVAL;
		break;
	case SEEK_END:
		if (__builtin_add_overflow(off, (int64_t)size, &off))
			return -EINVAL;
		break;
	case SEEK_DATA:
		if (off < 0 || (uint64_t)off >= size)
			return -ENXIO;
		break;
	case SEEK_HOLE:
		if (off < 0 || (uint64_t)off >= size)
			return -ENXIO;
		off = (int64_t)size;
		break;
	default:
		return -EINVAL;
	}
	if (off < 0)
		return -EINVAL;
	f->pos = off;
	return off;
}

int64_t vfs_llseek(struct file *f, int64_t off, int whence)
{
	bool locked;

	if (!f->op->llseek)
		return -ESPIPE;
	locked = pos_lock(f);
	off = f->op->llseek(f, off, whence);
	if (locked)
		kmutex_unlock(&f->pos_lock);
	return off;
}

ssize_t file_kernel_read(struct file *f, void *buf, size_t size, int64_t off)
{
	struct uio u;

	if (!f->op->read)
		return -EINVAL;
	uio_init_kernel(&u, buf, size);
	return f->op->read(f, &u, &off);
}

ssize_t file_kernel_write(struct file *f, const void *buf, size_t size, int64_t off)
{
	struct uio u;

	uio_init_kernel(&u, (void *)(uintptr_t)buf, size);
	return file_write_at(f, &u, &off, false);
}
