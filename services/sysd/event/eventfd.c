/* eventfd(2): a counter that can be slept on. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>

#include "common/base/util.h"
#include "services/sysd/core/errno.h"
#include "services/sysd/core/ktimer.h"
#include "services/sysd/core/waitq.h"
#include "services/sysd/syscall/syscall.h"
#include "services/sysd/event/eventfd.h"
#include "services/sysd/event/seek.h"
#include "services/sysd/vfs/fdtable.h"
#include "services/sysd/vfs/file.h"
#include "services/sysd/vfs/poll.h"

struct eventfd {
	uint64_t count;
	bool semaphore;
	int id;
	struct waitq wait; /* readers and writers alike */
};

static ssize_t evfd_read(struct file *f, struct uio *u, int64_t *pos)
{
	struct eventfd *e = f->priv;
	uint64_t value;
	int ret;

	(void)pos;
	if (u->resid < sizeof(value))
		return -EINVAL;
	if (!e->count) {
		if (f->flags & O_NONBLOCK)
			return -EAGAIN;
		ret = WAIT_EVENT_INTR(&e->wait, e->count);
		if (ret < 0)
			return ret;
	}
	value = e->semaphore ? 1 : e->count;
	e->count -= value;
	waitq_wake(&e->wait, 1, EPOLLOUT);
	return uio_copy_to(u, &value, sizeof(value)) < 0 ? -EFAULT : (ssize_t)sizeof(value);
}

static ssize_t evfd_write(struct file *f, struct uio *u, int64_t *pos)
{
	struct eventfd *e = f->priv;
	uint64_t value;
	int ret;

	(void)pos;
	if (u->resid < sizeof(value))
		return -EINVAL;
	if (uio_copy_from(u, &value, sizeof(value)) != sizeof(value))
		return -EFAULT;
	if (value == UINT64_MAX)
		return -EINVAL;
	if (UINT64_MAX - e->count <= value) {
		if (f->flags & O_NONBLOCK)
			return -EAGAIN;
		ret = WAIT_EVENT_INTR(&e->wait, UINT64_MAX - e->count > value);
		if (ret < 0)
			return ret;
	}
	e->count += value;
	waitq_wake(&e->wait, 1, EPOLLIN);
	return sizeof(value);
}

static uint32_t eventfd_poll(struct file *f, struct poll_table *pt)
{
	struct eventfd *e = f->priv;
	uint32_t mask = 0;

	poll_wait(pt, &e->wait);
	if (e->count)
		mask |= EPOLLIN;
	if (e->count == UINT64_MAX)
		mask |= EPOLLERR;
	if (UINT64_MAX - 1 > e->count)
		mask |= EPOLLOUT;
	return mask;
}

static void eventfd_release(struct file *f)
{
	free(f->priv);
}

static int eventfd_show_fdinfo(struct file *f, char *buf, size_t size)
{
	const struct eventfd *e = f->priv;

	return snprintf(buf, size, "eventfd-count: %16llx\neventfd-id: %d\neventfd-semaphore: %d\n",
			(unsigned long long)e->count, e->id, e->semaphore);
}

static const struct file_ops eventfd_fops = {
	.release = eventfd_release,
	.read = evfd_read,
	.write = evfd_write,
	.llseek = noop_llseek,
	.poll = eventfd_poll,
	.show_fdinfo = eventfd_show_fdinfo,
};

bool file_is_eventfd(const struct file *f)
{
	return f->op == &eventfd_fops;
}

/* A wake may signal a further one (a request of io_submit that polls an eventfd); a chain of them ends here, before
 * the stack does. */
#define SIGNAL_DEPTH 8

void eventfd_signal(struct file *f)
{
	static unsigned depth;
	struct eventfd *e = f->priv;

	if (e->count < UINT64_MAX - 1)
		e->count++;
	if (depth == SIGNAL_DEPTH)
		return;
	depth++;
	waitq_wake(&e->wait, 1, EPOLLIN);
	depth--;
}

static long do_eventfd(struct task *t, unsigned count, unsigned flags)
{
	static int last_id;
	struct eventfd *e;
	struct file *f;
	int ret;

	if (flags & ~(EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE))
		return -EINVAL;
	e = calloc(1, sizeof(*e));
	if (!e)
		return -ENOMEM;
	waitq_init(&e->wait);
	e->count = count;
	e->semaphore = flags & EFD_SEMAPHORE;
	e->id = last_id++;
	ret = file_new_anon("anon_inode:[eventfd]", 0600, &eventfd_fops, O_RDWR | (flags & O_NONBLOCK), e,
			    &f);
	if (ret < 0) {
		free(e);
		return ret;
	}
	ret = fd_install(t, f, 0, flags & EFD_CLOEXEC);
	if (ret < 0)
		file_unref(f);
	return ret;
}

SYS_HANDLER(eventfd)
{
	return do_eventfd(t, (unsigned)a[0], 0);
}

SYS_HANDLER(eventfd2)
{
	return do_eventfd(t, (unsigned)a[0], (unsigned)a[1]);
}
