/* What the datagram transports share of level IPPROTO_IP and IPPROTO_IPV6, beyond struct nsock_opt. */
#ifndef NETD_SOCK_IPOPT_H
#define NETD_SOCK_IPOPT_H

#include <stdint.h>

struct ip_route;
struct nsock;
struct nsock_name;

/* May s have this local address? 0, -EADDRNOTAVAIL, -EAFNOSUPPORT, -EINVAL, -ENODEV. */
int ip_sock_bind_check(struct nsock *s, const struct nsock_name *n);
/* Options of the transports' common part; r: the route of its connection, NULL: none. */
int ip_sock_setopt(struct nsock *s, int level, int name, const void *val, uint32_t size);
int ip_sock_getopt(struct nsock *s, int level, int name, const struct ip_route *r, void *val, uint32_t *size);
/* IP_OPTIONS: checked and kept. */
int ip_sock_set_options(uint8_t kept[40], uint8_t *kept_size, const void *val, uint32_t size);

#endif
