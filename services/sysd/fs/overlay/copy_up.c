/* Copy-up: a file of a lower layer gets a copy in the upper one before it changes. The copy is made
 * without a name and linked in at the end, in one step, under the name the file has then. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/util.h"
#include "services/sysd/fs/overlay/private.h"

#define COPY_SIZE (128 * 1024ul)

static int copy_range(struct file *from, struct file *to, void *buf, int64_t off, int64_t end)
{
	while (off < end) {
		ssize_t n = file_kernel_read(from, buf, MIN(COPY_SIZE, (size_t)(end - off)), off), w;

		if (n <= 0)
			return (int)n;
		w = file_kernel_write(to, buf, (size_t)n, off);
		if (w < 0)
			return (int)w;
		if (w < n)
			return -ENOSPC;
		off += n;
	}
	return 0;
}

/* Holes stay holes. */
static int copy_data(struct dentry *lower, struct dentry *upper, uint64_t size)
{
	struct path from_path = {NULL, lower}, to_path = {NULL, upper};
	struct file *from = NULL, *to = NULL;
	CLEANUP_FREE void *buf = malloc(COPY_SIZE);
	int64_t off = 0, end = (int64_t)MIN(size, lower->inode->size), data, hole;
	int ret = buf ? 0 : -ENOMEM;

	if (!end)
		return ret;
	if (!ret)
		ret = file_open_path(&from_path, O_RDONLY, NULL, &from);
	if (!ret)
		ret = file_open_path(&to_path, O_RDWR, NULL, &to);
	while (!ret && off < end) {
		data = from->op->llseek ? from->op->llseek(from, off, SEEK_DATA) : off;
		if (data == -ENXIO)
			break;
		if (data < 0)
			data = off;
		hole = from->op->llseek ? from->op->llseek(from, data, SEEK_HOLE) : end;
		if (hole <= data)
			hole = end;
		ret = copy_range(from, to, buf, MIN(data, end), MIN(hole, end));
		off = hole;
	}
	if (!ret && upper->inode->size < (uint64_t)end) {
		struct inode_attr attr = {.valid = ATTR_SIZE, .size = (uint64_t)end};

		ret = upper->inode->op->setattr(upper, &attr);
	}
	file_unref(from);
	file_unref(to);
	return ret;
}

static int copy_xattrs(struct inode *lower, struct inode *upper)
{
	CLEANUP_FREE char *names = NULL, *value = NULL;
	ssize_t n;
	int ret = 0;

	if (!lower->op || !lower->op->listxattr || !lower->op->getxattr || !upper->op->setxattr)
		return 0;
	n = lower->op->listxattr(lower, NULL, 0);
	if (n <= 0)
		return 0;
	names = malloc((size_t)n + 1);
	value = malloc(65536);
	if (!names || !value)
		return -ENOMEM;
	n = lower->op->listxattr(lower, names, (size_t)n);
	if (n > 0)
		names[n] = 0;
	for (ssize_t at = 0; at < n && !ret; at += (ssize_t)strlen(names + at) + 1) {
		ssize_t size = lower->op->getxattr(lower, names + at, value, 65536);

		if (size >= 0 && strncmp(names + at, "trusted.overlay.", 16))
			ret = upper->op->setxattr(upper, names + at, value, (size_t)size, 0);
	}
	return ret;
}

static void copy_attrs(const struct inode *lower, struct inode *upper)
{
	upper->mode = lower->mode;
	upper->uid = lower->uid;
	upper->gid = lower->gid;
	upper->atime = lower->atime;
	upper->mtime = lower->mtime;
	upper->ctime = lower->ctime;
	upper->btime = lower->btime;
}

/* The entry for name in an upper directory, with a whiteout removed from it. No sleep: the upper layer
 * is in memory. */
static int free_place(struct dentry *dir, const struct dentry *like, struct dentry **ret)
{
	struct dentry *d;
	int err = ovl_child(dir, like->name, like->name_size, &d);

	if (err < 0)
		return err;
	if (ovl_is_whiteout(d)) {
		err = dir->inode->op->unlink(dir->inode, d);
		if (!err)
			d_delete(d);
		if (!err && d->inode) { /* somebody holds it: it is unhashed now */
			dentry_unref(d);
			err = ovl_child(dir, like->name, like->name_size, &d);
		}
	}
	if (err < 0) {
		dentry_unref(d);
		return err;
	}
	*ret = d;
	return 0;
}

/* A nameless copy in the upper layer. Sleeps. */
static int make_copy(struct inode *inode, uint64_t data_size, struct dentry **ret)
{
	struct dentry *root = ovl_sb(inode->sb)->upper->root, *lower = ovl_i(inode)->lower[0];
	struct dentry *d = d_alloc(root, "", 0);
	int err;

	if (!d)
		return -ENOMEM;
	err = root->inode->op->tmpfile(root->inode, d, S_IFREG | 0600);
	if (!err && lower->inode->op && lower->inode->op->getattr)
		err = lower->inode->op->getattr(lower->inode);
	if (!err)
		err = copy_data(lower, d, data_size);
	if (!err)
		err = copy_xattrs(lower->inode, d->inode);
	if (err < 0) {
		dentry_unref(d);
		return err;
	}
	copy_attrs(lower->inode, d->inode);
	*ret = d;
	return 0;
}

