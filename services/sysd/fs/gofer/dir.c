/* Directories: lookup and reading. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/base/util.h"
#include "services/sysd/core/clock.h"
#include "services/sysd/fs/gofer/private.h"
#include "services/sysd/task/task.h"

/* So many lookups in a directory that each needed a request, and its names are fetched at once: programs
 * that search paths ask for many names that do not exist. */
#define MISSES_LIST 6
#define LIST_SIZE_MAX 262144 /* not of a directory whose own size says that it is huge */

/* What a reply about one name says becomes the dentry's inode. */
static int enter_walked(struct inode *dir, struct dentry *dentry, const struct fsd_reply *rep)
{
	struct inode *inode = gofer_iget(dir->sb, &rep->walked[0].attr);

	if (!inode)
		return -ENOMEM;
	if (S_ISDIR(inode->mode) && rep->walked[0].node)
		gofer_set_node(inode, rep->walked[0].node);
	if (S_ISLNK(inode->mode) && !inode->link && rep->value.size && dir->sb->cache_links &&
	    !memchr(rep->value.data, 0, rep->value.size))
		inode->link = strndup(rep->value.data, rep->value.size);
	d_add(dentry, inode);
	return 0;
}

/* Is this lookup on the way to opening what it finds? Then a descriptor may as well come along. */
static bool opening(void)
{
	const struct task *t = current_task();

	switch (t ? t->nr : -1) {
	case SYS_open:
		return (t->args[1] & O_ACCMODE) == O_RDONLY && !(t->args[1] & O_PATH);
	case SYS_openat:
		return (t->args[2] & O_ACCMODE) == O_RDONLY && !(t->args[2] & O_PATH);
	case SYS_execve:
	case SYS_execveat:
		return true;
	}
	return false;
}

static int ask_name(struct inode *dir, struct dentry *dentry)
{
	struct fsd_req q = {.op = FSD_WALK, .name_count = 1, .names = {gofer_str(dentry)}};
	struct gofer_call c;
	int ret;

	q.flags = opening() ? FSD_WALK_OPEN : 0;
	ret = gofer_dir_call(dir, &c, &q);
	gofer_stats.lookups++;
	if (!ret && c.rep.walked_count != 1)
		ret = -EIO;
	if (!ret) {
		ret = enter_walked(dir, dentry, &c.rep);
		if (!ret && c.fd >= 0 && S_ISREG(dentry->inode->mode))
			gofer_adopt_fd(dentry->inode, STEAL_FD(c.fd), false);
	} else if (ret == -ENOENT) {
		d_add(dentry, NULL);
		ret = 0;
	}
	gofer_call_done(&c);
	return ret;
}

static int lookup_listed(struct inode *dir, struct dentry *dentry)
{
	struct gofer_inode *gi = gofer_i(dir);
	struct listing_entry *e = listing_find(gi->listing, dentry->name, dentry->name_size);
	const struct fsd_attr *attr;
	struct inode *inode;

	if (!e) {
		d_add(dentry, NULL);
		return 0;
	}
	prefetch_wait(dir, e->ino);
	if (!gi->listing)
		return ask_name(dir, dentry);
	e = listing_find(gi->listing, dentry->name, dentry->name_size);
	if (!e)
		return ask_name(dir, dentry);
	/* A file that is known already, by another name or because we asked ahead. */
	inode = e->foreign ? NULL : gofer_find(dir->sb, gi->dev, e->ino);
	if (inode) {
		d_add(dentry, inode);
		return 0;
	}
	attr = listing_take_attr(dir, e);
	if (!attr && listing_want_attr(dir, dentry->name, dentry->name_size)) {
		e = listing_find(gofer_i(dir)->listing, dentry->name, dentry->name_size);
		attr = e ? listing_take_attr(dir, e) : NULL;
	}
	if (!attr)
		return ask_name(dir, dentry);
	inode = gofer_iget(dir->sb, attr);
	if (!inode)
		return -ENOMEM;
	d_add(dentry, inode);
	return 0;
}

