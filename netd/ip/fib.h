/* Routing tables and rules, as ip-route(8) and ip-rule(8) see them. */
#ifndef NETD_IP_FIB_H
#define NETD_IP_FIB_H

#include <stdbool.h>
#include <stdint.h>
#include "common/base/list.h"
#include "netd/core/addr.h"

struct ip_flow;
struct netif;
struct netstack;

#define FIB_HOPS_MAX 16u

struct fib_hop {
	struct netif *out;       /* NULL: of a route that leads nowhere (unreachable, blackhole, prohibit) */
	struct ip_addr gateway;  /* family 0: on link; may be of the other family (RTA_VIA) */
	uint8_t weight;          /* of several, 1 and more */
	uint8_t flags;           /* RTNH_F_* (ONLINK) */
};
struct fib_metrics {
	uint32_t mtu, advmss, hoplimit, window, initcwnd, initrwnd, rtt, rttvar, ssthresh, rto_min, quickack;
	bool mtu_lock;
};
struct fib_entry {
	struct list node;        /* in its bucket */
	struct list all;         /* in its table, in the order of dumps */
	struct ip_addr dst;
	uint8_t dst_len, tos, protocol, scope, type, pref; /* RTPROT_, RT_SCOPE_, RTN_; pref: of RFC 4191, IPv6 */
	uint32_t table, priority;
	struct ip_addr prefsrc;
	struct fib_metrics metrics;
	uint32_t flags;          /* RTM_F_* */
	uint64_t expires_ms;     /* 0: never */
	bool advertised;         /* a router of the link told of it, and may take it back */
	uint8_t hop_count;
	struct fib_hop hop[FIB_HOPS_MAX];
};

#define FIB_CREATE 1u   /* NLM_F_CREATE, ... */
#define FIB_EXCL 2u
#define FIB_REPLACE 4u
#define FIB_APPEND 8u
/* Adds a copy of e (its lists are not looked at). -EEXIST, -ENOENT (replace what is not there), -EINVAL, -ENOMEM;
 * -ENETUNREACH: the gateway is not on a link; -ENETDOWN. */
int fib_add(struct netstack *st, const struct fib_entry *e, unsigned flags);
/* Deletes the first that agrees with e in table, dst, dst_len and in what else is set (priority, tos, protocol, scope
 * other than RT_SCOPE_NOWHERE, type, hops, advertised). -ESRCH. */
int fib_del(struct netstack *st, const struct fib_entry *e);
/* The next of a family (table 0: all tables), in the order of dumps; NULL begins. A dump that was interrupted by a
 * change begins anew. */
const struct fib_entry *fib_next(struct netstack *st, int family, uint32_t table, const struct fib_entry *prev);
/* Removes what goes over an interface; all: local entries too. */
void fib_flush_netif(struct netif *nif, int family, bool all);
/* The entry that a lookup by rules finds and the hop it takes. 0 or as ip_route_lookup. */
int fib_lookup(struct netstack *st, const struct ip_flow *f, const struct fib_entry **ret, const struct fib_hop **ret_hop);
/* In the local table alone: RTN_LOCAL, RTN_BROADCAST, RTN_MULTICAST or RTN_UNSPEC. *ret_entry may be NULL. */
uint8_t fib_local_type(struct netstack *st, const struct ip_addr *a, const struct fib_entry **ret_entry);

struct fib_rule {
	struct list node;
	uint16_t family;
	uint32_t priority;
	struct ip_addr src, dst; /* family 0: any */
	uint8_t src_len, dst_len, tos, action; /* FR_ACT_* */
	uint8_t protocol;        /* RTPROT_* */
	uint32_t table, mark, mark_mask, flags; /* FIB_RULE_INVERT */
	uint8_t ip_proto;
	char iif[16], oif[16];
	int32_t suppress_prefixlen; /* -1: none */
};
int fib_rule_add(struct netstack *st, const struct fib_rule *r, bool excl); /* priority 0: before the last added */
int fib_rule_del(struct netstack *st, const struct fib_rule *r);            /* -ENOENT */
const struct fib_rule *fib_rule_next(struct netstack *st, int family, const struct fib_rule *prev);

#endif
