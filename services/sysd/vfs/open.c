/* open(2): flags, the last component, creation, and the checks before a file is made. */
#include "services/sysd/sys/sysctl.h"
#include "services/sysd/vfs/internal.h"

#include <stdio.h>
#include <linux/capability.h>
#include <linux/fs.h>

#include "services/sysd/vfs/fsnotify.h"

#define TMPFILE_BIT 020000000u /* O_TMPFILE without O_DIRECTORY */
#define VALID_FLAGS                                                                                \
	(O_ACCMODE | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_APPEND | O_NONBLOCK | O_SYNC | O_ASYNC | \
	 O_DIRECT | ABI_O_LARGEFILE | O_DIRECTORY | O_NOFOLLOW | O_NOATIME | O_CLOEXEC | O_PATH |  \
	 TMPFILE_BIT)
#define PATH_FLAGS (O_DIRECTORY | O_NOFOLLOW | O_PATH | O_CLOEXEC)

int build_open_flags(uint64_t flags, uint64_t mode, bool strict, unsigned *ret_flags, uint32_t *ret_mode)
{
	bool creates = flags & (O_CREAT | TMPFILE_BIT);

	if (strict) {
		if (flags & ~(uint64_t)VALID_FLAGS)
			return -EINVAL;
		if (creates ? mode & ~07777ull : mode != 0)
			return -EINVAL;
		if ((flags & O_PATH) && (flags & ~(uint64_t)PATH_FLAGS))
			return -EINVAL;
	}
	flags &= VALID_FLAGS;
	mode = creates ? mode & 07777 : 0;
	if ((flags & (O_DIRECTORY | O_CREAT)) == (O_DIRECTORY | O_CREAT))
		return -EINVAL;
	if (flags & TMPFILE_BIT) {
		if (!(flags & O_DIRECTORY))
			return -EINVAL;
		if ((flags & O_ACCMODE) == O_RDONLY)
			return -EINVAL;
	}
	if (flags & O_PATH)
		flags &= PATH_FLAGS;
	*ret_flags = (unsigned)flags;
	*ret_mode = (uint32_t)mode;
	return 0;
}

static int acc_mask(unsigned flags)
{
	static const int mask[4] = {MAY_READ, MAY_WRITE, MAY_READ | MAY_WRITE, MAY_READ | MAY_WRITE};
	int m = mask[flags & O_ACCMODE];

	if (flags & O_TRUNC)
		m |= MAY_WRITE;
	return m;
}

/* protected_fifos, protected_regular: O_CREAT of what somebody else put into a sticky directory. */
static int may_create_in_sticky(const struct nameidata *nd, const struct inode *inode, uint32_t dir_mode,
				uint32_t dir_uid)
{
	int64_t level = S_ISFIFO(inode->mode)  ? sysctl_protected_fifos
			: S_ISREG(inode->mode) ? sysctl_protected_regular
					       : 0;

	if (!level || !(dir_mode & S_ISVTX) || inode->uid == dir_uid || inode->uid == nd->t->cred->fsuid)
		return 0;
	if ((dir_mode & S_IWOTH) || (level >= 2 && (dir_mode & S_IWGRP)))
		return -EACCES;
	return 0;
}

static int may_open(struct nameidata *nd, unsigned *flags, int mask)
{
	const struct path *p = &nd->path;
	struct inode *inode = p->dentry->inode;
	int ret;

	switch (inode->mode & S_IFMT) {
	case S_IFLNK:
		return -ELOOP;
	case S_IFDIR:
		if (mask & MAY_WRITE)
			return -EISDIR;
		break;
	case S_IFCHR:
	case S_IFBLK:
		if (p->mnt && (p->mnt->flags & MNT_NODEV))
			return -EACCES;
		*flags &= ~(unsigned)O_TRUNC;
		break;
	case S_IFIFO:
	case S_IFSOCK:
		*flags &= ~(unsigned)O_TRUNC;
		break;
	default:
		if (mask & MAY_WRITE) {
			ret = mnt_want_write(p);
			if (ret < 0)
				return ret;
		}
	}
	ret = inode_permission(inode, nd->t, mask);
	if (ret < 0)
		return ret;
	if (inode->iflags & FS_APPEND_FL) {
		if ((*flags & O_ACCMODE) != O_RDONLY && !(*flags & O_APPEND))
			return -EPERM;
		if (*flags & O_TRUNC)
			return -EPERM;
	}
	if ((*flags & O_NOATIME) && !inode_owner_or_capable(inode, nd->t))
		return -EPERM;
	return 0;
}

