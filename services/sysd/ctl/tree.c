/* Making names in the container's tree while it is set up. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include "common/base/util.h"
#include "services/sysd/core/waitq.h"
#include "services/sysd/ctl/internal.h"
#include "services/sysd/task/task.h"
#include "services/sysd/vfs/dentry.h"
#include "services/sysd/vfs/file.h"
#include "services/sysd/vfs/inode.h"
#include "services/sysd/vfs/mount.h"
#include "services/sysd/vfs/namei.h"

typedef int (*make_fn)(struct inode *dir, struct dentry *d, const void *arg);

/* Looks the last component up and, when it is not there, makes it. -EEXIST: it is. */
static int make(struct task *t, const char *path, make_fn fn, const void *arg)
{
	CLEANUP_FREE char *last = NULL;
	struct path parent = {NULL, NULL};
	enum last_type type;
	struct dentry *d;
	struct inode *dir;
	bool slash;
	int r = path_parent(t, AT_FDCWD, path, 0, &parent, &last, &type, &slash);

	if (r < 0)
		return r;
	if (type != LAST_NORM) {
		path_put(&parent);
		return -EEXIST;
	}
	dir = parent.dentry->inode;
	r = mnt_want_write(&parent);
	kmutex_lock(&dir->lock);
	d = d_lookup(parent.dentry, last, strlen(last));
	if (!d) {
		int err = 0;

		d = d_alloc(parent.dentry, last, strlen(last));
		if (!d)
			err = -ENOMEM;
		else if (!dir->op->lookup)
			err = -ENOTDIR;
		else
			err = dir->op->lookup(dir, d);
		if (err < 0)
			r = err;
	}
	if (d && d->inode)
		r = -EEXIST;
	else if (r == 0)
		r = fn(dir, d, arg);
	kmutex_unlock(&dir->lock);
	if (d)
		dentry_unref(d);
	path_put(&parent);
	return r;
}

static int make_dir(struct inode *dir, struct dentry *d, const void *arg)
{
	return dir->op->mkdir ? dir->op->mkdir(dir, d, S_IFDIR | 0755) : -EPERM;
}

int tree_mkdirs(struct task *t, const char *path)
{
	struct path p;
	int r = path_lookup(t, AT_FDCWD, path, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &p);
	CLEANUP_FREE char *copy = NULL;

	if (r == 0) {
		path_put(&p);
		return 0;
	}
	if (r != -ENOENT)
		return r;
	copy = strdup(path);
	if (!copy)
		return -ENOMEM;
	for (char *s = copy + 1;; s++) {
		char c = *s;

		if (c && c != '/')
			continue;
		*s = 0;
		r = make(t, copy, make_dir, NULL);
		if (r < 0 && r != -EEXIST)
			return r;
		*s = c;
		if (!c)
			return 0;
	}
}

static int make_file(struct inode *dir, struct dentry *d, const void *arg)
{
	return dir->op->create ? dir->op->create(dir, d, S_IFREG | 0644, true) : -EPERM;
}

int tree_mkfile(struct task *t, const char *path)
{
	CLEANUP_FREE char *dir = strdup(path);
	char *slash = dir ? strrchr(dir, '/') : NULL;
	int r = 0;

	if (!dir)
		return -ENOMEM;
	if (slash && slash != dir) {
		*slash = 0;
		r = tree_mkdirs(t, dir);
	}
	if (r == 0)
		r = make(t, path, make_file, NULL);
	return r == -EEXIST ? 0 : r;
}

struct node_arg {
	uint32_t mode;
	uint64_t rdev;
};

static int make_node(struct inode *dir, struct dentry *d, const void *arg)
{
	const struct node_arg *n = arg;

	return dir->op->mknod ? dir->op->mknod(dir, d, n->mode, n->rdev) : -EPERM;
}

int tree_mknod(struct task *t, const char *path, uint32_t mode, uint64_t rdev)
{
	const struct node_arg arg = {mode, rdev};
	int r = make(t, path, make_node, &arg);

	return r == -EEXIST ? 0 : r;
}

static int make_link(struct inode *dir, struct dentry *d, const void *arg)
{
	return dir->op->symlink ? dir->op->symlink(dir, d, arg) : -EPERM;
}

int tree_symlink(struct task *t, const char *path, const char *target)
{
	int r = make(t, path, make_link, target);

	return r == -EEXIST ? 0 : r;
}

int tree_write(struct task *t, const char *path, const char *text)
{
	struct file *f;
	ssize_t n;
	int r = vfs_open(t, AT_FDCWD, path, O_WRONLY, 0, 0, &f);

	if (r < 0)
		return r;
	n = file_kernel_write(f, text, strlen(text), 0);
	file_unref(f);
	return n < 0 ? (int)n : 0;
}
