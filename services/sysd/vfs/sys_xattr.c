/* Extended attributes (xattr(7)): names, limits and permissions; values are the file system's. */
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/limits.h>
#include <sys/xattr.h>

#include "services/sysd/mm/usercopy.h"
#include "services/sysd/syscall/syscall.h"
#include "services/sysd/vfs/fdtable.h"
#include "services/sysd/vfs/fsnotify.h"
#include "services/sysd/vfs/internal.h"

static bool has_prefix(const char *s, const char *prefix)
{
	return !strncmp(s, prefix, strlen(prefix));
}

static int may_xattr(struct task *t, const struct path *p, const char *name, bool write)
{
	struct inode *inode = p->dentry->inode;
	int err;

	if (write) {
		err = mnt_want_write(p);
		if (err < 0)
			return err;
		if (inode->iflags & (FS_IMMUTABLE_FL | FS_APPEND_FL))
			return -EPERM;
	}
	if (has_prefix(name, "security.")) {
		if (!name[9])
			return -EINVAL;
		if (write && !t_capable(t, !strcmp(name, "security.capability") ? CAP_SETFCAP : CAP_SYS_ADMIN))
			return -EPERM;
		return 0;
	}
	if (has_prefix(name, "system."))
		return -EOPNOTSUPP; /* ACLs: modes are all there is */
	if (has_prefix(name, "trusted.")) {
		if (!name[8])
			return -EINVAL;
		if (!t_capable(t, CAP_SYS_ADMIN))
			return write ? -EPERM : -ENODATA;
		return 0;
	}
	if (!has_prefix(name, "user."))
		return -EOPNOTSUPP;
	if (!S_ISREG(inode->mode) && !S_ISDIR(inode->mode))
		return write ? -EPERM : -ENODATA;
	if (S_ISDIR(inode->mode) && (inode->mode & S_ISVTX) && write && !inode_owner_or_capable(inode, t))
		return -EPERM;
	err = inode_permission(inode, t, write ? MAY_WRITE : MAY_READ);
	return !err && !name[5] ? -EINVAL : err;
}

/* Opens the door of a path or descriptor. */
enum where { AT_PATH, AT_LINK, AT_FD };
static int place(struct task *t, enum where w, uint64_t arg, struct path *ret)
{
	struct file *f;

	if (w != AT_FD)
		return user_path_lookup(t, AT_FDCWD, arg, w == AT_PATH ? LOOKUP_FOLLOW : 0, ret);
	f = fd_get(t, (int)arg);
	if (!f)
		return -EBADF;
	*ret = f->path;
	path_get(ret);
	file_unref(f);
	return 0;
}

static int get_name(struct task *t, uint64_t uname, char *buf)
{
	ssize_t n = user_read_str(t, buf, uname, XATTR_NAME_MAX + 1);

	if (n == -ENAMETOOLONG || !n)
		return -ERANGE;
	return n < 0 ? (int)n : 0;
}

static long do_set(struct task *t, enum where w, const uint64_t a[6])
{
	CLEANUP_FREE uint8_t *value = NULL;
	CLEANUP_PATH struct path p = {0};
	char name[XATTR_NAME_MAX + 1];
	struct inode *inode;
	size_t size = a[3];
	int flags = (int)a[4], err;

	if (flags & ~(XATTR_CREATE | XATTR_REPLACE))
		return -EINVAL;
	err = get_name(t, a[1], name);
	if (err < 0)
		return err;
	if (size > XATTR_SIZE_MAX)
		return -E2BIG;
	if (size) {
		value = malloc(size);
		if (!value)
			return -ENOMEM;
		if (user_read(t, value, a[2], size) < 0)
			return -EFAULT;
	}
	err = place(t, w, a[0], &p);
	if (err < 0)
		return err;
	inode = p.dentry->inode;
	err = may_xattr(t, &p, name, true);
	if (err < 0)
		return err;
	if (!inode->op || !inode->op->setxattr)
		return -EOPNOTSUPP;
	kmutex_lock(&inode->lock);
	err = inode->op->setxattr(inode, name, value, size, flags);
	kmutex_unlock(&inode->lock);
	if (!err)
		fsnotify_dentry(p.dentry, IN_ATTRIB);
	return err;
}

/* What getxattr and removexattr begin with: the name (XATTR_NAME_MAX + 1 bytes), the place, and whether it is
 * allowed. */
