/* mount(2), umount2(2), pivot_root(2), mount_setattr(2). */
#include <linux/capability.h>
#include <sys/mount.h>

#include "services/sysd/mm/usercopy.h"
#include "services/sysd/syscall/syscall.h"
#include "services/sysd/task/nsproxy.h"
#include "services/sysd/vfs/internal.h"

#define ABI_MS_NOSYMFOLLOW 256u
#define MS_PROPAGATION (MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE)
#define ABI_UMOUNT_NOFOLLOW 8

static unsigned mnt_flags_of(uint64_t ms, unsigned old)
{
	static const struct {
		uint64_t ms;
		unsigned mnt;
	} map[] = {
		{MS_RDONLY, MNT_READONLY}, {MS_NOSUID, MNT_NOSUID},         {MS_NODEV, MNT_NODEV},
		{MS_NOEXEC, MNT_NOEXEC},   {MS_NODIRATIME, MNT_NODIRATIME}, {ABI_MS_NOSYMFOLLOW, MNT_NOSYMFOLLOW},
	};
	unsigned flags = 0;

	for (size_t i = 0; i < ARRAY_SIZE(map); i++) {
		if (ms & map[i].ms)
			flags |= map[i].mnt;
	}
	if (ms & MS_NOATIME)
		flags |= MNT_NOATIME;
	else if (!(ms & MS_STRICTATIME))
		flags |= MNT_RELATIME;
	/* A remount that says nothing about access times leaves them. */
	if ((ms & MS_REMOUNT) && !(ms & (MS_NOATIME | MS_NODIRATIME | MS_RELATIME | MS_STRICTATIME)))
		flags = (flags & ~(MNT_NOATIME | MNT_NODIRATIME | MNT_RELATIME)) |
			(old & (MNT_NOATIME | MNT_NODIRATIME | MNT_RELATIME));
	return flags;
}

static bool is_mount_root(const struct path *p)
{
	return p->dentry == p->mnt->root;
}

static int remount(struct mnt_ns *ns, const struct path *p, uint64_t flags, const char *data)
{
	struct super_block *sb = p->mnt->sb;
	int err;

	if (!is_mount_root(p) || p->mnt->ns != ns)
		return -EINVAL;
	if (!(flags & MS_BIND)) {
		if (sb->op && sb->op->remount) {
			err = sb->op->remount(sb, data);
			if (err < 0)
				return err;
		}
		if ((flags & MS_RDONLY) && !sb_readonly(sb)) {
			struct inode *inode;

			LIST_FOR_EACH (inode, &sb->inodes, sb_node) {
				if (inode->write_count > 0)
					return -EBUSY;
			}
		}
		sb->flags = (sb->flags & ~(unsigned)(MS_RDONLY | MS_SYNCHRONOUS)) |
			    (unsigned)(flags & (MS_RDONLY | MS_SYNCHRONOUS));
	}
	return mnt_set_flags(p->mnt, mnt_flags_of(flags, p->mnt->flags));
}

static int change_propagation(const struct path *p, uint64_t flags)
{
	unsigned type = flags & MS_PROPAGATION;

	if (!type || (type & (type - 1)) || (flags & ~(uint64_t)(MS_PROPAGATION | MS_REC | MS_SILENT)))
		return -EINVAL;
	if (!is_mount_root(p))
		return -EINVAL;
	mnt_set_propagation(p->mnt, type, flags & MS_REC);
	return 0;
}

static int bind_or_move(struct task *t, const struct path *at, const char *source, uint64_t flags)
{
	struct mnt_ns *ns = t->ns->mnt;
	struct path from;
	int err;

	if (!source || !*source)
		return -EINVAL;
	err = path_lookup(t, AT_FDCWD, source, LOOKUP_FOLLOW, &from);
	if (err < 0)
		return err;
	if (from.mnt->ns != ns || at->mnt->ns != ns)
		err = -EINVAL;
	else if (flags & MS_BIND)
		err = mnt_bind(ns, &from, at, flags & MS_REC);
	else if (!is_mount_root(&from))
		err = -EINVAL;
	else
		err = mnt_move(ns, from.mnt, at);
	path_put(&from);
	return err;
}

static long do_mount(struct task *t, const struct path *at, const char *source, const char *type, uint64_t flags,
		     const char *data)
{
	struct mnt_ns *ns = t->ns->mnt;
	int err = policy_check_path(t, at, POLICY_MOUNT);

	if (err < 0)
		return err;
	if (flags & MS_REMOUNT)
		return remount(ns, at, flags, data);
	if (flags & MS_BIND)
		return bind_or_move(t, at, source, flags);
	if (flags & MS_PROPAGATION)
		return change_propagation(at, flags);
	if (flags & MS_MOVE)
		return bind_or_move(t, at, source, flags);
	if (!type)
		return -EINVAL;
	return mnt_mount_new(ns, at, type, source ? source : "none", data, (unsigned)flags,
			     mnt_flags_of(flags & ~(uint64_t)MS_RDONLY, 0) |
				     (flags & MS_RDONLY ? MNT_READONLY : 0));
}

