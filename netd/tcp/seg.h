/* A TCP segment on the wire and as read (RFC 9293 3.1, 7323, 2018). */
#ifndef NETD_TCP_SEG_H
#define NETD_TCP_SEG_H

#include <stdbool.h>
#include <stdint.h>

struct pkt;
struct ip_rx;

#define SEG_FIN 0x01u
#define SEG_SYN 0x02u
#define SEG_RST 0x04u
#define SEG_PSH 0x08u
#define SEG_ACK 0x10u
#define SEG_URG 0x20u
#define SEG_ECE 0x40u
#define SEG_CWR 0x80u

/* Packed: nothing promises that a packet's headers are aligned. */
struct tcp_hdr {
	uint16_t sport, dport;
	uint32_t seq, ack;
	uint8_t off;             /* header length in words, in the upper half */
	uint8_t flags;
	uint16_t window, csum, urg;
} __attribute__((packed));

#define TCP_OPT_EOL 0
#define TCP_OPT_NOP 1
#define TCP_OPT_MSS 2
#define TCP_OPT_WSCALE 3
#define TCP_OPT_SACK_PERM 4
#define TCP_OPT_SACK 5
#define TCP_OPT_TS 8

#define TCP_MAX_WSCALE 14
#define TCP_MAX_SACKS 4
#define TCP_HDR_MAX 60

struct tcp_range {
	uint32_t start, end;
};

struct tcp_opts {
	bool mss_ok, ts_ok, sack_perm, wscale_ok;
	uint16_t mss;
	uint8_t wscale;
	uint8_t sack_count;
	uint32_t tsval, tsecr;
	struct tcp_range sack[TCP_MAX_SACKS];
};

/* A segment that came in, in host order. */
struct tcp_seg {
	uint32_t seq, end;       /* end counts SYN and FIN */
	uint32_t ack;
	uint8_t flags;
	uint16_t window;         /* as on the wire */
	uint16_t urg;
	uint16_t sport, dport;   /* network order */
	const uint8_t *data;
	uint32_t len;            /* payload bytes */
	uint16_t gso_size;       /* of a super-segment, else 0 */
	uint8_t hdr_size;
	const uint8_t *hdr;
	struct tcp_opts o;
	const struct ip_rx *rx;
	struct pkt *p;
};

/* Reads the options of a header; malformed ones end the reading, unknown ones are skipped. syn: MSS, window scale
 * and SACK-permitted count only there. */
void tcp_opts_parse(const uint8_t *opt, unsigned size, bool syn, struct tcp_opts *ret);

static inline bool seq_before(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}
static inline bool seq_after(uint32_t a, uint32_t b)
{
	return seq_before(b, a);
}
/* low <= s <= high */
static inline bool seq_between(uint32_t s, uint32_t low, uint32_t high)
{
	return high - low >= s - low;
}

#endif
