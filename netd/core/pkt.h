/* Packets. A packet is one linear buffer with headroom; on the way out its payload may lie outside in up
 * to two pieces (the send ring of a socket), which are valid only for the duration of the call that
 * carries it down: whoever keeps a packet (neighbour queue, loopback, fragments) calls pkt_linearize first.
 *
 * Ownership: a function that takes a packet and says "consumes" frees it or keeps it, on every path. */
#ifndef NETD_CORE_PKT_H
#define NETD_CORE_PKT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>
#include "common/base/list.h"

struct netif;

#define PKT_HEADROOM 128         /* vnet header, Ethernet, IPv6 with options, TCP with options */
#define PKT_SMALL 2048           /* room of the two size classes, headroom included */
#define PKT_LARGE (66 * 1024)    /* a super-segment */

enum pkt_csum {
	PKT_CSUM_NONE,    /* in: must be verified. out: complete */
	PKT_CSUM_VALID,   /* in: known good (verified by the link, or it never left this stack) */
	PKT_CSUM_PARTIAL, /* out: the pseudo-header sum is in place; the link completes it
			   * (virtio-net NEEDS_CSUM), or pkt_csum_complete does. in: as VALID */
};
enum pkt_gso { PKT_GSO_NONE, PKT_GSO_TCP4, PKT_GSO_TCP6, PKT_GSO_UDP };

struct pkt {
	struct list node;        /* of whoever owns it now */
	uint8_t *buf;            /* start of the buffer */
	uint32_t room;           /* its size */
	uint8_t *data;           /* the header of the layer that looks at it now */
	uint32_t len;            /* linear bytes from data on */
	struct iovec ext[2];     /* out: payload behind the linear part; in: see away */
	uint8_t ext_count;
	uint8_t csum;            /* enum pkt_csum */
	uint8_t gso;             /* enum pkt_gso */
	uint8_t pkttype;         /* PACKET_HOST... of packet(7) */
	uint16_t gso_size;       /* payload bytes of each segment, when gso is set */
	uint16_t csum_offset;    /* PARTIAL: from the transport header to the field */
	uint16_t protocol;       /* EtherType, host order */
	uint8_t *mac;            /* headers that were seen, NULL: none */
	uint8_t *net;
	uint8_t *transport;
	struct netif *netif;     /* where it came in (no reference) */
	uint64_t rx_ns;          /* CLOCK_REALTIME of its arrival */
	/* In only: `away` bytes of the linear part, from away_at on, were not read into it but into ext (ext_count is 0),
	 * where netif_place wanted them. Whoever looks at payload calls pkt_gather first; headers are always here. */
	uint8_t *away_at;
	uint32_t away;
};

/* A packet with room for `size` bytes behind PKT_HEADROOM; len is 0. NULL: no memory (a limit of the
 * pool counts, so that a flood cannot take the host's memory). */
struct pkt *pkt_alloc(size_t size);
void pkt_free(struct pkt *p);    /* accepts NULL */
/* Moves data back over the headroom / forward over a header that was read. The caller knows that there is
 * room (push) and that len suffices (pull). */
static inline uint8_t *pkt_push(struct pkt *p, uint32_t size)
{
	p->data -= size;
	p->len += size;
	return p->data;
}
static inline uint8_t *pkt_pull(struct pkt *p, uint32_t size)
{
	p->data += size;
	p->len -= size;
	return p->data;
}
/* All bytes, the pieces outside included. */
static inline uint32_t pkt_total(const struct pkt *p)
{
	return p->len + (uint32_t)p->ext[0].iov_len * (p->ext_count > 0) +
	       (uint32_t)p->ext[1].iov_len * (p->ext_count > 1);
}
/* A packet of its own with the same bytes, offloads and marks. NULL: no memory. */
struct pkt *pkt_copy(const struct pkt *p);
/* Copies pieces outside behind the linear part. Returns p, or a larger packet (p is freed), or NULL
 * without memory (p is freed). */
struct pkt *pkt_linearize(struct pkt *p);
/* Brings the bytes that are away to their place in the linear part. */
void pkt_gather(struct pkt *p);
/* Computes a PARTIAL checksum in place (linear packets). */
void pkt_csum_complete(struct pkt *p);
/* Cuts a super-segment into single packets, appended to `out`; consumes p. 0, -EINVAL (headers do not
 * fit the gso type), -ENOMEM. For links without segmentation offload. */
int pkt_segment(struct pkt *p, struct list *out);

/* The Internet checksum (RFC 1071): sum of 16-bit words in network order over data, folded only by
 * csum_fold. csum_add continues over a piece at an even offset. */
uint32_t csum_partial(const void *data, size_t size, uint32_t sum);
uint16_t csum_fold(uint32_t sum); /* complemented, as it goes into the header (network order) */

struct ip_addr;
uint32_t csum_pseudo(const struct ip_addr *src, const struct ip_addr *dst, uint8_t protocol, uint32_t size);

#endif
