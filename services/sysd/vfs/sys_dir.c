/* Making and removing names: mkdir, mknod, symlink, link, unlink, rmdir. */
#include <linux/capability.h>
#include <linux/fs.h>

#include "services/sysd/mm/usercopy.h"
#include "services/sysd/syscall/syscall.h"
#include "services/sysd/sys/sysctl.h"
#include "services/sysd/vfs/fdtable.h"
#include "services/sysd/vfs/fsnotify.h"
#include "services/sysd/vfs/internal.h"

/* A name about to be made: the parent is locked until create_end. */
struct creation {
	struct nameidata nd;
	struct inode *dir;
	struct dentry *dentry; /* negative */
};

static void create_end(struct creation *c)
{
	kmutex_unlock(&c->dir->lock);
	dentry_unref(c->dentry);
	nd_done(&c->nd);
}

static int create_begin(struct creation *c, struct task *t, int dirfd, const char *name, bool is_dir)
{
	int err = nd_walk_parent(&c->nd, t, dirfd, name, 0), ro;

	if (!err && c->nd.last_type != LAST_NORM)
		err = -EEXIST;
	if (err < 0)
		goto fail;
	nd_pin(&c->nd);
	ro = mnt_want_write(&c->nd.path);
	c->dir = c->nd.path.dentry->inode;
	kmutex_lock(&c->dir->lock);
	err = nd_lookup_last(&c->nd, false, &c->dentry);
	if (!err) {
		if (c->dentry->inode)
			err = -EEXIST;
		else if (nd_trailing_slash(&c->nd) && !is_dir)
			err = -ENOENT;
		else
			err = ro;
		if (!err)
			err = may_create(c->dir, t);
		if (!err)
			err = policy_check_path(t, &c->nd.path, POLICY_CREATE);
		if (err < 0)
			dentry_unref(c->dentry);
	}
	if (err < 0)
		kmutex_unlock(&c->dir->lock);
	if (!err)
		return 0;
fail:
	nd_done(&c->nd);
	return err;
}

/* What every creation ends with. */
static void created(struct creation *c, uint32_t mask)
{
	if (c->dentry->unhashed)
		d_rehash(c->dentry);
	fsnotify_inode(c->dir, c->dentry->name, mask, 0);
}

static long do_mkdir(struct task *t, int dirfd, uint64_t uname, uint32_t mode)
{
	CLEANUP_PATH_BUF char *name = NULL;
	struct creation c;
	int err = path_buf_get(t, uname, false, &name);

	if (err < 0)
		return err;
	err = create_begin(&c, t, dirfd, name, true);
	if (err < 0)
		return err;
	mode &= 01777 & ~t->fs->umask;
	if (!c.dir->op->mkdir)
		err = -EPERM;
	else
		err = c.dir->op->mkdir(c.dir, c.dentry, S_IFDIR | mode);
	if (!err)
		created(&c, IN_CREATE | IN_ISDIR);
	create_end(&c);
	return err;
}

SYS_HANDLER(mkdir)
{
	return do_mkdir(t, AT_FDCWD, a[0], (uint32_t)a[1]);
}

SYS_HANDLER(mkdirat)
{
	return do_mkdir(t, (int)a[0], a[1], (uint32_t)a[2]);
}

int vfs_mknod(struct task *t, int dirfd, const char *name, uint32_t mode, uint64_t rdev, struct path *ret)
{
	struct creation c;
	int err = create_begin(&c, t, dirfd, name, false);

	if (err < 0)
		return err;
	if (S_ISREG(mode))
		err = c.dir->op->create ? c.dir->op->create(c.dir, c.dentry, mode, true) : -EACCES;
	else
		err = c.dir->op->mknod ? c.dir->op->mknod(c.dir, c.dentry, mode, rdev) : -EPERM;
	if (!err) {
		created(&c, IN_CREATE);
		if (ret) {
			*ret = (struct path){c.nd.path.mnt, c.dentry};
			path_get(ret);
		}
	}
	create_end(&c);
	return err;
}

