/* The epoll system calls. */
#include "services/sysd/event/epoll.h"

#include <fcntl.h>
#include <limits.h>

#include "common/base/util.h"
#include "services/sysd/abi/epoll.h"
#include "services/sysd/core/errno.h"
#include "services/sysd/core/sleep.h"
#include "services/sysd/event/epoll_private.h"
#include "services/sysd/event/pollset.h"
#include "services/sysd/mm/usercopy.h"
#include "services/sysd/syscall/syscall.h"
#include "services/sysd/task/task.h"
#include "services/sysd/time/timespec.h"
#include "services/sysd/vfs/fdtable.h"
#include "services/sysd/vfs/file.h"

static long do_epoll_create(struct task *t, unsigned flags)
{
	struct file *f;
	int ret;

	if (flags & ~EPOLL_CLOEXEC)
		return -EINVAL;
	ret = eventpoll_new_file(&f);
	if (ret)
		return ret;
	ret = fd_install(t, f, 0, flags & EPOLL_CLOEXEC);
	if (ret < 0)
		file_unref(f);
	return ret;
}

SYS_HANDLER(epoll_create)
{
	if ((int)a[0] <= 0)
		return -EINVAL;
	return do_epoll_create(t, 0);
}

SYS_HANDLER(epoll_create1)
{
	return do_epoll_create(t, (unsigned)a[0]);
}

#define EXCLUSIVE_OK                                                                               \
	(EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLRDNORM | EPOLLWRNORM | EPOLLRDBAND |      \
	 EPOLLWRBAND | EPOLLWAKEUP | EPOLLET | EPOLLEXCLUSIVE)

static int ctl_check(struct eventpoll *ep, struct file *target, int op, uint32_t events)
{
	struct eventpoll *below = eventpoll_of_file(target);

	if (op != EPOLL_CTL_DEL && (events & EPOLLEXCLUSIVE)) {
		if (op == EPOLL_CTL_MOD || below || (events & ~EXCLUSIVE_OK))
			return -EINVAL;
	}
	if (op == EPOLL_CTL_ADD && below)
		return ep_loop_check(ep, below);
	return 0;
}

static long do_ctl(struct eventpoll *ep, struct file *target, int fd, int op,
		   const struct abi_epoll_event *ev)
{
	uint32_t events = ev->events | EPOLLERR | EPOLLHUP;
	struct epitem *epi;
	int ret = ctl_check(ep, target, op, ev->events);

	if (ret)
		return ret;
	epi = ep_find(ep, target, fd);
	switch (op) {
	case EPOLL_CTL_ADD:
		return epi ? -EEXIST : ep_insert(ep, target, fd, events, ev->data);
	case EPOLL_CTL_DEL:
		if (!epi)
			return -ENOENT;
		ep_remove(epi);
		return 0;
	case EPOLL_CTL_MOD:
		if (!epi)
			return -ENOENT;
		if (epi->events & EPOLLEXCLUSIVE)
			return -EINVAL;
		ep_modify(epi, events, ev->data);
		return 0;
	default:
		return -EINVAL;
	}
}

SYS_HANDLER(epoll_ctl)
{
	struct abi_epoll_event ev = {0, 0};
	struct file *f, *target;
	struct eventpoll *ep;
	int op = (int)a[1];
	long ret;

	if (op != EPOLL_CTL_DEL && user_get(t, ev, a[3]))
		return -EFAULT;
	f = fd_get(t, (int)a[0]);
	if (!f)
		return -EBADF;
	target = fd_get(t, (int)a[2]);
	if (!target) {
		file_unref(f);
		return -EBADF;
	}
	ep = eventpoll_of_file(f);
	if (!target->op->poll)
		ret = -EPERM;
	else if (f == target || !ep)
		ret = -EINVAL;
	else
		ret = do_ctl(ep, target, (int)a[2], op, &ev);
	file_unref(target);
	file_unref(f);
	return ret;
}

/* Puts the events of ready items at uevents. Items that are level-triggered go to the end of the list,
 * so that all get their turn when there are more than fit. */
