/* The table of nodes; see node.h. sysd decides how many there are, so their number is bounded. */
#include "fsd/node.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>

#include "common/base/util.h"
#include "fsd/resolve.h"

#define HASH_SIZE 4096u
#define NODES_MAX (1u << 20)
#define FDS_RESERVED 64

static struct list by_id[HASH_SIZE], by_ino[HASH_SIZE];
static struct list lru = LIST_INIT(lru); /* nodes with a descriptor that may be closed, oldest first */
static struct list briefly = LIST_INIT(briefly); /* likewise, at the end of the request */
static unsigned fds_max;
static uint64_t next_id = 1;
static struct node_stats stats;

int node_init(void)
{
	struct rlimit rl = {.rlim_cur = 256};

	getrlimit(RLIMIT_NOFILE, &rl);
	fds_max = rl.rlim_cur > 65536 ? 32768 : rl.rlim_cur > 2 * FDS_RESERVED
							? (unsigned)rl.rlim_cur - FDS_RESERVED
							: 16;
	return 0;
}

/* Heads are made when they are first used: an idle fsd touches none of their pages. */
static struct list *head(struct list *l)
{
	if (!l->next)
		list_init(l);
	return l;
}

static struct list *ino_bucket(uint64_t dev, uint64_t ino)
{
	return head(&by_ino[((ino ^ dev * 31) * 0x9e3779b97f4a7c15ull >> 40) % HASH_SIZE]);
}

static struct list *id_bucket(uint64_t id)
{
	return head(&by_id[id % HASH_SIZE]);
}

struct node *node_get(uint64_t id)
{
	struct node *n;

	LIST_FOR_EACH(n, id_bucket(id), id_node)
		if (n->id == id)
			return n->forgotten ? NULL : n;
	return NULL;
}

struct node *node_find(const struct fsd_mount *m, uint64_t dev, uint64_t ino)
{
	struct node *n;

	LIST_FOR_EACH(n, ino_bucket(dev, ino), ino_node)
		if (n->mount == m && n->ino == ino && n->dev == dev)
			return n;
	return NULL;
}

static uint64_t statx_dev(const struct statx *sx)
{
	return (uint64_t)sx->stx_dev_major << 32 | sx->stx_dev_minor;
}

static bool same_inode(const struct node *n, const struct statx *sx)
{
	return n->ino == sx->stx_ino && n->dev == statx_dev(sx) && !((n->mode ^ sx->stx_mode) & S_IFMT) &&
	       n->btime_sec == sx->stx_btime.tv_sec && n->btime_nsec == sx->stx_btime.tv_nsec;
}

static void drop_fd(struct node *n)
{
	if (n->fd >= 0) {
		close_fd(&n->fd);
		stats.fds--;
	}
	list_del(&n->lru);
}

/* Makes room for one more descriptor. */
static void trim_fds(const struct node *keep)
{
	while (stats.fds >= fds_max && !list_empty(&lru)) {
		struct node *n = LIST_FIRST(&lru, struct node, lru);

		if (n == keep)
			break;
		drop_fd(n);
	}
}

static void set_fd(struct node *n, int fd)
{
	drop_fd(n);
	n->fd_has_data = false;
	if (fd < 0)
		return;
	trim_fds(n);
	n->fd = fd;
	stats.fds++;
	if (!n->nameless)
		list_add_tail(n->watched ? &briefly : &lru, &n->lru);
}

static void node_free(struct node *n);

static void unlink_parent(struct node *n)
{
	struct node *p = n->parent;

	n->parent = NULL;
	free(STEAL_PTR(n->name));
	if (p && !--p->children && p->forgotten)
		node_free(p);
}

static void node_free(struct node *n)
{
	if (n->nameless)
		stats.nameless--;
	drop_fd(n);
	list_del(&n->id_node);
	list_del(&n->ino_node);
	unlink_parent(n);
	stats.count--;
	free(n);
}

static struct node *node_new(struct fsd_mount *m, const struct statx *sx)
{
	struct node *n;

	if (stats.count >= NODES_MAX)
		return NULL;
	n = calloc(1, sizeof(*n));
	if (!n)
		return NULL;
	*n = (struct node){
	    .id = next_id++,
	    .mount = m,
	    .dev = statx_dev(sx),
	    .ino = sx->stx_ino,
	    .btime_sec = sx->stx_btime.tv_sec,
	    .btime_nsec = sx->stx_btime.tv_nsec,
	    .mode = sx->stx_mode,
	    .fd = -1,
	};
	list_init(&n->lru);
	list_add(id_bucket(n->id), &n->id_node);
	list_add(ino_bucket(n->dev, n->ino), &n->ino_node);
	stats.count++;
	return n;
}

struct node *node_root(struct fsd_mount *m)
{
	struct node *n;
	struct statx sx;

	n = m->root_node ? node_get(m->root_node) : NULL;
	if (n)
		return n;
	if (statx(m->fd, "", AT_EMPTY_PATH, FSD_STATX_MASK, &sx) < 0)
		return NULL;
	n = node_new(m, &sx);
	if (!n)
		return NULL;
	m->root_node = n->id;
	return n;
}

static int set_place(struct node *n, struct node *parent, const char *name)
{
	char *copy;

	if (n->parent == parent && n->name && strcmp(n->name, name) == 0)
		return 0;
	/* Never a circle: a directory does not go beneath itself, whatever the host's tree says now. */
	for (struct node *p = parent; p; p = p->parent)
		if (p == n)
			return -ESTALE;
	copy = strdup(name);
	if (!copy)
		return -ENOMEM;
	parent->children++;
	unlink_parent(n);
	n->parent = parent;
	n->name = copy;
	return 0;
}

