/* Internet addresses of both families in one value. Words of addresses and ports are in network order
 * unless a name says otherwise. */
#ifndef NETD_CORE_ADDR_H
#define NETD_CORE_ADDR_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

struct ip_addr {
	uint16_t family;     /* AF_INET, AF_INET6; AF_UNSPEC: none. Mapped v4 addresses stand as AF_INET. */
	uint32_t scope;      /* interface of a link-local address, 0: any */
	union {
		uint32_t v4; /* network order */
		uint8_t v6[16];
		uint32_t v6w[4];
	};
};

static inline bool ip_addr_equal(const struct ip_addr *a, const struct ip_addr *b)
{
	if (a->family != b->family)
		return false;
	return a->family == AF_INET ? a->v4 == b->v4 : !memcmp(a->v6, b->v6, 16);
}
/* 0.0.0.0, :: or none. */
static inline bool ip_addr_any(const struct ip_addr *a)
{
	if (a->family == AF_INET6)
		return !(a->v6w[0] | a->v6w[1] | a->v6w[2] | a->v6w[3]);
	return a->family != AF_INET || a->v4 == 0;
}
static inline struct ip_addr ip_addr_v4(uint32_t v4)
{
	return (struct ip_addr){.family = AF_INET, .v4 = v4};
}
bool ip_addr_loopback(const struct ip_addr *a);  /* 127/8, ::1 */
bool ip_addr_multicast(const struct ip_addr *a);
bool ip_addr_linklocal(const struct ip_addr *a); /* 169.254/16, fe80::/10 */
/* Do the first `bits` bits agree? Families must. */
bool ip_addr_prefix_equal(const struct ip_addr *a, const struct ip_addr *b, unsigned bits);
/* inet_ntop into buf of at least 46 bytes; returns buf. */
const char *ip_addr_text(const struct ip_addr *a, char *buf);

#endif
