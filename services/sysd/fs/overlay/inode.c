/* Overlay inodes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/util.h"
#include "services/sysd/fs/overlay/private.h"

/* Two tables in one array: by upper inode, and table_size further on by lower inode. */
static struct list *bucket(struct ovl_sb *s, const struct inode *key)
{
	return &s->table[((uintptr_t)key * 0x9e3779b97f4a7c15ull >> 40) & (s->table_size - 1)];
}

static struct inode *find(struct ovl_sb *s, const struct inode *lower, const struct inode *upper)
{
	struct list *n, *head;

	if (upper) {
		head = bucket(s, upper);
		for (n = head->next; n != head; n = n->next) {
			struct ovl_inode *oi = LIST_ENTRY(n, struct ovl_inode, upper_node);

			if (oi->key_upper == upper)
				return oi->vfs;
		}
	}
	if (lower) {
		head = bucket(s, lower) + s->table_size;
		for (n = head->next; n != head; n = n->next) {
			struct ovl_inode *oi = LIST_ENTRY(n, struct ovl_inode, lower_node);

			if (oi->key_lower == lower)
				return oi->vfs;
		}
	}
	return NULL;
}

static void unref_all(struct dentry *upper, struct dentry **lower, unsigned count)
{
	if (upper)
		dentry_unref(upper);
	for (unsigned i = 0; i < count; i++)
		dentry_unref(lower[i]);
}

static void set_ops(struct inode *inode)
{
	switch (inode->mode & S_IFMT) {
	case S_IFREG:
		inode->op = &ovl_file_iops;
		inode->fop = &ovl_file_fops;
		break;
	case S_IFDIR:
		inode->op = &ovl_dir_iops;
		inode->fop = &ovl_dir_fops;
		break;
	case S_IFLNK:
		inode->op = &ovl_link_iops;
		break;
	default: /* FIFOs, sockets, devices: the VFS's fop, with the state in our inode */
		inode->op = &ovl_file_iops;
		break;
	}
}

/* Numbers stay the same over a copy-up: the topmost lower file's, if there is one. */
static uint64_t number(struct ovl_sb *s, const struct dentry *upper, struct dentry *const *lower,
		       unsigned lower_count)
{
	if (!lower_count)
		return OVL_UPPER_INO + upper->inode->ino;
	for (unsigned i = 0; i < s->lower_count; i++)
		if (s->lower[i] == lower[0]->sb)
			return lower[0]->inode->ino + (uint64_t)i * (OVL_UPPER_INO / OVL_LOWER_MAX);
	return lower[0]->inode->ino;
}

int ovl_iget(struct super_block *sb, struct dentry *upper, struct dentry **lower, unsigned lower_count,
	     struct inode **ret)
{
	struct ovl_sb *s = ovl_sb(sb);
	struct dentry *real = upper ? upper : lower[0];
	bool dir = S_ISDIR(real->inode->mode);
	struct inode *inode = NULL;
	struct ovl_inode *oi;
	struct ovl_index *x;

	if (!dir) {
		inode = find(s, lower_count ? lower[0]->inode : NULL, upper ? upper->inode : NULL);
		if (inode) {
			unref_all(upper, lower, lower_count);
			*ret = inode_ref(inode);
			return 0;
		}
	}
	oi = calloc(1, sizeof(*oi));
	inode = oi ? inode_new(sb, real->inode->mode) : NULL;
	if (inode && lower_count) {
		oi->lower = malloc(lower_count * sizeof(*lower));
		if (!oi->lower) {
			inode_unref(inode); /* evict sees no priv */
			inode = NULL;
		}
	}
	if (!inode) {
		free(oi);
		unref_all(upper, lower, lower_count);
		return -ENOMEM;
	}
	oi->vfs = inode;
	if (lower_count)
		memcpy(oi->lower, lower, lower_count * sizeof(*lower));
	oi->lower_count = lower_count;
	kmutex_init(&oi->copy_lock);
	list_init(&oi->lower_node);
	list_init(&oi->upper_node);
	inode->priv = oi;
	inode->ino = number(s, upper, lower, lower_count);
	/* Where names have to be looked at again, this one would not be. */
	inode->keeps_link = !real->sb->op->revalidate && (real->inode->link || real->inode->keeps_link);
	set_ops(inode);
	if (!dir && lower_count) {
		oi->key_lower = lower[0]->inode;
		list_add(bucket(s, oi->key_lower) + s->table_size, &oi->lower_node);
	}
	inode->nlink = real->inode->nlink;
	x = !dir && !upper && lower_count ? ovl_index_find(s, lower[0]->inode) : NULL;
	if (x) { /* another name of it was copied up */
		inode->nlink = x->nlink;
		upper = dentry_ref(x->upper);
	}
	if (upper)
		ovl_set_upper(inode, upper);
	ovl_sync(inode);
	*ret = inode;
	return 0;
}

