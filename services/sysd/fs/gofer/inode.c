/* Inodes of a gofer mount: one for each file of the host that is known, found by device and number. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/util.h"
#include "services/sysd/core/clock.h"
#include "services/sysd/fs/gofer/private.h"

static struct list *bucket(struct gofer_sb *s, uint64_t dev, uint64_t ino)
{
	return &s->table[((ino ^ dev * 131) * 0x9e3779b97f4a7c15ull >> 32) & (s->table_size - 1)];
}

static void table_grow(struct gofer_sb *s)
{
	unsigned old_size = s->table_size, size = old_size * 2;
	struct list *old = s->table, *table = malloc(size * sizeof(*table));

	if (!table)
		return; /* longer chains */
	for (unsigned i = 0; i < size; i++)
		list_init(&table[i]);
	s->table = table;
	s->table_size = size;
	for (unsigned i = 0; i < old_size; i++) {
		while (!list_empty(&old[i])) {
			struct gofer_inode *gi = LIST_FIRST(&old[i], struct gofer_inode, hash_node);

			list_del(&gi->hash_node);
			list_add(bucket(s, gi->dev, gi->ino), &gi->hash_node);
		}
	}
	free(old);
}

bool gofer_same(const struct inode *inode, const struct fsd_attr *attr)
{
	const struct gofer_inode *gi = gofer_i(inode);

	return gi->ino == attr->ino && gi->dev == attr->dev && !((inode->mode ^ attr->mode) & S_IFMT) &&
	       gi->btime.sec == attr->btime.sec && gi->btime.nsec == attr->btime.nsec;
}

static struct timespec64 to_time(const struct fsd_time *t)
{
	return (struct timespec64){t->sec, t->nsec};
}

void gofer_apply(struct inode *inode, const struct fsd_attr *attr)
{
	inode->mode = (inode->mode & S_IFMT) | (attr->mode & 07777);
	inode->uid = attr->uid;
	inode->gid = attr->gid;
	inode->nlink = attr->nlink;
	inode->rdev = attr->rdev;
	inode->size = attr->size;
	inode->blocks = attr->blocks;
	inode->blksize = attr->blksize;
	inode->atime = to_time(&attr->atime);
	inode->mtime = to_time(&attr->mtime);
	inode->ctime = to_time(&attr->ctime);
	gofer_i(inode)->attr_stale = false;
	gofer_i(inode)->fixed = attr->flags & FSD_ATTR_FIXED;
	gofer_i(inode)->inner = attr->flags & FSD_ATTR_INNER;
	gofer_i(inode)->attr_ns = clock_mono_ns();
}

static void set_ops(struct inode *inode)
{
	switch (inode->mode & S_IFMT) {
	case S_IFREG:
		inode->op = &gofer_file_iops;
		inode->fop = &gofer_file_fops;
		break;
	case S_IFDIR:
		inode->op = &gofer_dir_iops;
		inode->fop = &gofer_dir_fops;
		break;
	case S_IFLNK:
		inode->op = &gofer_link_iops;
		break;
	default: /* FIFOs, sockets, devices: objects of the sandbox, with the VFS's fop */
		inode->op = &gofer_file_iops;
		break;
	}
}

static struct gofer_inode *hash_find(struct super_block *sb, uint64_t dev, uint64_t ino)
{
	struct gofer_inode *gi;

	LIST_FOR_EACH(gi, bucket(gofer_sb(sb), dev, ino), hash_node)
		if (gi->ino == ino && gi->dev == dev)
			return gi;
	return NULL;
}

bool gofer_known(struct super_block *sb, uint64_t dev, uint64_t ino)
{
	return hash_find(sb, dev, ino);
}

struct inode *gofer_find(struct super_block *sb, uint64_t dev, uint64_t ino)
{
	struct gofer_inode *gi = hash_find(sb, dev, ino);

	return gi ? inode_ref(gi->vfs) : NULL;
}

bool gofer_has_fd(struct inode *dir, uint64_t ino)
{
	struct gofer_inode *gi = hash_find(dir->sb, gofer_i(dir)->dev, ino);

	return gi && (gi->ro_fd >= 0 || gi->rw_fd >= 0);
}

