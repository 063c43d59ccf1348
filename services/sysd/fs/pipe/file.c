/* The file operations of pipes: read, write, poll, ioctl. Wakes follow Linux: one exclusive waiter is
 * woken when the pipe stops being empty or full, and hands on to the next if there is more. */
#include "services/sysd/fs/pipe/pipe.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "common/base/util.h"
#include "services/sysd/core/errno.h"
#include "services/sysd/core/ktimer.h"
#include "services/sysd/fs/pipe/private.h"
#include "services/sysd/mm/usercopy.h"
#include "services/sysd/signal/signal.h"
#include "services/sysd/task/task.h"
#include "services/sysd/vfs/file.h"
#include "services/sysd/vfs/inode.h"
#include "services/sysd/vfs/poll.h"

#define RD_EVENTS (EPOLLIN | EPOLLRDNORM)
#define WR_EVENTS (EPOLLOUT | EPOLLWRNORM)
#define SLEEP_FLAGS (WAIT_INTERRUPTIBLE | WAIT_EXCLUSIVE)

void pipe_wake_readers(struct pipe *p)
{
	waitq_wake(&p->rd_wait, 1, RD_EVENTS);
	fasync_send(&p->rd_async, ABI_POLL_IN, RD_EVENTS);
}

void pipe_wake_writers(struct pipe *p)
{
	waitq_wake(&p->wr_wait, 1, WR_EVENTS);
	fasync_send(&p->wr_async, ABI_POLL_OUT, WR_EVENTS);
}

int pipe_wait_readable(struct pipe *p, bool nonblock)
{
	int ret;

	if (!pipe_empty(p))
		return 0;
	if (!p->writers)
		return 1;
	if (nonblock)
		return -EAGAIN;
	ret = WAIT_EVENT_FLAGS(&p->rd_wait, !pipe_empty(p) || !p->writers, SLEEP_FLAGS, KTIMER_NEVER);
	if (ret < 0)
		return ret;
	return pipe_empty(p) ? 1 : 0;
}

int pipe_wait_writable(struct task *t, struct pipe *p, bool nonblock)
{
	int ret = 0;

	if (p->readers && pipe_full(p)) {
		if (nonblock)
			return -EAGAIN;
		ret = WAIT_EVENT_FLAGS(&p->wr_wait, !pipe_full(p) || !p->readers, SLEEP_FLAGS,
				       KTIMER_NEVER);
	}
	if (!p->readers) {
		signal_pipe(t);
		return -EPIPE;
	}
	return ret;
}

static ssize_t pipe_read(struct file *f, struct uio *u, int64_t *pos)
{
	struct pipe *p = f->priv;
	bool slept = false, was_full = false;
	ssize_t ret = 0;

	(void)pos;
	if (!u->resid)
		return 0;
	for (;;) {
		int wait;

		if (!pipe_empty(p)) {
			was_full = pipe_full(p);
			ret = pipe_drain(p, u, u->resid);
			break;
		}
		wait = pipe_wait_readable(p, f->flags & O_NONBLOCK);
		if (wait < 0) {
			ret = wait;
			break;
		}
		if (wait)
			break;
		slept = true;
	}
	if (was_full && !pipe_full(p))
		pipe_wake_writers(p);
	if (slept && !pipe_empty(p)) /* an exclusive wake that others may still need */
		waitq_wake(&p->rd_wait, 1, RD_EVENTS);
	if (ret > 0 && !p->anonymous)
		inode_touch(f->inode, true, false, false);
	return ret;
}

static ssize_t pipe_write(struct file *f, struct uio *u, int64_t *pos)
{
	struct pipe *p = f->priv;
	struct task *t = current_task();
	bool slept = false, packet = f->flags & O_DIRECT;
	ssize_t done = 0, n = 0;

	(void)pos;
	if (!u->resid)
		return 0;
	if (!p->readers) {
		signal_pipe(t);
		return -EPIPE;
	}
	for (;;) {
		bool was_empty = pipe_empty(p);

		n = pipe_fill(p, u, u->resid, packet);
		if (n > 0) {
			done += n;
			if (was_empty || p->poll_usage)
				pipe_wake_readers(p);
		}
		if (n < 0 || !u->resid || !pipe_full(p))
			break;
		n = pipe_wait_writable(t, p, f->flags & O_NONBLOCK);
		if (n < 0)
			break;
		slept = true;
	}
	if (slept && !pipe_full(p))
		waitq_wake(&p->wr_wait, 1, WR_EVENTS);
	if (done > 0 && !p->anonymous)
		inode_touch(f->inode, false, true, true);
	return done ? done : n;
}

static uint32_t pipe_poll(struct file *f, struct poll_table *pt)
{
	struct pipe *p = f->priv;
	uint32_t mask = 0;

	p->poll_usage = true;
	if (f->readable) {
		poll_wait(pt, &p->rd_wait);
		if (!pipe_empty(p))
			mask |= RD_EVENTS;
		if (!p->writers && f->version != p->w_count)
			mask |= EPOLLHUP;
	}
	if (f->writable) {
		poll_wait(pt, &p->wr_wait);
		if (!pipe_full(p))
			mask |= WR_EVENTS;
		if (!p->readers)
			mask |= EPOLLERR;
	}
	return mask;
}

static long pipe_ioctl(struct file *f, struct task *t, unsigned cmd, uint64_t arg)
{
	struct pipe *p = f->priv;
	int32_t count = 0;

	if (cmd != FIONREAD)
		return -ENOTTY;
	for (unsigned i = p->tail; i != p->head; i++)
		count += (int32_t)pipe_slot(p, i)->size;
	return user_put(t, count, arg);
}

static int pipe_setfl(struct file *f, unsigned flags)
{
	struct pipe *p = f->priv;
	int ret = 0;

	if (f->readable)
		ret = fasync_setfl(&p->rd_async, f, flags);
	if (!ret && f->writable)
		ret = fasync_setfl(&p->wr_async, f, flags);
	return ret;
}

static void pipe_release(struct file *f)
{
	struct pipe *p = f->priv;

	fasync_remove(&p->rd_async, f);
	fasync_remove(&p->wr_async, f);
	if (f->readable)
		p->readers--;
	if (f->writable)
		p->writers--;
	f->priv = NULL;
	if (!--p->files) {
		if (f->inode->pipe == p)
			f->inode->pipe = NULL;
		pipe_free(p);
		return;
	}
	if (!p->readers != !p->writers) {
		waitq_wake(&p->rd_wait, INT32_MAX, RD_EVENTS | EPOLLERR | EPOLLHUP);
		waitq_wake(&p->wr_wait, INT32_MAX, WR_EVENTS | EPOLLERR | EPOLLHUP);
		fasync_send(&p->rd_async, ABI_POLL_IN, RD_EVENTS);
		fasync_send(&p->wr_async, ABI_POLL_OUT, WR_EVENTS);
	}
}

const struct file_ops pipe_fops = {
	.open = pipe_fifo_open,
	.release = pipe_release,
	.read = pipe_read,
	.write = pipe_write,
	.poll = pipe_poll,
	.ioctl = pipe_ioctl,
	.setfl = pipe_setfl,
};

struct pipe *pipe_of_file(const struct file *f)
{
	return f->op == &pipe_fops ? f->priv : NULL;
}