/* The data page: at most a page, cut off there, and often not there at all. */
static int get_data(struct task *t, uint64_t udata, char **ret)
{
	size_t done = 0;
	char *buf;

	if (!udata)
		return 0;
	buf = calloc(1, SBX_PAGE_SIZE + 1);
	if (!buf)
		return -ENOMEM;
	while (done < SBX_PAGE_SIZE) {
		size_t n = MIN(SBX_PAGE_SIZE - (udata + done) % SBX_PAGE_SIZE, SBX_PAGE_SIZE - done);

		if (user_read(t, buf + done, udata + done, n) < 0)
			break;
		done += n;
	}
	if (!done) {
		free(buf);
		return -EFAULT;
	}
	*ret = buf;
	return 0;
}

SYS_HANDLER(mount)
{
	CLEANUP_PATH_BUF char *source = NULL, *type = NULL;
	CLEANUP_FREE char *data = NULL;
	CLEANUP_PATH struct path at = {0};
	uint64_t flags = a[3];
	int err = 0;

	if (a[2])
		err = path_buf_get(t, a[2], true, &type);
	if (!err && a[0])
		err = path_buf_get(t, a[0], true, &source);
	if (!err)
		err = get_data(t, a[4], &data);
	if (!err)
		err = user_path_lookup(t, AT_FDCWD, a[1], LOOKUP_FOLLOW, &at);
	if (err < 0)
		return err;
	if (!t_capable(t, CAP_SYS_ADMIN))
		return -EPERM;
	if ((flags & MS_MGC_MSK) == MS_MGC_VAL)
		flags &= ~(uint64_t)MS_MGC_MSK;
	return do_mount(t, &at, source, type, flags, data);
}

SYS_HANDLER(umount2)
{
	int flags = (int)a[1], err;
	struct path at;

	if (flags & ~(MNT_FORCE | MNT_DETACH | MNT_EXPIRE | ABI_UMOUNT_NOFOLLOW))
		return -EINVAL;
	if (!t_capable(t, CAP_SYS_ADMIN))
		return -EPERM;
	err = user_path_lookup(t, AT_FDCWD, a[0], flags & ABI_UMOUNT_NOFOLLOW ? 0 : LOOKUP_FOLLOW, &at);
	if (err < 0)
		return err;
	if (!is_mount_root(&at) || at.mnt->ns != t->ns->mnt)
		err = -EINVAL;
	else if ((flags & MNT_EXPIRE) && (flags & (MNT_FORCE | MNT_DETACH)))
		err = -EINVAL;
	else
		err = policy_check_path(t, &at, POLICY_MOUNT);
	if (!err) {
		dentry_unref(at.dentry);
		at.dentry = NULL;
		err = mnt_umount(t->ns->mnt, at.mnt, flags);
	}
	path_put(&at);
	return err;
}

static bool same_place(const struct path *a, const struct path *b)
{
	return a->mnt == b->mnt && a->dentry == b->dentry;
}

/* Is `p` at or below `top`? */
static bool reachable(const struct path *p, const struct path *top)
{
	const struct vfsmount *m = p->mnt;
	const struct dentry *d = p->dentry;

	while (m != top->mnt) {
		if (!m->parent)
			return false;
		d = m->mountpoint;
		m = m->parent;
	}
	return d_is_ancestor(top->dentry, d);
}

SYS_HANDLER(pivot_root)
{
	CLEANUP_PATH struct path new_root = {0}, put_old = {0}, old = {0};
	struct task *o;
	int err;

	if (!t_capable(t, CAP_SYS_ADMIN))
		return -EPERM;
	err = user_path_lookup(t, AT_FDCWD, a[0], LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &new_root);
	if (!err)
		err = user_path_lookup(t, AT_FDCWD, a[1], LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &put_old);
	if (err < 0)
		return err;
	old = t->fs->root;
	path_get(&old);
	if (new_root.mnt->ns != t->ns->mnt || put_old.mnt->ns != t->ns->mnt)
		return -EINVAL;
	if (new_root.mnt == old.mnt || put_old.mnt == old.mnt)
		return -EBUSY;
	if (!is_mount_root(&old) || !is_mount_root(&new_root))
		return -EINVAL;
	if (!reachable(&put_old, &new_root) || !reachable(&new_root, &old))
		return -EINVAL;
	err = mnt_pivot_root(t->ns->mnt, old.mnt, &new_root, &put_old);
	if (err < 0)
		return err;
	/* Whoever stood in the old root stands in the new one. */
	LIST_FOR_EACH (o, task_all(), all_node) {
		if (!o->fs)
			continue;
		if (same_place(&o->fs->root, &old)) {
			path_get(&new_root);
			path_put(&o->fs->root);
			o->fs->root = new_root;
		}
		if (same_place(&o->fs->pwd, &old)) {
			path_get(&new_root);
			path_put(&o->fs->pwd);
			o->fs->pwd = new_root;
		}
	}
	return 0;
}