struct inode *gofer_iget(struct super_block *sb, const struct fsd_attr *attr)
{
	struct gofer_sb *s = gofer_sb(sb);
	struct gofer_inode *gi, *tmp;
	struct inode *inode;

	LIST_FOR_EACH_SAFE(gi, tmp, bucket(s, attr->dev, attr->ino), hash_node) {
		if (gi->ino != attr->ino || gi->dev != attr->dev)
			continue;
		if (gofer_same(gi->vfs, attr)) {
			/* On an exclusive mount ours are at least as new: the reply may be older
			 * than a write of another task. */
			if (s->opt.shared)
				gofer_apply(gi->vfs, attr);
			return inode_ref(gi->vfs);
		}
		list_del(&gi->hash_node); /* the number belongs to another file now */
	}
	gi = calloc(1, sizeof(*gi));
	inode = gi ? inode_new(sb, attr->mode) : NULL;
	if (!inode) {
		free(gi);
		return NULL;
	}
	*gi = (struct gofer_inode){
	    .vfs = inode,
	    .dev = attr->dev,
	    .ino = attr->ino,
	    .btime = attr->btime,
	    .ro_fd = -1,
	    .rw_fd = -1,
	};
	list_init(&gi->lru);
	inode->priv = gi;
	inode->ino = attr->ino;
	inode->btime = to_time(&attr->btime);
	gi->met_ns = clock_mono_ns();
	inode->keeps_link = !s->opt.shared; /* else see gofer_readlink */
	gofer_apply(inode, attr);
	set_ops(inode);
	if (++s->inode_count > s->table_size)
		table_grow(s);
	list_add(bucket(s, gi->dev, gi->ino), &gi->hash_node);
	return inode;
}

void gofer_reborn(struct inode *inode, const struct fsd_attr *attr, int fd)
{
	struct gofer_inode *gi = gofer_i(inode);

	list_del(&gi->hash_node);
	gi->dev = attr->dev;
	gi->ino = inode->ino = attr->ino;
	gi->btime = attr->btime;
	inode->btime = to_time(&attr->btime);
	list_add(bucket(gofer_sb(inode->sb), gi->dev, gi->ino), &gi->hash_node);
	gofer_close_fds(inode);
	gofer_adopt_fd(inode, fd, true);
	gi->attr_stale = true;
}

void gofer_evict(struct inode *inode)
{
	struct gofer_inode *gi = gofer_i(inode);

	if (!gi)
		return;
	list_del(&gi->hash_node);
	gofer_sb(inode->sb)->inode_count--;
	gofer_close_fds(inode);
	listing_free(inode);
	if (gi->node && gi->node_epoch == gofer_epoch() && !(inode->sb->root && inode->sb->root->inode == inode))
		gofer_forget(gi->node);
	inode->priv = NULL;
	free(gi);
}

/* What the host's own stat says, for an inode whose descriptor we hold. Not the owner: ids of the host
 * have no names in sysd's user namespace, and on an exclusive mount we know it. */
static int refresh_from_fd(struct inode *inode, int fd)
{
	struct gofer_inode *gi = gofer_i(inode);
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	inode->size = (uint64_t)st.st_size;
	inode->blocks = (uint64_t)st.st_blocks;
	if (gi->pending) { /* the host is behind us */
		gi->attr_stale = true;
		return 0;
	}
	inode->mode = (inode->mode & S_IFMT) | (st.st_mode & 07777);
	inode->nlink = (uint32_t)st.st_nlink;
	inode->atime = (struct timespec64){st.st_atim.tv_sec, st.st_atim.tv_nsec};
	inode->mtime = (struct timespec64){st.st_mtim.tv_sec, st.st_mtim.tv_nsec};
	inode->ctime = (struct timespec64){st.st_ctim.tv_sec, st.st_ctim.tv_nsec};
	gi->attr_stale = gi->mapped_write;
	gi->attr_ns = clock_mono_ns();
	return 0;
}

