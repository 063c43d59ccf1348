/* Directories of tmpfs. A directory owns its entries, in the order they were made; each has a cookie
 * that grows, so that a position of readdir stays right while entries come and go. Dentries are a
 * cache above this, and may be dropped at any time. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <dirent.h>

#include "common/base/util.h"
#include "services/sysd/fs/tmpfs/tmpfs.h"
#include "services/sysd/vfs/dentry.h"

#define TABLE_FROM 16u /* entries from which a directory has a hash table */

static void table_insert(struct tmpfs_inode *ti, struct tmpfs_dirent *e)
{
	struct tmpfs_dirent **head = &ti->table[e->hash & (ti->table_size - 1)];

	e->chain = *head;
	*head = e;
}

/* Without memory for a larger table the chains grow. */
static void table_grow(struct tmpfs_inode *ti)
{
	uint32_t size = ti->table_size ? ti->table_size * 4 : TABLE_FROM * 4;
	struct tmpfs_dirent **table = calloc(size, sizeof(*table)), *e;

	if (!table)
		return;
	free(ti->table);
	ti->table = table;
	ti->table_size = size;
	LIST_FOR_EACH (e, &ti->entries, node)
		table_insert(ti, e);
}

static struct tmpfs_dirent *find(const struct tmpfs_inode *ti, const struct dentry *d)
{
	struct tmpfs_dirent *e;

	if (ti->table) {
		for (e = ti->table[d->hash & (ti->table_size - 1)]; e; e = e->chain) {
			if (e->hash == d->hash && e->name_size == d->name_size &&
			    !memcmp(e->name, d->name, e->name_size))
				return e;
		}
		return NULL;
	}
	LIST_FOR_EACH (e, &ti->entries, node) {
		if (e->hash == d->hash && e->name_size == d->name_size && !memcmp(e->name, d->name, e->name_size))
			return e;
	}
	return NULL;
}

static struct tmpfs_dirent *entry_new(const struct dentry *d)
{
	struct tmpfs_dirent *e = malloc(sizeof(*e) + d->name_size + 1);

	if (!e)
		return NULL;
	list_init(&e->node);
	e->hash = d->hash;
	e->name_size = d->name_size;
	memcpy(e->name, d->name, d->name_size + 1);
	return e;
}

/* Takes over the inode reference. */
static void insert(struct inode *dir, struct tmpfs_dirent *e, struct inode *inode)
{
	struct tmpfs_inode *ti = tmpfs_i(dir);

	e->inode = inode;
	e->cookie = ti->next_cookie++;
	list_add_tail(&ti->entries, &e->node);
	ti->count++;
	if (ti->table)
		table_insert(ti, e);
	if (ti->count > (ti->table ? ti->table_size * 2 : TABLE_FROM))
		table_grow(ti);
	dir->size += TMPFS_DIRENT_SIZE;
	dir->version++;
	inode_touch(dir, false, true, true);
}

/* The inode reference becomes the caller's. */
static struct inode *take_out(struct inode *dir, struct tmpfs_dirent *e)
{
	struct tmpfs_inode *ti = tmpfs_i(dir);
	struct inode *inode = e->inode;

	if (ti->table) {
		struct tmpfs_dirent **p = &ti->table[e->hash & (ti->table_size - 1)];

		while (*p != e)
			p = &(*p)->chain;
		*p = e->chain;
	}
	list_del(&e->node);
	ti->count--;
	free(e);
	dir->size -= TMPFS_DIRENT_SIZE;
	dir->version++;
	inode_touch(dir, false, true, true);
	return inode;
}

/* The end of a directory, of the whole tree when its file system goes: entries wait on a list, so that a
 * deep tree needs no deep stack. */
void tmpfs_dir_free(struct tmpfs_inode *ti)
{
	static struct list dead = LIST_INIT(dead);
	static bool draining;

	while (!list_empty(&ti->entries)) {
		struct list *n = ti->entries.next;

		list_del(n);
		list_add_tail(&dead, n);
	}
	free(STEAL_PTR(ti->table));
	if (draining)
		return;
	draining = true;
	while (!list_empty(&dead)) {
		struct tmpfs_dirent *e = LIST_FIRST(&dead, struct tmpfs_dirent, node);

		list_del(&e->node);
		inode_unref(e->inode);
		free(e);
	}
	draining = false;
}

