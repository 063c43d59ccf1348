/* Files and directories of a static tree. See tree.h. */
#include <stdio.h>
#include <sys/stat.h>
#include "common/base/util.h"
#include "services/sysd/fs/proc/seqbuf.h"
#include "services/sysd/fs/sysfs/tree.h"
#include "services/sysd/task/task.h"
#include "services/sysd/vfs/dentry.h"
#include "services/sysd/vfs/file.h"
#include "services/sysd/vfs/inode.h"

#define DT_DIR_ 4

static uint64_t next_ino = 2;

static struct tree_node *node_new(struct tree_node *parent, const char *name, size_t size, uint32_t mode)
{
	struct tree_node *n = calloc(1, sizeof(*n));

	if (!n)
		return NULL;
	n->name = strndup(name, size);
	if (!n->name) {
		free(n);
		return NULL;
	}
	n->parent = parent ? parent : n;
	n->mode = mode;
	n->ino = next_ino++;
	list_init(&n->children);
	list_init(&n->sibling);
	if (parent)
		list_add_tail(&parent->children, &n->sibling);
	return n;
}

struct tree_node *tree_new(void)
{
	return node_new(NULL, "/", 1, S_IFDIR | 0555);
}

static struct tree_node *child(const struct tree_node *dir, const char *name, size_t size)
{
	struct tree_node *n;

	LIST_FOR_EACH (n, &dir->children, sibling)
		if (strlen(n->name) == size && !memcmp(n->name, name, size))
			return n;
	return NULL;
}

static struct tree_node *add(struct tree_node *at, const char *path, uint32_t mode)
{
	while (at) {
		size_t size = strcspn(path, "/");
		bool last = !path[size];
		struct tree_node *n = child(at, path, size);

		if (!n)
			n = node_new(at, path, size, last ? mode : (uint32_t)S_IFDIR | 0555);
		if (last)
			return n;
		at = n;
		path += size + 1;
	}
	return NULL;
}

struct tree_node *tree_dir(struct tree_node *root, const char *path)
{
	return add(root, path, S_IFDIR | 0555);
}

struct tree_node *tree_file(struct tree_node *root, const char *path,
			    int (*show)(struct seqbuf *s, const struct tree_node *n), uint64_t data)
{
	struct tree_node *n = add(root, path, S_IFREG | 0444);

	if (n) {
		n->show = show;
		n->data = data;
	}
	return n;
}

struct tree_node *tree_text(struct tree_node *root, const char *path, const char *text)
{
	struct tree_node *n = add(root, path, S_IFREG | 0444);

	if (n)
		n->text = text;
	return n;
}

struct tree_node *tree_link(struct tree_node *root, const char *path, const char *target)
{
	struct tree_node *n = add(root, path, S_IFLNK | 0777);

	if (n)
		n->text = target;
	return n;
}

/* ---- files -------------------------------------------------------------------------------- */

static const struct tree_node *node_of(const struct inode *inode)
{
	return inode->priv;
}

static ssize_t file_read(struct file *file, struct uio *u, int64_t *pos)
{
	const struct tree_node *n = node_of(file->inode);
	struct seqbuf s = {0};
	int64_t off = pos ? *pos : 0;
	ssize_t ret = 0;

	/* short texts: made anew for each read */
	if (n->show) {
		ret = n->show(&s, n);
		if (ret)
			goto out;
	} else if (n->text) {
		seq_puts(&s, n->text);
	}
	if (s.failed)
		ret = -ENOMEM;
	else if (off >= 0 && (uint64_t)off < s.size)
		ret = uio_copy_to(u, s.buf + off, MIN(u->resid, s.size - (size_t)off));
	if (ret > 0 && pos)
		*pos += ret;
out:
	seq_done(&s);
	return ret;
}

static ssize_t file_write(struct file *file, struct uio *u, int64_t *pos)
{
	const struct tree_node *n = node_of(file->inode);
	char buf[SBX_PAGE_SIZE + 1];
	ssize_t got;

	if (!n->store)
		return -EIO;
	if (u->resid > SBX_PAGE_SIZE)
		return -EINVAL;
	got = u->resid ? uio_copy_from(u, buf, u->resid) : 0;
	if (got < 0)
		return got;
	buf[got] = 0;
	return n->store(n, current_task(), buf, (size_t)got);
}

