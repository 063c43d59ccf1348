/* Requests that change directories: create, mkdir, mknod, symlink, link, unlink, rmdir, rename. */
#include "fsd/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "common/base/util.h"
#include "fsd/resolve.h"

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif

int dress(const struct fsd_mount *m, int fd, bool path_fd, const struct fsd_req *q, struct statx *sx)
{
	uid_t uid = mount_uid_to_host(m, q->uid);
	gid_t gid = mount_gid_to_host(m, q->gid);
	uint32_t mode = q->mode & 07777;

	if (statx(fd, "", AT_EMPTY_PATH, FSD_STATX_MASK, sx) < 0)
		return -errno;
	if (sx->stx_uid == uid && sx->stx_gid == gid &&
	    ((sx->stx_mode & 07777) == mode || S_ISLNK(sx->stx_mode)))
		return 0;
	if ((sx->stx_uid != uid || sx->stx_gid != gid) && fchownat(fd, "", uid, gid, AT_EMPTY_PATH) < 0)
		return -errno;
	/* A default ACL of the directory has cut the mode already: only the special bits are ours. */
	if (!S_ISLNK(sx->stx_mode) && (mode & 07000) != (sx->stx_mode & 07000u)) {
		mode = (mode & 07000) | (sx->stx_mode & 0777);
		if (path_fd ? syscall(SYS_fchmodat2, fd, "", mode, AT_EMPTY_PATH) < 0
			    : fchmod(fd, mode) < 0)
			return -errno;
	} else if (!S_ISLNK(sx->stx_mode) && (mode & 07000)) { /* chown took them */
		if (path_fd ? syscall(SYS_fchmodat2, fd, "", sx->stx_mode & 07777, AT_EMPTY_PATH) < 0
			    : fchmod(fd, sx->stx_mode & 07777) < 0)
			return -errno;
	}
	return statx(fd, "", AT_EMPTY_PATH, FSD_STATX_MASK, sx) < 0 ? -errno : 0;
}

int do_create(struct server *s, const struct fsd_req *q, struct fsd_reply *rep)
{
	struct node *n;
	struct statx sx;
	int dirfd, fd, ret = req_dir(q->node, true, &n, &dirfd);

	if (ret < 0)
		return ret;
	fd = resolve_open(n->mount, dirfd, s->path, O_CREAT | O_EXCL | O_RDWR, q->mode & 07777);
	if (fd < 0)
		return fd;
	ret = dress(n->mount, fd, false, q, &sx);
	if (ret < 0) {
		unlinkat(dirfd, s->path, 0);
		close(fd);
		return ret;
	}
	attr_from_statx(n->mount, -1, NULL, &sx, &rep->attr);
	if (q->flags & FSD_OPEN_FD)
		s->fd_out = fd;
	else
		close(fd);
	return 0;
}

int do_tmpfile(struct server *s, const struct fsd_req *q, struct fsd_reply *rep)
{
	struct node *n, *tmp;
	struct statx sx;
	int dirfd, fd, dup_fd, ret = req_dir(q->node, true, &n, &dirfd);

	if (ret < 0)
		return ret;
	fd = resolve_open(n->mount, dirfd, ".", O_TMPFILE | O_RDWR, q->mode & 07777);
	if (fd < 0)
		return fd;
	ret = dress(n->mount, fd, false, q, &sx);
	dup_fd = ret < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);
	/* One descriptor is the node's for linkat(2) and I/O, the other goes to sysd. */
	tmp = dup_fd < 0 ? NULL : node_nameless(n->mount, fd, true, &sx);
	if (!tmp) {
		close_fd(&fd);
		close_fd(&dup_fd);
		return ret < 0 ? ret : -ENFILE;
	}
	attr_from_statx(n->mount, -1, NULL, &sx, &rep->attr);
	rep->node = tmp->id;
	s->fd_out = dup_fd;
	return 0;
}

int do_mkdir(struct server *s, const struct fsd_req *q, struct fsd_reply *rep)
{
	struct node *n, *made;
	struct statx sx;
	int dirfd, fd, ret = req_dir(q->node, true, &n, &dirfd);

	if (ret < 0)
		return ret;
	if (mkdirat(dirfd, s->path, q->mode & 07777) < 0)
		return -errno;
	fd = resolve_open_path(n->mount, dirfd, s->path, &sx);
	ret = fd < 0 ? fd : dress(n->mount, fd, true, q, &sx);
	if (ret < 0) {
		close_fd(&fd);
		unlinkat(dirfd, s->path, AT_REMOVEDIR);
		return ret;
	}
	attr_from_statx(n->mount, -1, NULL, &sx, &rep->attr);
	made = node_enter(n, s->path, fd, &sx);
	rep->node = made ? made->id : 0;
	return 0;
}

