/* Sockets of the host's kernel behind struct nsock, for --network=host: the guest's calls are answered by the stack of
 * the network namespace that netd was left in, not by ours. Everything else (api/, rings, readiness) is as with our own
 * transports.
 *
 * One epoll descriptor, edge-triggered, is a source of netd's loop (netd/link/link.h). Nothing blocks. What an end says
 * about itself (readable, writable) is remembered until a call answers EAGAIN. */
#ifndef NETD_HOST_HOST_H
#define NETD_HOST_HOST_H

#include "netd/sock/sock.h"

struct host_net;
struct link_set;

/* Makes the epoll descriptor a source of the set, which frees it. 0 or -errno. */
int host_net_new(struct link_set *set, struct host_net **ret);
/* An endpoint of socket(2)'s family, type and protocol: streams and datagrams of the Internet families, ping sockets
 * where the host lets netd have one. Raw sockets need rights over the host's namespace: -EPERM. */
int host_sock_create(struct host_net *h, struct netstack *st, int family, int type, int protocol,
		     const struct nsock_up *up, void *owner, struct nsock **ret);

#endif
