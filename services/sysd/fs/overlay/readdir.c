/* Reading directories. A directory of one layer is passed through; a merged one is read layer by layer
 * into a list when it is read from its start, with what upper layers hide left out. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/util.h"
#include "services/sysd/fs/overlay/private.h"
#include "services/sysd/vfs/namelist.h"

/* Entries that are whiteouts are marked. */
struct merged {
	struct namelist list;
	uint64_t changes;
};

/* An open directory (file.priv). */
struct ovl_dir {
	struct file *real;       /* of the only layer, or NULL */
	struct merged *merged;
};

static void merged_free(struct merged *m)
{
	if (!m)
		return;
	namelist_done(&m->list);
	free(m);
}

struct fill {
	struct dir_context ctx;
	struct merged *m;
	struct dentry *layer;
	bool upper;
	int ret;
};

static bool is_dots(const char *name, size_t size)
{
	return name[0] == '.' && (size == 1 || (size == 2 && name[1] == '.'));
}

static bool fill_entry(struct dir_context *ctx, const char *name, size_t size, int64_t next_pos, uint64_t ino,
		       unsigned d_type)
{
	struct fill *f = CONTAINER_OF(ctx, struct fill, ctx);
	struct namelist_entry *e;

	if (is_dots(name, size))
		return true;
	e = namelist_find(&f->m->list, name, size);
	if (e) { /* hidden; but its number is the lower file's */
		if (e->ino >= OVL_UPPER_INO && e->type == d_type)
			e->ino = ino;
		return true;
	}
	f->ret = namelist_add(&f->m->list, name, size, f->upper ? OVL_UPPER_INO + ino : ino, d_type, NULL);
	return !f->ret;
}

static int fill_layer(struct merged *m, struct dentry *layer, bool upper)
{
	struct fill f = {.ctx.emit = fill_entry, .m = m, .layer = layer, .upper = upper};
	struct path path = {NULL, layer};
	struct file *file;
	int ret = file_open_path(&path, 0, NULL, &file);

	if (ret < 0)
		return ret;
	ret = file->op->iterate(file, &f.ctx);
	file_unref(file);
	return ret < 0 ? ret : f.ret;
}

/* Character devices among the entries that came from this layer may be whiteouts. */
static int mark_whiteouts(struct merged *m, uint32_t from, struct dentry *layer)
{
	for (uint32_t i = from; i < m->list.count; i++) {
		struct namelist_entry *e = &m->list.entries[i];
		struct dentry *d;
		int ret;

		if (e->type != DT_CHR)
			continue;
		ret = ovl_child(layer, namelist_name(&m->list, e), e->name_size, &d);
		if (ret < 0)
			return ret;
		e->marked = ovl_is_whiteout(d);
		dentry_unref(d);
	}
	return 0;
}

static int merged_make(struct inode *dir, struct merged **ret)
{
	struct ovl_inode *oi = ovl_i(dir);
	struct merged *m = calloc(1, sizeof(*m));
	int err = m ? 0 : -ENOMEM;

	if (m)
		m->changes = oi->changes;
	if (!err && oi->upper) {
		err = fill_layer(m, oi->upper, true);
		if (!err)
			err = mark_whiteouts(m, 0, oi->upper);
	}
	for (unsigned i = 0; i < oi->lower_count && !err; i++) {
		uint32_t from = m->list.count;

		err = fill_layer(m, oi->lower[i], false);
		if (!err && oi->lower_count > 1)
			err = mark_whiteouts(m, from, oi->lower[i]);
	}
	if (err < 0) {
		merged_free(m);
		return err;
	}
	*ret = m;
	return 0;
}

static bool single_layer(const struct inode *dir)
{
	const struct ovl_inode *oi = ovl_i(dir);

	return (oi->upper != NULL) + oi->lower_count == 1;
}

int ovl_check_empty(struct dentry *dir)
{
	struct merged *m;
	int ret = merged_make(dir->inode, &m);

	if (ret < 0)
		return ret;
	for (uint32_t i = 0; i < m->list.count && !ret; i++)
		if (!m->list.entries[i].marked)
			ret = -ENOTEMPTY;
	merged_free(m);
	return ret;
}

