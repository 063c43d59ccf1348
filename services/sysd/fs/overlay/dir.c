/* Changes of directories. Each first brings the directory into the upper layer; then the upper layer
 * is changed in one step without a sleep, whiteouts included. */
#include <errno.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/util.h"
#include "services/sysd/fs/overlay/private.h"

/* The place of a new entry: the upper directory and a dentry there that is negative, or a whiteout. */
struct place {
	struct dentry *dir;   /* of the upper layer, no reference */
	struct dentry *d;     /* a reference */
	bool whiteout;
	bool covers;          /* something of a lower layer has the name */
};

static int place_get(struct dentry *dentry, struct place *ret)
{
	struct dentry *parent = dentry_ref(dentry->parent);
	struct place p;
	int below = 0, err = ovl_copy_up_dir(parent);

	if (!err)
		below = ovl_in_lower(parent->inode, dentry->name, dentry->name_size);
	if (below < 0)
		err = below;
	p.dir = ovl_i(parent->inode)->upper;
	dentry_unref(parent);
	if (!err)
		err = ovl_child(p.dir, dentry->name, dentry->name_size, &p.d);
	if (err < 0)
		return err;
	p.whiteout = ovl_is_whiteout(p.d);
	p.covers = below > 0;
	*ret = p;
	return 0;
}

static void place_put(struct place *p)
{
	dentry_unref(p->d);
}

/* Takes an entry of the upper layer out; p->d is negative afterwards. */
static int upper_remove(struct place *p)
{
	struct inode *dir = p->dir->inode;
	char *name;
	size_t size = p->d->name_size;
	int ret;

	if (!p->d->inode)
		return 0;
	ret = S_ISDIR(p->d->inode->mode) ? dir->op->rmdir(dir, p->d) : dir->op->unlink(dir, p->d);
	if (ret < 0)
		return ret;
	name = strndup(p->d->name, size);
	d_delete(p->d);
	if (p->d->inode && name) {
		struct dentry *d;

		ret = ovl_child(p->dir, name, size, &d);
		if (!ret) {
			dentry_unref(p->d);
			p->d = d;
		}
	}
	free(name);
	return ret;
}

static int upper_whiteout(struct place *p)
{
	int ret = p->dir->inode->op->mknod(p->dir->inode, p->d, S_IFCHR, 0);

	if (!ret)
		d_add(p->d, NULL);
	return ret;
}

/* The inode of what was just made in the upper layer. */
static int made(struct inode *dir, struct dentry *dentry, struct place *p)
{
	struct inode *inode;
	int ret;

	d_add(p->d, NULL);
	ret = ovl_iget(dir->sb, dentry_ref(p->d), NULL, 0, &inode);
	if (!ret)
		d_instantiate(dentry, inode);
	ovl_i(dir)->changes++;
	ovl_sync(dir);
	return ret;
}

static int place_clear(struct dentry *dentry, struct place *p)
{
	int ret = place_get(dentry, p);

	if (!ret && p->whiteout) {
		ret = upper_remove(p);
		if (ret < 0)
			place_put(p);
	}
	return ret;
}

static int ovl_create(struct inode *dir, struct dentry *dentry, uint32_t mode, bool excl)
{
	struct place p;
	int ret = place_clear(dentry, &p);

	if (ret < 0)
		return ret;
	ret = p.dir->inode->op->create(p.dir->inode, p.d, mode, true);
	if (!ret)
		ret = made(dir, dentry, &p);
	place_put(&p);
	return ret;
}

static int ovl_mknod(struct inode *dir, struct dentry *dentry, uint32_t mode, uint64_t rdev)
{
	struct place p;
	int ret;

	if (S_ISCHR(mode) && !rdev)
		return -EPERM; /* it would be a whiteout */
	ret = place_clear(dentry, &p);
	if (ret < 0)
		return ret;
	ret = p.dir->inode->op->mknod(p.dir->inode, p.d, mode, rdev);
	if (!ret)
		ret = made(dir, dentry, &p);
	place_put(&p);
	return ret;
}

static int ovl_symlink(struct inode *dir, struct dentry *dentry, const char *target)
{
	struct place p;
	int ret = place_clear(dentry, &p);

	if (ret < 0)
		return ret;
	ret = p.dir->inode->op->symlink(p.dir->inode, p.d, target);
	if (!ret)
		ret = made(dir, dentry, &p);
	place_put(&p);
	return ret;
}

static int ovl_mkdir(struct inode *dir, struct dentry *dentry, uint32_t mode)
{
	struct place p;
	int ret = place_clear(dentry, &p);

	if (ret < 0)
		return ret;
	ret = p.dir->inode->op->mkdir(p.dir->inode, p.d, mode);
	if (!ret && p.covers)
		ret = ovl_set_opaque(p.d);
	if (!ret)
		ret = made(dir, dentry, &p);
	place_put(&p);
	return ret;
}

