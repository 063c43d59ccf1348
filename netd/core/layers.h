/* How the stack begins and ends its layers. Each *_init makes the private part that netstack_ip() and its sisters
 * return and registers its protocols; each *_done frees it, accepts the half-built, and leaves no packet and no timer
 * behind. */
#ifndef NETD_CORE_LAYERS_H
#define NETD_CORE_LAYERS_H

#include <stdint.h>
#include <sys/uio.h>

struct netif;
struct netif_addr;
struct netstack;
struct pkt;

int ip_init(struct netstack *st);
void ip_done(struct netstack *st);
int port_init(struct netstack *st);
void port_done(struct netstack *st);
int udp_init(struct netstack *st);
void udp_done(struct netstack *st);
int raw_init(struct netstack *st); /* raw, ping and packet sockets */
void raw_done(struct netstack *st);

/* What the Internet layers do when an interface changes. */
int ip_netif_added(struct netif *nif);
void ip_netif_removed(struct netif *nif);
void ip_netif_up(struct netif *nif);
void ip_netif_down(struct netif *nif);
void ip_addr_added(struct netif *nif, struct netif_addr *a);
void ip_addr_removed(struct netif *nif, struct netif_addr *a);
/* A setting of the interface was changed (enum netif_conf), its MTU. */
void ip_conf_changed(struct netif *nif, unsigned id);
void ip_mtu_changed(struct netif *nif);
/* A frame of an Ethernet link, p->data at its header, the type not looked at yet. Consumes p. */
void ether_input(struct netif *nif, struct pkt *p);
/* p->data at the IP header, of either family, by p->protocol. Consumes p. */
void ip_input(struct netif *nif, struct pkt *p);
/* netif_place, from the IP header on, for packets of this EtherType. */
uint32_t ip_place(struct netif *nif, uint16_t ethertype, const uint8_t *head, uint32_t have, uint32_t total,
		  struct iovec iov[2]);

#endif
