/* One network stack: everything of one network namespace. There may be several in a process; nothing is
 * ambient. The stack is single-threaded and makes no host call of its own: time, randomness and links
 * come through its environment, so that tests run it on virtual time and memory links.
 *
 * Use: netstack_new, netif_add..., then for ever: feed packets by netif_input, netstack_run, sleep until
 * netstack_next_due or a link or a socket has something. */
#ifndef NETD_CORE_STACK_H
#define NETD_CORE_STACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "common/base/list.h"

struct netstack;
struct pkt;

struct netstack_env {
	uint64_t (*mono_ns)(void *arg);              /* CLOCK_MONOTONIC */
	uint64_t (*real_ns)(void *arg);              /* CLOCK_REALTIME */
	void (*random)(void *arg, void *buf, size_t size);
	void *arg;
};

/* NULL: no memory. The loopback interface exists from the start, down, as index 1. */
struct netstack *netstack_new(const struct netstack_env *env);
void netstack_free(struct netstack *st);
/* Reads the clock once for this round; everything in the round sees the same time. */
void netstack_tick(struct netstack *st);
uint64_t netstack_now_ms(const struct netstack *st);
uint64_t netstack_now_us(const struct netstack *st);
uint64_t netstack_now_ns(const struct netstack *st);
uint64_t netstack_real_ns(struct netstack *st);
void netstack_random(struct netstack *st, void *buf, size_t size);
uint32_t netstack_random32(struct netstack *st);
/* Keyed hash (SipHash-2-4) with a secret of this stack, for tables, ports, sequence numbers. */
uint64_t netstack_hash(const struct netstack *st, const void *data, size_t size);
/* Runs due timers and what loopback has queued, until nothing is left to do now. */
void netstack_run(struct netstack *st);
/* Milliseconds from now to the next timer, or -1: none. 0: run at once. */
int64_t netstack_next_due(const struct netstack *st);

/* Work that a layer wants done at the end of the round (delayed ACKs to push, sockets to wake). */
struct net_work {
	struct list node;
	void (*fn)(struct net_work *w);
};
void net_work_init(struct net_work *w, void (*fn)(struct net_work *));
void net_work_queue(struct netstack *st, struct net_work *w); /* once until it ran */
void net_work_cancel(struct net_work *w);

/* Private parts of each layer, made by its *_init at netstack_new. */
struct ip_state;
struct tcp_state;
struct udp_state;
struct raw_state;
struct ip_state *netstack_ip(struct netstack *st);
struct tcp_state *netstack_tcp(struct netstack *st);
struct udp_state *netstack_udp(struct netstack *st);
struct raw_state *netstack_raw(struct netstack *st);

/* SNMP counters (RFC 1213, 4293, and Linux's own of /proc/net/netstat): one line each in mib.def as
 * MIB(group, Name), groups Ip Icmp IcmpMsg Tcp Udp Ip6 Icmp6 Udp6 TcpExt IpExt. */
enum net_mib {
#define MIB(group, name) MIB_##group##_##name,
#include "netd/core/mib.def"
#undef MIB
	NET_MIB_COUNT
};
void net_count(struct netstack *st, enum net_mib what);
void net_count_add(struct netstack *st, enum net_mib what, uint64_t n);
uint64_t net_counter(const struct netstack *st, enum net_mib what);

/* Settings under /proc/sys/net that the stack obeys: one line each in sysctl.def as
 * SYSCTL(id, "ipv4/tcp_sack", min, max, default). Plain numbers. */
enum net_sysctl {
#define SYSCTL(id, path, min, max, init) NET_SYSCTL_##id,
#include "netd/core/sysctl.def"
#undef SYSCTL
	NET_SYSCTL_COUNT
};
int64_t net_sysctl(const struct netstack *st, enum net_sysctl id);
int net_sysctl_set(struct netstack *st, enum net_sysctl id, int64_t value); /* -EINVAL: out of range */

#endif
