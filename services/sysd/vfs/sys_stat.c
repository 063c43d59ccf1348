/* stat(2), statx(2), access(2), readlink(2). */
#include <linux/fs.h>
#include <linux/stat.h>
#include <linux/securebits.h>
#include <sys/sysmacros.h>

#include "services/sysd/abi/stat.h"
#include "services/sysd/mm/usercopy.h"
#include "services/sysd/syscall/syscall.h"
#include "services/sysd/vfs/fdtable.h"
#include "services/sysd/vfs/internal.h"

static long put_stat(struct task *t, struct inode *inode, uint64_t ubuf)
{
	struct abi_stat st = {
		.dev = inode->sb->dev,
		.ino = inode->ino,
		.nlink = inode->nlink,
		.mode = inode->mode,
		.uid = inode->uid,
		.gid = inode->gid,
		.rdev = inode->rdev,
		.size = (int64_t)inode->size,
		.blksize = inode->blksize,
		.blocks = (int64_t)inode->blocks,
		.atime = inode->atime.sec,
		.atime_ns = inode->atime.nsec,
		.mtime = inode->mtime.sec,
		.mtime_ns = inode->mtime.nsec,
		.ctime = inode->ctime.sec,
		.ctime_ns = inode->ctime.nsec,
	};

	return user_put(t, st, ubuf);
}

static long stat_path(struct task *t, int dirfd, uint64_t uname, unsigned lookup, uint64_t ubuf)
{
	struct path p;
	long ret = user_path_lookup(t, dirfd, uname, lookup, &p);

	if (ret < 0)
		return ret;
	ret = vfs_getattr(&p);
	if (!ret)
		ret = put_stat(t, p.dentry->inode, ubuf);
	path_put(&p);
	return ret;
}

SYS_HANDLER(stat)
{
	return stat_path(t, AT_FDCWD, a[0], LOOKUP_FOLLOW, a[1]);
}

SYS_HANDLER(lstat)
{
	return stat_path(t, AT_FDCWD, a[0], 0, a[1]);
}

static long stat_fd(struct task *t, int fd, uint64_t ubuf)
{
	struct file *f = fd_get_any(t, fd);
	long ret;

	if (!f)
		return -EBADF;
	ret = vfs_getattr(&f->path);
	if (!ret)
		ret = put_stat(t, f->inode, ubuf);
	file_unref(f);
	return ret;
}

SYS_HANDLER(fstat)
{
	return stat_fd(t, (int)a[0], a[1]);
}

static bool user_str_empty(struct task *t, uint64_t uname)
{
	char c;

	return !uname || (!user_get(t, c, uname) && !c);
}

SYS_HANDLER(newfstatat)
{
	unsigned flags = (unsigned)a[3];

	if (flags & ~(unsigned)(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH))
		return -EINVAL;
	if ((flags & AT_EMPTY_PATH) && (int)a[0] >= 0 && user_str_empty(t, a[1]))
		return stat_fd(t, (int)a[0], a[2]);
	return stat_path(t, (int)a[0], a[1],
			 (flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW) |
				 (flags & AT_EMPTY_PATH ? LOOKUP_EMPTY : 0),
			 a[2]);
}

static struct abi_statx_timestamp stamp(const struct timespec64 *ts)
{
	return (struct abi_statx_timestamp){.sec = ts->sec, .nsec = (uint32_t)ts->nsec};
}

static long put_statx(struct task *t, const struct path *p, unsigned mask, uint64_t ubuf)
{
	const struct inode *inode = p->dentry->inode;
	struct abi_statx sx = {
		.mask = STATX_BASIC_STATS | STATX_BTIME,
		.blksize = inode->blksize,
		.attributes_mask = STATX_ATTR_APPEND | STATX_ATTR_IMMUTABLE | STATX_ATTR_NODUMP |
				   ABI_STATX_ATTR_MOUNT_ROOT,
		.nlink = inode->nlink,
		.uid = inode->uid,
		.gid = inode->gid,
		.mode = (uint16_t)inode->mode,
		.ino = inode->ino,
		.size = inode->size,
		.blocks = inode->blocks,
		.atime = stamp(&inode->atime),
		.btime = stamp(&inode->btime),
		.ctime = stamp(&inode->ctime),
		.mtime = stamp(&inode->mtime),
		.rdev_major = major(inode->rdev),
		.rdev_minor = minor(inode->rdev),
		.dev_major = major(inode->sb->dev),
		.dev_minor = minor(inode->sb->dev),
	};

	if (inode->iflags & FS_APPEND_FL)
		sx.attributes |= STATX_ATTR_APPEND;
	if (inode->iflags & FS_IMMUTABLE_FL)
		sx.attributes |= STATX_ATTR_IMMUTABLE;
	if (inode->iflags & FS_NODUMP_FL)
		sx.attributes |= STATX_ATTR_NODUMP;
	if (p->mnt) {
		sx.mnt_id = (uint64_t)p->mnt->id;
		sx.mask |= mask & ABI_STATX_MNT_ID_UNIQUE ? ABI_STATX_MNT_ID_UNIQUE : ABI_STATX_MNT_ID;
		if (p->dentry == p->mnt->root)
			sx.attributes |= ABI_STATX_ATTR_MOUNT_ROOT;
	}
	if (!inode->btime.sec && !inode->btime.nsec)
		sx.mask &= ~STATX_BTIME;
	return user_put(t, sx, ubuf);
}

