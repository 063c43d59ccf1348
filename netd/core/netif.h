/* Interfaces. */
#ifndef NETD_CORE_NETIF_H
#define NETD_CORE_NETIF_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>
#include "common/base/list.h"
#include "netd/core/addr.h"

struct netif;
struct netstack;
struct pkt;

struct netif_ops {
	/* Sends one frame (linear part from the link header on, pieces outside behind it). Consumes p. Never
	 * blocks: a full link drops and counts. 0 or -errno (-ENOBUFS: dropped; -ENETDOWN). */
	int (*xmit)(struct netif *nif, struct pkt *p);
	void (*free)(struct netif *nif);
};

struct netif_addr {
	struct list node;
	struct ip_addr addr;
	uint8_t prefix;
	uint8_t scope;           /* RT_SCOPE_* */
	uint32_t flags;          /* IFA_F_* (PERMANENT, TENTATIVE, DADFAILED, SECONDARY...) */
	struct ip_addr peer;     /* of a point-to-point link, family 0: none */
	struct ip_addr broadcast;
	char label[16];
	uint64_t preferred_until_ms, valid_until_ms; /* UINT64_MAX: for ever */
	uint64_t created_ms, updated_ms;
	uint8_t dad_left;
	struct netif *netif;
	bool mc_joined;          /* IPv6: its solicited-node group */
	bool advertised;         /* made from what a router told; its subnet is the router's to announce */
};

struct netif_stats {
	uint64_t rx_packets, rx_bytes, rx_errors, rx_dropped, rx_multicast;
	uint64_t tx_packets, tx_bytes, tx_errors, tx_dropped;
};

/* Settings of one interface, net/ipv4/conf/IF/ and net/ipv6/conf/IF/: the same names as conf/default, from which a new
 * interface takes them. */
enum netif_conf {
#define CONF(family, name, file) NETIF_CONF_V##family##_##name,
#include "netd/core/conf.def"
#undef CONF
	NETIF_CONF_COUNT
};
/* The number of a file of conf/IF/ of a family, or -ENOENT. */
int netif_conf_find(int family, const char *file);
int netif_conf_set(struct netif *nif, enum netif_conf id, int64_t value); /* -EINVAL */

#define NETIF_F_CSUM 1u /* completes PARTIAL checksums */
#define NETIF_F_TSO 2u  /* takes super-segments (of both families) */
#define NETIF_F_USO 4u  /* and of UDP */

struct netif {
	struct list node;        /* in the stack, by index */
	struct netstack *st;
	const struct netif_ops *ops;
	int index;
	char name[16];
	uint16_t type;           /* ARPHRD_ETHER, ARPHRD_LOOPBACK */
	uint8_t mac[6];
	uint32_t mtu;
	uint32_t flags;          /* IFF_* */
	uint32_t features;
	uint32_t txqlen;
	struct list addrs;       /* struct netif_addr, in the order of adding */
	struct netif_stats stats;
	void *priv;              /* of ops */
	void *arp, *nd, *igmp, *mld; /* state of those layers */
	int64_t conf[NETIF_CONF_COUNT];
};

/* Adds an interface (the fields up to txqlen filled in; index 0: the next free one); the stack frees
 * it through ops->free. 0, -EEXIST, -ENOMEM. */
int netif_add(struct netstack *st, struct netif *nif);
void netif_remove(struct netif *nif);
struct netif *netif_by_index(struct netstack *st, int index);
struct netif *netif_by_name(struct netstack *st, const char *name);
struct netif *netif_next(struct netstack *st, struct netif *nif); /* NULL: the first */
struct netif *netif_loopback(struct netstack *st);
/* Up or down: IFF_UP, routes of its prefixes, DAD, router solicitation, memberships. */
int netif_set_up(struct netif *nif, bool up);
/* Its name, MTU, link address or flags other than IFF_UP were changed. */
void netif_changed(struct netif *nif);
/* Adds an address with its connected and local routes. -EEXIST, -EINVAL. */
int netif_addr_add(struct netif *nif, const struct netif_addr *a);
int netif_addr_del(struct netif *nif, const struct ip_addr *addr, uint8_t prefix);
/* Is addr one of ours (any interface)? Returns the interface, or NULL. */
struct netif *netif_of_addr(struct netstack *st, const struct ip_addr *addr);

/* Sends a complete frame (or, on a link without headers, an IP packet): shows it to the taps, does in software what
 * the link does not offer, counts. Consumes p. 0 or -errno. */
int netif_output(struct netif *nif, struct pkt *p);
/* A frame came in over the link: p->data at the link header (Ethernet) or the IP header (loopback).
 * Consumes p. Frames of hostile content are this function's daily bread. */
void netif_input(struct netif *nif, struct pkt *p);

/* For a link that can look at a frame before it reads it: `head` are its first `have` bytes, `total` is its size. When
 * the stack knows where the payload will go, returns the size of the headers, and in iov the place of all that
 * follows them: the frame that is read so is given to netif_input next, with pkt.away set. 0: nowhere in particular.
 * What is written there and not taken (it was another frame) does no harm. */
uint32_t netif_place(struct netif *nif, const uint8_t *head, uint32_t have, uint32_t total, struct iovec iov[2]);

/* Somebody who wants to know of every frame (packet sockets, --pcap). `out`: it is being sent. */
struct netif_tap {
	struct list node;
	int index;               /* only this interface; 0: all */
	void (*fn)(struct netif_tap *tap, struct netif *nif, const struct pkt *p, bool out);
};
void netif_tap_add(struct netstack *st, struct netif_tap *tap);
void netif_tap_remove(struct netif_tap *tap);
bool netif_tapped(const struct netif *nif);

/* Changes of links, addresses, routes and neighbours, for rtnetlink's groups and for caches. */
enum net_event { NET_EV_LINK, NET_EV_ADDR, NET_EV_ROUTE, NET_EV_NEIGH };
struct net_listener {
	struct list node;
	void (*fn)(struct net_listener *l, enum net_event ev, bool deleted, const void *what);
};
void net_listener_add(struct netstack *st, struct net_listener *l);
void net_listener_remove(struct net_listener *l);
/* Counts every change that may alter a routing decision. */
uint32_t netstack_generation(const struct netstack *st);

#endif