static bool attr_fresh(const struct inode *inode)
{
	const struct gofer_inode *gi = gofer_i(inode);
	const struct gofer_options *opt = &gofer_sb(inode->sb)->opt;

	if (gi->attr_stale)
		return false;
	return !opt->shared || clock_mono_ns() - gi->attr_ns < opt->attr_timeout_ms * 1000000ull;
}

int gofer_getattr(struct inode *inode)
{
	struct gofer_inode *gi = gofer_i(inode);
	struct fsd_req q = {.op = FSD_GETATTR};
	struct gofer_call c;
	uint64_t size = inode->size;
	int ret;

	if (attr_fresh(inode))
		return 0;
	later_wait(inode);
	if (attr_fresh(inode))
		return 0;
	if (!gofer_shared(inode) && (gi->rw_fd >= 0 || gi->ro_fd >= 0))
		return refresh_from_fd(inode, gi->rw_fd >= 0 ? gi->rw_fd : gi->ro_fd);
	ret = gofer_inode_call(inode, &c, &q);
	if (!ret) {
		gofer_apply(inode, &c.rep.attr);
		gi->attr_stale = gi->mapped_write;
	}
	gofer_call_done(&c);
	if (ret == -ESTALE && !gofer_shared(inode)) { /* no name any more: what we know is all there is */
		inode->size = size;
		return 0;
	}
	return ret;
}

void gofer_keep_mode(struct dentry *d, int fd)
{
	struct inode *inode = d->inode;
	struct inode_attr attr = {.valid = ATTR_MODE, .mode = inode->mode};
	struct stat st;

	if (likely(!(inode->mode & (S_ISUID | S_ISGID))) || fstat(fd, &st) < 0 || st.st_mode == inode->mode)
		return;
	gofer_setattr(d, &attr);
}

static int set_size(struct dentry *d, uint64_t size)
{
	struct inode *inode = d->inode;
	struct gofer_own own;
	int fd, ret = 0;

	later_wait_attr(inode);
	fd = gofer_get_fd(inode, true);
	if (fd < 0)
		return fd;
	own_begin(&own);
	own_inode(&own, inode, OWN_ATTR);
	if (ftruncate(fd, (off_t)size) < 0)
		ret = -errno;
	own_end(&own, ret);
	gofer_keep_mode(d, fd);
	if (!ret)
		refresh_from_fd(inode, fd);
	inode->version++;
	gofer_put_fd(inode);
	return ret;
}

/* The answer to a change of attributes: exact times, and the mode that the host made of it. */
static void attr_done(struct later *l, const struct fsd_reply *rep)
{
	struct inode *inode = l->inode;
	struct gofer_inode *gi = gofer_i(inode);

	/* Written to since, or changed again: ask anew. */
	if (gi->pending || inode->version != l->version || gi->mapped_write) {
		gi->attr_stale = true;
		return;
	}
	inode->mode = (inode->mode & S_IFMT) | (rep->attr.mode & 07777);
	inode->uid = rep->attr.uid;
	inode->gid = rep->attr.gid;
	inode->size = rep->attr.size;
	inode->blocks = rep->attr.blocks;
	inode->atime = to_time(&rep->attr.atime);
	inode->mtime = to_time(&rep->attr.mtime);
	inode->ctime = to_time(&rep->attr.ctime);
	gi->attr_stale = false;
}

