/* rtnetlink(7) and sock_diag(7), as functions over bytes: a program's datagram in, datagrams for it out. Nothing is
 * kept between two requests; a dump is answered in one go, so it is always of one moment. */
#ifndef NETD_NETLINK_NETLINK_H
#define NETD_NETLINK_NETLINK_H

#include <stddef.h>
#include <stdint.h>
#include "netd/core/netif.h"

struct netstack;

#define NETLINK_MAY_ADMIN 1u   /* the sender has CAP_NET_ADMIN over the namespace */
#define NETLINK_EXT_ACKS 16u   /* its socket has NETLINK_EXT_ACK, NETLINK_CAP_ACK, NETLINK_GET_STRICT_CHK */
#define NETLINK_CAP_ACKS 32u
#define NETLINK_STRICT 64u

/* Takes one datagram. group 0: an answer; else for all sockets that are members of it (RTNLGRP_*). */
typedef void (*netlink_emit_fn)(void *arg, uint32_t group, const void *data, size_t size);

/* A datagram for NETLINK_ROUTE or NETLINK_SOCK_DIAG; port is the sender's. Answers, acknowledgements and errors go
 * to emit. Hostile content is expected. -EPROTONOSUPPORT: no such protocol here. */
int netlink_request(struct netstack *st, int protocol, uint32_t port, uint32_t flags, const void *data, size_t size,
		    netlink_emit_fn emit, void *arg);

/* Tells the groups of NETLINK_ROUTE what changes, by any hand. */
struct netlink_monitor {
	struct net_listener listener;
	struct netstack *st;
	netlink_emit_fn emit;
	void *arg;
};
void netlink_monitor_start(struct netlink_monitor *m, struct netstack *st, netlink_emit_fn emit, void *arg);
void netlink_monitor_stop(struct netlink_monitor *m);

#endif
