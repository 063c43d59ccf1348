/* Asking ahead, on exclusive mounts. Programs that walk a tree (find, tar, grep -r, rm -r) go through
 * directories in the order in which they were listed: when a file is opened whose predecessor was opened
 * just before, descriptors of the next ones are asked for without waiting; when a directory is read whose
 * sibling was read before, the listings of the next directories are. What comes back is kept for a
 * while by a reference to its inode; what nobody used by then is forgotten. */
#include <errno.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/util.h"
#include "services/sysd/core/ktimer.h"
#include "services/sysd/fs/gofer/private.h"

#define IN_FLIGHT_MAX 32u
#define RECENT_MAX 128u
#define WINDOW_MAX 16u
#define DIRS_AHEAD 3u
#define STRIDE_MAX 4u    /* entries that may be left out and it is still a walk */

struct prefetch {
	struct gofer_call call;
	struct list node;
	struct inode *dir;       /* a reference */
	struct inode *target;    /* of a listing: the directory; a reference */
	uint64_t ino, version;
	bool fat;
	struct waitq done;
	unsigned refs;
	char name[FSD_NAME_MAX + 1];
};

static struct list in_flight = LIST_INIT(in_flight);
static unsigned in_flight_count;
static struct inode *recent[RECENT_MAX]; /* references; a ring */
static unsigned recent_next;

static void keep(struct inode *inode)
{
	struct inode *old = recent[recent_next];

	recent[recent_next] = inode;
	recent_next = (recent_next + 1) % RECENT_MAX;
	inode_unref(old);
}

void prefetch_forget(struct super_block *sb)
{
	for (unsigned i = 0; i < RECENT_MAX; i++)
		if (recent[i] && recent[i]->sb == sb)
			inode_unref(STEAL_PTR(recent[i]));
}

static void prefetch_put(struct prefetch *p)
{
	if (--p->refs)
		return;
	gofer_call_done(&p->call);
	inode_unref(p->dir);
	inode_unref(p->target);
	free(p);
}

static void opened(struct prefetch *p)
{
	struct inode *inode = gofer_iget(p->dir->sb, &p->call.rep.attr);

	if (!inode)
		return;
	gofer_adopt_fd(inode, STEAL_FD(p->call.fd), false);
	keep(inode);
}

static void on_reply(struct gofer_call *c)
{
	struct prefetch *p = CONTAINER_OF(c, struct prefetch, call);

	list_del(&p->node);
	in_flight_count--;
	if (!c->error && p->dir->sb) {
		if (!p->target)
			opened(p);
		else if (p->target->version == p->version && !gofer_i(p->target)->listing &&
			 listing_from_reply(p->target, c, p->fat))
			keep(inode_ref(p->target));
	}
	waitq_wake_all(&p->done);
	prefetch_put(p);
}

static struct prefetch *find(const struct inode *dir, uint64_t ino)
{
	struct prefetch *p;

	LIST_FOR_EACH(p, &in_flight, node)
		if (p->ino == ino && p->dir->sb == dir->sb)
			return p;
	return NULL;
}

void prefetch_wait(struct inode *dir, uint64_t ino)
{
	struct prefetch *p = list_empty(&in_flight) ? NULL : find(dir, ino);

	if (!p)
		return;
	p->refs++;
	WAIT_EVENT(&p->done, p->call.done);
	prefetch_put(p);
}

static bool start(struct inode *dir, const struct namelist_entry *e, const char *name, struct inode *target)
{
	struct fsd_req q = {.op = target ? FSD_READDIR : FSD_OPEN, .name = {name, e->name_size}};
	struct prefetch *p;

	if (in_flight_count >= IN_FLIGHT_MAX || find(dir, e->ino))
		return false;
	p = calloc(1, sizeof(*p));
	if (!p)
		return false;
	p->dir = inode_ref(dir);
	p->target = target ? inode_ref(target) : NULL;
	p->ino = e->ino;
	p->version = target ? target->version : 0;
	p->refs = 1;
	waitq_init(&p->done);
	p->call.on_reply = on_reply;
	q.node = gofer_i(dir)->node;
	if (target) {
		p->fat = listing_fat_credit();
		q.size = FSD_READDIR_MAX;
		q.flags = p->fat ? FSD_DIR_ATTR : FSD_DIR_ATTR_DIRS;
	}
	if (gofer_send(&p->call, &q) < 0) {
		prefetch_put(p);
		return false;
	}
	list_add_tail(&in_flight, &p->node);
	in_flight_count++;
	return true;
}

