/* Inodes: life, ownership, times, counts. */
#include "services/sysd/vfs/inode.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <linux/capability.h>

#include "common/base/util.h"
#include "services/sysd/task/task.h"
#include "services/sysd/vfs/fsnotify.h"
#include "services/sysd/vfs/internal.h"
#include "services/sysd/vfs/lock.h"

struct timespec64 time_now(void)
{
	struct timespec ts;

	/* Not the time of the last tick: since Linux 6.13 the host stamps files that somebody looks at more
	 * finely than that, and times of one file must not go backwards. */
	clock_gettime(CLOCK_REALTIME, &ts);
	return (struct timespec64){ts.tv_sec, ts.tv_nsec};
}

struct inode *inode_new(struct super_block *sb, uint32_t mode)
{
	struct inode *inode = calloc(1, sizeof(*inode));

	if (!inode)
		return NULL;
	inode->refs = 1;
	inode->sb = sb;
	inode->mode = mode;
	inode->nlink = 1;
	inode->blksize = SBX_PAGE_SIZE;
	inode->ino = sb->next_ino++;
	inode->atime = inode->mtime = inode->ctime = inode->btime = time_now();
	inode->fop = special_fops(mode);
	kmutex_init(&inode->lock);
	list_init(&inode->dentries);
	list_init(&inode->watches);
	list_add_tail(&sb->inodes, &inode->sb_node);
	return inode;
}

struct inode *inode_ref(struct inode *inode)
{
	inode->refs++;
	return inode;
}

void inode_unref(struct inode *inode)
{
	if (!inode || --inode->refs)
		return;
	/* The file system may sleep in evict and find the inode again in its own tables: it takes the
	 * inode out of them first. */
	if (!list_empty(&inode->watches) && fsnotify_inode_gone)
		fsnotify_inode_gone(inode);
	if (inode->sb && inode->sb->op && inode->sb->op->evict)
		inode->sb->op->evict(inode);
	list_del(&inode->sb_node);
	locks_free_inode(inode);
	free(inode->link);
	free(inode);
}

void inode_init_owner(struct inode *inode, const struct inode *dir, uint32_t mode)
{
	const struct task *t = current_task();
	const struct cred *c = t ? t->cred : NULL;

	inode->uid = c ? c->fsuid : 0;
	inode->gid = c ? c->fsgid : 0;
	if (dir && (dir->mode & S_ISGID)) {
		inode->gid = dir->gid;
		if (S_ISDIR(mode))
			mode |= S_ISGID;
		else if ((mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) && t && !t_in_group(t, inode->gid) &&
			 !t_capable(t, CAP_FSETID))
			mode &= ~(uint32_t)S_ISGID;
	}
	inode->mode = mode;
}

void inode_touch(struct inode *inode, bool a, bool m, bool c)
{
	struct timespec64 now = time_now();

	if (a)
		inode->atime = now;
	if (m)
		inode->mtime = now;
	if (c)
		inode->ctime = now;
}

void inode_inc_nlink(struct inode *inode)
{
	inode->nlink++;
}

void inode_drop_nlink(struct inode *inode)
{
	if (inode->nlink)
		inode->nlink--;
}

void setattr_copy(struct inode *inode, const struct inode_attr *attr)
{
	if (attr->valid & ATTR_UID)
		inode->uid = attr->uid;
	if (attr->valid & ATTR_GID)
		inode->gid = attr->gid;
	if (attr->valid & ATTR_MODE)
		inode->mode = (inode->mode & S_IFMT) | (attr->mode & 07777);
	if (attr->valid & ATTR_ATIME)
		inode->atime = attr->atime;
	if (attr->valid & ATTR_MTIME)
		inode->mtime = attr->mtime;
	if (attr->valid & ATTR_CTIME)
		inode->ctime = attr->ctime;
}

int inode_get_write(struct inode *inode)
{
	if (inode->write_count < 0)
		return -ETXTBSY;
	inode->write_count++;
	return 0;
}

void inode_put_write(struct inode *inode)
{
	inode->write_count--;
}

int inode_deny_write(struct inode *inode)
{
	if (inode->write_count > 0)
		return -ETXTBSY;
	inode->write_count--;
	return 0;
}

void inode_allow_write(struct inode *inode)
{
	inode->write_count++;
}
