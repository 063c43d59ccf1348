/* A world for tests of the stack: virtual time, one or two stacks with a wire between them, and sockets whose owner
 * writes down what came. Time stands still but in world_pass. */
#ifndef TEST_NETD_WORLD_H
#define TEST_NETD_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "netd/core/netif.h"
#include "netd/core/pkt_priv.h"
#include "netd/core/stack.h"
#include "netd/core/wire.h"
#include "netd/ip/fib.h"
#include "netd/ip/ip.h"
#include "netd/link/mempair.h"
#include "netd/sock/sock.h"

/* A datagram or an error that a socket was given. */
struct got {
	struct got *next;
	struct nsock_meta meta;
	struct ip_error error;
	bool is_error;
	uint32_t size;
	uint8_t data[];
};
/* The owner of a socket in tests. */
struct box {
	struct nsock *s;
	struct got *first, *last;
	unsigned count, limit;   /* limit: how many it has room for, 0: any */
	uint32_t events;         /* all that rose */
};
/* What an end of the wire sent. */
struct frame {
	struct frame *next;
	uint32_t size;
	uint8_t data[];
};
struct capture {
	struct frame *first, **end;
	unsigned count;
	bool on, steal;
};

struct world {
	uint64_t now_ns;
	uint64_t rnd;
	unsigned pkts;           /* out at the beginning */
	struct netstack *a, *b;
	struct mempair *wire;
	struct netif *ea, *eb;   /* its ends, eth0 in each */
	struct capture cap[2];
};

extern const uint8_t world_mac_a[6], world_mac_b[6];
extern const struct nsock_up box_up;

/* One stack with loopback up; or two: 10.0.0.1/24, fd00::1/64 and 10.0.0.2/24, fd00::2/64 on eth0, MTU 1500. */
struct world *world_new(bool two_stacks);
/* With what the wire offers, its MTU; with those addresses, or with the wire's ends down. */
struct world *world_new_ex(uint32_t mtu, uint32_t features, bool addresses);
/* Ends it and checks that no packet is left. */
void world_free(struct world *w);
/* Runs both stacks until nothing is to do at this moment. */
void world_run(struct world *w);
/* Lets time pass, with all that happens in it. */
void world_pass(struct world *w, uint64_t ms);
void world_addr(struct netif *nif, const char *text); /* "10.0.0.1/24" */

struct ip_addr addr_of(const char *text);
struct nsock_name name_of(const char *addr, unsigned port);

struct box *box_udp(struct netstack *st, int family);
struct box *box_bound(struct netstack *st, const char *addr, unsigned port);
void box_free(struct box *b);
struct got *box_take(struct box *b); /* the oldest, or NULL; free() it */
ssize_t box_send(struct box *b, const char *addr, unsigned port, const void *data, size_t size);
/* The oldest must be this, from there (NULL: from anywhere). */
void box_expect(struct box *b, const void *data, size_t size, const char *from);

/* Into the stack as if it came over the wire. */
void world_inject(struct netif *to, const void *frame, size_t size);
/* What a side sends is written down from now on (and lost, when `steal`). */
struct capture *world_capture(struct world *w, int side, bool steal);
struct frame *capture_take(struct capture *c); /* the oldest, or NULL; free() it */
void capture_clear(struct capture *c);

#endif
