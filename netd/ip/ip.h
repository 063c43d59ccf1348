/* The Internet layer as transports see it: routes, sending, receiving, errors. IPv4 (RFC 791, 1122) and
 * IPv6 (RFC 8200) behind one face. */
#ifndef NETD_IP_IP_H
#define NETD_IP_IP_H

#include <stdbool.h>
#include <stdint.h>
#include "common/base/list.h"
#include "netd/core/addr.h"

struct netif;
struct netstack;
struct pkt;

/* ---- routes ------------------------------------------------------------------------------------- */

/* A routing decision, kept by a socket. ip_route_ok says whether it still holds. */
struct ip_route {
	struct netif *out;       /* NULL: none */
	struct ip_addr gateway;  /* family 0: on link */
	struct ip_addr src;      /* the source address it prefers */
	uint32_t mtu;            /* of the path: RFC 1191/8201 results included */
	uint32_t advmss, hoplimit, window, initcwnd; /* metrics, 0: default */
	bool local;              /* to ourselves: goes over loopback */
	bool broadcast, multicast;
	uint32_t generation;
};
struct ip_flow {
	struct ip_addr src, dst; /* src family 0: choose */
	int oif;                 /* bound interface, 0: any */
	uint8_t tos, protocol;
	uint32_t mark;
	bool any_src;            /* src need not be ours (IP_FREEBIND, IP_TRANSPARENT, IP_HDRINCL) */
};
/* 0, -ENETUNREACH, -EHOSTUNREACH, -EACCES (prohibit), -EINVAL (source not ours), -ENODEV. */
int ip_route_lookup(struct netstack *st, const struct ip_flow *f, struct ip_route *ret);
static inline bool ip_route_none(const struct ip_route *r)
{
	return !r->out;
}
/* A message that the transport found to be about something it did send says that the path to dst takes `mtu` bytes
 * (RFC 1191, 8201). Kept per destination for a while; cached routes become stale. An `error` handler calls it with
 * err->info when err->err is EMSGSIZE, once it has checked the quoted sequence number; nobody else does. */
void ip_pmtu_update(struct netstack *st, const struct ip_addr *dst, uint32_t mtu);
bool ip_route_ok(struct netstack *st, const struct ip_route *r);
/* Segments towards dst are being acknowledged: the neighbour is reachable (RFC 4861 7.3.1). */
void ip_route_confirm(struct netstack *st, const struct ip_route *r, const struct ip_addr *dst);

/* ---- out ---------------------------------------------------------------------------------------- */

#define IP_TX_DF 1u       /* don't fragment: -EMSGSIZE with the path MTU when it does not fit */
#define IP_TX_MC_LOOP 4u  /* a multicast also comes to the members on this machine */
#define IP_TX_HDRINCL 2u  /* the packet begins with its own IPv4 header (raw sockets) */
struct ip_tx {
	const struct ip_route *route;
	struct ip_addr src, dst;
	uint8_t protocol, ttl, tos; /* ttl 0: the default; tos: DSCP and ECN bits */
	uint32_t flow_label;        /* IPv6, host order */
	uint32_t flags;
	const uint8_t *options;     /* IPv4 options, or IPv6 extension headers, ready for the wire */
	uint16_t options_size;
	uint8_t options_next;       /* IPv6: protocol number of the first extension header */
};
/* Puts the IP header in front of p->data (the transport header), fragments where it must and may, resolves
 * the neighbour, and sends. A super-segment (p->gso) passes whole. p->csum may be PARTIAL. Consumes p.
 * 0 or -errno; a packet that waits for its neighbour counts as sent. */
int ip_output(struct netstack *st, struct pkt *p, const struct ip_tx *tx);

/* ---- in ----------------------------------------------------------------------------------------- */

/* What a transport is told of a packet that came in. Addresses point into the caller's frame. */
struct ip_rx {
	struct ip_addr src, dst;
	uint8_t protocol, ttl, tos;
	uint32_t flow_label;
	int iif;
	bool broadcast, multicast; /* dst is one */
	bool local;                /* over loopback */
	const uint8_t *header;     /* the IP header, header_size bytes up to the transport's */
	uint16_t header_size;
};
/* A transport's handlers; p->data at its header, linear (all of it here, for a transport without `place`), reassembled,
 * lengths of the IP layer checked.
 * `input` consumes p. For a transport that finds nobody: ip_send_unreachable answers as Linux does. */
struct ip_error;
struct ip_protocol {
	void (*input)(struct netstack *st, struct pkt *p, const struct ip_rx *rx);
	/* An ICMP error about a packet that we sent: `data` is the quoted transport header, `size` bytes of
	 * it (at least 8). rx->src is who complained; `flow` are the addresses of the quoted packet, src is us. */
	void (*error)(struct netstack *st, const struct ip_flow *flow, const uint8_t *data, uint32_t size,
		      const struct ip_error *err);
	/* netif_place, from the transport's header on; rx has addresses and protocol only. NULL: it has no place. */
	uint32_t (*place)(struct netstack *st, const struct ip_rx *rx, const uint8_t *head, uint32_t have, uint32_t total,
			  struct iovec iov[2]);
};
/* Error as seen by a socket (IP_RECVERR, struct sock_extended_err) */
struct ip_error {
	int err;                 /* positive errno: ECONNREFUSED, EHOSTUNREACH, EMSGSIZE... */
	bool hard;               /* fatal for a connection attempt (RFC 1122 4.2.3.9) */
	uint8_t origin;          /* SO_EE_ORIGIN_ICMP, _ICMP6, _LOCAL */
	uint8_t type, code;      /* of the ICMP message */
	uint32_t info;           /* the MTU with EMSGSIZE */
	struct ip_addr offender;
};
void ip_protocol_register(struct netstack *st, uint8_t protocol, const struct ip_protocol *p);
enum ip_unreachable { IP_UNREACH_PORT, IP_UNREACH_PROTO, IP_UNREACH_HOST, IP_UNREACH_ADMIN };
/* Quotes p (whose network header is p->net); rate-limited; never about errors, multicast, fragments. Does not
 * consume p. */
void ip_send_unreachable(struct netstack *st, const struct pkt *p, const struct ip_rx *rx,
			 enum ip_unreachable what);

#endif
