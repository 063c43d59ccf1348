/* The Internet checksum, summed in 64-bit words. Ones' complement addition does not mind the byte order (RFC 1071
 * section 2(B)), so words are added as the machine loads them and the result is stored as it is. */
#include "netd/core/addr.h"
#include "netd/core/pkt.h"
#include "netd/core/wire.h"

static inline uint64_t load64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, 8);
	return v;
}

static inline uint32_t fold64(uint64_t s)
{
	s = (s & 0xffffffffu) + (s >> 32);
	s = (s & 0xffffffffu) + (s >> 32);
	return (uint32_t)s;
}

uint32_t csum_partial(const void *data, size_t size, uint32_t sum)
{
	const uint8_t *p = data;
	uint64_t low = sum, high = 0;
	uint8_t tail[8] = {0};

	/* Halves apart, so that the compiler may use vectors and no carry is lost: 2^32 words would be needed. */
	while (size >= 32) {
		uint64_t a = load64(p), b = load64(p + 8), c = load64(p + 16), d = load64(p + 24);

		low += (a & 0xffffffffu) + (b & 0xffffffffu) + (c & 0xffffffffu) + (d & 0xffffffffu);
		high += (a >> 32) + (b >> 32) + (c >> 32) + (d >> 32);
		p += 32;
		size -= 32;
	}
	while (size >= 8) {
		uint64_t a = load64(p);

		low += a & 0xffffffffu;
		high += a >> 32;
		p += 8;
		size -= 8;
	}
	if (size) {
		uint64_t a;

		memcpy(tail, p, size);
		a = load64(tail);
		low += a & 0xffffffffu;
		high += a >> 32;
	}
	return fold64(low + high);
}

uint16_t csum_fold(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

uint32_t csum_pseudo(const struct ip_addr *src, const struct ip_addr *dst, uint8_t protocol, uint32_t size)
{
	uint32_t tail[2] = {be32(size), be32(protocol)};
	uint32_t sum = csum_partial(tail, sizeof(tail), 0);

	if (src->family == AF_INET6)
		return csum_partial(dst->v6, 16, csum_partial(src->v6, 16, sum));
	return csum_partial(&dst->v4, 4, csum_partial(&src->v4, 4, sum));
}
