/* tmpfs: files in memory (tmpfs(5)). What its parts share. */
#ifndef SYSD_FS_TMPFS_TMPFS_H
#define SYSD_FS_TMPFS_TMPFS_H

#include <stdint.h>

#include "common/base/list.h"
#include "services/sysd/fs/memfd/backing.h"
#include "services/sysd/vfs/file.h"
#include "services/sysd/vfs/inode.h"

#define TMPFS_MAGIC 0x01021994u
#define TMPFS_DIRENT_SIZE 20 /* what a name adds to the size of its directory */
#define TMPFS_COOKIE_FIRST 2 /* after "." and ".." */

struct tmpfs_sb {
	uint64_t max_bytes, used_bytes;   /* max 0: no limit */
	uint64_t max_inodes, used_inodes;
	uint32_t mode, uid, gid;
};

struct tmpfs_dirent {
	struct list node;            /* in order of cookies */
	struct tmpfs_dirent *chain;  /* of its hash bucket */
	struct inode *inode;         /* a reference */
	int64_t cookie;              /* position for readdir; never reused in this directory */
	uint32_t hash, name_size;
	char name[];
};

struct tmpfs_xattr {
	struct list node;
	size_t size;
	uint8_t *value;
	char name[];
};

struct tmpfs_inode {
	struct backing content;      /* regular files */
	uint64_t accounted;          /* bytes of it in used_bytes */
	struct list entries;         /* directories */
	struct tmpfs_dirent **table; /* made when the directory is not small */
	uint32_t table_size, count;
	int64_t next_cookie;
	struct list xattrs;
};

static inline struct tmpfs_inode *tmpfs_i(const struct inode *inode)
{
	return inode->priv;
}
static inline struct tmpfs_sb *tmpfs_sb_of(const struct inode *inode)
{
	return inode->sb->priv;
}

extern const struct inode_ops tmpfs_dir_iops, tmpfs_file_iops, tmpfs_link_iops, tmpfs_special_iops;
extern const struct file_ops tmpfs_dir_fops, tmpfs_file_fops;

/* A new inode of any type, counted; -ENOSPC, -ENOMEM. dir: whose owner rules apply, or NULL. */
int tmpfs_inode_new(struct super_block *sb, const struct inode *dir, uint32_t mode, uint64_t rdev,
		    struct inode **ret);
/* Brings used_bytes and inode->blocks up to date with the storage of a file. */
void tmpfs_account(struct inode *inode);
/* May a file grow by this many bytes of storage? */
bool tmpfs_room(const struct inode *inode, uint64_t bytes);

/* dir.c */
void tmpfs_dir_free(struct tmpfs_inode *ti);
/* attr.c */
int tmpfs_getattr(struct inode *inode);
int tmpfs_setattr(struct dentry *d, const struct inode_attr *attr);
void tmpfs_xattrs_free(struct tmpfs_inode *ti);
ssize_t tmpfs_getxattr(struct inode *inode, const char *name, void *buf, size_t size);
int tmpfs_setxattr(struct inode *inode, const char *name, const void *value, size_t size, int flags);
ssize_t tmpfs_listxattr(struct inode *inode, char *buf, size_t size);
int tmpfs_removexattr(struct inode *inode, const char *name);
#define TMPFS_XATTR_OPS                                                             \
	.getxattr = tmpfs_getxattr, .setxattr = tmpfs_setxattr, .listxattr = tmpfs_listxattr, \
	.removexattr = tmpfs_removexattr

void tmpfs_init(void);

#endif
