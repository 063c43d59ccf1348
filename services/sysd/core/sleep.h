/* What interrupts a sleep, as the signal code sees it; weak, so that the core runs without it. */
#ifndef SYSD_CORE_SLEEP_H
#define SYSD_CORE_SLEEP_H
#include <stdbool.h>
#include "services/sysd/signal/signal.h"

bool signal_pending(const struct task *t) __attribute__((weak));
bool signal_fatal_pending(const struct task *t) __attribute__((weak));

static inline bool sleep_signal_pending(const struct task *t)
{
	return signal_pending && signal_pending(t);
}
static inline bool sleep_fatal_pending(const struct task *t)
{
	return signal_fatal_pending && signal_fatal_pending(t);
}
#endif
