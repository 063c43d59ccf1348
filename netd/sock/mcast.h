/* Multicast memberships of sockets (IP_ADD_MEMBERSHIP and its sisters) with their source filters (RFC 3376, 3810). */
#ifndef NETD_SOCK_MCAST_H
#define NETD_SOCK_MCAST_H

#include <stdbool.h>
#include <stdint.h>

struct ip_addr;
struct netif;
struct nsock;

/* The membership options of level IPPROTO_IP and IPPROTO_IPV6; -ENOPROTOOPT when it is none of them. */
int nsock_mcast_setopt(struct nsock *s, int level, int name, const void *val, uint32_t size);
int nsock_mcast_getopt(struct nsock *s, int level, int name, void *val, uint32_t *size);
/* Does s take a datagram of src to the group, come in by interface iif? */
bool nsock_mcast_wants(const struct nsock *s, const struct ip_addr *group, const struct ip_addr *src, int iif);
void nsock_mcast_drop_all(struct nsock *s);

#endif