static long do_mknod(struct task *t, int dirfd, uint64_t uname, uint32_t mode, uint32_t dev)
{
	CLEANUP_PATH_BUF char *name = NULL;
	uint64_t rdev = 0;
	int err;

	switch (mode & S_IFMT) {
	case 0:
		mode |= S_IFREG;
		break;
	case S_IFREG:
	case S_IFIFO:
	case S_IFSOCK:
		break;
	case S_IFCHR:
	case S_IFBLK:
		rdev = dev;
		break;
	case S_IFDIR:
		return -EPERM;
	default:
		return -EINVAL;
	}
	/* 0:0 is overlayfs's whiteout, which anybody may make. */
	if ((S_ISBLK(mode) || (S_ISCHR(mode) && rdev)) && !t_capable(t, CAP_MKNOD))
		return -EPERM;
	err = path_buf_get(t, uname, false, &name);
	if (err < 0)
		return err;
	return vfs_mknod(t, dirfd, name, (mode & S_IFMT) | (mode & 07777 & ~t->fs->umask), rdev, NULL);
}

SYS_HANDLER(mknod)
{
	return do_mknod(t, AT_FDCWD, a[0], (uint32_t)a[1], (uint32_t)a[2]);
}

SYS_HANDLER(mknodat)
{
	return do_mknod(t, (int)a[0], a[1], (uint32_t)a[2], (uint32_t)a[3]);
}

static long do_symlink(struct task *t, uint64_t utarget, int dirfd, uint64_t uname)
{
	CLEANUP_PATH_BUF char *name = NULL, *target = NULL;
	struct creation c;
	int err = path_buf_get(t, utarget, false, &target);

	if (!err)
		err = path_buf_get(t, uname, false, &name);
	if (!err)
		err = create_begin(&c, t, dirfd, name, false);
	if (err < 0)
		return err;
	err = c.dir->op->symlink ? c.dir->op->symlink(c.dir, c.dentry, target) : -EPERM;
	if (!err)
		created(&c, IN_CREATE);
	create_end(&c);
	return err;
}

SYS_HANDLER(symlink)
{
	return do_symlink(t, a[0], AT_FDCWD, a[1]);
}

SYS_HANDLER(symlinkat)
{
	return do_symlink(t, a[0], (int)a[1], a[2]);
}

/* protected_hardlinks: link only to what is one's own, or to a plain file one may read and write. */
static int may_linkat(struct task *t, struct inode *inode)
{
	if (!sysctl_protected_hardlinks || inode_owner_or_capable(inode, t))
		return 0;
	if (!S_ISREG(inode->mode) || (inode->mode & S_ISUID) ||
	    (inode->mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP))
		return -EPERM;
	return inode_permission(inode, t, MAY_READ | MAY_WRITE) < 0 ? -EPERM : 0;
}

static int link_checked(struct task *t, struct creation *c, const struct path *old, bool tmpfile)
{
	struct inode *inode = old->dentry->inode;
	int err;

	if (old->mnt != c->nd.path.mnt)
		return -EXDEV;
	err = may_linkat(t, inode);
	if (err < 0)
		return err;
	if (inode->iflags & (FS_APPEND_FL | FS_IMMUTABLE_FL))
		return -EPERM;
	if (!c->dir->op->link)
		return -EPERM;
	if (S_ISDIR(inode->mode))
		return -EPERM;
	if (!inode->nlink && !tmpfile)
		return -ENOENT;
	err = c->dir->op->link(old->dentry, c->dir, c->dentry);
	if (!err) {
		created(c, IN_CREATE);
		fsnotify_inode(inode, NULL, IN_ATTRIB, 0);
	}
	return err;
}

