/* Priority-inheritance futexes. The word holds the owner's thread id; sysd holds the queue of those
 * who wait and hands the lock over by writing the next owner's id. Priorities themselves are not
 * changed, as the host schedules all guest threads alike: waiters are served by priority, then in
 * the order of arrival.
 *
 * A queue is found by where the word is: address space and address, or for memory that processes
 * share, the mapped object and the offset. */
#include <sys/mman.h>
#include "common/base/util.h"
#include "services/sysd/abi/futex.h"
#include "services/sysd/core/errno.h"
#include "services/sysd/futex/futex.h"
#include "services/sysd/mm/mm.h"
#include "services/sysd/mm/usercopy.h"
#include "services/sysd/platform/hthread.h"
#include "services/sysd/task/task.h"
#include "services/sysd/time/clockid.h"
#include "services/sysd/time/timespec.h"
#include "services/sysd/vfs/dentry.h"
#include "services/sysd/vfs/inode.h"

struct key {
	const void *object; /* struct mm, or struct inode of a shared mapping */
	uint64_t off;
};
struct pi_waiter {
	struct list node;     /* in all waiters, in order of arrival */
	struct key key;       /* of the lock, or of the condition before the requeue */
	struct key target;    /* WAIT_REQUEUE_PI: the lock it will be moved to */
	bool on_condition;
	struct task *task;
	uint64_t uaddr;       /* of key, in the task's memory */
	bool granted, moved;
	struct waitq wait;
};
static struct list waiters = LIST_INIT(waiters);

/* ---- where a word is ---------------------------------------------------------------------- */

struct find_key {
	uint64_t addr;
	struct key *key;
	bool found;
};

static int match_region(const struct mm_region *r, void *arg)
{
	struct find_key *fk = arg;

	if (fk->addr < r->start)
		return 1;
	if (fk->addr >= r->end)
		return 0;
	fk->found = true;
	if (r->flags & MAP_SHARED && r->path && r->path->dentry && r->path->dentry->inode) {
		fk->key->object = r->path->dentry->inode;
		fk->key->off = r->offset + (fk->addr - r->start);
	}
	return 1;
}

static int key_of(struct task *t, uint64_t uaddr, bool shared, struct key *ret)
{
	struct find_key fk = {.addr = uaddr, .key = ret};

	*ret = (struct key){t->mm, uaddr};
	if (shared) {
		mm_walk(t->mm, false, match_region, &fk);
		if (!fk.found)
			return -EFAULT;
	}
	return 0;
}

static bool same(const struct key *a, const struct key *b)
{
	return a->object == b->object && a->off == b->off;
}

int futex_cmpxchg(struct task *t, uint64_t uaddr, uint32_t from, uint32_t to, uint32_t *ret_old)
{
	struct sbx_hostop op = {.kind = SBX_HOP_CMPXCHG32, .args = {uaddr, from, to}};
	int err = hthread_run_ops(t, &op, 1);

	if (err)
		return err;
	if (op.ret < 0)
		return -EFAULT;
	*ret_old = (uint32_t)op.ret;
	return 0;
}

static int read_word(struct task *t, uint64_t uaddr, uint32_t *ret)
{
	return mm_read(t->mm, ret, uaddr, 4) == 4 ? 0 : -EFAULT;
}

/* ---- the queue ---------------------------------------------------------------------------- */

static int rank(const struct task *t)
{
	return t->sched_policy == 1 || t->sched_policy == 2 ? t->sched_priority : 0;
}

static struct pi_waiter *top(const struct key *key, unsigned *ret_count)
{
	struct pi_waiter *w, *best = NULL;

	*ret_count = 0;
	LIST_FOR_EACH (w, &waiters, node) {
		if (w->on_condition || w->granted || !same(&w->key, key))
			continue;
		(*ret_count)++;
		if (!best || rank(w->task) > rank(best->task))
			best = w;
	}
	return best;
}

static void grant(struct pi_waiter *w)
{
	w->granted = true;
	waitq_wake_all(&w->wait);
}

/* Takes a lock that is free, or marks it as waited for. 1: taken, 0: wait, -errno. Runs again when the
 * word changed under it. */