struct node *node_known(struct node *parent, const char *name, const struct statx *sx)
{
	struct node *n = node_find(parent->mount, statx_dev(sx), sx->stx_ino);

	return n && n->fd >= 0 && n->parent == parent && !strcmp(n->name, name) && !n->forgotten && same_inode(n, sx)
		       ? n
		       : NULL;
}

struct node *node_enter(struct node *parent, const char *name, int fd, const struct statx *sx)
{
	struct node *n = node_find(parent->mount, statx_dev(sx), sx->stx_ino);

	if (n && !same_inode(n, sx)) { /* the old one is gone: its id leads nowhere */
		list_del(&n->ino_node);
		n = NULL;
	}
	if (n && !n->parent && !n->nameless) { /* the root of the mount itself */
		close_fd(&fd);
		return n;
	}
	if (!n)
		n = node_new(parent->mount, sx);
	if (!n || set_place(n, parent, name) < 0) {
		if (n && !n->parent && !n->nameless)
			node_free(n);
		close_fd(&fd);
		return NULL;
	}
	if (n->nameless) {
		n->nameless = false;
		stats.nameless--;
		if (n->fd >= 0)
			list_add_tail(&lru, &n->lru);
	}
	n->forgotten = false;
	if (fd >= 0)
		set_fd(n, fd);
	return n;
}

struct node *node_nameless(struct fsd_mount *m, int fd, bool has_data, const struct statx *sx)
{
	struct node *n;

	if (stats.nameless >= fds_max / 2)
		return NULL;
	n = node_new(m, sx);
	if (!n)
		return NULL;
	n->nameless = true;
	stats.nameless++;
	set_fd(n, fd);
	n->fd_has_data = has_data;
	return n;
}

static void touch(struct node *n)
{
	if (!list_empty(&n->lru) && !n->watched) {
		list_del(&n->lru);
		list_add_tail(&lru, &n->lru);
	}
}

void node_watch(struct node *n, bool watched)
{
	n->watched = watched;
	if (list_empty(&n->lru))
		return;
	list_del(&n->lru);
	list_add_tail(watched ? &briefly : &lru, &n->lru);
}

void node_let_go(void)
{
	while (!list_empty(&briefly))
		drop_fd(LIST_FIRST(&briefly, struct node, lru));
}

#define DEPTH_MAX 4096

int node_fd(struct node *n)
{
	struct node *chain = n;
	unsigned depth = 0;

	if (n->fd >= 0) {
		touch(n);
		return n->fd;
	}
	if (!n->parent)
		return n->nameless || node_get(n->mount->root_node) != n ? -ESTALE : n->mount->fd;
	/* Down from the nearest ancestor that is open; one step a round, without recursion. */
	while (n->fd < 0) {
		struct statx sx;
		int dirfd, fd;

		if (++depth > DEPTH_MAX)
			return -ESTALE;
		for (chain = n; chain->parent && chain->parent->fd < 0 && chain->parent->parent;)
			chain = chain->parent;
		if (!chain->parent)
			return -ESTALE;
		dirfd = chain->parent->fd >= 0 ? chain->parent->fd : node_fd(chain->parent);
		if (dirfd < 0)
			return dirfd;
		fd = resolve_open_path(chain->mount, dirfd, chain->name, &sx);
		if (fd == -ENOENT || fd == -ENOTDIR)
			return -ESTALE;
		if (fd < 0)
			return fd;
		if (!same_inode(chain, &sx)) {
			close(fd);
			return -ESTALE;
		}
		set_fd(chain, fd);
	}
	return n->fd;
}

int node_move(struct node *n, struct node *parent, const char *name)
{
	int ret = name ? set_place(n, parent, name) : 0;

	if (!name || ret < 0) {
		unlink_parent(n);
		if (!n->nameless) {
			n->nameless = true;
			stats.nameless++;
			list_del(&n->lru);
			if (stats.nameless > fds_max / 2)
				drop_fd(n);
		}
	}
	return ret;
}

void node_forget(uint64_t id)
{
	struct node *n = node_get(id);

	if (!n || id == n->mount->root_node)
		return;
	if (n->children) {
		n->forgotten = true;
		return;
	}
	node_free(n);
}

/* Puts text before what is at *at; what does not fit is left out, and false. */
static bool prepend(char *buf, size_t *at, const char *text, size_t size)
{
	if (size > *at)
		return false;
	*at -= size;
	memcpy(buf + *at, text, size);
	return true;
}

const char *node_path(const struct node *n, const char *name, char *buf, size_t size)
{
	size_t at = size;
	char head[16];
	bool fits = true;

	buf[--at] = 0;
	for (; n && fits; n = n->parent) {
		if (name)
			fits = prepend(buf, &at, name, strlen(name)) && prepend(buf, &at, "/", 1);
		name = n->name;
		if (n->parent || !fits)
			continue;
		if (n->nameless || !n->mount->path) {
			snprintf(head, sizeof(head), "%d:", n->mount->fd);
			prepend(buf, &at, head, strlen(head));
		} else if (strcmp(n->mount->path, "/") || !buf[at]) {
			prepend(buf, &at, n->mount->path, strlen(n->mount->path));
		}
	}
	return buf + at;
}

const struct node_stats *node_get_stats(void)
{
	return &stats;
}
