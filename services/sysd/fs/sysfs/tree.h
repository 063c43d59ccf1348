/* A file system that is a tree made at start-up: sysfs and cgroup. Nodes live for ever. */
#ifndef SYSD_FS_SYSFS_TREE_H
#define SYSD_FS_SYSFS_TREE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "common/base/list.h"

struct dentry;
struct fs_type;
struct seqbuf;
struct super_block;
struct task;

struct tree_node {
	const char *name;
	struct tree_node *parent;
	struct list children, sibling;
	uint32_t mode;       /* with S_IFMT */
	uint64_t ino;
	int (*show)(struct seqbuf *s, const struct tree_node *n);
	/* Whole writes of at most a page, NUL-terminated. The size or -errno. */
	ssize_t (*store)(const struct tree_node *n, struct task *t, char *buf, size_t size);
	const char *text;    /* a link's target, or a file's whole content when show is NULL */
	uint64_t data;
};

struct tree_node *tree_new(void);
/* Adds below `root`, making the directories on the way; the strings stay the caller's or are
 * literals. NULL: no memory. */
struct tree_node *tree_dir(struct tree_node *root, const char *path);
struct tree_node *tree_file(struct tree_node *root, const char *path,
			    int (*show)(struct seqbuf *s, const struct tree_node *n), uint64_t data);
struct tree_node *tree_text(struct tree_node *root, const char *path, const char *text);
struct tree_node *tree_link(struct tree_node *root, const char *path, const char *target);
/* An fs_type.mount for a tree. */
int tree_mount(const struct fs_type *type, struct tree_node *root, uint64_t magic, unsigned sb_flags,
	       struct super_block **ret_sb);

#endif