static int64_t node_llseek(struct file *file, int64_t off, int whence)
{
	if (whence == SEEK_CUR)
		off += file->pos;
	else if (whence != SEEK_SET)
		return -EINVAL;
	if (off < 0)
		return -EINVAL;
	return file->pos = off;
}

static int dir_iterate(struct file *file, struct dir_context *ctx)
{
	const struct tree_node *dir = node_of(file->inode);
	struct tree_node *n;
	int64_t at = 2;

	if (file->pos == 0) {
		if (!ctx->emit(ctx, ".", 1, 1, dir->ino, DT_DIR_))
			return 0;
		file->pos = 1;
	}
	if (file->pos == 1) {
		if (!ctx->emit(ctx, "..", 2, 2, dir->parent->ino, DT_DIR_))
			return 0;
		file->pos = 2;
	}
	LIST_FOR_EACH (n, &dir->children, sibling) {
		if (at++ < file->pos)
			continue;
		if (!ctx->emit(ctx, n->name, strlen(n->name), at, n->ino, (n->mode & S_IFMT) >> 12))
			return 0;
		file->pos = at;
	}
	return 0;
}

static const struct file_ops file_fops = {.read = file_read, .write = file_write, .llseek = node_llseek};
static const struct file_ops dir_fops = {.iterate = dir_iterate, .llseek = node_llseek};

static int dir_lookup(struct inode *dir, struct dentry *dentry);

static int link_readlink(struct inode *inode, char **ret_target)
{
	*ret_target = strdup(node_of(inode)->text);
	return *ret_target ? 0 : -ENOMEM;
}

static int no_setattr(struct dentry *dentry, const struct inode_attr *attr)
{
	return attr->valid & ~(uint32_t)(ATTR_SIZE | ATTR_ATIME | ATTR_MTIME | ATTR_CTIME) ? -EPERM : 0;
}

static const struct inode_ops dir_iops = {.lookup = dir_lookup, .setattr = no_setattr};
static const struct inode_ops file_iops = {.setattr = no_setattr};
static const struct inode_ops link_iops = {.readlink = link_readlink, .setattr = no_setattr};

static struct inode *make_inode(struct super_block *sb, const struct tree_node *n)
{
	struct inode *inode = inode_new(sb, n->mode);

	if (!inode)
		return NULL;
	inode->priv = (void *)n;
	inode->ino = n->ino;
	switch (n->mode & S_IFMT) {
	case S_IFDIR:
		inode->op = &dir_iops;
		inode->fop = &dir_fops;
		inode->nlink = 2;
		break;
	case S_IFLNK:
		inode->op = &link_iops;
		inode->size = strlen(n->text);
		break;
	default:
		inode->op = &file_iops;
		inode->fop = &file_fops;
		inode->size = SBX_PAGE_SIZE;
	}
	return inode;
}

static int dir_lookup(struct inode *dir, struct dentry *dentry)
{
	const struct tree_node *n = child(node_of(dir), dentry->name, dentry->name_size);
	struct inode *inode;

	if (!n)
		return 0;
	inode = make_inode(dir->sb, n);
	if (!inode)
		return -ENOMEM;
	d_instantiate(dentry, inode);
	return 0;
}

static int tree_statfs(struct super_block *sb, struct kstatfs *ret)
{
	*ret = (struct kstatfs){.type = sb->magic, .bsize = 4096, .frsize = 4096, .namelen = 255};
	return 0;
}

static const struct super_ops tree_sops = {.statfs = tree_statfs};

int tree_mount(const struct fs_type *type, struct tree_node *root, uint64_t magic, unsigned sb_flags,
	       struct super_block **ret_sb)
{
	struct super_block *sb = root ? super_new(type, &tree_sops, magic) : NULL;
	struct inode *inode;

	if (!sb)
		return -ENOMEM;
	sb->flags = sb_flags;
	inode = make_inode(sb, root);
	sb->root = inode ? d_alloc_root(inode) : NULL;
	if (!sb->root) {
		super_unref(sb);
		return -ENOMEM;
	}
	*ret_sb = sb;
	return 0;
}
