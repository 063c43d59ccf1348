/* Open file descriptions. A file holds its path and its inode; the kind's operations come from the inode
 * and may be replaced by its open callback (devices, FIFOs). */
#include "services/sysd/vfs/internal.h"

#include <stdio.h>
#include <linux/capability.h>

#include "services/sysd/event/epoll.h"
#include "services/sysd/fs/dev/chrdev.h"
#include "services/sysd/fs/pipe/pipe.h"
#include "services/sysd/sys/sysctl.h"
#include "services/sysd/vfs/dnotify.h"
#include "services/sysd/vfs/fdtable.h"
#include "services/sysd/vfs/fsnotify.h"
#include "services/sysd/vfs/lock.h"
#include "services/sysd/vfs/poll.h"

extern const struct file_ops chrdev_fops __attribute__((weak));
int pipe_fifo_open(struct inode *inode, struct file *file) __attribute__((weak));
void eventpoll_release(struct file *f) __attribute__((weak));

static int nodev_open(struct inode *inode, struct file *file)
{
	(void)inode;
	(void)file;
	return -ENXIO;
}
const struct file_ops nodev_fops = {.open = nodev_open};

static int fifo_open(struct inode *inode, struct file *file)
{
	return pipe_fifo_open ? pipe_fifo_open(inode, file) : -ENXIO;
}
const struct file_ops fifo_fops = {.open = fifo_open};
const struct file_ops opath_fops = {.open = NULL};

const struct file_ops *special_fops(uint32_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFCHR:
		return &chrdev_fops ? &chrdev_fops : &nodev_fops;
	case S_IFIFO:
		return &fifo_fops;
	case S_IFBLK:
	case S_IFSOCK:
		return &nodev_fops;
	default:
		return NULL;
	}
}

#define FREE_FILES 32
static struct file *free_files[FREE_FILES];
static unsigned free_count;
static uint64_t files_open;

uint64_t file_count(void)
{
	return files_open;
}

static struct file *file_alloc(unsigned flags, struct cred *cred)
{
	struct task *t = current_task();
	struct file *f;

	if (files_open >= (uint64_t)sysctl_file_max && t && !t_capable(t, CAP_SYS_ADMIN))
		return NULL;
	f = free_count ? free_files[--free_count] : malloc(sizeof(*f));
	if (!f)
		return NULL;
	files_open++;
	memset(f, 0, sizeof(*f));
	f->refs = 1;
	f->flags = flags;
	if (!(flags & O_PATH)) {
		unsigned acc = flags & O_ACCMODE;

		f->readable = acc == O_RDONLY || acc == O_RDWR;
		f->writable = acc == O_WRONLY || acc == O_RDWR;
	}
	f->cred = cred ? cred_ref(cred) : NULL;
	kmutex_init(&f->pos_lock);
	list_init(&f->epoll_items);
	return f;
}

static void file_free(struct file *f)
{
	struct inode *inode = f->inode;

	if (f->detached_mount)
		mnt_detach_tree(f->detached_mount);
	inode_unref(inode); /* before the path: its mount may be the file system's last */
	path_put(&f->path);
	if (f->cred)
		cred_unref(f->cred);
	files_open--;
	if (free_count < FREE_FILES)
		free_files[free_count++] = f;
	else
		free(f);
}

struct file *file_ref(struct file *f)
{
	f->refs++;
	return f;
}

void file_unref(struct file *f)
{
	struct inode *inode;

	if (!f || --f->refs)
		return;
	inode = f->inode;
	if (!(f->flags & O_PATH)) {
		f->refs = 1; /* callbacks may take and drop references */
		fsnotify_file(f, f->writable ? IN_CLOSE_WRITE : IN_CLOSE_NOWRITE);
		if (!list_empty(&f->epoll_items) && eventpoll_release)
			eventpoll_release(f);
		if (inode->dnotify)
			dnotify_remove(f, NULL);
		if (inode->locks)
			locks_remove_file(f);
		if (f->op && f->op->release)
			f->op->release(f);
		if (f->write_counted)
			inode_put_write(inode);
	}
	file_free(f);
}