static int ovl_tmpfile(struct inode *dir, struct dentry *dentry, uint32_t mode)
{
	struct dentry *parent = dentry_ref(dentry->parent), *d = NULL, *upper;
	struct inode *inode;
	int ret = ovl_copy_up_dir(parent);

	upper = ovl_i(dir)->upper;
	dentry_unref(parent);
	if (!ret) {
		d = d_alloc(upper, "", 0);
		ret = d ? upper->inode->op->tmpfile(upper->inode, d, mode) : -ENOMEM;
	}
	if (!ret)
		ret = ovl_iget(dir->sb, dentry_ref(d), NULL, 0, &inode);
	if (!ret) {
		inode->nlink = 0;
		d_instantiate(dentry, inode);
	}
	if (d)
		dentry_unref(d);
	return ret;
}

static void index_count(struct inode *inode)
{
	struct ovl_inode *oi = ovl_i(inode);
	struct ovl_index *x;

	if (!oi->lower_count || S_ISDIR(inode->mode))
		return;
	x = ovl_index_find(ovl_sb(inode->sb), oi->lower[0]->inode);
	if (x)
		x->nlink = inode->nlink;
}

static int ovl_link(struct dentry *old, struct inode *dir, struct dentry *dentry)
{
	struct inode *inode = old->inode;
	struct place p;
	int ret = ovl_copy_up(old, OVL_ALL_DATA);

	if (!ret)
		ret = place_clear(dentry, &p);
	if (ret < 0)
		return ret;
	ret = p.dir->inode->op->link(ovl_i(inode)->upper, p.dir->inode, p.d);
	if (!ret) {
		d_add(p.d, NULL);
		inode_inc_nlink(inode);
		index_count(inode);
		ovl_sync(inode);
		if (ovl_i(inode)->upper->unhashed) /* its name was lost: this is the one now */
			ovl_set_upper(inode, dentry_ref(p.d));
		ovl_i(dir)->changes++;
		ovl_sync(dir);
		d_instantiate(dentry, inode_ref(inode));
	}
	place_put(&p);
	return ret;
}

/* Entry out of the upper layer, whiteout in if something below would shine through. */
static int remove_entry(struct inode *dir, struct dentry *dentry)
{
	struct inode *inode = dentry->inode;
	struct place p;
	int ret = place_get(dentry, &p);

	if (ret < 0)
		return ret;
	ret = upper_remove(&p);
	if (!ret && p.covers)
		ret = upper_whiteout(&p);
	if (!ret) {
		inode_drop_nlink(inode);
		inode_touch(inode, false, false, true);
		index_count(inode);
		ovl_i(dir)->changes++;
		ovl_sync(dir);
	}
	place_put(&p);
	return ret;
}

static int ovl_unlink(struct inode *dir, struct dentry *dentry)
{
	return remove_entry(dir, dentry);
}

/* Whiteouts inside a directory that is about to go. */
struct clear_context {
	struct dir_context ctx;
	struct dentry *dir;
	int ret;
	char names[64][NAME_MAX + 1];
	unsigned count;
};

static bool collect(struct dir_context *ctx, const char *name, size_t size, int64_t next_pos, uint64_t ino,
		    unsigned d_type)
{
	struct clear_context *c = CONTAINER_OF(ctx, struct clear_context, ctx);

	if (name[0] == '.' && (size == 1 || (size == 2 && name[1] == '.')))
		return true;
	if (c->count == ARRAY_SIZE(c->names))
		return false;
	memcpy(c->names[c->count], name, size);
	c->names[c->count++][size] = 0;
	return true;
}

static int clear_whiteouts(struct dentry *upper)
{
	CLEANUP_FREE struct clear_context *c = malloc(sizeof(*c));
	int ret = c ? 0 : -ENOMEM;

	while (!ret) {
		struct path path = {NULL, upper};
		struct file *f;

		c->ctx.emit = collect;
		c->count = 0;
		ret = file_open_path(&path, 0, NULL, &f);
		if (ret < 0)
			break;
		ret = f->op->iterate(f, &c->ctx);
		file_unref(f);
		if (ret < 0 || !c->count)
			break;
		for (unsigned i = 0; i < c->count && !ret; i++) {
			struct place p = {.dir = upper};

			ret = ovl_child(upper, c->names[i], strlen(c->names[i]), &p.d);
			if (!ret) {
				ret = ovl_is_whiteout(p.d) ? upper_remove(&p) : -ENOTEMPTY;
				place_put(&p);
			}
		}
	}
	return ret;
}

