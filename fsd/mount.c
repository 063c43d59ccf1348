/* The table of mounts; see mount.h. */
#include "fsd/mount.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/util.h"
#include "common/ipc/fdpass.h"
#include "common/ipc/msg_fsd.h"
#include "common/log/log.h"

#define PATHS_MAX (FSD_MOUNTS_MAX * 4096)

static struct fsd_mount mounts[FSD_MOUNTS_MAX];
static bool used[FSD_MOUNTS_MAX];
static char *paths;
static size_t paths_size;

static int mount_check(uint32_t index, uint32_t flags, int fd, struct statx *ret_sx)
{
	int fl = fcntl(fd, F_GETFL);

	if (index >= FSD_MOUNTS_MAX || (flags & ~(FSD_MOUNT_RDONLY | FSD_MOUNT_XDEV)) || fl < 0)
		return -EINVAL;
	if (statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_MNT_ID, ret_sx) < 0)
		return -errno;
	if ((S_ISDIR(ret_sx->stx_mode) || (S_ISSOCK(ret_sx->stx_mode) && (fl & O_PATH))) && !used[index])
		return 0;
	if (!S_ISREG(ret_sx->stx_mode) || (fl & O_PATH))
		return used[index] ? -EEXIST : -EINVAL;
	if ((fl & O_ACCMODE) == O_RDWR)
		return flags & FSD_MOUNT_RDONLY || (used[index] && mounts[index].write_fd >= 0) ? -EINVAL : 0;
	return (fl & O_ACCMODE) != O_RDONLY ? -EINVAL : used[index] ? -EEXIST : 0;
}

static void take_paths(int fd)
{
	struct stat st;

	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 && st.st_size <= PATHS_MAX)
		paths = calloc(1, (size_t)st.st_size + 1);
	if (paths && pread(fd, paths, (size_t)st.st_size, 0) == st.st_size)
		paths_size = (size_t)st.st_size;
	close(fd);
}

/* Lives as long as the process. */
static char *path_of(uint32_t index)
{
	char *p = paths, *end = paths + paths_size;

	while (p && p < end && index--)
		p += strlen(p) + 1;
	return p && p < end ? p : NULL;
}

int mount_add(uint32_t index, uint32_t flags, int fd)
{
	struct fsd_mount *m = &mounts[MIN(index, FSD_MOUNTS_MAX - 1u)];
	uint64_t dev;
	struct statx sx;
	int ret = mount_check(index, flags, fd, &sx);

	if (ret < 0) {
		close(fd);
		return ret;
	}
	dev = (uint64_t)sx.stx_dev_major << 32 | sx.stx_dev_minor;
	if (used[index]) {
		if (!m->is_file || m->dev != dev || m->ino != sx.stx_ino) {
			close(fd);
			return -EINVAL;
		}
		m->write_fd = fd;
		return 0;
	}
	*m = (struct fsd_mount){
	    .path = path_of(index),
	    .fd = fd,
	    .write_fd = -1,
	    .news_fd = -1,
	    .is_file = S_ISREG(sx.stx_mode),
	    .flags = flags,
	    .mnt_id = sx.stx_mnt_id,
	    .dev = dev,
	    .ino = sx.stx_ino,
	};
	if (m->is_file && (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDWR)
		m->write_fd = fd;
	used[index] = true;
	log_info("mount %u: %s%s%s%s", index, m->path ? m->path : "", m->path ? ", " : "",
		 flags & FSD_MOUNT_RDONLY ? "read-only" : "writable",
		 flags & FSD_MOUNT_XDEV ? ", with the mounts beneath" : "");
	return 0;
}

int mount_receive(int sock)
{
	int count = 0;

	for (;;) {
		uint64_t ticket;
		int fd = fdpass_recv(sock, 0, &ticket), ret;

		if (fd == -EPIPE)
			return count;
		if (fd < 0)
			return fd;
		if (ticket == FSD_PATHS_TICKET) {
			take_paths(fd);
			continue;
		}
		ret = mount_add(FSD_TICKET_INDEX(ticket), FSD_TICKET_FLAGS(ticket), fd);
		if (ret < 0)
			return ret;
		count++;
	}
}

struct fsd_mount *mount_get(uint32_t index)
{
	return index < FSD_MOUNTS_MAX && used[index] ? &mounts[index] : NULL;
}

uid_t mount_uid_to_host(const struct fsd_mount *m, uint32_t uid)
{
	return uid;
}

gid_t mount_gid_to_host(const struct fsd_mount *m, uint32_t gid)
{
	return gid;
}

uint32_t mount_uid_from_host(const struct fsd_mount *m, uid_t uid)
{
	return uid;
}

uint32_t mount_gid_from_host(const struct fsd_mount *m, gid_t gid)
{
	return gid;
}
