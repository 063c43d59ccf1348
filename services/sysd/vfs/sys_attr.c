/* chmod(2), chown(2), utimensat(2), truncate(2), fallocate(2). */
#include <linux/capability.h>
#include <linux/falloc.h>
#include <linux/fs.h>

#include "services/sysd/mm/usercopy.h"
#include "services/sysd/signal/signal.h"
#include "services/sysd/syscall/syscall.h"
#include "services/sysd/vfs/fdtable.h"
#include "services/sysd/vfs/internal.h"
#include "services/sysd/vfs/lock.h"

static int may_setattr(const struct path *p)
{
	int err = mnt_want_write(p);

	if (err < 0)
		return err;
	return p->dentry->inode->iflags & (FS_IMMUTABLE_FL | FS_APPEND_FL) ? -EPERM : 0;
}

/* The path of a descriptor (any: O_PATH too), with references. */
static int fd_path(struct task *t, int fd, bool any, struct path *ret)
{
	struct file *f = any ? fd_get_any(t, fd) : fd_get(t, fd);

	if (!f)
		return -EBADF;
	*ret = f->path;
	path_get(ret);
	file_unref(f);
	return 0;
}

static int at_lookup(struct task *t, int dirfd, uint64_t uname, unsigned at_flags, struct path *ret)
{
	return user_path_lookup(t, dirfd, uname,
				(at_flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW) |
					(at_flags & AT_EMPTY_PATH ? LOOKUP_EMPTY : 0),
				ret);
}

/* ---- chmod ---- */

static long chmod_path(struct task *t, struct path *p, uint32_t mode)
{
	struct inode *inode = p->dentry->inode;
	struct inode_attr attr = {.valid = ATTR_MODE, .mode = mode & 07777};
	long ret = may_setattr(p);

	if (!ret && S_ISLNK(inode->mode))
		ret = -EOPNOTSUPP;
	if (!ret && !inode_owner_or_capable(inode, t))
		ret = -EPERM;
	if (!ret) {
		if (!t_in_group(t, inode->gid) && !t_capable(t, CAP_FSETID))
			attr.mode &= ~(uint32_t)S_ISGID;
		ret = vfs_setattr(p->dentry, &attr, false);
	}
	path_put(p);
	return ret;
}

