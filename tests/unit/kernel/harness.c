#include "tests/unit/kernel/harness.h"

#include <stdlib.h>
#include <string.h>
#include "services/sysd/mm/usercopy_backend.h"

static unsigned live;

struct spawned {
	struct task task;
	void (*fn)(struct task *t, void *arg);
	void *arg;
};

/* Guest memory is the test's own here; a read up to the end of a page may pass the end of an object. */
static __attribute__((no_sanitize("address"), noinline)) void guest_copy(void *dst, const void *src, size_t size)
{
	volatile char *d = dst;
	const volatile char *s = src;

	while (size--)
		*d++ = *s++;
}

static ssize_t direct_read(struct task *t, struct mm *mm, void *dst, uint64_t uaddr, size_t size)
{
	if (uaddr < 4096 || uaddr >> 47)
		return -EFAULT;
	guest_copy(dst, (const void *)(uintptr_t)uaddr, size);
	return (ssize_t)size;
}

static ssize_t direct_write(struct task *t, struct mm *mm, uint64_t uaddr, const void *src, size_t size)
{
	if (uaddr < 4096 || uaddr >> 47)
		return -EFAULT;
	memcpy((void *)(uintptr_t)uaddr, src, size);
	return (ssize_t)size;
}

static const struct usercopy_backend direct = {.read = direct_read, .write = direct_write};

static void spawned_main(void *arg)
{
	struct spawned *s = arg;

	s->fn(&s->task, s->arg);
}

static void spawned_exit(struct strand *strand)
{
	free(CONTAINER_OF(strand, struct spawned, task.strand));
	if (--live == 0)
		sched_stop();
}

void ktest_spawn(void (*fn)(struct task *t, void *arg), void *arg)
{
	static bool initialised;
	struct spawned *s = calloc(1, sizeof(*s));

	if (!initialised) {
		assert_int_equal(sched_init(), 0);
		usercopy_backend = &direct;
		initialised = true;
	}
	assert_non_null(s);
	s->fn = fn;
	s->arg = arg;
	s->task.strand.task = &s->task;
	s->task.strand.on_exit = spawned_exit;
	s->task.tid = 1 + live;
	s->task.nr = -1;
	list_init(&s->task.pending.queue);
	list_init(&s->task.thread_node);
	list_init(&s->task.all_node);
	live++;
	assert_int_equal(sched_start(&s->task.strand, spawned_main, s), 0);
}

void ktest_run(void)
{
	if (live)
		sched_run();
}

void ktest_call(void (*fn)(struct task *t, void *arg), void *arg)
{
	ktest_spawn(fn, arg);
	ktest_run();
}
