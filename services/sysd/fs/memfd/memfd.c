/* memfd_create(2): files in memory without a name, on a file system of their own, with seals. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "common/base/util.h"
#include "services/sysd/fs/memfd/backing.h"
#include "services/sysd/mm/uio.h"
#include "services/sysd/mm/usercopy.h"
#include "services/sysd/syscall/syscall.h"
#include "services/sysd/task/task.h"
#include "services/sysd/vfs/dentry.h"
#include "services/sysd/vfs/fdtable.h"
#include "services/sysd/vfs/file.h"
#include "services/sysd/vfs/inode.h"

#define MEMFD_NAME_MAX 249 /* NAME_MAX without "memfd:" */
#define TMPFS_MAGIC 0x01021994
#define DT_MEMFD_BLOCK 4096

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif
#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif
#ifndef F_SEAL_EXEC
#define F_SEAL_EXEC 0x0020
#endif
#define MFD_ALL (MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_HUGETLB | MFD_NOEXEC_SEAL | MFD_EXEC)

static struct backing *content(const struct inode *inode)
{
	return inode->priv;
}

static void account(struct inode *inode)
{
	struct backing *b = content(inode);

	inode->size = b->size;
	inode->blocks = ALIGN_UP(backing_allocated(b), (uint64_t)DT_MEMFD_BLOCK) / 512;
}

static ssize_t memfd_read(struct file *f, struct uio *u, int64_t *pos)
{
	ssize_t n = backing_read(content(f->inode), u, (uint64_t)*pos);

	if (n > 0)
		*pos += n;
	return n;
}

static ssize_t memfd_write(struct file *f, struct uio *u, int64_t *pos)
{
	struct inode *inode = f->inode;
	ssize_t n = backing_check_write(content(inode), (uint64_t)*pos, u->resid);

	if (n < 0)
		return n;
	n = backing_write(content(inode), u, (uint64_t)*pos);
	inode->size = content(inode)->size;
	if (n > 0) {
		*pos += n;
		inode_touch(inode, false, true, true);
		inode->version++;
	}
	return n;
}

static int64_t memfd_llseek(struct file *f, int64_t off, int whence)
{
	if (whence != SEEK_DATA && whence != SEEK_HOLE)
		return generic_llseek(f, off, whence);
	if (off < 0)
		return -ENXIO;
	off = backing_seek(content(f->inode), (uint64_t)off, whence);
	return off < 0 ? off : (f->pos = off);
}

static int memfd_mmap(struct file *f, struct mmap_req *req)
{
	return backing_mmap(content(f->inode), req);
}

static int memfd_fsync(struct file *f, bool datasync)
{
	return 0; /* there is nothing below memory */
}

static int memfd_fallocate(struct file *f, int mode, int64_t off, int64_t size)
{
	struct inode *inode = f->inode;
	int ret = backing_check_fallocate(content(inode), mode, (uint64_t)off, (uint64_t)size);

	if (!ret)
		ret = backing_fallocate(content(inode), mode, (uint64_t)off, (uint64_t)size);
	account(inode);
	if (!ret)
		inode_touch(inode, false, true, true);
	return ret;
}

static int memfd_host_fd(struct file *f, bool write)
{
	return backing_host_fd(content(f->inode));
}

static const struct file_ops memfd_fops = {
    .read = memfd_read,
    .write = memfd_write,
    .llseek = memfd_llseek,
    .mmap = memfd_mmap,
    .fsync = memfd_fsync,
    .fallocate = memfd_fallocate,
    .host_fd = memfd_host_fd,
};

static int memfd_getattr(struct inode *inode)
{
	account(inode);
	return 0;
}

static int memfd_setattr(struct dentry *d, const struct inode_attr *attr)
{
	struct inode *inode = d->inode;
	struct backing *b = content(inode);
	int ret = 0;

	if ((attr->valid & ATTR_MODE) && (b->seals & F_SEAL_EXEC) && ((attr->mode ^ inode->mode) & 0111))
		return -EPERM;
	if (attr->valid & ATTR_SIZE) {
		ret = backing_check_truncate(b, attr->size);
		if (!ret && attr->size != b->size)
			ret = backing_truncate(b, attr->size);
		if (ret < 0)
			return ret;
		inode->version++;
	}
	setattr_copy(inode, attr);
	account(inode);
	return 0;
}

