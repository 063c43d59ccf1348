/* The executor's loop: posted notes, due timers, ready strands, sources, and sleep. While there is
 * recent activity and a source allows it, the loop polls instead of sleeping: a guest's next call
 * then costs a cache miss, not two context switches. */
#include "services/sysd/core/sched.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#include "common/base/util.h"
#include "services/sysd/core/clock.h"
#include "services/sysd/core/host.h"
#include "services/sysd/core/ktimer.h"

static struct fiber executor_fiber;
static struct strand *current;
static struct list run_queue = LIST_INIT(run_queue), batch = LIST_INIT(batch);
static struct list sources = LIST_INIT(sources);
static _Atomic(struct sched_note *) notes;
static _Atomic uint32_t wake_word; /* futex: bumped for every posted note */
static _Atomic bool sleeping, stopping;
static uint64_t tsc_per_us = 1000, contended_until, last_activity;
static bool few_cpus = true;
static struct sched_stats stats;

#define SOURCES_MAX 8
#define CONTENDED_GAP_US 40
#define CONTENDED_FOR_US 3000

static uint64_t measure_tsc_per_us(void)
{
	uint64_t n0 = clock_mono_ns(), t0 = __rdtsc(), n1;

	do
		n1 = clock_mono_ns();
	while (n1 - n0 < 200000);
	return (__rdtsc() - t0) * 1000 / (n1 - n0);
}

int sched_init(void)
{
	int ret;

	cpu_set_t set;

	few_cpus = sched_getaffinity(0, sizeof(set), &set) != 0 || CPU_COUNT(&set) <= 2;
	fiber_adopt(&executor_fiber);
	tsc_per_us = measure_tsc_per_us();
	ret = host_workers_start();
	if (ret < 0)
		return ret;
	return host_watch_start();
}

uint64_t sched_tsc_per_us(void)
{
	return tsc_per_us;
}

struct strand *sched_current(void)
{
	return current;
}

static void strand_enter(void *arg)
{
	struct strand *s = arg;

	s->fiber_fn(s->fiber_arg);
	sched_exit();
}

int sched_start(struct strand *s, void (*fn)(void *), void *arg)
{
	int ret;

	s->fiber_fn = fn;
	s->fiber_arg = arg;
	ret = fiber_init(&s->fiber, strand_enter, s);
	if (ret < 0)
		return ret;
	list_init(&s->run);
	s->wake_pending = false;
	s->state = STRAND_PARKED;
	sched_wake(s);
	return 0;
}

static void spawned_exit(struct strand *s)
{
	free(s);
}

int sched_spawn(void (*fn)(void *), void *arg)
{
	struct strand *s = calloc(1, sizeof(*s));
	int ret;

	if (!s)
		return -ENOMEM;
	s->on_exit = spawned_exit;
	ret = sched_start(s, fn, arg);
	if (ret < 0)
		free(s);
	return ret;
}

void sched_wake(struct strand *s)
{
	switch (s->state) {
	case STRAND_PARKED:
		s->state = STRAND_READY;
		list_add_tail(&run_queue, &s->run);
		break;
	case STRAND_RUNNING:
		s->wake_pending = true;
		break;
	case STRAND_READY:
	case STRAND_DEAD:
		break;
	}
}

static void leave(struct strand *s, int dies)
{
	current = NULL;
	fiber_switch(&s->fiber, &executor_fiber, dies);
}

void sched_park(void)
{
	struct strand *s = current;

	if (s->wake_pending) {
		s->wake_pending = false;
		return;
	}
	s->state = STRAND_PARKED;
	leave(s, 0);
}

void sched_yield_strand(void)
{
	struct strand *s = current;

	s->state = STRAND_READY;
	list_add_tail(&run_queue, &s->run);
	leave(s, 0);
}

void sched_exit(void)
{
	current->state = STRAND_DEAD;
	leave(current, 1);
	__builtin_unreachable();
}

static void run_strand(struct strand *s)
{
	list_del(&s->run);
	s->state = STRAND_RUNNING;
	s->wake_pending = false;
	current = s;
	stats.switches++;
	fiber_switch(&executor_fiber, &s->fiber, 0);
	if (s->state == STRAND_DEAD) {
		fiber_done(&s->fiber);
		if (s->on_exit)
			s->on_exit(s);
	}
}

/* Runs what is ready now; strands that become ready meanwhile wait for the next round, so that timers
 * and sources are not starved. */
static bool run_ready(void)
{
	bool any = false;

	if (list_empty(&run_queue))
		return false;
	batch = run_queue;
	batch.next->prev = &batch;
	batch.prev->next = &batch;
	list_init(&run_queue);
	while (!list_empty(&batch)) {
		run_strand(LIST_FIRST(&batch, struct strand, run));
		any = true;
	}
	return any;
}

static void futex_wake_word(_Atomic uint32_t *word)
{
	syscall(SYS_futex, word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, NULL, NULL, 0);
}

void sched_post(struct sched_note *n)
{
	struct sched_note *head = atomic_load_explicit(&notes, memory_order_relaxed);

	do
		n->next = head;
	while (!atomic_compare_exchange_weak(&notes, &head, n));
	atomic_fetch_add(&wake_word, 1);
	if (atomic_load(&sleeping))
		futex_wake_word(&wake_word);
}

void sched_stop(void)
{
	atomic_store(&stopping, true);
	atomic_fetch_add(&wake_word, 1);
	futex_wake_word(&wake_word);
}

