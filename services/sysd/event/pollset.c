/* Waiting on many files; see pollset.h. */
#include "services/sysd/event/pollset.h"

#include <stdlib.h>

#include "common/base/list.h"
#include "common/base/util.h"
#include "services/sysd/core/clock.h"
#include "services/sysd/core/errno.h"
#include "services/sysd/core/ktimer.h"
#include "services/sysd/mm/usercopy.h"
#include "services/sysd/signal/signal.h"
#include "services/sysd/task/task.h"
#include "services/sysd/vfs/file.h"

static bool pollset_wake(struct waitq_entry *e, uint32_t events)
{
	struct pollset_entry *pe = CONTAINER_OF(e, struct pollset_entry, entry);

	if (events && !(events & pe->events))
		return false;
	pe->set->triggered = true;
	sched_wake(pe->set->strand);
	return true;
}

static struct pollset_entry *new_entry(struct pollset *ps)
{
	struct pollset_chunk *c = ps->chunks;

	if (ps->inline_count < ARRAY_SIZE(ps->inline_entries))
		return &ps->inline_entries[ps->inline_count++];
	if (!c || c->count == ARRAY_SIZE(c->e)) {
		c = malloc(sizeof(*c));
		if (!c)
			return NULL;
		c->count = 0;
		c->next = ps->chunks;
		ps->chunks = c;
	}
	return &c->e[c->count++];
}

static void pollset_queue(struct poll_table *pt, struct waitq *q)
{
	struct pollset *ps = CONTAINER_OF(pt, struct pollset, pt);
	struct pollset_entry *pe = new_entry(ps);

	if (!pe) {
		ps->error = -ENOMEM;
		return;
	}
	pe->entry.func = pollset_wake;
	pe->set = ps;
	pe->file = file_ref(ps->file);
	pe->events = ps->events | EPOLLERR | EPOLLHUP;
	waitq_add(q, &pe->entry);
}

void pollset_init(struct pollset *ps, bool register_waits)
{
	ps->pt.queue = register_waits ? pollset_queue : NULL;
	ps->strand = sched_current();
	ps->triggered = false;
	ps->error = 0;
	ps->inline_count = 0;
	ps->chunks = NULL;
}

static void leave(struct pollset_entry *pe)
{
	waitq_del(&pe->entry);
	file_unref(pe->file);
}

void pollset_done(struct pollset *ps)
{
	struct pollset_chunk *c;

	/* Leave every queue before a reference goes: the last one may sleep. */
	for (unsigned i = 0; i < ps->inline_count; i++)
		waitq_del(&ps->inline_entries[i].entry);
	for (c = ps->chunks; c; c = c->next) {
		for (unsigned i = 0; i < c->count; i++)
			waitq_del(&c->e[i].entry);
	}
	for (unsigned i = 0; i < ps->inline_count; i++)
		leave(&ps->inline_entries[i]);
	while ((c = ps->chunks)) {
		ps->chunks = c->next;
		for (unsigned i = 0; i < c->count; i++)
			leave(&c->e[i]);
		free(c);
	}
	ps->inline_count = 0;
}

uint32_t pollset_poll(struct pollset *ps, struct file *f, uint32_t events)
{
	ps->file = f;
	ps->events = events;
	return vfs_poll(f, ps->pt.queue ? &ps->pt : NULL);
}

int pollset_sleep(struct pollset *ps, uint64_t deadline_ns)
{
	struct waiter w = {.timed_out = false};
	int ret = 0;

	list_init(&w.entry.link);
	while (!ps->triggered && !ret)
		ret = wait_sleep(&w, WAIT_INTERRUPTIBLE, deadline_ns);
	ps->triggered = false;
	return ret;
}

int sigmask_swap(struct task *t, uint64_t uset, uint64_t size)
{
	sigset64_t set;

	if (!uset)
		return 0;
	if (size != sizeof(set))
		return -EINVAL;
	if (user_get(t, set, uset))
		return -EFAULT;
	t->saved_mask = t->blocked;
	t->restore_mask = true;
	signal_set_blocked(t, set);
	return 0;
}

void sigmask_swap_end(struct task *t, bool interrupted)
{
	if (!t->restore_mask || interrupted)
		return;
	t->restore_mask = false;
	signal_set_blocked(t, t->saved_mask);
}

uint64_t poll_deadline(uint64_t timeout_ns)
{
	uint64_t now;

	if (!timeout_ns)
		return 0;
	now = clock_mono_ns();
	return timeout_ns >= (uint64_t)INT64_MAX - now ? KTIMER_NEVER : now + timeout_ns;
}
