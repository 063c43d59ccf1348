/* What the datagram transports share of level IPPROTO_IP and IPPROTO_IPV6, beyond struct nsock_opt. */
#ifndef NETD_SOCK_IPOPT_H
#define NETD_SOCK_IPOPT_H

#include <stdbool.h>
#include <stdint.h>

struct ip_error;
struct ip_flow;
struct ip_route;
struct nsock;
struct nsock_meta;
struct nsock_name;

/* May s have this local address? 0, -EADDRNOTAVAIL, -EAFNOSUPPORT, -EINVAL, -ENODEV. */
int ip_sock_bind_check(struct nsock *s, const struct nsock_name *n);
/* Options of the transports' common part; r: the route of its connection, NULL: none. */
int ip_sock_setopt(struct nsock *s, int level, int name, const void *val, uint32_t size);
int ip_sock_getopt(struct nsock *s, int level, int name, const struct ip_route *r, void *val, uint32_t *size);
/* Where a datagram to `to` goes: the interface, source, and marks that options and ancillary data say. */
struct ip_flow ip_sock_flow(const struct nsock *s, const struct nsock_meta *meta, const struct nsock_name *to);
/* May it go the way that was found (SO_BROADCAST, SO_DONTROUTE)? */
int ip_sock_route_allowed(const struct nsock *s, const struct nsock_meta *meta, const struct ip_route *r);
/* An ICMP error for s about what it sent to `to`, of which these bytes are quoted: to the error queue, or as SO_ERROR
 * when it is connected and the error is fatal. Path MTUs are noted. */
void ip_sock_report(struct nsock *s, bool connected, const struct ip_flow *flow, const struct nsock_name *to,
		    const uint8_t *data, uint32_t size, const struct ip_error *e);
/* getname of a socket that is connected or not. */
int ip_sock_getname(const struct nsock *s, bool connected, bool peer, struct nsock_name *ret);
/* The value of an option that is an int, as much of it as there is room for. */
int ip_sock_put_int(int v, void *val, uint32_t *size);
/* IP_OPTIONS: checked and kept. */
int ip_sock_set_options(uint8_t kept[40], uint8_t *kept_size, const void *val, uint32_t size);

#endif
