/* poll and ppoll. */
#include <stdlib.h>
#include <sys/resource.h>

#include "common/base/util.h"
#include "services/sysd/abi/poll.h"
#include "services/sysd/core/errno.h"
#include "services/sysd/core/sleep.h"
#include "services/sysd/event/pollset.h"
#include "services/sysd/event/polltime.h"
#include "services/sysd/mm/usercopy.h"
#include "services/sysd/syscall/syscall.h"
#include "services/sysd/task/task.h"
#include "services/sysd/vfs/fdtable.h"
#include "services/sysd/vfs/file.h"

static uint32_t poll_one(struct task *t, struct pollset *ps, const struct abi_pollfd *pfd)
{
	uint32_t want = (uint16_t)pfd->events | EPOLLERR | EPOLLHUP, mask;
	struct file *f;

	if (pfd->fd < 0)
		return 0;
	f = fd_get(t, pfd->fd);
	if (!f)
		return ABI_POLLNVAL;
	mask = pollset_poll(ps, f, want) & want;
	file_unref(f);
	return mask;
}

/* The count of ready ones, 0 after the deadline, -ERESTARTNOHAND. */
static int poll_loop(struct task *t, struct abi_pollfd *pfds, unsigned count, uint64_t deadline_ns)
{
	struct pollset ps;
	bool timed_out = !deadline_ns;
	int ready;

	pollset_init(&ps, deadline_ns != 0);
	for (;;) {
		int ret;

		ready = 0;
		for (unsigned i = 0; i < count; i++) {
			uint32_t mask = poll_one(t, &ps, &pfds[i]);

			pfds[i].revents = (int16_t)mask;
			if (mask) {
				ready++;
				pollset_no_more(&ps); /* the call will not sleep */
			}
		}
		pollset_no_more(&ps);
		if (!ready) {
			ready = ps.error;
			if (sleep_signal_pending(t))
				ready = -ERESTARTNOHAND;
		}
		if (ready || timed_out)
			break;
		ret = pollset_sleep(&ps, deadline_ns);
		if (ret == -ETIMEDOUT)
			timed_out = true;
		else if (ret < 0 && ret != -ERESTARTSYS) {
			ready = ret;
			break;
		}
	}
	pollset_done(&ps);
	return ready;
}

static long do_poll(struct task *t, uint64_t ufds, unsigned count, uint64_t deadline_ns)
{
	CLEANUP_FREE struct abi_pollfd *heap = NULL;
	struct abi_pollfd fast[16], *pfds = fast;
	int ret;

	if (count > t->signal->rlim[RLIMIT_NOFILE].rlim_cur)
		return -EINVAL;
	if (count > ARRAY_SIZE(fast)) {
		pfds = heap = malloc(count * sizeof(*pfds));
		if (!pfds)
			return -ENOMEM;
	}
	if (user_read(t, pfds, ufds, count * sizeof(*pfds)))
		return -EFAULT;
	ret = poll_loop(t, pfds, count, deadline_ns);
	if (user_write(t, ufds, pfds, count * sizeof(*pfds)))
		return -EFAULT;
	return ret;
}

/* arg: 0 fds, 1 count, 2 deadline */
static long poll_restart(struct task *t, struct restart_block *r)
{
	long ret = do_poll(t, r->arg[0], (unsigned)r->arg[1], r->arg[2]);

	return ret == -ERESTARTNOHAND ? -ERESTART_RESTARTBLOCK : ret;
}

SYS_HANDLER(poll)
{
	int timeout_ms = (int)a[2];
	uint64_t deadline =
	    timeout_ms < 0 ? KTIMER_NEVER : poll_deadline((uint64_t)timeout_ms * 1000000);
	long ret = do_poll(t, a[0], (unsigned)a[1], deadline);

	if (ret != -ERESTARTNOHAND)
		return ret;
	t->restart.fn = poll_restart;
	t->restart.arg[0] = a[0];
	t->restart.arg[1] = (unsigned)a[1];
	t->restart.arg[2] = deadline;
	return -ERESTART_RESTARTBLOCK;
}

SYS_HANDLER(ppoll)
{
	struct polltime pt;
	long ret = polltime_timespec(t, a[2], &pt);

	if (ret)
		return ret;
	ret = sigmask_swap(t, a[3], a[4]);
	if (ret)
		return ret;
	ret = do_poll(t, a[0], (unsigned)a[1], pt.deadline_ns);
	sigmask_swap_end(t, ret == -ERESTARTNOHAND);
	return polltime_finish(t, &pt, ret);
}