struct abi_mount_attr {
	uint64_t attr_set, attr_clr, propagation, userns_fd;
};
#define ABI_ATTR_RDONLY 1u
#define ABI_ATTR_NOSUID 2u
#define ABI_ATTR_NODEV 4u
#define ABI_ATTR_NOEXEC 8u
#define ABI_ATTR_ATIME 0x70u
#define ABI_ATTR_NOATIME 0x10u
#define ABI_ATTR_STRICTATIME 0x20u
#define ABI_ATTR_NODIRATIME 0x80u
#define ABI_ATTR_NOSYMFOLLOW 0x200000u
#define ABI_ATTR_KNOWN                                                                              \
	(ABI_ATTR_RDONLY | ABI_ATTR_NOSUID | ABI_ATTR_NODEV | ABI_ATTR_NOEXEC | ABI_ATTR_ATIME | \
	 ABI_ATTR_NODIRATIME | ABI_ATTR_NOSYMFOLLOW)

static unsigned attr_flags(uint64_t attr)
{
	return (attr & ABI_ATTR_RDONLY ? MNT_READONLY : 0) | (attr & ABI_ATTR_NOSUID ? MNT_NOSUID : 0) |
	       (attr & ABI_ATTR_NODEV ? MNT_NODEV : 0) | (attr & ABI_ATTR_NOEXEC ? MNT_NOEXEC : 0) |
	       (attr & ABI_ATTR_NODIRATIME ? MNT_NODIRATIME : 0) |
	       (attr & ABI_ATTR_NOSYMFOLLOW ? MNT_NOSYMFOLLOW : 0);
}

SYS_HANDLER(mount_setattr)
{
	unsigned flags = (unsigned)a[2];
	CLEANUP_PATH struct path p = {0};
	struct abi_mount_attr m;
	unsigned set, clear;
	int err;

	if (flags & ~(unsigned)(AT_EMPTY_PATH | AT_RECURSIVE | AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT))
		return -EINVAL;
	if (a[4] < sizeof(m))
		return -EINVAL;
	if (a[4] > SBX_PAGE_SIZE)
		return -E2BIG;
	if (!t_capable(t, CAP_SYS_ADMIN))
		return -EPERM;
	if (user_get(t, m, a[3]) < 0)
		return -EFAULT;
	if (((m.attr_set | m.attr_clr) & ~(uint64_t)ABI_ATTR_KNOWN) ||
	    (m.propagation & ~(uint64_t)MS_PROPAGATION) || (m.propagation & (m.propagation - 1)))
		return -EINVAL;
	if ((m.attr_set & ABI_ATTR_ATIME) && (m.attr_clr & ABI_ATTR_ATIME) != ABI_ATTR_ATIME)
		return -EINVAL;
	err = user_path_lookup(t, (int)a[0], a[1],
			       (flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW) |
				       (flags & AT_EMPTY_PATH ? LOOKUP_EMPTY : 0),
			       &p);
	if (err < 0)
		return err;
	if (!p.mnt || !is_mount_root(&p))
		return -EINVAL;
	set = attr_flags(m.attr_set);
	clear = attr_flags(m.attr_clr);
	if (m.attr_clr & ABI_ATTR_ATIME) {
		clear |= MNT_NOATIME | MNT_RELATIME;
		if ((m.attr_set & ABI_ATTR_ATIME) == ABI_ATTR_NOATIME)
			set |= MNT_NOATIME;
		else if (!(m.attr_set & ABI_ATTR_ATIME))
			set |= MNT_RELATIME;
	}
	for (struct vfsmount *mnt = p.mnt; mnt; mnt = flags & AT_RECURSIVE ? mnt_next(mnt, p.mnt) : NULL)
		mnt_set_flags(mnt, (mnt->flags & ~clear) | set);
	if (m.propagation)
		mnt_set_propagation(p.mnt, (unsigned)m.propagation, flags & AT_RECURSIVE);
	return 0;
}
