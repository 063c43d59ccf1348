/* A hierarchical timer wheel: arming, re-arming and cancelling are O(1), a tick touches only what is due.
 * Resolution 1 ms. One wheel for each stack; single-threaded. */
#ifndef NETD_CORE_TIMER_H
#define NETD_CORE_TIMER_H

#include <stdbool.h>
#include <stdint.h>
#include "common/base/list.h"

struct netstack;

struct net_timer {
	struct list node;
	uint64_t due_ms;
	void (*fn)(struct net_timer *t); /* disarmed when called; may re-arm or free its container */
};

void net_timer_init(struct net_timer *t, void (*fn)(struct net_timer *));
/* Arms at now + delay_ms (0: at the next run); an armed timer is moved. */
void net_timer_arm(struct netstack *st, struct net_timer *t, uint64_t delay_ms);
void net_timer_cancel(struct net_timer *t); /* harmless when not armed */
static inline bool net_timer_armed(const struct net_timer *t)
{
	return !list_empty(&t->node);
}

#endif
