/* Changing attributes: what every change goes through on its way to the file system. */
#include "services/sysd/vfs/internal.h"

#include <linux/capability.h>
#include <linux/fs.h>
#include <sys/mount.h>

#include "services/sysd/signal/signal.h"
#include "services/sysd/vfs/fsnotify.h"
#include "services/sysd/vfs/lock.h"

static uint32_t notify_mask(unsigned valid)
{
	uint32_t mask = 0;

	if (valid & (ATTR_MODE | ATTR_UID | ATTR_GID))
		mask |= IN_ATTRIB;
	if (valid & ATTR_SIZE)
		mask |= IN_MODIFY;
	else if ((valid & (ATTR_ATIME | ATTR_MTIME)) == (ATTR_ATIME | ATTR_MTIME))
		mask |= IN_ATTRIB;
	else if (valid & ATTR_ATIME)
		mask |= IN_ACCESS;
	else if (valid & ATTR_MTIME)
		mask |= IN_MODIFY;
	return mask;
}

int vfs_setattr(struct dentry *d, struct inode_attr *attr, bool locked)
{
	struct inode *inode = d->inode;
	int err = 0;

	if (!(attr->valid & ATTR_CTIME)) {
		attr->valid |= ATTR_CTIME;
		attr->ctime = time_now();
	}
	if (!locked)
		kmutex_lock(&inode->lock);
	if (inode->op && inode->op->setattr) {
		err = inode->op->setattr(d, attr);
	} else if (attr->valid & ATTR_SIZE) {
		/* Devices, pipes: O_TRUNC is without effect, and truncate(2) is refused before. */
		attr->valid &= ~ATTR_SIZE;
		setattr_copy(inode, attr);
	} else {
		setattr_copy(inode, attr);
	}
	if (!locked)
		kmutex_unlock(&inode->lock);
	if (!err && notify_mask(attr->valid))
		fsnotify_dentry(d, notify_mask(attr->valid));
	return err;
}

int file_remove_privs(struct task *t, struct dentry *d, bool locked)
{
	struct inode *inode = d->inode;
	struct inode_attr attr = {.valid = ATTR_MODE};
	uint32_t kill = 0;

	if (likely(!(inode->mode & (S_ISUID | S_ISGID))) || !S_ISREG(inode->mode))
		return 0;
	if (inode->mode & S_ISUID)
		kill |= S_ISUID;
	if ((inode->mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP))
		kill |= S_ISGID;
	else if ((inode->mode & S_ISGID) && !t_in_group(t, inode->gid) && !t_capable(t, CAP_FSETID))
		kill |= S_ISGID;
	if (!kill || t_capable(t, CAP_FSETID))
		return 0;
	attr.mode = inode->mode & ~kill;
	return vfs_setattr(d, &attr, locked);
}

int vfs_truncate(struct task *t, struct dentry *d, uint64_t size, struct file *f)
{
	struct inode *inode = d->inode;
	struct inode_attr attr = {.valid = ATTR_SIZE | ATTR_MTIME | ATTR_CTIME, .size = size, .file = f};
	int err;

	if (size > inode->size && size > t_rlimit(t, RLIMIT_FSIZE)) {
		signal_send_task(t, SIGXFSZ, NULL);
		return -EFBIG;
	}
	attr.mtime = attr.ctime = time_now();
	kmutex_lock(&inode->lock);
	err = file_remove_privs(t, d, true);
	if (!err)
		err = vfs_setattr(d, &attr, true);
	kmutex_unlock(&inode->lock);
	return err;
}

int vfs_getattr(const struct path *p)
{
	struct inode *inode = p->dentry->inode;

	return inode->op && inode->op->getattr ? inode->op->getattr(inode) : 0;
}

#define DAY 86400

static bool before_or_same(const struct timespec64 *a, const struct timespec64 *b)
{
	return a->sec < b->sec || (a->sec == b->sec && a->nsec <= b->nsec);
}

/* relatime (mount(8)) unless the mount says otherwise. */
void touch_atime(const struct path *p)
{
	struct inode *inode = p->dentry->inode;
	struct timespec64 now;

	if (!p->mnt || (p->mnt->flags & (MNT_NOATIME | MNT_READONLY)) || sb_readonly(inode->sb))
		return;
	if ((p->mnt->flags & MNT_NODIRATIME) && S_ISDIR(inode->mode))
		return;
	if (inode->iflags & FS_NOATIME_FL)
		return;
	now = time_now();
	if (before_or_same(&inode->atime, &inode->mtime) || before_or_same(&inode->atime, &inode->ctime) ||
	    now.sec - inode->atime.sec >= DAY)
		inode->atime = now;
}
