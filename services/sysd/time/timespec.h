/* Times of the guest in and out: every call that takes a timespec or timeval uses these. */
#ifndef SYSD_TIME_TIMESPEC_H
#define SYSD_TIME_TIMESPEC_H

#include <stdbool.h>
#include <stdint.h>
#include "services/sysd/abi/time.h"
#include "services/sysd/core/clock.h"
#include "services/sysd/core/ktimer.h"
#include "services/sysd/mm/usercopy.h"

/* Longest time kept; what is longer never comes (292 years). */
#define TIME_NS_MAX ((uint64_t)INT64_MAX)

static inline bool timespec_valid(const struct abi_timespec *ts)
{
	return ts->sec >= 0 && ts->nsec >= 0 && ts->nsec < (int64_t)NSEC_PER_SEC;
}
/* Saturates. The value must be valid. */
static inline uint64_t timespec_ns(const struct abi_timespec *ts)
{
	if ((uint64_t)ts->sec >= TIME_NS_MAX / NSEC_PER_SEC)
		return TIME_NS_MAX;
	return (uint64_t)ts->sec * NSEC_PER_SEC + (uint64_t)ts->nsec;
}
static inline struct abi_timespec ns_timespec(uint64_t ns)
{
	return (struct abi_timespec){(int64_t)(ns / NSEC_PER_SEC), (int64_t)(ns % NSEC_PER_SEC)};
}
static inline struct abi_timeval ns_timeval(uint64_t ns)
{
	return (struct abi_timeval){(int64_t)(ns / NSEC_PER_SEC),
				    (int64_t)(ns % NSEC_PER_SEC) / 1000};
}
static inline bool timeval_valid(const struct abi_timeval *tv)
{
	return tv->sec >= 0 && tv->usec >= 0 && tv->usec < 1000000;
}
static inline uint64_t timeval_ns(const struct abi_timeval *tv)
{
	struct abi_timespec ts = {tv->sec, tv->usec * 1000};

	return timespec_ns(&ts);
}
/* A relative time as an absolute CLOCK_MONOTONIC deadline for wait_sleep. */
static inline uint64_t deadline_after(uint64_t ns)
{
	return ns >= TIME_NS_MAX ? KTIMER_NEVER : clock_mono_ns() + ns;
}
/* A timespec of the guest, checked. Returns 0, -EFAULT or -EINVAL. */
static inline int user_timespec(struct task *t, struct abi_timespec *ret_ts, uint64_t uaddr)
{
	struct abi_timespec ts;

	if (user_get(t, ts, uaddr))
		return -14; /* EFAULT */
	if (!timespec_valid(&ts))
		return -22; /* EINVAL */
	*ret_ts = ts;
	return 0;
}

#endif