static int gofer_lookup(struct inode *dir, struct dentry *dentry)
{
	struct gofer_inode *gi = gofer_i(dir);

	if (dentry->name_size > FSD_NAME_MAX)
		return -ENAMETOOLONG;
	dentry->stamp = clock_mono_ns();
	if (gofer_shared(dir))
		return ask_name(dir, dentry);
	if (!gi->listing && ++gi->misses > MISSES_LIST && dir->size <= LIST_SIZE_MAX) {
		gi->misses = 0;
		listing_load(dir, false);
	}
	return gi->listing ? lookup_listed(dir, dentry) : ask_name(dir, dentry);
}

static int dir_open(struct inode *inode, struct file *file)
{
	gofer_i(inode)->opens++;
	return 0;
}

static void dir_release(struct file *file)
{
	gofer_i(file->inode)->opens--;
}

static int dir_iterate(struct file *file, struct dir_context *ctx)
{
	struct inode *dir = file->inode;
	struct dentry *d = file->path.dentry;
	struct listing *l;
	int ret;

	if (!gofer_i(dir)->listing && !gofer_shared(dir) && d->parent != d)
		prefetch_wait(d->parent->inode, dir->ino);
	ret = listing_load(dir, gofer_shared(dir) && file->pos == 0);
	if (ret < 0)
		return ret == -ESTALE ? -ENOENT : ret;
	if (file->pos == 0)
		prefetch_after_readdir(d);
	l = gofer_i(dir)->listing;
	if (file->pos == 0) {
		if (!ctx->emit(ctx, ".", 1, 1, dir->ino, DT_DIR))
			return 0;
		file->pos = 1;
	}
	if (file->pos == 1) {
		if (!ctx->emit(ctx, "..", 2, 2, d->parent->inode->ino, DT_DIR))
			return 0;
		file->pos = 2;
	}
	while ((uint64_t)file->pos - 2 < listing_size(l)) {
		const char *name;
		const struct listing_entry *e = listing_at(l, (uint64_t)file->pos - 2, &name);

		if (!e->dead && !ctx->emit(ctx, name, e->name_size, file->pos + 1, e->ino, e->type))
			return 0;
		file->pos++;
	}
	return 0;
}

static int64_t dir_llseek(struct file *file, int64_t off, int whence)
{
	if (whence == SEEK_CUR)
		off += file->pos;
	else if (whence != SEEK_SET)
		return -EINVAL;
	if (off < 0)
		return -EINVAL;
	return file->pos = off;
}

static int dir_fsync(struct file *file, bool datasync)
{
	struct fsd_req q = {.op = FSD_FSYNC, .flags = datasync ? FSD_SYNC_DATA : 0};
	struct gofer_call c;
	int ret = gofer_inode_call(file->inode, &c, &q);

	gofer_call_done(&c);
	return ret == -ESTALE ? 0 : ret;
}

const struct file_ops gofer_dir_fops = {
    .open = dir_open,
    .release = dir_release,
    .iterate = dir_iterate,
    .llseek = dir_llseek,
    .fsync = dir_fsync,
};

/* ---- changes ---- */

static unsigned dtype(uint32_t mode)
{
	return (mode & S_IFMT) >> 12;
}

/* Owner of what t makes: computed the way every file system does, then told to fsd. */
static void new_owner(struct inode *dir, uint32_t mode, struct fsd_req *q)
{
	struct inode scratch = {.mode = mode};

	inode_init_owner(&scratch, dir, mode);
	q->mode = scratch.mode & 0177777;
	q->uid = scratch.uid;
	q->gid = scratch.gid;
}

static int made(struct inode *dir, struct dentry *dentry, struct gofer_call *c)
{
	struct inode *inode = gofer_iget(dir->sb, &c->rep.attr);

	if (!inode)
		return -ENOMEM;
	listing_add(dir, dentry->name, dentry->name_size, inode->ino, dtype(inode->mode));
	inode_touch(dir, false, true, true);
	d_instantiate(dentry, inode);
	return 0;
}

