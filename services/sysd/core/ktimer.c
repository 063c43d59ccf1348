/* A binary heap of timers; see ktimer.h. */
#include "services/sysd/core/ktimer.h"

#include <errno.h>
#include <stdlib.h>

static struct ktimer **heap;
static int heap_count, heap_capacity;

static void place(int i, struct ktimer *t)
{
	heap[i] = t;
	t->heap_index = i;
}

static void sift_up(int i)
{
	struct ktimer *t = heap[i];

	while (i > 0 && heap[(i - 1) / 2]->expires_ns > t->expires_ns) {
		place(i, heap[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	place(i, t);
}

static void sift_down(int i)
{
	struct ktimer *t = heap[i];

	for (;;) {
		int c = 2 * i + 1;

		if (c >= heap_count)
			break;
		if (c + 1 < heap_count && heap[c + 1]->expires_ns < heap[c]->expires_ns)
			c++;
		if (heap[c]->expires_ns >= t->expires_ns)
			break;
		place(i, heap[c]);
		i = c;
	}
	place(i, t);
}

void ktimer_init(struct ktimer *t, void (*fn)(struct ktimer *))
{
	t->expires_ns = KTIMER_NEVER;
	t->fn = fn;
	t->heap_index = -1;
}

bool ktimer_cancel(struct ktimer *t)
{
	int i = t->heap_index;
	struct ktimer *last;

	if (i < 0)
		return false;
	t->heap_index = -1;
	last = heap[--heap_count];
	if (last != t) {
		place(i, last);
		sift_up(i);
		sift_down(last->heap_index);
	}
	return true;
}

int ktimer_start(struct ktimer *t, uint64_t expires_ns)
{
	ktimer_cancel(t);
	if (expires_ns == KTIMER_NEVER)
		return 0;
	if (heap_count == heap_capacity) {
		int capacity = heap_capacity ? heap_capacity * 2 : 64;
		struct ktimer **bigger = realloc(heap, (size_t)capacity * sizeof(*heap));

		if (!bigger)
			return -ENOMEM;
		heap = bigger;
		heap_capacity = capacity;
	}
	t->expires_ns = expires_ns;
	heap[heap_count] = t;
	sift_up(heap_count++);
	return 0;
}

void ktimer_run(uint64_t now_ns)
{
	while (heap_count && heap[0]->expires_ns <= now_ns) {
		struct ktimer *t = heap[0];

		ktimer_cancel(t);
		t->fn(t);
	}
}

uint64_t ktimer_next(void)
{
	return heap_count ? heap[0]->expires_ns : KTIMER_NEVER;
}
