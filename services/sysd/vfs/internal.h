/* What the parts of the VFS share. */
#ifndef SYSD_VFS_INTERNAL_H
#define SYSD_VFS_INTERNAL_H

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "common/base/util.h"
#include "services/sysd/core/errno.h"
#include "services/sysd/task/task.h"
#include "services/sysd/vfs/dentry.h"
#include "services/sysd/vfs/file.h"
#include "services/sysd/vfs/fs_struct.h"
#include "services/sysd/vfs/inode.h"
#include "services/sysd/vfs/mount.h"
#include "services/sysd/vfs/namei.h"

#define ABI_O_LARGEFILE 0100000u /* the kernel's number; open(2) sets it on 64-bit systems */
#define LOOKUP_PARENT_ONLY 1024u
#define LOOKUP_EXCL 2048u
#define SYMLINK_MAX_COUNT 40

/* ---- paths from guest memory (getname.c) ---- */

/* A copy of the path at uaddr in a PATH_MAX buffer from a small cache; -errno: EFAULT, ENAMETOOLONG,
 * ENOENT for "" unless `empty_ok`. */
int path_buf_get(struct task *t, uint64_t uaddr, bool empty_ok, char **ret);
void path_buf_put(char *buf);
char *path_buf_new(void);
static inline void cleanup_path_buf_(void *p)
{
	path_buf_put(*(char **)p);
}
#define CLEANUP_PATH_BUF __attribute__((cleanup(cleanup_path_buf_)))
static inline void cleanup_path_(struct path *p)
{
	path_put(p);
}
#define CLEANUP_PATH __attribute__((cleanup(cleanup_path_)))

/* ---- the walk (namei.c) ---- */

struct nameidata {
	struct task *t;
	struct path path;       /* where the walk is; references only when `pinned` */
	struct path root;
	unsigned flags;         /* LOOKUP_* */
	bool pinned;            /* the walk has slept or may sleep: path and root hold references */
	enum last_type last_type;
	const char *last;       /* the last component, in the caller's string or in a link's */
	uint32_t last_size, last_hash;
	unsigned links;         /* symbolic links followed */
	unsigned held;          /* entries of hold[] */
	struct {
		struct inode *inode; /* whose link text is being walked */
		char *text;          /* or a text of our own */
	} hold[SYMLINK_MAX_COUNT];
};
/* Walks to the parent of the last component. */
int nd_walk_parent(struct nameidata *nd, struct task *t, int dirfd, const char *name, unsigned flags);
int nd_walk_parent_at(struct nameidata *nd, struct task *t, const struct path *from, const char *name,
		      unsigned flags);
/* Steps on the last component: 0 and *ret_next NULL: nd->path is the result; *ret_next: the text of a
 * link to go on with (nd_walk). */
int nd_last(struct nameidata *nd, const char **ret_next);
int nd_walk(struct nameidata *nd, const char *name);
void nd_pin(struct nameidata *nd);
void nd_done(struct nameidata *nd);
static inline bool nd_trailing_slash(const struct nameidata *nd)
{
	return nd->last_type == LAST_NORM && nd->last[nd->last_size];
}
/* The last component in the parent, from cache or file system, positive or negative, with a reference.
 * The caller holds the parent's lock, or `lock` takes it for the slow way. nd gets pinned. */
int nd_lookup_last(struct nameidata *nd, bool lock, struct dentry **ret);
/* Enters `child` (a reference, consumed) as the last component: mounts, links; as nd_last. */
int nd_step_last(struct nameidata *nd, struct dentry *child, const char **ret_next);

/* ---- permission ---- */

static inline bool t_capable(const struct task *t, int cap)
{
	return t->cred->cap_effective >> cap & 1;
}
static inline bool t_in_group(const struct task *t, uint32_t gid)
{
	return t->cred->fsgid == gid || cred_in_group(t->cred, gid);
}
static inline bool inode_owner_or_capable(const struct inode *inode, const struct task *t)
{
	return t->cred->fsuid == inode->uid || t_capable(t, 3 /* CAP_FOWNER */);
}
int may_create(struct inode *dir, struct task *t);
/* Sticky directories and append-only: may t remove or rename victim (positive)? is_dir: rmdir. */
int may_delete(struct inode *dir, struct dentry *victim, struct task *t, bool is_dir);
static inline bool sb_readonly(const struct super_block *sb)
{
	return sb->flags & 1; /* MS_RDONLY */
}

/* ---- attributes (attr.c) ---- */

/* notify_change: applies attr (checked by the caller) through the file system. Takes inode->lock
 * unless `locked`. */
int vfs_setattr(struct dentry *d, struct inode_attr *attr, bool locked);
int vfs_truncate(struct task *t, struct dentry *d, uint64_t size, struct file *f);
/* Clears setuid, setgid and file capabilities as a write or truncate by t must. */
int file_remove_privs(struct task *t, struct dentry *d, bool locked);
int vfs_getattr(const struct path *p);
void touch_atime(const struct path *p);
static inline uint64_t t_rlimit(const struct task *t, int resource)
{
	return t->signal ? t->signal->rlim[resource].rlim_cur : RLIM_INFINITY;
}
#define MAX_FILE_SIZE ((uint64_t)INT64_MAX)

/* ---- files ---- */

extern const struct file_ops opath_fops;
extern const struct file_ops fifo_fops, nodev_fops;
const struct file_ops *special_fops(uint32_t mode);
/* open(2) after the path is known; mask of MAY_* already checked. */
int file_open_checked(const struct path *path, unsigned flags, struct cred *cred, struct file **ret);
/* open(2) of a place that is known, with every check. */
int open_path_checked(struct task *t, const struct path *p, unsigned flags, struct file **ret);
int build_open_flags(uint64_t flags, uint64_t mode, bool strict, unsigned *ret_flags, uint32_t *ret_mode);
struct fdtable;
void file_close_locks(struct file *f, struct fdtable *ft);

#endif