static int gofer_create(struct inode *dir, struct dentry *dentry, uint32_t mode, bool excl)
{
	struct fsd_req q = {.op = FSD_CREATE, .name = gofer_str(dentry), .flags = FSD_OPEN_FD};
	struct gofer_call c;
	int ret;

	new_owner(dir, S_IFREG | (mode & 07777), &q);
	ret = gofer_dir_call(dir, &c, &q);
	if (!ret)
		ret = made(dir, dentry, &c);
	if (!ret && c.fd >= 0)
		gofer_adopt_fd(dentry->inode, STEAL_FD(c.fd), true);
	gofer_call_done(&c);
	return ret;
}

static int gofer_mknod(struct inode *dir, struct dentry *dentry, uint32_t mode, uint64_t rdev)
{
	struct fsd_req q = {.op = FSD_MKNOD, .name = gofer_str(dentry), .rdev = rdev};
	struct gofer_call c;
	int ret;

	new_owner(dir, mode, &q);
	ret = gofer_dir_call(dir, &c, &q);
	if (!ret)
		ret = made(dir, dentry, &c);
	gofer_call_done(&c);
	return ret;
}

static int gofer_mkdir(struct inode *dir, struct dentry *dentry, uint32_t mode)
{
	struct fsd_req q = {.op = FSD_MKDIR, .name = gofer_str(dentry)};
	struct gofer_call c;
	int ret;

	new_owner(dir, S_IFDIR | (mode & 07777), &q);
	ret = gofer_dir_call(dir, &c, &q);
	if (!ret)
		ret = made(dir, dentry, &c);
	if (!ret) {
		inode_inc_nlink(dir);
		if (c.rep.node)
			gofer_set_node(dentry->inode, c.rep.node);
		if (!gofer_shared(dir))
			listing_new_empty(dentry->inode);
	}
	gofer_call_done(&c);
	return ret;
}

static int gofer_symlink(struct inode *dir, struct dentry *dentry, const char *target)
{
	struct fsd_req q = {.op = FSD_SYMLINK, .name = gofer_str(dentry), .value = {target, strlen(target)}};
	struct gofer_call c;
	int ret;

	if (q.value.size >= FSD_TARGET_MAX)
		return -ENAMETOOLONG;
	new_owner(dir, S_IFLNK | 0777, &q);
	ret = gofer_dir_call(dir, &c, &q);
	if (!ret)
		ret = made(dir, dentry, &c);
	gofer_call_done(&c);
	return ret;
}

static int gofer_tmpfile(struct inode *dir, struct dentry *dentry, uint32_t mode)
{
	struct fsd_req q = {.op = FSD_TMPFILE};
	struct gofer_call c;
	struct inode *inode;
	int ret;

	new_owner(dir, S_IFREG | (mode & 07777), &q);
	ret = gofer_dir_call(dir, &c, &q);
	if (!ret) {
		inode = gofer_iget(dir->sb, &c.rep.attr);
		if (inode) {
			gofer_set_node(inode, c.rep.node);
			gofer_adopt_fd(inode, STEAL_FD(c.fd), true);
			d_instantiate(dentry, inode);
		} else {
			gofer_forget(c.rep.node);
			ret = -ENOMEM;
		}
	}
	gofer_call_done(&c);
	return ret;
}

