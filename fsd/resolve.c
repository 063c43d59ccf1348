/* Reaching files beneath a mount; see resolve.h. */
#include "fsd/resolve.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/base/util.h"
#include "common/ipc/msg_fsd.h"

int resolve_open(const struct fsd_mount *m, int dirfd, const char *name, int flags, uint32_t mode)
{
	struct open_how how = {
	    .flags = (uint64_t)(unsigned)flags | O_CLOEXEC | O_NOFOLLOW,
	    .mode = flags & (O_CREAT | __O_TMPFILE) ? mode : 0,
	    .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS,
	};
	long fd;

	if (!(m->flags & FSD_MOUNT_XDEV))
		how.resolve |= RESOLVE_NO_XDEV;
	do
		fd = syscall(SYS_openat2, dirfd, name, &how, sizeof(how));
	while (fd < 0 && (errno == EINTR || errno == EAGAIN));
	return fd < 0 ? -errno : (int)fd;
}

/* File systems whose files are handles on the host's kernel. */
static bool pseudo_fs(int fd)
{
	static const unsigned long magic[] = {
	    PROC_SUPER_MAGIC, SYSFS_MAGIC,      CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC,
	    DEBUGFS_MAGIC,    TRACEFS_MAGIC,    SECURITYFS_MAGIC,   BPF_FS_MAGIC,
	    DEVPTS_SUPER_MAGIC, SELINUX_MAGIC,  NSFS_MAGIC,         EFIVARFS_MAGIC,
	    0x6165676c /* pstore */, 0x19800202 /* mqueue */, 0x62656570 /* configfs */,
	    0x65735543 /* fusectl */, 0x42494e4d /* binfmt_misc */, 0x0187 /* autofs */,
	};
	struct statfs sf;

	if (fstatfs(fd, &sf) < 0)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(magic); i++)
		if ((unsigned long)sf.f_type == magic[i])
			return true;
	return false;
}

static int check_mount(const struct fsd_mount *m, int fd, const struct statx *sx)
{
	if (sx->stx_mnt_id == m->mnt_id)
		return 0;
	if (!(m->flags & FSD_MOUNT_XDEV))
		return -EXDEV;
	return fd >= 0 && pseudo_fs(fd) ? -EACCES : 0;
}

int resolve_open_path(const struct fsd_mount *m, int dirfd, const char *name, struct statx *ret_sx)
{
	CLEANUP_CLOSE int fd = resolve_open(m, dirfd, name, O_PATH, 0);
	struct statx sx;
	int ret;

	if (fd < 0)
		return fd;
	if (statx(fd, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT, FSD_STATX_MASK, &sx) < 0)
		return -errno;
	ret = check_mount(m, fd, &sx);
	if (ret < 0)
		return ret;
	*ret_sx = sx;
	return STEAL_FD(fd);
}

int resolve_stat(const struct fsd_mount *m, int dirfd, const char *name, struct statx *ret_sx)
{
	struct statx sx;
	int ret;

	if (statx(dirfd, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, FSD_STATX_MASK, &sx) < 0)
		return -errno;
	ret = check_mount(m, -1, &sx);
	if (ret < 0)
		return ret;
	*ret_sx = sx;
	return 0;
}

int resolve_open_data(const struct fsd_mount *m, int dirfd, const char *name, int flags,
		      struct statx *ret_sx)
{
	CLEANUP_CLOSE int fd = -1;
	struct statx sx;
	int ret = resolve_stat(m, dirfd, name, &sx);

	if (ret < 0)
		return ret;
	if (!S_ISREG(sx.stx_mode) && !S_ISDIR(sx.stx_mode))
		return S_ISLNK(sx.stx_mode) ? -ELOOP : -EINVAL;
	if (S_ISDIR(sx.stx_mode))
		flags |= O_DIRECTORY;
	fd = resolve_open(m, dirfd, name, flags | O_NONBLOCK | O_NOCTTY, 0);
	if (fd < 0)
		return fd;
	if (statx(fd, "", AT_EMPTY_PATH, FSD_STATX_MASK, &sx) < 0)
		return -errno;
	if (!S_ISREG(sx.stx_mode) && !S_ISDIR(sx.stx_mode))
		return -ESTALE;
	ret = check_mount(m, fd, &sx);
	if (ret < 0)
		return ret;
	*ret_sx = sx;
	return STEAL_FD(fd);
}

int resolve_reopen(int proc_fd, int fd, int flags)
{
	struct open_how how = {.flags = (uint64_t)(unsigned)flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY};
	char path[32];
	struct stat st;
	long ret;

	if (proc_fd < 0)
		return -ENOENT;
	/* Opening anything else may have side effects, or lead on. */
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	snprintf(path, sizeof(path), "self/fd/%d", fd);
	do
		ret = syscall(SYS_openat2, proc_fd, path, &how, sizeof(how));
	while (ret < 0 && errno == EINTR);
	return ret < 0 ? -errno : (int)ret;
}