static int try_take(struct task *t, const struct key *key, uint64_t uaddr, bool try_only)
{
	uint32_t cur, old;
	unsigned queued;
	int err;

	for (;;) {
		err = read_word(t, uaddr, &cur);
		if (err)
			return err;
		if ((cur & ABI_FUTEX_TID_MASK) == t->tid)
			return -EDEADLK;
		if (!(cur & ABI_FUTEX_TID_MASK)) {
			uint32_t next = t->tid | (cur & ABI_FUTEX_OWNER_DIED);

			top(key, &queued);
			if (queued)
				next |= ABI_FUTEX_WAITERS;
			err = futex_cmpxchg(t, uaddr, cur, next, &old);
			if (err)
				return err;
			if (old == cur)
				return 1;
			continue;
		}
		if (try_only)
			return -EAGAIN;
		if (!task_find(cur & ABI_FUTEX_TID_MASK))
			return -ESRCH;
		if (cur & ABI_FUTEX_WAITERS)
			return 0;
		err = futex_cmpxchg(t, uaddr, cur, cur | ABI_FUTEX_WAITERS, &old);
		if (err)
			return err;
		if (old == cur)
			return 0;
	}
}

static int deadline_of(struct task *t, uint64_t utimeout, bool realtime, uint64_t *ret)
{
	struct abi_timespec ts;
	int err;

	*ret = KTIMER_NEVER;
	if (!utimeout)
		return 0;
	err = user_timespec(t, &ts, utimeout);
	if (!err)
		*ret = clock_to_mono(realtime ? ABI_CLOCK_REALTIME : ABI_CLOCK_MONOTONIC, timespec_ns(&ts));
	return err;
}

long futex_lock_pi(struct task *t, uint64_t uaddr, uint64_t utimeout, bool shared, bool realtime,
		   bool try_only)
{
	struct pi_waiter w = {.task = t, .uaddr = uaddr};
	uint64_t deadline;
	int err = deadline_of(t, utimeout, realtime, &deadline);

	if (!err)
		err = key_of(t, uaddr, shared, &w.key);
	if (err)
		return err;
	waitq_init(&w.wait);
	/* queued before the word says so, as setting it sleeps: an unlock meanwhile must find us */
	list_add_tail(&waiters, &w.node);
	w.on_condition = true;
	err = try_take(t, &w.key, uaddr, try_only);
	if (err) {
		list_del(&w.node);
		return err > 0 ? 0 : err;
	}
	w.on_condition = false;
	t->wchan = "futex_wait_queue";
	/* the owner may have let go while the word was being marked */
	err = try_take(t, &w.key, uaddr, false);
	if (err == 0)
		err = WAIT_EVENT_INTR_TIMEOUT(&w.wait, w.granted, deadline);
	else if (err > 0)
		w.granted = true;
	t->wchan = NULL;
	list_del(&w.node);
	if (w.granted)
		return 0;
	return err == -ERESTARTSYS ? -ERESTARTNOINTR : err;
}

/* Gives the lock at `uaddr` (in t's memory) to the next waiter, or frees it. */
static int hand_over(struct task *t, const struct key *key, uint64_t uaddr, uint32_t cur, uint32_t died)
{
	for (;;) {
		unsigned count;
		struct pi_waiter *w = top(key, &count);
		uint32_t next = died, old;
		int err;

		if (w)
			next |= w->task->tid | (count > 1 ? ABI_FUTEX_WAITERS : 0);
		err = futex_cmpxchg(t, uaddr, cur, next, &old);
		if (err)
			return err;
		if (old != cur) {
			if ((old & ABI_FUTEX_TID_MASK) != t->tid)
				return -EPERM;
			cur = old;
			continue;
		}
		/* the queue may have changed while the word was written */
		if (w) {
			struct pi_waiter *now = top(key, &count);

			if (now == w) {
				grant(w);
				return 0;
			}
			cur = next;
			if (now)
				continue;
			return futex_cmpxchg(t, uaddr, next, died, &old);
		}
		return 0;
	}
}

long futex_unlock_pi(struct task *t, uint64_t uaddr, bool shared)
{
	struct key key;
	uint32_t cur;
	int err = key_of(t, uaddr, shared, &key);

	if (!err)
		err = read_word(t, uaddr, &cur);
	if (err)
		return err;
	if ((cur & ABI_FUTEX_TID_MASK) != t->tid)
		return -EPERM;
	return hand_over(t, &key, uaddr, cur, 0);
}

/* ---- conditions that hand their waiters to a lock ------------------------------------------ */