/* A device of the sandbox: it means something to sysd only. */
static int make_device(struct server *s, struct node *n, int dirfd, const struct fsd_req *q,
		       struct fsd_reply *rep)
{
	CLEANUP_CLOSE int fd = -1;
	struct fsd_req plain = *q;
	struct statx sx;
	int ret;

	plain.mode = DEVICE_HOST_MODE;
	fd = resolve_open(n->mount, dirfd, s->path, O_CREAT | O_EXCL | O_RDWR, 0);
	if (fd < 0)
		return fd;
	ret = attr_set_device(fd, q->mode, q->rdev);
	if (!ret)
		ret = dress(n->mount, fd, false, &plain, &sx);
	if (ret < 0) {
		unlinkat(dirfd, s->path, 0);
		return ret == -EOPNOTSUPP ? -EPERM : ret;
	}
	attr_from_statx(n->mount, dirfd, s->path, &sx, &rep->attr);
	return 0;
}

int do_mknod(struct server *s, const struct fsd_req *q, struct fsd_reply *rep)
{
	CLEANUP_CLOSE int fd = -1;
	struct node *n;
	struct statx sx;
	int dirfd, ret = req_dir(q->node, true, &n, &dirfd);

	if (ret < 0)
		return ret;
	if (S_ISCHR(q->mode) || S_ISBLK(q->mode))
		return make_device(s, n, dirfd, q, rep);
	if (!S_ISFIFO(q->mode) && !S_ISSOCK(q->mode) && !S_ISREG(q->mode))
		return -EINVAL;
	if (mknodat(dirfd, s->path, q->mode, 0) < 0)
		return -errno;
	fd = resolve_open_path(n->mount, dirfd, s->path, &sx);
	ret = fd < 0 ? fd : dress(n->mount, fd, true, q, &sx);
	if (ret < 0) {
		unlinkat(dirfd, s->path, 0);
		return ret;
	}
	attr_from_statx(n->mount, -1, NULL, &sx, &rep->attr);
	return 0;
}

int do_symlink(struct server *s, const struct fsd_req *q, struct fsd_reply *rep)
{
	CLEANUP_CLOSE int fd = -1;
	char target[FSD_TARGET_MAX];
	struct node *n;
	struct statx sx;
	int dirfd, ret = req_dir(q->node, true, &n, &dirfd);

	if (ret < 0)
		return ret;
	memcpy(target, q->value.data, q->value.size);
	target[q->value.size] = 0;
	if (symlinkat(target, dirfd, s->path) < 0)
		return -errno;
	fd = resolve_open_path(n->mount, dirfd, s->path, &sx);
	ret = fd < 0 ? fd : dress(n->mount, fd, true, q, &sx);
	if (ret < 0) {
		unlinkat(dirfd, s->path, 0);
		return ret;
	}
	attr_from_statx(n->mount, -1, NULL, &sx, &rep->attr);
	return 0;
}

int do_link(struct server *s, const struct fsd_req *q, struct fsd_reply *rep)
{
	struct node *old = node_get(q->node), *dir;
	struct statx sx;
	int old_fd, dirfd, ret;

	if (!old || !node_get(q->node2))
		return -ESTALE;
	/* Descriptors of nodes are a cache: take the directory's first, so that the other stays. */
	ret = req_dir(q->node2, true, &dir, &dirfd);
	if (ret < 0)
		return ret;
	if (old->mount != dir->mount)
		return -EXDEV;
	if (q->name.size && !S_ISDIR(old->mode))
		return -ENOTDIR;
	old_fd = node_fd(old);
	if (old_fd < 0)
		return old_fd;
	if (linkat(old_fd, s->path, dirfd, s->path2, q->name.size ? 0 : AT_EMPTY_PATH) < 0)
		return -errno;
	ret = resolve_stat(dir->mount, dirfd, s->path2, &sx);
	if (ret < 0)
		return ret;
	attr_from_statx(dir->mount, dirfd, s->path2, &sx, &rep->attr);
	if (!q->name.size && old->nameless && old->ino == sx.stx_ino)
		node_enter(dir, s->path2, -1, &sx);
	return 0;
}

