/* Processor time of guest tasks, and timers on it.
 *
 * The host keeps the figures: a guest process is one host process at a time, and any process may
 * read another's process-wide CPU clocks (clock_getcpuclockid(3)); thread clocks only its own. What
 * a thread group has used is the clock of its present host process plus an offset, which carries
 * the time of the host processes it had before (exec moves a task) and takes off what the process
 * had used before it became the group's. */
#ifndef SYSD_TIME_CPUTIME_H
#define SYSD_TIME_CPUTIME_H

#include <stdbool.h>
#include <stdint.h>
#include "common/base/list.h"

struct task;
struct signal;
struct mm;
struct abi_rusage;

/* Of a thread group, threads gone included: user and system. Never sleeps. */
void cputime_group(struct signal *sig, uint64_t *ret_utime_ns, uint64_t *ret_stime_ns);
/* Of one thread: exact for the current task (asks its host thread: may sleep then) and for
 * groups of one thread; else the figure of its last own call. */
void cputime_thread(struct task *t, uint64_t *ret_utime_ns, uint64_t *ret_stime_ns);

/* Called by fork for the child once sig->leader->mm is set (a vfork child's may be the parent's). */
void cputime_fork(struct signal *child);
/* Called by exec while the group's old host process is still there, before the mm is replaced;
 * cputimer_rebind follows once the leader's mm is the new one. */
void cputime_exec(struct signal *sig, struct mm *new_mm);
/* Called when the last thread of a group exits, while its mm is still there: the figures freeze in
 * sig->utime_ns, sig->stime_ns and sig->maxrss, and all timers of the group go. Idempotent. */
void cputime_exit(struct signal *sig);
/* The group has (or got) this RLIMIT_CPU. */
void cputime_limit_changed(struct signal *sig);

/* struct rusage of RUSAGE_SELF, _CHILDREN, _BOTH (wait4 of a zombie) or _THREAD. */
void rusage_fill(struct task *t, struct signal *sig, int who, struct abi_rusage *ret);

enum cputime_kind { CPUTIME_PROF, CPUTIME_VIRT, CPUTIME_SCHED }; /* as ABI_CPUCLOCK_* */
uint64_t cputime_clock(struct signal *sig, enum cputime_kind kind);

/* A one-shot timer on a group's CPU clock; the host's own timer stands behind it, so that it costs
 * nothing while the group does not run. fn runs on the executor's stack and must not sleep. */
struct cputimer {
	struct list link;       /* in all timers of all groups; self-linked when not armed */
	struct signal *sig;
	enum cputime_kind kind;
	uint64_t expires_ns;
	void (*fn)(struct cputimer *);
	int slot;               /* of the table of host timers; -1: none */
};
void cputimer_init(struct cputimer *ct, void (*fn)(struct cputimer *));
/* 0 or -EAGAIN: the host has no more timers. */
int cputimer_start(struct cputimer *ct, struct signal *sig, enum cputime_kind kind,
		   uint64_t expires_ns);
bool cputimer_cancel(struct cputimer *ct);
/* exec: the group's clocks now stand in another host process. */
void cputimer_rebind(struct signal *sig);
/* Before the confinement, on the main thread, with no other thread started yet. */
void time_host_init(void);
/* After sched_init. */
void time_init(void);

#endif
