/* The mount calls on descriptors: open_tree(2), move_mount(2), fsopen(2), fsconfig(2), fsmount(2), fspick(2).
 *
 * A mount that is not in any namespace yet is owned by the O_PATH descriptor that open_tree or fsmount
 * returned: the file keeps it in file->priv until move_mount attaches it; else it goes with the file. */
#include <stdio.h>
#include <linux/capability.h>
#include <linux/mount.h>

#include "services/sysd/mm/usercopy.h"
#include "services/sysd/syscall/syscall.h"
#include "services/sysd/task/nsproxy.h"
#include "services/sysd/vfs/fdtable.h"
#include "services/sysd/vfs/internal.h"

#define ABI_MS_RDONLY 1u
#define CONFIG_DATA_SIZE SBX_PAGE_SIZE

/* ---- detached mounts ---- */

/* A descriptor for the root of a detached mount; takes the reference over on success. */
static long install_mount(struct task *t, struct vfsmount *m, bool cloexec)
{
	struct path p = {m, m->root};
	struct file *f;
	int ret = file_open_path(&p, O_PATH | O_DIRECTORY, t->cred, &f);

	if (ret < 0)
		return ret;
	f->detached_mount = m;
	ret = fd_install(t, f, 0, cloexec);
	if (ret < 0) {
		f->detached_mount = NULL;
		file_unref(f);
	}
	return ret;
}

SYS_HANDLER(open_tree)
{
	unsigned flags = (unsigned)a[2];
	bool cloexec = flags & OPEN_TREE_CLOEXEC, clone = flags & OPEN_TREE_CLONE;
	CLEANUP_PATH struct path p = {0};
	struct vfsmount *m;
	struct file *f;
	long ret;

	if (flags & ~(unsigned)(AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_RECURSIVE | AT_SYMLINK_NOFOLLOW |
				OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC))
		return -EINVAL;
	if ((flags & AT_RECURSIVE) && !clone)
		return -EINVAL;
	if (clone && !t_capable(t, CAP_SYS_ADMIN))
		return -EPERM;
	ret = user_path_lookup(t, (int)a[0], a[1],
			       (flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW) |
				       (flags & AT_EMPTY_PATH ? LOOKUP_EMPTY : 0),
			       &p);
	if (ret < 0)
		return ret;
	if (!clone) {
		ret = file_open_path(&p, O_PATH, t->cred, &f);
		if (ret < 0)
			return ret;
		ret = fd_install(t, f, 0, cloexec);
		if (ret < 0)
			file_unref(f);
		return ret;
	}
	if (!p.mnt || p.mnt->ns != t->ns->mnt)
		return -EINVAL;
	m = mnt_clone_tree(p.mnt, p.dentry, flags & AT_RECURSIVE);
	if (!m)
		return -ENOMEM;
	ret = install_mount(t, m, cloexec);
	if (ret < 0)
		mnt_detach_tree(m);
	return ret;
}

/* The detached mount behind a descriptor, if `p` is its root. */
static struct file *detached_file(struct task *t, int fd, const struct path *p)
{
	struct file *f = fd_get_any(t, fd);

	if (f && f->detached_mount && f->detached_mount == p->mnt)
		return f;
	file_unref(f);
	return NULL;
}

static int do_move(struct task *t, int fd, const struct path *from, const struct path *to)
{
	struct mnt_ns *ns = t->ns->mnt;
	struct file *f;
	int ret;

	if (!from->mnt || !to->mnt || from->dentry != from->mnt->root || to->mnt->ns != ns)
		return -EINVAL;
	f = detached_file(t, fd, from);
	if (!f)
		return from->mnt->ns == ns ? mnt_move(ns, from->mnt, to) : -EINVAL;
	ret = mnt_move(ns, from->mnt, to); /* takes a reference for the place */
	if (!ret) {
		f->detached_mount = NULL;
		mnt_unref(from->mnt);
	}
	file_unref(f);
	return ret;
}

