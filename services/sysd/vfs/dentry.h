/* The dentry cache: names in directories, positive or negative, and the mounts on top of them. */
#ifndef SYSD_VFS_DENTRY_H
#define SYSD_VFS_DENTRY_H

#include <stdbool.h>
#include <stdint.h>
#include "common/base/list.h"

struct inode;
struct super_block;
struct vfsmount;

#define DENTRY_INAME_SIZE 40
struct dentry {
	unsigned refs;           /* 0: cached, on the list of unused ones; children count */
	struct dentry *parent;   /* itself for a root; a reference */
	struct inode *inode;     /* NULL: negative; a reference */
	char *name;              /* iname, or an allocation */
	uint32_t name_size, hash;
	struct super_block *sb;
	struct list children, sibling, alias, hash_node, lru;
	bool unhashed;           /* unlinked or never entered */
	bool is_mountpoint;
	bool valid_checked;
	bool no_link;            /* O_TMPFILE with O_EXCL: never gets a name */
	uint64_t stamp;          /* the file system's, for revalidate */
	void *priv;
	char iname[DENTRY_INAME_SIZE];
};

/* A place in the tree; holds references when it is kept. */
struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};
void path_get(const struct path *p);
void path_put(struct path *p); /* accepts {NULL, NULL}; clears */

struct dentry *dentry_ref(struct dentry *d);
void dentry_unref(struct dentry *d);
/* A new negative, unhashed dentry under parent. */
struct dentry *d_alloc(struct dentry *parent, const char *name, size_t name_size);
struct dentry *d_alloc_root(struct inode *inode);   /* takes the inode reference */
/* A dentry without a name in any directory (pipe:, socket:, memfd:); takes the inode reference. */
struct dentry *d_alloc_anon(struct inode *inode, const char *name);
void d_instantiate(struct dentry *d, struct inode *inode); /* takes the inode reference; NULL ok */
void d_add(struct dentry *d, struct inode *inode);         /* instantiate and hash */
void d_drop(struct dentry *d);                             /* unhash */
void d_delete(struct dentry *d);                           /* after unlink: negative or unhashed */
void d_move(struct dentry *d, struct dentry *target);      /* after rename */
void d_exchange(struct dentry *a, struct dentry *b);
/* Cached child, with a reference; NULL: not cached. */
struct dentry *d_lookup(struct dentry *parent, const char *name, size_t name_size);
/* Name in `parent` without a reference, valid until the caller sleeps; hash is d_hash_name's. */
struct dentry *d_lookup_raw(struct dentry *parent, const char *name, size_t name_size, uint32_t hash);
static inline uint32_t d_hash_step(uint32_t h, unsigned char c)
{
	return (h ^ c) * 0x01000193u;
}
#define D_HASH_INIT 0x811c9dc5u
uint32_t d_hash_name(const char *name, size_t name_size);
void d_rehash(struct dentry *d);
/* A cached dentry is not true any more: takes it and what is below it out of the hash. */
void d_invalidate(struct dentry *d);
/* A directory is gone: drops the (negative or stale) names cached below it. */
void d_prune_children(struct dentry *d);
bool d_is_ancestor(const struct dentry *ancestor, const struct dentry *d); /* or the same */
/* How many unused dentries are kept, and how many there are now. */
extern unsigned dentry_cache_limit;
unsigned dentry_cache_unused(void);
/* Drops unused cached dentries of a file system, at most `count`. */
void d_prune(struct super_block *sb, unsigned count);

/* The path as the task with this root sees it (d_path of Linux: "(unreachable)", " (deleted)").
 * Returns a pointer into buf, or NULL: -ENAMETOOLONG. */
char *d_path(const struct path *p, const struct path *root, char *buf, size_t size);

#endif
