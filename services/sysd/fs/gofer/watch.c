/* inotify for what the host does in a mount that it works in as well. While a guest watches an inode, fsd has a watch
 * of the host's on it; the events come on a descriptor of fsd's one inotify instance, which sysd reads itself. The
 * kernel bounds its queue; what did not fit comes as IN_Q_OVERFLOW, and every guest that may have missed something is
 * told the same.
 *
 * The host reports the guest's own changes as well, which the VFS reports already. Each change of ours is therefore
 * announced here before it is made (own_begin, own_entry, own_inode) and ended after it (own_end). The host queues an
 * event before the call that caused it returns, so what is read until own_end and looks like ours is ours, or came at
 * the same moment and says the same; the VFS's event follows. When the change fails, such events were the host's, and
 * are delivered. One thing stays: a writable descriptor that memd still holds for a mapping closes when it likes.
 *
 * Nothing here sleeps but gofer_watch and the strands that close an instance or ask for the watches anew. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/util.h"
#include "common/log/log.h"
#include "services/sysd/core/sched.h"
#include "services/sysd/fs/gofer/private.h"
#include "services/sysd/vfs/fsnotify.h"

#define BUCKETS 64u
#define READ_SIZE 16384u
#define ROUNDS_READY 4   /* pieces of the queue that are read before somebody else gets the CPU */
#define ROUNDS_OWN 64    /* more than the kernel queues by default */
#define HOST_COOKIE 0x80000000u /* the VFS counts its own renames from below */

/* What a guest watches. */
struct gofer_watch {
	struct inode *inode;     /* held by the guest's watches */
	uint32_t users;
	int32_t wd;              /* 0: the host has none */
	struct list node;        /* in watched */
	struct list wd_node, idle_node;
};

struct instance {
	struct host_watch watch;
	int fd;
};

bool gofer_watching;

static struct list watched = LIST_INIT(watched);
static struct list by_wd[BUCKETS];
static struct list idle = LIST_INIT(idle); /* whose descriptors may keep the host from removing the file */
static struct list changes = LIST_INIT(changes); /* struct gofer_own: under way */
static struct instance *instance;
static unsigned with_wd, asking;
static bool draining, closing, warned;
static _Alignas(struct inotify_event) char buf[READ_SIZE]; /* while draining */

static struct list *bucket(int32_t wd)
{
	struct list *l = &by_wd[(uint32_t)wd % BUCKETS];

	if (!l->next)
		list_init(l);
	return l;
}

/* ---- telling the guest ---- */

/* What is cached of a name is not believed any more. */
static void forget(struct inode *dir, const char *name)
{
	size_t size = name ? strlen(name) : 0;
	struct dentry *d;

	gofer_i(dir)->attr_stale = true;
	if (!name)
		return;
	LIST_FOR_EACH(d, &dir->dentries, alias) {
		struct dentry *child = d_lookup_raw(d, name, size, d_hash_name(name, size));

		if (!child)
			continue;
		child->stamp = 0;
		if (child->inode)
			gofer_i(child->inode)->attr_stale = true;
	}
}

static void tell(struct inode *inode, const char *name, uint32_t mask, uint32_t cookie)
{
	forget(inode, name);
	/* What lost its last name by us is the VFS's to end. */
	if (!name && gofer_i(inode)->unlinked)
		mask &= ~(uint32_t)IN_DELETE_SELF;
	for (uint32_t bit = 1; bit <= IN_MOVE_SELF; bit <<= 1)
		if (mask & FSD_WATCH_EVENTS & bit)
			fsnotify_inode(inode, name, bit | (mask & IN_ISDIR), bit & IN_MOVE ? cookie | HOST_COOKIE : 0);
}

/* ---- own changes ---- */

static bool own_matches(const struct gofer_own_event *e, const struct inode *inode, const char *name)
{
	const struct dentry *d;
	size_t size;

	if (e->name)
		return name && e->inode == inode && !strcmp(e->name, name);
	if (!name)
		return e->inode == inode;
	/* the file's own event as its directory hears it */
	size = strlen(name);
	if (e->no_name)
		return e->hash == d_hash_name(name, size);
	LIST_FOR_EACH(d, &e->inode->dentries, alias)
		if (d->parent->inode == inode && d->name_size == size && !memcmp(d->name, name, size))
			return true;
	return false;
}

static bool is_own(const struct inode *inode, const char *name, uint32_t mask)
{
	struct gofer_own *o;

	LIST_FOR_EACH(o, &changes, node) {
		for (unsigned i = 0; i < o->count; i++) {
			struct gofer_own_event *e = &o->event[i];

			if ((mask & FSD_WATCH_EVENTS & ~e->mask) || !own_matches(e, inode, name))
				continue;
			e->seen |= mask;
			return true;
		}
	}
	return false;
}

void own_start(struct gofer_own *o)
{
	gofer_watch_read();
	o->count = 0;
	o->active = true;
	list_add_tail(&changes, &o->node);
}

