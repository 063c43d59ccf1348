/* Nodes: the directories that sysd knows by id, and files that lost their last name while in use. A
 * node's O_PATH descriptor is a cache: it is closed when descriptors run short, opened again by name in the
 * parent, and checked to be the same inode. Ids are never reused. */
#ifndef FSD_NODE_H
#define FSD_NODE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include "common/base/list.h"
#include "fsd/mount.h"

struct fsd_attr;

struct node {
	uint64_t id;
	struct fsd_mount *mount;
	struct node *parent;    /* NULL: a mount's root, or nameless */
	char *name;             /* NULL likewise */
	uint64_t dev, ino;
	int64_t btime_sec;      /* tells a new inode with an old number */
	uint32_t btime_nsec;
	uint32_t mode;
	int fd;                 /* O_PATH or -1 */
	bool fd_has_data;       /* it is open for reading and writing (O_TMPFILE) */
	bool nameless;          /* the descriptor is all there is: never closed */
	bool forgotten;         /* only children need it */
	bool watched;           /* open only during a request */
	unsigned children;
	struct list lru, id_node, ino_node;
};

/* Limits from RLIMIT_NOFILE. Call once. 0 or -ENOMEM. */
int node_init(void);
/* The node of an id, or NULL. */
struct node *node_get(uint64_t id);
/* The root node of a mount, made at its first use; NULL: no memory. */
struct node *node_root(struct fsd_mount *m);
/* The node of a directory that stands as `name` in parent, new or known (then its place is brought
 * up to date). Takes fd (may be -1: opened when needed). NULL: no memory, fd closed. */
struct node *node_enter(struct node *parent, const char *name, int fd, const struct statx *sx);
/* The node of such a directory if it is open and known under just this name, or NULL. */
struct node *node_known(struct node *parent, const char *name, const struct statx *sx);
/* A node for a file without a name; takes the descriptor on success. NULL: too many, or no memory. */
struct node *node_nameless(struct fsd_mount *m, int fd, bool has_data, const struct statx *sx);
/* A known node by inode, or NULL. */
struct node *node_find(const struct fsd_mount *m, uint64_t dev, uint64_t ino);
/* Its O_PATH descriptor; stays the node's and is valid until the next call for another node. -ESTALE
 * when it is not there any more, or -errno. */
int node_fd(struct node *n);
/* It got another name (rename), or lost it (rmdir: name NULL). -ENOMEM leaves it nameless. */
int node_move(struct node *n, struct node *parent, const char *name);
void node_forget(uint64_t id);
/* A directory that is watched does not stay open between requests. */
void node_watch(struct node *n, bool watched);
void node_let_go(void);
/* The path on the host, or "3:/usr/share" when that is not known, for the log; the end of it when size is short. */
const char *node_path(const struct node *n, const char *name, char *buf, size_t size);

struct node_stats {
	unsigned count, fds, nameless;
};
const struct node_stats *node_get_stats(void);

#endif
