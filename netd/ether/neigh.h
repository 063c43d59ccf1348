/* Neighbours: which link address an Internet address has, of both families, with the states of RFC 4861 section 7.3.2
 * as Linux names them (NUD_*). The protocols that ask are arp.c and v6/nd.c. */
#ifndef NETD_ETHER_NEIGH_H
#define NETD_ETHER_NEIGH_H

#include <linux/neighbour.h>
#include <stdbool.h>
#include <stdint.h>
#include "common/base/list.h"
#include "netd/core/addr.h"
#include "netd/core/timer.h"

struct netif;
struct netstack;
struct pkt;

struct neigh {
	struct list node, all;   /* in its bucket; in the order of making */
	struct netif *nif;
	struct ip_addr addr;
	uint8_t mac[6];
	uint8_t state;           /* as stored; neigh_state for what it is now */
	uint8_t flags;           /* NTF_* */
	bool router;             /* IPv6: said so */
	uint8_t probes;
	uint64_t confirmed_ms, used_ms, updated_ms;
	uint32_t reachable_ms;   /* how long a confirmation lasts, drawn anew each time */
	struct net_timer timer;
	struct list queue;       /* packets that wait, data at their IP header */
	uint32_t queued, queued_bytes;
	unsigned busy;           /* being walked over: not to be freed */
};

/* Sends p (data at the IP header, p->protocol set) to a neighbour: at once, or once it is known. Consumes p. */
int neigh_output(struct netif *nif, const struct ip_addr *next_hop, struct pkt *p);
struct neigh *neigh_find(struct netif *nif, const struct ip_addr *a);
/* Finds or makes one (INCOMPLETE-to-be: NUD_NONE). NULL: no memory, table full of neighbours in use. */
struct neigh *neigh_get(struct netif *nif, const struct ip_addr *a);
#define NEIGH_OVERRIDE 1u     /* another link address may replace a known one */
#define NEIGH_ADMIN 2u        /* by the administrator: even a permanent one */
/* News about a neighbour; mac NULL: only the state. */
void neigh_update(struct neigh *n, const uint8_t *mac, uint8_t state, unsigned flags);
/* Traffic shows that it is there. */
void neigh_confirm(struct netif *nif, const struct ip_addr *a);
uint8_t neigh_state(struct neigh *n);
void neigh_delete(struct neigh *n);
void neigh_flush(struct netif *nif);
/* The next of a family (AF_UNSPEC: both); NULL begins. */
struct neigh *neigh_next(struct netstack *st, int family, struct neigh *prev);

int neigh_init(struct netstack *st);
void neigh_done(struct netstack *st);

#endif
