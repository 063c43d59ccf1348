/* Files made ahead: sysd asks for some nameless ones (O_TMPFILE), so that creating a file needs no answer: it
 * takes one, goes on, and tells us the name (birth). Nothing is left of those that nobody took.
 *
 * Since nobody waits for a birth, it must not fail for want of room: no files are given out when the file
 * system has little left. What they take themselves (an inode, its owner's quota) was taken here. */
#include "fsd/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <time.h>

#include "common/base/util.h"
#include "common/ipc/fdpass.h"
#include "fsd/resolve.h"

#define ROOM_BYTES (256ull << 20)
#define ROOM_FILES 10000u
#define SEND_TRIES 1000

static bool has_room(int fd)
{
	struct statfs sf;

	return fstatfs(fd, &sf) == 0 && (uint64_t)sf.f_bavail * (uint64_t)sf.f_bsize >= ROOM_BYTES &&
	       (!sf.f_files || sf.f_ffree >= ROOM_FILES);
}

/* linkat(2) of a descriptor is refused before Linux 6.10 to everybody but the host's root, with ENOENT;
 * where it is allowed, "." is in the way. */
static bool can_name(int fd, int dirfd)
{
	return linkat(fd, "", dirfd, ".", AT_EMPTY_PATH) < 0 && errno == EEXIST;
}

static int make_one(struct server *s, struct node *dir, int dirfd, const struct fsd_req *q, struct fsd_walked *ret)
{
	CLEANUP_CLOSE int fd = resolve_open(dir->mount, dirfd, ".", O_TMPFILE | O_RDWR, q->mode & 07777);
	CLEANUP_CLOSE int own = -1;
	struct fsd_mount *m = dir->mount;
	struct node *n;
	struct statx sx;
	int ret_;

	if (fd < 0)
		return fd;
	if (m->pool == POOL_UNKNOWN)
		m->pool = can_name(fd, dirfd) ? POOL_YES : POOL_NO;
	if (m->pool == POOL_NO)
		return -EOPNOTSUPP;
	ret_ = dress(m, fd, false, q, &sx);
	if (ret_ < 0)
		return ret_;
	own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (own < 0)
		return -errno;
	for (unsigned i = 0; (ret_ = fdpass_send(s->pass, q->id, fd)) == -EAGAIN && i < SEND_TRIES; i++)
		nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
	if (ret_ < 0)
		return ret_;
	n = node_nameless(m, own, true, &sx);
	if (!n)
		return -ENFILE;
	own = -1;
	ret->node = n->id;
	attr_from_statx(m, -1, NULL, &sx, &ret->attr);
	return 0;
}

int do_pool(struct server *s, const struct fsd_req *q, struct fsd_reply *rep)
{
	struct node *n;
	int dirfd, ret = req_dir(q->node, true, &n, &dirfd);

	if (ret < 0)
		return ret;
	if (n->mount->pool == POOL_NO)
		return -EOPNOTSUPP;
	if (!has_room(dirfd))
		return -ENOSPC;
	for (uint64_t i = 0; !ret && i < MIN(q->size, (uint64_t)FSD_POOL_MAX); i++) {
		ret = make_one(s, n, dirfd, q, &rep->walked[rep->walked_count]);
		if (!ret)
			rep->walked_count++;
	}
	if (ret == -EOPNOTSUPP || ret == -EISDIR || ret == -EINVAL) { /* no O_TMPFILE on this file system */
		n->mount->pool = POOL_NO;
		ret = -EOPNOTSUPP;
	}
	return rep->walked_count ? 0 : ret;
}

/* The times that sysd has told the program, so that they do not move; data that was written since has its own. */
static int set_birth_times(int fd, const struct fsd_time *t)
{
	struct timespec at = {t->sec, (long)t->nsec}, ts[2] = {at, at};
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_mtim.tv_sec > at.tv_sec || (st.st_mtim.tv_sec == at.tv_sec && st.st_mtim.tv_nsec > at.tv_nsec))
		ts[1].tv_nsec = UTIME_OMIT;
	if (futimens(fd, ts) < 0 && futimens(fd, NULL) < 0)
		return -errno;
	return 0;
}

int do_birth(struct server *s, const struct fsd_req *q, struct fsd_reply *rep)
{
	struct node *dir, *n = node_get(q->node2);
	int dirfd, fd, ret;

	if (q->flags & ~FSD_BIRTH_ALL)
		return -EINVAL;
	if (!n || !n->nameless || !n->fd_has_data)
		return -ESTALE;
	ret = req_dir(q->node, true, &dir, &dirfd);
	if (ret < 0)
		return ret;
	if (dir->mount != n->mount)
		return -EXDEV;
	fd = node_fd(n);
	if (fd < 0)
		return fd;
	if ((q->flags & FSD_BIRTH_MODE) && fchmod(fd, q->mode & 07777) < 0)
		return -errno;
	ret = q->flags & FSD_BIRTH_TOUCH ? set_birth_times(fd, &q->mtime) : 0;
	if (ret < 0)
		return ret;
	if (linkat(fd, "", dirfd, s->path, AT_EMPTY_PATH) < 0)
		return -errno;
	node_forget(n->id);
	return 0;
}
