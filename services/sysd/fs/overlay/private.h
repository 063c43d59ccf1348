/* What the files of overlay/ share.
 *
 * An overlay inode stands for a stack: at most one file of the upper layer (a tmpfs of its own) and,
 * beneath it, files of the lower layers: several for a merged directory, one for anything else. Only
 * the overlay touches the upper layer, and tmpfs never sleeps, so the upper layer needs no locks. */
#ifndef SYSD_FS_OVERLAY_PRIVATE_H
#define SYSD_FS_OVERLAY_PRIVATE_H

#include <stdbool.h>
#include <stdint.h>
#include "common/base/list.h"
#include "services/sysd/core/waitq.h"
#include "services/sysd/fs/overlay/overlay.h"
#include "services/sysd/vfs/dentry.h"
#include "services/sysd/vfs/file.h"
#include "services/sysd/vfs/inode.h"

#define OVL_LOWER_MAX 64
#define OVL_UPPER_INO (1ull << 48) /* numbers of files that exist in the upper layer only */

struct ovl_sb {
	struct super_block *upper;
	struct super_block *lower[OVL_LOWER_MAX];
	unsigned lower_count;
	struct list *table;      /* inodes of files by lower inode, and by upper inode */
	unsigned table_size;
	struct list redirects;   /* struct ovl_redirect */
	struct list index;       /* struct ovl_index: hard links of lower files that were copied up */
};

struct ovl_inode {
	struct inode *vfs;
	struct dentry *upper;    /* a reference; NULL: not copied up */
	struct dentry **lower;   /* references */
	unsigned lower_count;
	const struct inode *key_lower, *key_upper; /* what the hash nodes stand for */
	struct list lower_node, upper_node;
	struct kmutex copy_lock; /* one copy-up at a time */
	uint64_t changes;        /* directories: counts our changes, for merged listings */
};

/* A directory of the upper layer whose lower part is not where its name says (it was renamed). */
struct ovl_redirect {
	struct list node;
	struct inode *upper;     /* a reference */
	struct dentry **lower;   /* references */
	unsigned lower_count;
};

/* A lower file with several names, copied up through one of them: the others mean the copy too. */
struct ovl_index {
	struct list node;
	struct inode *lower;     /* references */
	struct dentry *upper;    /* without a name of its own when that was unlinked */
	uint32_t nlink;
};

static inline struct ovl_inode *ovl_i(const struct inode *inode)
{
	return inode->priv;
}
static inline struct ovl_sb *ovl_sb(const struct super_block *sb)
{
	return sb->priv;
}
/* The file that has the data and attributes now. */
static inline struct dentry *ovl_real(const struct inode *inode)
{
	struct ovl_inode *oi = ovl_i(inode);

	return oi->upper ? oi->upper : oi->lower[0];
}

/* inode.c */
/* The overlay inode of a stack; takes the references in upper (may be NULL) and lower[] in any case. */
int ovl_iget(struct super_block *sb, struct dentry *upper, struct dentry **lower, unsigned lower_count,
	     struct inode **ret);
void ovl_evict(struct inode *inode);
/* Attributes of the real file become the overlay inode's. */
void ovl_sync(struct inode *inode);
void ovl_set_upper(struct inode *inode, struct dentry *upper); /* takes the reference */
extern const struct inode_ops ovl_dir_iops, ovl_file_iops, ovl_link_iops;
extern const struct file_ops ovl_file_fops, ovl_dir_fops;
int ovl_getattr(struct inode *inode);
int ovl_setattr(struct dentry *dentry, const struct inode_attr *attr);
ssize_t ovl_getxattr(struct inode *inode, const char *name, void *buf, size_t size);
int ovl_setxattr(struct inode *inode, const char *name, const void *value, size_t size, int flags);
ssize_t ovl_listxattr(struct inode *inode, char *buf, size_t size);
int ovl_removexattr(struct inode *inode, const char *name);

/* lookup.c */
/* Name in a directory of a layer: a dentry with a reference, positive or negative. May sleep. */
int ovl_child(struct dentry *dir, const char *name, size_t size, struct dentry **ret);
bool ovl_is_whiteout(const struct dentry *d);
bool ovl_is_opaque(const struct dentry *d);
int ovl_set_opaque(struct dentry *d);
int ovl_lookup(struct inode *dir, struct dentry *dentry);
/* Does the name exist beneath the upper layer of dir? Then removing it needs a whiteout. May sleep. */
int ovl_in_lower(struct inode *dir, const char *name, size_t size);

/* copy_up.c */
#define OVL_ALL_DATA UINT64_MAX
/* Makes sure that dentry's file, and the directories above it, exist in the upper layer; at most
 * data_size bytes of content are kept (a truncation follows). Sleeps. */
int ovl_copy_up(struct dentry *dentry, uint64_t data_size);
int ovl_copy_up_dir(struct dentry *dir);

/* readdir.c */
/* 0, or -ENOTEMPTY when a merged directory shows an entry. Removes nothing. Sleeps. */
int ovl_check_empty(struct dentry *dir);

struct ovl_redirect *ovl_redirect_find(struct ovl_sb *s, const struct inode *upper);
int ovl_redirect_add(struct inode *inode);
void ovl_redirect_free(struct ovl_redirect *r);
struct ovl_index *ovl_index_find(struct ovl_sb *s, const struct inode *lower);

#endif
