/* Numbers that must not be guessed: initial sequence numbers (RFC 6528) and timestamp offsets (RFC 7323 5.4, one per
 * pair of addresses, so that PAWS works over successive connections). */
#include "netd/tcp/conn.h"

static uint64_t hash_of(struct netstack *st, const struct tcp_node *n, uint8_t purpose, bool ports)
{
	uint8_t key[37] = {purpose};

	memcpy(key + 1, n->laddr.v6, n->laddr.family == AF_INET ? 4 : 16);
	memcpy(key + 17, n->raddr.v6, n->raddr.family == AF_INET ? 4 : 16);
	if (ports) {
		memcpy(key + 33, &n->lport, 2);
		memcpy(key + 35, &n->rport, 2);
	}
	return netstack_hash(st, key, sizeof(key));
}

uint32_t tcp_isn(struct netstack *st, const struct tcp_node *n)
{
	/* The clock part goes up by one in 64 ns: 2^32 in 274 s, beyond the life of a segment. */
	return (uint32_t)hash_of(st, n, 1, true) + (uint32_t)(netstack_now_ns(st) >> 6);
}

uint32_t tcp_ts_offset(struct netstack *st, const struct tcp_node *n)
{
	if (net_sysctl(st, NET_SYSCTL_TCP_TIMESTAMPS) != 1)
		return 0;
	return (uint32_t)hash_of(st, n, 2, false);
}
