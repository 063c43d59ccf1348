/* Questions about addresses. */
#include "netd/core/addr.h"

#include <arpa/inet.h>

#include "netd/core/wire.h"

bool ip_addr_loopback(const struct ip_addr *a)
{
	static const uint8_t one[16] = {[15] = 1};

	if (a->family == AF_INET)
		return be32(a->v4) >> 24 == 127;
	return a->family == AF_INET6 && !memcmp(a->v6, one, 16);
}

bool ip_addr_multicast(const struct ip_addr *a)
{
	if (a->family == AF_INET)
		return be32(a->v4) >> 28 == 14;
	return a->family == AF_INET6 && a->v6[0] == 0xff;
}

bool ip_addr_linklocal(const struct ip_addr *a)
{
	if (a->family == AF_INET)
		return be32(a->v4) >> 16 == 0xa9fe;
	return a->family == AF_INET6 && a->v6[0] == 0xfe && (a->v6[1] & 0xc0) == 0x80;
}

bool ip_addr_prefix_equal(const struct ip_addr *a, const struct ip_addr *b, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;
	uint8_t mask = (uint8_t)(0xff00u >> rest);

	if (a->family != b->family)
		return false;
	if (a->family == AF_INET) {
		if (bits == 0)
			return true;
		return bits > 31 ? a->v4 == b->v4 : !((be32(a->v4) ^ be32(b->v4)) >> (32 - bits));
	}
	if (bits >= 128)
		return !memcmp(a->v6, b->v6, 16);
	if (memcmp(a->v6, b->v6, whole))
		return false;
	return rest == 0 || !((a->v6[whole] ^ b->v6[whole]) & mask);
}

const char *ip_addr_text(const struct ip_addr *a, char *buf)
{
	if (a->family == AF_INET)
		inet_ntop(AF_INET, &a->v4, buf, 46);
	else if (a->family == AF_INET6)
		inet_ntop(AF_INET6, a->v6, buf, 46);
	else
		memcpy(buf, "none", 5);
	return buf;
}
