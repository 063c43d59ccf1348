/* getcwd(2), chdir(2), chroot(2), umask(2). */
#include <linux/capability.h>

#include "services/sysd/mm/usercopy.h"
#include "services/sysd/syscall/syscall.h"
#include "services/sysd/vfs/fdtable.h"
#include "services/sysd/vfs/internal.h"

SYS_HANDLER(getcwd)
{
	CLEANUP_PATH_BUF char *buf = path_buf_new();
	const struct path *pwd = &t->fs->pwd;
	size_t size;
	char *p;

	if (!buf)
		return -ENOMEM;
	if (!pwd->dentry->inode->nlink || (pwd->dentry->unhashed && pwd->dentry->parent != pwd->dentry))
		return -ENOENT;
	p = d_path(pwd, &t->fs->root, buf, PATH_MAX);
	if (!p)
		return -ENAMETOOLONG;
	size = (size_t)(buf + PATH_MAX - p);
	if (size > a[1])
		return -ERANGE;
	return user_write(t, a[0], p, size) < 0 ? -EFAULT : (long)size;
}

/* Takes the references over. */
static void set_path(struct path *slot, struct path p)
{
	struct path old = *slot;

	*slot = p;
	path_put(&old);
}

static long change_to(struct task *t, struct path *p)
{
	int err = inode_permission(p->dentry->inode, t, MAY_EXEC | MAY_CHDIR);

	if (err < 0) {
		path_put(p);
		return err;
	}
	set_path(&t->fs->pwd, *p);
	return 0;
}

SYS_HANDLER(chdir)
{
	struct path p;
	long ret = user_path_lookup(t, AT_FDCWD, a[0], LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &p);

	return ret < 0 ? ret : change_to(t, &p);
}

SYS_HANDLER(fchdir)
{
	struct file *f = fd_get_any(t, (int)a[0]);
	struct path p;

	if (!f)
		return -EBADF;
	if (!S_ISDIR(f->inode->mode)) {
		file_unref(f);
		return -ENOTDIR;
	}
	p = f->path;
	path_get(&p);
	file_unref(f);
	return change_to(t, &p);
}

SYS_HANDLER(chroot)
{
	struct path p;
	long ret = user_path_lookup(t, AT_FDCWD, a[0], LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &p);

	if (ret < 0)
		return ret;
	ret = inode_permission(p.dentry->inode, t, MAY_EXEC | MAY_CHDIR);
	if (!ret && !t_capable(t, CAP_SYS_CHROOT))
		ret = -EPERM;
	if (ret < 0) {
		path_put(&p);
		return ret;
	}
	set_path(&t->fs->root, p);
	return 0;
}

SYS_HANDLER(umask)
{
	uint32_t old = t->fs->umask;

	t->fs->umask = (uint32_t)a[0] & 0777;
	return old;
}