/* Modes and times that permissions allow cannot fail on the host; an owner is charged for the file. */
static bool setattr_later(struct inode *inode, const struct inode_attr *attr, struct fsd_req *q)
{
	struct dentry *d = gofer_alias(inode);
	struct inode *dir;
	struct later *l;

	if (!later_possible(inode) || !d || (attr->valid & ATTR_SIZE) || S_ISCHR(inode->mode) || S_ISBLK(inode->mode) ||
	    (S_ISLNK(inode->mode) && (q->valid & FSD_SET_MODE)) ||
	    ((q->valid & FSD_SET_UID) && q->uid != inode->uid) || ((q->valid & FSD_SET_GID) && q->gid != inode->gid))
		return false;
	dir = inode_ref(S_ISDIR(inode->mode) ? inode : d->parent->inode);
	l = later_begin(dir, NULL);
	d = gofer_alias(inode);
	if (!l || !d || (dir != inode && d->parent->inode != dir)) { /* moved meanwhile */
		later_abandon(l);
		inode_unref(dir);
		return false;
	}
	q->node = l->q.node;
	l->q = *q;
	if (dir != inode)
		l->q.name = gofer_str(d);
	l->done = attr_done;
	l->version = inode->version;
	inode_unref(dir);
	if (later_post(l, inode, NULL) < 0) {
		later_abandon(l);
		return false;
	}
	if (q->valid & FSD_SET_MODE)
		inode->mode = (inode->mode & S_IFMT) | q->mode;
	if (q->valid & FSD_SET_ATIME)
		inode->atime = attr->atime;
	if (q->valid & FSD_SET_MTIME)
		inode->mtime = attr->mtime;
	inode_touch(inode, false, false, true);
	gofer_i(inode)->attr_stale = true;
	return true;
}

int gofer_setattr(struct dentry *dentry, const struct inode_attr *attr)
{
	struct inode *inode = dentry->inode;
	struct fsd_req q = {.op = FSD_SETATTR};
	struct gofer_own own;
	struct gofer_call c;
	int ret;

	if (attr->valid & ATTR_SIZE) {
		ret = set_size(dentry, attr->size);
		if (ret < 0)
			return ret;
	}
	q.valid = (attr->valid & ATTR_MODE ? FSD_SET_MODE : 0) | (attr->valid & ATTR_UID ? FSD_SET_UID : 0) |
		  (attr->valid & ATTR_GID ? FSD_SET_GID : 0) |
		  (attr->valid & ATTR_ATIME ? FSD_SET_ATIME : 0) |
		  (attr->valid & ATTR_MTIME && !(attr->valid & ATTR_SIZE) ? FSD_SET_MTIME : 0);
	if (!q.valid)
		return 0;
	q.mode = attr->mode & 07777;
	q.uid = attr->uid;
	q.gid = attr->gid;
	q.atime = (struct fsd_time){attr->atime.sec, (uint32_t)attr->atime.nsec};
	q.mtime = (struct fsd_time){attr->mtime.sec, (uint32_t)attr->mtime.nsec};
	if (setattr_later(inode, attr, &q))
		return 0;
	own_begin(&own);
	own_inode(&own, inode, OWN_ATTR);
	ret = gofer_inode_call(inode, &c, &q);
	own_end(&own, ret);
	if (!ret) {
		uint32_t nlink = inode->nlink;

		gofer_apply(inode, &c.rep.attr);
		if (!gofer_shared(inode) && S_ISDIR(inode->mode))
			inode->nlink = nlink;
	}
	gofer_call_done(&c);
	return ret;
}

/* Shared mounts: is what stands under this name still what we know? */
int gofer_revalidate(struct dentry *dentry)
{
	struct super_block *sb = dentry->sb;
	const struct gofer_options *opt = &gofer_sb(sb)->opt;
	struct fsd_req q = {.op = FSD_GETATTR};
	struct gofer_call c;
	struct inode *dir;
	uint64_t now = clock_mono_ns();
	int ret;

	if (!opt->shared || dentry->parent == dentry)
		return 1;
	if (now - dentry->stamp < opt->attr_timeout_ms * 1000000ull)
		return 1;
	dir = inode_ref(dentry->parent->inode);
	q.name = gofer_str(dentry);
	ret = gofer_dir_call(dir, &c, &q);
	inode_unref(dir);
	if (!ret) {
		ret = dentry->inode && gofer_same(dentry->inode, &c.rep.attr);
		if (ret)
			gofer_apply(dentry->inode, &c.rep.attr);
	} else if (ret == -ENOENT || ret == -ESTALE || ret == -ENOTDIR) {
		ret = !dentry->inode;
	}
	gofer_call_done(&c);
	if (ret == 1)
		dentry->stamp = now;
	return ret;
}