static struct gofer_own_event *add_event(struct gofer_own *o, struct inode *inode, uint32_t mask)
{
	struct gofer_own_event *e;

	if (!o->active || o->count == ARRAY_SIZE(o->event))
		return NULL;
	e = &o->event[o->count++];
	*e = (struct gofer_own_event){.inode = inode, .mask = mask};
	return e;
}

void own_entry(struct gofer_own *o, struct inode *dir, const struct dentry *d, uint32_t mask)
{
	struct gofer_own_event *e = add_event(o, dir, mask);

	if (e)
		e->name = d->name;
}

void own_inode(struct gofer_own *o, struct inode *inode, uint32_t mask)
{
	struct gofer_own_event *e = inode ? add_event(o, inode, mask) : NULL;

	if (!e)
		return;
	e->no_name = list_empty(&inode->dentries);
	e->hash = gofer_i(inode)->name_hash;
}

/* It was not ours after all. */
static void give_back(const struct gofer_own_event *e)
{
	struct dentry *d;

	if (!e->seen)
		return;
	tell(e->inode, e->name, e->seen, 0);
	if (e->name)
		return;
	LIST_FOR_EACH(d, &e->inode->dentries, alias)
		if (d->parent != d && d->parent->inode)
			tell(d->parent->inode, d->name, e->seen & ~(uint32_t)(IN_DELETE_SELF | IN_MOVE_SELF), 0);
}

void own_finish(struct gofer_own *o, int ret)
{
	gofer_watch_read();
	list_del(&o->node);
	o->active = false;
	for (unsigned i = 0; ret < 0 && i < o->count; i++)
		give_back(&o->event[i]);
}

/* ---- the host's events ---- */

static void drop_wd(struct gofer_watch *w)
{
	if (!w->wd)
		return;
	list_del(&w->wd_node);
	gofer_send_unwatch(w->wd);
	w->wd = 0;
	with_wd--;
}

static void on_event(struct gofer_watch *w, const char *name, uint32_t mask, uint32_t cookie)
{
	struct inode *inode = w->inode;

	if (mask & IN_IGNORED) { /* the file is gone from the host, or its file system */
		drop_wd(w);
		if (!gofer_i(inode)->unlinked && fsnotify_inode_gone) {
			inode_ref(inode);
			fsnotify_inode_gone(inode);
			inode_unref(inode);
		}
		return;
	}
	if (mask & IN_UNMOUNT)
		fsnotify_inode(inode, NULL, IN_UNMOUNT, 0);
	if (!(mask & FSD_WATCH_EVENTS))
		return;
	/* Its last name may be gone: what we keep for a later open would keep the file. */
	if ((mask & IN_ATTRIB) && !name && list_empty(&w->idle_node))
		list_add_tail(&idle, &w->idle_node);
	if (is_own(inode, name, mask))
		return;
	inode_ref(inode);
	tell(inode, name, mask, cookie);
	inode_unref(inode);
}

static void dispatch(const struct inotify_event *e, const char *name)
{
	struct gofer_watch *w, *next;

	if (e->mask & IN_Q_OVERFLOW) {
		log_warn("the host dropped events of files that the guest watches: too many at once");
		if (fsnotify_overflow)
			fsnotify_overflow();
		return;
	}
	LIST_FOR_EACH_SAFE(w, next, bucket(e->wd), wd_node)
		if (w->wd == e->wd)
			on_event(w, name, e->mask, e->cookie);
}

static void parse(const char *p, size_t size)
{
	while (size >= sizeof(struct inotify_event)) {
		struct inotify_event e;
		const char *name = p + sizeof(e);

		memcpy(&e, p, sizeof(e));
		size -= sizeof(e);
		if (e.len > size || (e.len && !memchr(name, 0, e.len)))
			return;
		dispatch(&e, e.len && *name ? name : NULL);
		p = name + e.len;
		size -= e.len;
	}
}

static void close_idle(void)
{
	while (!list_empty(&idle)) {
		struct gofer_watch *w = LIST_FIRST(&idle, struct gofer_watch, idle_node);
		const struct gofer_inode *gi = gofer_i(w->inode);

		list_del(&w->idle_node);
		if (!gi->opens && !gi->busy && !gi->pinned && !gi->unlinked)
			gofer_close_fds(w->inode);
	}
}

static void close_unused(void *arg)
{
	struct instance *i;

	(void)arg;
	closing = false;
	if (with_wd || asking || !instance)
		return;
	i = STEAL_PTR(instance);
	host_watch_remove(&i->watch);
	close(i->fd);
	free(i);
}

/* fsd closed its end with the last watch. */
static void maybe_close(void)
{
	if (!with_wd && !asking && instance && !closing)
		closing = sched_spawn(close_unused, NULL) == 0;
}