static int named_place(struct task *t, enum where w, const uint64_t a[6], bool write, char *name, struct path *ret)
{
	int err = get_name(t, a[1], name);

	if (!err)
		err = place(t, w, a[0], ret);
	return err < 0 ? err : may_xattr(t, ret, name, write);
}

static long do_get(struct task *t, enum where w, const uint64_t a[6])
{
	CLEANUP_FREE uint8_t *value = NULL;
	CLEANUP_PATH struct path p = {0};
	char name[XATTR_NAME_MAX + 1];
	size_t size = MIN(a[3], (uint64_t)XATTR_SIZE_MAX);
	struct inode *inode;
	ssize_t n;
	int err = named_place(t, w, a, false, name, &p);

	if (err < 0)
		return err;
	inode = p.dentry->inode;
	if (!inode->op || !inode->op->getxattr)
		return -EOPNOTSUPP;
	if (size) {
		value = malloc(size);
		if (!value)
			return -ENOMEM;
	}
	n = inode->op->getxattr(inode, name, value, size);
	if (n > 0 && size && user_write(t, a[2], value, (size_t)n) < 0)
		return -EFAULT;
	return n;
}

/* trusted.* is there for those who may read it only. */
static ssize_t filter_list(const struct task *t, char *list, ssize_t n)
{
	ssize_t out = 0;

	if (t_capable(t, CAP_SYS_ADMIN))
		return n;
	for (ssize_t i = 0; i < n;) {
		ssize_t len = (ssize_t)strlen(list + i) + 1;

		if (!has_prefix(list + i, "trusted.")) {
			memmove(list + out, list + i, (size_t)len);
			out += len;
		}
		i += len;
	}
	return out;
}

static long do_list(struct task *t, enum where w, const uint64_t a[6])
{
	CLEANUP_FREE char *list = NULL;
	CLEANUP_PATH struct path p = {0};
	struct inode *inode;
	ssize_t n;
	int err = place(t, w, a[0], &p);

	if (err < 0)
		return err;
	inode = p.dentry->inode;
	if (!inode->op || !inode->op->listxattr)
		return 0;
	list = malloc(XATTR_LIST_MAX);
	if (!list)
		return -ENOMEM;
	n = inode->op->listxattr(inode, list, XATTR_LIST_MAX);
	if (n < 0)
		return n == -ERANGE ? -E2BIG : n;
	n = filter_list(t, list, n);
	if (!a[2])
		return n;
	if ((uint64_t)n > a[2])
		return -ERANGE;
	return user_write(t, a[1], list, (size_t)n) < 0 ? -EFAULT : n;
}

static long do_remove(struct task *t, enum where w, const uint64_t a[6])
{
	CLEANUP_PATH struct path p = {0};
	char name[XATTR_NAME_MAX + 1];
	struct inode *inode;
	int err = named_place(t, w, a, true, name, &p);

	if (err < 0)
		return err;
	inode = p.dentry->inode;
	if (!inode->op || !inode->op->removexattr)
		return -EOPNOTSUPP;
	kmutex_lock(&inode->lock);
	err = inode->op->removexattr(inode, name);
	kmutex_unlock(&inode->lock);
	if (!err)
		fsnotify_dentry(p.dentry, IN_ATTRIB);
	return err;
}

SYS_HANDLER(setxattr) { return do_set(t, AT_PATH, a); }
SYS_HANDLER(lsetxattr) { return do_set(t, AT_LINK, a); }
SYS_HANDLER(fsetxattr) { return do_set(t, AT_FD, a); }
SYS_HANDLER(getxattr) { return do_get(t, AT_PATH, a); }
SYS_HANDLER(lgetxattr) { return do_get(t, AT_LINK, a); }
SYS_HANDLER(fgetxattr) { return do_get(t, AT_FD, a); }
SYS_HANDLER(listxattr) { return do_list(t, AT_PATH, a); }
SYS_HANDLER(llistxattr) { return do_list(t, AT_LINK, a); }
SYS_HANDLER(flistxattr) { return do_list(t, AT_FD, a); }
SYS_HANDLER(removexattr) { return do_remove(t, AT_PATH, a); }
SYS_HANDLER(lremovexattr) { return do_remove(t, AT_LINK, a); }
SYS_HANDLER(fremovexattr) { return do_remove(t, AT_FD, a); }