int file_open_checked(const struct path *path, unsigned flags, struct cred *cred, struct file **ret)
{
	struct inode *inode = path->dentry->inode;
	struct file *f = file_alloc(flags & ~(unsigned)(O_CREAT | O_EXCL | O_CLOEXEC), cred);
	int err = 0;

	if (!f)
		return -ENFILE;
	f->path = *path;
	path_get(&f->path);
	f->inode = inode_ref(inode);
	if (flags & O_PATH) {
		f->op = &opath_fops;
		f->flags = flags & (O_PATH | O_DIRECTORY | O_NOFOLLOW);
		*ret = f;
		return 0;
	}
	f->op = inode->fop;
	if (!f->op) {
		err = -ENXIO;
		goto fail;
	}
	if (f->writable && S_ISREG(inode->mode)) {
		err = inode_get_write(inode);
		if (err < 0)
			goto fail;
		f->write_counted = true;
	}
	if (inode->locks) {
		err = locks_break_lease(inode, f->writable || (flags & O_TRUNC), flags & O_NONBLOCK);
		if (err < 0)
			goto fail_write;
	}
	if (f->op->open) {
		err = f->op->open(inode, f);
		if (err < 0)
			goto fail_write;
	}
	if ((flags & O_DIRECT) && !S_ISREG(inode->mode) && !S_ISFIFO(inode->mode) && !S_ISBLK(inode->mode)) {
		err = -EINVAL;
		if (f->op->release)
			f->op->release(f);
		goto fail_write;
	}
	f->flags &= ~(unsigned)(O_NOCTTY | O_TRUNC);
	fsnotify_file(f, IN_OPEN);
	*ret = f;
	return 0;

fail_write:
	if (f->write_counted)
		inode_put_write(inode);
fail:
	file_free(f);
	return err;
}

int file_open_path(const struct path *path, unsigned flags, struct cred *cred, struct file **ret)
{
	return file_open_checked(path, flags, cred, ret);
}

uint32_t vfs_poll(struct file *f, struct poll_table *pt)
{
	if (!f->op || !f->op->poll)
		return POLL_DEFAULT_MASK;
	return f->op->poll(f, pt);
}

/* ---- files without a place in the tree ---- */

static int anon_statfs(struct super_block *sb, struct kstatfs *ret)
{
	*ret = (struct kstatfs){.type = sb->magic, .bsize = SBX_PAGE_SIZE, .frsize = SBX_PAGE_SIZE, .namelen = NAME_MAX};
	return 0;
}

static const struct super_ops anon_sb_ops = {.statfs = anon_statfs};
static const struct inode_ops anon_iops;
static struct fs_type anon_type = {.name = "anon_inodefs", .nodev = true};
static struct super_block *anon_sb[3];

/* Pipes and sockets have file systems of their own in Linux: other magic and device numbers. */
static struct super_block *anon_sb_of(uint32_t mode)
{
	static struct fs_type pipe_type = {.name = "pipefs", .nodev = true};
	static struct fs_type sock_type = {.name = "sockfs", .nodev = true};
	int i = S_ISFIFO(mode) ? 1 : S_ISSOCK(mode) ? 2 : 0;
	static struct fs_type *const type[3] = {&anon_type, &pipe_type, &sock_type};
	static const uint64_t magic[3] = {0x09041934, 0x50495045, 0x534F434B};

	if (!anon_sb[i])
		anon_sb[i] = super_new(type[i], &anon_sb_ops, magic[i]);
	return anon_sb[i];
}

void anon_inode_init(void)
{
	anon_sb_of(0);
	anon_sb_of(S_IFIFO);
	anon_sb_of(S_IFSOCK);
}

static int anon_file(struct dentry *d, const struct file_ops *op, unsigned flags, void *priv, struct file **ret)
{
	struct task *t = current_task();
	struct file *f = file_alloc(flags & ~(unsigned)O_CLOEXEC, t ? t->cred : NULL);

	if (!f)
		return -ENFILE;
	f->path.dentry = dentry_ref(d);
	f->inode = inode_ref(d->inode);
	f->op = op;
	f->priv = priv;
	*ret = f;
	return 0;
}

int file_new_anon(const char *name, uint32_t mode, const struct file_ops *op, unsigned flags, void *priv,
		  struct file **ret)
{
	struct super_block *sb = anon_sb_of(mode);
	struct inode *inode = sb ? inode_new(sb, mode) : NULL;
	struct dentry *d;
	char buf[64];
	int err;

	if (!inode)
		return -ENOMEM;
	inode->op = &anon_iops;
	/* What cannot be opened by itself cannot be opened through /proc/PID/fd either. */
	inode->fop = op->open ? op : &nodev_fops;
	inode_init_owner(inode, NULL, mode);
	/* "pipe:" and "socket:" are shown with the inode's number. */
	if (name[0] && name[strlen(name) - 1] == ':') {
		snprintf(buf, sizeof(buf), "%s[%llu]", name, (unsigned long long)inode->ino);
		name = buf;
	}
	d = d_alloc_anon(inode, name);
	if (!d)
		return -ENOMEM;
	err = anon_file(d, op, flags, priv, ret);
	dentry_unref(d);
	return err;
}

int file_new_anon_peer(struct file *like, const struct file_ops *op, unsigned flags, void *priv,
		       struct file **ret)
{
	return anon_file(like->path.dentry, op, flags, priv, ret);
}
