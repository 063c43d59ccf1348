#include "services/sysd/fs/hostfile/hostfile.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <signal.h>
#include "common/base/util.h"
#include "services/sysd/core/errno.h"
#include "services/sysd/core/ktimer.h"
#include "services/sysd/core/sched.h"
#include "services/sysd/core/settle.h"
#include "services/sysd/mm/usercopy.h"
#include "services/sysd/signal/signal.h"
#include "services/sysd/task/task.h"
#include "services/sysd/vfs/file.h"
#include "services/sysd/vfs/inode.h"
#include "services/sysd/vfs/poll.h"

#define CHUNK (64 * 1024u)

struct hostfile {
	int fd;
	unsigned refs;          /* open file descriptions: /proc/self/fd/1 opened anew is another */
	struct file *own;       /* the one whose position is the host's */
	bool seekable;          /* a regular file: never "not ready", but may block on the disk */
	int64_t seen;           /* the host's position as we left it: elsewhere, somebody else moved it */
	bool socket, watched;
	bool blocking;          /* it could not be reopened: ask before each call */
	struct host_watch watch;
	uint32_t armed;
	struct waitq ready;
};

bool hostfile_is_null(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3);
}

static void on_ready(void *arg, uint32_t revents)
{
	struct hostfile *h = arg;

	h->armed = 0;
	waitq_wake(&h->ready, INT32_MAX, revents);
}

/* Asks for a wake of h->ready; without a watch (a descriptor that cannot be waited for) it is always
 * ready. */
static void arm(struct hostfile *h, uint32_t events)
{
	if (!h->watched || (h->armed & events) == events)
		return;
	h->armed |= events;
	host_watch_arm(&h->watch, h->armed);
}

static uint32_t ready_now(const struct hostfile *h)
{
	struct pollfd p = {.fd = h->fd, .events = POLLIN | POLLOUT | POLLPRI};

	if (h->seekable || !h->watched || poll(&p, 1, 0) < 0)
		return POLL_DEFAULT_MASK;
	return (uint32_t)(p.revents & (POLLIN | POLLOUT | POLLPRI | POLLERR | POLLHUP)) |
	       (p.revents & POLLIN ? EPOLLRDNORM : 0) | (p.revents & POLLOUT ? EPOLLWRNORM : 0);
}

/* After bytes were taken or put: an edge-triggered set does not look again before the next news, which needs the watch. */
static void rearm(struct hostfile *h, uint32_t events)
{
	if (h->watched && waitq_active(&h->ready) && !(ready_now(h) & (events | EPOLLERR)))
		arm(h, events);
}

/* Looks, with the watch armed before: news from before the last call may wake us, and take the watch with it. */
static uint32_t ready_or_armed(struct hostfile *h, uint32_t events)
{
	arm(h, events);
	return ready_now(h);
}

static int wait_ready(struct hostfile *h, struct file *file, uint32_t events)
{
	if (file->flags & O_NONBLOCK) {
		if (waitq_active(&h->ready)) /* an edge-triggered set waits for the next news */
			arm(h, events);
		return -EAGAIN;
	}
	return WAIT_EVENT_INTR(&h->ready, ready_or_armed(h, events) & (events | EPOLLERR | EPOLLHUP));
}

static ssize_t stream_read(struct hostfile *h, struct file *file, struct uio *u)
{
	size_t size = MIN(u->resid, (size_t)CHUNK);
	CLEANUP_FREE char *buf = malloc(size + 1);
	ssize_t n;

	if (!buf)
		return -ENOMEM;
	for (;;) {
		int r;

		if (h->blocking && !(ready_now(h) & (EPOLLIN | EPOLLHUP | EPOLLERR))) {
			r = wait_ready(h, file, EPOLLIN);
			if (r < 0)
				return r;
			continue;
		}
		n = h->socket ? recv(h->fd, buf, size, MSG_DONTWAIT) : read(h->fd, buf, size);
		if (n > 0)
			rearm(h, EPOLLIN);
		if (n >= 0)
			return n ? uio_copy_to(u, buf, (size_t)n) : 0;
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return -errno;
		r = wait_ready(h, file, EPOLLIN);
		if (r < 0)
			return r;
	}
}

/* A file's position is shared with whoever gave it to us: what others moved counts here, and what we
 * move has to be seen there. */
