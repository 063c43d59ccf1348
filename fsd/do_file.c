/* Requests on one file: open, setattr, extended attributes, fsync. */
#include "fsd/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>

#include "common/base/util.h"
#include "fsd/resolve.h"

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif

/* The descriptor that sysd gets. What is there for reading and writing already is not what a request to read gets: it
 * would be lent to guests that may read only. */
static int to_donate(struct server *s, const struct target *t, bool write)
{
	if (!write && !t->own && (fcntl(t->fd, F_GETFL) & O_ACCMODE) != O_RDONLY) {
		int fd = resolve_reopen(s->proc_fd, t->fd, O_RDONLY);

		if (fd >= 0)
			return fd;
		/* sysd can read on it, and memd lends it only opened anew, if it can */
	}
	if (t->own)
		return t->fd;
	int fd = fcntl(t->fd, F_DUPFD_CLOEXEC, 0);

	return fd < 0 ? -errno : fd;
}

int do_open(struct server *s, const struct fsd_req *q, struct fsd_reply *rep)
{
	bool write = q->flags & FSD_OPEN_WRITE;
	struct target t;
	int ret;

	if (q->flags & ~FSD_OPEN_WRITE)
		return -EINVAL;
	ret = req_data(s, q, write, write ? O_RDWR : O_RDONLY, &t);
	if (ret < 0)
		return ret;
	/* A directory's descriptor would be a way to open what is beneath it. */
	if (!S_ISREG(t.sx.stx_mode) || attr_maybe_device(&t.sx)) {
		uint32_t mode;
		uint64_t rdev;

		if (!S_ISREG(t.sx.stx_mode) || attr_get_device(t.fd, &mode, &rdev)) {
			target_done(&t);
			return S_ISDIR(t.sx.stx_mode) ? -EISDIR : -EINVAL;
		}
	}
	attr_from_statx(t.node->mount, -1, NULL, &t.sx, &rep->attr);
	s->fd_out = to_donate(s, &t, write);
	return s->fd_out < 0 ? s->fd_out : 0;
}

/* chmod(2) on an O_PATH descriptor; before Linux 6.6 by opening the file. */
static int set_mode(struct target *t, const char *name, uint32_t mode)
{
	CLEANUP_CLOSE int fd = -1;
	struct statx sx;
	int dirfd;

	if (syscall(SYS_fchmodat2, t->fd, "", mode, AT_EMPTY_PATH) == 0)
		return 0;
	if (errno != ENOSYS)
		return -errno;
	if (!t->own)
		fd = S_ISDIR(t->sx.stx_mode)
			 ? resolve_open(t->node->mount, t->fd, ".", O_RDONLY | O_DIRECTORY, 0)
			 : fcntl(t->fd, F_DUPFD_CLOEXEC, 0);
	else if ((dirfd = node_fd(t->node)) >= 0)
		fd = resolve_open_data(t->node->mount, dirfd, name, O_RDONLY, &sx);
	if (fd < 0)
		return -EOPNOTSUPP;
	return fchmod(fd, mode) < 0 ? -errno : 0;
}

/* The mode of a device of the sandbox stands in its extended attribute. */
static int set_device_mode(struct server *s, const struct fsd_req *q, bool *ret_is_device)
{
	struct target t;
	uint32_t mode;
	uint64_t rdev;
	int ret = req_data(s, q, true, O_RDWR, &t);

	*ret_is_device = false;
	if (ret < 0)
		return ret;
	if (attr_get_device(t.fd, &mode, &rdev)) {
		*ret_is_device = true;
		ret = attr_set_device(t.fd, (mode & S_IFMT) | (q->mode & 07777), rdev);
	}
	target_done(&t);
	return ret;
}

static int set_size(struct server *s, const struct fsd_req *q)
{
	struct target t;
	int ret = req_data(s, q, true, O_RDWR, &t);

	if (ret < 0)
		return ret;
	if (ftruncate(t.fd, (off_t)q->size) < 0)
		ret = -errno;
	target_done(&t);
	return ret;
}

static struct timespec to_timespec(const struct fsd_req *q, uint32_t bit, const struct fsd_time *t)
{
	if (!(q->valid & bit))
		return (struct timespec){.tv_nsec = UTIME_OMIT};
	return (struct timespec){.tv_sec = t->sec, .tv_nsec = t->nsec};
}

static int apply_setattr(struct server *s, const struct fsd_req *q, struct target *t)
{
	const struct fsd_mount *m = t->node->mount;
	bool device = false;
	int ret = 0;

	if (q->valid & FSD_SET_SIZE)
		ret = set_size(s, q);
	if (!ret && (q->valid & (FSD_SET_UID | FSD_SET_GID))) {
		uid_t uid = q->valid & FSD_SET_UID ? mount_uid_to_host(m, q->uid) : (uid_t)-1;
		gid_t gid = q->valid & FSD_SET_GID ? mount_gid_to_host(m, q->gid) : (gid_t)-1;

		if (fchownat(t->fd, "", uid, gid, AT_EMPTY_PATH) < 0)
			return -errno;
		if (attr_maybe_device(&t->sx)) /* chown took the bits that mark it */
			ret = set_mode(t, s->path, DEVICE_HOST_MODE & 07777);
	}
	if (!ret && (q->valid & FSD_SET_MODE)) {
		if (attr_maybe_device(&t->sx))
			ret = set_device_mode(s, q, &device);
		if (!ret && !device)
			ret = set_mode(t, s->path, q->mode & 07777);
	}
	if (!ret && (q->valid & (FSD_SET_ATIME | FSD_SET_MTIME))) {
		struct timespec ts[2] = {to_timespec(q, FSD_SET_ATIME, &q->atime),
					 to_timespec(q, FSD_SET_MTIME, &q->mtime)};

		if (utimensat(t->fd, "", ts, AT_EMPTY_PATH) < 0)
			return -errno;
	}
	return ret;
}

