/* Requests that look: attach, walk, getattr, readlink, statfs, readdir, and forget. */
#include "fsd/serve.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/statfs.h>
#include <sys/syscall.h>

#include "common/base/util.h"
#include "fsd/resolve.h"

int do_attach(struct server *s, const struct fsd_req *q, struct fsd_reply *rep)
{
	struct fsd_mount *m = mount_get(q->mount);
	struct node *n;
	struct statx sx;

	if (!m)
		return -ENODEV;
	n = node_root(m);
	if (!n)
		return -ENOMEM;
	if (statx(m->fd, "", AT_EMPTY_PATH, FSD_STATX_MASK, &sx) < 0)
		return -errno;
	attr_from_statx(m, -1, NULL, &sx, &rep->attr);
	rep->node = n->id;
	rep->flags = m->flags;
	if (q->flags & FSD_ATTACH_NEWS)
		news_watch(m);
	return 0;
}

int do_walk(struct server *s, const struct fsd_req *q, struct fsd_reply *rep)
{
	struct node *n;
	int fd, ret = req_dir(q->node, false, &n, &fd);

	if (ret < 0)
		return ret;
	if (q->flags & ~FSD_WALK_OPEN)
		return -EINVAL;
	for (size_t i = 0; i < q->name_count; i++) {
		struct fsd_walked *w = &rep->walked[i];
		struct statx sx;

		memcpy(s->path, q->names[i].data, q->names[i].size);
		s->path[q->names[i].size] = 0;
		ret = resolve_stat(n->mount, fd, s->path, &sx);
		if (ret < 0)
			return ret;
		attr_from_statx(n->mount, fd, s->path, &sx, &w->attr);
		w->node = 0;
		if (S_ISDIR(sx.stx_mode)) {
			struct node *known = node_known(n, s->path, &sx);
			int child = known ? -1 : resolve_open_path(n->mount, fd, s->path, &sx);

			if (!known && child < 0)
				return child;
			n = known ? known : node_enter(n, s->path, child, &sx);
			if (!n)
				return -ENOMEM;
			w->node = n->id;
			fd = node_fd(n);
		} else if (S_ISLNK(sx.stx_mode)) {
			ssize_t len = readlinkat(fd, s->path, (char *)s->value, FSD_TARGET_MAX);

			rep->value = (struct fsd_str){(char *)s->value, len < 0 ? 0 : (size_t)len};
		} else if ((q->flags & FSD_WALK_OPEN) && i + 1 == q->name_count && S_ISREG(w->attr.mode)) {
			s->fd_out = resolve_open_data(n->mount, fd, s->path, O_RDONLY, &sx);
			if (s->fd_out >= 0 && (sx.stx_ino != w->attr.ino || !S_ISREG(sx.stx_mode)))
				close_fd(&s->fd_out); /* changed between the two looks */
			if (s->fd_out >= 0)
				rep->flags = FSD_WALK_OPEN;
			else
				s->fd_out = -1;
		}
		rep->walked_count = i + 1;
		if (!w->node) /* sysd goes on itself, at a symbolic link for instance */
			return i + 1 == q->name_count || S_ISLNK(sx.stx_mode) ? 0 : -ENOTDIR;
		if (fd < 0)
			return fd;
	}
	return 0;
}

int do_getattr(struct server *s, const struct fsd_req *q, struct fsd_reply *rep)
{
	struct node *n = node_get(q->node);
	struct statx sx;
	int fd, ret;

	if (!n)
		return -ESTALE;
	fd = node_fd(n);
	if (fd < 0)
		return fd;
	if (q->name.size) {
		if (!S_ISDIR(n->mode))
			return -ENOTDIR;
		ret = resolve_stat(n->mount, fd, s->path, &sx);
		if (ret < 0)
			return ret;
		attr_from_statx(n->mount, fd, s->path, &sx, &rep->attr);
		return 0;
	}
	if (statx(fd, "", AT_EMPTY_PATH, FSD_STATX_MASK, &sx) < 0)
		return -errno;
	attr_from_statx(n->mount, -1, NULL, &sx, &rep->attr);
	return 0;
}

int do_readlink(struct server *s, const struct fsd_req *q, struct fsd_reply *rep)
{
	struct node *n = node_get(q->node);
	ssize_t len;
	int fd;

	if (!n)
		return -ESTALE;
	fd = node_fd(n);
	if (fd < 0)
		return fd;
	len = readlinkat(fd, s->path, (char *)s->value, FSD_TARGET_MAX);
	if (len < 0)
		return errno == ENOENT && !q->name.size ? -EINVAL : -errno;
	rep->value = (struct fsd_str){(char *)s->value, (size_t)len};
	return 0;
}

int do_statfs(struct server *s, const struct fsd_req *q, struct fsd_reply *rep)
{
	struct node *n = node_get(q->node);
	struct statfs sf;
	int fd;

	if (!n)
		return -ESTALE;
	fd = node_fd(n);
	if (fd < 0)
		return fd;
	if (fstatfs(fd, &sf) < 0)
		return -errno;
	rep->statfs = (struct fsd_statfs){
	    .bsize = (uint64_t)sf.f_bsize,
	    .blocks = sf.f_blocks,
	    .bfree = sf.f_bfree,
	    .bavail = sf.f_bavail,
	    .files = sf.f_files,
	    .ffree = sf.f_ffree,
	    .namelen = (uint64_t)sf.f_namelen,
	    .frsize = (uint64_t)sf.f_frsize,
	};
	return 0;
}

