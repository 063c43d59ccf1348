/* Files made ahead, on exclusive mounts: when a program creates one file after the other, fsd is asked for some
 * nameless ones, and a create then takes one of them, with its number and its descriptor, and only tells fsd
 * the name (later.c).
 *
 * A file of the pool is as good as one made in place when nothing of it comes from its directory: no default
 * ACL (known from the directory's attributes), the same mount, the same owner. fsd gives none out when the
 * file system has little room, so that a full disk is still the create's error; what it said is believed for
 * a second. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/util.h"
#include "services/sysd/core/clock.h"
#include "services/sysd/core/ktimer.h"
#include "services/sysd/fs/gofer/private.h"

#define FILES_MAX (2 * FSD_POOL_MAX)
#define LOW (FSD_POOL_MAX / 2)       /* fewer, and more are asked for */
#define STREAK_GAP_NS 50000000ull    /* creates that follow each other so closely... */
#define STREAK_MIN 3u                /* ...are a series from so many on */
#define BELIEVED_NS 1000000000ull
#define RETRY_NS 1000000000ull

struct pool {
	struct super_block *sb;
	struct pool_file {
		uint64_t node;
		struct fsd_attr attr;
		int fd;
	} files[FILES_MAX];
	unsigned count;
	uint32_t uid, gid, epoch;    /* of the files */
	uint64_t filled_ns, created_ns, retry_ns;
	unsigned streak;
	bool asked, off;
	struct ktimer expiry;
};

struct ask {
	struct gofer_call call;
	struct super_block *sb;      /* a reference */
	uint32_t uid, gid;
};

static void drop_files(struct pool *p)
{
	while (p->count) {
		struct pool_file *f = &p->files[--p->count];

		close(f->fd);
		if (p->epoch == gofer_epoch())
			gofer_forget(f->node);
	}
}

static void on_expiry(struct ktimer *t)
{
	drop_files(CONTAINER_OF(t, struct pool, expiry));
}

static struct pool *pool_of(struct super_block *sb)
{
	struct gofer_sb *s = gofer_sb(sb);

	if (!s->pool) {
		s->pool = calloc(1, sizeof(*s->pool));
		if (!s->pool)
			return NULL;
		s->pool->sb = sb;
		ktimer_init(&s->pool->expiry, on_expiry);
	}
	return s->pool;
}

void pool_free(struct super_block *sb)
{
	struct pool *p = STEAL_PTR(gofer_sb(sb)->pool);

	if (!p)
		return;
	ktimer_cancel(&p->expiry);
	drop_files(p);
	free(p);
}

static void add_file(struct pool *p, const struct fsd_walked *w, int fd)
{
	if (p->count == FILES_MAX || !w->node || !S_ISREG(w->attr.mode)) {
		close(fd);
		gofer_forget(w->node);
		return;
	}
	p->files[p->count++] = (struct pool_file){.node = w->node, .attr = w->attr, .fd = fd};
}

/* The descriptors come in no particular order: each is known by its number. */
static void take_files(struct pool *p, const struct ask *a)
{
	const struct fsd_reply *rep = &a->call.rep;
	bool taken[FSD_POOL_MAX] = {false};

	for (;;) {
		struct stat st;
		size_t i;
		int fd = gofer_take_fd(a->call.id, &st);

		if (fd < 0)
			break;
		for (i = 0; i < rep->walked_count; i++)
			if (!taken[i] && rep->walked[i].attr.ino == (uint64_t)st.st_ino)
				break;
		if (i == rep->walked_count) {
			close(fd);
			continue;
		}
		taken[i] = true;
		add_file(p, &rep->walked[i], fd);
	}
	for (size_t i = 0; i < rep->walked_count; i++)
		if (!taken[i])
			gofer_forget(rep->walked[i].node);
}

static void on_reply(struct gofer_call *c)
{
	struct ask *a = CONTAINER_OF(c, struct ask, call);
	struct super_block *sb = a->sb;
	struct pool *p = gofer_sb(sb)->pool;
	uint64_t now = clock_mono_ns();

	p->asked = false;
	if (c->error < 0) {
		p->off |= c->error == -EOPNOTSUPP;
		p->retry_ns = now + RETRY_NS;
	} else {
		if (p->uid != a->uid || p->gid != a->gid || p->epoch != gofer_epoch() ||
		    now - p->filled_ns > BELIEVED_NS)
			drop_files(p);
		p->uid = a->uid;
		p->gid = a->gid;
		p->epoch = gofer_epoch();
		p->filled_ns = gofer_sb(sb)->room_ns = now;
		take_files(p, a);
		ktimer_start(&p->expiry, now + BELIEVED_NS);
	}
	gofer_call_done(c);
	free(a);
	super_unref(sb);
}

static void ask(struct pool *p, struct inode *dir, const struct fsd_req *want)
{
	struct fsd_req q = {.op = FSD_POOL, .mode = want->mode, .uid = want->uid, .gid = want->gid};
	struct ask *a;

	if (gofer_dir_node(dir, &q.node) < 0)
		return;
	a = calloc(1, sizeof(*a));
	if (!a)
		return;
	q.size = p->streak > FSD_POOL_MAX ? FSD_POOL_MAX : FSD_POOL_MAX / 2;
	a->sb = super_ref(dir->sb);
	a->uid = want->uid;
	a->gid = want->gid;
	a->call.on_reply = on_reply;
	a->call.quiet = true;
	if (gofer_send(&a->call, &q) == 0) {
		p->asked = true;
		return;
	}
	free(a);
	super_unref(dir->sb);
}

