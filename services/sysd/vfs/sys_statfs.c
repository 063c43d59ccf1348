/* statfs(2), ustat(2), sysfs(2), and the sync family. */
#include <sys/sysmacros.h>

#include "services/sysd/abi/statfs.h"
#include "services/sysd/mm/usercopy.h"
#include "services/sysd/syscall/syscall.h"
#include "services/sysd/task/nsproxy.h"
#include "services/sysd/vfs/fdtable.h"
#include "services/sysd/vfs/internal.h"

#include <linux/fs.h>

/* ST_* of statvfs(3). */
static int64_t statfs_flags(const struct vfsmount *m, const struct super_block *sb)
{
	static const struct {
		unsigned mnt;
		int64_t st;
	} map[] = {
		{MNT_READONLY, 1}, {MNT_NOSUID, 2},      {MNT_NODEV, 4},       {MNT_NOEXEC, 8},
		{MNT_NOATIME, 1024}, {MNT_NODIRATIME, 2048}, {MNT_RELATIME, 4096}, {MNT_NOSYMFOLLOW, 8192},
	};
	int64_t flags = ABI_ST_VALID;

	for (size_t i = 0; m && i < ARRAY_SIZE(map); i++) {
		if (m->flags & map[i].mnt)
			flags |= map[i].st;
	}
	if (sb_readonly(sb))
		flags |= 1;
	return flags;
}

static long put_statfs(struct task *t, const struct path *p, uint64_t ubuf)
{
	struct super_block *sb = p->dentry->sb;
	struct kstatfs k = {.type = sb->magic, .bsize = SBX_PAGE_SIZE, .namelen = NAME_MAX, .fsid = sb->dev};
	struct abi_statfs s;
	int ret = sb->op && sb->op->statfs ? sb->op->statfs(sb, &k) : 0;

	if (ret < 0)
		return ret;
	s = (struct abi_statfs){
		.type = (int64_t)k.type,
		.bsize = (int64_t)k.bsize,
		.blocks = k.blocks,
		.bfree = k.bfree,
		.bavail = k.bavail,
		.files = k.files,
		.ffree = k.ffree,
		.fsid = {(int32_t)k.fsid, (int32_t)(k.fsid >> 32)},
		.namelen = (int64_t)k.namelen,
		.frsize = (int64_t)(k.frsize ? k.frsize : k.bsize),
		.flags = statfs_flags(p->mnt, sb),
	};
	return user_put(t, s, ubuf);
}

SYS_HANDLER(statfs)
{
	struct path p;
	long ret = user_path_lookup(t, AT_FDCWD, a[0], LOOKUP_FOLLOW, &p);

	if (ret < 0)
		return ret;
	ret = put_statfs(t, &p, a[1]);
	path_put(&p);
	return ret;
}

SYS_HANDLER(fstatfs)
{
	struct file *f = fd_get_any(t, (int)a[0]);
	long ret;

	if (!f)
		return -EBADF;
	ret = put_statfs(t, &f->path, a[1]);
	file_unref(f);
	return ret;
}

SYS_HANDLER(ustat)
{
	struct vfsmount *m;
	struct abi_ustat u = {0};
	struct kstatfs k = {0};
	int ret;

	LIST_FOR_EACH (m, &t->ns->mnt->mounts, ns_node) {
		struct super_block *sb = m->sb;

		if ((uint32_t)sb->dev != (uint32_t)a[0])
			continue;
		ret = sb->op && sb->op->statfs ? sb->op->statfs(sb, &k) : 0;
		if (ret < 0)
			return ret;
		u.tfree = (int32_t)k.bfree;
		u.tinode = k.ffree;
		return user_put(t, u, a[1]);
	}
	return -EINVAL;
}

SYS_HANDLER(sysfs)
{
	CLEANUP_PATH_BUF char *name = NULL;
	struct fs_type *type;
	int n = 0, ret;

	switch ((int)a[0]) {
	case 1:
		ret = path_buf_get(t, a[1], true, &name);
		if (ret < 0)
			return ret;
		LIST_FOR_EACH (type, fs_type_all(), node) {
			if (!strcmp(type->name, name))
				return n;
			n++;
		}
		return -EINVAL;
	case 2:
		LIST_FOR_EACH (type, fs_type_all(), node) {
			if ((uint64_t)n++ == (uint32_t)a[1])
				return user_write(t, a[2], type->name, strlen(type->name) + 1);
		}
		return -EINVAL;
	case 3:
		LIST_FOR_EACH (type, fs_type_all(), node)
			n++;
		return n;
	default:
		return -EINVAL;
	}
}

static long sync_fd(struct task *t, int fd, bool datasync)
{
	struct file *f = fd_get(t, fd);
	long ret;

	if (!f)
		return -EBADF;
	ret = f->op->fsync ? f->op->fsync(f, datasync) : -EINVAL;
	file_unref(f);
	return ret;
}

SYS_HANDLER(fsync)
{
	return sync_fd(t, (int)a[0], false);
}

SYS_HANDLER(fdatasync)
{
	return sync_fd(t, (int)a[0], true);
}

SYS_HANDLER(sync)
{
	/* A file system may sleep while the list changes: each mount is synced once, by id. */
	int last = -1;

	(void)a;
	for (;;) {
		struct vfsmount *m, *next = NULL;

		LIST_FOR_EACH (m, &t->ns->mnt->mounts, ns_node) {
			if (m->id > last && (!next || m->id < next->id))
				next = m;
		}
		if (!next)
			return 0;
		last = next->id;
		mnt_ref(next);
		if (next->sb->op && next->sb->op->sync)
			next->sb->op->sync(next->sb);
		mnt_unref(next);
	}
}

SYS_HANDLER(syncfs)
{
	struct file *f = fd_get_any(t, (int)a[0]);
	struct super_block *sb;
	long ret;

	if (!f)
		return -EBADF;
	sb = f->inode->sb;
	ret = f->flags & O_PATH ? -EBADF : sb->op && sb->op->sync ? sb->op->sync(sb) : 0;
	file_unref(f);
	return ret;
}

SYS_HANDLER(sync_file_range)
{
	int64_t off = (int64_t)a[1], size = (int64_t)a[2];
	unsigned flags = (unsigned)a[3];
	struct file *f;
	uint32_t type;
	long ret = 0;

	if (flags & ~(unsigned)(SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER))
		return -EINVAL;
	f = fd_get(t, (int)a[0]);
	if (!f)
		return -EBADF;
	type = f->inode->mode & S_IFMT;
	if (off < 0 || size < 0 || off + (uint64_t)size > INT64_MAX)
		ret = -EINVAL;
	else if (type != S_IFREG && type != S_IFBLK && type != S_IFDIR && type != S_IFLNK)
		ret = -ESPIPE;
	else if ((flags & SYNC_FILE_RANGE_WAIT_AFTER) && f->op->fsync)
		ret = f->op->fsync(f, true);
	file_unref(f);
	return ret;
}