SYS_HANDLER(move_mount)
{
	CLEANUP_PATH struct path from = {0}, to = {0};
	unsigned flags = (unsigned)a[4];
	int ret;

	if (flags & ~(unsigned)(MOVE_MOUNT_F_SYMLINKS | MOVE_MOUNT_F_AUTOMOUNTS | MOVE_MOUNT_F_EMPTY_PATH |
				MOVE_MOUNT_T_SYMLINKS | MOVE_MOUNT_T_AUTOMOUNTS | MOVE_MOUNT_T_EMPTY_PATH))
		return -EINVAL;
	if (!t_capable(t, CAP_SYS_ADMIN))
		return -EPERM;
	ret = user_path_lookup(t, (int)a[0], a[1],
			       (flags & MOVE_MOUNT_F_SYMLINKS ? LOOKUP_FOLLOW : 0) |
				       (flags & MOVE_MOUNT_F_EMPTY_PATH ? LOOKUP_EMPTY : 0),
			       &from);
	if (!ret)
		ret = user_path_lookup(t, (int)a[2], a[3],
				       (flags & MOVE_MOUNT_T_SYMLINKS ? LOOKUP_FOLLOW : 0) |
					       (flags & MOVE_MOUNT_T_EMPTY_PATH ? LOOKUP_EMPTY : 0),
				       &to);
	if (!ret)
		ret = policy_check_path(t, &to, POLICY_MOUNT);
	return ret < 0 ? ret : do_move(t, (int)a[0], &from, &to);
}

/* ---- a file system being configured ---- */

struct fs_config {
	struct fs_type *type;
	struct super_block *sb;  /* made by FSCONFIG_CMD_CREATE, or of fspick */
	bool pick;
	char *source;
	unsigned sb_flags;
	size_t size;             /* of data */
	char data[CONFIG_DATA_SIZE];
};

static void config_release(struct file *f)
{
	struct fs_config *c = f->priv;

	super_unref(c->sb);
	free(c->source);
	free(c);
}

static const struct file_ops config_fops = {.release = config_release};

static long install_config(struct task *t, struct fs_config *c, bool cloexec)
{
	struct file *f;
	int ret = file_new_anon("[fscontext]", 0600, &config_fops, O_RDWR, c, &f);

	if (ret < 0) {
		super_unref(c->sb);
		free(c);
		return ret;
	}
	ret = fd_install(t, f, 0, cloexec);
	if (ret < 0)
		file_unref(f);
	return ret;
}

SYS_HANDLER(fsopen)
{
	CLEANUP_PATH_BUF char *name = NULL;
	struct fs_config *c;
	struct fs_type *type;
	int ret;

	if (!t_capable(t, CAP_SYS_ADMIN))
		return -EPERM;
	if ((unsigned)a[1] & ~(unsigned)FSOPEN_CLOEXEC)
		return -EINVAL;
	ret = path_buf_get(t, a[0], true, &name);
	if (ret < 0)
		return ret;
	type = fs_type_find(name);
	if (!type)
		return -ENODEV;
	c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	c->type = type;
	return install_config(t, c, a[1] & FSOPEN_CLOEXEC);
}

SYS_HANDLER(fspick)
{
	unsigned flags = (unsigned)a[2];
	CLEANUP_PATH struct path p = {0};
	struct fs_config *c;
	int ret;

	if (!t_capable(t, CAP_SYS_ADMIN))
		return -EPERM;
	if (flags & ~(unsigned)(FSPICK_CLOEXEC | FSPICK_SYMLINK_NOFOLLOW | FSPICK_NO_AUTOMOUNT | FSPICK_EMPTY_PATH))
		return -EINVAL;
	ret = user_path_lookup(t, (int)a[0], a[1],
			       (flags & FSPICK_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW) |
				       (flags & FSPICK_EMPTY_PATH ? LOOKUP_EMPTY : 0),
			       &p);
	if (ret < 0)
		return ret;
	if (!p.mnt || p.dentry != p.mnt->root)
		return -EINVAL;
	c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	c->sb = super_ref(p.mnt->sb);
	c->pick = true;
	c->sb_flags = c->sb->flags & ABI_MS_RDONLY;
	return install_config(t, c, flags & FSPICK_CLOEXEC);
}

static int add_option(struct fs_config *c, const char *key, const char *value)
{
	size_t room = sizeof(c->data) - c->size;
	int n;

	if (!value && !strcmp(key, "ro")) {
		c->sb_flags |= ABI_MS_RDONLY;
		return 0;
	}
	if (!value && !strcmp(key, "rw")) {
		c->sb_flags &= ~ABI_MS_RDONLY;
		return 0;
	}
	if (value && !strcmp(key, "source")) {
		if (c->source)
			return -EINVAL;
		c->source = strdup(value);
		return c->source ? 0 : -ENOMEM;
	}
	if (strchr(key, ',') || (value && strchr(value, ',')))
		return -EINVAL;
	n = snprintf(c->data + c->size, room, "%s%s%s%s", c->size ? "," : "", key, value ? "=" : "", value ? value : "");
	if (n < 0 || (size_t)n >= room) {
		c->data[c->size] = 0;
		return -E2BIG;
	}
	c->size += (size_t)n;
	return 0;
}