static int gofer_link(struct dentry *old, struct inode *dir, struct dentry *dentry)
{
	struct inode *inode = old->inode;
	struct fsd_req q = {.op = FSD_LINK};
	struct gofer_attempt a = {0};
	struct gofer_name name;
	struct gofer_call c;
	int ret;

	for (;;) {
		ret = gofer_dir_node(dir, &q.node2);
		if (!ret)
			ret = gofer_address(inode, &q.node, &name);
		if (!ret)
			ret = gofer_dir_node(dir, &q.node2);
		if (ret < 0)
			return ret == -ESTALE ? -ENOENT : ret;
		q.name = (struct fsd_str){name.data, name.size};
		q.name2 = gofer_str(dentry);
		ret = gofer_call(&c, &q);
		if (!gofer_again(&a, dir, &c, &q, &ret))
			break;
		gofer_drop_nodes(inode);
	}
	gofer_call_done(&c);
	if (ret < 0)
		return ret;
	inode_inc_nlink(inode);
	inode_touch(inode, false, false, true);
	if (!name.size && !S_ISDIR(inode->mode) && gofer_i(inode)->node) { /* it has a name again */
		gofer_forget(gofer_i(inode)->node);
		gofer_i(inode)->node = 0;
	}
	gofer_i(inode)->unlinked = false;
	listing_add(dir, dentry->name, dentry->name_size, inode->ino, dtype(inode->mode));
	inode_touch(dir, false, true, true);
	d_instantiate(dentry, inode_ref(inode));
	return 0;
}

/* More holds it than its names in the cache do. */
static bool in_use(const struct inode *inode)
{
	const struct list *n;
	unsigned aliases = 0;

	for (n = inode->dentries.next; n != &inode->dentries; n = n->next)
		aliases++;
	return inode->refs > aliases || gofer_i(inode)->opens;
}

/* A name of the inode is gone; kept: the node that fsd made for it, or 0. */
static void lost_name(struct inode *inode, uint64_t kept)
{
	struct gofer_inode *gi = gofer_i(inode);

	inode_drop_nlink(inode);
	inode_touch(inode, false, false, true);
	if (!inode->nlink)
		gi->unlinked = true;
	if (kept && !gi->node)
		gofer_set_node(inode, kept);
	else if (kept)
		gofer_forget(kept);
}

static int gofer_unlink(struct inode *dir, struct dentry *dentry)
{
	struct inode *inode = dentry->inode;
	struct fsd_req q = {.op = FSD_UNLINK, .name = gofer_str(dentry)};
	struct gofer_call c;
	int ret;

	q.flags = in_use(inode) ? FSD_KEEP : 0;
	ret = gofer_dir_call(dir, &c, &q);
	if (!ret) {
		lost_name(inode, c.rep.node);
		listing_remove(dir, dentry->name, dentry->name_size);
		inode_touch(dir, false, true, true);
	}
	gofer_call_done(&c);
	return ret;
}

static int gofer_rmdir(struct inode *dir, struct dentry *dentry)
{
	struct fsd_req q = {.op = FSD_RMDIR, .name = gofer_str(dentry)};
	struct gofer_call c;
	int ret = gofer_dir_call(dir, &c, &q);

	gofer_call_done(&c);
	if (ret < 0)
		return ret;
	dentry->inode->nlink = 0;
	gofer_i(dentry->inode)->unlinked = true;
	inode_touch(dentry->inode, false, false, true);
	inode_drop_nlink(dir);
	listing_remove(dir, dentry->name, dentry->name_size);
	inode_touch(dir, false, true, true);
	return 0;
}

#define RENAME_NOREPLACE_ 1u
#define RENAME_EXCHANGE_ 2u

/* Listings, counts and times after a rename. */
static void renamed(struct inode *old_dir, struct dentry *old, struct inode *new_dir,
		    struct dentry *new_dentry, unsigned flags, uint64_t kept)
{
	struct inode *inode = old->inode, *target = new_dentry->inode;
	bool dir = S_ISDIR(inode->mode);

