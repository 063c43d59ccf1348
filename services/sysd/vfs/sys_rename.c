/* rename(2). Directories are locked parents first, by address otherwise; a rename between directories
 * also takes one mutex of the whole VFS, so that no two of them can make a loop. */
#include <stdio.h>
#include <linux/fs.h>

#include "services/sysd/mm/usercopy.h"
#include "services/sysd/syscall/syscall.h"
#include "services/sysd/vfs/fsnotify.h"
#include "services/sysd/vfs/internal.h"

static struct kmutex rename_mutex;
static bool rename_mutex_ready;

/* Returns the child of a that b lies below, or the child of b that a lies below, or NULL. */
static struct dentry *lock_dirs(struct dentry *a, struct dentry *b)
{
	struct dentry *d;

	if (!rename_mutex_ready) {
		kmutex_init(&rename_mutex);
		rename_mutex_ready = true;
	}
	if (a == b) {
		kmutex_lock(&a->inode->lock);
		return NULL;
	}
	kmutex_lock(&rename_mutex);
	for (d = b; d->parent != d; d = d->parent) {
		if (d->parent == a) {
			kmutex_lock(&a->inode->lock);
			kmutex_lock(&b->inode->lock);
			return d;
		}
	}
	for (d = a; d->parent != d; d = d->parent) {
		if (d->parent == b) {
			kmutex_lock(&b->inode->lock);
			kmutex_lock(&a->inode->lock);
			return d;
		}
	}
	kmutex_lock(&(a < b ? a : b)->inode->lock);
	kmutex_lock(&(a < b ? b : a)->inode->lock);
	return NULL;
}

static void unlock_dirs(struct dentry *a, struct dentry *b)
{
	kmutex_unlock(&a->inode->lock);
	if (a != b) {
		kmutex_unlock(&b->inode->lock);
		kmutex_unlock(&rename_mutex);
	}
}

static void notify_rename(struct inode *old_dir, const char *old_name, struct inode *new_dir, const char *new_name,
			  struct inode *moved, struct inode *target)
{
	static uint32_t cookie;
	uint32_t isdir = fsnotify_isdir(moved);

	cookie++;
	fsnotify_inode(old_dir, old_name, IN_MOVED_FROM | isdir | (old_dir == new_dir ? DNOTIFY_RENAME : 0), cookie);
	fsnotify_inode(new_dir, new_name, IN_MOVED_TO | isdir, cookie);
	fsnotify_inode(moved, NULL, IN_MOVE_SELF, 0);
	if (target)
		fsnotify_inode(target, NULL, IN_ATTRIB, 0);
}

static int vfs_rename(struct task *t, struct inode *old_dir, struct dentry *old, struct inode *new_dir,
		      struct dentry *new_dentry, unsigned flags)
{
	struct inode *moved = old->inode, *target = new_dentry->inode;
	bool is_dir = S_ISDIR(moved->mode), new_is_dir = target && S_ISDIR(target->mode);
	CLEANUP_PATH_BUF char *old_name = NULL;
	int err;

	if (moved == target)
		return 0;
	err = may_delete(old_dir, old, t, is_dir);
	if (err < 0)
		return err;
	if (!target)
		err = may_create(new_dir, t);
	else
		err = may_delete(new_dir, new_dentry, t, flags & RENAME_EXCHANGE ? new_is_dir : is_dir);
	if (err < 0)
		return err;
	if (!old_dir->op->rename)
		return -EPERM;
	/* A directory's ".." changes. */
	if (old_dir != new_dir) {
		if (is_dir && (err = inode_permission(moved, t, MAY_WRITE)) < 0)
			return err;
		if ((flags & RENAME_EXCHANGE) && new_is_dir && (err = inode_permission(target, t, MAY_WRITE)) < 0)
			return err;
	}
	if (old->is_mountpoint || new_dentry->is_mountpoint)
		return -EBUSY;
	old_name = path_buf_new();
	if (!old_name)
		return -ENOMEM;
	memcpy(old_name, old->name, old->name_size + 1);
	err = old_dir->op->rename(old_dir, old, new_dir, new_dentry, flags);
	if (err < 0)
		return err;
	inode_ref(moved);
	if (target)
		inode_ref(target);
	if (flags & RENAME_EXCHANGE) {
		d_exchange(old, new_dentry);
		notify_rename(old_dir, old_name, new_dir, old->name, moved, NULL);
		notify_rename(new_dir, old->name, old_dir, old_name, target, NULL);
	} else {
		if (new_is_dir) {
			target->nlink = 0;
			d_prune_children(new_dentry);
		}
		d_move(old, new_dentry);
		notify_rename(old_dir, old_name, new_dir, old->name, moved, target);
	}
	inode_unref(target);
	inode_unref(moved);
	return 0;
}

