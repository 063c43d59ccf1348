/* The mounts fsd serves: an O_PATH descriptor each, from the launcher, and what may be done there. */
#ifndef FSD_MOUNT_H
#define FSD_MOUNT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct fsd_mount {
	char *path;        /* of the source on the host, for the log; NULL: not known */
	int fd;            /* O_PATH of a directory or a socket, or a file open for reading */
	int write_fd;      /* a file's, open for reading and writing, or -1 */
	bool is_file;      /* the source is one file (bind mounts of /etc/hosts) */
	uint32_t flags;    /* FSD_MOUNT_* */
	uint64_t mnt_id, dev, ino;
	uint64_t root_node;
	int news_fd;       /* news.c: of the root directory, or -1 */
	enum { POOL_UNKNOWN, POOL_YES, POOL_NO } pool; /* can nameless files be made here and named later? */
};

/* Adds a mount; takes the descriptor. A directory is an O_PATH descriptor. A file cannot be opened
 * through one: it is O_RDONLY and, for a writable mount, comes a second time O_RDWR. 0, -EINVAL,
 * -EEXIST or -errno. */
int mount_add(uint32_t index, uint32_t flags, int fd);
/* Receives the mounts that the launcher passes on sock until it closes its end. The count or -errno. */
int mount_receive(int sock);
/* NULL: no such mount. */
struct fsd_mount *mount_get(uint32_t index);
/* Ids as the guest uses them, to the host's and back. One to one today; user namespaces of the
 * bundle that map ids otherwise belong here. */
uid_t mount_uid_to_host(const struct fsd_mount *m, uint32_t uid);
gid_t mount_gid_to_host(const struct fsd_mount *m, uint32_t gid);
uint32_t mount_uid_from_host(const struct fsd_mount *m, uid_t uid);
uint32_t mount_gid_from_host(const struct fsd_mount *m, gid_t gid);

#endif