static long do_link(struct task *t, int olddir, uint64_t uold, int newdir, uint64_t unew, unsigned flags)
{
	CLEANUP_PATH_BUF char *old_name = NULL, *new_name = NULL;
	CLEANUP_PATH struct path old = {0};
	struct creation c;
	bool tmpfile = false;
	struct file *f;
	int err;

	if (flags & ~(unsigned)(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	err = path_buf_get(t, uold, flags & AT_EMPTY_PATH, &old_name);
	if (!err)
		err = path_buf_get(t, unew, false, &new_name);
	if (err < 0)
		return err;
	if ((flags & AT_EMPTY_PATH) && !*old_name) {
		f = fd_get_any(t, olddir);
		if (f) {
			/* Without CAP_DAC_READ_SEARCH only what the same credentials opened. */
			if (f->cred != t->cred && !t_capable(t, CAP_DAC_READ_SEARCH))
				err = -ENOENT;
			file_unref(f);
		}
	}
	if (!err)
		err = path_lookup(t, olddir, old_name,
				  (flags & AT_SYMLINK_FOLLOW ? LOOKUP_FOLLOW : 0) |
					  (flags & AT_EMPTY_PATH ? LOOKUP_EMPTY : 0),
				  &old);
	if (err < 0)
		return err;
	/* An O_TMPFILE file has no name yet, and may get one. */
	tmpfile = !old.dentry->inode->nlink && old.dentry->name[0] == '#' && old.dentry->unhashed &&
		  old.dentry->hash == d_hash_name("", 0);
	err = create_begin(&c, t, newdir, new_name, false);
	if (err < 0)
		return err;
	err = link_checked(t, &c, &old, tmpfile && !old.dentry->no_link);
	create_end(&c);
	return err;
}

SYS_HANDLER(link)
{
	return do_link(t, AT_FDCWD, a[0], AT_FDCWD, a[1], 0);
}

SYS_HANDLER(linkat)
{
	return do_link(t, (int)a[0], a[1], (int)a[2], a[3], (unsigned)a[4]);
}

static int unlink_locked(struct task *t, struct nameidata *nd, struct dentry *d)
{
	struct inode *dir = nd->path.dentry->inode, *inode = d->inode;
	int err;

	if (nd_trailing_slash(nd)) {
		if (!inode)
			return -ENOENT;
		return S_ISDIR(inode->mode) ? -EISDIR : -ENOTDIR;
	}
	err = may_delete(dir, d, t, false);
	if (!err)
		err = policy_check_path(t, &nd->path, POLICY_DELETE);
	if (!err && d->is_mountpoint)
		err = -EBUSY;
	if (!err)
		err = dir->op->unlink ? dir->op->unlink(dir, d) : -EPERM;
	if (err < 0)
		return err;
	inode_ref(inode);
	fsnotify_inode(inode, NULL, IN_ATTRIB, 0);
	d_delete(d);
	fsnotify_inode(dir, d->name, IN_DELETE, 0);
	inode_unref(inode);
	return 0;
}

static int rmdir_locked(struct task *t, struct nameidata *nd, struct dentry *d)
{
	struct inode *dir = nd->path.dentry->inode, *inode = d->inode;
	int err = inode ? may_delete(dir, d, t, true) : -ENOENT;

	if (!err)
		err = policy_check_path(t, &nd->path, POLICY_DELETE);
	if (!err && !dir->op->rmdir)
		err = -EPERM;
	if (!err && d->is_mountpoint)
		err = -EBUSY;
	if (err < 0)
		return err;
	kmutex_lock(&inode->lock);
	err = dir->op->rmdir(dir, d);
	if (!err)
		inode->nlink = 0;
	kmutex_unlock(&inode->lock);
	if (err < 0)
		return err;
	inode_ref(inode);
	d_prune_children(d);
	d_delete(d);
	fsnotify_inode(dir, d->name, IN_DELETE | IN_ISDIR, 0);
	inode_unref(inode);
	return 0;
}

/* unlink or rmdir of a path's last name. */
static long remove_name(struct task *t, int dirfd, uint64_t uname, bool rmdir)
{
	CLEANUP_PATH_BUF char *name = NULL;
	struct nameidata nd;
	struct inode *dir;
	struct dentry *d;
	int err = path_buf_get(t, uname, false, &name);

	if (err < 0)
		return err;
	err = nd_walk_parent(&nd, t, dirfd, name, 0);
	if (!err && nd.last_type != LAST_NORM)
		err = !rmdir ? -EISDIR
		      : nd.last_type == LAST_DOTDOT ? -ENOTEMPTY
		      : nd.last_type == LAST_DOT    ? -EINVAL
						    : -EBUSY;
	if (!err)
		err = mnt_want_write(&nd.path);
	if (!err) {
		nd_pin(&nd);
		dir = nd.path.dentry->inode;
		kmutex_lock(&dir->lock);
		err = nd_lookup_last(&nd, false, &d);
		if (!err) {
			err = rmdir ? rmdir_locked(t, &nd, d) : unlink_locked(t, &nd, d);
			kmutex_unlock(&dir->lock);
			dentry_unref(d); /* may be the end of the file: not under the lock */
		} else {
			kmutex_unlock(&dir->lock);
		}
	}
	nd_done(&nd);
	return err;
}

SYS_HANDLER(unlink)
{
	return remove_name(t, AT_FDCWD, a[0], false);
}

SYS_HANDLER(rmdir)
{
	return remove_name(t, AT_FDCWD, a[0], true);
}

SYS_HANDLER(unlinkat)
{
	if ((int)a[2] & ~AT_REMOVEDIR)
		return -EINVAL;
	return remove_name(t, (int)a[0], a[1], (int)a[2] & AT_REMOVEDIR);
}
