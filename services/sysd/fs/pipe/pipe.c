/* Making, opening and resizing pipes. */
#include "services/sysd/fs/pipe/pipe.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/stat.h>

#include "common/base/util.h"
#include "services/sysd/core/errno.h"
#include "services/sysd/core/ktimer.h"
#include "services/sysd/fs/pipe/private.h"
#include "services/sysd/mm/usercopy.h"
#include "services/sysd/sys/sysctl.h"
#include "services/sysd/syscall/syscall.h"
#include "services/sysd/task/task.h"
#include "services/sysd/task/ucount.h"
#include "services/sysd/vfs/fdtable.h"
#include "services/sysd/vfs/file.h"
#include "services/sysd/vfs/inode.h"

#define SLOTS_OVER_LIMIT 2u

/* Would `slots` more be beyond what an ordinary user may have? */
static bool over_limit(const struct task *t, const struct ucount *owner, unsigned slots)
{
	return t && owner && sysctl_pipe_user_pages_soft && owner->pipe_slots + slots > (uint64_t)sysctl_pipe_user_pages_soft &&
	       !capable(t, CAP_SYS_RESOURCE) && !capable(t, CAP_SYS_ADMIN);
}

struct pipe *pipe_new(void)
{
	struct task *t = current_task();
	struct pipe *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->owner = t && t->cred ? ucount_get(t->cred->uid) : NULL;
	p->slots = over_limit(t, p->owner, PIPE_DEFAULT_SLOTS) ? SLOTS_OVER_LIMIT : PIPE_DEFAULT_SLOTS;
	p->ring = calloc(p->slots, sizeof(*p->ring));
	if (!p->ring) {
		if (p->owner)
			ucount_unref(p->owner);
		free(p);
		return NULL;
	}
	if (p->owner)
		p->owner->pipe_slots += p->slots;
	waitq_init(&p->rd_wait);
	waitq_init(&p->wr_wait);
	fasync_init(&p->rd_async);
	fasync_init(&p->wr_async);
	return p;
}

void pipe_free(struct pipe *p)
{
	while (!pipe_empty(p))
		pipe_consume(p, pipe_slot(p, p->tail)->size);
	if (p->owner) {
		p->owner->pipe_slots -= p->slots;
		ucount_unref(p->owner);
	}
	free(p->ring);
	free(p);
}

int pipe_create(unsigned flags, struct file **ret_read, struct file **ret_write)
{
	struct pipe *p = pipe_new();
	struct file *r, *w;
	int ret;

	if (!p)
		return -ENOMEM;
	p->anonymous = true;
	p->files = 2;
	p->readers = p->writers = 1;
	p->r_count = p->w_count = 1;
	ret = file_new_anon("pipe:", S_IFIFO | 0600, &pipe_fops, O_RDONLY | (flags & O_NONBLOCK), p, &r);
	if (ret < 0) {
		pipe_free(p);
		return ret;
	}
	ret = file_new_anon_peer(r, &pipe_fops, O_WRONLY | (flags & (O_NONBLOCK | O_DIRECT)), p, &w);
	if (ret < 0) {
		p->files = 1;
		p->writers = 0;
		file_unref(r);
		return ret;
	}
	/* /proc/PID/fd/N opens the pipe again. */
	r->inode->pipe = p;
	r->inode->fop = &pipe_fops;
	r->version = w->version = 0;
	*ret_read = r;
	*ret_write = w;
	return 0;
}

static long do_pipe(struct task *t, uint64_t ufds, unsigned flags)
{
	bool cloexec = flags & O_CLOEXEC;
	struct file *r, *w;
	int32_t fds[2];
	int ret;

	/* O_EXCL asks for a notification pipe, which needs the watch queue. */
	if (flags & ~(O_CLOEXEC | O_NONBLOCK | O_DIRECT | O_EXCL))
		return -EINVAL;
	if (flags & O_EXCL)
		return -ENOPKG;
	ret = pipe_create(flags, &r, &w);
	if (ret < 0)
		return ret;
	fds[0] = fd_install(t, r, 0, cloexec);
	if (fds[0] < 0) {
		file_unref(r);
		file_unref(w);
		return fds[0];
	}
	fds[1] = fd_install(t, w, 0, cloexec);
	if (fds[1] < 0) {
		fd_close(t, fds[0]);
		file_unref(w);
		return fds[1];
	}
	if (user_write(t, ufds, fds, sizeof(fds))) {
		fd_close(t, fds[0]);
		fd_close(t, fds[1]);
		return -EFAULT;
	}
	return 0;
}

SYS_HANDLER(pipe)
{
	return do_pipe(t, a[0], 0);
}

