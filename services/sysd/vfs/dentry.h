/* The dentry cache: names in directories, positive or negative, and the mounts on top of them. */
#ifndef SYSD_VFS_DENTRY_H
#define SYSD_VFS_DENTRY_H

#include <stdbool.h>
#include <stdint.h>
#include "common/base/list.h"

struct inode;
struct super_block;
struct vfsmount;

struct dentry {
	unsigned refs;
	struct dentry *parent;   /* itself for a root; a reference */
	struct inode *inode;     /* NULL: negative; a reference */
	char *name;
	uint32_t name_size, hash;
	struct super_block *sb;
	struct list children, sibling, alias, hash_node, lru;
	bool unhashed;           /* unlinked or never entered */
	bool is_mountpoint;
	bool valid_checked;
	uint64_t stamp;          /* the file system's, for revalidate */
	void *priv;
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
/* Drops unused cached dentries of a file system, at most `count`. */
void d_prune(struct super_block *sb, unsigned count);

/* The path as the task with this root sees it (d_path of Linux: "(unreachable)", " (deleted)").
 * Returns a pointer into buf, or NULL: -ENAMETOOLONG. */
char *d_path(const struct path *p, const struct path *root, char *buf, size_t size);

#endif
