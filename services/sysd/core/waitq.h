/* Wait queues, as Linux has them: whoever waits for a condition queues an entry; whoever changes
 * the condition wakes the queue. Entries carry a function, so that poll and epoll use the same. */
#ifndef SYSD_CORE_WAITQ_H
#define SYSD_CORE_WAITQ_H

#include <stdbool.h>
#include <stdint.h>
#include "common/base/list.h"

struct strand;
struct task;

struct waitq {
	struct list entries;
};

struct waitq_entry {
	struct list link; /* self-linked when not queued */
	bool exclusive;   /* a wake of n stops after n exclusive entries that took it */
	/* Called by the waker; `events` is the poll mask of the wake (0: unspecific). Returns true when
	 * the wake was taken. Must not sleep. */
	bool (*func)(struct waitq_entry *e, uint32_t events);
	void *priv;
};

void waitq_init(struct waitq *q);
void waitq_add(struct waitq *q, struct waitq_entry *e);           /* non-exclusive, front */
void waitq_add_exclusive(struct waitq *q, struct waitq_entry *e); /* exclusive, back */
void waitq_del(struct waitq_entry *e);
/* Wakes all non-exclusive entries and up to `exclusive_count` exclusive ones. */
void waitq_wake(struct waitq *q, int exclusive_count, uint32_t events);
/* The queue goes away before those who stand in it: they are woken with `events` and stand in no queue any more. */
void waitq_end(struct waitq *q, uint32_t events);
static inline void waitq_wake_one(struct waitq *q)
{
	waitq_wake(q, 1, 0);
}
static inline void waitq_wake_all(struct waitq *q)
{
	waitq_wake(q, INT32_MAX, 0);
}
bool waitq_active(const struct waitq *q);
/* An entry function that wakes the strand in e->priv. */
bool waitq_wake_strand(struct waitq_entry *e, uint32_t events);

/* Sleeping. `deadline_ns` is absolute CLOCK_MONOTONIC, KTIMER_NEVER for none.
 * wait_prepare queues the current strand; wait_sleep parks once; wait_finish dequeues.
 * wait_sleep returns 0 when woken (for any reason), -ETIMEDOUT past the deadline, and, when
 * interruptible, -ERESTARTSYS if a signal is pending for the current task. A strand without a task
 * is never interrupted. */
struct waiter {
	struct waitq_entry entry;
	bool timed_out;
};
#define WAIT_INTERRUPTIBLE 1u
#define WAIT_EXCLUSIVE 2u
#define WAIT_KILLABLE 4u
void wait_prepare(struct waiter *w, struct waitq *q, unsigned flags);
int wait_sleep(struct waiter *w, unsigned flags, uint64_t deadline_ns);
void wait_finish(struct waiter *w);

/* Sleeps until cond holds; evaluates to 0, -ERESTARTSYS or -ETIMEDOUT. */
#define WAIT_EVENT_FLAGS(q, cond, flags, deadline_ns)                  \
	({                                                             \
		int wait_ret_ = 0;                                     \
		if (!(cond)) {                                         \
			struct waiter waiter_;                         \
			wait_prepare(&waiter_, (q), (flags));          \
			while (!(cond)) {                              \
				wait_ret_ = wait_sleep(&waiter_, (flags), (deadline_ns)); \
				if (wait_ret_)                         \
					break;                         \
			}                                              \
			wait_finish(&waiter_);                         \
			if (wait_ret_ && (cond))                       \
				wait_ret_ = 0;                         \
		}                                                      \
		wait_ret_;                                             \
	})
#define WAIT_EVENT(q, cond) WAIT_EVENT_FLAGS(q, cond, 0, KTIMER_NEVER)
#define WAIT_EVENT_INTR(q, cond) WAIT_EVENT_FLAGS(q, cond, WAIT_INTERRUPTIBLE, KTIMER_NEVER)
#define WAIT_EVENT_INTR_TIMEOUT(q, cond, deadline_ns) \
	WAIT_EVENT_FLAGS(q, cond, WAIT_INTERRUPTIBLE, deadline_ns)

/* A lock that is held across sleeping points; FIFO. Not needed between points that do not sleep. */
struct kmutex {
	struct strand *owner;
	struct waitq waiters;
};
void kmutex_init(struct kmutex *m);
void kmutex_lock(struct kmutex *m);
void kmutex_unlock(struct kmutex *m);

#endif