static void pull_pos(struct hostfile *h, struct file *file)
{
	off_t now;

	if (file != h->own)
		return;
	now = lseek(h->fd, 0, SEEK_CUR);
	if (now >= 0 && now != h->seen)
		file->pos = h->seen = now;
}

static void push_pos(struct hostfile *h, struct file *file)
{
	if (file == h->own && file->pos != h->seen && lseek(h->fd, file->pos, SEEK_SET) >= 0)
		h->seen = file->pos;
}

static ssize_t hostfile_read(struct file *file, struct uio *u, int64_t *pos)
{
	struct hostfile *h = file->priv;
	ssize_t n;

	if (u->resid == 0)
		return 0;
	if (!h->seekable)
		return stream_read(h, file, u);
	if (pos == &file->pos)
		pull_pos(h, file);
	n = uio_pread_host(u, h->fd, u->resid, *pos);
	if (n > 0)
		*pos += n;
	if (pos == &file->pos)
		push_pos(h, file);
	return n;
}

static ssize_t stream_write(struct hostfile *h, struct file *file, struct uio *u)
{
	CLEANUP_FREE char *buf = malloc(MIN(u->resid, (size_t)CHUNK));
	ssize_t total = 0;

	if (!buf)
		return -ENOMEM;
	while (u->resid) {
		ssize_t size = uio_copy_from(u, buf, MIN(u->resid, (size_t)CHUNK)), done = 0;

		if (size < 0)
			return total ? total : size;
		while (done < size) {
			/* a pipe that is writable takes PIPE_BUF without blocking */
			size_t want = MIN((size_t)(size - done), h->blocking ? (size_t)PIPE_BUF : SIZE_MAX);
			ssize_t n;
			int r;

			if (h->blocking && !(ready_now(h) & (EPOLLOUT | EPOLLHUP | EPOLLERR))) {
				r = wait_ready(h, file, EPOLLOUT);
				if (r < 0)
					return total ? total : r;
				continue;
			}
			n = h->socket ? send(h->fd, buf + done, want, MSG_DONTWAIT | MSG_NOSIGNAL)
				      : write(h->fd, buf + done, want);
			if (n >= 0) {
				done += n;
				total += n;
				rearm(h, EPOLLOUT);
				continue;
			}
			if (errno == EINTR)
				continue;
			if (errno == EPIPE && current_task())
				signal_send_task(current_task(), SIGPIPE, NULL);
			r = errno == EAGAIN ? wait_ready(h, file, EPOLLOUT) : -errno;
			if (r < 0)
				return total ? total : r;
		}
	}
	return total;
}

static ssize_t hostfile_write(struct file *file, struct uio *u, int64_t *pos)
{
	struct hostfile *h = file->priv;
	ssize_t n;

	if (u->resid == 0)
		return 0;
	settle();
	if (!h->seekable)
		return stream_write(h, file, u);
	if (file->flags & O_APPEND)
		*pos = lseek(h->fd, 0, SEEK_END); /* the host appends whatever we say */
	else if (pos == &file->pos)
		pull_pos(h, file);
	n = uio_pwrite_host(u, h->fd, u->resid, *pos);
	if (n > 0)
		*pos += n;
	if (n > 0 && (uint64_t)*pos > file->inode->size)
		file->inode->size = (uint64_t)*pos;
	if (pos == &file->pos)
		push_pos(h, file);
	return n;
}

static int64_t hostfile_llseek(struct file *file, int64_t off, int whence)
{
	struct hostfile *h = file->priv;
	off_t r;

	if (!h->seekable)
		return -ESPIPE;
	if (whence == SEEK_CUR) {
		pull_pos(h, file);
		off += file->pos;
		whence = SEEK_SET;
	}
	r = lseek(h->fd, off, whence);
	if (r < 0)
		return -errno;
	file->pos = h->seen = r;
	return r;
}

static uint32_t hostfile_poll(struct file *file, struct poll_table *pt)
{
	struct hostfile *h = file->priv;
	uint32_t now;

	poll_wait(pt, &h->ready);
	now = ready_now(h);
	/* What is ready needs no watch, and one would report it at once, again and again. An epoll set entered the queue
	 * when it began to watch, and only looks after that (pt is NULL). */
	if ((pt || waitq_active(&h->ready)) && ~now & (EPOLLIN | EPOLLOUT) && !(now & (EPOLLHUP | EPOLLERR)))
		arm(h, ~now & (EPOLLIN | EPOLLOUT));
	return now;
}