/* Opens what is about to lose a name while it is in use, so that sysd can go on naming it. -1: no need. */
static int keep_open(struct node *n, int dirfd, const char *name, struct statx *sx)
{
	int fd = resolve_open_path(n->mount, dirfd, name, sx);

	if (fd < 0)
		return -1;
	if (S_ISDIR(sx->stx_mode)) {
		close(fd);
		return -1;
	}
	return fd;
}

static uint64_t keep_node(struct node *n, int fd, const struct statx *sx)
{
	struct node *kept;

	if (fd < 0)
		return 0;
	kept = node_nameless(n->mount, fd, false, sx);
	if (!kept)
		close(fd);
	return kept ? kept->id : 0;
}

int do_unlink(struct server *s, const struct fsd_req *q, struct fsd_reply *rep)
{
	struct node *n;
	struct statx sx;
	int dirfd, fd = -1, ret = req_dir(q->node, true, &n, &dirfd);

	if (ret < 0)
		return ret;
	if (q->flags & FSD_KEEP)
		fd = keep_open(n, dirfd, s->path, &sx);
	if (unlinkat(dirfd, s->path, 0) < 0) {
		ret = -errno;
		close_fd(&fd);
		return ret;
	}
	rep->node = keep_node(n, fd, &sx);
	return 0;
}

int do_rmdir(struct server *s, const struct fsd_req *q, struct fsd_reply *rep)
{
	struct node *n, *gone;
	struct statx sx;
	int dirfd, ret = req_dir(q->node, true, &n, &dirfd);

	if (ret < 0)
		return ret;
	ret = resolve_stat(n->mount, dirfd, s->path, &sx);
	if (ret < 0)
		return ret;
	if (unlinkat(dirfd, s->path, AT_REMOVEDIR) < 0)
		return -errno;
	gone = node_find(n->mount, (uint64_t)sx.stx_dev_major << 32 | sx.stx_dev_minor, sx.stx_ino);
	if (gone && gone->parent)
		node_move(gone, NULL, NULL);
	return 0;
}

/* A directory that moved keeps its node. */
static void moved(struct node *dir, int dirfd, const char *name)
{
	struct statx sx;
	struct node *n;

	if (resolve_stat(dir->mount, dirfd, name, &sx) < 0 || !S_ISDIR(sx.stx_mode))
		return;
	n = node_find(dir->mount, (uint64_t)sx.stx_dev_major << 32 | sx.stx_dev_minor, sx.stx_ino);
	if (n && n->parent)
		node_move(n, dir, name);
}

#define RENAME_ALLOWED (RENAME_NOREPLACE | RENAME_EXCHANGE | FSD_KEEP)

int do_rename(struct server *s, const struct fsd_req *q, struct fsd_reply *rep)
{
	struct node *from, *to, *gone = NULL;
	struct statx sx;
	int from_fd, to_fd, kept = -1, ret;

	if (q->flags & ~RENAME_ALLOWED)
		return -EINVAL;
	ret = req_dir(q->node, true, &from, &from_fd);
	if (!ret)
		ret = req_dir(q->node2, true, &to, &to_fd);
	if (!ret) /* opening the second may have closed the first */
		ret = req_dir(q->node, true, &from, &from_fd);
	if (ret < 0)
		return ret;
	if (from->mount != to->mount)
		return -EXDEV;
	if (!(q->flags & (RENAME_NOREPLACE | RENAME_EXCHANGE))) {
		if (q->flags & FSD_KEEP)
			kept = keep_open(to, to_fd, s->path2, &sx);
		else if (resolve_stat(to->mount, to_fd, s->path2, &sx) == 0 && S_ISDIR(sx.stx_mode))
			gone = node_find(to->mount, (uint64_t)sx.stx_dev_major << 32 | sx.stx_dev_minor,
					 sx.stx_ino);
	}
	if (renameat2(from_fd, s->path, to_fd, s->path2, q->flags & ~FSD_KEEP) < 0) {
		ret = -errno;
		close_fd(&kept);
		return ret;
	}
	if (gone && gone->parent)
		node_move(gone, NULL, NULL);
	moved(to, to_fd, s->path2);
	if (q->flags & RENAME_EXCHANGE)
		moved(from, from_fd, s->path);
	rep->node = keep_node(to, kept, &sx);
	return 0;
}
