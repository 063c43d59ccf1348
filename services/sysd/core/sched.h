/* The executor: one host thread that runs all kernel fibers, polls the slots of the guest, and
 * sleeps when there is nothing to do. See LOCKING.md for what may run when.
 *
 * All functions are called on the executor thread unless they say otherwise. */
#ifndef SYSD_CORE_SCHED_H
#define SYSD_CORE_SCHED_H

#include <stdbool.h>
#include <stdint.h>
#include "common/base/list.h"
#include "services/sysd/core/fiber.h"

struct task;

enum strand_state { STRAND_RUNNING, STRAND_READY, STRAND_PARKED, STRAND_DEAD };

/* A strand is a fiber with a place in the run queue. A guest task embeds one; kernel work that
 * belongs to no task (control requests, writeback) makes one with sched_spawn. */
struct strand {
	struct fiber fiber;
	struct list run;          /* in the run queue */
	enum strand_state state;
	bool wake_pending;        /* woken while running: the next park returns at once */
	struct task *task;        /* the guest task, or NULL */
	void (*fiber_fn)(void *arg);
	void *fiber_arg;
	void (*on_exit)(struct strand *s); /* called on the executor's stack after the last switch */
};

/* Prepares the executor on the calling thread. Returns 0 or -errno. */
int sched_init(void);
/* Runs until sched_stop. */
void sched_run(void);
/* Any thread. */
void sched_stop(void);

/* The strand that runs now, or NULL on the executor's own stack. */
struct strand *sched_current(void);
/* Starts a strand at fn(arg); it becomes ready. Returns 0 or -ENOMEM. */
int sched_start(struct strand *s, void (*fn)(void *), void *arg);
/* The same with a strand of its own that is freed at its end. */
int sched_spawn(void (*fn)(void *), void *arg);
/* Ends the current strand; does not return. */
void sched_exit(void) __attribute__((noreturn));
/* Sleeps until sched_wake of this strand. May return for no reason: loop over the condition. */
void sched_park(void);
/* Makes a parked strand ready; a wake of a running one is kept for its next park. */
void sched_wake(struct strand *s);
/* Lets the other ready strands run. */
void sched_yield_strand(void);

/* Any thread: runs fn(arg) on the executor soon. The caller owns `n` until fn runs. */
struct sched_note {
	struct sched_note *next;
	void (*fn)(void *arg);
	void *arg;
};
void sched_post(struct sched_note *n);

/* Runs fn(arg) on a worker thread and sleeps (uninterruptibly) until it is done: for host calls
 * that may block (disk, fsync). fn must not touch kernel state. Returns what fn returned. */
long sched_offload(long (*fn)(void *arg), void *arg);
/* The same for what takes a disk's time and not longer, as a rule: it is done here and now when nobody else
 * would have to wait for it (no strand is ready, no guest thread runs, no timer is near), which saves waking
 * a worker and being woken by it. One that took long makes the next ones go to a worker for a while. */
long sched_block(long (*fn)(void *arg), void *arg);
/* Would it be done here? */
bool sched_block_here(void);

/* Something the executor polls between strands: returns true when it did something. `poll` must be
 * cheap. `before_sleep` (optional) announces that the executor is about to sleep and returns false
 * when work has come meanwhile; `after_sleep` takes that back. `futex` (optional) is a shared futex
 * word the sleep also waits on, with the value that before_sleep left in *futex_val. */
struct sched_source {
	struct list link;
	const char *name;
	bool (*poll)(struct sched_source *);
	bool (*before_sleep)(struct sched_source *);
	void (*after_sleep)(struct sched_source *);
	/* Optional: may something arrive at any moment that somebody waits for? */
	bool (*busy)(struct sched_source *);
	uint32_t *futex;
	uint32_t futex_val;
	/* Called (optional) when there is nothing else to do, before polling goes on or sleep begins. */
	void (*idle)(struct sched_source *);
	/* How long the executor may poll for this source after its last activity; 0: not at all. */
	uint64_t spin_ns;
	/* The longest sleep while this source waits, or 0: no limit (a backstop for hostile peers). */
	uint64_t max_sleep_ns;
};
void sched_add_source(struct sched_source *src);
void sched_remove_source(struct sched_source *src);

/* Watches a host descriptor (level-triggered, one watch a descriptor): fn(arg, revents) runs on
 * the executor after epoll reported `events` (EPOLLIN/EPOLLOUT...), once; re-arm with
 * host_watch_arm. The descriptor stays the caller's. */
struct host_watch {
	struct sched_note note;
	int fd;
	uint32_t revents, slot;
	bool armed, posted, removed;
	void (*fn)(void *arg, uint32_t revents);
	void *arg;
};
int host_watch_add(struct host_watch *w, int fd, void (*fn)(void *, uint32_t), void *arg);
int host_watch_arm(struct host_watch *w, uint32_t events);
void host_watch_remove(struct host_watch *w);

/* Does nobody but the current strand have anything to do, as far as is known, for the next ns? */
bool sched_alone(uint64_t ns);

uint64_t sched_tsc_per_us(void);

/* Microseconds since the executor last had something to do. For `poll` of a source. */
uint64_t sched_quiet_us(void);

/* Was the executor taken off its CPU lately while it polled? Then somebody else needs the CPU and the
 * sources should not ask for polling. */
bool sched_contended(void);

/* Does whoever serves the executor's requests (memd, fsd) need the CPU of a guest that polls? */
bool sched_few_cpus(void);

/* Figures for debug and metrics. */
struct sched_stats {
	uint64_t sleeps, switches, offloads, blocks, contentions;
};
const struct sched_stats *sched_stats(void);

#endif
