/* The inside of IPv6. */
#ifndef NETD_IP_V6_PRIV_H
#define NETD_IP_V6_PRIV_H

#include "netd/ip/ip_priv.h"
#include "netd/ip/v6.h"

#define IP6_EXT_MAX 8u   /* extension headers of one packet */
#define IP6_MIN_MTU 1280u

static inline struct ip_addr ip_addr_v6(const uint8_t b[16])
{
	struct ip_addr a = {.family = AF_INET6};

	memcpy(a.v6, b, 16);
	return a;
}
/* With the interface, when it means something only on a link. */
static inline struct ip_addr ip_addr_v6_on(const uint8_t b[16], int iif)
{
	struct ip_addr a = ip_addr_v6(b);

	if (ip_addr_linklocal(&a))
		a.scope = (uint32_t)iif;
	return a;
}
struct ip_addr ip6_all_nodes(void);
struct ip_addr ip6_all_routers(void);
struct ip_addr ip6_solicited_node(const struct ip_addr *a);
struct netif_addr *ip6_own_addr(struct netif *nif, const struct ip_addr *a);
bool ip6_disabled(const struct netif *nif);

/* icmp6.c: sends p (data at the ICMPv6 header, checksum not made). src family 0: chosen; route NULL: looked up.
 * Consumes p. */
void icmp6_out(struct netstack *st, struct pkt *p, const struct ip_addr *src, const struct ip_addr *dst,
	       struct netif *nif, uint8_t hops, uint8_t tclass, bool router_alert);
int icmp6_init(struct netstack *st);
/* nd.c: p->data at the ICMPv6 header, checksum good. Do not consume p. */
void nd_input(struct netstack *st, const struct pkt *p, const struct ip_rx *rx);
void nd_send_ns(struct netif *nif, const struct ip_addr *src, const struct ip_addr *dst, const struct ip_addr *target,
		const uint8_t nonce[6]);
void nd_send_rs(struct netif *nif);
/* addrconf.c */
int addrconf_init(struct netif *nif);
void addrconf_done(struct netif *nif);
void addrconf_up(struct netif *nif);
void addrconf_down(struct netif *nif);
void addrconf_conflict(struct netif *nif, struct netif_addr *a);
bool addrconf_own_nonce(struct netif *nif, const struct netif_addr *a, const uint8_t nonce[6]);
void addrconf_ra(struct netif *nif, const struct ip_addr *router, const uint8_t *ra, uint32_t size);
void addrconf_redirect(struct netif *nif, const struct ip_addr *router, const struct ip_addr *target,
		       const struct ip_addr *dst);
/* A neighbour said that it is no router. */
void addrconf_router_gone(struct netif *nif, const struct ip_addr *router);

/* mld.c */
int mld_init(struct netif *nif);
void mld_done(struct netif *nif);
void mld_up(struct netif *nif);
void mld_down(struct netif *nif);
void mld_input(struct netstack *st, const struct pkt *p, const struct ip_rx *rx);
/* The solicited-node group of an address. */
void mld_addr(struct netif *nif, const struct ip_addr *a, bool join);

/* frag.c; p->data at the IPv6 header, off: of the fragment header, prev_next: of the byte that names it. Consumes p;
 * the whole packet (without the fragment header), or NULL. */
struct pkt *frag6_input(struct netstack *st, struct pkt *p, uint32_t off, uint32_t prev_next);

#endif