static int send_events(struct task *t, struct eventpoll *ep, uint64_t uevents, int max)
{
	struct list batch;
	int count = 0;

	if (list_empty(&ep->ready))
		return 0;
	batch = ep->ready;
	batch.next->prev = batch.prev->next = &batch;
	list_init(&ep->ready);
	while (!list_empty(&batch) && count < max) {
		struct epitem *epi = LIST_FIRST(&batch, struct epitem, ready_node);
		struct abi_epoll_event ev;

		list_del(&epi->ready_node);
		ev.events = ep_item_poll(epi, NULL);
		ev.data = epi->data;
		if (!ev.events)
			continue;
		if (user_put(t, ev, uevents + (uint64_t)count * sizeof(ev))) {
			list_add(&batch, &epi->ready_node);
			if (!count)
				count = -EFAULT;
			break;
		}
		count++;
		if (epi->events & EPOLLONESHOT)
			epi->events &= EP_PRIVATE_BITS;
		else if (!(epi->events & EPOLLET))
			list_add_tail(&ep->ready, &epi->ready_node);
	}
	while (!list_empty(&batch)) {
		struct list *n = batch.prev;

		list_del(n);
		list_add(&ep->ready, n);
	}
	if (!list_empty(&ep->ready))
		waitq_wake(&ep->wait, 1, 0);
	return count;
}

static long ep_wait_events(struct task *t, struct eventpoll *ep, uint64_t uevents, int max,
			   uint64_t deadline_ns)
{
	bool timed_out = !deadline_ns;

	for (;;) {
		int ret = send_events(t, ep, uevents, max);

		if (ret || timed_out)
			return ret;
		if (sleep_signal_pending(t))
			return -EINTR;
		ret = WAIT_EVENT_FLAGS(&ep->wait, !list_empty(&ep->ready),
				       WAIT_INTERRUPTIBLE | WAIT_EXCLUSIVE, deadline_ns);
		if (ret == -ETIMEDOUT)
			timed_out = true;
		else if (ret == -ERESTARTSYS)
			return -EINTR;
		else if (ret < 0)
			return ret;
	}
}

static long do_epoll_wait(struct task *t, int epfd, uint64_t uevents, int max, uint64_t deadline_ns)
{
	struct eventpoll *ep;
	struct file *f;
	long ret = -EINVAL;

	if (max <= 0 || (size_t)max > INT_MAX / sizeof(struct abi_epoll_event))
		return -EINVAL;
	if (uevents >> 47)
		return -EFAULT;
	f = fd_get(t, epfd);
	if (!f)
		return -EBADF;
	ep = eventpoll_of_file(f);
	if (ep)
		ret = ep_wait_events(t, ep, uevents, max, deadline_ns);
	file_unref(f);
	return ret;
}

static uint64_t deadline_ms(int timeout_ms)
{
	return timeout_ms < 0 ? KTIMER_NEVER : poll_deadline((uint64_t)timeout_ms * 1000000);
}

static long do_epoll_pwait(struct task *t, const uint64_t a[6], uint64_t deadline_ns)
{
	long ret = sigmask_swap(t, a[4], a[5]);

	if (ret)
		return ret;
	ret = do_epoll_wait(t, (int)a[0], a[1], (int)a[2], deadline_ns);
	sigmask_swap_end(t, ret == -EINTR);
	return ret;
}

SYS_HANDLER(epoll_wait)
{
	return do_epoll_wait(t, (int)a[0], a[1], (int)a[2], deadline_ms((int)a[3]));
}

SYS_HANDLER(epoll_pwait)
{
	return do_epoll_pwait(t, a, deadline_ms((int)a[3]));
}

SYS_HANDLER(epoll_pwait2)
{
	uint64_t deadline = KTIMER_NEVER;
	struct abi_timespec ts;

	if (a[3]) {
		int ret = user_timespec(t, &ts, a[3]);

		if (ret)
			return ret;
		deadline = poll_deadline(timespec_ns(&ts));
	}
	return do_epoll_pwait(t, a, deadline);
}