/* May a file that was not made in dir be one of it? */
static bool dir_suits(struct inode *dir)
{
	struct gofer_inode *gi = gofer_i(dir);

	if (!later_possible(dir) || gofer_sb(dir->sb)->opt.readonly)
		return false;
	if (gi->xattrs == XATTR_UNKNOWN)
		gofer_listxattr(dir, NULL, 0);
	return gi->xattrs == XATTR_NONE;
}

/* A create has begun: is it one of a series, and are there files for the next ones? Sleeps. */
static void look_ahead(struct pool *p, struct inode *dir, const struct fsd_req *q)
{
	uint64_t now = clock_mono_ns();

	p->streak = now - p->created_ns < STREAK_GAP_NS ? p->streak + 1 : 1;
	p->created_ns = now;
	if (p->off || p->streak < STREAK_MIN || now < p->retry_ns || !dir_suits(dir))
		return;
	if (p->uid != q->uid || p->gid != q->gid || p->epoch != gofer_epoch() || now - p->filled_ns > BELIEVED_NS)
		drop_files(p);
	if (p->count < LOW && !p->asked)
		ask(p, dir, q);
}

/* The name has been told: times and counts are the host's from now on. */
static void born(struct later *l, const struct fsd_reply *rep)
{
	gofer_i(l->inode)->attr_stale = true;
}

static struct inode *inode_of(struct inode *dir, const struct pool_file *f, const struct fsd_req *q)
{
	struct timespec64 now = time_now();
	struct fsd_attr attr = f->attr;
	struct inode *inode;

	attr.nlink = 1;
	attr.mode = q->mode;
	attr.atime = attr.mtime = attr.ctime = (struct fsd_time){now.sec, (uint32_t)now.nsec};
	inode = gofer_iget(dir->sb, &attr);
	if (inode)
		gofer_i(inode)->xattrs = XATTR_NONE;
	return inode;
}

struct inode *pool_create(struct inode *dir, const struct fsd_req *q)
{
	struct pool *p = gofer_shared(dir) ? NULL : pool_of(dir->sb);
	struct pool_file f;
	struct inode *inode;
	struct later *l;

	if (!p)
		return NULL;
	look_ahead(p, dir, q);
	if (!p->count || !dir_suits(dir))
		return NULL;
	l = later_begin(dir, NULL);
	if (!l)
		return NULL;
	/* another task may have been faster, and fsd may be another one */
	if (!p->count || p->uid != q->uid || p->gid != q->gid || p->epoch != gofer_epoch()) {
		later_abandon(l);
		return NULL;
	}
	f = p->files[--p->count];
	inode = inode_of(dir, &f, q);
	l->q.op = FSD_BIRTH;
	l->q.name = q->name;
	l->q.node2 = f.node;
	l->q.mode = q->mode;
	if (inode)
		l->q.mtime = (struct fsd_time){inode->mtime.sec, (uint32_t)inode->mtime.nsec};
	l->q.flags = FSD_BIRTH_TOUCH | ((f.attr.mode ^ q->mode) & 07777 ? FSD_BIRTH_MODE : 0);
	l->done = born;
	if (!inode || later_post(l, inode, NULL) < 0) {
		close(f.fd);
		gofer_forget(f.node);
		later_abandon(l);
		inode_unref(inode);
		return NULL;
	}
	gofer_adopt_fd(inode, f.fd, true);
	return inode;
}

/* ---- after the death of fsd: the nameless file is gone but for our descriptor ---- */

static int copy_data(int from, int to)
{
	CLEANUP_FREE char *buf = malloc(65536);
	off_t at = 0;

	if (!buf)
		return -ENOMEM;
	for (;;) {
		ssize_t n = pread(from, buf, 65536, at);

		if (n <= 0)
			return n < 0 ? -errno : 0;
		if (pwrite(to, buf, (size_t)n, at) != n)
			return -EIO;
		at += n;
	}
}

/* It is made again, under its name, and gets what was written meanwhile. */
int pool_rebirth(struct later *l, struct gofer_call *c)
{
	struct inode *inode = l->inode;
	struct gofer_inode *gi = gofer_i(inode);
	struct fsd_req look = {.op = FSD_GETATTR, .node = l->q.node, .name = l->q.name};
	struct fsd_req make = {.op = FSD_CREATE, .node = l->q.node, .name = l->q.name, .mode = inode->mode & 0177777,
			       .uid = inode->uid, .gid = inode->gid, .flags = FSD_OPEN_FD};
	struct fsd_req undo = {.op = FSD_UNLINK, .node = l->q.node, .name = l->q.name};
	int ret = gofer_call(c, &look);

	if (ret != -ENOENT) {
		if (ret < 0 || gofer_same(inode, &c->rep.attr))
			return ret;
		gofer_call_done(c); /* of a replay that did not get to its end */
		ret = gofer_call(c, &undo);
		if (ret < 0)
			return ret;
	}
	gofer_call_done(c);
	ret = gofer_call(c, &make);
	if (!ret && c->fd < 0)
		ret = -EIO;
	if (!ret && gi->rw_fd >= 0)
		ret = copy_data(gi->rw_fd, c->fd);
	if (ret < 0)
		return ret;
	gofer_reborn(inode, &c->rep.attr, STEAL_FD(c->fd));
	return 0;
}
