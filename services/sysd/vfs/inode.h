/* Inodes and file system types: the interface between the VFS and a file system.
 *
 * Callbacks run on a task's strand and may sleep where noted. They return 0 or -errno; outputs are
 * untouched on failure. Permission checks (DAC, sticky, read-only mount) are done by the VFS before
 * a callback runs; a file system checks what only it knows. The VFS holds the directory's lock
 * (inode.lock) over operations that change the directory, in LOCKING.md's order. */
#ifndef SYSD_VFS_INODE_H
#define SYSD_VFS_INODE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "common/base/list.h"
#include "services/sysd/core/waitq.h"

struct dentry;
struct file;
struct inode;
struct super_block;
struct task;
struct file_ops;
struct file_lock_context;
struct pipe;
struct path;

struct timespec64 {
	int64_t sec;
	int64_t nsec;
};

struct inode_attr {       /* for setattr; `valid` says which */
	uint32_t valid;
#define ATTR_MODE 1u
#define ATTR_UID 2u
#define ATTR_GID 4u
#define ATTR_SIZE 8u
#define ATTR_ATIME 16u    /* set to .atime */
#define ATTR_MTIME 32u
#define ATTR_CTIME 64u
	uint32_t mode, uid, gid;
	uint64_t size;
	struct timespec64 atime, mtime, ctime;
	struct file *file; /* ftruncate: the open file, or NULL */
};

struct kstatfs {
	uint64_t type, bsize, blocks, bfree, bavail, files, ffree, fsid, namelen, frsize, flags;
};

/* What a callback that changes a directory does, and what it leaves to the VFS: create, link, symlink,
 * mkdir, mknod and tmpfile call d_instantiate on the dentry (negative and already hashed or to be
 * hashed by the VFS) and update the times and link counts of the directory and the inode. unlink and
 * rmdir update counts and times; the VFS then calls d_delete. rename updates counts and times; the VFS
 * then calls d_move or d_exchange. link raises the link count of old's inode. inode events are the VFS's.
 * setattr applies the valid fields (setattr_copy helps). */
struct inode_ops {
	/* Directory operations. lookup fills an allocated, negative dentry with d_instantiate (or leaves it
	 * negative) and returns 0; -errno for other failures. May sleep. */
	int (*lookup)(struct inode *dir, struct dentry *dentry);
	int (*create)(struct inode *dir, struct dentry *dentry, uint32_t mode, bool excl);
	int (*link)(struct dentry *old, struct inode *dir, struct dentry *dentry);
	int (*unlink)(struct inode *dir, struct dentry *dentry);
	int (*symlink)(struct inode *dir, struct dentry *dentry, const char *target);
	int (*mkdir)(struct inode *dir, struct dentry *dentry, uint32_t mode);
	int (*rmdir)(struct inode *dir, struct dentry *dentry);
	int (*mknod)(struct inode *dir, struct dentry *dentry, uint32_t mode, uint64_t rdev);
	int (*rename)(struct inode *old_dir, struct dentry *old, struct inode *new_dir,
		      struct dentry *new_dentry, unsigned flags); /* RENAME_NOREPLACE, EXCHANGE, WHITEOUT */
	int (*tmpfile)(struct inode *dir, struct dentry *dentry, uint32_t mode); /* O_TMPFILE */
	/* The target as a fresh allocation. */
	int (*readlink)(struct inode *inode, char **ret_target);
	/* Magic links (/proc/PID/fd/N, exe, cwd): a path to jump to instead of text; NULL: not magic.
	 * On success *ret holds references. */
	int (*get_link_path)(struct inode *inode, struct task *t, struct path *ret);
	/* Brings attributes up to date (a shared gofer mount, proc); NULL: they always are. */
	int (*getattr)(struct inode *inode);
	/* Applies what the VFS has already checked, and updates the inode. NULL: the VFS just updates
	 * the inode's fields. */
	int (*setattr)(struct dentry *dentry, const struct inode_attr *attr);
	/* A permission check in place of the generic one; NULL: mode bits and capabilities. */
	int (*permission)(struct inode *inode, struct task *t, int mask);
	ssize_t (*getxattr)(struct inode *inode, const char *name, void *buf, size_t size);
	int (*setxattr)(struct inode *inode, const char *name, const void *value, size_t size, int flags);
	ssize_t (*listxattr)(struct inode *inode, char *buf, size_t size);
	int (*removexattr)(struct inode *inode, const char *name);
};