static int ovl_rmdir(struct inode *dir, struct dentry *dentry)
{
	struct inode *inode = dentry->inode;
	struct ovl_redirect *r;
	int ret = ovl_check_empty(dentry);

	if (!ret && ovl_i(inode)->upper)
		ret = clear_whiteouts(ovl_i(inode)->upper);
	if (ret < 0)
		return ret;
	ret = remove_entry(dir, dentry);
	if (ret < 0)
		return ret;
	inode->nlink = 0;
	r = ovl_i(inode)->upper ? ovl_redirect_find(ovl_sb(dir->sb), ovl_i(inode)->upper->inode) : NULL;
	if (r)
		ovl_redirect_free(r);
	return 0;
}

/* What rename moves or replaces is in the upper layer, and directories know their lower part by
 * themselves, not by their name. */
static int prepare_rename(struct dentry *d)
{
	int ret = ovl_copy_up(d, OVL_ALL_DATA);

	if (!ret && S_ISDIR(d->inode->mode)) {
		ret = ovl_redirect_add(d->inode);
		/* Where it goes something of the same name may lie below: a redirect hides it, and so
		 * does this. */
		if (!ret && !ovl_i(d->inode)->lower_count)
			ret = ovl_set_opaque(ovl_i(d->inode)->upper);
	}
	return ret;
}

static int rename_replace(struct place *from, struct place *to, struct dentry *new_dentry)
{
	struct inode *target = new_dentry->inode;
	struct ovl_redirect *r;
	int ret = 0;

	if (to->whiteout) {
		ret = upper_remove(to);
	} else if (target && S_ISDIR(target->mode)) {
		if (ovl_i(target)->upper) {
			r = ovl_redirect_find(ovl_sb(target->sb), ovl_i(target)->upper->inode);
			if (r)
				ovl_redirect_free(r);
		}
		ret = upper_remove(to);
	}
	if (ret < 0)
		return ret;
	ret = from->dir->inode->op->rename(from->dir->inode, from->d, to->dir->inode, to->d, 0);
	if (!ret)
		d_move(from->d, to->d);
	return ret;
}

static int ovl_rename(struct inode *old_dir, struct dentry *old, struct inode *new_dir,
		      struct dentry *new_dentry, unsigned flags)
{
	struct inode *inode = old->inode, *target = new_dentry->inode;
	bool exchange = flags & RENAME_EXCHANGE;
	struct place from, to;
	int ret;

	if (flags & ~(unsigned)(RENAME_NOREPLACE | RENAME_EXCHANGE))
		return -EINVAL;
	if (inode == target && !exchange)
		return 0;
	if (target && !exchange && S_ISDIR(target->mode)) {
		ret = ovl_check_empty(new_dentry);
		if (!ret && ovl_i(target)->upper)
			ret = clear_whiteouts(ovl_i(target)->upper);
		if (ret < 0)
			return ret;
	}
	ret = prepare_rename(old);
	if (!ret && exchange)
		ret = prepare_rename(new_dentry);
	if (!ret)
		ret = place_get(old, &from);
	if (ret < 0)
		return ret;
	ret = place_get(new_dentry, &to);
	if (ret < 0) {
		place_put(&from);
		return ret;
	}
	if (exchange) {
		ret = from.dir->inode->op->rename(from.dir->inode, from.d, to.dir->inode, to.d, flags);
		if (!ret)
			d_exchange(from.d, to.d);
	} else {
		ret = rename_replace(&from, &to, new_dentry);
		if (!ret && from.covers) {
			struct place hole = {.dir = from.dir};

			ret = ovl_child(from.dir, old->name, old->name_size, &hole.d);
			if (!ret) {
				ret = upper_whiteout(&hole);
				place_put(&hole);
			}
		}
		if (!ret && target) {
			if (S_ISDIR(target->mode))
				target->nlink = 0;
			else
				inode_drop_nlink(target);
			inode_touch(target, false, false, true);
			index_count(target);
		}
	}
	place_put(&from);
	place_put(&to);
	ovl_i(old_dir)->changes++;
	ovl_i(new_dir)->changes++;
	ovl_sync(old_dir);
	ovl_sync(new_dir);
	ovl_sync(inode);
	return ret;
}

const struct inode_ops ovl_dir_iops = {
    .lookup = ovl_lookup,
    .create = ovl_create,
    .link = ovl_link,
    .unlink = ovl_unlink,
    .symlink = ovl_symlink,
    .mkdir = ovl_mkdir,
    .rmdir = ovl_rmdir,
    .mknod = ovl_mknod,
    .rename = ovl_rename,
    .tmpfile = ovl_tmpfile,
    .getattr = ovl_getattr,
    .setattr = ovl_setattr,
    .getxattr = ovl_getxattr,
    .setxattr = ovl_setxattr,
    .listxattr = ovl_listxattr,
    .removexattr = ovl_removexattr,
};