static int tmpfs_lookup(struct inode *dir, struct dentry *d)
{
	struct tmpfs_dirent *e = find(tmpfs_i(dir), d);

	d_add(d, e ? inode_ref(e->inode) : NULL);
	return 0;
}

static int make(struct inode *dir, struct dentry *d, uint32_t mode, uint64_t rdev, const char *target)
{
	struct tmpfs_dirent *e = entry_new(d);
	struct inode *inode;
	int err;

	if (!e)
		return -ENOMEM;
	err = tmpfs_inode_new(dir->sb, dir, mode, rdev, &inode);
	if (err < 0) {
		free(e);
		return err;
	}
	if (target) {
		inode->link = strdup(target);
		inode->size = strlen(target);
		if (!inode->link) {
			inode_unref(inode);
			free(e);
			return -ENOMEM;
		}
	}
	if (S_ISDIR(mode))
		inode_inc_nlink(dir);
	insert(dir, e, inode_ref(inode));
	d_instantiate(d, inode);
	return 0;
}

static int tmpfs_create(struct inode *dir, struct dentry *d, uint32_t mode, bool excl)
{
	(void)excl;
	return make(dir, d, S_IFREG | (mode & 07777), 0, NULL);
}

static int tmpfs_mkdir(struct inode *dir, struct dentry *d, uint32_t mode)
{
	return make(dir, d, S_IFDIR | (mode & 07777), 0, NULL);
}

static int tmpfs_mknod(struct inode *dir, struct dentry *d, uint32_t mode, uint64_t rdev)
{
	return make(dir, d, mode, rdev, NULL);
}

static int tmpfs_symlink(struct inode *dir, struct dentry *d, const char *target)
{
	return make(dir, d, S_IFLNK | 0777, 0, target);
}

static int tmpfs_link(struct dentry *old, struct inode *dir, struct dentry *d)
{
	struct tmpfs_dirent *e = entry_new(d);
	struct inode *inode = old->inode;

	if (!e)
		return -ENOMEM;
	inode_inc_nlink(inode);
	inode_touch(inode, false, false, true);
	insert(dir, e, inode_ref(inode));
	d_instantiate(d, inode_ref(inode));
	return 0;
}

static int tmpfs_unlink(struct inode *dir, struct dentry *d)
{
	struct tmpfs_dirent *e = find(tmpfs_i(dir), d);
	struct inode *inode;

	if (!e)
		return -ENOENT;
	inode = take_out(dir, e);
	inode_drop_nlink(inode);
	inode_touch(inode, false, false, true);
	inode_unref(inode);
	return 0;
}

static void drop_dir(struct inode *dir, struct inode *inode)
{
	inode->nlink = 0;
	inode_drop_nlink(dir);
	inode_touch(inode, false, false, true);
}

static int tmpfs_rmdir(struct inode *dir, struct dentry *d)
{
	struct tmpfs_dirent *e = find(tmpfs_i(dir), d);
	struct inode *inode;

	if (!e)
		return -ENOENT;
	if (tmpfs_i(e->inode)->count)
		return -ENOTEMPTY;
	inode = take_out(dir, e);
	drop_dir(dir, inode);
	inode_unref(inode);
	return 0;
}

static int exchange(struct inode *old_dir, struct tmpfs_dirent *a, struct inode *new_dir, struct tmpfs_dirent *b)
{
	struct inode *x = a->inode, *y = b->inode;

	a->inode = y;
	b->inode = x;
	if (old_dir != new_dir && S_ISDIR(x->mode) != S_ISDIR(y->mode)) {
		struct inode *gains = S_ISDIR(x->mode) ? new_dir : old_dir;

		inode_inc_nlink(gains);
		inode_drop_nlink(gains == new_dir ? old_dir : new_dir);
	}
	inode_touch(old_dir, false, true, true);
	inode_touch(new_dir, false, true, true);
	inode_touch(x, false, false, true);
	inode_touch(y, false, false, true);
	old_dir->version++;
	new_dir->version++;
	return 0;
}

static int tmpfs_rename(struct inode *old_dir, struct dentry *old, struct inode *new_dir,
			struct dentry *new_dentry, unsigned flags)
{
	struct tmpfs_dirent *from = find(tmpfs_i(old_dir), old), *to = find(tmpfs_i(new_dir), new_dentry);
	struct tmpfs_dirent *fresh = NULL;
	struct inode *inode, *gone = NULL, *white = NULL;
	int err;

