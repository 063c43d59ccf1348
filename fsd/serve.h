/* The loop of fsd and what handlers of requests share. */
#ifndef FSD_SERVE_H
#define FSD_SERVE_H

#include <limits.h>
#include "common/chan/ring.h"
#include "common/ipc/msg_fsd.h"
#include "fsd/mount.h"
#include "fsd/node.h"

struct server {
	struct ring ring;
	int pass;
	int proc_fd;                /* /proc; -1: none. The caller's; set it after server_init */
	struct watches *watches;    /* do_watch.c; NULL: nothing was watched yet */
	bool host_sockets;          /* --host-uds=open */
	bool proc_cwd;              /* the working directory is proc_fd's */
	unsigned spin_us;
	int fd_out;                 /* a handler's descriptor for the reply, sent and closed by the loop */
	size_t raw_size;            /* a handler built the whole reply itself: at raw */
	uint8_t *raw;
	char path[NAME_MAX + 1], path2[NAME_MAX + 1]; /* the request's names, terminated */
	uint8_t in[RING_MSG_MAX], out[RING_MSG_MAX];
	uint8_t value[FSD_VALUE_MAX];
	uint64_t nodes[FSD_FORGET_MAX];
	/* the directory that was read last: the next request often goes on where it stopped */
	struct {
		uint64_t node, cookie;
		int fd;
	} dir;
};

/* Prepares s on descriptors that stay the caller's. 0 or -errno. */
int server_init(struct server *s, int ring_fd, int pass_fd);
/* Serves until the ring breaks. Returns -errno. */
int server_run(struct server *s);
/* Answers one message of s->in. For tests and the fuzzer; the reply is on the ring. */
int server_handle(struct server *s, size_t size);
void server_done(struct server *s);

/* A request's handler: fills rep and returns 0, or -errno. Past the checks, what it names exists and
 * lies beneath the mount of its node. */
typedef int (*fsd_handler)(struct server *s, const struct fsd_req *q, struct fsd_reply *rep);
int do_attach(struct server *s, const struct fsd_req *q, struct fsd_reply *rep);
int do_walk(struct server *s, const struct fsd_req *q, struct fsd_reply *rep);
int do_getattr(struct server *s, const struct fsd_req *q, struct fsd_reply *rep);
int do_setattr(struct server *s, const struct fsd_req *q, struct fsd_reply *rep);
int do_open(struct server *s, const struct fsd_req *q, struct fsd_reply *rep);
int do_create(struct server *s, const struct fsd_req *q, struct fsd_reply *rep);
int do_tmpfile(struct server *s, const struct fsd_req *q, struct fsd_reply *rep);
int do_mkdir(struct server *s, const struct fsd_req *q, struct fsd_reply *rep);
int do_mknod(struct server *s, const struct fsd_req *q, struct fsd_reply *rep);
int do_symlink(struct server *s, const struct fsd_req *q, struct fsd_reply *rep);
int do_readlink(struct server *s, const struct fsd_req *q, struct fsd_reply *rep);
int do_link(struct server *s, const struct fsd_req *q, struct fsd_reply *rep);
int do_unlink(struct server *s, const struct fsd_req *q, struct fsd_reply *rep);
int do_rmdir(struct server *s, const struct fsd_req *q, struct fsd_reply *rep);
int do_rename(struct server *s, const struct fsd_req *q, struct fsd_reply *rep);
int do_readdir(struct server *s, const struct fsd_req *q, struct fsd_reply *rep);
int do_statfs(struct server *s, const struct fsd_req *q, struct fsd_reply *rep);
int do_getxattr(struct server *s, const struct fsd_req *q, struct fsd_reply *rep);
int do_setxattr(struct server *s, const struct fsd_req *q, struct fsd_reply *rep);
int do_listxattr(struct server *s, const struct fsd_req *q, struct fsd_reply *rep);
int do_removexattr(struct server *s, const struct fsd_req *q, struct fsd_reply *rep);
int do_fsync(struct server *s, const struct fsd_req *q, struct fsd_reply *rep);
int do_sync(struct server *s, const struct fsd_req *q, struct fsd_reply *rep);
int do_forget(struct server *s, const struct fsd_req *q, struct fsd_reply *rep);
int do_pool(struct server *s, const struct fsd_req *q, struct fsd_reply *rep);
int do_birth(struct server *s, const struct fsd_req *q, struct fsd_reply *rep);
int do_watch(struct server *s, const struct fsd_req *q, struct fsd_reply *rep);
int do_unwatch(struct server *s, const struct fsd_req *q, struct fsd_reply *rep);

/* do_watch.c: how many files may be watched, a part of what the host lets its root watch in all: reads /proc of the
 * host, so before confinement. */
void watch_set_limit(void);
void watches_free(struct watches *w);

int do_connect(struct server *s, const struct fsd_req *q, struct fsd_reply *rep);

/* news.c: what somebody else changes in the root directory of a mount. Once, before confinement; s serves from then on. */
void news_start(struct server *s);
void news_watch(struct fsd_mount *m);
/* Around each request. */
void news_begin(void);
void news_end(const struct fsd_req *q);

/* do_change.c: owner and special mode bits of what was just made, through its descriptor; path_fd says that
 * it is O_PATH. *sx: its attributes then. */
int dress(const struct fsd_mount *m, int fd, bool path_fd, const struct fsd_req *q, struct statx *sx);

/* The directory a request changes or looks into: its node and descriptor. write: -EROFS on a
 * read-only mount. */
int req_dir(uint64_t id, bool write, struct node **ret_node, int *ret_fd);
/* The file a request names (node, or s->path in it) as a descriptor, and whether the caller closes it. */
struct target {
	struct node *node;  /* the node of the request */
	int fd;             /* O_PATH of the file itself */
	bool own;
	struct statx sx;
};
int req_target(struct server *s, const struct fsd_req *q, bool write, struct target *ret);
/* The same, opened for I/O: regular files and directories. flags: O_RDONLY or O_RDWR. */
int req_data(struct server *s, const struct fsd_req *q, bool write, int flags, struct target *ret);
void target_done(struct target *t);

/* attr.c: statx(2) as the guest sees it. dirfd and name, or fd with name NULL, lead to the file, for
 * what stands in its extended attributes. */
void attr_from_statx(const struct fsd_mount *m, int dirfd, const char *name, const struct statx *sx,
		     struct fsd_attr *ret);
/* A device node of the sandbox is an empty regular file with this mode on the host, and its real mode
 * and number in an extended attribute. */
#define DEVICE_HOST_MODE (S_IFREG | 07000)
int attr_set_device(int fd, uint32_t mode, uint64_t rdev);
bool attr_get_device(int fd, uint32_t *ret_mode, uint64_t *ret_rdev);
bool attr_maybe_device(const struct statx *sx);
/* The host's name (FSD_NAME_MAX + 1 bytes) of an extended attribute that guests may have, or -errno; and
 * back: NULL is not for guests. */
int xattr_to_host(const struct fsd_str *guest, char *host);
const char *xattr_from_host(const char *host);

#endif
