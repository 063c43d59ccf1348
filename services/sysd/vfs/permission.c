/* May a task do this to an inode: mode bits, capabilities, sticky directories, read-only mounts. */
#include <linux/capability.h>
#include <linux/fs.h>

#include "services/sysd/vfs/internal.h"

int generic_permission(const struct inode *inode, const struct task *t, int mask)
{
	uint32_t mode = inode->mode;
	int want = mask & (MAY_READ | MAY_WRITE | MAY_EXEC);

	if (t->cred->fsuid == inode->uid)
		mode >>= 6;
	else if (((mode >> 3 ^ mode) & 7) && t_in_group(t, inode->gid))
		mode >>= 3;
	if (!(want & ~mode & 7))
		return 0;
	if (S_ISDIR(inode->mode)) {
		if (!(want & MAY_WRITE) && t_capable(t, CAP_DAC_READ_SEARCH))
			return 0;
		return t_capable(t, CAP_DAC_OVERRIDE) ? 0 : -EACCES;
	}
	if (want == MAY_READ && t_capable(t, CAP_DAC_READ_SEARCH))
		return 0;
	if ((!(want & MAY_EXEC) || (inode->mode & 0111)) && t_capable(t, CAP_DAC_OVERRIDE))
		return 0;
	return -EACCES;
}

int inode_permission(struct inode *inode, struct task *t, int mask)
{
	if (mask & MAY_WRITE) {
		if (sb_readonly(inode->sb) &&
		    (S_ISREG(inode->mode) || S_ISDIR(inode->mode) || S_ISLNK(inode->mode)))
			return -EROFS;
		if (inode->iflags & FS_IMMUTABLE_FL)
			return -EPERM;
	}
	if (inode->op && inode->op->permission)
		return inode->op->permission(inode, t, mask);
	return generic_permission(inode, t, mask);
}

int mnt_want_write(const struct path *p)
{
	if (!p->mnt)
		return 0;
	return (p->mnt->flags & MNT_READONLY) || sb_readonly(p->mnt->sb) ? -EROFS : 0;
}

int may_create(struct inode *dir, struct task *t)
{
	if (!dir->nlink)
		return -ENOENT;
	return inode_permission(dir, t, MAY_WRITE | MAY_EXEC);
}

int may_delete(struct inode *dir, struct dentry *victim, struct task *t, bool is_dir)
{
	struct inode *inode = victim->inode;
	int ret;

	if (!inode)
		return -ENOENT;
	ret = inode_permission(dir, t, MAY_WRITE | MAY_EXEC);
	if (ret < 0)
		return ret;
	if (dir->iflags & FS_APPEND_FL)
		return -EPERM;
	if ((dir->mode & S_ISVTX) && t->cred->fsuid != inode->uid && t->cred->fsuid != dir->uid &&
	    !t_capable(t, CAP_FOWNER))
		return -EPERM;
	if (inode->iflags & (FS_APPEND_FL | FS_IMMUTABLE_FL))
		return -EPERM;
	if (is_dir && !S_ISDIR(inode->mode))
		return -ENOTDIR;
	if (is_dir && victim->parent == victim)
		return -EBUSY;
	if (!is_dir && S_ISDIR(inode->mode))
		return -EISDIR;
	if (!dir->nlink)
		return -ENOENT;
	return 0;
}

__attribute__((weak)) int policy_check_path(struct task *t, const struct path *p, unsigned action)
{
	(void)t;
	(void)p;
	(void)action;
	return 0;
}
