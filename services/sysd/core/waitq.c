/* Wait queues and the sleeping lock; see waitq.h. */
#include "services/sysd/core/waitq.h"

#include "services/sysd/core/errno.h"
#include "services/sysd/core/ktimer.h"
#include "services/sysd/core/sched.h"
#include "services/sysd/core/sleep.h"
#include "services/sysd/task/task.h"

void waitq_init(struct waitq *q)
{
	list_init(&q->entries);
}

void waitq_add(struct waitq *q, struct waitq_entry *e)
{
	e->exclusive = false;
	list_add(&q->entries, &e->link);
}

void waitq_add_exclusive(struct waitq *q, struct waitq_entry *e)
{
	e->exclusive = true;
	list_add_tail(&q->entries, &e->link);
}

void waitq_del(struct waitq_entry *e)
{
	list_del(&e->link);
}

/* The callbacks may remove their own entry, and only that. */
void waitq_wake(struct waitq *q, int exclusive_count, uint32_t events)
{
	struct waitq_entry *e, *next;

	LIST_FOR_EACH_SAFE(e, next, &q->entries, link) {
		bool exclusive = e->exclusive;

		if (e->func(e, events) && exclusive && --exclusive_count <= 0)
			break;
	}
}

void waitq_end(struct waitq *q, uint32_t events)
{
	waitq_wake(q, INT32_MAX, events);
	while (!list_empty(&q->entries))
		list_del(q->entries.next);
}

bool waitq_active(const struct waitq *q)
{
	return !list_empty(&q->entries);
}

void hthread_announce_sleep(struct hthread *ht) __attribute__((weak));

bool waitq_wake_strand(struct waitq_entry *e, uint32_t events)
{
	sched_wake(e->priv);
	return true;
}

void wait_prepare(struct waiter *w, struct waitq *q, unsigned flags)
{
	w->timed_out = false;
	w->entry.func = waitq_wake_strand;
	w->entry.priv = sched_current();
	if (flags & WAIT_EXCLUSIVE)
		waitq_add_exclusive(q, &w->entry);
	else
		waitq_add(q, &w->entry);
}

void wait_finish(struct waiter *w)
{
	waitq_del(&w->entry);
}

struct sleep_timer {
	struct ktimer timer;
	struct strand *strand;
	bool fired;
};

static void sleep_timer_fn(struct ktimer *t)
{
	struct sleep_timer *st = CONTAINER_OF(t, struct sleep_timer, timer);

	st->fired = true;
	sched_wake(st->strand);
}

static bool interrupted(const struct task *t, unsigned flags)
{
	if (!t)
		return false;
	if (flags & WAIT_INTERRUPTIBLE)
		return sleep_signal_pending(t);
	if (flags & WAIT_KILLABLE)
		return sleep_fatal_pending(t);
	return false;
}

int wait_sleep(struct waiter *w, unsigned flags, uint64_t deadline_ns)
{
	struct strand *s = sched_current();
	struct task *t = s->task;
	struct sleep_timer st = {.strand = s};
	enum task_state saved = TASK_RUNNING;
	int ret;

	if (interrupted(t, flags))
		return -ERESTARTSYS;
	if (w->timed_out)
		return -ETIMEDOUT;
	if (deadline_ns != KTIMER_NEVER) {
		ktimer_init(&st.timer, sleep_timer_fn);
		ret = ktimer_start(&st.timer, deadline_ns);
		if (ret < 0)
			return ret;
	}
	if (t) {
		if (hthread_announce_sleep && (flags & WAIT_INTERRUPTIBLE || sched_few_cpus()))
			hthread_announce_sleep(t->ht);
		saved = t->state;
		t->state = (flags & (WAIT_INTERRUPTIBLE)) ? TASK_SLEEPING : TASK_UNINT;
	}
	sched_park();
	if (t)
		t->state = saved;
	if (deadline_ns != KTIMER_NEVER)
		ktimer_cancel(&st.timer);
	/* The waker may have made the condition true although a signal or the timer came too: the
	 * caller looks at the condition first, so the next round reports them. */
	if (st.fired)
		w->timed_out = true;
	if (interrupted(t, flags))
		return -ERESTARTSYS;
	return w->timed_out ? -ETIMEDOUT : 0;
}

void kmutex_init(struct kmutex *m)
{
	m->owner = NULL;
	waitq_init(&m->waiters);
}

void kmutex_lock(struct kmutex *m)
{
	struct strand *s = sched_current();

	WAIT_EVENT_FLAGS(&m->waiters, !m->owner, WAIT_EXCLUSIVE, KTIMER_NEVER);
	m->owner = s;
}

void kmutex_unlock(struct kmutex *m)
{
	m->owner = NULL;
	waitq_wake_one(&m->waiters);
}
