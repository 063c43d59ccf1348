/* Headers as they lie on the wire, and access to words in network order at any alignment. Fields keep network order;
 * the types are packed, so that a header at an odd address is read safely. */
#ifndef NETD_CORE_WIRE_H
#define NETD_CORE_WIRE_H

#include <stdint.h>
#include <string.h>

#define WIRE __attribute__((packed))

#define ETH_HLEN_ 14u
#define ETYPE_IP4 0x0800
#define ETYPE_ARP 0x0806
#define ETYPE_IP6 0x86dd

struct eth_hdr {
	uint8_t dst[6], src[6];
	uint16_t type;
} WIRE;

struct arp_pkt {
	uint16_t hrd, pro;
	uint8_t hln, pln;
	uint16_t op;
	uint8_t sha[6];
	uint32_t sip;
	uint8_t tha[6];
	uint32_t tip;
} WIRE;

struct ip4_hdr {
	uint8_t vhl, tos;
	uint16_t len, id, off;
	uint8_t ttl, protocol;
	uint16_t csum;
	uint32_t src, dst;
} WIRE;
#define IP4_DF 0x4000u
#define IP4_MF 0x2000u
#define IP4_OFFMASK 0x1fffu
static inline unsigned ip4_hlen(const struct ip4_hdr *h)
{
	return (h->vhl & 15u) * 4u;
}

struct ip6_hdr_ {
	uint32_t vtf;            /* version, traffic class, flow label */
	uint16_t len;
	uint8_t next, hops;
	uint8_t src[16], dst[16];
} WIRE;
struct ip6_frag_ {
	uint8_t next, reserved;
	uint16_t off;            /* in units of 8 << 3, more */
	uint32_t id;
} WIRE;
struct ip6_ext_ {
	uint8_t next, len;       /* len in units of 8 beyond the first 8 */
} WIRE;

struct icmp_hdr {
	uint8_t type, code;
	uint16_t csum;
	union {
		struct {
			uint16_t id, seq;
		} WIRE echo;
		uint32_t word;
		struct {
			uint16_t unused, mtu;
		} WIRE frag;
		uint8_t bytes[4];
	} WIRE;
} WIRE;

struct udp_hdr {
	uint16_t src, dst, len, csum;
} WIRE;

struct tcp_hdr_ {
	uint16_t src, dst;
	uint32_t seq, ack;
	uint8_t off, flags;      /* off: data offset in the high nibble */
	uint16_t win, csum, urg;
} WIRE;

static inline uint16_t get_be16(const void *p)
{
	uint16_t v;

	memcpy(&v, p, 2);
	return __builtin_bswap16(v);
}
static inline uint32_t get_be32(const void *p)
{
	uint32_t v;

	memcpy(&v, p, 4);
	return __builtin_bswap32(v);
}
static inline void put_be16(void *p, uint16_t v)
{
	v = __builtin_bswap16(v);
	memcpy(p, &v, 2);
}
static inline void put_be32(void *p, uint32_t v)
{
	v = __builtin_bswap32(v);
	memcpy(p, &v, 4);
}
static inline uint16_t be16(uint16_t v) /* either way */
{
	return __builtin_bswap16(v);
}
static inline uint32_t be32(uint32_t v)
{
	return __builtin_bswap32(v);
}
/* A word in network order, as it lies. */
static inline uint32_t get_raw32(const void *p)
{
	uint32_t v;

	memcpy(&v, p, 4);
	return v;
}
static inline uint16_t get_raw16(const void *p)
{
	uint16_t v;

	memcpy(&v, p, 2);
	return v;
}

#endif