void ovl_set_upper(struct inode *inode, struct dentry *upper)
{
	struct ovl_inode *oi = ovl_i(inode);

	if (oi->upper)
		dentry_unref(oi->upper);
	oi->upper = upper;
	list_del(&oi->upper_node);
	if (!S_ISDIR(inode->mode)) {
		oi->key_upper = upper->inode;
		list_add(bucket(ovl_sb(inode->sb), oi->key_upper), &oi->upper_node);
	}
}

void ovl_evict(struct inode *inode)
{
	struct ovl_inode *oi = STEAL_PTR(inode->priv);

	if (!oi)
		return;
	list_del(&oi->lower_node);
	list_del(&oi->upper_node);
	unref_all(oi->upper, oi->lower, oi->lower_count);
	free(oi->lower);
	free(oi);
}

void ovl_sync(struct inode *inode)
{
	const struct inode *real = ovl_real(inode)->inode;
	struct ovl_inode *oi = ovl_i(inode);

	inode->mode = real->mode;
	inode->uid = real->uid;
	inode->gid = real->gid;
	inode->rdev = real->rdev;
	inode->size = real->size;
	inode->blocks = real->blocks;
	inode->blksize = real->blksize;
	inode->atime = real->atime;
	inode->mtime = real->mtime;
	inode->ctime = real->ctime;
	inode->btime = real->btime;
	/* Names of lower files are counted here: the copy has fewer. */
	if (!oi->lower_count && !S_ISDIR(inode->mode))
		inode->nlink = real->nlink;
	if (S_ISDIR(inode->mode) && inode->nlink)
		inode->nlink = oi->lower_count ? 1 : real->nlink;
}

int ovl_getattr(struct inode *inode)
{
	struct inode *real = inode_ref(ovl_real(inode)->inode);
	int ret = 0;

	if (real->op && real->op->getattr)
		ret = real->op->getattr(real);
	if (!ret && ovl_real(inode)->inode == real)
		ovl_sync(inode);
	inode_unref(real);
	return ret;
}

int ovl_setattr(struct dentry *dentry, const struct inode_attr *attr)
{
	struct inode *inode = dentry->inode;
	struct inode_attr real_attr = *attr;
	struct dentry *upper;
	int ret = ovl_copy_up(dentry, attr->valid & ATTR_SIZE ? attr->size : OVL_ALL_DATA);

	if (ret < 0)
		return ret;
	upper = ovl_i(inode)->upper;
	real_attr.file = NULL;
	if (upper->inode->op && upper->inode->op->setattr)
		ret = upper->inode->op->setattr(upper, &real_attr);
	else
		setattr_copy(upper->inode, &real_attr);
	if (!ret)
		ovl_sync(inode);
	return ret;
}

#define XATTR_PRIVATE "trusted.overlay."

static bool private_xattr(const char *name)
{
	return !strncmp(name, XATTR_PRIVATE, sizeof(XATTR_PRIVATE) - 1);
}

