/* The inotify file: its queue of events, and reading it. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>

#include "common/base/util.h"
#include "services/sysd/abi/inotify.h"
#include "services/sysd/core/errno.h"
#include "services/sysd/core/ktimer.h"
#include "services/sysd/event/inotify_private.h"
#include "services/sysd/event/seek.h"
#include "services/sysd/mm/usercopy.h"
#include "services/sysd/sys/sysctl.h"
#include "services/sysd/vfs/file.h"
#include "services/sysd/vfs/fsnotify.h"
#include "services/sysd/vfs/inode.h"
#include "services/sysd/vfs/poll.h"

static struct list all = LIST_INIT(all);

static bool same_as_last(struct inotify *in, int32_t wd, uint32_t mask, const char *name, size_t size)
{
	struct in_event *e;

	if (list_empty(&in->events))
		return false;
	e = LIST_ENTRY(in->events.prev, struct in_event, node);
	return e->wd == wd && e->mask == mask && e->name_size == size && !memcmp(e->name, name, size);
}

static void enter(struct inotify *in, struct in_event *e)
{
	list_add_tail(&in->events, &e->node);
	in->event_count++;
	waitq_wake(&in->wait, INT32_MAX, EPOLLIN | EPOLLRDNORM);
	fasync_send(&in->async, ABI_POLL_IN, EPOLLIN | EPOLLRDNORM);
}

static struct in_event *event_new(int32_t wd, uint32_t mask, uint32_t cookie, const char *name,
				       size_t size)
{
	struct in_event *e = malloc(sizeof(*e) + size);

	if (!e)
		return NULL;
	*e = (struct in_event){.wd = wd, .mask = mask, .cookie = cookie, .name_size = (uint32_t)size};
	memcpy(e->name, name, size);
	return e;
}

static void overflow(struct inotify *in)
{
	struct in_event *e = in->overflowed ? NULL : event_new(-1, IN_Q_OVERFLOW, 0, "", 0);

	if (!e)
		return;
	in->overflowed = true;
	enter(in, e);
}

void inotify_queue(struct inotify *in, int32_t wd, uint32_t mask, uint32_t cookie, const char *name)
{
	size_t size = name ? strlen(name) : 0;
	struct in_event *e = NULL;

	if (same_as_last(in, wd, mask, name ? name : "", size))
		return;
	if (in->event_count < sysctl_inotify_max_events)
		e = event_new(wd, mask, cookie, name ? name : "", size);
	if (e)
		enter(in, e);
	else /* no room or no memory: the reader learns that something is lost */
		overflow(in);
}

void fsnotify_overflow(void)
{
	struct inotify_watch *w;
	struct inotify *in;

	LIST_FOR_EACH(in, &all, all_node) {
		LIST_FOR_EACH(w, &in->watches, node) {
			if (inotify_watches_outside(w->inode)) {
				overflow(in);
				break;
			}
		}
	}
}

static uint32_t name_room(const struct in_event *e)
{
	return e->name_size ? ALIGN_UP(e->name_size + 1, (uint32_t)sizeof(struct abi_inotify_event)) : 0;
}

static size_t event_size(const struct in_event *e)
{
	return sizeof(struct abi_inotify_event) + name_room(e);
}

static void drop(struct inotify *in, struct in_event *e)
{
	list_del(&e->node);
	in->event_count--;
	if (e->mask & IN_Q_OVERFLOW)
		in->overflowed = false;
	free(e);
}

static int put_event(struct uio *u, const struct in_event *e)
{
	struct abi_inotify_event h = {e->wd, e->mask, e->cookie, name_room(e)};

	if (uio_copy_to(u, &h, sizeof(h)) != sizeof(h))
		return -EFAULT;
	if (!h.len)
		return 0;
	if (uio_copy_to(u, e->name, e->name_size) != (ssize_t)e->name_size ||
	    uio_zero(u, h.len - e->name_size) != (ssize_t)(h.len - e->name_size))
		return -EFAULT;
	return 0;
}

