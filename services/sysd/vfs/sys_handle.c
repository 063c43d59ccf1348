/* name_to_handle_at(2), open_by_handle_at(2). A handle is the inode's number and its birth time, so that a
 * number used again does not open another file; it is found among the inodes that are in memory, which for
 * tmpfs are all of them. Others are stale when they have been dropped. */
#include <linux/capability.h>

#include "services/sysd/mm/usercopy.h"
#include "services/sysd/syscall/syscall.h"
#include "services/sysd/vfs/fdtable.h"
#include "services/sysd/vfs/internal.h"

#define HANDLE_TYPE 0x51
#define HANDLE_MAX 128u

struct abi_handle_head {
	uint32_t bytes;
	int32_t type;
};
struct handle {
	uint64_t ino;
	uint32_t birth_sec, birth_nsec;
};

static struct handle handle_of(const struct inode *inode)
{
	return (struct handle){inode->ino, (uint32_t)inode->btime.sec, (uint32_t)inode->btime.nsec};
}

SYS_HANDLER(name_to_handle_at)
{
	unsigned flags = (unsigned)a[4];
	CLEANUP_PATH struct path p = {0};
	struct abi_handle_head head;
	struct handle h;
	int32_t id;
	uint32_t room;
	int ret;

	if (flags & ~(unsigned)(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH | 0x200 /* AT_HANDLE_FID */))
		return -EINVAL;
	ret = user_path_lookup(t, (int)a[0], a[1],
			       (flags & AT_SYMLINK_FOLLOW ? LOOKUP_FOLLOW : 0) |
				       (flags & AT_EMPTY_PATH ? LOOKUP_EMPTY : 0),
			       &p);
	if (ret < 0)
		return ret;
	if (!p.mnt || !p.dentry->sb->cache_dentries)
		return -EOPNOTSUPP; /* proc, pipes and the like */
	if (user_get(t, head, a[2]) < 0)
		return -EFAULT;
	if (head.bytes > HANDLE_MAX)
		return -EINVAL;
	room = head.bytes;
	head = (struct abi_handle_head){sizeof(h), room < sizeof(h) ? 0xff : HANDLE_TYPE};
	h = handle_of(p.dentry->inode);
	id = p.mnt->id;
	if (user_put(t, id, a[3]) < 0 || user_put(t, head, a[2]) < 0)
		return -EFAULT;
	if (room < sizeof(h))
		return -EOVERFLOW;
	return user_write(t, a[2] + sizeof(head), &h, sizeof(h));
}

/* A dentry of the inode the handle names, with a reference: one of its names, or one without a place. */
static struct dentry *find_dentry(struct super_block *sb, const struct handle *h)
{
	struct inode *inode;

	LIST_FOR_EACH (inode, &sb->inodes, sb_node) {
		struct handle other = handle_of(inode);

		if (memcmp(&other, h, sizeof(other)) || !inode->nlink)
			continue;
		if (!list_empty(&inode->dentries))
			return dentry_ref(LIST_FIRST(&inode->dentries, struct dentry, alias));
		return d_alloc_anon(inode_ref(inode), "/");
	}
	return NULL;
}

SYS_HANDLER(open_by_handle_at)
{
	CLEANUP_PATH struct path p = {0};
	struct abi_handle_head head;
	struct vfsmount *m;
	struct handle h;
	struct file *f;
	unsigned flags;
	uint32_t mode;
	int ret;

	if (!t_capable(t, CAP_DAC_READ_SEARCH))
		return -EPERM;
	if (user_get(t, head, a[1]) < 0)
		return -EFAULT;
	if (!head.bytes || head.bytes > HANDLE_MAX)
		return -EINVAL;
	if ((int)a[0] == AT_FDCWD) {
		m = mnt_ref(t->fs->pwd.mnt);
	} else {
		f = fd_get_any(t, (int)a[0]);
		if (!f)
			return -EBADF;
		m = f->path.mnt ? mnt_ref(f->path.mnt) : NULL;
		file_unref(f);
	}
	p.mnt = m;
	if (!m || head.type != HANDLE_TYPE || head.bytes != sizeof(h))
		return -ESTALE;
	if (user_get(t, h, a[1] + sizeof(head)) < 0)
		return -EFAULT;
	ret = build_open_flags((uint32_t)a[2], 0, false, &flags, &mode);
	if (ret < 0)
		return ret;
	if (flags & O_CREAT)
		return -EINVAL;
	p.dentry = find_dentry(m->sb, &h);
	if (!p.dentry)
		return -ESTALE;
	ret = open_path_checked(t, &p, flags, &f);
	if (ret < 0)
		return ret;
	ret = fd_install(t, f, 0, flags & O_CLOEXEC);
	if (ret < 0)
		file_unref(f);
	return ret;
}