	if (flags & RENAME_EXCHANGE_) {
		listing_add(old_dir, old->name, old->name_size, target->ino, dtype(target->mode));
		if (old_dir != new_dir && dir != S_ISDIR(target->mode)) {
			(dir ? inode_drop_nlink : inode_inc_nlink)(old_dir);
			(dir ? inode_inc_nlink : inode_drop_nlink)(new_dir);
		}
		inode_touch(target, false, false, true);
	} else {
		listing_remove(old_dir, old->name, old->name_size);
		if (target && S_ISDIR(target->mode)) {
			target->nlink = 0;
			gofer_i(target)->unlinked = true;
			inode_drop_nlink(new_dir);
		} else if (target) {
			lost_name(target, kept);
		}
		if (dir && old_dir != new_dir) {
			inode_drop_nlink(old_dir);
			inode_inc_nlink(new_dir);
		}
	}
	listing_add(new_dir, new_dentry->name, new_dentry->name_size, inode->ino, dtype(inode->mode));
	inode_touch(inode, false, false, true);
	inode_touch(old_dir, false, true, true);
	inode_touch(new_dir, false, true, true);
}

/* fsd died over an exchange: does the name stand for the other file now? */
static bool exchanged(struct inode *old_dir, struct dentry *old, struct inode *target)
{
	struct fsd_req q = {.op = FSD_GETATTR, .name = gofer_str(old)};
	struct gofer_call c;
	int ret = gofer_dir_call(old_dir, &c, &q);
	bool same = !ret && !gofer_shared(old_dir) && gofer_same(target, &c.rep.attr);

	gofer_call_done(&c);
	return same;
}

static int gofer_rename(struct inode *old_dir, struct dentry *old, struct inode *new_dir,
			struct dentry *new_dentry, unsigned flags)
{
	struct fsd_req q = {.op = FSD_RENAME, .flags = flags};
	struct inode *target = new_dentry->inode;
	struct gofer_attempt a = {0};
	struct gofer_call c;
	int ret;

	if (flags & ~(RENAME_NOREPLACE_ | RENAME_EXCHANGE_))
		return -EINVAL;
	if (target && target == old->inode && !(flags & RENAME_EXCHANGE_))
		return 0; /* two names of one file: nothing happens */
	if (target && !S_ISDIR(target->mode) && !(flags & RENAME_EXCHANGE_) && in_use(target))
		q.flags |= FSD_KEEP;
	for (;;) {
		ret = gofer_dir_node(old_dir, &q.node);
		if (!ret)
			ret = gofer_dir_node(new_dir, &q.node2);
		if (ret < 0)
			return ret == -ESTALE ? -ENOENT : ret;
		q.node = gofer_i(old_dir)->node;
		q.name = gofer_str(old);
		q.name2 = gofer_str(new_dentry);
		ret = gofer_call(&c, &q);
		if (ret == -GOFER_LOST && (flags & RENAME_EXCHANGE_) && exchanged(old_dir, old, target)) {
			c.rep.node = ret = 0;
			break;
		}
		if (!gofer_again(&a, old_dir, &c, &q, &ret))
			break;
		gofer_drop_nodes(new_dir);
	}
	if (!ret)
		renamed(old_dir, old, new_dir, new_dentry, flags, c.rep.node);
	gofer_call_done(&c);
	return ret;
}

ssize_t gofer_getxattr(struct inode *inode, const char *name, void *buf, size_t size);
int gofer_setxattr(struct inode *inode, const char *name, const void *value, size_t size, int flags);
ssize_t gofer_listxattr(struct inode *inode, char *buf, size_t size);
int gofer_removexattr(struct inode *inode, const char *name);

const struct inode_ops gofer_dir_iops = {
    .lookup = gofer_lookup,
    .create = gofer_create,
    .link = gofer_link,
    .unlink = gofer_unlink,
    .symlink = gofer_symlink,
    .mkdir = gofer_mkdir,
    .rmdir = gofer_rmdir,
    .mknod = gofer_mknod,
    .rename = gofer_rename,
    .tmpfile = gofer_tmpfile,
    .getattr = gofer_getattr,
    .setattr = gofer_setattr,
    .getxattr = gofer_getxattr,
    .setxattr = gofer_setxattr,
    .listxattr = gofer_listxattr,
    .removexattr = gofer_removexattr,
};