static long do_chmod(struct task *t, int dirfd, uint64_t uname, uint32_t mode, unsigned flags)
{
	struct path p;
	long ret;

	if (flags & ~(unsigned)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	ret = at_lookup(t, dirfd, uname, flags, &p);
	return ret < 0 ? ret : chmod_path(t, &p, mode);
}

SYS_HANDLER(chmod)
{
	return do_chmod(t, AT_FDCWD, a[0], (uint32_t)a[1], 0);
}

SYS_HANDLER(fchmodat)
{
	return do_chmod(t, (int)a[0], a[1], (uint32_t)a[2], 0);
}

SYS_HANDLER(fchmodat2)
{
	return do_chmod(t, (int)a[0], a[1], (uint32_t)a[2], (unsigned)a[3]);
}

SYS_HANDLER(fchmod)
{
	struct path p;
	long ret = fd_path(t, (int)a[0], false, &p);

	return ret < 0 ? ret : chmod_path(t, &p, (uint32_t)a[1]);
}

/* ---- chown ---- */

static bool may_chown(const struct task *t, const struct inode *inode, uint32_t uid, uint32_t gid)
{
	bool owner = t->cred->fsuid == inode->uid;

	if (t_capable(t, CAP_CHOWN))
		return true;
	if (uid != UINT32_MAX && !(owner && uid == inode->uid))
		return false;
	if (gid != UINT32_MAX && !(owner && (gid == inode->gid || t_in_group(t, gid))))
		return false;
	return true;
}

static long chown_path(struct task *t, struct path *p, uint32_t uid, uint32_t gid)
{
	struct inode *inode = p->dentry->inode;
	struct inode_attr attr = {.valid = 0, .uid = uid, .gid = gid, .mode = inode->mode & 07777};
	long ret = may_setattr(p);

	if (!ret && !may_chown(t, inode, uid, gid))
		ret = -EPERM;
	if (!ret) {
		if (uid != UINT32_MAX)
			attr.valid |= ATTR_UID;
		if (gid != UINT32_MAX)
			attr.valid |= ATTR_GID;
		/* A new owner does not get the old one's rights. */
		if (!S_ISDIR(inode->mode)) {
			attr.mode &= ~(uint32_t)S_ISUID;
			if ((attr.mode & S_IXGRP) ||
			    (!t_in_group(t, inode->gid) && !t_capable(t, CAP_FSETID)))
				attr.mode &= ~(uint32_t)S_ISGID;
			if (attr.mode != (inode->mode & 07777))
				attr.valid |= ATTR_MODE;
		}
		ret = vfs_setattr(p->dentry, &attr, false);
	}
	path_put(p);
	return ret;
}

static long do_chown(struct task *t, int dirfd, uint64_t uname, uint32_t uid, uint32_t gid, unsigned flags)
{
	struct path p;
	long ret;

	if (flags & ~(unsigned)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	ret = at_lookup(t, dirfd, uname, flags, &p);
	return ret < 0 ? ret : chown_path(t, &p, uid, gid);
}

SYS_HANDLER(chown)
{
	return do_chown(t, AT_FDCWD, a[0], (uint32_t)a[1], (uint32_t)a[2], 0);
}

SYS_HANDLER(lchown)
{
	return do_chown(t, AT_FDCWD, a[0], (uint32_t)a[1], (uint32_t)a[2], AT_SYMLINK_NOFOLLOW);
}

SYS_HANDLER(fchownat)
{
	return do_chown(t, (int)a[0], a[1], (uint32_t)a[2], (uint32_t)a[3], (unsigned)a[4]);
}

SYS_HANDLER(fchown)
{
	struct path p;
	long ret = fd_path(t, (int)a[0], false, &p);

	return ret < 0 ? ret : chown_path(t, &p, (uint32_t)a[1], (uint32_t)a[2]);
}

/* ---- times ---- */

/* times NULL: now. An owner may set any time; whoever may write, the present. */
static long utimes_path(struct task *t, struct path *p, const struct timespec64 *times)
{
	struct inode *inode = p->dentry->inode;
	struct inode_attr attr = {.valid = ATTR_ATIME | ATTR_MTIME | ATTR_CTIME};
	bool touch = !times || (times[0].nsec == UTIME_NOW && times[1].nsec == UTIME_NOW);
	long ret = mnt_want_write(p);

	attr.atime = attr.mtime = attr.ctime = time_now();
	if (!ret && (inode->iflags & FS_IMMUTABLE_FL))
		ret = touch ? -EACCES : -EPERM;
	if (!ret && (inode->iflags & FS_APPEND_FL) && !touch)
		ret = -EPERM;
	if (!ret && touch && !inode_owner_or_capable(inode, t))
		ret = inode_permission(inode, t, MAY_WRITE);
	if (!ret && !touch && !inode_owner_or_capable(inode, t))
		ret = -EPERM;
	if (!touch) {
		if (times[0].nsec == UTIME_OMIT)
			attr.valid &= ~ATTR_ATIME;
		else if (times[0].nsec != UTIME_NOW)
			attr.atime = times[0];
		if (times[1].nsec == UTIME_OMIT)
			attr.valid &= ~ATTR_MTIME;
		else if (times[1].nsec != UTIME_NOW)
			attr.mtime = times[1];
	}
	if (!ret)
		ret = vfs_setattr(p->dentry, &attr, false);
	path_put(p);
	return ret;
}

static long do_utimes(struct task *t, int dirfd, uint64_t uname, const struct timespec64 *times, unsigned flags)
{
	struct path p;
	long ret;

	if (flags & ~(unsigned)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	if (!uname && dirfd != AT_FDCWD) {
		if (flags)
			return -EINVAL;
		ret = fd_path(t, dirfd, false, &p);
	} else {
		ret = at_lookup(t, dirfd, uname, flags, &p);
	}
	return ret < 0 ? ret : utimes_path(t, &p, times);
}

static bool nsec_ok(int64_t nsec)
{
	return nsec == UTIME_NOW || nsec == UTIME_OMIT || (nsec >= 0 && nsec < 1000000000);
}

SYS_HANDLER(utimensat)
{
	struct timespec64 ts[2];

	if (a[2]) {
		if (user_get(t, ts, a[2]) < 0)
			return -EFAULT;
		if (ts[0].nsec == UTIME_OMIT && ts[1].nsec == UTIME_OMIT)
			return 0;
		if (!nsec_ok(ts[0].nsec) || !nsec_ok(ts[1].nsec))
			return -EINVAL;
	}
	return do_utimes(t, (int)a[0], a[1], a[2] ? ts : NULL, (unsigned)a[3]);
}

static long utimes_usec(struct task *t, int dirfd, uint64_t uname, uint64_t utimes)
{
	struct timespec64 ts[2]; /* microseconds in nsec at first */

	if (utimes) {
		if (user_get(t, ts, utimes) < 0)
			return -EFAULT;
		for (int i = 0; i < 2; i++) {
			if (ts[i].nsec < 0 || ts[i].nsec >= 1000000)
				return -EINVAL;
			ts[i].nsec *= 1000;
		}
	}
	return do_utimes(t, dirfd, uname, utimes ? ts : NULL, 0);
}

SYS_HANDLER(utimes)
{
	return utimes_usec(t, AT_FDCWD, a[0], a[1]);
}

SYS_HANDLER(futimesat)
{
	return utimes_usec(t, (int)a[0], a[1], a[2]);
}

SYS_HANDLER(utime)
{
	int64_t sec[2];
	struct timespec64 ts[2] = {{0}};

	if (a[1]) {
		if (user_get(t, sec, a[1]) < 0)
			return -EFAULT;
		ts[0].sec = sec[0];
		ts[1].sec = sec[1];
	}
	return do_utimes(t, AT_FDCWD, a[0], a[1] ? ts : NULL, 0);
}

/* ---- size ---- */

static long truncate_path(struct task *t, struct path *p, uint64_t size)
{
	struct inode *inode = p->dentry->inode;
	long ret;

	if (S_ISDIR(inode->mode))
		return -EISDIR;
	if (!S_ISREG(inode->mode))
		return -EINVAL;
	ret = mnt_want_write(p);
	if (!ret)
		ret = inode_permission(inode, t, MAY_WRITE);
	if (!ret && (inode->iflags & FS_APPEND_FL))
		ret = -EPERM;
	if (!ret)
		ret = policy_check_path(t, p, POLICY_OPEN_WRITE);
	if (ret < 0)
		return ret;
	ret = inode_get_write(inode);
	if (ret < 0)
		return ret;
	ret = inode->locks ? locks_break_lease(inode, true, false) : 0;
	if (!ret)
		ret = vfs_truncate(t, p->dentry, size, NULL);
	inode_put_write(inode);
	return ret;
}

SYS_HANDLER(truncate)
{
	struct path p;
	long ret;

	if ((int64_t)a[1] < 0)
		return -EINVAL;
	ret = user_path_lookup(t, AT_FDCWD, a[0], LOOKUP_FOLLOW, &p);
	if (ret < 0)
		return ret;
	ret = truncate_path(t, &p, a[1]);
	path_put(&p);
	return ret;
}

SYS_HANDLER(ftruncate)
{
	struct file *f;
	long ret;

	if ((int64_t)a[1] < 0)
		return -EINVAL;
	f = fd_get(t, (int)a[0]);
	if (!f)
		return -EBADF;
	if (!S_ISREG(f->inode->mode) || !f->writable)
		ret = -EINVAL;
	else if (f->inode->iflags & FS_APPEND_FL)
		ret = -EPERM;
	else
		ret = vfs_truncate(t, f->path.dentry, a[1], f);
	file_unref(f);
	return ret;
}

static long do_fallocate(struct task *t, struct file *f, int mode, int64_t off, int64_t size)
{
	struct inode *inode = f->inode;
	long ret;

	if (off < 0 || size <= 0)
		return -EINVAL;
	if (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE | FALLOC_FL_COLLAPSE_RANGE |
		     FALLOC_FL_INSERT_RANGE | FALLOC_FL_UNSHARE_RANGE))
		return -EOPNOTSUPP;
	if ((mode & FALLOC_FL_PUNCH_HOLE) && mode != (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE))
		return -EOPNOTSUPP;
	if (!f->writable)
		return -EBADF;
	if ((mode & ~FALLOC_FL_KEEP_SIZE) && (inode->iflags & FS_APPEND_FL))
		return -EPERM;
	if (inode->iflags & FS_IMMUTABLE_FL)
		return -EPERM;
	if (S_ISFIFO(inode->mode))
		return -ESPIPE;
	if (S_ISDIR(inode->mode))
		return -EISDIR;
	if (!S_ISREG(inode->mode) && !S_ISBLK(inode->mode))
		return -ENODEV;
	if ((uint64_t)off + (uint64_t)size > MAX_FILE_SIZE)
		return -EFBIG;
	if (!f->op->fallocate)
		return -EOPNOTSUPP;
	kmutex_lock(&inode->lock);
	if (!(mode & FALLOC_FL_KEEP_SIZE) && (uint64_t)(off + size) > inode->size &&
	    (uint64_t)(off + size) > t_rlimit(t, RLIMIT_FSIZE)) {
		signal_send_task(t, SIGXFSZ, NULL);
		ret = -EFBIG;
	} else {
		ret = file_remove_privs(t, f->path.dentry, true);
		if (!ret)
			ret = f->op->fallocate(f, mode, off, size);
	}
	kmutex_unlock(&inode->lock);
	return ret;
}

SYS_HANDLER(fallocate)
{
	struct file *f = fd_get(t, (int)a[0]);
	long ret;

	if (!f)
		return -EBADF;
	ret = do_fallocate(t, f, (int)a[1], (int64_t)a[2], (int64_t)a[3]);
	file_unref(f);
	return ret;
}