static bool run_notes(void)
{
	struct sched_note *n, *fifo = NULL;

	if (!atomic_load_explicit(&notes, memory_order_relaxed))
		return false;
	n = atomic_exchange(&notes, NULL);
	while (n) { /* posted last in first: turn around */
		struct sched_note *next = n->next;

		n->next = fifo;
		fifo = n;
		n = next;
	}
	while (fifo) {
		n = fifo;
		fifo = n->next;
		n->fn(n->arg);
	}
	return true;
}

void sched_add_source(struct sched_source *src)
{
	list_add_tail(&sources, &src->link);
}

void sched_remove_source(struct sched_source *src)
{
	list_del(&src->link);
}

static bool poll_sources(void)
{
	struct sched_source *src, *next;
	bool any = false;

	LIST_FOR_EACH_SAFE(src, next, &sources, link)
		any |= src->poll(src);
	return any;
}

static void idle_sources(void)
{
	struct sched_source *src;

	LIST_FOR_EACH(src, &sources, link)
		if (src->idle)
			src->idle(src);
}

static uint64_t spin_ns(void)
{
	struct sched_source *src;
	uint64_t ns = 0;

	LIST_FOR_EACH(src, &sources, link)
		ns = MAX(ns, src->spin_ns);
	return ns;
}

/* struct futex_waitv of linux/futex.h (5.16); Debian 12's header has it, the number too. */
static void sleep_on(struct futex_waitv *wv, unsigned count, uint64_t deadline_ns)
{
	struct timespec ts, *tsp = NULL;

	if (deadline_ns != KTIMER_NEVER) {
		ts.tv_sec = (time_t)(deadline_ns / NSEC_PER_SEC);
		ts.tv_nsec = (long)(deadline_ns % NSEC_PER_SEC);
		tsp = &ts;
	}
	syscall(SYS_futex_waitv, wv, count, 0, tsp, CLOCK_MONOTONIC);
}

static void idle_sleep(void)
{
	struct futex_waitv wv[SOURCES_MAX + 1];
	struct sched_source *src, *undo;
	uint64_t deadline = ktimer_next();
	unsigned count = 0;
	bool ready = true;

	atomic_store(&sleeping, true);
	wv[count++] = (struct futex_waitv){.uaddr = (uintptr_t)&wake_word,
					   .val = atomic_load(&wake_word),
					   .flags = FUTEX_32 | FUTEX_PRIVATE_FLAG};
	if (atomic_load(&notes) || atomic_load(&stopping)) {
		atomic_store(&sleeping, false);
		return;
	}
	LIST_FOR_EACH(src, &sources, link) {
		if (src->before_sleep && !src->before_sleep(src)) {
			ready = false;
			break;
		}
		if (src->futex && count < ARRAY_SIZE(wv))
			wv[count++] = (struct futex_waitv){.uaddr = (uintptr_t)src->futex,
							   .val = src->futex_val,
							   .flags = FUTEX_32};
		if (src->max_sleep_ns)
			deadline = MIN(deadline, clock_mono_ns() + src->max_sleep_ns);
	}
	if (ready) {
		stats.sleeps++;
		sleep_on(wv, count, deadline);
	}
	atomic_store(&sleeping, false);
	LIST_FOR_EACH(undo, &sources, link) {
		if (undo->after_sleep)
			undo->after_sleep(undo);
		if (!ready && undo == src)
			break;
	}
}

uint64_t sched_quiet_us(void)
{
	return (__rdtsc() - last_activity) / tsc_per_us;
}

bool sched_contended(void)
{
	return __rdtsc() < contended_until;
}

const struct sched_stats *sched_stats(void)
{
	return &stats;
}

bool sched_few_cpus(void)
{
	return few_cpus;
}

void sched_count_offload(void)
{
	stats.offloads++;
}

void sched_count_block(void)
{
	stats.blocks++;
}

bool sched_alone(uint64_t ns)
{
	struct sched_source *src;
	uint64_t timer = ktimer_next();

	if (!list_empty(&run_queue) || !list_empty(&batch) || atomic_load_explicit(&notes, memory_order_relaxed))
		return false;
	LIST_FOR_EACH(src, &sources, link)
		if (src->busy && src->busy(src))
			return false;
	return timer == KTIMER_NEVER || timer > clock_mono_ns() + ns;
}

void sched_run(void)
{
	uint64_t last_seen = last_activity = __rdtsc();
	unsigned idle_rounds = 0;

	while (!atomic_load_explicit(&stopping, memory_order_relaxed)) {
		bool any = run_notes();
		uint64_t now;

		any |= run_ready();
		any |= poll_sources();
		if (any || !(++idle_rounds & 15)) {
			if (ktimer_next() != KTIMER_NEVER)
				ktimer_run(clock_mono_ns());
		}
		if (any || !list_empty(&run_queue)) {
			last_activity = last_seen = __rdtsc();
			idle_rounds = 0;
			continue;
		}
		idle_sources();
		now = __rdtsc();
		if (now - last_seen > CONTENDED_GAP_US * tsc_per_us && idle_rounds > 1) {
			contended_until = now + CONTENDED_FOR_US * tsc_per_us;
			stats.contentions++;
		}
		last_seen = now;
		if ((now - last_activity) * 1000 < spin_ns() * tsc_per_us) {
			_mm_pause();
			continue;
		}
		idle_sleep();
		if (ktimer_next() != KTIMER_NEVER)
			ktimer_run(clock_mono_ns());
		last_activity = last_seen = __rdtsc();
		idle_rounds = 0;
	}
	atomic_store(&stopping, false);
}
