/* The inside of a stack, for its own layers. */
#ifndef NETD_CORE_STACK_PRIV_H
#define NETD_CORE_STACK_PRIV_H

#include "netd/core/netif.h"
#include "netd/core/stack.h"
#include "netd/core/timer.h"

#define WHEEL_BITS 6u
#define WHEEL_SLOTS 64u
#define WHEEL_LEVELS 7u /* 2^42 ms */

struct timer_wheel {
	uint64_t cur;                     /* ms up to which it ran */
	uint64_t used[WHEEL_LEVELS];      /* slots that may have something: a cancelled timer leaves its bit */
	struct list slot[WHEEL_LEVELS][WHEEL_SLOTS];
	struct list expired;              /* due at the next run */
};

void wheel_init(struct timer_wheel *w, uint64_t now_ms);
/* Runs what is due at now_ms; returns how many ran. */
unsigned wheel_run(struct timer_wheel *w, uint64_t now_ms);
/* When the next one is due (never later than it really is, rarely earlier); UINT64_MAX: none. */
uint64_t wheel_next(struct timer_wheel *w);

#define NSOCK_KINDS 6u

struct netstack {
	struct netstack_env env;
	uint64_t now_ns, now_ms, now_real_ns;
	uint64_t hash_key[2];
	struct timer_wheel wheel;
	struct list work;
	struct list netifs;
	struct netif *loopback;
	int next_index;
	struct list lo_queue;             /* packets under way on the loopback interface */
	unsigned lo_queued;
	struct list taps, listeners;
	uint32_t generation;
	struct ip_state *ip;
	struct tcp_state *tcp;
	struct udp_state *udp;
	struct raw_state *raw;
	struct port_state *ports;
	struct list socks[NSOCK_KINDS];   /* struct nsock.all */
	uint64_t next_cookie;
	uint64_t mib[NET_MIB_COUNT];
	int64_t sysctl[NET_SYSCTL_COUNT];
	uint8_t rnd[256];
	unsigned rnd_left;
};

uint64_t siphash24(const uint64_t key[2], const void *data, size_t size);
int loopback_init(struct netstack *st);
/* Delivers what loopback has queued; returns how many. */
unsigned loopback_run(struct netstack *st);
void netif_tap_show(struct netif *nif, const struct pkt *p, bool out);
void net_event(struct netstack *st, enum net_event ev, bool deleted, const void *what);
/* Something changed that routing decisions depend on. */
static inline void netstack_bump(struct netstack *st)
{
	st->generation++;
}
void sysctl_init(struct netstack *st);

#endif
