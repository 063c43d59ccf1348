/* Where the VFS tells inotify (and whatever else watches) of what happens to files. `fsnotify` is
 * event/inotify.c's; without it nothing is watched. Events are IN_* of inotify(7). Never sleeps. */
#ifndef SYSD_VFS_FSNOTIFY_H
#define SYSD_VFS_FSNOTIFY_H

#include <stdint.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include "services/sysd/vfs/dentry.h"
#include "services/sysd/vfs/dnotify.h"
#include "services/sysd/vfs/file.h"
#include "services/sysd/vfs/inode.h"

/* Something happened to `inode`, which has watches; name: the entry of a directory it happened to,
 * NULL: the inode itself. `mask` has IN_ISDIR set where it belongs. cookie: of a rename's two events. */
void fsnotify(struct inode *inode, const char *name, uint32_t mask, uint32_t cookie) __attribute__((weak));
/* The inode is going away, or its file system is unmounted: watches end (IN_IGNORED). */
void fsnotify_inode_gone(struct inode *inode) __attribute__((weak));
/* Events of file systems with super_ops.watch were lost: who watches there learns it (IN_Q_OVERFLOW). */
void fsnotify_overflow(void) __attribute__((weak));

static inline void fsnotify_inode(struct inode *inode, const char *name, uint32_t mask, uint32_t cookie)
{
	if (inode && inode->dnotify)
		dnotify_event(inode, mask);
	mask &= ~DNOTIFY_RENAME;
	if (inode && !list_empty(&inode->watches) && fsnotify)
		fsnotify(inode, name, mask, cookie);
}
static inline uint32_t fsnotify_isdir(const struct inode *inode)
{
	return inode && S_ISDIR(inode->mode) ? IN_ISDIR : 0;
}
/* To the watchers of an inode and to those of its directory. */
static inline void fsnotify_dentry(struct dentry *d, uint32_t mask)
{
	mask |= fsnotify_isdir(d->inode);
	if (d->parent != d) /* IN_EXCL_UNLINK here: the entry is unlinked already */
		fsnotify_inode(d->parent->inode, d->name, mask | (d->unhashed ? IN_EXCL_UNLINK : 0), 0);
	fsnotify_inode(d->inode, NULL, mask, 0);
}
/* IN_ACCESS, IN_MODIFY, IN_OPEN, IN_CLOSE_*: not for O_PATH. */
static inline void fsnotify_file(struct file *f, uint32_t mask)
{
	if (f->path.mnt)
		fsnotify_dentry(f->path.dentry, mask);
}
#endif
