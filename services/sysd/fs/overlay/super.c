/* Mounting overlays. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "common/base/util.h"
#include "services/sysd/fs/overlay/private.h"

#define OVERLAY_MAGIC 0x794c7630
#define TABLE_SIZE 1024u

static int ovl_statfs(struct super_block *sb, struct kstatfs *ret)
{
	struct super_block *upper = ovl_sb(sb)->upper;
	int r = upper->op->statfs ? upper->op->statfs(upper, ret) : -ENOSYS;

	ret->type = sb->magic;
	ret->fsid = sb->dev;
	return r;
}

static void ovl_kill(struct super_block *sb)
{
	struct ovl_sb *s = ovl_sb(sb);

	while (!list_empty(&s->redirects))
		ovl_redirect_free(LIST_FIRST(&s->redirects, struct ovl_redirect, node));
	while (!list_empty(&s->index)) {
		struct ovl_index *x = LIST_FIRST(&s->index, struct ovl_index, node);

		list_del(&x->node);
		inode_unref(x->lower);
		dentry_unref(x->upper);
		free(x);
	}
	super_unref(s->upper);
	for (unsigned i = 0; i < s->lower_count; i++)
		super_unref(s->lower[i]);
	free(s->table);
	free(s);
}

static const struct super_ops ovl_sops = {.evict = ovl_evict, .statfs = ovl_statfs, .kill = ovl_kill};

static int ovl_type_mount(const struct fs_type *type, const char *source, const char *data, unsigned sb_flags,
			  struct super_block **ret_sb)
{
	return -EPERM; /* overlays of the guest's own making are for later: see docs/status.md */
}
static struct fs_type ovl_type = {.name = "overlay", .nodev = true, .mount = ovl_type_mount};

static int make_upper(uint64_t size, struct super_block **ret)
{
	const struct fs_type *tmpfs = fs_type_find("tmpfs");
	char opt[64] = "mode=755";

	if (!tmpfs)
		return -ENODEV;
	if (size)
		snprintf(opt, sizeof(opt), "mode=755,size=%" PRIu64, size);
	return tmpfs->mount(tmpfs, "overlay", opt, 0, ret);
}

static int make_root(struct super_block *sb)
{
	struct ovl_sb *s = ovl_sb(sb);
	struct dentry *lower[OVL_LOWER_MAX];
	struct inode *inode, *below = s->lower[0]->root->inode, *top = s->upper->root->inode;
	int ret;

	top->mode = below->mode;
	top->uid = below->uid;
	top->gid = below->gid;
	top->mtime = below->mtime;
	top->ctime = below->ctime;
	top->atime = below->atime;
	for (unsigned i = 0; i < s->lower_count; i++)
		lower[i] = dentry_ref(s->lower[i]->root);
	ret = ovl_iget(sb, dentry_ref(s->upper->root), lower, s->lower_count, &inode);
	if (ret < 0)
		return ret;
	sb->root = d_alloc_root(inode);
	return sb->root ? 0 : -ENOMEM;
}

int overlay_mount(struct super_block *const *lower, unsigned count, uint64_t upper_size,
		  struct super_block **ret_sb)
{
	struct super_block *sb;
	struct ovl_sb *s;
	int ret;

	if (!count || count > OVL_LOWER_MAX)
		return -EINVAL;
	for (unsigned i = 0; i < count; i++)
		if (!S_ISDIR(lower[i]->root->inode->mode))
			return -ENOTDIR;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	list_init(&s->redirects);
	list_init(&s->index);
	s->table_size = TABLE_SIZE;
	s->table = malloc(2 * TABLE_SIZE * sizeof(*s->table));
	ret = s->table ? make_upper(upper_size, &s->upper) : -ENOMEM;
	sb = ret < 0 ? NULL : super_new(&ovl_type, &ovl_sops, OVERLAY_MAGIC);
	if (!sb) {
		if (s->upper)
			super_unref(s->upper);
		free(s->table);
		free(s);
		return ret < 0 ? ret : -ENOMEM;
	}
	for (unsigned i = 0; i < 2 * TABLE_SIZE; i++)
		list_init(&s->table[i]);
	for (unsigned i = 0; i < count; i++)
		s->lower[s->lower_count++] = super_ref(lower[i]);
	sb->priv = s;
	sb->cache_dentries = true;
	ret = make_root(sb);
	if (ret < 0) {
		super_unref(sb);
		return ret;
	}
	*ret_sb = sb;
	return 0;
}

void overlay_init(void)
{
	fs_type_register(&ovl_type);
}
