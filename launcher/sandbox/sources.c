/* The mount sources that fsd serves. */
#include <fcntl.h>
#include <linux/mount.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include "common/base/util.h"
#include "common/ipc/fdpass.h"
#include "common/ipc/msg_fsd.h"
#include "common/log/log.h"
#include "launcher/sandbox/service.h"

#define SEND_PAUSE_US 200
#define SEND_TRIES 50000 /* ten seconds */

/* fsd serves a single file by an open description of it. */
static int open_file_source(const struct sandbox *sb, const struct spec_source *src, int tree, struct err *e)
{
	char path[32];
	struct stat st;
	int fd = -1;

	if (fstat(tree, &st) < 0)
		return err_sys(e, errno, "%s", src->path);
	if (S_ISSOCK(st.st_mode) && sb->opt->host_sockets)
		return fcntl(tree, F_DUPFD_CLOEXEC, 0);
	if (S_ISSOCK(st.st_mode))
		return err_set(e, ENOTSUP, "%s: a socket of the host is only mounted with --host-uds=open", src->path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ENOTSUP, "%s: only folders, regular files and sockets can be mounted", src->path);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", tree);
	if (!src->readonly)
		fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? err_sys(e, errno, "%s", src->path) : fd;
}

/* A mount source is a detached copy of its mount: ".." ends at its root, for fsd too, and read-only
 * is the host kernel's word. */
static int open_source(const struct sandbox *sb, const struct spec_source *src, struct err *e)
{
	unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (src->recursive ? AT_RECURSIVE : 0);
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_NOSUID | (src->readonly ? MOUNT_ATTR_RDONLY : 0)};
	CLEANUP_CLOSE int fd = (int)syscall(SYS_open_tree, AT_FDCWD, src->path, flags);

	if (fd < 0)
		return err_sys(e, errno, "open_tree of %s", src->path);
	if (syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH | (src->recursive ? AT_RECURSIVE : 0), &attr,
		    sizeof(attr)) < 0)
		return err_sys(e, errno, "mount_setattr of %s", src->path);
	return src->file ? open_file_source(sb, src, fd, e) : STEAL_FD(fd);
}

/* For fsd's debug log, which shows the host's paths. */
static int make_paths(struct sandbox *sb)
{
	CLEANUP_CLOSE int fd = memfd_create("sbx-paths", MFD_CLOEXEC);

	for (size_t i = 0; fd >= 0 && i < sb->spec->source_count; i++) {
		const char *path = sb->spec->sources[i].path;
		size_t size = strlen(path) + 1;

		if (write(fd, path, size) != (ssize_t)size)
			return -1;
	}
	return STEAL_FD(fd);
}

int sources_open(struct sandbox *sb, struct err *e)
{
	sb->sources = calloc(sb->spec->source_count + 1, sizeof(*sb->sources));
	if (!sb->sources)
		return err_sys(e, ENOMEM, "mount sources");
	sb->source_paths = log_enabled(LOG_DEBUG_) ? make_paths(sb) : -1;
	for (size_t i = 0; i < sb->spec->source_count; i++) {
		int fd = open_source(sb, &sb->spec->sources[i], e);

		if (fd < 0)
			return fd;
		sb->sources[sb->source_count++] = fd;
	}
	return 0;
}

void sources_done(struct sandbox *sb)
{
	while (sb->source_count)
		close(sb->sources[--sb->source_count]);
	free(STEAL_PTR(sb->sources));
	close_fd(&sb->source_paths);
}

static int send_source(int sock, uint64_t ticket, int fd)
{
	for (unsigned tries = 0;; tries++) {
		int r = fdpass_send(sock, ticket, fd);

		if (r != -EAGAIN || tries == SEND_TRIES)
			return r;
		usleep(SEND_PAUSE_US); /* fsd has not read the first ones yet */
	}
}

int sources_send(struct sandbox *sb, int sock, struct err *e)
{
	int r = sb->source_paths >= 0 ? send_source(sock, FSD_PATHS_TICKET, sb->source_paths) : 0;

	if (r < 0)
		return err_sys(e, -r, "passing the paths of mounts to sbx-fsd");
	for (size_t i = 0; i < sb->source_count; i++) {
		const struct spec_source *src = &sb->spec->sources[i];
		unsigned flags = (src->readonly ? FSD_MOUNT_RDONLY : 0) | (src->recursive ? FSD_MOUNT_XDEV : 0);

		r = send_source(sock, FSD_MOUNT_TICKET(i, flags), sb->sources[i]);
		if (r < 0)
			return err_sys(e, -r, "passing %s to sbx-fsd", src->path);
	}
	return 0;
}
