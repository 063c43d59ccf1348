/* Attributes and extended attributes of tmpfs. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "common/base/util.h"
#include "services/sysd/fs/tmpfs/tmpfs.h"
#include "services/sysd/vfs/dentry.h"

#define XATTR_TOTAL_MAX (128 * 1024u) /* of one inode */

int tmpfs_getattr(struct inode *inode)
{
	tmpfs_account(inode);
	return 0;
}

int tmpfs_setattr(struct dentry *d, const struct inode_attr *attr)
{
	struct inode *inode = d->inode;
	struct backing *b;
	int err;

	if ((attr->valid & ATTR_SIZE) && S_ISREG(inode->mode)) {
		b = &tmpfs_i(inode)->content;
		err = backing_check_truncate(b, attr->size);
		if (!err && attr->size != b->size)
			err = backing_truncate(b, attr->size);
		if (err < 0)
			return err;
		inode->size = b->size;
		inode->version++;
		tmpfs_account(inode);
	}
	setattr_copy(inode, attr);
	return 0;
}

static int tmpfs_readlink(struct inode *inode, char **ret_target)
{
	*ret_target = strdup(inode->link);
	return *ret_target ? 0 : -ENOMEM;
}

/* ---- extended attributes ---- */

static struct tmpfs_xattr *find(const struct tmpfs_inode *ti, const char *name)
{
	struct tmpfs_xattr *x;

	LIST_FOR_EACH (x, &ti->xattrs, node) {
		if (!strcmp(x->name, name))
			return x;
	}
	return NULL;
}

static void xattr_free(struct tmpfs_xattr *x)
{
	list_del(&x->node);
	free(x->value);
	free(x);
}

void tmpfs_xattrs_free(struct tmpfs_inode *ti)
{
	while (!list_empty(&ti->xattrs))
		xattr_free(LIST_FIRST(&ti->xattrs, struct tmpfs_xattr, node));
}

ssize_t tmpfs_getxattr(struct inode *inode, const char *name, void *buf, size_t size)
{
	const struct tmpfs_xattr *x = find(tmpfs_i(inode), name);

	if (!x)
		return -ENODATA;
	if (!size)
		return (ssize_t)x->size;
	if (size < x->size)
		return -ERANGE;
	if (x->size)
		memcpy(buf, x->value, x->size);
	return (ssize_t)x->size;
}

static size_t total_size(const struct tmpfs_inode *ti)
{
	const struct tmpfs_xattr *x;
	size_t n = 0;

	LIST_FOR_EACH (x, &ti->xattrs, node)
		n += sizeof(*x) + strlen(x->name) + x->size;
	return n;
}

int tmpfs_setxattr(struct inode *inode, const char *name, const void *value, size_t size, int flags)
{
	struct tmpfs_inode *ti = tmpfs_i(inode);
	struct tmpfs_xattr *old = find(ti, name), *x;
	size_t name_size = strlen(name) + 1;

	if (old && (flags & XATTR_CREATE))
		return -EEXIST;
	if (!old && (flags & XATTR_REPLACE))
		return -ENODATA;
	/* Replacing by something no larger always works. */
	if ((!old || size > old->size) &&
	    total_size(ti) + size - (old ? old->size : 0) + (old ? 0 : sizeof(*x) + name_size) > XATTR_TOTAL_MAX)
		return -ENOSPC;
	x = malloc(sizeof(*x) + name_size);
	if (!x)
		return -ENOMEM;
	x->value = malloc(size ? size : 1);
	if (!x->value) {
		free(x);
		return -ENOMEM;
	}
	x->size = size;
	if (size)
		memcpy(x->value, value, size);
	memcpy(x->name, name, name_size);
	if (old) {
		list_insert_(&x->node, &old->node, old->node.next);
		xattr_free(old);
	} else {
		list_add_tail(&ti->xattrs, &x->node);
	}
	inode_touch(inode, false, false, true);
	return 0;
}

ssize_t tmpfs_listxattr(struct inode *inode, char *buf, size_t size)
{
	const struct tmpfs_xattr *x;
	size_t n = 0;

	LIST_FOR_EACH (x, &tmpfs_i(inode)->xattrs, node) {
		size_t len = strlen(x->name) + 1;

		if (size) {
			if (n + len > size)
				return -ERANGE;
			memcpy(buf + n, x->name, len);
		}
		n += len;
	}
	return (ssize_t)n;
}

int tmpfs_removexattr(struct inode *inode, const char *name)
{
	struct tmpfs_xattr *x = find(tmpfs_i(inode), name);

	if (!x)
		return -ENODATA;
	xattr_free(x);
	inode_touch(inode, false, false, true);
	return 0;
}

const struct inode_ops tmpfs_file_iops = {.getattr = tmpfs_getattr, .setattr = tmpfs_setattr, TMPFS_XATTR_OPS};
const struct inode_ops tmpfs_special_iops = {.setattr = tmpfs_setattr, TMPFS_XATTR_OPS};
const struct inode_ops tmpfs_link_iops = {.readlink = tmpfs_readlink, .setattr = tmpfs_setattr, TMPFS_XATTR_OPS};
