/* The proc file system: what its parts share.
 *
 * A directory is a table of entries. An inode knows its entry and, below /proc/PID, which task it is
 * about: by number and start time, never by pointer, so that a task's end makes the inode stale
 * (ESRCH) and nothing else. Content is generated when a file is read at offset 0. */
#ifndef SYSD_FS_PROC_PROC_H
#define SYSD_FS_PROC_PROC_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "services/sysd/fs/proc/seqbuf.h"
#include "services/sysd/vfs/dentry.h"
#include "services/sysd/vfs/inode.h"

struct task;
struct mm;
struct file;
struct file_ops;
struct proc_inode;
struct dir_context;

struct proc_entry {
	const char *name;
	uint32_t mode;               /* with S_IFMT */
	unsigned flags;
#define PROC_PTRACE 1u               /* opening and reading need ptrace access to the task */
#define PROC_TGID_ONLY 2u            /* not below task/TID */
#define PROC_TID_ONLY 4u
#define PROC_MM 8u                   /* about the address space at the time of the open: nothing after an exec */
	/* Regular files. t: the task the file is about, or NULL for a global one. May sleep: t is looked up
	 * again afterwards if it is needed. Return 0 or -errno. */
	int (*show)(struct seqbuf *s, struct task *t, const struct proc_inode *pi);
	/* Whole writes of at most a page; buf is NUL-terminated. The size taken, or -errno. */
	ssize_t (*write)(struct task *t, const struct proc_inode *pi, char *buf, size_t size);
	/* Links: a path, or text (fresh allocation). */
	int (*link_path)(struct task *t, const struct proc_inode *pi, struct path *ret);
	int (*link_text)(struct task *t, const struct proc_inode *pi, char **ret);
	/* Directories: a static table, or own operations. */
	const struct proc_entry *table;
	const struct inode_ops *iop;
	const struct file_ops *fop;
	uint64_t data;               /* of the entry's own functions */
};

struct proc_inode {
	const struct proc_entry *entry;
	uint32_t pid, tid;           /* 0: global */
	uint64_t start_ns;           /* of the task: numbers are used again */
	int fd;                      /* below fd/ and fdinfo/ */
	const void *node;            /* sysctl tree */
};

struct proc_sb {
	int hidepid;
	uint32_t gid;
};

static inline struct proc_inode *proc_i(const struct inode *inode)
{
	return inode->priv;
}
/* The task an inode is about; NULL when it is gone. Valid until the caller sleeps. */
struct task *proc_task(const struct proc_inode *pi);

/* An inode for an entry. `of` is the task below /proc/PID, or NULL. */
struct inode *proc_inode_new(struct super_block *sb, const struct proc_entry *e, const struct task *of);
/* Looks a name up in a table and instantiates the dentry. */
int proc_lookup_table(struct inode *dir, struct dentry *dentry, const struct proc_entry *table);
/* "." and ".." and a table, for iterate; positions from 2. Returns false when the buffer is full. */
bool proc_emit_dots(struct file *file, struct dir_context *ctx);
bool proc_emit_table(struct file *file, struct dir_context *ctx, const struct proc_entry *table,
		     int64_t first);
bool proc_emit(struct file *file, struct dir_context *ctx, const char *name, int64_t next, uint64_t ino,
	       uint32_t mode);
uint64_t proc_ino(uint32_t pid, uint32_t tid, const void *what, int64_t sub);
extern const struct inode_ops proc_table_iops, proc_file_iops, proc_link_iops, proc_textlink_iops;
/* hidepid=1: may t enter the directory of `of`? */
bool proc_dir_permitted(const struct inode *dir, struct task *t, const struct task *of);
extern const struct file_ops proc_table_fops, proc_file_fops;

/* Parts. */
extern const struct proc_entry proc_global_table[], proc_pid_table[], proc_sys_root;
extern const struct inode_ops proc_pid_iops, proc_taskdir_iops, proc_fd_iops, proc_fdinfo_iops,
	proc_net_iops, proc_sys_iops;
extern const struct file_ops proc_pid_fops, proc_taskdir_fops, proc_fd_fops, proc_fdinfo_fops,
	proc_net_fops, proc_sys_fops, proc_mem_fops, proc_mounts_fops;
extern const struct proc_entry proc_pid_dir, proc_tid_dir;
#define PROC_SHOW(fn) int fn(struct seqbuf *s, struct task *t, const struct proc_inode *pi)
#define PROC_WRITE(fn) ssize_t fn(struct task *t, const struct proc_inode *pi, char *buf, size_t size)
#define PROC_LINK(fn) int fn(struct task *t, const struct proc_inode *pi, struct path *ret)
PROC_SHOW(proc_show_stat); PROC_SHOW(proc_show_statm); PROC_SHOW(proc_show_status);
PROC_SHOW(proc_show_maps); PROC_SHOW(proc_show_smaps); PROC_SHOW(proc_show_smaps_rollup);
PROC_SHOW(proc_show_cmdline); PROC_SHOW(proc_show_environ); PROC_SHOW(proc_show_auxv);
PROC_SHOW(proc_show_mounts); PROC_SHOW(proc_show_mountinfo); PROC_SHOW(proc_show_mountstats);
PROC_LINK(proc_link_cwd); PROC_LINK(proc_link_root); PROC_LINK(proc_link_exe); PROC_LINK(proc_link_fd);
/* State letter and word of a task, as ps shows it. */
const char *proc_task_state(const struct task *t);
/* Reads a decimal number with surrounding blanks. 0 or -EINVAL, -ERANGE. */
int proc_parse_int(const char *buf, int64_t min, int64_t max, int64_t *ret);

/* Registered by other parts of the kernel at start-up: files of /proc/net and of the top directory
 * ("sysvipc/shm" is written with its directory). The name stays the caller's. */
int proc_net_register(const char *name, int (*show)(struct seqbuf *s, struct task *t,
						    const struct proc_inode *pi));

#endif
