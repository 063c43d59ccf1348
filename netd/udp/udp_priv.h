/* The inside of UDP and UDP-Lite. */
#ifndef NETD_UDP_UDP_PRIV_H
#define NETD_UDP_UDP_PRIV_H

#include "netd/core/pkt_priv.h"
#include "netd/core/stack_priv.h"
#include "netd/core/wire.h"
#include "netd/ip/ip.h"
#include "netd/sock/port.h"
#include "netd/sock/sock.h"

#define UDP_BUCKETS 512u
#define UDP_CORK_MAX 65535u

struct udp_sock {
	struct nsock s;
	struct list bound;       /* in the hash of its port: the unconnected first */
	struct list conn;        /* in the hash of its pair of addresses, when connected */
	bool lite, connected, addr_fixed, port_fixed; /* fixed: by bind, a dissolved connection keeps it */
	bool gro, no_check6_tx, no_check6_rx, cork;
	bool rd_shut, wr_shut;
	uint16_t gso_size;
	uint16_t lite_tx, lite_rx; /* checksum coverage, 0: all */
	struct ip_route route;   /* of the connection */
	/* what waits for the cork to be pulled */
	uint8_t *pending;
	uint32_t pending_size;
	struct nsock_meta pending_meta;
	/* IP options and extension headers (IP_OPTIONS) */
	uint8_t ip_options[40];
	uint8_t ip_options_size;
};

struct udp_state {
	struct list bound[2][UDP_BUCKETS]; /* UDP, UDP-Lite */
	struct list conn[2][UDP_BUCKETS];
};

static inline struct udp_sock *udp_of(struct nsock *s)
{
	return CONTAINER_OF(s, struct udp_sock, s);
}

/* table.c */
void udp_hash(struct udp_sock *u);
void udp_unhash(struct udp_sock *u);
struct udp_sock *udp_lookup(struct netstack *st, bool lite, const struct nsock_name *local, const struct nsock_name *peer,
			    int iif);
/* May u have this datagram to a group or to all? */
bool udp_match_multi(const struct udp_sock *u, const struct nsock_name *local, const struct nsock_name *peer, int iif);
struct list *udp_port_bucket(struct netstack *st, bool lite, uint16_t port);

void udp_input(struct netstack *st, struct pkt *p, const struct ip_rx *rx);
void udp_error(struct netstack *st, const struct ip_flow *flow, const uint8_t *data, uint32_t size,
	       const struct ip_error *err);
ssize_t udp_send(struct nsock *s, const struct nsock_meta *meta, const struct iovec *iov, unsigned count);
int udp_push(struct udp_sock *u); /* sends what the cork held back */
int udp_setopt(struct nsock *s, int level, int name, const void *val, uint32_t size);
int udp_getopt(struct nsock *s, int level, int name, void *val, uint32_t *size);

enum udp_mib { UDP_InDatagrams, UDP_NoPorts, UDP_InErrors, UDP_OutDatagrams, UDP_RcvbufErrors, UDP_SndbufErrors,
	       UDP_InCsumErrors, UDP_IgnoredMulti };
void udp_count(struct netstack *st, bool lite, int family, enum udp_mib what);

#endif
