/* IPv6, ICMPv6, neighbour discovery as the other layers below the transports use them. */
#ifndef NETD_IP_V6_H
#define NETD_IP_V6_H

#include <stdbool.h>
#include <stdint.h>

struct ip_addr;
struct ip_rx;
struct neigh;
struct netif;
struct netif_addr;
struct netstack;
struct pkt;

int ip6_init(struct netstack *st);
void ip6_done(struct netstack *st);
int ip6_netif_added(struct netif *nif);
void ip6_netif_removed(struct netif *nif);
void ip6_netif_up(struct netif *nif);
void ip6_netif_down(struct netif *nif);
/* disable_ipv6 was set or cleared: the addresses go, or the link's own come. */
void ip6_disable_changed(struct netif *nif);
/* An address is on an interface that is up: duplicate address detection, then its local route. Once or again. */
void ip6_addr_start(struct netif *nif, struct netif_addr *a);
void ip6_addr_stop(struct netif *nif, struct netif_addr *a);
/* An address of either family has lifetimes: it is deprecated and removed in time. */
void addrconf_lives(struct netif *nif, const struct netif_addr *a);
/* addrs.c: the local route of an address. */
void ip_addr_local(struct netif *nif, const struct netif_addr *a, bool add);

void nd_solicit(struct neigh *n, bool unicast);
void icmp6_error(struct netstack *st, const struct pkt *p, uint8_t type, uint8_t code, uint32_t info);
void icmp6_addr_unreachable(struct netstack *st, const struct pkt *p);

#endif
