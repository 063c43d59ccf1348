/* What TCP_INFO returns: the layout of the Linux ABI (include/uapi/linux/tcp.h), which only ever grows at its end. */
#ifndef NETD_TCP_INFO_H
#define NETD_TCP_INFO_H

#include <stdint.h>

#define TCPI_OPT_TIMESTAMPS_ 1u
#define TCPI_OPT_SACK_ 2u
#define TCPI_OPT_WSCALE_ 4u
#define TCPI_OPT_ECN_ 8u
#define TCPI_OPT_ECN_SEEN_ 16u

struct tcp_info_abi {
	uint8_t state, ca_state, retransmits, probes, backoff, options;
	uint8_t wscale;              /* snd : 4, rcv : 4 */
	uint8_t app_limited;         /* delivery_rate_app_limited : 1, fastopen_client_fail : 2 */
	uint32_t rto, ato, snd_mss, rcv_mss;
	uint32_t unacked, sacked, lost, retrans, fackets;
	uint32_t last_data_sent, last_ack_sent, last_data_recv, last_ack_recv;
	uint32_t pmtu, rcv_ssthresh, rtt, rttvar, snd_ssthresh, snd_cwnd, advmss, reordering;
	uint32_t rcv_rtt, rcv_space, total_retrans;
	uint64_t pacing_rate, max_pacing_rate, bytes_acked, bytes_received;
	uint32_t segs_out, segs_in, notsent_bytes, min_rtt, data_segs_in, data_segs_out;
	uint64_t delivery_rate, busy_time, rwnd_limited, sndbuf_limited;
	uint32_t delivered, delivered_ce;
	uint64_t bytes_sent, bytes_retrans;
	uint32_t dsack_dups, reord_seen, rcv_ooopack, snd_wnd, rcv_wnd, rehash;
	uint16_t total_rto, total_rto_recoveries;
	uint32_t total_rto_time;
};
_Static_assert(sizeof(struct tcp_info_abi) == 248, "the size of Linux 6.7 and later");

#endif