static int dir_open(struct inode *inode, struct file *file)
{
	file->priv = calloc(1, sizeof(struct ovl_dir));
	return file->priv ? 0 : -ENOMEM;
}

static void dir_release(struct file *file)
{
	struct ovl_dir *od = file->priv;

	file_unref(od->real);
	merged_free(od->merged);
	free(od);
}

/* Passes entries of one layer on, with the overlay's numbers. */
struct pass {
	struct dir_context ctx;
	struct dir_context *out;
	struct file *file;
	bool upper;
};

static bool pass_entry(struct dir_context *ctx, const char *name, size_t size, int64_t next_pos, uint64_t ino,
		       unsigned d_type)
{
	struct pass *p = CONTAINER_OF(ctx, struct pass, ctx);

	if (is_dots(name, size))
		ino = size == 1 ? p->file->inode->ino : p->file->path.dentry->parent->inode->ino;
	else if (p->upper)
		ino += OVL_UPPER_INO;
	if (!p->out->emit(p->out, name, size, next_pos, ino, d_type))
		return false;
	p->file->pos = next_pos;
	return true;
}

static int iterate_single(struct file *file, struct ovl_dir *od, struct dir_context *ctx)
{
	struct pass p = {.ctx.emit = pass_entry, .out = ctx, .file = file, .upper = ovl_i(file->inode)->upper};
	struct dentry *real = ovl_real(file->inode);
	int ret;

	if (!od->real || od->real->inode != real->inode) {
		struct path path = {NULL, real};
		struct file *f;

		ret = file_open_path(&path, 0, file->cred, &f);
		if (ret < 0)
			return ret;
		file_unref(od->real);
		od->real = f;
	}
	od->real->pos = file->pos;
	ret = od->real->op->iterate(od->real, &p.ctx);
	file->pos = od->real->pos;
	return ret;
}

static int iterate_merged(struct file *file, struct ovl_dir *od, struct dir_context *ctx)
{
	struct inode *dir = file->inode;
	struct merged *m;
	int ret;

	if (!od->merged || (file->pos == 0 && od->merged->changes != ovl_i(dir)->changes)) {
		ret = merged_make(dir, &m);
		if (ret < 0)
			return ret;
		merged_free(od->merged);
		od->merged = m;
	}
	m = od->merged;
	if (file->pos == 0) {
		if (!ctx->emit(ctx, ".", 1, 1, dir->ino, DT_DIR))
			return 0;
		file->pos = 1;
	}
	if (file->pos == 1) {
		if (!ctx->emit(ctx, "..", 2, 2, file->path.dentry->parent->inode->ino, DT_DIR))
			return 0;
		file->pos = 2;
	}
	for (; (uint64_t)file->pos - 2 < m->list.count; file->pos++) {
		const struct namelist_entry *e = &m->list.entries[file->pos - 2];

		if (e->marked)
			continue;
		if (!ctx->emit(ctx, namelist_name(&m->list, e), e->name_size, file->pos + 1, e->ino, e->type))
			return 0;
	}
	return 0;
}

static int dir_iterate(struct file *file, struct dir_context *ctx)
{
	struct ovl_dir *od = file->priv;

	/* A stream keeps the form it began with: positions of the two differ. */
	if (od->merged && file->pos)
		return iterate_merged(file, od, ctx);
	if (single_layer(file->inode) || (od->real && file->pos && !od->merged))
		return iterate_single(file, od, ctx);
	return iterate_merged(file, od, ctx);
}

static int64_t dir_llseek(struct file *file, int64_t off, int whence)
{
	if (whence == SEEK_CUR)
		off += file->pos;
	else if (whence != SEEK_SET)
		return -EINVAL;
	return off < 0 ? -EINVAL : (file->pos = off);
}

static int dir_fsync(struct file *file, bool datasync)
{
	return 0; /* what was changed is in memory */
}

const struct file_ops ovl_dir_fops = {
    .open = dir_open,
    .release = dir_release,
    .iterate = dir_iterate,
    .llseek = dir_llseek,
    .fsync = dir_fsync,
};
