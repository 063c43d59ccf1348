/* The timer wheel: seven levels of 64 slots. A timer lies in the level of the highest bit in which its time differs
 * from the wheel's, so all of a lower level come before all of a higher one, and the next one is in the first used slot
 * of the lowest used level. When the wheel reaches a slot of a higher level, its timers move down. */
#include "netd/core/stack_priv.h"

void wheel_init(struct timer_wheel *w, uint64_t now_ms)
{
	w->cur = now_ms;
	list_init(&w->expired);
	for (unsigned l = 0; l < WHEEL_LEVELS; l++) {
		w->used[l] = 0;
		for (unsigned i = 0; i < WHEEL_SLOTS; i++)
			list_init(&w->slot[l][i]);
	}
}

static void wheel_insert(struct timer_wheel *w, struct net_timer *t)
{
	uint64_t due = t->due_ms;
	unsigned level, slot;

	if (due <= w->cur) {
		list_add_tail(&w->expired, &t->node);
		return;
	}
	level = (63u - (unsigned)__builtin_clzll(due ^ w->cur)) / WHEEL_BITS;
	if (level >= WHEEL_LEVELS) {
		/* Beyond the wheel: in the last slot of the top level; it is put in anew from there. */
		level = WHEEL_LEVELS - 1;
		slot = WHEEL_SLOTS - 1;
	} else {
		slot = (unsigned)(due >> (level * WHEEL_BITS)) % WHEEL_SLOTS;
	}
	w->used[level] |= UINT64_C(1) << slot;
	list_add_tail(&w->slot[level][slot], &t->node);
}

/* The first used slot, and when it begins. False: the wheel is empty. */
static bool wheel_first(struct timer_wheel *w, unsigned *level, unsigned *slot, uint64_t *when)
{
	for (unsigned l = 0; l < WHEEL_LEVELS; l++) {
		while (w->used[l]) {
			unsigned s = (unsigned)__builtin_ctzll(w->used[l]);
			unsigned shift = l * WHEEL_BITS;

			if (list_empty(&w->slot[l][s])) {
				w->used[l] &= w->used[l] - 1;
				continue;
			}
			*level = l;
			*slot = s;
			*when = ((w->cur >> shift >> WHEEL_BITS << WHEEL_BITS) | s) << shift;
			return true;
		}
	}
	return false;
}

uint64_t wheel_next(struct timer_wheel *w)
{
	unsigned level, slot, looked = 0;
	struct net_timer *t;
	uint64_t when, due = UINT64_MAX;

	if (!list_empty(&w->expired))
		return w->cur;
	if (!wheel_first(w, &level, &slot, &when))
		return UINT64_MAX;
	if (level == 0)
		return when;
	/* Look for the real time, so that an idle stack is not woken just to move timers down. */
	LIST_FOR_EACH(t, &w->slot[level][slot], node) {
		due = MIN(due, t->due_ms);
		if (++looked == 64)
			return MAX(when, w->cur + 1);
	}
	return due;
}

static unsigned run_list(struct list *l)
{
	unsigned n = 0;

	while (!list_empty(l)) {
		struct net_timer *t = LIST_FIRST(l, struct net_timer, node);

		list_del(&t->node);
		t->fn(t);
		n++;
	}
	return n;
}

static void take_all(struct list *from, struct list *to)
{
	if (list_empty(from))
		return;
	list_insert_(to, from->prev, from->next);
	to->prev->next = to;
	to->next->prev = to;
	list_init(from);
}

unsigned wheel_run(struct timer_wheel *w, uint64_t now_ms)
{
	struct list due = LIST_INIT(due);
	unsigned level, slot, n = 0;
	uint64_t when;

	take_all(&w->expired, &due);
	n += run_list(&due);
	while (wheel_first(w, &level, &slot, &when) && when <= now_ms) {
		take_all(&w->slot[level][slot], &due);
		w->used[level] &= ~(UINT64_C(1) << slot);
		w->cur = MAX(w->cur, when);
		if (level == 0) {
			n += run_list(&due);
			continue;
		}
		while (!list_empty(&due)) {
			struct net_timer *t = LIST_FIRST(&due, struct net_timer, node);

			list_del(&t->node);
			if (t->due_ms <= w->cur) {
				t->fn(t);
				n++;
			} else {
				wheel_insert(w, t);
			}
		}
	}
	if (now_ms > w->cur)
		w->cur = now_ms;
	return n;
}

void net_timer_init(struct net_timer *t, void (*fn)(struct net_timer *))
{
	list_init(&t->node);
	t->due_ms = 0;
	t->fn = fn;
}

void net_timer_arm(struct netstack *st, struct net_timer *t, uint64_t delay_ms)
{
	list_del(&t->node);
	t->due_ms = st->now_ms + delay_ms;
	if (t->due_ms < st->now_ms)
		t->due_ms = UINT64_MAX - 1;
	wheel_insert(&st->wheel, t);
}

void net_timer_cancel(struct net_timer *t)
{
	list_del(&t->node);
}