static bool drain(int rounds)
{
	ssize_t n = 0;

	if (!instance || draining)
		return false;
	draining = true;
	while (rounds--) {
		n = read(instance->fd, buf, sizeof(buf));
		if (n <= 0)
			break;
		parse(buf, (size_t)n);
	}
	draining = false;
	close_idle();
	maybe_close();
	return n > 0;
}

void gofer_watch_read(void)
{
	drain(ROUNDS_OWN);
}

static void on_ready(void *arg, uint32_t revents)
{
	struct instance *i = arg;

	(void)revents;
	if (i != instance)
		return;
	drain(ROUNDS_READY);
	if (i == instance)
		host_watch_arm(&i->watch, EPOLLIN);
}

/* ---- watches ---- */

/* A new instance of fsd's; the old one's watches are gone. */
static int adopt(int fd)
{
	struct instance *i = calloc(1, sizeof(*i)), *old = STEAL_PTR(instance);
	int ret = i ? host_watch_add(&i->watch, fd, on_ready, i) : -ENOMEM;

	if (ret < 0) {
		free(i);
		close(fd);
	} else {
		i->fd = fd;
		instance = i;
		host_watch_arm(&i->watch, EPOLLIN);
	}
	if (old) {
		host_watch_remove(&old->watch);
		close(old->fd);
		free(old);
	}
	return ret;
}

static int ask(struct gofer_watch *w)
{
	struct inode *inode = inode_ref(w->inode);
	struct fsd_req q = {.op = FSD_WATCH};
	struct gofer_call c;
	int ret;

	asking++;
	ret = S_ISDIR(inode->mode) ? gofer_dir_call(inode, &c, &q) : gofer_inode_call(inode, &c, &q);
	if (!ret && (c.rep.flags & FSD_WATCH_FD))
		ret = adopt(STEAL_FD(c.fd));
	if (!ret && (!instance || !c.rep.cookie))
		ret = -EIO;
	asking--;
	if (!ret && w->wd) { /* two asked */
		gofer_send_unwatch((int32_t)c.rep.cookie);
	} else if (!ret) {
		w->wd = (int32_t)c.rep.cookie;
		list_add_tail(bucket(w->wd), &w->wd_node);
		with_wd++;
	}
	gofer_call_done(&c);
	maybe_close();
	inode_unref(inode);
	return ret;
}

int gofer_watch(struct inode *inode)
{
	struct gofer_inode *gi = gofer_i(inode);
	struct gofer_watch *w = gi->watch;
	int ret;

	if (!gofer_shared(inode))
		return 0;
	if (!w) {
		w = calloc(1, sizeof(*w));
		if (!w)
			return -ENOMEM;
		w->inode = inode;
		list_init(&w->wd_node);
		list_init(&w->idle_node);
		list_add_tail(&watched, &w->node);
		gi->watch = w;
		gofer_watching = true;
	}
	w->users++;
	ret = w->wd ? 0 : ask(w);
	if (ret == -ENOSPC || ret == -EMFILE || ret == -ENFILE || ret == -ENOMEM) {
		if (!warned)
			log_warn("the host has no room for a watch (fs.inotify.max_user_watches, max_user_instances): %s",
				 strerror(-ret));
		warned = true;
		gofer_unwatch(inode);
		return -ENOSPC;
	}
	if (ret < 0)
		log_info("changes that the host makes are not watched: %s", strerror(-ret));
	return 0;
}

void gofer_unwatch(struct inode *inode)
{
	struct gofer_inode *gi = gofer_i(inode);
	struct gofer_watch *w = gi ? gi->watch : NULL;

	if (!w || --w->users)
		return;
	gi->watch = NULL;
	drop_wd(w);
	list_del(&w->idle_node);
	list_del(&w->node);
	free(w);
	gofer_watching = !list_empty(&watched);
	if (!draining)
		maybe_close();
}

static void ask_all(void *arg)
{
	struct gofer_watch *w;
	unsigned left = 0;
	bool again;

	(void)arg;
	LIST_FOR_EACH(w, &watched, node)
		left++;
	do { /* the list may change while one is asked for: each round asks for one */
		again = false;
		LIST_FOR_EACH(w, &watched, node) {
			struct inode *inode = w->inode;

			if (w->wd)
				continue;
			list_del(&w->node); /* the last in line from now on */
			list_add_tail(&watched, &w->node);
			w->users++;
			inode_ref(inode);
			if (ask(w) < 0)
				log_info("a watch was lost with fsd");
			gofer_unwatch(inode);
			inode_unref(inode);
			again = left-- > 1;
			break;
		}
	} while (again);
	if (fsnotify_overflow) /* nobody knows what came meanwhile */
		fsnotify_overflow();
}

void gofer_watch_reconnect(void)
{
	struct gofer_watch *w;

	LIST_FOR_EACH(w, &watched, node) {
		if (w->wd)
			list_del(&w->wd_node);
		w->wd = 0;
	}
	with_wd = 0;
	if (list_empty(&watched))
		maybe_close();
	else
		sched_spawn(ask_all, NULL);
}