/* nd->path is what to open. */
static int do_open(struct nameidata *nd, unsigned flags, bool created, uint32_t dir_mode, uint32_t dir_uid,
		   struct file **ret)
{
	struct inode *inode = nd->path.dentry->inode;
	int mask = acc_mask(flags), err;

	if ((flags & O_CREAT) && !created) {
		if (S_ISDIR(inode->mode))
			return -EISDIR;
		err = may_create_in_sticky(nd, inode, dir_mode, dir_uid);
		if (err < 0)
			return err;
	}
	if ((nd->flags & LOOKUP_DIRECTORY) && !S_ISDIR(inode->mode))
		return -ENOTDIR;
	if (created) {
		flags &= ~(unsigned)O_TRUNC;
	} else {
		err = may_open(nd, &flags, mask);
		if (err < 0)
			return err;
	}
	err = policy_check_path(nd->t, &nd->path,
				(mask & MAY_READ ? POLICY_OPEN_READ : 0) |
					(mask & MAY_WRITE ? POLICY_OPEN_WRITE : 0) |
					(created ? POLICY_CREATE : 0));
	if (err < 0)
		return err;
	nd_pin(nd); /* the open callback may sleep */
	err = file_open_checked(&nd->path, flags, nd->t->cred, ret);
	if (err < 0)
		return err;
	if (flags & O_TRUNC) {
		/* O_RDONLY too: a running program stays whole. */
		err = inode_get_write(inode);
		if (!err) {
			err = vfs_truncate(nd->t, nd->path.dentry, 0, *ret);
			inode_put_write(inode);
		}
		if (err < 0) {
			file_unref(*ret);
			return err;
		}
	}
	(*ret)->created = created;
	return 0;
}

static int create_last(struct nameidata *nd, struct dentry *d, uint32_t mode, bool excl)
{
	struct inode *dir = nd->path.dentry->inode;
	int err = mnt_want_write(&nd->path);

	if (err < 0)
		return err;
	err = may_create(dir, nd->t);
	if (err < 0)
		return err;
	if (!dir->op->create)
		return -EACCES;
	mode &= ~nd->t->fs->umask;
	err = dir->op->create(dir, d, S_IFREG | mode, excl);
	if (!err) {
		if (d->unhashed)
			d_rehash(d);
		fsnotify_inode(dir, d->name, IN_CREATE, 0);
	}
	return err;
}

/* The last component of an open that may create. *ret_next as nd_last; *created. */
static int last_create(struct nameidata *nd, unsigned flags, uint32_t mode, bool *created,
		       const char **ret_next)
{
	struct inode *dir;
	struct dentry *d;
	int err;

	*ret_next = NULL;
	if (nd->last_type != LAST_NORM)
		return -EISDIR;
	if (nd_trailing_slash(nd))
		return -EISDIR;
	nd_pin(nd);
	dir = nd->path.dentry->inode;
	/* A name that is there needs no lock. */
	d = d_lookup_raw(nd->path.dentry, nd->last, nd->last_size, nd->last_hash);
	if (!d || !d->inode || (d->sb->op && d->sb->op->revalidate)) {
		kmutex_lock(&dir->lock);
		err = nd_lookup_last(nd, false, &d);
		if (!err && !d->inode) {
			err = create_last(nd, d, mode, flags & O_EXCL);
			*created = !err;
			if (err < 0)
				dentry_unref(d);
		}
		kmutex_unlock(&dir->lock);
		if (err < 0)
			return err;
	} else {
		dentry_ref(d);
	}
	if (!*created && (flags & O_EXCL)) {
		dentry_unref(d);
		return -EEXIST;
	}
	return nd_step_last(nd, d, ret_next);
}

