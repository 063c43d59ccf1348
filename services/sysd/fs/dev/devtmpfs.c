/* devtmpfs: a tmpfs that starts with the nodes that programs expect in /dev. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "common/base/util.h"
#include "services/sysd/fs/dev/chrdev.h"
#include "services/sysd/fs/dev/mem.h"
#include "services/sysd/vfs/dentry.h"
#include "services/sysd/vfs/inode.h"

static const struct node {
	const char *name;
	uint32_t mode; /* with S_IFMT */
	uint8_t major, minor;
	const char *target;
} nodes[] = {
    {"null", S_IFCHR | 0666, 1, 3, NULL},
    {"zero", S_IFCHR | 0666, 1, 5, NULL},
    {"full", S_IFCHR | 0666, 1, 7, NULL},
    {"random", S_IFCHR | 0666, 1, 8, NULL},
    {"urandom", S_IFCHR | 0666, 1, 9, NULL},
    {"tty", S_IFCHR | 0666, 5, 0, NULL},
    {"fd", S_IFLNK, 0, 0, "/proc/self/fd"},
    {"stdin", S_IFLNK, 0, 0, "/proc/self/fd/0"},
    {"stdout", S_IFLNK, 0, 0, "/proc/self/fd/1"},
    {"stderr", S_IFLNK, 0, 0, "/proc/self/fd/2"},
    {"core", S_IFLNK, 0, 0, "/proc/kcore"},
    {"ptmx", S_IFLNK, 0, 0, "pts/ptmx"},
    {"pts", S_IFDIR | 0755, 0, 0, NULL},
    {"shm", S_IFDIR | 01777, 0, 0, NULL},
    {"mqueue", S_IFDIR | 01777, 0, 0, NULL},
};

static int make_node(struct dentry *dir, const struct node *n)
{
	const struct inode_ops *op = dir->inode->op;
	struct dentry *d = d_alloc(dir, n->name, strlen(n->name));
	int ret;

	if (!d)
		return -ENOMEM;
	if (S_ISLNK(n->mode))
		ret = op->symlink(dir->inode, d, n->target);
	else if (S_ISDIR(n->mode))
		ret = op->mkdir(dir->inode, d, n->mode & 07777);
	else
		ret = op->mknod(dir->inode, d, n->mode, makedev(n->major, n->minor));
	if (!ret) {
		/* The device's owner and mode do not depend on who mounts it. */
		d->inode->uid = d->inode->gid = 0;
		if (!S_ISLNK(n->mode))
			d->inode->mode = n->mode;
		d_add(d, NULL);
	}
	dentry_unref(d);
	return ret;
}

int dev_populate(struct super_block *sb)
{
	for (size_t i = 0; i < ARRAY_SIZE(nodes); i++) {
		int ret = make_node(sb->root, &nodes[i]);

		if (ret < 0)
			return ret;
	}
	return 0;
}

static int devtmpfs_mount(const struct fs_type *type, const char *source, const char *data,
			  unsigned sb_flags, struct super_block **ret_sb)
{
	const struct fs_type *tmpfs = fs_type_find("tmpfs");
	struct super_block *sb;
	int ret;

	if (!tmpfs)
		return -ENODEV;
	ret = tmpfs->mount(tmpfs, source, data && *data ? data : "mode=755", sb_flags, &sb);
	if (ret < 0)
		return ret;
	sb->type = type;
	ret = dev_populate(sb);
	if (ret < 0) {
		super_unref(sb);
		return ret;
	}
	*ret_sb = sb;
	return 0;
}

static struct fs_type devtmpfs_type = {.name = "devtmpfs", .nodev = true, .mount = devtmpfs_mount};

void dev_init(void)
{
	mem_devices_init();
	fs_type_register(&devtmpfs_type);
}
