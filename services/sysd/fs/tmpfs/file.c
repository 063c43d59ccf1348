/* Regular files of tmpfs: a backing each. */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <linux/falloc.h>

#include "common/base/util.h"
#include "services/sysd/fs/tmpfs/tmpfs.h"

static ssize_t tmpfs_read(struct file *f, struct uio *u, int64_t *pos)
{
	ssize_t n = backing_read(&tmpfs_i(f->inode)->content, u, (uint64_t)*pos);

	if (n > 0)
		*pos += n;
	return n;
}

/* How many bytes from `off` on may be written before the file system is full. */
static uint64_t room_for(struct inode *inode, uint64_t off, uint64_t size)
{
	struct backing *b = &tmpfs_i(inode)->content;
	uint64_t page, need = 0, end = off + size;

	if (tmpfs_room(inode, ALIGN_UP(end, SBX_PAGE_SIZE) - ALIGN_DOWN(off, SBX_PAGE_SIZE)))
		return size;
	/* Nearly full: look at each page; those with content need nothing more. */
	for (page = ALIGN_DOWN(off, SBX_PAGE_SIZE); page < end; page += SBX_PAGE_SIZE) {
		int64_t data = page < b->size ? backing_seek(b, page, SEEK_DATA) : -ENXIO;

		if (data >= 0 && (uint64_t)data < page + SBX_PAGE_SIZE)
			continue;
		need += SBX_PAGE_SIZE;
		if (!tmpfs_room(inode, need))
			return page > off ? page - off : 0;
	}
	return size;
}

static ssize_t tmpfs_write(struct file *f, struct uio *u, int64_t *pos)
{
	struct inode *inode = f->inode;
	struct backing *b = &tmpfs_i(inode)->content;
	uint64_t size = u->resid, room;
	uint64_t off = (uint64_t)*pos;
	ssize_t n;
	int err = backing_check_write(b, off, size);

	if (err < 0)
		return err;
	room = room_for(inode, off, size);
	if (!room)
		return -ENOSPC;
	if (room < size) {
		/* A short write: what fits. */
		size_t cut = (size_t)(size - room);

		u->resid -= cut;
		for (unsigned i = u->seg_count; i-- > 0 && cut;) {
			size_t part = MIN(cut, u->segs[i].size);

			u->segs[i].size -= part;
			cut -= part;
		}
	}
	n = backing_write(b, u, off);
	inode->size = b->size;
	if (n > 0) {
		*pos += n;
		inode_touch(inode, false, true, true);
		inode->version++;
	}
	tmpfs_account(inode);
	return n;
}

static int64_t tmpfs_llseek(struct file *f, int64_t off, int whence)
{
	if (whence == SEEK_DATA || whence == SEEK_HOLE) {
		if (off < 0)
			return -ENXIO;
		off = backing_seek(&tmpfs_i(f->inode)->content, (uint64_t)off, whence);
		if (off >= 0)
			f->pos = off;
		return off;
	}
	return generic_llseek(f, off, whence);
}

static int tmpfs_mmap(struct file *f, struct mmap_req *req)
{
	int err = backing_mmap(&tmpfs_i(f->inode)->content, req);

	tmpfs_account(f->inode);
	return err;
}

static int tmpfs_host_fd(struct file *f, bool write)
{
	int fd = backing_host_fd(&tmpfs_i(f->inode)->content);

	(void)write;
	tmpfs_account(f->inode);
	return fd;
}

static int tmpfs_fsync(struct file *f, bool datasync)
{
	(void)f;
	(void)datasync;
	return 0;
}

static int tmpfs_fallocate(struct file *f, int mode, int64_t off, int64_t size)
{
	struct inode *inode = f->inode;
	struct backing *b = &tmpfs_i(inode)->content;
	int err;

	if (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE))
		return -EOPNOTSUPP;
	err = backing_check_fallocate(b, mode, (uint64_t)off, (uint64_t)size);
	if (err < 0)
		return err;
	if (!(mode & FALLOC_FL_PUNCH_HOLE) &&
	    room_for(inode, (uint64_t)off, (uint64_t)size) < (uint64_t)size)
		return -ENOSPC;
	err = backing_fallocate(b, mode, (uint64_t)off, (uint64_t)size);
	inode->size = b->size;
	tmpfs_account(inode);
	if (!err)
		inode_touch(inode, false, true, true);
	return err;
}

const struct file_ops tmpfs_file_fops = {
	.read = tmpfs_read,
	.write = tmpfs_write,
	.llseek = tmpfs_llseek,
	.mmap = tmpfs_mmap,
	.host_fd = tmpfs_host_fd,
	.fsync = tmpfs_fsync,
	.fallocate = tmpfs_fallocate,
};
