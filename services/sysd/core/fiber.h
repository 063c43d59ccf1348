/* Stackful coroutines. Every guest task has one: its system calls are straight-line code that may
 * sleep, without a host thread each. Only the executor thread switches fibers, so kernel code runs
 * one fiber at a time and is never preempted: between two points that may sleep nothing else runs. */
#ifndef SYSD_CORE_FIBER_H
#define SYSD_CORE_FIBER_H

#include <stddef.h>

struct fiber {
	void *sp;            /* saved stack pointer while not running */
	void *stack;         /* mapping, its lowest page is a guard */
	size_t stack_size;
	void (*fn)(void *arg);
	void *arg;
	void *sanitizer;     /* what fiber_sanitizer_*.c keeps */
	const void *san_bottom;
	size_t san_size;
};

#define FIBER_STACK_SIZE (64 * 1024ul)

/* Prepares f to run fn(arg) at its first switch; fn must never return (it calls sched_exit).
 * Returns 0 or -ENOMEM. */
int fiber_init(struct fiber *f, void (*fn)(void *arg), void *arg);
/* Frees the stack of a fiber that does not run. Stacks are kept in a small cache. */
void fiber_done(struct fiber *f);
/* Leaves `from` and continues `to`. `from_dies` says that `from` is never continued. */
void fiber_switch(struct fiber *from, struct fiber *to, int from_dies);
/* Makes the calling host thread's own stack the fiber f (the executor's). */
void fiber_adopt(struct fiber *f);

#endif
