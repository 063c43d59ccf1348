/* The inside of the Internet layer, shared by its files. */
#ifndef NETD_IP_IP_PRIV_H
#define NETD_IP_IP_PRIV_H

#include <linux/rtnetlink.h>
#include <netinet/in.h>

#include "netd/core/pkt_priv.h"
#include "netd/core/stack_priv.h"
#include "netd/core/wire.h"
#include "netd/ip/fib.h"
#include "netd/ip/ip.h"

struct fib_state;
struct neigh_state;
struct frag_state;
struct pmtu_state;
struct icmp_state;

#define ID_SLOTS 1024u

struct ip_state {
	const struct ip_protocol *protocols[256];
	struct fib_state *fib;
	struct neigh_state *neigh;
	struct frag_state *frag;
	struct pmtu_state *pmtu;
	struct icmp_state *icmp;
	uint16_t ids[ID_SLOTS];       /* IPv4 identifications, by hash of addresses */
	/* the last answer of fib_local_type, which most packets ask for again */
	struct {
		struct ip_addr addr;
		uint32_t generation;
		uint8_t type;
	} last_local;
};

/* fib.c */
int fib_init(struct netstack *st);
void fib_done(struct netstack *st);
/* route.c */
uint32_t ip_route_mtu(struct netstack *st, const struct ip_addr *dst, const struct netif *out, uint32_t metric);
/* A source for dst over out: the best address by RFC 6724 (IPv6) or of the gateway's subnet (IPv4). False: none. */
bool ip_select_source(struct netstack *st, const struct netif *out, const struct ip_addr *dst,
		      const struct ip_addr *gateway, struct ip_addr *ret);
/* pmtu.c */
int pmtu_init(struct netstack *st);
void pmtu_done(struct netstack *st);
uint32_t pmtu_get(struct netstack *st, const struct ip_addr *dst); /* UINT32_MAX: nothing is known */
void pmtu_flush(struct netstack *st);

/* v4/ and v6/ */
void ip4_input(struct netif *nif, struct pkt *p);
void ip6_input(struct netif *nif, struct pkt *p);
int ip4_output(struct netstack *st, struct pkt *p, const struct ip_tx *tx);
int ip6_output(struct netstack *st, struct pkt *p, const struct ip_tx *tx);
/* Hands a packet with its IP header in front (p->data) to the link or to ourselves. Consumes p. */
int ip_emit(struct netstack *st, struct pkt *p, const struct ip_route *r, const struct ip_addr *dst, bool mc_loop);
/* The transport's turn: raw sockets, then the registered protocol. p->data at the transport header. Consumes p.
 * False: nobody knows this protocol (p is not consumed). */
bool ip_deliver(struct netstack *st, struct pkt *p, const struct ip_rx *rx);

/* The multicast groups of an interface, and who reports them (igmp.c, mld.c). */
bool ip_mc_joined(const struct netif *nif, const struct ip_addr *group);

#endif
