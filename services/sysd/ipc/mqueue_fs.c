/* The mqueue file system: the queues of an IPC namespace as files. All mounts of a namespace show the
 * same one. */
#include <stdio.h>
#include <sys/stat.h>
#include "common/base/util.h"
#include "services/sysd/ipc/ipc_ns.h"
#include "services/sysd/ipc/mqueue.h"
#include "services/sysd/task/task.h"
#include "services/sysd/vfs/dentry.h"

#define MQUEUE_MAGIC 0x19800202

static struct ipc_ns *ns_of(const struct super_block *sb)
{
	return sb->priv;
}

static int node_getattr(struct inode *inode)
{
	struct mqueue *q = inode->priv;

	inode->size = 80;
	q->mode = inode->mode;
	q->uid = inode->uid;
	q->gid = inode->gid;
	return 0;
}

static const struct inode_ops node_iops = {.getattr = node_getattr};
static struct super_block *sb_get(struct ipc_ns *ns);

struct inode *mqueue_inode(struct mqueue *q)
{
	struct super_block *sb;
	struct inode *inode;

	if (q->inode || !q->ns)
		return q->inode;
	sb = sb_get(q->ns);
	inode = sb ? inode_new(sb, q->mode) : NULL;
	if (!inode)
		return NULL;
	inode->op = &node_iops;
	inode->fop = &mqueue_fops;
	inode->uid = q->uid;
	inode->gid = q->gid;
	inode->priv = mqueue_ref(q);
	q->inode = inode;
	return inode;
}

static int root_lookup(struct inode *dir, struct dentry *dentry)
{
	struct mqueue *q = mqueue_find(ns_of(dir->sb), dentry->name);
	struct inode *inode = q ? mqueue_inode(q) : NULL;

	if (q && !inode)
		return -ENOMEM;
	if (inode)
		d_instantiate(dentry, inode_ref(inode));
	return 0;
}

static int root_create(struct inode *dir, struct dentry *dentry, uint32_t mode, bool excl)
{
	struct task *t = current_task();
	struct mqueue *q;
	int err;

	if (!t)
		return -EPERM;
	err = mqueue_create(ns_of(dir->sb), t, dentry->name, mode, NULL, &q);
	if (err)
		return err;
	if (!mqueue_inode(q)) {
		mqueue_unlink(q);
		return -ENOMEM;
	}
	d_instantiate(dentry, inode_ref(q->inode));
	return 0;
}

static int root_unlink(struct inode *dir, struct dentry *dentry)
{
	struct mqueue *q = mqueue_find(ns_of(dir->sb), dentry->name);

	if (q)
		mqueue_unlink(q);
	return 0;
}

static bool emit(struct file *file, struct dir_context *ctx, const char *name, int64_t next, uint64_t ino,
		 unsigned type)
{
	if (!ctx->emit(ctx, name, strlen(name), next, ino, type))
		return false;
	file->pos = next;
	return true;
}

static int root_iterate(struct file *file, struct dir_context *ctx)
{
	struct ipc_ns *ns = ns_of(file->inode->sb);
	struct mqueue *q;
	int64_t at = 2;

	if (file->pos == 0 && !emit(file, ctx, ".", 1, file->inode->ino, 4))
		return 0;
	if (file->pos == 1 && !emit(file, ctx, "..", 2, file->path.dentry->parent->inode->ino, 4))
		return 0;
	LIST_FOR_EACH (q, &ns->mqueues, node) {
		struct inode *inode;

		if (at++ < file->pos)
			continue;
		inode = mqueue_inode(q);
		if (inode && !emit(file, ctx, q->name, at, inode->ino, 8))
			break;
	}
	return 0;
}

static int64_t root_llseek(struct file *file, int64_t off, int whence)
{
	if (whence == SEEK_CUR)
		off += file->pos;
	else if (whence != SEEK_SET)
		return -EINVAL;
	if (off < 0)
		return -EINVAL;
	return file->pos = off;
}

static const struct inode_ops root_iops = {
	.lookup = root_lookup, .create = root_create, .unlink = root_unlink};
static const struct file_ops root_fops = {.iterate = root_iterate, .llseek = root_llseek};

static void mq_evict(struct inode *inode)
{
	if (inode->priv)
		mqueue_unref(inode->priv);
	inode->priv = NULL;
}

static int mq_statfs(struct super_block *sb, struct kstatfs *ret)
{
	*ret = (struct kstatfs){.type = MQUEUE_MAGIC, .bsize = 4096, .frsize = 4096, .namelen = 255};
	return 0;
}

static int mq_revalidate(struct dentry *dentry)
{
	struct mqueue *q = dentry->inode ? dentry->inode->priv : NULL;

	/* mq_open and mq_unlink come and go without the directory */
	return q && q->ns;
}

static const struct super_ops mq_sops = {
	.evict = mq_evict, .statfs = mq_statfs, .revalidate = mq_revalidate};

static int mq_mount(const struct fs_type *type, const char *source, const char *data, unsigned sb_flags,
		    struct super_block **ret_sb)
{
	struct task *t = current_task();
	struct ipc_ns *ns = t && t->ns ? ipc_ns_of(t) : NULL;
	struct super_block *sb;

	/* the control plane's mounts are made for the first process, by no task */
	if (!ns) {
		struct signal *init = signal_find(1);

		ns = init && init->leader && init->leader->ns ? ipc_ns_of(init->leader) : NULL;
	}
	if (!ns)
		return -EINVAL;
	sb = sb_get(ns);
	if (!sb)
		return -ENOMEM;
	sb->refs++;
	*ret_sb = sb;
	return 0;
}

static struct fs_type mq_type = {.name = "mqueue", .nodev = true, .mount = mq_mount};

static struct super_block *sb_get(struct ipc_ns *ns)
{
	struct super_block *sb = ns->mq_sb;
	struct inode *root;

	if (sb)
		return sb;
	sb = super_new(&mq_type, &mq_sops, MQUEUE_MAGIC);
	if (!sb)
		return NULL;
	sb->priv = ns; /* no reference: the namespace holds the super block */
	root = inode_new(sb, S_IFDIR | S_ISVTX | 0777);
	if (root) {
		root->op = &root_iops;
		root->fop = &root_fops;
		root->nlink = 2;
		sb->root = d_alloc_root(root);
	}
	if (!sb->root) {
		super_unref(sb);
		return NULL;
	}
	return ns->mq_sb = sb;
}

void mqueue_ns_free(struct ipc_ns *ns)
{
	while (!list_empty(&ns->mqueues))
		mqueue_unlink(LIST_FIRST(&ns->mqueues, struct mqueue, node));
	if (ns->mq_sb)
		super_unref(ns->mq_sb);
	ns->mq_sb = NULL;
}

void mqueue_init(void)
{
	fs_type_register(&mq_type);
}