static int config_create(struct fs_config *c)
{
	struct super_block *sb;
	int ret;

	if (c->sb)
		return -EBUSY;
	ret = c->type->mount(c->type, c->source, c->data, c->sb_flags, &sb);
	if (ret < 0)
		return ret;
	sb->flags |= c->sb_flags;
	if (c->source && !sb->source)
		sb->source = strdup(c->source);
	c->sb = sb;
	return 0;
}

static int config_reconfigure(struct fs_config *c)
{
	struct super_block *sb = c->sb;
	int ret = 0;

	if (!c->pick)
		return -EINVAL;
	if (sb->op && sb->op->remount)
		ret = sb->op->remount(sb, c->data);
	if (!ret)
		sb->flags = (sb->flags & ~ABI_MS_RDONLY) | c->sb_flags;
	return ret;
}

static int configure(struct task *t, struct fs_config *c, const uint64_t a[6])
{
	CLEANUP_PATH_BUF char *key = NULL, *value = NULL;
	unsigned cmd = (unsigned)a[1];
	int ret;

	switch (cmd) {
	case FSCONFIG_SET_FLAG:
		if (!a[2] || a[3] || a[4])
			return -EINVAL;
		break;
	case FSCONFIG_SET_STRING:
		if (!a[2] || !a[3] || a[4])
			return -EINVAL;
		break;
	case FSCONFIG_CMD_CREATE:
	case FSCONFIG_CMD_RECONFIGURE:
		if (a[2] || a[3] || a[4])
			return -EINVAL;
		return cmd == FSCONFIG_CMD_CREATE ? config_create(c) : config_reconfigure(c);
	default:
		return -EOPNOTSUPP;
	}
	if (c->sb && !c->pick)
		return -EBUSY;
	ret = path_buf_get(t, a[2], false, &key);
	if (!ret && cmd == FSCONFIG_SET_STRING)
		ret = path_buf_get(t, a[3], true, &value);
	return ret < 0 ? ret : add_option(c, key, value);
}

static struct file *config_file(struct task *t, int fd, int *ret_err)
{
	struct file *f = fd_get(t, fd);

	if (!f) {
		*ret_err = -EBADF;
	} else if (f->op != &config_fops) {
		*ret_err = -EINVAL;
		file_unref(f);
		f = NULL;
	}
	return f;
}

SYS_HANDLER(fsconfig)
{
	int ret;
	struct file *f;

	if ((int)a[0] < 0)
		return -EINVAL;
	f = config_file(t, (int)a[0], &ret);
	if (!f)
		return ret;
	ret = configure(t, f->priv, a);
	file_unref(f);
	return ret;
}

static unsigned fsmount_flags(uint64_t attr)
{
	unsigned flags = (attr & MOUNT_ATTR_RDONLY ? MNT_READONLY : 0) | (attr & MOUNT_ATTR_NOSUID ? MNT_NOSUID : 0) |
			 (attr & MOUNT_ATTR_NODEV ? MNT_NODEV : 0) | (attr & MOUNT_ATTR_NOEXEC ? MNT_NOEXEC : 0) |
			 (attr & MOUNT_ATTR_NODIRATIME ? MNT_NODIRATIME : 0);

	switch (attr & MOUNT_ATTR__ATIME) {
	case MOUNT_ATTR_NOATIME:
		return flags | MNT_NOATIME;
	case MOUNT_ATTR_STRICTATIME:
		return flags;
	default:
		return flags | MNT_RELATIME;
	}
}

SYS_HANDLER(fsmount)
{
	struct vfsmount *m = NULL;
	struct fs_config *c;
	struct file *f;
	int err;
	long ret;

	if (!t_capable(t, CAP_SYS_ADMIN))
		return -EPERM;
	if (((unsigned)a[1] & ~(unsigned)FSMOUNT_CLOEXEC) ||
	    (a[2] & ~(uint64_t)(MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC |
				MOUNT_ATTR__ATIME | MOUNT_ATTR_NODIRATIME)))
		return -EINVAL;
	f = config_file(t, (int)a[0], &err);
	if (!f)
		return err;
	c = f->priv;
	ret = -EINVAL;
	if (c->sb && !c->pick) {
		m = mnt_new(c->sb, c->sb->root, fsmount_flags(a[2]), c->source);
		ret = m ? install_mount(t, m, a[1] & FSMOUNT_CLOEXEC) : -ENOMEM;
	}
	if (ret < 0)
		mnt_unref(m);
	file_unref(f);
	return ret;
}
