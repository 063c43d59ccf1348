/* select and pselect6. */
#include <stdlib.h>
#include <string.h>

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

/* The three sets as asked and as found, `words` longs each. */
enum { IN, OUT, EX, SETS };
struct selection {
	unsigned count, words;
	uint64_t *want[SETS], *found[SETS];
};

static const uint32_t set_events[SETS] = {
	[IN] = EPOLLRDNORM | EPOLLRDBAND | EPOLLIN | EPOLLHUP | EPOLLERR,
	[OUT] = EPOLLWRBAND | EPOLLWRNORM | EPOLLOUT | EPOLLERR,
	[EX] = EPOLLPRI,
};

/* Descriptors beyond the table are ignored, as Linux does: its table starts with 64 and doubles. */
static unsigned table_size(struct task *t, unsigned count)
{
	unsigned size = 64;
	int fd;

	if (count <= 64)
		return count;
	for (fd = fdtable_next(t->files, 64); fd >= 0; fd = fdtable_next(t->files, (int)size)) {
		while (size <= (unsigned)fd)
			size *= 2;
	}
	return MIN(count, size);
}

/* -EBADF when a set names a closed descriptor. */
static int select_one(struct task *t, struct pollset *ps, struct selection *s, unsigned fd)
{
	uint64_t bit = 1ull << (fd % 64);
	unsigned w = fd / 64;
	uint32_t events = 0, mask;
	struct file *f;
	int ready = 0;

	for (int i = 0; i < SETS; i++) {
		if (s->want[i][w] & bit)
			events |= set_events[i];
	}
	f = fd_get(t, (int)fd);
	if (!f)
		return -EBADF;
	mask = pollset_poll(ps, f, events);
	file_unref(f);
	for (int i = 0; i < SETS; i++) {
		if ((s->want[i][w] & bit) && (mask & set_events[i])) {
			s->found[i][w] |= bit;
			ready++;
		}
	}
	return ready;
}

static int select_pass(struct task *t, struct pollset *ps, struct selection *s)
{
	int ready = 0;

	for (unsigned w = 0; w < s->words; w++) {
		uint64_t all = s->want[IN][w] | s->want[OUT][w] | s->want[EX][w];

		if (w == s->words - 1 && s->count % 64)
			all &= (1ull << (s->count % 64)) - 1;
		for (; all; all &= all - 1) {
			int n = select_one(t, ps, s, w * 64 + (unsigned)__builtin_ctzll(all));

			if (n < 0)
				return n;
			if (n)
				pollset_no_more(ps);
			ready += n;
		}
	}
	return ready;
}

static int select_loop(struct task *t, struct selection *s, uint64_t deadline_ns)
{
	struct pollset ps;
	bool timed_out = !deadline_ns;
	int ready;

	pollset_init(&ps, deadline_ns != 0);
	for (;;) {
		int ret;

		ready = select_pass(t, &ps, s);
		pollset_no_more(&ps);
		if (ready || timed_out)
			break;
		if (ps.error) {
			ready = ps.error;
			break;
		}
		if (sleep_signal_pending(t)) {
			ready = -ERESTARTNOHAND;
			break;
		}
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

static long do_select(struct task *t, int count, const uint64_t uset[SETS], uint64_t deadline_ns)
{
	CLEANUP_FREE uint64_t *heap = NULL;
	uint64_t fast[SETS * 2 * 2], *mem = fast;
	struct selection s;
	size_t size;
	int ret;

	if (count < 0)
		return -EINVAL;
	s.count = table_size(t, (unsigned)count);
	s.words = (s.count + 63) / 64;
	size = s.words * sizeof(uint64_t);
	if (s.words > 2) {
		mem = heap = malloc(size * SETS * 2);
		if (!mem)
			return -ENOMEM;
	}
	memset(mem, 0, size * SETS * 2);
	for (int i = 0; i < SETS; i++) {
		s.want[i] = mem + (unsigned)i * s.words;
		s.found[i] = mem + (unsigned)(SETS + i) * s.words;
		if (uset[i] && user_read(t, s.want[i], uset[i], size))
			return -EFAULT;
	}
	ret = select_loop(t, &s, deadline_ns);
	if (ret < 0)
		return ret;
	for (int i = 0; i < SETS; i++) {
		if (uset[i] && user_write(t, uset[i], s.found[i], size))
			return -EFAULT;
	}
	return ret;
}

SYS_HANDLER(select)
{
	const uint64_t uset[SETS] = {a[1], a[2], a[3]};
	struct polltime pt;
	long ret = polltime_timeval(t, a[4], &pt);

	if (ret)
		return ret;
	ret = do_select(t, (int)a[0], uset, pt.deadline_ns);
	return polltime_finish(t, &pt, ret);
}

SYS_HANDLER(pselect6)
{
	const uint64_t uset[SETS] = {a[1], a[2], a[3]};
	struct abi_sigset_arg sa = {0, 0};
	struct polltime pt;
	long ret;

	if (a[5] && user_get(t, sa, a[5]))
		return -EFAULT;
	ret = polltime_timespec(t, a[4], &pt);
	if (ret)
		return ret;
	ret = sigmask_swap(t, sa.set, sa.size);
	if (ret)
		return ret;
	ret = do_select(t, (int)a[0], uset, pt.deadline_ns);
	sigmask_swap_end(t, ret == -ERESTARTNOHAND);
	return polltime_finish(t, &pt, ret);
}
