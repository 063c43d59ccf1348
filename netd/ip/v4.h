/* IPv4 and ICMP as the other layers below the transports use them. */
#ifndef NETD_IP_V4_H
#define NETD_IP_V4_H

#include <stdbool.h>
#include <stdint.h>

struct ip_addr;
struct ip_rx;
struct netif;
struct netstack;
struct pkt;

int ip4_netif_added(struct netif *nif);
void ip4_netif_removed(struct netif *nif);
void ip4_netif_up(struct netif *nif);
void ip4_netif_down(struct netif *nif);

int icmp4_init(struct netstack *st);
void icmp4_done(struct netstack *st);
/* An error about p (p->net: its IPv4 header, whole up to p's end). Rate-limited, and none about what RFC 1122 3.2.2
 * forbids. `info` is the word behind the checksum, host order. Does not consume p. */
void icmp4_error(struct netstack *st, const struct pkt *p, uint8_t type, uint8_t code, uint32_t info);
/* The neighbour did not answer: the sender, which is us, is told. */
void icmp4_host_unreachable(struct netstack *st, const struct pkt *p);

int igmp_init(struct netif *nif);
void igmp_done(struct netif *nif);
void igmp_up(struct netif *nif);
void igmp_down(struct netif *nif);
void igmp_input(struct netstack *st, struct pkt *p, const struct ip_rx *rx);

int frag_init(struct netstack *st);
void frag_done(struct netstack *st);
/* A fragment; p->data at the IP header, p->len the datagram's. Consumes p. The whole datagram when this was the last
 * piece (data at the IP header), or NULL. */
struct pkt *frag4_input(struct netstack *st, struct pkt *p);
void frag_flush_netif(struct netif *nif);

#endif