struct inode {
	unsigned refs;
	struct super_block *sb;
	const struct inode_ops *op;
	const struct file_ops *fop; /* for open */
	uint64_t ino;
	uint32_t mode, uid, gid;    /* mode with S_IFMT */
	uint32_t nlink;
	uint64_t rdev;              /* as makedev */
	uint64_t size, blocks;      /* blocks of 512 */
	uint32_t blksize;
	struct timespec64 atime, mtime, ctime, btime;
	uint64_t version;           /* changes with the content; directory caches */
	struct kmutex lock;         /* the directory lock, or the lock of a file's size changes */
	struct list dentries;       /* struct dentry.alias */
	struct list watches;        /* inotify: event/inotify_private.h */
	struct dnotify_mark *dnotify; /* vfs/dnotify.h */
	struct file_lock_context *locks; /* vfs/lock.h, made on demand */
	struct pipe *pipe;          /* a FIFO's, while open */
	char *link;                 /* a symbolic link's target, when it is known; freed with the inode */
	bool keeps_link;            /* its target never changes: once read it stays in `link` */
	uint8_t rw_hint;            /* F_SET_RW_HINT */
	uint32_t iflags;            /* FS_IMMUTABLE_FL, FS_APPEND_FL...: FS_IOC_GETFLAGS */
	void *sock;                 /* a bound UNIX socket's: struct socket */
	int write_count;            /* >0 writers, <0 denied (ETXTBSY) */
	void *priv;                 /* the file system's */
	struct list sb_node;
};

struct super_ops {
	void (*evict)(struct inode *inode);   /* last reference: free priv; drop data when nlink == 0 */
	int (*statfs)(struct super_block *sb, struct kstatfs *ret);
	int (*sync)(struct super_block *sb);
	int (*remount)(struct super_block *sb, const char *data);
	void (*kill)(struct super_block *sb);
	int (*show_options)(struct super_block *sb, char *buf, size_t size); /* ",size=64k" */
	/* Is a cached (positive or negative) dentry still true? NULL: always. May sleep. */
	int (*revalidate)(struct dentry *dentry);
	/* A guest watches an inode (inotify), once more or once less: for file systems that somebody else changes too, who
	 * call fsnotify then. NULL: nobody does. watch may sleep and may fail (-ENOSPC, -ENOMEM); unwatch does neither. */
	int (*watch)(struct inode *inode);
	void (*unwatch)(struct inode *inode);
	/* A socket that nothing in the sandbox is bound to: connects a stream to who listens there outside; NULL: nobody. */
	int (*connect)(struct inode *inode, int *ret_fd);
};

struct fs_type {
	const char *name;           /* as in /proc/filesystems */
	bool nodev;
	/* Makes a file system; *ret_root is its root dentry (a reference). */
	int (*mount)(const struct fs_type *type, const char *source, const char *data, unsigned sb_flags,
		     struct super_block **ret_sb);
	struct list node;
};
void fs_type_register(struct fs_type *type);
struct fs_type *fs_type_find(const char *name);
struct list *fs_type_all(void);

struct super_block {
	unsigned refs;
	const struct fs_type *type;
	const struct super_ops *op;
	uint64_t dev;               /* st_dev */
	uint64_t magic;
	unsigned flags;             /* SB_RDONLY... as MS_* */
	struct dentry *root;
	char *source;
	uint64_t next_ino;
	struct list inodes;
	struct list unused;         /* dentries nobody holds, the oldest first */
	bool dying;
	unsigned id;
	bool cache_dentries;        /* keep unused dentries (lookups cost something) */
	void *priv;
};
struct super_block *super_ref(struct super_block *sb);
struct super_block *super_new(const struct fs_type *type, const struct super_ops *op, uint64_t magic);
void super_unref(struct super_block *sb);

/* A new inode with one reference, times set to now, nlink 1, owner 0:0. NULL: no memory. */
struct inode *inode_new(struct super_block *sb, uint32_t mode);
struct inode *inode_ref(struct inode *inode);
void inode_unref(struct inode *inode);
/* Owner, group and mode of a thing that t creates in dir (inode_init_owner of Linux: fsuid, fsgid,
 * setgid directories). */
void inode_init_owner(struct inode *inode, const struct inode *dir, uint32_t mode);
struct timespec64 time_now(void);
/* The fields that attr->valid names, without the size. */
void setattr_copy(struct inode *inode, const struct inode_attr *attr);
/* ETXTBSY: a running program's file may not be opened for writing, and the reverse. */
int inode_get_write(struct inode *inode);
void inode_put_write(struct inode *inode);
int inode_deny_write(struct inode *inode);
void inode_allow_write(struct inode *inode);
void inode_touch(struct inode *inode, bool a, bool m, bool c);
void inode_inc_nlink(struct inode *inode);
void inode_drop_nlink(struct inode *inode);

#endif
