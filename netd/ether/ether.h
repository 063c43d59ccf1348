/* Ethernet: headers, and ARP (RFC 826). */
#ifndef NETD_ETHER_ETHER_H
#define NETD_ETHER_ETHER_H

#include <stdbool.h>
#include <stdint.h>

struct ip_addr;
struct neigh;
struct netif;
struct pkt;

/* Puts the header in front (p->protocol is the type) and sends. Consumes p. */
int ether_output(struct netif *nif, const uint8_t dst[6], struct pkt *p);
/* The link address of a multicast group (RFC 1112 6.4, RFC 2464 7), of the broadcast address otherwise. */
void ether_group(const struct ip_addr *a, uint8_t ret[6]);

void arp_input(struct netif *nif, struct pkt *p);
/* Asks for a neighbour: of everybody, or (unicast) of the one that had the address. */
void arp_solicit(struct neigh *n, bool unicast);
/* Says our address to everybody (RFC 5227 3). */
void arp_announce(struct netif *nif, const struct ip_addr *a);

#endif