/* Is `index` the next step of a walk, `last` being where it was? */
static bool follows(uint32_t *last, uint32_t index)
{
	uint32_t before = *last;

	*last = index + 1; /* 0: nowhere yet */
	return before && index + 1 > before && index + 1 - before <= STRIDE_MAX;
}

/* The directory entry of an open file or directory, when its listing is known. */
static struct namelist_entry *entry_of(struct dentry *d, struct inode **ret_dir)
{
	struct inode *dir = d->parent == d || d->unhashed ? NULL : d->parent->inode;

	if (!dir || gofer_shared(dir) || !gofer_i(dir)->listing || gofer_i(dir)->node_epoch != gofer_epoch() ||
	    !gofer_i(dir)->node)
		return NULL;
	*ret_dir = dir;
	return listing_find(gofer_i(dir)->listing, d->name, d->name_size);
}

void prefetch_after_open(struct dentry *d)
{
	struct inode *dir;
	struct namelist_entry *e = entry_of(d, &dir);
	struct gofer_inode *gi;
	uint32_t at, end;
	const char *name;

	if (!e)
		return;
	gi = gofer_i(dir);
	at = listing_index(gi->listing, e);
	if (!follows(&gi->walk_file, at)) {
		gi->window = 0;
		gi->asked = 0;
		return;
	}
	gi->window = MIN(gi->window ? gi->window * 2 : 2, WINDOW_MAX);
	/* Half a window of what was asked for is still to come: nothing to do. */
	if (gi->asked > at + gi->window / 2)
		return;
	end = (uint32_t)MIN((uint64_t)at + 1 + gi->window, listing_size(gi->listing));
	for (at = MAX(at + 1, gi->asked); at < end; at++) {
		const struct namelist_entry *n = listing_at(gi->listing, at, &name);

		if (n->dead || n->marked || n->type != DT_REG || gofer_has_fd(dir, n->ino))
			continue;
		if (!start(dir, n, name, NULL))
			break;
	}
	gi->asked = at;
}

/* Asks for the listings of the next `count` directories from entry `at` of dir on. */
static void ask_dirs(struct inode *dir, uint32_t at, unsigned count)
{
	struct gofer_inode *gi = gofer_i(dir);
	const char *name;

	for (; count && at < listing_size(gi->listing); at++) {
		const struct namelist_entry *n = listing_at(gi->listing, at, &name);
		const struct fsd_attr *a;
		struct inode *target;

		if (n->dead || n->type != DT_DIR)
			continue;
		count--;
		target = n->marked ? NULL : gofer_find(dir->sb, gi->dev, n->ino);
		if (!target) {
			a = listing_peek_attr(gi->listing, n);
			target = a ? gofer_iget(dir->sb, a) : NULL;
		}
		if (!target)
			continue;
		if (!gofer_i(target)->listing)
			start(dir, n, name, target);
		inode_unref(target);
	}
}

void prefetch_after_readdir(struct dentry *d)
{
	struct inode *parent, *dir = d->inode;
	struct namelist_entry *e = entry_of(d, &parent);
	uint32_t at;

	if (!e)
		return;
	at = listing_index(gofer_i(parent)->listing, e);
	/* The first directory of a folder that is itself part of a walk counts too. */
	if (!follows(&gofer_i(parent)->walk_dir, at) && !gofer_i(parent)->walked)
		return;
	gofer_i(dir)->walked = true;
	if (gofer_i(dir)->listing && gofer_i(dir)->node && gofer_i(dir)->node_epoch == gofer_epoch())
		ask_dirs(dir, 0, DIRS_AHEAD);
	ask_dirs(parent, at + 1, DIRS_AHEAD);
}
