/* The null device for what the launcher asks for: standard descriptors that are the host's /dev/null, and masked
 * files. The container's own /dev/null is taken if it is one: images may have no /dev at all, or a file of that name that
 * reads and keeps what is written. Otherwise one in a devtmpfs that stands in no tree. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include "services/sysd/ctl/internal.h"
#include "services/sysd/task/task.h"
#include "services/sysd/vfs/dentry.h"
#include "services/sysd/vfs/inode.h"
#include "services/sysd/vfs/mount.h"
#include "services/sysd/vfs/namei.h"

static bool is_null(const struct path *p)
{
	const struct inode *inode = p->dentry->inode;

	return S_ISCHR(inode->mode) && inode->rdev == makedev(1, 3) && !(p->mnt->flags & MNT_NODEV);
}

/* The devtmpfs, made when it is first needed and kept. */
static int own_dev(struct vfsmount **ret)
{
	static struct vfsmount *own;
	const struct fs_type *type = fs_type_find("devtmpfs");
	struct super_block *sb;
	int r;

	if (!own) {
		if (!type)
			return -ENODEV;
		r = type->mount(type, "devtmpfs", NULL, 0, &sb);
		if (r < 0)
			return r;
		own = mnt_new(sb, sb->root, 0, "devtmpfs");
		super_unref(sb);
		if (!own)
			return -ENOMEM;
	}
	*ret = own;
	return 0;
}

int null_path(struct task *t, struct path *ret)
{
	struct vfsmount *dev;
	int r = path_lookup(t, AT_FDCWD, "/dev/null", LOOKUP_FOLLOW, ret);

	if (r == 0) {
		if (is_null(ret))
			return 0;
		path_put(ret);
	}
	r = own_dev(&dev);
	return r < 0 ? r : path_lookup_at(t, &(struct path){dev, dev->root}, "null", 0, ret);
}
