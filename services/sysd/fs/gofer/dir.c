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
	if (S_ISLNK(inode->mode) && !inode->link && rep->value.size && inode->keeps_link &&
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
	struct namelist_entry *e = listing_find(gi->listing, dentry->name, dentry->name_size);
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
	inode = e->marked ? NULL : gofer_find(dir->sb, gi->dev, e->ino);
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
	if (listing_doubted(dir) && !gi->opens)
		listing_free(dir);
	if (gofer_shared(dir) || listing_doubted(dir))
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
	ret = listing_load(dir, (gofer_shared(dir) || listing_doubted(dir)) && file->pos == 0);
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
		const struct namelist_entry *e = listing_at(l, (uint64_t)file->pos - 2, &name);

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
	int ret = gofer_inode_call(file->inode, &c, &q), late = gofer_late_error(file->inode->sb);

	gofer_call_done(&c);
	return ret == -ESTALE || !ret ? late : ret;
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

static void enter_made(struct inode *dir, struct dentry *dentry, struct inode *inode)
{
	listing_add(dir, dentry->name, dentry->name_size, inode->ino, dtype(inode->mode));
	inode_touch(dir, false, true, true);
	/* without a default ACL above it, it has no attributes */
	if (gofer_i(dir)->xattrs == XATTR_NONE && !gofer_shared(dir))
		gofer_i(inode)->xattrs = XATTR_NONE;
	d_instantiate(dentry, inode);
}

static int made(struct inode *dir, struct dentry *dentry, struct gofer_call *c)
{
	struct inode *inode = gofer_iget(dir->sb, &c->rep.attr);

	if (!inode)
		return -ENOMEM;
	enter_made(dir, dentry, inode);
	return 0;
}

/* A request that makes something. */
static int make_call(struct inode *dir, const struct dentry *dentry, struct gofer_call *c, struct fsd_req *q)
{
	struct gofer_own own;
	int ret;

	own_begin(&own);
	own_entry(&own, dir, dentry, OWN_MADE);
	ret = gofer_dir_call(dir, c, q);
	own_end(&own, ret);
	return ret;
}

static int gofer_create(struct inode *dir, struct dentry *dentry, uint32_t mode, bool excl)
{
	struct fsd_req q = {.op = FSD_CREATE, .name = gofer_str(dentry), .flags = FSD_OPEN_FD};
	struct gofer_call c;
	struct inode *inode;
	int ret;

	new_owner(dir, S_IFREG | (mode & 07777), &q);
	inode = pool_create(dir, &q);
	if (inode) {
		enter_made(dir, dentry, inode);
		return 0;
	}
	ret = make_call(dir, dentry, &c, &q);
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
	ret = make_call(dir, dentry, &c, &q);
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
	ret = make_call(dir, dentry, &c, &q);
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
	ret = make_call(dir, dentry, &c, &q);
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

static void linked(struct inode *inode, struct inode *dir, struct dentry *dentry)
{
	inode_inc_nlink(inode);
	inode_touch(inode, false, false, true);
	gofer_i(inode)->unlinked = false;
	listing_add(dir, dentry->name, dentry->name_size, inode->ino, dtype(inode->mode));
	inode_touch(dir, false, true, true);
	d_instantiate(dentry, inode_ref(inode));
}

#define LINKS_FEW 1000u /* far from any file system's limit */

static bool link_later(struct inode *inode, struct inode *dir, struct dentry *dentry)
{
	struct dentry *d = gofer_alias(inode);
	struct inode *from;
	struct later *l;

	if (!later_possible(dir) || !later_possible(inode) || !d || !later_possible(d->parent->inode) ||
	    gofer_i(inode)->unlinked || inode->nlink > LINKS_FEW || gofer_i(inode)->dev != gofer_i(dir)->dev ||
	    !gofer_has_room(dir->sb))
		return false;
	from = inode_ref(d->parent->inode);
	l = later_begin(from, dir);
	d = gofer_alias(inode);
	if (l && d && d->parent->inode == from) {
		l->q.op = FSD_LINK;
		l->q.name = gofer_str(d);
		l->q.name2 = gofer_str(dentry);
		if (later_post(l, inode, NULL) == 0)
			l = NULL;
	} else {
		d = NULL;
	}
	inode_unref(from);
	if (l)
		later_abandon(l);
	else if (d)
		linked(inode, dir, dentry);
	return !l && d;
}

static int gofer_link(struct dentry *old, struct inode *dir, struct dentry *dentry)
{
	struct inode *inode = old->inode;
	struct fsd_req q = {.op = FSD_LINK};
	struct gofer_attempt a = {0};
	struct gofer_name name;
	struct gofer_own own;
	struct gofer_call c;
	int ret;

	if (link_later(inode, dir, dentry))
		return 0;
	own_begin(&own);
	own_entry(&own, dir, dentry, IN_CREATE);
	own_inode(&own, inode, IN_ATTRIB);
	for (;;) {
		ret = gofer_dir_node(dir, &q.node2);
		if (!ret)
			ret = gofer_address(inode, &q.node, &name);
		if (!ret)
			ret = gofer_dir_node(dir, &q.node2);
		if (ret < 0) {
			own_end(&own, ret);
			return ret == -ESTALE ? -ENOENT : ret;
		}
		q.name = (struct fsd_str){name.data, name.size};
		q.name2 = gofer_str(dentry);
		ret = gofer_call(&c, &q);
		if (!gofer_again(&a, dir, &c, &q, &ret))
			break;
		gofer_drop_nodes(inode);
	}
	own_end(&own, ret);
	gofer_call_done(&c);
	if (ret < 0)
		return ret;
	if (!name.size && !S_ISDIR(inode->mode) && gofer_i(inode)->node) { /* it has a name again */
		gofer_forget(gofer_i(inode)->node);
		gofer_i(inode)->node = 0;
	}
	linked(inode, dir, dentry);
	return 0;
}

/* More holds it than its names in the cache do. */
static bool in_use(const struct inode *inode)
{
	const struct list *n;
	unsigned aliases = 0;

	for (n = inode->dentries.next; n != &inode->dentries; n = n->next)
		aliases++;
	return inode->refs > aliases + gofer_i(inode)->pending || gofer_i(inode)->opens;
}

/* fsd made a node for what lost its name (or none: 0). */
static void keep_node(struct inode *inode, uint64_t kept)
{
	struct gofer_inode *gi = gofer_i(inode);

	if (kept && !gi->node)
		gofer_set_node(inode, kept);
	else if (kept)
		gofer_forget(kept);
}

/* A name of the inode is gone. */
static void lost_name(struct inode *inode, uint64_t kept)
{
	inode_drop_nlink(inode);
	inode_touch(inode, false, false, true);
	if (!inode->nlink)
		gofer_i(inode)->unlinked = true;
	keep_node(inode, kept);
}

static void name_taken(struct later *l, const struct fsd_reply *rep)
{
	keep_node(l->target, rep->node);
}

/* An inode is about to lose a name: FSD_KEEP, if it is needed without one. What is not needed is closed now,
 * so that the host's work of freeing it is done where the name is removed. Sleeps. */
static unsigned before_loss(struct inode *inode)
{
	struct gofer_inode *gi = gofer_i(inode);

	if (in_use(inode)) {
		/* by its descriptor alone it can still be read */
		if (S_ISREG(inode->mode) && gi->opens && gi->ro_fd < 0 && gi->rw_fd < 0 &&
		    gofer_get_fd(inode, false) >= 0)
			gofer_put_fd(inode);
		return FSD_KEEP;
	}
	if (!gi->busy && !gi->pinned && inode->nlink <= 1)
		gofer_close_fds(inode);
	return 0;
}

static bool unlink_later(struct inode *dir, struct dentry *dentry, unsigned flags)
{
	struct later *l;

	if (!later_possible(dir) || !later_possible(dentry->inode))
		return false;
	l = later_begin(dir, NULL);
	if (!l)
		return false;
	l->q.op = FSD_UNLINK;
	l->q.name = gofer_str(dentry);
	l->q.flags = flags;
	l->done = name_taken;
	if (later_post(l, NULL, dentry->inode) < 0) {
		later_abandon(l);
		return false;
	}
	return true;
}

static int gofer_unlink(struct inode *dir, struct dentry *dentry)
{
	struct inode *inode = dentry->inode;
	struct fsd_req q = {.op = FSD_UNLINK, .name = gofer_str(dentry)};
	struct gofer_own own;
	struct gofer_call c;
	int ret;

	q.flags = before_loss(inode);
	if (unlink_later(dir, dentry, q.flags)) {
		lost_name(inode, 0);
		listing_remove(dir, dentry->name, dentry->name_size);
		inode_touch(dir, false, true, true);
		return 0;
	}
	own_begin(&own);
	own_entry(&own, dir, dentry, IN_DELETE);
	own_inode(&own, inode, IN_ATTRIB | IN_DELETE_SELF);
	ret = gofer_dir_call(dir, &c, &q);
	own_end(&own, ret);
	if (!ret) {
		lost_name(inode, c.rep.node);
		listing_remove(dir, dentry->name, dentry->name_size);
		inode_touch(dir, false, true, true);
	}
	gofer_call_done(&c);
	return ret;
}

static bool rmdir_later(struct inode *dir, struct dentry *dentry)
{
	struct inode *inode = dentry->inode;
	struct later *l;

	if (!later_possible(dir) || !later_possible(inode) || !listing_known_empty(inode))
		return false;
	l = later_begin(dir, NULL);
	if (!l)
		return false;
	l->q.op = FSD_RMDIR;
	l->q.name = gofer_str(dentry);
	if (later_post(l, inode, NULL) < 0) {
		later_abandon(l);
		return false;
	}
	return true;
}

static int ask_rmdir(struct inode *dir, struct dentry *dentry)
{
	struct fsd_req q = {.op = FSD_RMDIR, .name = gofer_str(dentry)};
	struct gofer_own own;
	struct gofer_call c;
	int ret;

	own_begin(&own);
	own_entry(&own, dir, dentry, IN_DELETE);
	own_inode(&own, dentry->inode, IN_DELETE_SELF);
	ret = gofer_dir_call(dir, &c, &q);
	own_end(&own, ret);
	gofer_call_done(&c);
	return ret;
}

static int gofer_rmdir(struct inode *dir, struct dentry *dentry)
{
	int ret = rmdir_later(dir, dentry) ? 0 : ask_rmdir(dir, dentry);

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

/* A file that takes the place of another, or a new name while there is room for it. */
static bool rename_later(struct inode *old_dir, struct dentry *old, struct inode *new_dir,
			 struct dentry *new_dentry, unsigned flags)
{
	struct inode *inode = old->inode, *target = new_dentry->inode;
	struct later *l;

	if ((flags & RENAME_EXCHANGE_) || S_ISDIR(inode->mode) || (target && S_ISDIR(target->mode)) ||
	    !later_possible(old_dir) || !later_possible(new_dir) || !later_possible(inode) ||
	    (target && !later_possible(target)) || gofer_i(old_dir)->dev != gofer_i(new_dir)->dev ||
	    (!target && !gofer_has_room(old_dir->sb)))
		return false;
	l = later_begin(old_dir, new_dir);
	if (!l)
		return false;
	l->q.op = FSD_RENAME;
	l->q.name = gofer_str(old);
	l->q.name2 = gofer_str(new_dentry);
	l->q.flags = flags;
	l->done = target ? name_taken : NULL;
	if (later_post(l, inode, target) < 0) {
		later_abandon(l);
		return false;
	}
	return true;
}

static int gofer_rename(struct inode *old_dir, struct dentry *old, struct inode *new_dir,
			struct dentry *new_dentry, unsigned flags)
{
	struct fsd_req q = {.op = FSD_RENAME, .flags = flags};
	struct inode *target = new_dentry->inode;
	struct gofer_attempt a = {0};
	struct gofer_own own;
	struct gofer_call c;
	int ret;

	if (flags & ~(RENAME_NOREPLACE_ | RENAME_EXCHANGE_))
		return -EINVAL;
	if (target && target == old->inode && !(flags & RENAME_EXCHANGE_))
		return 0; /* two names of one file: nothing happens */
	if (target && !S_ISDIR(target->mode) && !(flags & RENAME_EXCHANGE_))
		q.flags |= before_loss(target);
	if (rename_later(old_dir, old, new_dir, new_dentry, q.flags)) {
		renamed(old_dir, old, new_dir, new_dentry, flags, 0);
		return 0;
	}
	own_begin(&own);
	own_entry(&own, old_dir, old, IN_MOVE);
	own_entry(&own, new_dir, new_dentry, IN_MOVE);
	own_inode(&own, old->inode, IN_MOVE_SELF);
	own_inode(&own, target, IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF);
	for (;;) {
		ret = gofer_dir_node(old_dir, &q.node);
		if (!ret)
			ret = gofer_dir_node(new_dir, &q.node2);
		if (ret < 0) {
			own_end(&own, ret);
			return ret == -ESTALE ? -ENOENT : ret;
		}
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
	own_end(&own, ret);
	if (!ret)
		renamed(old_dir, old, new_dir, new_dentry, flags, c.rep.node);
	gofer_call_done(&c);
	return ret;
}

ssize_t gofer_getxattr(struct inode *inode, const char *name, void *buf, size_t size);
int gofer_setxattr(struct inode *inode, const char *name, const void *value, size_t size, int flags);
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