int do_setattr(struct server *s, const struct fsd_req *q, struct fsd_reply *rep)
{
	struct target t;
	int fd, ret = req_target(s, q, true, &t);

	if (ret < 0)
		return ret;
	if (S_ISLNK(t.sx.stx_mode) && (q->valid & (FSD_SET_MODE | FSD_SET_SIZE)))
		ret = -EOPNOTSUPP;
	else
		ret = apply_setattr(s, q, &t);
	if (!ret && statx(t.fd, "", AT_EMPTY_PATH, FSD_STATX_MASK, &t.sx) < 0)
		ret = -errno;
	if (!ret) {
		fd = q->name.size ? node_fd(t.node) : -1;
		attr_from_statx(t.node->mount, fd, fd >= 0 ? s->path : NULL, &t.sx, &rep->attr);
	}
	target_done(&t);
	return ret;
}

/* Extended attributes of files that have none to offer. */
static int no_xattr(int err, int otherwise)
{
	return err == -ELOOP || err == -EINVAL ? otherwise : err;
}

int do_getxattr(struct server *s, const struct fsd_req *q, struct fsd_reply *rep)
{
	char name[FSD_NAME_MAX + 1];
	struct target t;
	ssize_t n;
	int ret;

	if (xattr_to_host(&q->xname, name) < 0)
		return -ENODATA;
	ret = req_data(s, q, false, O_RDONLY, &t);
	if (ret < 0)
		return no_xattr(ret, -ENODATA);
	n = fgetxattr(t.fd, name, s->value, FSD_VALUE_MAX);
	ret = n < 0 ? -errno : 0;
	target_done(&t);
	rep->value = (struct fsd_str){(char *)s->value, n < 0 ? 0 : (size_t)n};
	return ret;
}

int do_setxattr(struct server *s, const struct fsd_req *q, struct fsd_reply *rep)
{
	char name[FSD_NAME_MAX + 1];
	struct target t;
	int ret;

	ret = xattr_to_host(&q->xname, name);
	if (ret < 0)
		return ret;
	if (q->flags & ~(uint32_t)(XATTR_CREATE | XATTR_REPLACE))
		return -EINVAL;
	ret = req_data(s, q, true, O_RDONLY, &t);
	if (ret < 0)
		return no_xattr(ret, -EPERM);
	if (fsetxattr(t.fd, name, q->value.data, q->value.size, (int)q->flags) < 0)
		ret = -errno;
	target_done(&t);
	return ret;
}

int do_listxattr(struct server *s, const struct fsd_req *q, struct fsd_reply *rep)
{
	struct target t;
	size_t kept = 0;
	ssize_t n;
	int ret = req_data(s, q, false, O_RDONLY, &t);

	rep->value = (struct fsd_str){(char *)s->value, 0};
	if (ret < 0)
		return no_xattr(ret, 0);
	n = flistxattr(t.fd, (char *)s->value, FSD_VALUE_MAX - 1);
	ret = n < 0 ? (errno == EOPNOTSUPP ? 0 : -errno) : 0;
	target_done(&t);
	if (n <= 0)
		return ret;
	s->value[n] = 0;
	for (ssize_t at = 0; at < n;) {
		size_t len = strlen((char *)s->value + at) + 1;
		const char *name = xattr_from_host((char *)s->value + at);

		if (name) {
			size_t size = strlen(name) + 1;

			memmove(s->value + kept, name, size);
			kept += size;
		}
		at += (ssize_t)len;
	}
	rep->value.size = kept;
	return 0;
}

int do_removexattr(struct server *s, const struct fsd_req *q, struct fsd_reply *rep)
{
	char name[FSD_NAME_MAX + 1];
	struct target t;
	int ret;

	if (xattr_to_host(&q->xname, name) < 0)
		return -ENODATA;
	ret = req_data(s, q, true, O_RDONLY, &t);
	if (ret < 0)
		return no_xattr(ret, -EPERM);
	if (fremovexattr(t.fd, name) < 0)
		ret = -errno;
	target_done(&t);
	return ret;
}

int do_fsync(struct server *s, const struct fsd_req *q, struct fsd_reply *rep)
{
	struct target t;
	int ret = req_data(s, q, false, O_RDONLY, &t);

	if (ret < 0)
		return ret == -EINVAL ? 0 : ret;
	if ((q->flags & FSD_SYNC_DATA ? fdatasync(t.fd) : fsync(t.fd)) < 0)
		ret = -errno;
	target_done(&t);
	return ret;
}

int do_sync(struct server *s, const struct fsd_req *q, struct fsd_reply *rep)
{
	struct fsd_mount *m = mount_get(q->mount);
	int fd, ret = 0;

	if (!m)
		return -ENODEV;
	if (m->is_file)
		return fsync(m->fd) < 0 ? -errno : 0;
	fd = resolve_open(m, m->fd, ".", O_RDONLY | O_DIRECTORY, 0);
	if (fd < 0)
		return fd;
	if (syncfs(fd) < 0)
		ret = -errno;
	close(fd);
	return ret;
}
