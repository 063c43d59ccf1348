/* The loop: one request after the other from the ring, checked by the decoder, answered at once. */
#include "fsd/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <time.h>

#include "common/base/util.h"
#include "common/ipc/fdpass.h"
#include "common/ipc/startup.h"
#include "common/log/log.h"
#include "fsd/resolve.h"

#define SPIN_US 30 /* longer than sysd needs between two requests of one walk */
#define SPIN_CPUS 3 /* with fewer, the guest or sysd needs the CPU that would be polled on */

static const struct fsd_op_desc {
	const char *name;
	fsd_handler fn;
} ops[FSD_OP_COUNT] = {
    [FSD_ATTACH] = {"attach", do_attach},
    [FSD_WALK] = {"walk", do_walk},
    [FSD_GETATTR] = {"getattr", do_getattr},
    [FSD_SETATTR] = {"setattr", do_setattr},
    [FSD_OPEN] = {"open", do_open},
    [FSD_CREATE] = {"create", do_create},
    [FSD_MKDIR] = {"mkdir", do_mkdir},
    [FSD_MKNOD] = {"mknod", do_mknod},
    [FSD_SYMLINK] = {"symlink", do_symlink},
    [FSD_READLINK] = {"readlink", do_readlink},
    [FSD_LINK] = {"link", do_link},
    [FSD_UNLINK] = {"unlink", do_unlink},
    [FSD_RMDIR] = {"rmdir", do_rmdir},
    [FSD_RENAME] = {"rename", do_rename},
    [FSD_READDIR] = {"readdir", do_readdir},
    [FSD_STATFS] = {"statfs", do_statfs},
    [FSD_GETXATTR] = {"getxattr", do_getxattr},
    [FSD_SETXATTR] = {"setxattr", do_setxattr},
    [FSD_LISTXATTR] = {"listxattr", do_listxattr},
    [FSD_REMOVEXATTR] = {"removexattr", do_removexattr},
    [FSD_FSYNC] = {"fsync", do_fsync},
    [FSD_TMPFILE] = {"tmpfile", do_tmpfile},
    [FSD_FORGET] = {"forget", do_forget},
    [FSD_SYNC] = {"sync", do_sync},
    [FSD_POOL] = {"pool", do_pool},
    [FSD_BIRTH] = {"birth", do_birth},
    [FSD_WATCH] = {"watch", do_watch},
    [FSD_UNWATCH] = {"unwatch", do_unwatch},
    [FSD_CONNECT] = {"connect", do_connect},
};

int server_init(struct server *s, int ring_fd, int pass_fd)
{
	int ret = ring_open(&s->ring, ring_fd, SBX_RING_SIDE_PEER);
	cpu_set_t set;

	s->spin_us = sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_COUNT(&set) >= SPIN_CPUS ? SPIN_US : 0;
	s->pass = pass_fd;
	s->fd_out = s->dir.fd = s->proc_fd = -1;
	s->dir.node = 0;
	s->watches = NULL;
	s->proc_cwd = s->host_sockets = false;
	s->raw_size = 0;
	return ret;
}

void server_done(struct server *s)
{
	close_fd(&s->dir.fd);
	close_fd(&s->fd_out);
	watches_free(STEAL_PTR(s->watches));
	ring_close(&s->ring);
}

int req_dir(uint64_t id, bool write, struct node **ret_node, int *ret_fd)
{
	struct node *n = node_get(id);
	int fd;

	if (!n)
		return -ESTALE;
	if (!S_ISDIR(n->mode))
		return -ENOTDIR;
	if (write && (n->mount->flags & FSD_MOUNT_RDONLY))
		return -EROFS;
	fd = node_fd(n);
	if (fd < 0)
		return fd;
	*ret_node = n;
	*ret_fd = fd;
	return 0;
}

static int check_node(const struct fsd_req *q, bool write, struct node **ret)
{
	struct node *n = node_get(q->node);

	if (!n)
		return -ESTALE;
	if (write && (n->mount->flags & FSD_MOUNT_RDONLY))
		return -EROFS;
	if (q->name.size && !S_ISDIR(n->mode))
		return -ENOTDIR;
	*ret = n;
	return 0;
}

int req_target(struct server *s, const struct fsd_req *q, bool write, struct target *ret)
{
	struct target t = {.own = false};
	int ret_ = check_node(q, write, &t.node), fd;

	if (ret_ < 0)
		return ret_;
	fd = node_fd(t.node);
	if (fd < 0)
		return fd;
	if (q->name.size) {
		t.fd = resolve_open_path(t.node->mount, fd, s->path, &t.sx);
		if (t.fd < 0)
			return t.fd;
		t.own = true;
	} else {
		t.fd = fd;
		if (statx(fd, "", AT_EMPTY_PATH, FSD_STATX_MASK, &t.sx) < 0)
			return -errno;
	}
	*ret = t;
	return 0;
}

/* A node's own data: a nameless file's, a file mount's, or a directory opened anew. */
static int node_data(struct server *s, struct node *n, int flags, bool *ret_own)
{
	int fd;

	*ret_own = false;
	fd = node_fd(n);
	if (fd < 0 || n->fd_has_data)
		return fd;
	if (S_ISDIR(n->mode)) {
		*ret_own = true;
		return resolve_open(n->mount, fd, ".", O_RDONLY | O_DIRECTORY, 0);
	}
	if (n->mount->is_file && node_root(n->mount) == n) {
		if ((flags & O_ACCMODE) == O_RDONLY)
			return n->mount->fd;
		return n->mount->write_fd >= 0 ? n->mount->write_fd : -EROFS;
	}
	/* Its name is gone, and a descriptor for I/O was never made. */
	fd = resolve_reopen(s->proc_fd, fd, flags & O_ACCMODE);
	*ret_own = fd >= 0;
	return fd == -ENOENT ? -ESTALE : fd;
}

