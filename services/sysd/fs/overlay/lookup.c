/* Names in the layers. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/util.h"
#include "services/sysd/fs/overlay/private.h"

#define XATTR_OPAQUE "trusted.overlay.opaque"

int ovl_child(struct dentry *dir, const char *name, size_t size, struct dentry **ret)
{
	struct inode *inode = dir->inode;
	struct dentry *d = d_lookup(dir, name, size);
	int err;

	if (d) {
		*ret = d;
		return 0;
	}
	kmutex_lock(&inode->lock);
	d = d_lookup(dir, name, size); /* another task may have been faster */
	if (d) {
		kmutex_unlock(&inode->lock);
		*ret = d;
		return 0;
	}
	d = d_alloc(dir, name, size);
	err = d ? inode->op->lookup(inode, d) : -ENOMEM;
	if (!err && d->unhashed)
		d_add(d, NULL);
	kmutex_unlock(&inode->lock);
	if (err < 0) {
		if (d)
			dentry_unref(d);
		return err;
	}
	*ret = d;
	return 0;
}

bool ovl_is_whiteout(const struct dentry *d)
{
	return d->inode && S_ISCHR(d->inode->mode) && !d->inode->rdev;
}

bool ovl_is_opaque(const struct dentry *d)
{
	const struct inode_ops *op = d->inode->op;
	char v[2];

	return op && op->getxattr && op->getxattr(d->inode, XATTR_OPAQUE, v, sizeof(v)) == 1 && v[0] == 'y';
}

int ovl_set_opaque(struct dentry *d)
{
	return d->inode->op->setxattr(d->inode, XATTR_OPAQUE, "y", 1, 0);
}

struct ovl_redirect *ovl_redirect_find(struct ovl_sb *s, const struct inode *upper)
{
	struct ovl_redirect *r;

	LIST_FOR_EACH(r, &s->redirects, node)
		if (r->upper == upper)
			return r;
	return NULL;
}

void ovl_redirect_free(struct ovl_redirect *r)
{
	list_del(&r->node);
	inode_unref(r->upper);
	for (unsigned i = 0; i < r->lower_count; i++)
		dentry_unref(r->lower[i]);
	free(r->lower);
	free(r);
}

/* Keeps the lower part of a directory with its upper one, wherever that goes. */
int ovl_redirect_add(struct inode *inode)
{
	struct ovl_inode *oi = ovl_i(inode);
	struct ovl_sb *s = ovl_sb(inode->sb);
	struct ovl_redirect *r;

	if (!oi->lower_count || ovl_redirect_find(s, oi->upper->inode))
		return 0;
	r = calloc(1, sizeof(*r));
	if (!r)
		return -ENOMEM;
	r->lower = malloc(oi->lower_count * sizeof(*r->lower));
	if (!r->lower) {
		free(r);
		return -ENOMEM;
	}
	r->upper = inode_ref(oi->upper->inode);
	r->lower_count = oi->lower_count;
	for (unsigned i = 0; i < oi->lower_count; i++)
		r->lower[i] = dentry_ref(oi->lower[i]);
	list_add(&s->redirects, &r->node);
	return 0;
}

struct ovl_index *ovl_index_find(struct ovl_sb *s, const struct inode *lower)
{
	struct ovl_index *x;

	if (lower->nlink < 2)
		return NULL;
	LIST_FOR_EACH(x, &s->index, node)
		if (x->lower == lower)
			return x;
	return NULL;
}

struct stack {
	struct dentry *upper, *lower[OVL_LOWER_MAX];
	unsigned count;
};

static void stack_free(struct stack *st)
{
	if (st->upper)
		dentry_unref(st->upper);
	for (unsigned i = 0; i < st->count; i++)
		dentry_unref(st->lower[i]);
}

/* The lower part of a name. files_too: a file may be the first thing found. */
static int lookup_lower(struct ovl_inode *dir, const char *name, size_t size, bool files_too, struct stack *st)
{
	for (unsigned i = 0; i < dir->lower_count; i++) {
		struct dentry *d;
		int ret = ovl_child(dir->lower[i], name, size, &d);

		if (ret < 0)
			return ret;
		if (!d->inode) {
			dentry_unref(d);
			continue;
		}
		if (ovl_is_whiteout(d)) {
			dentry_unref(d);
			break;
		}
		if (!S_ISDIR(d->inode->mode)) {
			if (files_too && !st->count)
				st->lower[st->count++] = d;
			else
				dentry_unref(d);
			break;
		}
		st->lower[st->count++] = d;
		if (dir->lower_count > 1 && ovl_is_opaque(d))
			break;
	}
	return 0;
}

static int lookup_stack(struct super_block *sb, struct ovl_inode *dir, const char *name, size_t size,
			struct stack *st)
{
	struct ovl_redirect *r;
	int ret;

	if (dir->upper) {
		ret = ovl_child(dir->upper, name, size, &st->upper);
		if (ret < 0)
			return ret;
		if (!st->upper->inode)
			dentry_unref(STEAL_PTR(st->upper));
	}
	if (st->upper && ovl_is_whiteout(st->upper)) {
		dentry_unref(STEAL_PTR(st->upper));
		return 0;
	}
	if (st->upper && !S_ISDIR(st->upper->inode->mode))
		return 0;
	if (st->upper) {
		r = ovl_redirect_find(ovl_sb(sb), st->upper->inode);
		if (r) {
			for (; st->count < r->lower_count; st->count++)
				st->lower[st->count] = dentry_ref(r->lower[st->count]);
			return 0;
		}
		if (ovl_is_opaque(st->upper))
			return 0;
	}
	return lookup_lower(dir, name, size, !st->upper, st);
}

int ovl_lookup(struct inode *dir, struct dentry *dentry)
{
	struct stack st = {.upper = NULL};
	struct inode *inode;
	int ret;

	ret = lookup_stack(dir->sb, ovl_i(dir), dentry->name, dentry->name_size, &st);
	if (ret < 0) {
		stack_free(&st);
		return ret;
	}
	if (!st.upper && !st.count) {
		d_add(dentry, NULL);
		return 0;
	}
	ret = ovl_iget(dir->sb, st.upper, st.lower, st.count, &inode);
	if (!ret)
		d_add(dentry, inode);
	return ret;
}

int ovl_in_lower(struct inode *dir, const char *name, size_t size)
{
	struct stack st = {.upper = NULL};
	int ret = lookup_lower(ovl_i(dir), name, size, true, &st);

	if (!ret)
		ret = st.count > 0;
	stack_free(&st);
	return ret;
}
