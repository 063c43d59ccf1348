/* Mount points that a read-only root lacks are made on the host, as runc makes them, before the root is handed to
 * fsd. The root is the image's: every name is resolved beneath it. */
#include <fcntl.h>
#include <linux/openat2.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include "common/base/util.h"
#include "launcher/sandbox/sandbox.h"

static int open_beneath(int root, const char *path, uint64_t flags)
{
	const struct open_how how = {.flags = flags | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
	int fd = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));

	return fd < 0 ? -errno : fd;
}

static int make_point(int root, const char *target, bool file)
{
	char path[PATH_MAX];
	CLEANUP_CLOSE int dir = fcntl(root, F_DUPFD_CLOEXEC, 0);

	if ((size_t)snprintf(path, sizeof(path), "%s", target) >= sizeof(path))
		return -ENAMETOOLONG;
	for (char *s = path + strspn(path, "/"); *s;) {
		char *end = s + strcspn(s, "/"), *next = end + strspn(end, "/"), c = *end;
		bool last = !*next;
		int fd;

		*end = 0;
		fd = open_beneath(root, path, O_PATH | (last ? 0 : O_DIRECTORY));
		if (fd == -ENOENT && strcmp(s, "..") != 0) {
			if (last && file)
				fd = openat(dir, s, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
			else if (mkdirat(dir, s, 0755) == 0)
				fd = openat(dir, s, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
			if (fd < 0)
				return -errno;
		}
		if (fd < 0)
			return fd;
		close(dir);
		dir = fd;
		*end = c;
		s = next;
	}
	return 0;
}

/* Beneath a mount of before, the point is the mount's business. */
static bool covered(const struct ctl_config *c, size_t index)
{
	for (size_t i = 1; i < index; i++) {
		size_t n = strlen(c->mounts[i].target);

		if (!strncmp(c->mounts[i].target, c->mounts[index].target, n) && c->mounts[index].target[n] == '/')
			return true;
	}
	return false;
}

int mountpoints_make(struct sandbox *sb, struct err *e)
{
	const struct ctl_config *c = sb->spec->config;
	CLEANUP_CLOSE int root = -1;

	if (c->mount_count == 0 || !(c->mounts[0].flags & 1 /* MS_RDONLY */) || c->mounts[0].overlay)
		return 0;
	root = open(sb->spec->rootfs, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return err_sys(e, errno, "%s", sb->spec->rootfs);
	for (size_t i = 1; i < c->mount_count; i++) {
		int r = covered(c, i) ? 0 : make_point(root, c->mounts[i].target, c->mounts[i].file);

		/* a root that the host cannot change either may have what it needs behind a link, or not: sysd says */
		if (r < 0 && r != -EROFS)
			return err_sys(e, -r, "mount point %s", c->mounts[i].target);
	}
	return 0;
}
