/* open(2) and its relatives, close(2), dup(2). */
#include <linux/close_range.h>
#include <linux/openat2.h>

#include "services/sysd/abi/fcntl.h"
#include "services/sysd/mm/usercopy.h"
#include "services/sysd/syscall/syscall.h"
#include "services/sysd/vfs/fdtable.h"
#include "services/sysd/vfs/internal.h"

static long do_open(struct task *t, int dirfd, uint64_t uname, uint64_t flags, uint64_t mode, bool strict,
		    unsigned lookup)
{
	CLEANUP_PATH_BUF char *name = NULL;
	struct file *f;
	unsigned oflags;
	uint32_t omode;
	int ret = build_open_flags(flags, mode, strict, &oflags, &omode);

	if (ret < 0)
		return ret;
	ret = path_buf_get(t, uname, false, &name);
	if (ret < 0)
		return ret;
	ret = vfs_open(t, dirfd, name, oflags, omode, lookup, &f);
	if (ret < 0)
		return ret;
	if (!(oflags & O_PATH))
		f->flags |= ABI_O_LARGEFILE;
	ret = fd_install(t, f, 0, oflags & O_CLOEXEC);
	if (ret < 0)
		file_unref(f);
	return ret;
}

SYS_HANDLER(open)
{
	return do_open(t, AT_FDCWD, a[0], (uint32_t)a[1], (uint32_t)a[2], false, 0);
}

SYS_HANDLER(creat)
{
	return do_open(t, AT_FDCWD, a[0], O_CREAT | O_WRONLY | O_TRUNC, (uint32_t)a[1], false, 0);
}

SYS_HANDLER(openat)
{
	return do_open(t, (int)a[0], a[1], (uint32_t)a[2], (uint32_t)a[3], false, 0);
}

SYS_HANDLER(openat2)
{
	static const struct {
		uint64_t resolve;
		unsigned lookup;
	} map[] = {
		{RESOLVE_NO_XDEV, LOOKUP_NO_XDEV},   {RESOLVE_NO_MAGICLINKS, LOOKUP_NO_MAGICLINKS},
		{RESOLVE_NO_SYMLINKS, LOOKUP_NO_SYMLINKS | LOOKUP_NO_MAGICLINKS},
		{RESOLVE_BENEATH, LOOKUP_BENEATH},   {RESOLVE_IN_ROOT, LOOKUP_IN_ROOT},
		{RESOLVE_CACHED, LOOKUP_CACHED},
	};
	uint64_t size = a[3], rest;
	struct abi_open_how how;
	unsigned lookup = 0;

	if (size < sizeof(how))
		return -EINVAL;
	if (size > SBX_PAGE_SIZE)
		return -E2BIG;
	if (user_get(t, how, a[2]) < 0)
		return -EFAULT;
	/* A larger structure of a later kernel is fine as long as what is new in it is zero. */
	for (uint64_t off = sizeof(how); off < size; off += sizeof(rest)) {
		rest = 0;
		if (user_read(t, &rest, a[2] + off, MIN(sizeof(rest), size - off)) < 0)
			return -EFAULT;
		if (rest)
			return -E2BIG;
	}
	for (size_t i = 0; i < ARRAY_SIZE(map); i++) {
		if (how.resolve & map[i].resolve) {
			lookup |= map[i].lookup;
			how.resolve &= ~map[i].resolve;
		}
	}
	if (how.resolve || ((lookup & LOOKUP_BENEATH) && (lookup & LOOKUP_IN_ROOT)))
		return -EINVAL;
	return do_open(t, (int)a[0], a[1], how.flags, how.mode, true, lookup);
}

SYS_HANDLER(close)
{
	int ret = fd_close(t, (int)a[0]);

	/* The descriptor is gone whatever flush said: never restart. */
	return ret == -ERESTARTSYS || ret == -ERESTARTNOINTR ? -EINTR : ret;
}

SYS_HANDLER(close_range)
{
	uint64_t first = (uint32_t)a[0], last = (uint32_t)a[1];
	unsigned flags = (unsigned)a[2];
	struct fdtable *ft;

	if (flags & ~(unsigned)(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC))
		return -EINVAL;
	if (first > last)
		return -EINVAL;
	if ((flags & CLOSE_RANGE_UNSHARE) && fdtable_users(t->files) > 1) {
		ft = fdtable_dup(t->files);
		if (!ft)
			return -ENOMEM;
		fdtable_unref(t->files);
		t->files = ft;
	}
	if (first > INT32_MAX)
		return 0;
	for (int fd = fdtable_next(t->files, (int)first); fd >= 0 && (uint64_t)fd <= last;
	     fd = fdtable_next(t->files, fd + 1)) {
		if (flags & CLOSE_RANGE_CLOEXEC)
			fd_set_cloexec(t, fd, true);
		else
			fd_close(t, fd);
	}
	return 0;
}

SYS_HANDLER(dup)
{
	struct file *f = fd_get_any(t, (int)a[0]);
	int ret;

	if (!f)
		return -EBADF;
	ret = fd_install(t, f, 0, false);
	if (ret < 0)
		file_unref(f);
	return ret;
}

static long dup_to(struct task *t, int from, int to, bool cloexec)
{
	struct file *f = fd_get_any(t, from);
	int ret;

	if (!f)
		return -EBADF;
	ret = fd_install_at(t, f, to, cloexec);
	if (ret < 0)
		file_unref(f);
	return ret;
}

SYS_HANDLER(dup2)
{
	int from = (int)a[0], to = (int)a[1];
	struct file *f;

	if (from == to) {
		f = fd_get_any(t, from);
		if (!f)
			return -EBADF;
		file_unref(f);
		return to;
	}
	return dup_to(t, from, to, false);
}

SYS_HANDLER(dup3)
{
	if ((int)a[2] & ~O_CLOEXEC)
		return -EINVAL;
	if ((int)a[0] == (int)a[1])
		return -EINVAL;
	return dup_to(t, (int)a[0], (int)a[1], a[2] & O_CLOEXEC);
}