long futex_wait_requeue_pi(struct task *t, uint64_t uaddr, uint32_t val, uint64_t utimeout,
			   uint64_t uaddr2, bool shared, bool realtime)
{
	struct pi_waiter w = {.task = t, .uaddr = uaddr2, .on_condition = true};
	uint64_t deadline;
	uint32_t cur;
	int err = deadline_of(t, utimeout, realtime, &deadline);

	if (!err && uaddr == uaddr2)
		err = -EINVAL;
	if (!err)
		err = key_of(t, uaddr, shared, &w.key);
	if (!err)
		err = key_of(t, uaddr2, shared, &w.target);
	if (!err)
		err = read_word(t, uaddr, &cur);
	if (err)
		return err;
	if (cur != val)
		return -EAGAIN;
	waitq_init(&w.wait);
	list_add_tail(&waiters, &w.node);
	t->wchan = "futex_wait_requeue_pi";
	err = WAIT_EVENT_INTR_TIMEOUT(&w.wait, w.granted, deadline);
	t->wchan = NULL;
	list_del(&w.node);
	if (w.granted)
		return 0;
	if (err == -ERESTARTSYS)
		return w.moved ? -ERESTARTNOINTR : -EAGAIN; /* a signal before the requeue is a spurious wake-up */
	return err;
}

long futex_cmp_requeue_pi(struct task *t, uint64_t uaddr, uint32_t nr_wake, uint32_t nr_requeue,
			  uint64_t uaddr2, uint32_t val, bool shared)
{
	struct key from, to;
	struct pi_waiter *w, *tmp;
	uint32_t cur;
	long count = 0;
	int err;

	if (nr_wake != 1 || uaddr == uaddr2)
		return -EINVAL;
	err = key_of(t, uaddr, shared, &from);
	if (!err)
		err = key_of(t, uaddr2, shared, &to);
	if (!err)
		err = read_word(t, uaddr, &cur);
	if (err)
		return err;
	if (cur != val)
		return -EAGAIN;
	LIST_FOR_EACH_SAFE (w, tmp, &waiters, node) {
		if (!w->on_condition || !same(&w->key, &from) || !w->target.object)
			continue;
		if (!same(&w->target, &to))
			return count ? count : -EINVAL;
		if ((uint64_t)count > nr_requeue)
			break;
		w->key = to;
		w->on_condition = false;
		w->moved = true;
		count++;
	}
	if (!count)
		return 0;
	/* If the lock is free the first one gets it; else they are waiters of its owner. */
	for (;;) {
		uint32_t old;

		err = read_word(t, uaddr2, &cur);
		if (err)
			return err;
		if (!(cur & ABI_FUTEX_TID_MASK)) {
			uint32_t next;
			unsigned n;

			w = top(&to, &n);
			if (!w)
				return count;
			next = w->task->tid | (n > 1 ? ABI_FUTEX_WAITERS : 0) | (cur & ABI_FUTEX_OWNER_DIED);
			err = futex_cmpxchg(t, uaddr2, cur, next, &old);
			if (err)
				return err;
			if (old == cur) {
				/* it may have left while the word was written: a signal, its time is over */
				if (top(&to, &n) == w) {
					grant(w);
					return count;
				}
				err = futex_cmpxchg(t, uaddr2, next, cur, &old);
				if (err)
					return err;
			}
		} else {
			err = futex_cmpxchg(t, uaddr2, cur, cur | ABI_FUTEX_WAITERS, &old);
			if (err)
				return err;
			if (old == cur)
				return count;
		}
	}
}

/* Locks of a dead thread that are in no robust list go to the next waiter, marked. The word has
 * FUTEX_WAITERS, so that user space leaves it alone: a plain write is enough. */
void futex_pi_owner_died(struct task *t)
{
	struct pi_waiter *w, *tmp;

	LIST_FOR_EACH_SAFE (w, tmp, &waiters, node) {
		struct pi_waiter *next;
		unsigned count;
		uint32_t cur;

		if (w->on_condition || w->granted || !w->task->mm || read_word(w->task, w->uaddr, &cur))
			continue;
		if ((cur & ABI_FUTEX_TID_MASK) != t->tid &&
		    (cur & ABI_FUTEX_TID_MASK || !(cur & ABI_FUTEX_OWNER_DIED)))
			continue;
		next = top(&w->key, &count);
		if (!next)
			continue;
		cur = next->task->tid | ABI_FUTEX_OWNER_DIED | (count > 1 ? ABI_FUTEX_WAITERS : 0);
		if (mm_write(w->task->mm, w->uaddr, &cur, 4) == 4)
			grant(next);
	}
}