static ssize_t in_read(struct file *f, struct uio *u, int64_t *pos)
{
	struct inotify *in = f->priv;
	ssize_t done = 0;
	int ret;

	(void)pos;
	while (list_empty(&in->events)) {
		if (f->flags & O_NONBLOCK)
			return -EAGAIN;
		ret = WAIT_EVENT_INTR(&in->wait, !list_empty(&in->events));
		if (ret)
			return ret;
	}
	while (!list_empty(&in->events)) {
		struct in_event *e = LIST_FIRST(&in->events, struct in_event, node);
		size_t size = event_size(e);

		if (size > u->resid)
			return done ? done : -EINVAL;
		ret = put_event(u, e);
		if (ret)
			return done ? done : ret;
		drop(in, e);
		done += (ssize_t)size;
	}
	return done;
}

static uint32_t in_poll(struct file *f, struct poll_table *pt)
{
	struct inotify *in = f->priv;

	poll_wait(pt, &in->wait);
	return list_empty(&in->events) ? 0 : EPOLLIN | EPOLLRDNORM;
}

static long in_ioctl(struct file *f, struct task *t, unsigned cmd, uint64_t arg)
{
	struct inotify *in = f->priv;
	struct in_event *e;
	int32_t size = 0;

	if (cmd != FIONREAD)
		return -ENOTTY;
	LIST_FOR_EACH(e, &in->events, node)
		size += (int32_t)event_size(e);
	return user_put(t, size, arg);
}

static int in_setfl(struct file *f, unsigned flags)
{
	struct inotify *in = f->priv;

	return fasync_setfl(&in->async, f, flags);
}

static void in_release(struct file *f)
{
	struct inotify *in = f->priv;

	fasync_remove(&in->async, f);
	list_del(&in->all_node);
	while (!list_empty(&in->watches))
		inotify_watch_end(LIST_FIRST(&in->watches, struct inotify_watch, node));
	while (!list_empty(&in->events))
		drop(in, LIST_FIRST(&in->events, struct in_event, node));
	free(in);
}

static int in_show_fdinfo(struct file *f, char *buf, size_t size)
{
	struct inotify *in = f->priv;
	struct inotify_watch *w;
	size_t done = 0;

	LIST_FOR_EACH(w, &in->watches, node) {
		if (done >= size)
			break;
		done += (size_t)snprintf(buf + done, size - done,
					 "inotify wd:%x ino:%llx sdev:%llx mask:%x ignored_mask:0\n", w->wd,
					 (unsigned long long)w->inode->ino,
					 (unsigned long long)w->inode->sb->dev, w->mask);
	}
	return (int)MIN(done, size);
}

const struct file_ops inotify_fops = {
	.release = in_release,
	.read = in_read,
	.llseek = noop_llseek,
	.poll = in_poll,
	.ioctl = in_ioctl,
	.setfl = in_setfl,
	.show_fdinfo = in_show_fdinfo,
};

int inotify_new_file(uint32_t uid, unsigned flags, struct file **ret)
{
	struct inotify *in;
	unsigned count = 0;
	int err;

	LIST_FOR_EACH(in, &all, all_node)
		count += in->uid == uid;
	if (count >= sysctl_inotify_max_instances)
		return -EMFILE;
	in = calloc(1, sizeof(*in));
	if (!in)
		return -ENOMEM;
	list_init(&in->watches);
	list_init(&in->events);
	waitq_init(&in->wait);
	fasync_init(&in->async);
	in->uid = uid;
	err = file_new_anon("anon_inode:inotify", 0600, &inotify_fops, O_RDONLY | (flags & O_NONBLOCK), in,
			    ret);
	if (err) {
		free(in);
		return err;
	}
	list_add_tail(&all, &in->all_node);
	return 0;
}