/* A terminal out there stays the operator's: the guest may look at it, not change it. */
static long hostfile_ioctl(struct file *file, struct task *t, unsigned cmd, uint64_t arg)
{
	struct hostfile *h = file->priv;
	char buf[64] = {0};
	size_t size;

	switch (cmd) {
	case TCGETS:
		size = 36; /* struct termios of the kernel */
		break;
	case TIOCGWINSZ:
		size = 8;
		break;
	case FIONREAD:
		size = 4;
		break;
	default:
		return -ENOTTY;
	}
	if (ioctl(h->fd, cmd, buf) < 0)
		return -errno;
	return user_write(t, arg, buf, size);
}

static int hostfile_fsync(struct file *file, bool datasync)
{
	struct hostfile *h = file->priv;

	if (!h->seekable)
		return -EINVAL;
	return (datasync ? fdatasync(h->fd) : fsync(h->fd)) < 0 ? -errno : 0;
}

static void hostfile_release(struct file *file)
{
	struct hostfile *h = file->priv;

	if (h->seekable)
		push_pos(h, file); /* copy_file_range and its kin leave a copy of the position */
	if (file == h->own)
		h->own = NULL;
	if (--h->refs)
		return;
	settle(); /* the other end sees the last one close */
	file->inode->priv = NULL;
	if (h->watched)
		host_watch_remove(&h->watch);
	close(h->fd);
	free(h);
}

/* Opened anew through /proc/self/fd or /dev/stdout. */
static int hostfile_open(struct inode *inode, struct file *file)
{
	struct hostfile *h = inode->priv;
	int acc;

	if (!h || h->socket)
		return -ENXIO;
	acc = fcntl(h->fd, F_GETFL) & O_ACCMODE;
	if ((file->writable && acc == O_RDONLY) || (file->readable && acc == O_WRONLY))
		return -EACCES;
	if ((file->flags & O_TRUNC) && h->seekable && ftruncate(h->fd, 0) < 0)
		return -errno;
	h->refs++;
	file->priv = h;
	return 0;
}

static const struct file_ops stream_ops = {
	.open = hostfile_open,
	.release = hostfile_release,
	.read = hostfile_read,
	.write = hostfile_write,
	.poll = hostfile_poll,
	.ioctl = hostfile_ioctl,
	.fsync = hostfile_fsync,
};
static const struct file_ops seekable_ops = {
	.open = hostfile_open,
	.release = hostfile_release,
	.read = hostfile_read,
	.write = hostfile_write,
	.llseek = hostfile_llseek,
	.poll = hostfile_poll,
	.ioctl = hostfile_ioctl,
	.fsync = hostfile_fsync,
};

int hostfile_new(int fd, struct file **ret)
{
	struct hostfile *h = calloc(1, sizeof(*h));
	struct stat st;
	const char *name;
	int flags = fcntl(fd, F_GETFL), r;

	if (!h)
		return -ENOMEM;
	if (flags < 0 || fstat(fd, &st) < 0) {
		free(h);
		return -errno;
	}
	h->fd = fd;
	h->seen = -1;
	h->seekable = S_ISREG(st.st_mode) || S_ISBLK(st.st_mode);
	h->socket = S_ISSOCK(st.st_mode);
	waitq_init(&h->ready);
	if (!h->seekable)
		h->watched = host_watch_add(&h->watch, fd, on_ready, h) == 0;
	h->blocking = h->watched && !h->socket && !(flags & O_NONBLOCK);
	name = S_ISFIFO(st.st_mode) ? "pipe:" : h->socket ? "socket:" : "host:";
	r = file_new_anon(name, (uint32_t)st.st_mode, h->seekable ? &seekable_ops : &stream_ops,
			  (unsigned)(flags & (O_ACCMODE | O_APPEND)), h, ret);
	if (r < 0) {
		if (h->watched)
			host_watch_remove(&h->watch);
		free(h);
		return r;
	}
	h->refs = 1;
	h->own = *ret;
	(*ret)->inode->priv = h;
	if (h->seekable)
		pull_pos(h, *ret);
	(*ret)->inode->rdev = st.st_rdev;
	(*ret)->inode->size = (uint64_t)st.st_size;
	(*ret)->inode->uid = st.st_uid == 65534 ? 0 : st.st_uid;
	(*ret)->inode->gid = st.st_gid == 65534 ? 0 : st.st_gid;
	return 0;
}