struct host_dirent64 { /* getdents64(2) */
	uint64_t d_ino;
	int64_t d_off;
	uint16_t d_reclen;
	uint8_t d_type;
	char d_name[];
};

/* The stream of a directory at a cookie: the one in hand, or opened anew. */
static int dir_stream(struct server *s, struct node *n, int fd, uint64_t cookie)
{
	if (s->dir.fd >= 0 && s->dir.node == n->id && s->dir.cookie == cookie)
		return s->dir.fd;
	close_fd(&s->dir.fd);
	s->dir.node = 0;
	fd = resolve_open(n->mount, fd, ".", O_RDONLY | O_DIRECTORY, 0);
	if (fd < 0)
		return fd;
	if (cookie && lseek(fd, (off_t)cookie, SEEK_SET) < 0) {
		close(fd);
		return -EINVAL;
	}
	s->dir.fd = fd;
	s->dir.node = n->id;
	s->dir.cookie = cookie;
	return fd;
}

static bool add_entry(struct server *s, struct node *n, int fd, struct fsd_dir_writer *w,
		      const struct host_dirent64 *d, uint32_t flags)
{
	struct fsd_dirent e = {
	    .name = {d->d_name, strlen(d->d_name)},
	    .ino = d->d_ino,
	    .cookie = (uint64_t)d->d_off,
	    .type = d->d_type > 15 ? DT_UNKNOWN : d->d_type,
	};
	struct statx sx;
	int ret;

	if (!fsd_name_ok(e.name.data, e.name.size)) /* "." and "..": sysd makes them */
		return true;
	if ((flags & FSD_DIR_ATTR) || ((flags & FSD_DIR_ATTR_DIRS) && e.type == DT_DIR) ||
	    e.type == DT_UNKNOWN) {
		ret = resolve_stat(n->mount, fd, d->d_name, &sx);
		if (ret == -ENOENT)
			return true; /* gone meanwhile */
		if (!ret) {
			e.has_attr = true;
			attr_from_statx(n->mount, fd, d->d_name, &sx, &e.attr);
			e.type = (e.attr.mode & S_IFMT) >> 12;
			e.ino = e.attr.ino;
		}
	}
	return fsd_dir_add(w, &e);
}

#define DENTS_SIZE 32768

int do_readdir(struct server *s, const struct fsd_req *q, struct fsd_reply *rep)
{
	_Alignas(8) static char dents[DENTS_SIZE];
	struct fsd_dir_writer w;
	struct node *n = NULL;
	uint64_t cookie = q->cookie;
	size_t limit = MIN((size_t)MAX(q->size, 4096ul), (size_t)FSD_READDIR_MAX);
	bool eof = false, full = false;
	int fd, ret = req_dir(q->node, false, &n, &fd);

	if (ret < 0)
		return ret;
	if (q->name.size) {
		struct statx sx;

		fd = resolve_open_path(n->mount, fd, s->path, &sx);
		if (fd < 0)
			return fd;
		if (!S_ISDIR(sx.stx_mode)) {
			close(fd);
			return -ENOTDIR;
		}
		n = node_enter(n, s->path, fd, &sx);
		if (!n)
			return -ENOMEM;
		fd = node_fd(n);
		if (fd < 0)
			return fd;
	}
	fd = dir_stream(s, n, fd, cookie);
	if (fd < 0)
		return fd;
	fsd_dir_start(&w, s->out, limit);
	while (!full) {
		long got = syscall(SYS_getdents64, fd, dents, sizeof(dents));

		if (got < 0 && errno == EINVAL && cookie == q->cookie && !w.count)
			return -EINVAL;
		if (got <= 0) {
			eof = true;
			break;
		}
		for (long at = 0; at < got;) {
			const struct host_dirent64 *d = (const void *)(dents + at);

			if (!add_entry(s, n, fd, &w, d, q->flags)) {
				full = true;
				break;
			}
			cookie = (uint64_t)d->d_off;
			at += d->d_reclen;
		}
	}
	if (eof) {
		close_fd(&s->dir.fd);
		s->dir.node = 0;
	} else if (lseek(fd, (off_t)cookie, SEEK_SET) >= 0) {
		s->dir.cookie = cookie;
	} else {
		close_fd(&s->dir.fd);
		s->dir.node = 0;
	}
	s->raw_size = fsd_dir_finish(&w, q->id, n->id, cookie & INT64_MAX,
				     eof ? FSD_READDIR_EOF : 0, &s->raw);
	return 0;
}

int do_forget(struct server *s, const struct fsd_req *q, struct fsd_reply *rep)
{
	for (size_t i = 0; i < q->node_count; i++)
		node_forget(q->nodes[i]);
	return 0;
}
