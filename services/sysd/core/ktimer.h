/* One-shot kernel timers on CLOCK_MONOTONIC, in a heap; callbacks run on the executor's own stack
 * and must not sleep. */
#ifndef SYSD_CORE_KTIMER_H
#define SYSD_CORE_KTIMER_H
#include <stdbool.h>
#include <stdint.h>

struct ktimer {
	uint64_t expires_ns;
	void (*fn)(struct ktimer *);
	int heap_index; /* -1 when not armed */
};
#define KTIMER_NEVER UINT64_MAX

void ktimer_init(struct ktimer *t, void (*fn)(struct ktimer *));
/* Arms or re-arms for an absolute CLOCK_MONOTONIC time. Returns 0 or -ENOMEM. */
int ktimer_start(struct ktimer *t, uint64_t expires_ns);
/* Disarms; returns true when it was armed. */
bool ktimer_cancel(struct ktimer *t);
/* For the executor: fires what is due; the next expiry or KTIMER_NEVER. */
void ktimer_run(uint64_t now_ns);
uint64_t ktimer_next(void);
#endif
