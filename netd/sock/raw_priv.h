/* The inside of raw, ping and packet sockets. */
#ifndef NETD_SOCK_RAW_PRIV_H
#define NETD_SOCK_RAW_PRIV_H

#include "netd/core/pkt_priv.h"
#include "netd/core/stack_priv.h"
#include "netd/core/wire.h"
#include "netd/ip/ip.h"
#include "netd/sock/sock.h"

#define RAW_BUCKETS 64u

struct raw_sock {
	struct nsock s;
	struct list node;        /* in the list of its protocol */
	bool connected, addr_fixed;
	bool rd_shut, wr_shut;
	bool hdrincl6;
	int csum_offset;         /* IPv6: where we make and verify the checksum, -1: not */
	uint32_t icmp_filter;    /* a set bit blocks a type */
	uint32_t icmp6_filter[8];
	uint8_t ip_options[40];
	uint8_t ip_options_size;
};

struct raw_state {
	struct list bucket[RAW_BUCKETS]; /* raw_sock by protocol */
};

struct ip_tx;
struct ip_route;

/* What raw and ping sockets share: where to, and the parts of ip_tx that options say. 0 or -errno. */
int raw_route(struct nsock *s, const struct nsock_meta *meta, const struct nsock_name *to, bool any_src,
	      struct ip_route *r, struct ip_tx *tx);
/* The local name that a connection gives. */
int raw_connect_route(struct nsock *s, const struct nsock_name *n, bool addr_fixed, struct nsock_name *ret_peer);
void raw_fill_meta(struct nsock_meta *m, const struct pkt *p, const struct ip_rx *rx);

#endif