static int open_tmpfile(struct nameidata *nd, unsigned flags, uint32_t mode, struct file **ret)
{
	struct inode *dir;
	struct dentry *d;
	struct path p;
	int err;

	nd_pin(nd);
	dir = nd->path.dentry->inode;
	if (!S_ISDIR(dir->mode))
		return -ENOTDIR;
	err = mnt_want_write(&nd->path);
	if (!err)
		err = inode_permission(dir, nd->t, MAY_WRITE | MAY_EXEC);
	if (err < 0)
		return err;
	if (!dir->op->tmpfile)
		return -EOPNOTSUPP;
	d = d_alloc(nd->path.dentry, "", 0);
	if (!d)
		return -ENOMEM;
	err = dir->op->tmpfile(dir, d, S_IFREG | (mode & ~nd->t->fs->umask));
	if (!err) {
		char name[32];

		/* As Linux shows it: /tmp/#1234 (deleted). */
		d->name_size = (uint32_t)snprintf(name, sizeof(name), "#%llu", (unsigned long long)d->inode->ino);
		memcpy(d->iname, name, d->name_size + 1);
		p = (struct path){nd->path.mnt, d};
		d->no_link = flags & O_EXCL; /* without it, linkat may give it a name later */
		err = file_open_checked(&p, flags & ~(unsigned)(O_EXCL | O_TRUNC), nd->t->cred, ret);
	}
	dentry_unref(d);
	return err;
}

static int open_walk(struct nameidata *nd, int err, unsigned flags, uint32_t mode, struct file **ret)
{
	uint32_t dir_mode = 0, dir_uid = 0;
	bool created = false;
	const char *next;

	while (!err) {
		if (flags & O_CREAT) {
			dir_mode = nd->path.dentry->inode->mode;
			dir_uid = nd->path.dentry->inode->uid;
			err = last_create(nd, flags, mode, &created, &next);
		} else {
			err = nd_last(nd, &next);
		}
		if (err < 0)
			return err;
		if (!next)
			break;
		err = nd_walk(nd, next);
	}
	if (err < 0)
		return err;
	if (flags & TMPFILE_BIT)
		return open_tmpfile(nd, flags, mode, ret);
	if (flags & O_PATH) {
		if ((nd->flags & LOOKUP_DIRECTORY) && !S_ISDIR(nd->path.dentry->inode->mode))
			return -ENOTDIR;
		return file_open_checked(&nd->path, flags, nd->t->cred, ret);
	}
	return do_open(nd, flags, created, dir_mode, dir_uid, ret);
}

static unsigned walk_flags(unsigned flags, unsigned lookup_flags)
{
	if (flags & O_DIRECTORY)
		lookup_flags |= LOOKUP_DIRECTORY;
	if (!(flags & O_NOFOLLOW) && !((flags & O_CREAT) && (flags & O_EXCL)))
		lookup_flags |= LOOKUP_FOLLOW;
	return lookup_flags;
}

int vfs_open(struct task *t, int dirfd, const char *name, unsigned flags, uint32_t mode,
	     unsigned lookup_flags, struct file **ret)
{
	struct nameidata nd;
	int err;

	lookup_flags = walk_flags(flags, lookup_flags);
	if ((lookup_flags & LOOKUP_CACHED) && (flags & (O_CREAT | O_TRUNC | TMPFILE_BIT)))
		return -EAGAIN;
	err = open_walk(&nd, nd_walk_parent(&nd, t, dirfd, name, lookup_flags), flags, mode, ret);
	nd_done(&nd);
	return err;
}

int open_path_checked(struct task *t, const struct path *p, unsigned flags, struct file **ret)
{
	struct nameidata nd = {.t = t, .path = *p, .root = t->fs->root};
	int err;

	if (flags & O_DIRECTORY)
		nd.flags |= LOOKUP_DIRECTORY;
	nd_pin(&nd);
	if (flags & O_PATH)
		err = file_open_checked(p, flags, t->cred, ret);
	else
		err = do_open(&nd, flags, false, 0, 0, ret);
	nd_done(&nd);
	return err;
}