int req_data(struct server *s, const struct fsd_req *q, bool write, int flags, struct target *ret)
{
	struct target t = {.own = false};
	int ret_ = check_node(q, write, &t.node), fd;

	if (ret_ < 0)
		return ret_;
	if (q->name.size) {
		fd = node_fd(t.node);
		if (fd < 0)
			return fd;
		t.fd = resolve_open_data(t.node->mount, fd, s->path, flags, &t.sx);
		if (t.fd < 0)
			return t.fd;
		t.own = true;
	} else {
		t.fd = node_data(s, t.node, flags, &t.own);
		if (t.fd < 0)
			return t.fd;
		if (statx(t.fd, "", AT_EMPTY_PATH, FSD_STATX_MASK, &t.sx) < 0) {
			ret_ = -errno;
			target_done(&t);
			return ret_;
		}
	}
	*ret = t;
	return 0;
}

void target_done(struct target *t)
{
	if (t->own)
		close_fd(&t->fd);
}

static void nap(void)
{
	struct timespec ts = {.tv_nsec = 100000};

	nanosleep(&ts, NULL);
}

static int send_message(struct server *s, const void *msg, size_t size)
{
	int ret;

	while ((ret = ring_send(&s->ring, msg, size)) == -EAGAIN)
		nap();
	return ret;
}

static bool addresses_node(uint32_t op)
{
	return op != FSD_ATTACH && op != FSD_FORGET && op != FSD_SYNC && op != FSD_UNWATCH;
}

/* The names of a walk, or the name of another request; NULL: none. */
static const char *log_name(const struct fsd_req *q, const struct server *s, char *buf, size_t size)
{
	size_t at = 0;

	if (q->op != FSD_WALK)
		return q->name.size ? s->path : NULL;
	for (size_t i = 0; i < q->name_count && at + q->names[i].size + 2 < size; i++) {
		if (i)
			buf[at++] = '/';
		memcpy(buf + at, q->names[i].data, q->names[i].size);
		at += q->names[i].size;
	}
	buf[at] = 0;
	return at ? buf : NULL;
}

static void log_request(const struct fsd_req *q, const struct server *s, int err)
{
	char buf[PATH_MAX], buf2[PATH_MAX], names[PATH_MAX];
	struct node *n = addresses_node(q->op) ? node_get(q->node) : NULL, *n2 = q->name2.size ? node_get(q->node2) : NULL;

	log_debug("%s %s%s%s = %s", ops[q->op].name,
		  n ? node_path(n, log_name(q, s, names, sizeof(names)), buf, sizeof(buf)) : "-",
		  q->name2.size ? " -> " : "", n2 ? node_path(n2, s->path2, buf2, sizeof(buf2)) : "", err ? strerror(-err) : "0");
}

/* A watched directory that is removed is gone, and its watch says so, when nobody holds it open. */
static void let_go(struct server *s)
{
	struct node *dir = s->dir.fd >= 0 ? node_get(s->dir.node) : NULL;

	if (dir && dir->watched)
		close_fd(&s->dir.fd);
	node_let_go();
}

static void copy_name(char *dst, const struct fsd_str *s)
{
	memcpy(dst, s->size ? s->data : "", s->size);
	dst[s->size] = 0;
}

int server_handle(struct server *s, size_t size)
{
	struct fsd_req q = {.nodes = s->nodes};
	struct fsd_reply rep;
	uint8_t *msg = s->out;
	long n;
	int ret = fsd_req_decode(&q, s->in, size);

	news_begin();
	rep.op = q.op;
	rep.id = q.id;
	rep.node = rep.flags = 0;
	rep.walked_count = 0;
	rep.value = (struct fsd_str){NULL, 0};
	s->raw_size = 0;
	if (!q.op) { /* not even a number to answer to: the peer is not sysd as we know it */
		log_warn("malformed request of %zu bytes", size);
		news_end(&q);
		return -EPROTO;
	}
	if (!ret) {
		copy_name(s->path, &q.name);
		copy_name(s->path2, &q.name2);
		ret = ops[q.op].fn(s, &q, &rep);
	}
	news_end(&q);
	if (log_enabled(LOG_DEBUG_) && q.op)
		log_request(&q, s, ret);
	if (s->watches)
		let_go(s);
	if (q.op == FSD_FORGET || q.op == FSD_UNWATCH)
		return 0;
	rep.err = (uint32_t)-ret;
	if (!ret && s->fd_out >= 0) {
		while ((ret = fdpass_send(s->pass, q.id, s->fd_out)) == -EAGAIN)
			nap();
		rep.err = (uint32_t)-ret;
	}
	close_fd(&s->fd_out);
	if (!ret && s->raw_size) {
		msg = s->raw;
		n = (long)s->raw_size;
	} else {
		n = fsd_reply_encode(&rep, s->out, sizeof(s->out));
	}
	return n < 0 ? (int)n : send_message(s, msg, (size_t)n);
}

int server_run(struct server *s)
{
	for (;;) {
		ssize_t n = ring_recv(&s->ring, s->in, sizeof(s->in));
		int ret;

		if (n == -EAGAIN) {
			ring_wait(&s->ring, s->spin_us, -1);
			continue;
		}
		if (n < 0)
			return (int)n;
		ret = server_handle(s, (size_t)n);
		if (ret < 0 && ret != -EPROTO)
			return ret;
	}
}