SYS_HANDLER(statx)
{
	unsigned flags = (unsigned)a[2], mask = (unsigned)a[3];
	struct path p;
	struct file *f;
	long ret;

	if (mask & STATX__RESERVED)
		return -EINVAL;
	if ((flags & AT_STATX_SYNC_TYPE) == AT_STATX_SYNC_TYPE)
		return -EINVAL;
	if (flags & ~(unsigned)(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_SYNC_TYPE))
		return -EINVAL;
	if ((flags & AT_EMPTY_PATH) && (int)a[0] >= 0 && user_str_empty(t, a[1])) {
		f = fd_get_any(t, (int)a[0]);
		if (!f)
			return -EBADF;
		p = f->path;
		path_get(&p);
		file_unref(f);
	} else {
		ret = user_path_lookup(t, (int)a[0], a[1],
				       (flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW) |
					       (flags & AT_EMPTY_PATH ? LOOKUP_EMPTY : 0),
				       &p);
		if (ret < 0)
			return ret;
	}
	ret = vfs_getattr(&p);
	if (!ret)
		ret = put_statx(t, &p, mask, a[4]);
	path_put(&p);
	return ret;
}

/* access(2) asks for the real ids: a task's credentials with these, or the same when nothing differs. */
static struct cred *access_cred(struct task *t)
{
	struct cred *c = t->cred, *n;
	uint64_t eff = c->cap_effective;

	if (!(c->securebits & (1u << SECURE_NO_SETUID_FIXUP)))
		eff = c->uid ? 0 : c->cap_permitted;
	if (c->fsuid == c->uid && c->fsgid == c->gid && eff == c->cap_effective)
		return cred_ref(c);
	n = cred_dup(c);
	if (n) {
		n->fsuid = n->uid;
		n->fsgid = n->gid;
		n->cap_effective = eff;
	}
	return n;
}

static long access_check(struct task *t, const struct path *p, int mode)
{
	struct inode *inode = p->dentry->inode;
	long ret;

	if ((mode & MAY_EXEC) && S_ISREG(inode->mode) && p->mnt && (p->mnt->flags & MNT_NOEXEC))
		return -EACCES;
	ret = inode_permission(inode, t, mode);
	if (!ret && (mode & MAY_WRITE) && (S_ISREG(inode->mode) || S_ISDIR(inode->mode) || S_ISLNK(inode->mode)))
		ret = mnt_want_write(p);
	return ret;
}

static long do_access(struct task *t, int dirfd, uint64_t uname, unsigned mode, unsigned flags)
{
	struct cred *saved = t->cred, *c;
	struct path p;
	long ret;

	if (mode & ~7u)
		return -EINVAL;
	if (flags & ~(unsigned)(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	c = flags & AT_EACCESS ? cred_ref(saved) : access_cred(t);
	if (!c)
		return -ENOMEM;
	t->cred = c;
	ret = user_path_lookup(t, dirfd, uname,
			       (flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW) |
				       (flags & AT_EMPTY_PATH ? LOOKUP_EMPTY : 0),
			       &p);
	if (!ret) {
		ret = vfs_getattr(&p);
		if (!ret)
			ret = access_check(t, &p, (int)mode);
		path_put(&p);
	}
	t->cred = saved;
	cred_unref(c);
	return ret;
}

SYS_HANDLER(access)
{
	return do_access(t, AT_FDCWD, a[0], (unsigned)a[1], 0);
}

SYS_HANDLER(faccessat)
{
	return do_access(t, (int)a[0], a[1], (unsigned)a[2], 0);
}

SYS_HANDLER(faccessat2)
{
	return do_access(t, (int)a[0], a[1], (unsigned)a[2], (unsigned)a[3]);
}

/* The text of a magic link is the path it leads to. */
static long magic_text(struct task *t, struct inode *inode, char *buf, size_t size, const char **ret)
{
	struct path to;
	long err = inode->op->get_link_path(inode, t, &to);
	char *s;

	if (err < 0)
		return err;
	s = d_path(&to, &t->fs->root, buf, size);
	path_put(&to);
	*ret = s;
	return s ? 0 : -ENAMETOOLONG;
}

static long do_readlink(struct task *t, int dirfd, uint64_t uname, uint64_t ubuf, int size)
{
	CLEANUP_PATH_BUF char *buf = NULL;
	CLEANUP_FREE char *own = NULL;
	const char *text;
	struct inode *inode;
	struct path p;
	char first = 0;
	long ret;

	if (size <= 0)
		return -EINVAL;
	ret = user_path_lookup(t, dirfd, uname, LOOKUP_EMPTY, &p);
	if (ret < 0)
		return ret;
	inode = p.dentry->inode;
	if (!S_ISLNK(inode->mode)) {
		/* An empty name means the descriptor, which must be a link's then. */
		ret = !user_get(t, first, uname) && !first ? -ENOENT : -EINVAL;
		path_put(&p);
		return ret;
	}
	touch_atime(&p);
	text = inode->link;
	if (!text && inode->op->get_link_path) {
		buf = path_buf_new();
		ret = buf ? magic_text(t, inode, buf, PATH_MAX, &text) : -ENOMEM;
	} else if (!text) {
		ret = inode->op->readlink ? inode->op->readlink(inode, &own) : -EINVAL;
		text = own;
	}
	if (!ret) {
		size_t n = MIN(strlen(text), (size_t)size);

		ret = user_write(t, ubuf, text, n) < 0 ? -EFAULT : (long)n;
	}
	path_put(&p);
	return ret;
}

SYS_HANDLER(readlink)
{
	return do_readlink(t, AT_FDCWD, a[0], a[1], (int)a[2]);
}

SYS_HANDLER(readlinkat)
{
	return do_readlink(t, (int)a[0], a[1], a[2], (int)a[3]);
}
