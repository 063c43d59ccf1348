/* Open file descriptions and what a kind of file implements. */
#ifndef SYSD_VFS_FILE_H
#define SYSD_VFS_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "services/sysd/core/waitq.h"
#include "services/sysd/mm/uio.h"
#include "services/sysd/vfs/dentry.h"

struct file;
struct inode;
struct task;
struct cred;
struct poll_table;
struct mmap_req;

/* Called for each directory entry; false: the buffer is full, stop (the entry was not taken). */
struct dir_context {
	bool (*emit)(struct dir_context *ctx, const char *name, size_t name_size, int64_t next_pos,
		     uint64_t ino, unsigned d_type);
};

struct file_ops {
	/* After the VFS made the file; may put state into file->priv. May sleep. */
	int (*open)(struct inode *inode, struct file *file);
	/* Last reference. */
	void (*release)(struct file *file);
	/* Every close(2) of a descriptor. */
	int (*flush)(struct file *file, struct task *t);
	/* `pos` is the offset to use and to advance; NULL: a stream. They sleep unless O_NONBLOCK. Return
	 * bytes or -errno (-ERESTARTSYS when interrupted before the first byte). */
	ssize_t (*read)(struct file *file, struct uio *u, int64_t *pos);
	ssize_t (*write)(struct file *file, struct uio *u, int64_t *pos);
	int64_t (*llseek)(struct file *file, int64_t off, int whence); /* NULL: -ESPIPE */
	/* From file->pos on; "." and ".." included. */
	int (*iterate)(struct file *file, struct dir_context *ctx);
	/* Ready events (EPOLL*); registers with poll_wait when pt is not NULL. Never sleeps. */
	uint32_t (*poll)(struct file *file, struct poll_table *pt);
	/* -ENOTTY (or NULL) for a command it does not know. */
	long (*ioctl)(struct file *file, struct task *t, unsigned cmd, uint64_t arg);
	/* Fills in what is mapped: see mm/mmap_req.h. NULL: -ENODEV. */
	int (*mmap)(struct file *file, struct mmap_req *req);
	int (*fsync)(struct file *file, bool datasync);
	int (*fallocate)(struct file *file, int mode, int64_t off, int64_t size);
	/* fcntl(F_SETFL) changed flags; NULL ok. */
	int (*setfl)(struct file *file, unsigned flags);
	/* A host descriptor with the content at the same offsets, for zero-copy (sendfile, exec, mmap of
	 * images); it stays the file system's. -errno: none. May sleep. */
	int (*host_fd)(struct file *file, bool write);
	/* /proc/PID/fdinfo/N lines beyond the common ones. */
	int (*show_fdinfo)(struct file *file, char *buf, size_t size);
};

struct file {
	unsigned refs;
	const struct file_ops *op;
	struct path path;          /* references; anonymous files have mnt NULL */
	struct inode *inode;       /* = path.dentry->inode at open; a reference */
	unsigned flags;            /* O_* status flags and access mode, guest numbering */
	bool readable, writable;   /* from the access mode */
	int64_t pos;
	struct kmutex pos_lock;    /* f_pos_lock: read, write, lseek of shared descriptions */
	struct vfsmount *detached_mount; /* of open_tree, fsmount: goes with the file; a reference */
	bool created;              /* its open made the file: F_CREATED_QUERY */
	bool write_counted;        /* counts in inode->write_count */
	struct cred *cred;         /* of the opener */
	uint64_t version;
	/* F_SETOWN, F_SETSIG: SIGIO */
	int32_t owner_pid;
	int owner_type, owner_sig, owner_fd; /* ABI_F_OWNER_*; the descriptor that F_SETOWN was called on */
	uint32_t owner_uid, owner_euid; /* of who set it: it may signal whom he may */
	bool async;
	struct list epoll_items;   /* event/epoll.h: items that watch this file */
	void *priv;                /* the kind's */
};

/* How many there are (/proc/sys/fs/file-nr); at most sysctl_file_max. */
uint64_t file_count(void);
struct file *file_ref(struct file *f);
void file_unref(struct file *f); /* last: release; may sleep */
/* A file on an inode, through its fop->open. flags: O_*. */
int file_open_path(const struct path *path, unsigned flags, struct cred *cred, struct file **ret);
/* A file without a place in the tree ("pipe:[7]", "anon_inode:[eventfd]"): an inode of the internal
 * file system with this mode and name; a name that ends in ':' gets "[inode number]" behind it. `priv` is put into file->priv before. */
int file_new_anon(const char *name, uint32_t mode, const struct file_ops *op, unsigned flags, void *priv,
		  struct file **ret);
/* A further file on the inode of `like`, which file_new_anon made (the other end of a pipe). */
int file_new_anon_peer(struct file *like, const struct file_ops *op, unsigned flags, void *priv,
		       struct file **ret);
/* Signals of f go there from now on (ABI_F_OWNER_*), as if t sent them. */
void file_set_owner(struct file *f, const struct task *t, int type, int32_t pid);
/* SIGIO to the owner, if O_ASYNC asks for it. */
void file_sigio(struct file *f, int code, uint32_t band);
/* Urgent data came: SIGURG to the owner, if there is one. */
void file_sigurg(struct file *f);
/* The same without O_ASYNC: a lease that is broken. */
void file_sigio_force(struct file *f);

/* Reading and writing as read(2) and pwrite(2) do it: access mode, O_APPEND, RLIMIT_FSIZE (SIGXFSZ),
 * setuid clearing, times, inotify. *pos is read and advanced; NULL: the file's own position. */
ssize_t vfs_read(struct file *f, struct uio *u, int64_t *pos);
ssize_t vfs_write(struct file *f, struct uio *u, int64_t *pos);
int64_t vfs_llseek(struct file *f, int64_t off, int whence);
/* llseek for a file of this size: SEEK_SET, CUR, END, and DATA and HOLE of a file without holes. */
int64_t generic_llseek(struct file *f, int64_t off, int whence);

/* Kernel-side reading and writing, at an offset (exec, /proc, tests). */
ssize_t file_kernel_read(struct file *f, void *buf, size_t size, int64_t off);
ssize_t file_kernel_write(struct file *f, const void *buf, size_t size, int64_t off);

#endif