	if (!from)
		return -ENOENT;
	if (flags & RENAME_EXCHANGE)
		return to ? exchange(old_dir, from, new_dir, to) : -ENOENT;
	inode = from->inode;
	if (to && S_ISDIR(to->inode->mode) && tmpfs_i(to->inode)->count)
		return -ENOTEMPTY;
	if (!to) {
		fresh = entry_new(new_dentry);
		if (!fresh)
			return -ENOMEM;
	}
	if (flags & RENAME_WHITEOUT) {
		err = tmpfs_inode_new(old_dir->sb, old_dir, S_IFCHR, makedev(0, 0), &white);
		if (err < 0) {
			free(fresh);
			return err;
		}
	}
	if (white) {
		/* the old entry stays, over a whiteout */
		from->inode = white;
		inode_touch(old_dir, false, true, true);
		old_dir->version++;
	} else {
		take_out(old_dir, from);
	}
	if (to) {
		gone = to->inode;
		to->inode = inode;
		new_dir->version++;
		inode_touch(new_dir, false, true, true);
	} else {
		insert(new_dir, fresh, inode);
	}
	if (gone && S_ISDIR(gone->mode)) {
		drop_dir(new_dir, gone);
	} else if (gone) {
		inode_drop_nlink(gone);
		inode_touch(gone, false, false, true);
	}
	if (S_ISDIR(inode->mode) && old_dir != new_dir) {
		inode_drop_nlink(old_dir);
		inode_inc_nlink(new_dir);
	}
	inode_touch(inode, false, false, true);
	inode_unref(gone);
	return 0;
}

static int tmpfs_tmpfile(struct inode *dir, struct dentry *d, uint32_t mode)
{
	struct inode *inode;
	int err = tmpfs_inode_new(dir->sb, dir, mode, 0, &inode);

	if (err < 0)
		return err;
	inode->nlink = 0;
	d_instantiate(d, inode);
	return 0;
}

static int tmpfs_iterate(struct file *f, struct dir_context *ctx)
{
	struct tmpfs_inode *ti = tmpfs_i(f->inode);
	const struct tmpfs_dirent *e;

	if (f->pos == 0) {
		if (!ctx->emit(ctx, ".", 1, 1, f->inode->ino, DT_DIR))
			return 0;
		f->pos = 1;
	}
	if (f->pos == 1) {
		const struct inode *up = f->path.dentry->parent->inode;

		if (!ctx->emit(ctx, "..", 2, 2, up ? up->ino : f->inode->ino, DT_DIR))
			return 0;
		f->pos = 2;
	}
	LIST_FOR_EACH (e, &ti->entries, node) {
		if (e->cookie < f->pos)
			continue;
		if (!ctx->emit(ctx, e->name, e->name_size, e->cookie + 1, e->inode->ino,
			       (e->inode->mode & S_IFMT) >> 12))
			return 0;
		f->pos = e->cookie + 1;
	}
	return 0;
}

static int64_t dir_llseek(struct file *f, int64_t off, int whence)
{
	if (whence == SEEK_CUR)
		off += f->pos;
	else if (whence != SEEK_SET)
		return -EINVAL;
	if (off < 0)
		return -EINVAL;
	return f->pos = off;
}

static ssize_t dir_read(struct file *f, struct uio *u, int64_t *pos)
{
	(void)f;
	(void)u;
	(void)pos;
	return -EISDIR;
}

static int no_fsync(struct file *f, bool datasync)
{
	(void)f;
	(void)datasync;
	return 0;
}

const struct inode_ops tmpfs_dir_iops = {
	.lookup = tmpfs_lookup,
	.create = tmpfs_create,
	.link = tmpfs_link,
	.unlink = tmpfs_unlink,
	.symlink = tmpfs_symlink,
	.mkdir = tmpfs_mkdir,
	.rmdir = tmpfs_rmdir,
	.mknod = tmpfs_mknod,
	.rename = tmpfs_rename,
	.tmpfile = tmpfs_tmpfile,
	.setattr = tmpfs_setattr,
	TMPFS_XATTR_OPS,
};

const struct file_ops tmpfs_dir_fops = {
	.read = dir_read,
	.iterate = tmpfs_iterate,
	.llseek = dir_llseek,
	.fsync = no_fsync,
};
