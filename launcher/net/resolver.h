/* A name server at a loopback address that the container is to ask but that runs on the host: Docker's at
 * 127.0.0.11 (which is reached through rules in the container's own namespace), or a local one with
 * --network=nat. The sandbox's loopback is netd's, so netd answers there, and relays over a socket from here. */
#ifndef LAUNCHER_NET_RESOLVER_H
#define LAUNCHER_NET_RESOLVER_H

#include <stddef.h>
#include "common/ipc/msg_link.h"
#include "launcher/error.h"

/* The first name server in a resolv.conf(5) that is an IPv4 loopback address; family 0: none. */
struct link_ip resolver_find(const char *text);
/* A UDP socket, connected to its port 53 in the network namespace of the caller. */
int resolver_open(const struct link_ip *server, struct err *e);
/* TCP sockets of that namespace that are not connected yet: all or none. */
int resolver_open_tcp(int ret_fds[LINK_RESOLVER_LINES], struct err *e);

#endif
