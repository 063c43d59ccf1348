/* /proc/PID/fd, fdinfo, and the links cwd, root, exe. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include "common/base/util.h"
#include "services/sysd/fs/proc/proc.h"
#include "services/sysd/task/task.h"
#include "services/sysd/vfs/fdtable.h"
#include "services/sysd/vfs/file.h"
#include "services/sysd/vfs/fs_struct.h"
#include "services/sysd/vfs/mount.h"

PROC_LINK(proc_link_cwd)
{
	if (!t->fs || !t->fs->pwd.dentry)
		return -ENOENT;
	*ret = t->fs->pwd;
	path_get(ret);
	return 0;
}

PROC_LINK(proc_link_root)
{
	if (!t->fs || !t->fs->root.dentry)
		return -ENOENT;
	*ret = t->fs->root;
	path_get(ret);
	return 0;
}

PROC_LINK(proc_link_exe)
{
	if (!t->mm || !t->signal->exe || t->state == TASK_ZOMBIE)
		return -ENOENT;
	*ret = (struct path){t->signal->exe_mnt, t->signal->exe};
	path_get(ret);
	return 0;
}

PROC_LINK(proc_link_fd)
{
	struct file *f = t->files ? fdtable_get(t->files, pi->fd) : NULL;

	if (!f)
		return -ENOENT;
	*ret = f->path;
	path_get(ret);
	file_unref(f);
	return 0;
}

static const struct proc_entry fd_entry = {
	.name = "N", .mode = S_IFLNK | 0700, .flags = PROC_PTRACE, .link_path = proc_link_fd};

static int show_fdinfo(struct seqbuf *s, struct task *t, const struct proc_inode *pi)
{
	struct file *f = t->files ? fdtable_get(t->files, pi->fd) : NULL;
	CLEANUP_FREE char *more = NULL;
	unsigned flags;
	int n;

	if (!f)
		return -ENOENT;
	flags = f->flags & ~(unsigned)O_CLOEXEC;
	/* the descriptor's flag is shown among the file's */
	if (fd_cloexec(t, pi->fd))
		flags |= O_CLOEXEC;
	seq_printf(s, "pos:\t%lli\nflags:\t0%o\nmnt_id:\t%i\nino:\t%llu\n", (long long)f->pos, flags,
		   f->path.mnt ? f->path.mnt->id : 0,
		   (unsigned long long)(f->inode ? f->inode->ino : 0));
	if (f->op && f->op->show_fdinfo) {
		more = malloc(16384);
		n = more ? f->op->show_fdinfo(f, more, 16384) : -ENOMEM;
		if (n > 0)
			seq_write(s, more, MIN((size_t)n, 16384ul));
	}
	file_unref(f);
	return 0;
}

static const struct proc_entry fdinfo_entry = {
	.name = "N", .mode = S_IFREG | 0400, .flags = PROC_PTRACE, .show = show_fdinfo};

static int parse_fd(const char *name, int *ret)
{
	int64_t v;

	if (strspn(name, "0123456789") != strlen(name) || (name[0] == '0' && name[1]) ||
	    proc_parse_int(name, 0, INT32_MAX, &v))
		return -ENOENT;
	*ret = (int)v;
	return 0;
}

static int lookup_fd(struct inode *dir, struct dentry *dentry, const struct proc_entry *e)
{
	struct task *of = proc_task(proc_i(dir));
	struct inode *inode;
	struct file *f;
	int fd;

	if (!of)
		return -ENOENT;
	if (parse_fd(dentry->name, &fd))
		return -ENOENT;
	f = of->files ? fdtable_get(of->files, fd) : NULL;
	if (!f)
		return -ENOENT;
	inode = proc_inode_new(dir->sb, e, of);
	if (inode) {
		proc_i(inode)->fd = fd;
		inode->ino = proc_ino(of->signal->pid, of->tid, e, fd);
		if (e == &fd_entry) { /* of the two only the link has a size: what copies a file by its size has to read this one */
			inode->mode = S_IFLNK | (f->readable || f->flags & O_PATH ? 0500 : 0) |
				      (f->writable ? 0300 : 0);
			inode->size = 64;
		}
		d_instantiate(dentry, inode);
	}
	file_unref(f);
	return inode ? 0 : -ENOMEM;
}

static int iterate_fd(struct file *file, struct dir_context *ctx, const struct proc_entry *e)
{
	const struct proc_inode *pi = proc_i(file->inode);
	struct task *of = proc_task(pi);
	char name[16];

	if (!of)
		return -ENOENT;
	if (!proc_emit_dots(file, ctx))
		return 0;
	for (int fd = of->files ? fdtable_next(of->files, (int)file->pos - 2) : -1; fd >= 0;
	     fd = fdtable_next(of->files, fd + 1)) {
		snprintf(name, sizeof(name), "%d", fd);
		if (!proc_emit(file, ctx, name, (int64_t)fd + 3, proc_ino(pi->pid, pi->tid, e, fd), e->mode))
			break;
	}
	return 0;
}

static int fd_lookup(struct inode *dir, struct dentry *dentry)
{
	return lookup_fd(dir, dentry, &fd_entry);
}

static int fdinfo_lookup(struct inode *dir, struct dentry *dentry)
{
	return lookup_fd(dir, dentry, &fdinfo_entry);
}

static int fd_iterate(struct file *file, struct dir_context *ctx)
{
	return iterate_fd(file, ctx, &fd_entry);
}

static int fdinfo_iterate(struct file *file, struct dir_context *ctx)
{
	return iterate_fd(file, ctx, &fdinfo_entry);
}

static int fd_getattr(struct inode *inode)
{
	struct task *of = proc_task(proc_i(inode));
	int err = proc_table_iops.getattr(inode);

	/* st_size is the number of open descriptors (since 6.2); programs count with it */
	if (!err && of && of->files) {
		uint64_t n = 0;

		for (int fd = fdtable_next(of->files, 0); fd >= 0; fd = fdtable_next(of->files, fd + 1))
			n++;
		inode->size = n;
	}
	return err;
}

static int dir_getattr(struct inode *inode)
{
	return proc_table_iops.getattr(inode);
}

static int dir_setattr(struct dentry *dentry, const struct inode_attr *attr)
{
	return -EPERM;
}

static int64_t dir_llseek(struct file *file, int64_t off, int whence)
{
	return proc_table_fops.llseek(file, off, whence);
}

const struct inode_ops proc_fd_iops = {
	.lookup = fd_lookup, .getattr = fd_getattr, .setattr = dir_setattr};
const struct file_ops proc_fd_fops = {.iterate = fd_iterate, .llseek = dir_llseek};
const struct inode_ops proc_fdinfo_iops = {
	.lookup = fdinfo_lookup, .getattr = dir_getattr, .setattr = dir_setattr};
const struct file_ops proc_fdinfo_fops = {.iterate = fdinfo_iterate, .llseek = dir_llseek};
