/* Raw, ping and packet sockets as the Internet layer feeds them. */
#ifndef NETD_SOCK_RAW_H
#define NETD_SOCK_RAW_H

#include <stdbool.h>
#include <stdint.h>

struct ip_error;
struct ip_flow;
struct ip_rx;
struct netstack;
struct pkt;

/* Copies p (data at the transport header) to the raw sockets that want it. Does any? */
bool raw_deliver(struct netstack *st, struct pkt *p, const struct ip_rx *rx);
/* An ICMP error about the quoted packet: its IP header, hlen bytes of it, and what follows. */
void raw_error(struct netstack *st, const struct ip_flow *flow, const uint8_t *quoted, uint32_t size, uint32_t hlen,
	       const struct ip_error *e);
/* An echo reply for a ping socket, data at the ICMP header. Consumes p. */
void ping_input(struct netstack *st, struct pkt *p, const struct ip_rx *rx);
/* An error about an echo request: data from its ICMP header on. */
void ping_error(struct netstack *st, const struct ip_flow *flow, const uint8_t *data, uint32_t size,
		const struct ip_error *err);

#endif
