/* Regular files: everything happens on the donated descriptor, without a word to fsd. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/util.h"
#include "services/sysd/core/sched.h"
#include "services/sysd/fs/gofer/private.h"
#include "services/sysd/mm/mmap_req.h"
#include "services/sysd/mm/uio.h"

static int file_open(struct inode *inode, struct file *file)
{
	int fd = gofer_get_fd(inode, file->writable);

	if (fd < 0)
		return fd == -ESTALE ? -ENOENT : fd;
	gofer_put_fd(inode);
	gofer_i(inode)->opens++;
	if (!file->writable)
		prefetch_after_open(file->path.dentry);
	return 0;
}

static void file_release(struct file *file)
{
	gofer_i(file->inode)->opens--;
}

static bool older(const struct timespec64 *a, const struct timespec64 *b)
{
	return a->sec != b->sec ? a->sec < b->sec : a->nsec < b->nsec;
}

/* The host's atime follows relatime: know when it will have moved. */
static void accessed(struct inode *inode)
{
	struct gofer_inode *gi = gofer_i(inode);

	if (!gi->attr_stale && (older(&inode->atime, &inode->mtime) || older(&inode->atime, &inode->ctime)))
		gi->attr_stale = true;
}

/* A descriptor for what changes times: those that were set before must not come after it. */
static int io_fd(struct inode *inode, bool write)
{
	later_wait_attr(inode);
	return gofer_get_fd(inode, write);
}

static ssize_t file_read(struct file *file, struct uio *u, int64_t *pos)
{
	struct inode *inode = file->inode;
	int fd = io_fd(inode, false);
	ssize_t n;

	if (fd < 0)
		return fd;
	n = uio_pread_host(u, fd, u->resid, (off_t)*pos);
	gofer_put_fd(inode);
	if (n > 0) {
		*pos += n;
		accessed(inode);
	}
	return n;
}

struct sync_job {
	int fd;
	bool datasync;
};

static long sync_fn(void *arg)
{
	struct sync_job *j = arg;

	return (j->datasync ? fdatasync(j->fd) : fsync(j->fd)) < 0 ? -errno : 0;
}

static int file_fsync(struct file *file, bool datasync)
{
	struct inode *inode = file->inode;
	int fd = gofer_get_fd(inode, false);
	struct sync_job j = {fd, datasync};
	int ret;

	if (fd < 0)
		return fd;
	gofer_settle(); /* the names that came before are on the disk with it */
	ret = (int)sched_block(sync_fn, &j);
	gofer_put_fd(inode);
	return ret < 0 ? ret : gofer_late_error(inode->sb);
}

/* No room: what was removed before may still be taking it. True: it was, try again. */
static bool gofer_may_free(ssize_t ret)
{
	if ((ret != -ENOSPC && ret != -EDQUOT) || !gofer_unsettled())
		return false;
	gofer_settle();
	return true;
}

static ssize_t file_write(struct file *file, struct uio *u, int64_t *pos)
{
	struct inode *inode = file->inode;
	int fd = io_fd(inode, true);
	struct gofer_own own;
	ssize_t n;

	if (fd < 0)
		return fd;
	own_begin(&own);
	own_inode(&own, inode, IN_MODIFY | IN_ATTRIB);
	n = uio_pwrite_host(u, fd, u->resid, (off_t)*pos);
	if (gofer_may_free(n))
		n = uio_pwrite_host(u, fd, u->resid, (off_t)*pos);
	own_end(&own, n);
	gofer_keep_mode(file->path.dentry, fd);
	gofer_put_fd(inode);
	if (n > 0) {
		*pos += n;
		inode->size = MAX(inode->size, (uint64_t)*pos);
		inode->version++;
		gofer_i(inode)->attr_stale = true;
	}
	return n;
}

static int64_t seek_host(struct inode *inode, int64_t off, int whence)
{
	int fd = gofer_get_fd(inode, false);
	off_t at;

	if (fd < 0)
		return fd;
	at = lseek(fd, (off_t)off, whence);
	if (at < 0)
		at = -errno;
	gofer_put_fd(inode);
	return at;
}

static int64_t file_llseek(struct file *file, int64_t off, int whence)
{
	if (whence == SEEK_END && gofer_shared(file->inode))
		gofer_getattr(file->inode);
	if (whence != SEEK_DATA && whence != SEEK_HOLE)
		return generic_llseek(file, off, whence);
	if (off < 0)
		return -ENXIO;
	off = seek_host(file->inode, off, whence);
	return off < 0 ? off : (file->pos = off);
}

static int file_mmap(struct file *file, struct mmap_req *req)
{
	struct inode *inode = file->inode;
	struct gofer_inode *gi = gofer_i(inode);
	/* What a mapping may become by mprotect(2) is decided by the descriptor it was made with. */
	bool write = (req->flags & MAP_TYPE) != MAP_PRIVATE && file->writable;
	int ret, fd;

	if (!write && gi->ro_fd < 0 && gi->rw_fd >= 0) {
		ret = gofer_get_ro_fd(inode);
		/* fsd was started anew, or another file has the name: memd may be able to open it for reading */
		if (ret == -ESTALE || ret == -ENOENT)
			ret = io_fd(inode, false);
	} else {
		ret = io_fd(inode, write);
	}
	if (ret < 0)
		return ret;
	gofer_put_fd(inode);
	fd = write || gi->ro_fd < 0 ? gi->rw_fd : gi->ro_fd;
	gi->pinned = true;
	if (fd == gi->rw_fd) {
		if (!gi->rw_object)
			gi->rw_object = mmap_object_id_new();
		req->object_id = gi->rw_object;
		req->host_writable = true;
	} else {
		if (!gi->ro_object)
			gi->ro_object = mmap_object_id_new();
		req->object_id = gi->ro_object;
		req->host_writable = false;
	}
	if (write)
		gi->mapped_write = gi->attr_stale = true;
	req->host_fd = fd;
	req->anonymous = false;
	accessed(inode);
	return 0;
}

static int file_fallocate(struct file *file, int mode, int64_t off, int64_t size)
{
	struct inode *inode = file->inode;
	int fd = io_fd(inode, true), ret = 0;
	struct gofer_own own;
	struct stat st;

	if (fd < 0)
		return fd;
	own_begin(&own);
	own_inode(&own, inode, IN_MODIFY | IN_ATTRIB);
	ret = fallocate(fd, mode, (off_t)off, (off_t)size) < 0 ? -errno : 0;
	if (gofer_may_free(ret))
		ret = fallocate(fd, mode, (off_t)off, (off_t)size) < 0 ? -errno : 0;
	own_end(&own, ret);
	if (!ret && fstat(fd, &st) == 0)
		inode->size = (uint64_t)st.st_size;
	gofer_i(inode)->attr_stale = true;
	inode->version++;
	gofer_keep_mode(file->path.dentry, fd);
	gofer_put_fd(inode);
	return ret;
}

static int file_host_fd(struct file *file, bool write)
{
	struct inode *inode = file->inode;
	int fd = io_fd(inode, write);

	if (fd < 0)
		return fd;
	gofer_put_fd(inode);
	gofer_i(inode)->pinned = true;
	if (write) {
		gofer_i(inode)->attr_stale = true;
		inode->version++;
	} else {
		accessed(inode);
	}
	return fd;
}

const struct file_ops gofer_file_fops = {
    .open = file_open,
    .release = file_release,
    .read = file_read,
    .write = file_write,
    .llseek = file_llseek,
    .mmap = file_mmap,
    .fsync = file_fsync,
    .fallocate = file_fallocate,
    .host_fd = file_host_fd,
};