ssize_t ovl_getxattr(struct inode *inode, const char *name, void *buf, size_t size)
{
	struct inode *real = ovl_real(inode)->inode;
	ssize_t ret;

	if (private_xattr(name))
		return -ENODATA;
	if (!real->op || !real->op->getxattr)
		return -EOPNOTSUPP;
	inode_ref(real);
	ret = real->op->getxattr(real, name, buf, size);
	inode_unref(real);
	return ret;
}

static struct dentry *alias_of(struct inode *inode)
{
	struct dentry *d;

	LIST_FOR_EACH(d, &inode->dentries, alias)
		if (d->parent == d || !d->unhashed)
			return d;
	return list_empty(&inode->dentries) ? NULL : LIST_FIRST(&inode->dentries, struct dentry, alias);
}

static int copy_up_inode(struct inode *inode)
{
	struct dentry *d = alias_of(inode);
	int ret;

	if (ovl_i(inode)->upper)
		return 0;
	if (!d)
		return -ESTALE;
	dentry_ref(d);
	ret = ovl_copy_up(d, OVL_ALL_DATA);
	dentry_unref(d);
	return ret;
}

int ovl_setxattr(struct inode *inode, const char *name, const void *value, size_t size, int flags)
{
	struct inode *real;
	int ret;

	if (private_xattr(name))
		return -EOPNOTSUPP;
	ret = copy_up_inode(inode);
	if (ret < 0)
		return ret;
	real = ovl_i(inode)->upper->inode;
	ret = real->op->setxattr ? real->op->setxattr(real, name, value, size, flags) : -EOPNOTSUPP;
	ovl_sync(inode);
	return ret;
}

int ovl_removexattr(struct inode *inode, const char *name)
{
	struct inode *real;
	int ret;

	if (private_xattr(name))
		return -ENODATA;
	if (!ovl_i(inode)->upper) {
		ssize_t n = ovl_getxattr(inode, name, NULL, 0);

		if (n < 0)
			return (int)n;
	}
	ret = copy_up_inode(inode);
	if (ret < 0)
		return ret;
	real = ovl_i(inode)->upper->inode;
	ret = real->op->removexattr ? real->op->removexattr(real, name) : -EOPNOTSUPP;
	ovl_sync(inode);
	return ret;
}

ssize_t ovl_listxattr(struct inode *inode, char *buf, size_t size)
{
	struct inode *real = ovl_real(inode)->inode;
	CLEANUP_FREE char *all = NULL;
	ssize_t n, kept = 0;

	if (!real->op || !real->op->listxattr)
		return 0;
	inode_ref(real);
	n = real->op->listxattr(real, NULL, 0);
	if (n > 0) {
		all = malloc((size_t)n + 1);
		n = all ? real->op->listxattr(real, all, (size_t)n) : -ENOMEM;
	}
	inode_unref(real);
	for (ssize_t at = 0; at < n;) {
		size_t len = strnlen(all + at, (size_t)(n - at)) + 1;

		if (!private_xattr(all + at)) {
			if (size && kept + (ssize_t)len > (ssize_t)size)
				return -ERANGE;
			if (size)
				memcpy(buf + kept, all + at, len);
			kept += (ssize_t)len;
		}
		at += (ssize_t)len;
	}
	return n < 0 ? n : kept;
}

static int ovl_readlink(struct inode *inode, char **ret_target)
{
	struct inode *real = inode_ref(ovl_real(inode)->inode);
	int ret = -EINVAL;

	if (real->op && real->op->readlink)
		ret = real->op->readlink(real, ret_target);
	inode_unref(real);
	return ret;
}

const struct inode_ops ovl_link_iops = {
    .readlink = ovl_readlink,
    .getattr = ovl_getattr,
    .setattr = ovl_setattr,
    .getxattr = ovl_getxattr,
    .setxattr = ovl_setxattr,
    .listxattr = ovl_listxattr,
    .removexattr = ovl_removexattr,
};

const struct inode_ops ovl_file_iops = {
    .getattr = ovl_getattr,
    .setattr = ovl_setattr,
    .getxattr = ovl_getxattr,
    .setxattr = ovl_setxattr,
    .listxattr = ovl_listxattr,
    .removexattr = ovl_removexattr,
};
