/* Regular files: an open file of the overlay stands before one of the real file system. When the file
 * is copied up, descriptions that were opened before follow it. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/util.h"
#include "services/sysd/fs/overlay/private.h"
#include "services/sysd/mm/mmap_req.h"

static int real_open(struct file *file, struct file **ret)
{
	struct path path = {NULL, dentry_ref(ovl_real(file->inode))};
	unsigned flags = file->flags & ~(unsigned)(O_CREAT | O_EXCL | O_TRUNC | O_NOFOLLOW | O_DIRECTORY);
	int err = file_open_path(&path, flags, file->cred, ret);

	dentry_unref(path.dentry);
	return err;
}

/* The real file to use now; stays the overlay file's. May sleep. */
static int real_file(struct file *file, struct file **ret)
{
	struct file *real = file->priv, *fresh;
	int err;

	if (real->path.dentry->inode != ovl_real(file->inode)->inode) {
		err = real_open(file, &fresh);
		if (err < 0)
			return err;
		if (file->priv == real) {
			file->priv = fresh;
			file_unref(real);
		} else { /* another task did the same */
			file_unref(fresh);
		}
		real = file->priv;
	}
	real->flags = (real->flags & O_ACCMODE) | (file->flags & ~(unsigned)O_ACCMODE);
	*ret = real;
	return 0;
}

static int ovl_open(struct inode *inode, struct file *file)
{
	struct file *real;
	int ret;

	if (file->writable) {
		ret = ovl_copy_up(file->path.dentry, file->flags & O_TRUNC ? 0 : OVL_ALL_DATA);
		if (ret < 0)
			return ret;
	}
	ret = real_open(file, &real);
	if (ret < 0)
		return ret;
	file->priv = real;
	return 0;
}

static void ovl_release(struct file *file)
{
	file_unref(file->priv);
}

static ssize_t ovl_read(struct file *file, struct uio *u, int64_t *pos)
{
	struct file *real;
	ssize_t ret = real_file(file, &real);

	if (ret < 0)
		return ret;
	file_ref(real);
	ret = real->op->read(real, u, pos);
	file_unref(real);
	return ret;
}

static ssize_t ovl_write(struct file *file, struct uio *u, int64_t *pos)
{
	struct file *real;
	ssize_t ret = real_file(file, &real);

	if (ret < 0)
		return ret;
	file_ref(real);
	ret = real->op->write(real, u, pos);
	ovl_sync(file->inode);
	file->inode->version++;
	file_unref(real);
	return ret;
}

static int64_t ovl_llseek(struct file *file, int64_t off, int whence)
{
	struct file *real;
	int64_t ret = real_file(file, &real);

	if (ret < 0)
		return ret;
	file_ref(real);
	real->pos = file->pos;
	ret = real->op->llseek(real, off, whence);
	if (ret >= 0)
		file->pos = ret;
	file_unref(real);
	return ret;
}

static int ovl_mmap(struct file *file, struct mmap_req *req)
{
	struct file *real;
	int ret = real_file(file, &real);

	if (ret < 0)
		return ret;
	if (!real->op->mmap)
		return -ENODEV;
	file_ref(real);
	ret = real->op->mmap(real, req);
	file_unref(real);
	return ret;
}

static int ovl_fsync(struct file *file, bool datasync)
{
	struct file *real;
	int ret = real_file(file, &real);

	if (ret < 0)
		return ret;
	file_ref(real);
	ret = real->op->fsync && ovl_i(file->inode)->upper ? real->op->fsync(real, datasync) : 0;
	file_unref(real);
	return ret;
}

static int ovl_fallocate(struct file *file, int mode, int64_t off, int64_t size)
{
	struct file *real;
	int ret = real_file(file, &real);

	if (ret < 0)
		return ret;
	if (!real->op->fallocate)
		return -EOPNOTSUPP;
	file_ref(real);
	ret = real->op->fallocate(real, mode, off, size);
	ovl_sync(file->inode);
	file_unref(real);
	return ret;
}

static int ovl_host_fd(struct file *file, bool write)
{
	struct file *real;
	int ret = real_file(file, &real);

	if (ret < 0)
		return ret;
	if (!real->op->host_fd)
		return -EOPNOTSUPP;
	file_ref(real);
	ret = real->op->host_fd(real, write);
	file_unref(real);
	return ret;
}

const struct file_ops ovl_file_fops = {
    .open = ovl_open,
    .release = ovl_release,
    .read = ovl_read,
    .write = ovl_write,
    .llseek = ovl_llseek,
    .mmap = ovl_mmap,
    .fsync = ovl_fsync,
    .fallocate = ovl_fallocate,
    .host_fd = ovl_host_fd,
};