static int remember_index(struct inode *inode, struct dentry *upper)
{
	struct ovl_inode *oi = ovl_i(inode);
	struct ovl_index *x;

	if (oi->lower[0]->inode->nlink < 2)
		return 0;
	x = calloc(1, sizeof(*x));
	if (!x)
		return -ENOMEM;
	x->lower = inode_ref(oi->lower[0]->inode);
	x->upper = dentry_ref(upper);
	x->nlink = inode->nlink;
	list_add(&ovl_sb(inode->sb)->index, &x->node);
	return 0;
}

/* Regular files. The parent is in the upper layer, or the file has no name any more. */
static int copy_up_file(struct dentry *dentry, uint64_t data_size)
{
	struct inode *inode = dentry->inode;
	struct dentry *copy, *place = NULL, *dir;
	int ret = make_copy(inode, data_size, &copy);

	if (ret < 0)
		return ret;
	/* From here on nothing sleeps. */
	dir = dentry->unhashed ? NULL : ovl_i(dentry->parent->inode)->upper;
	if (!dentry->unhashed) {
		struct timespec64 ctime = copy->inode->ctime;

		ret = dir ? free_place(dir, dentry, &place) : -EAGAIN;
		if (!ret)
			ret = dir->inode->op->link(copy, dir->inode, place);
		copy->inode->ctime = ctime;
	}
	if (!ret)
		ret = remember_index(inode, place ? place : copy);
	if (!ret) {
		if (place)
			d_add(place, NULL);
		ovl_set_upper(inode, dentry_ref(place ? place : copy));
		ovl_sync(inode);
	}
	if (place)
		dentry_unref(place);
	dentry_unref(copy);
	return ret;
}

/* Symbolic links, FIFOs, sockets and devices. */
static int copy_up_special(struct dentry *dentry)
{
	struct inode *inode = dentry->inode, *lower = ovl_i(inode)->lower[0]->inode;
	CLEANUP_FREE char *target = NULL;
	struct dentry *dir, *place;
	int ret;

	if (S_ISLNK(inode->mode)) {
		ret = lower->op->readlink(lower, &target);
		if (ret < 0)
			return ret;
	}
	dir = ovl_i(dentry->parent->inode)->upper;
	if (dentry->unhashed || !dir)
		return dentry->unhashed ? -ESTALE : -EAGAIN;
	ret = free_place(dir, dentry, &place);
	if (ret < 0)
		return ret;
	ret = target ? dir->inode->op->symlink(dir->inode, place, target)
		     : dir->inode->op->mknod(dir->inode, place, inode->mode, inode->rdev);
	if (!ret) {
		d_add(place, NULL);
		copy_attrs(lower, place->inode);
		ovl_set_upper(inode, dentry_ref(place));
		ovl_sync(inode);
	}
	dentry_unref(place);
	return ret;
}

static int copy_up_one_dir(struct dentry *dentry)
{
	struct inode *inode = dentry->inode, *lower = ovl_i(inode)->lower[0]->inode;
	struct dentry *dir = ovl_i(dentry->parent->inode)->upper, *place;
	struct timespec64 mtime, ctime;
	int ret;

	if (dentry->unhashed || !dir)
		return dentry->unhashed ? -ENOENT : -EAGAIN;
	mtime = dir->inode->mtime;
	ctime = dir->inode->ctime;
	ret = free_place(dir, dentry, &place);
	if (ret < 0)
		return ret;
	ret = dir->inode->op->mkdir(dir->inode, place, inode->mode & 07777);
	if (!ret) {
		d_add(place, NULL);
		copy_attrs(lower, place->inode);
		/* The directory above did not change for those who look at the overlay. */
		dir->inode->mtime = mtime;
		dir->inode->ctime = ctime;
		ovl_set_upper(inode, dentry_ref(place));
		ovl_sync(inode);
		copy_xattrs(lower, place->inode); /* may sleep; late is soon enough */
	}
	dentry_unref(place);
	return ret;
}

int ovl_copy_up_dir(struct dentry *dir)
{
	dentry_ref(dir);
	while (!ovl_i(dir->inode)->upper) {
		struct dentry *top = dir;
		int ret;

		while (top->parent != top && !ovl_i(top->parent->inode)->upper)
			top = top->parent;
		dentry_ref(top);
		ret = copy_up_one_dir(top);
		dentry_unref(top);
		if (ret < 0 && ret != -EAGAIN) {
			dentry_unref(dir);
			return ret;
		}
	}
	dentry_unref(dir);
	return 0;
}

int ovl_copy_up(struct dentry *dentry, uint64_t data_size)
{
	struct inode *inode = dentry->inode;
	struct ovl_inode *oi = ovl_i(inode);
	int ret = 0;

	if (oi->upper)
		return 0;
	if (S_ISDIR(inode->mode))
		return ovl_copy_up_dir(dentry);
	kmutex_lock(&oi->copy_lock);
	for (unsigned tries = 0; !oi->upper && tries < 8; tries++) {
		struct dentry *parent = dentry_ref(dentry->parent);

		ret = dentry->unhashed ? 0 : ovl_copy_up_dir(parent);
		dentry_unref(parent);
		if (!ret)
			ret = S_ISREG(inode->mode) ? copy_up_file(dentry, data_size)
						   : copy_up_special(dentry);
		if (ret != -EAGAIN) /* it was moved into a directory that is not up yet */
			break;
	}
	kmutex_unlock(&oi->copy_lock);
	return ret;
}
