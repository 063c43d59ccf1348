/* IPv4 by scripted packets: each case is one frame or a few, put into a stack by hand, and what came of it. */
#ifndef UNIT_NETD_IP4_H
#define UNIT_NETD_IP4_H

#include "world.h"

/* Of the case that runs: made by ip4_setup. */
extern struct world *w;
extern struct box *srv;      /* bound to port 9 of stack a */
extern uint8_t frame[3000];

int ip4_setup(void **state);
int ip4_teardown(void **state);
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, ip4_setup, ip4_teardown)

/* An Ethernet and an IPv4 header for stack a, from b, with `size` bytes of payload to follow at frame + 34. */
struct ip4_hdr *ip(uint8_t protocol, uint32_t size);
/* A datagram to port 9 with the text. */
struct ip4_hdr *udp(const char *text);
/* The checksums of what stands in the frame: the header's; both. */
void seal(void);
void udp_seal(void);
void send_frame(void);
/* srv got the text, and nothing else. */
void taken(const char *text);
#define REFUSED() assert_null(srv->first)
/* The ICMP message that stack a sent, or NULL. */
const uint8_t *complaint(uint8_t type, uint8_t code);

#endif