static const struct inode_ops memfd_iops = {.getattr = memfd_getattr, .setattr = memfd_setattr};

static void memfd_evict(struct inode *inode)
{
	struct backing *b = STEAL_PTR(inode->priv);

	if (!b)
		return;
	backing_done(b);
	free(b);
}

static int memfd_statfs(struct super_block *sb, struct kstatfs *ret)
{
	*ret = (struct kstatfs){.type = TMPFS_MAGIC, .bsize = 4096, .frsize = 4096, .namelen = 255};
	return 0;
}

static const struct super_ops memfd_sops = {.evict = memfd_evict, .statfs = memfd_statfs};
static struct fs_type memfd_type = {.name = "tmpfs", .nodev = true};

static struct backing *memfd_backing(struct file *f)
{
	return content(f->inode);
}

static struct super_block *memfd_sb(void)
{
	static struct super_block *sb;

	if (!sb) {
		sb = super_new(&memfd_type, &memfd_sops, TMPFS_MAGIC);
		backing_register(&memfd_fops, memfd_backing);
	}
	return sb;
}

static struct inode *memfd_inode(unsigned flags)
{
	struct super_block *sb = memfd_sb();
	struct backing *b = malloc(sizeof(*b));
	struct inode *inode = sb && b ? inode_new(sb, S_IFREG | 0777) : NULL;

	if (!inode) {
		free(b);
		return NULL;
	}
	backing_init(b);
	/* F_SEAL_SEAL is what a file has that nobody asked to be sealable. */
	b->sealable = flags & (MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
	b->seals = b->sealable ? 0 : F_SEAL_SEAL;
	inode->priv = b;
	inode_init_owner(inode, NULL, S_IFREG | (flags & MFD_NOEXEC_SEAL ? 0666 : 0777));
	if (flags & MFD_NOEXEC_SEAL)
		b->seals |= F_SEAL_EXEC;
	inode->nlink = 0;
	inode->op = &memfd_iops;
	inode->fop = &memfd_fops;
	return inode;
}

int memfd_new(struct task *t, const char *name, unsigned flags, struct file **ret)
{
	struct inode *inode = memfd_inode(flags);
	struct path path = {NULL, NULL};
	int err;

	if (!inode)
		return -ENOMEM;
	path.dentry = d_alloc_anon(inode, name);
	if (!path.dentry)
		return -ENOMEM;
	err = file_open_path(&path, O_RDWR | 0100000 /* O_LARGEFILE */, t->cred, ret);
	dentry_unref(path.dentry);
	return err;
}

SYS_HANDLER(memfd_create)
{
	/* As /proc/PID/fd shows it: names of files without a directory start with a slash there. */
	char name[sizeof("/memfd:") + MEMFD_NAME_MAX + sizeof(" (deleted)")] = "/memfd:";
	unsigned flags = (unsigned)a[1];
	struct file *f;
	ssize_t n;
	int ret;

	/* the size of huge pages stands above the flags, and only beside MFD_HUGETLB */
	if (flags & ~(MFD_ALL | (flags & MFD_HUGETLB ? MAP_HUGE_MASK << MAP_HUGE_SHIFT : 0)))
		return -EINVAL;
	if ((flags & MFD_EXEC) && (flags & MFD_NOEXEC_SEAL))
		return -EINVAL;
	n = user_read_str(t, name + 7, a[0], MEMFD_NAME_MAX + 1);
	if (n == -ENAMETOOLONG)
		return -EINVAL;
	if (n < 0)
		return n;
	if (flags & MFD_HUGETLB) /* no pool has pages of any size */
		return -ENODEV;
	strcat(name, " (deleted)");
	ret = memfd_new(t, name, flags, &f);
	if (ret < 0)
		return ret;
	ret = fd_install(t, f, 0, flags & MFD_CLOEXEC);
	if (ret < 0)
		file_unref(f);
	return ret;
}
