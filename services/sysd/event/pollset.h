/* A sleep on many files at once: the poll table behind poll and select, and the temporary signal mask
 * of the p-variants. */
#ifndef SYSD_EVENT_POLLSET_H
#define SYSD_EVENT_POLLSET_H

#include <stdbool.h>
#include <stdint.h>
#include "services/sysd/core/waitq.h"
#include "services/sysd/vfs/poll.h"

struct task;

struct pollset_entry {
	struct waitq_entry entry;
	struct pollset *set;
	struct file *file; /* a reference: it keeps the queue alive */
	uint32_t events;   /* what this wait is for; others do not wake */
};
struct pollset_chunk {
	struct pollset_chunk *next;
	unsigned count;
	struct pollset_entry e[32];
};
struct pollset {
	struct poll_table pt; /* pt.queue NULL: do not register (any more) */
	struct strand *strand;
	bool triggered;
	int error;
	struct file *file; /* which is being asked, and for what */
	uint32_t events;
	unsigned inline_count;
	struct pollset_entry inline_entries[8];
	struct pollset_chunk *chunks;
};

void pollset_init(struct pollset *ps, bool register_waits);
/* Leaves all queues. */
void pollset_done(struct pollset *ps);
/* The file's events out of `events` (EPOLLERR and EPOLLHUP are added by the caller). */
uint32_t pollset_poll(struct pollset *ps, struct file *f, uint32_t events);
static inline void pollset_no_more(struct pollset *ps)
{
	ps->pt.queue = NULL;
}
/* Sleeps until a wake since the last call, a signal (-ERESTARTSYS) or the deadline (-ETIMEDOUT). */
int pollset_sleep(struct pollset *ps, uint64_t deadline_ns);

/* ppoll, pselect6, epoll_pwait: installs the mask at uset (0: none). 0, -EINVAL, -EFAULT. */
int sigmask_swap(struct task *t, uint64_t uset, uint64_t size);
/* At the end: puts the old mask back, unless the call was interrupted: then the delivery does. */
void sigmask_swap_end(struct task *t, bool interrupted);

/* A relative time as deadline: 0 is "do not wait". */
uint64_t poll_deadline(uint64_t timeout_ns);

#endif