static int rename_checked(struct task *t, struct nameidata *from, struct nameidata *to, struct dentry *old,
			  struct dentry *new_dentry, struct dentry *trap, unsigned flags)
{
	if (!old->inode)
		return -ENOENT;
	if ((flags & RENAME_NOREPLACE) && new_dentry->inode)
		return -EEXIST;
	if (flags & RENAME_EXCHANGE) {
		if (!new_dentry->inode)
			return -ENOENT;
		if (!S_ISDIR(new_dentry->inode->mode) && nd_trailing_slash(to))
			return -ENOTDIR;
	}
	if (!S_ISDIR(old->inode->mode)) {
		if (nd_trailing_slash(from))
			return -ENOTDIR;
		if (!(flags & RENAME_EXCHANGE) && nd_trailing_slash(to))
			return -ENOTDIR;
	}
	if (old == trap)
		return -EINVAL;
	if (new_dentry == trap)
		return flags & RENAME_EXCHANGE ? -EINVAL : -ENOTEMPTY;
	return vfs_rename(t, from->path.dentry->inode, old, to->path.dentry->inode, new_dentry, flags);
}

static int rename_locked(struct task *t, struct nameidata *from, struct nameidata *to, unsigned flags)
{
	struct dentry *trap = lock_dirs(from->path.dentry, to->path.dentry);
	struct dentry *old = NULL, *new_dentry = NULL;
	int err = nd_lookup_last(from, false, &old);

	if (!err && !old->inode)
		err = -ENOENT;
	if (!err)
		err = nd_lookup_last(to, false, &new_dentry);
	if (!err)
		err = rename_checked(t, from, to, old, new_dentry, trap, flags);
	unlock_dirs(from->path.dentry, to->path.dentry);
	dentry_unref(new_dentry);
	dentry_unref(old);
	return err;
}

static long do_rename(struct task *t, int olddir, uint64_t uold, int newdir, uint64_t unew, unsigned flags)
{
	CLEANUP_PATH_BUF char *old_name = NULL, *new_name = NULL;
	struct nameidata from, to;
	int err;

	if (flags & ~(unsigned)(RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT))
		return -EINVAL;
	if ((flags & (RENAME_NOREPLACE | RENAME_WHITEOUT)) && (flags & RENAME_EXCHANGE))
		return -EINVAL;
	err = path_buf_get(t, uold, false, &old_name);
	if (!err)
		err = path_buf_get(t, unew, false, &new_name);
	if (err < 0)
		return err;
	err = nd_walk_parent(&from, t, olddir, old_name, 0);
	if (err < 0) {
		nd_done(&from);
		return err;
	}
	nd_pin(&from);
	err = nd_walk_parent(&to, t, newdir, new_name, 0);
	if (!err) {
		nd_pin(&to);
		if (from.path.mnt != to.path.mnt)
			err = -EXDEV;
		else if (from.last_type != LAST_NORM)
			err = -EBUSY;
		else if (to.last_type != LAST_NORM)
			err = flags & RENAME_NOREPLACE ? -EEXIST : -EBUSY;
		else
			err = mnt_want_write(&from.path);
		if (!err)
			err = policy_check_path(t, &from.path, POLICY_DELETE);
		if (!err)
			err = policy_check_path(t, &to.path, POLICY_CREATE);
		if (!err)
			err = rename_locked(t, &from, &to, flags);
	}
	nd_done(&to);
	nd_done(&from);
	return err;
}

SYS_HANDLER(rename)
{
	return do_rename(t, AT_FDCWD, a[0], AT_FDCWD, a[1], 0);
}

SYS_HANDLER(renameat)
{
	return do_rename(t, (int)a[0], a[1], (int)a[2], a[3], 0);
}

SYS_HANDLER(renameat2)
{
	return do_rename(t, (int)a[0], a[1], (int)a[2], a[3], (unsigned)a[4]);
}
