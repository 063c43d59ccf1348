/* Attributes: statx(2) translated, and the device nodes of the sandbox. */
#include "fsd/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "common/base/util.h"
#include "fsd/resolve.h"

#define XATTR_PRIVATE "user.sbx."
#define XATTR_NODE "user.sbx.node"

bool attr_maybe_device(const struct statx *sx)
{
	return sx->stx_mode == DEVICE_HOST_MODE && !sx->stx_size;
}

int attr_set_device(int fd, uint32_t mode, uint64_t rdev)
{
	char text[64];
	int n = snprintf(text, sizeof(text), "%o %llu", mode, (unsigned long long)rdev);

	return fsetxattr(fd, XATTR_NODE, text, (size_t)n, 0) < 0 ? -errno : 0;
}

bool attr_get_device(int fd, uint32_t *ret_mode, uint64_t *ret_rdev)
{
	char text[64];
	ssize_t n = fgetxattr(fd, XATTR_NODE, text, sizeof(text) - 1);
	unsigned mode;
	unsigned long long rdev;

	if (n <= 0)
		return false;
	text[n] = 0;
	if (sscanf(text, "%o %llu", &mode, &rdev) != 2 || (!S_ISCHR(mode) && !S_ISBLK(mode)))
		return false;
	*ret_mode = mode;
	*ret_rdev = rdev;
	return true;
}

static void from_time(const struct statx_timestamp *t, struct fsd_time *ret)
{
	ret->sec = t->tv_sec;
	ret->nsec = t->tv_nsec > 999999999 ? 0 : t->tv_nsec;
}

void attr_from_statx(const struct fsd_mount *m, int dirfd, const char *name, const struct statx *sx,
		     struct fsd_attr *ret)
{
	*ret = (struct fsd_attr){
	    .mode = sx->stx_mode,
	    .uid = mount_uid_from_host(m, sx->stx_uid),
	    .gid = mount_gid_from_host(m, sx->stx_gid),
	    .nlink = sx->stx_nlink,
	    .blksize = sx->stx_blksize,
	    .flags = (sx->stx_attributes & (STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND) ? FSD_ATTR_FIXED : 0) |
		     (sx->stx_mnt_id != m->mnt_id ? FSD_ATTR_INNER : 0),
	    .dev = makedev(sx->stx_dev_major, sx->stx_dev_minor),
	    .ino = sx->stx_ino,
	    .rdev = makedev(sx->stx_rdev_major, sx->stx_rdev_minor),
	    .size = sx->stx_size,
	    .blocks = sx->stx_blocks,
	};
	from_time(&sx->stx_atime, &ret->atime);
	from_time(&sx->stx_mtime, &ret->mtime);
	from_time(&sx->stx_ctime, &ret->ctime);
	if (sx->stx_mask & STATX_BTIME)
		from_time(&sx->stx_btime, &ret->btime);
	if (attr_maybe_device(sx) && name) {
		CLEANUP_CLOSE int fd = resolve_open(m, dirfd, name, O_RDONLY | O_NONBLOCK, 0);

		if (fd >= 0)
			attr_get_device(fd, &ret->mode, &ret->rdev);
	}
}

/* Attributes that only the host's root may set, or that mean something to the host's kernel, are kept in
 * a name space of ours: the guest's root has them, the host is not touched. */
int xattr_to_host(const struct fsd_str *guest, char *host)
{
	char name[FSD_NAME_MAX + 1];

	memcpy(name, guest->data, guest->size);
	name[guest->size] = 0;
	if (!strncmp(name, XATTR_PRIVATE, strlen(XATTR_PRIVATE)))
		return -EOPNOTSUPP;
	if (!strncmp(name, "user.", 5) || !strcmp(name, "security.capability") ||
	    !strcmp(name, "system.posix_acl_access") || !strcmp(name, "system.posix_acl_default")) {
		strcpy(host, name);
		return 0;
	}
	if (strncmp(name, "trusted.", 8) && strncmp(name, "security.", 9))
		return -EOPNOTSUPP;
	if (strlen(name) + strlen(XATTR_PRIVATE) > FSD_NAME_MAX)
		return -ERANGE;
	strcpy(host, XATTR_PRIVATE);
	strcat(host, name);
	return 0;
}

const char *xattr_from_host(const char *host)
{
	if (!strncmp(host, XATTR_PRIVATE, strlen(XATTR_PRIVATE))) {
		host += strlen(XATTR_PRIVATE);
		return !strncmp(host, "trusted.", 8) || !strncmp(host, "security.", 9) ? host : NULL;
	}
	return !strncmp(host, "user.", 5) || !strcmp(host, "security.capability") ||
			       !strncmp(host, "system.posix_acl_", 17)
		       ? host
		       : NULL;
}
