/* Files that stand for namespaces; see nsfs.h. */
#include "services/sysd/fs/nsfs/nsfs.h"

#include <errno.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "common/base/util.h"
#include "services/sysd/abi/clone.h"
#include "services/sysd/mm/usercopy.h"
#include "services/sysd/task/nsproxy.h"
#include "services/sysd/vfs/file.h"
#include "services/sysd/vfs/inode.h"

struct ns_ref {
	struct nsproxy *ns;
	uint64_t clone_flag;
};

static void nsfs_evict(struct inode *inode)
{
	struct ns_ref *ref = inode->priv;

	if (ref) {
		nsproxy_unref(ref->ns);
		free(ref);
	}
}

static int nsfs_statfs(struct super_block *sb, struct kstatfs *ret)
{
	*ret = (struct kstatfs){
		.type = sb->magic, .bsize = SBX_PAGE_SIZE, .frsize = SBX_PAGE_SIZE, .namelen = NAME_MAX};
	return 0;
}

static int ns_open(struct inode *inode, struct file *file)
{
	(void)inode;
	(void)file;
	return 0;
}

/* ioctl_ns(2), as far as namespaces without relatives can answer. */
static long ns_ioctl(struct file *file, struct task *t, unsigned cmd, uint64_t arg)
{
	uint64_t flag = ((struct ns_ref *)file->inode->priv)->clone_flag;

	switch (cmd) {
	case NS_GET_USERNS:
		return -EPERM; /* outside of the caller's scope */
	case NS_GET_PARENT:
		return flag == ABI_CLONE_NEWUSER || flag == ABI_CLONE_NEWPID ? -EPERM : -EINVAL;
	case NS_GET_NSTYPE:
		return (long)flag;
	case NS_GET_OWNER_UID: {
		uint32_t root = 0;

		return flag != ABI_CLONE_NEWUSER ? -EINVAL : user_put(t, root, arg) ? -EFAULT : 0;
	}
	}
	return -ENOTTY;
}

static const struct super_ops nsfs_sb_ops = {.evict = nsfs_evict, .statfs = nsfs_statfs};
static const struct inode_ops nsfs_iops;
static const struct file_ops nsfs_fops = {.open = ns_open, .ioctl = ns_ioctl};
static struct fs_type nsfs_type = {.name = "nsfs", .nodev = true};

int nsfs_path(const char *name, uint64_t number, struct nsproxy *ns, uint64_t clone_flag, struct path *ret)
{
	static struct super_block *sb;
	CLEANUP_FREE struct ns_ref *ref = malloc(sizeof(*ref));
	struct inode *inode;
	struct dentry *d;

	if (!sb)
		sb = super_new(&nsfs_type, &nsfs_sb_ops, NSFS_MAGIC);
	inode = ref && sb ? inode_new(sb, S_IFREG | 0444) : NULL;
	if (!inode)
		return -ENOMEM;
	inode->op = &nsfs_iops;
	inode->fop = &nsfs_fops;
	inode->ino = number;
	*ref = (struct ns_ref){nsproxy_ref(ns), clone_flag};
	inode->priv = STEAL_PTR(ref);
	d = d_alloc_anon(inode, name);
	if (!d)
		return -ENOMEM;
	*ret = (struct path){.dentry = d};
	return 0;
}

struct nsproxy *nsfs_get(const struct file *file, uint64_t *ret_clone_flag)
{
	const struct ns_ref *ref = file->inode->priv;

	if (file->inode->fop != &nsfs_fops)
		return NULL;
	*ret_clone_flag = ref->clone_flag;
	return ref->ns;
}