SYS_HANDLER(pipe2)
{
	return do_pipe(t, a[0], (unsigned)a[1]);
}

static void wake_partner(struct pipe *p)
{
	waitq_wake_all(&p->rd_wait);
}

/* Waits until the other side was opened once more. The count, not the number of open ends: a partner
 * that came and went counts too. */
static int wait_partner(struct pipe *p, const uint64_t *count)
{
	uint64_t seen = *count;

	return WAIT_EVENT_INTR(&p->rd_wait, *count != seen);
}

static void open_failed(struct pipe *p, struct inode *inode, bool reading)
{
	if (reading && !--p->readers)
		waitq_wake_all(&p->wr_wait);
	if (!reading && !--p->writers)
		waitq_wake_all(&p->rd_wait);
	if (!--p->files) {
		inode->pipe = NULL;
		pipe_free(p);
	}
}

int pipe_fifo_open(struct inode *inode, struct file *file)
{
	unsigned mode = file->flags & O_ACCMODE;
	bool nonblock = file->flags & O_NONBLOCK;
	struct pipe *p = inode->pipe;
	int ret = 0;

	if (!p) {
		p = pipe_new();
		if (!p)
			return -ENOMEM;
		inode->pipe = p;
	}
	p->files++;
	file->version = 0;
	switch (mode) {
	case O_RDONLY:
		p->r_count++;
		if (!p->readers++)
			wake_partner(p);
		if (p->writers || p->anonymous)
			break;
		if (nonblock) /* no EPOLLHUP before a writer was there */
			file->version = p->w_count;
		else
			ret = wait_partner(p, &p->w_count);
		break;
	case O_WRONLY:
		if (nonblock && !p->readers && !p->anonymous) {
			if (!--p->files) {
				inode->pipe = NULL;
				pipe_free(p);
			}
			return -ENXIO;
		}
		p->w_count++;
		if (!p->writers++)
			wake_partner(p);
		if (!p->readers && !p->anonymous)
			ret = wait_partner(p, &p->r_count);
		break;
	case O_RDWR: /* never waits: it is its own partner */
		p->r_count++;
		p->w_count++;
		p->readers++;
		p->writers++;
		if (p->readers == 1 || p->writers == 1)
			wake_partner(p);
		break;
	default:
		if (!--p->files) {
			inode->pipe = NULL;
			pipe_free(p);
		}
		return -EINVAL;
	}
	if (ret < 0) {
		open_failed(p, inode, mode == O_RDONLY);
		return ret;
	}
	file->op = &pipe_fops;
	file->priv = p;
	return 0;
}

static int set_slots(struct pipe *p, unsigned slots)
{
	struct pipe_buf *ring;

	if (slots < pipe_used(p))
		return -EBUSY;
	ring = calloc(slots, sizeof(*ring));
	if (!ring)
		return -ENOMEM;
	for (unsigned i = p->tail, k = 0; i != p->head; i++, k++)
		ring[k] = *pipe_slot(p, i);
	p->head = pipe_used(p);
	p->tail = 0;
	free(p->ring);
	p->ring = ring;
	if (p->owner)
		p->owner->pipe_slots += (uint64_t)slots - p->slots;
	p->slots = slots;
	waitq_wake(&p->wr_wait, 1, EPOLLOUT | EPOLLWRNORM);
	return 0;
}

long pipe_fcntl(struct task *t, struct file *f, int cmd, uint64_t arg)
{
	struct pipe *p = pipe_of_file(f);
	uint64_t size = PIPE_BUF_SIZE;
	int ret;

	if (!p)
		return -EBADF;
	switch (cmd) {
	case F_GETPIPE_SZ:
		return (long)p->slots * PIPE_BUF_SIZE;
	case F_SETPIPE_SZ:
		arg = (uint32_t)arg;
		if (arg > 1ul << 31)
			return -EINVAL;
		while (size < arg)
			size <<= 1;
		if (size > p->slots * (uint64_t)PIPE_BUF_SIZE && (int64_t)size > sysctl_pipe_max_size &&
		    !capable(t, CAP_SYS_RESOURCE))
			return -EPERM;
		if (size > p->slots * (uint64_t)PIPE_BUF_SIZE &&
		    over_limit(t, p->owner, (unsigned)(size / PIPE_BUF_SIZE) - p->slots))
			return -EPERM;
		if (size > 64ul << 20) /* a bound on what one ring may take of ours */
			return -ENOMEM;
		ret = set_slots(p, (unsigned)(size / PIPE_BUF_SIZE));
		return ret < 0 ? ret : (long)size;
	default:
		return -EINVAL;
	}
}
