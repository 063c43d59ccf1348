/* TCP_INFO: the connection as it really is. */
#include "netd/tcp/conn.h"
#include "netd/tcp/info.h"

/* How long the connection was sending, and how long the peer's window held it up. */
void tcp_chrono(struct tcp_sock *tp)
{
	uint64_t now = tcp_us(tp), past = tp->chrono_us ? now - tp->chrono_us : 0;

	if (tp->chrono >= 1)
		tp->busy_us += past;
	if (tp->chrono == 2)
		tp->rwnd_limited_us += past;
	tp->chrono_us = now;
	tp->chrono = 0;
	if (tp->state == TCP_CLOSE || tp->paired)
		return;
	if (tp->packets_out || tcp_send_pending(tp))
		tp->chrono = tcp_send_pending(tp) && tcp_in_flight(tp) < tp->snd_cwnd &&
					     seq_after(tp->snd_nxt + tp->mss_cache, tcp_wnd_end(tp))
				     ? 2
				     : 1;
}

static void fill_rates(struct tcp_sock *tp, struct tcp_info_abi *i)
{
	i->pacing_rate = i->max_pacing_rate = UINT64_MAX;
	if (tp->srtt_us)
		i->pacing_rate = (uint64_t)tp->mss_cache * tp->snd_cwnd * 8000000u / tp->srtt_us *
				 (tp->snd_cwnd < tp->ssthresh / 2 ? 200 : 120) / 100;
	if (tp->rate_interval_us)
		i->delivery_rate = (uint64_t)tp->rate_delivered * tp->mss_cache * 1000000u / tp->rate_interval_us;
	i->app_limited = tp->rate_app_limited;
}

static void fill(struct tcp_sock *tp, struct tcp_info_abi *i)
{
	uint32_t now = tcp_ms(tp);

	i->ca_state = tp->ca_state;
	i->retransmits = tp->retransmits;
	i->probes = tp->probes_out;
	i->backoff = tp->backoff;
	if (tp->ts_ok)
		i->options |= TCPI_OPT_TIMESTAMPS_;
	if (tp->sack_ok)
		i->options |= TCPI_OPT_SACK_;
	if (tp->wscale_ok) {
		i->options |= TCPI_OPT_WSCALE_;
		i->wscale = (uint8_t)(tp->snd_wscale | tp->rcv_wscale << 4);
	}
	if (tp->ecn & ECN_OK)
		i->options |= TCPI_OPT_ECN_;
	if (tp->ecn & ECN_SEEN)
		i->options |= TCPI_OPT_ECN_SEEN_;
	i->rto = tp->rto_ms * 1000;
	i->ato = tp->ack.ato_ms * 1000;
	i->snd_mss = tp->mss_cache;
	i->rcv_mss = tp->ack.rcv_mss;
	i->unacked = tp->packets_out;
	i->sacked = tp->sacked_out;
	i->lost = tp->lost_out;
	i->retrans = tp->retrans_out;
	i->last_data_sent = now - tp->lsndtime_ms;
	i->last_data_recv = now - tp->ack.lrcv_ms;
	i->last_ack_recv = now - tp->rcv_tstamp_ms;
	i->pmtu = tp->pmtu;
	i->rcv_ssthresh = MIN(tcp_rx_room(tp) + tcp_rx_queued(tp), tp->window_clamp);
	i->rtt = tp->srtt_us >> 3;
	i->rttvar = tp->mdev_us >> 2;
	i->snd_ssthresh = tp->ssthresh;
	i->snd_cwnd = tp->snd_cwnd;
	i->advmss = tp->advmss;
	i->reordering = tp->reordering;
	i->rcv_rtt = tp->rcv_rtt_us;
	i->rcv_space = tp->rcvq.space;
	i->total_retrans = tp->total_retrans;
	i->bytes_acked = tp->bytes_acked;
	i->bytes_received = tp->bytes_received;
	i->segs_out = tp->segs_out;
	i->segs_in = tp->segs_in;
	i->notsent_bytes = tp->paired ? 0 : tcp_write_end(tp) - tp->snd_nxt;
	i->min_rtt = tp->min_rtt_us ? tp->min_rtt_us : UINT32_MAX;
	i->data_segs_in = tp->data_segs_in;
	i->data_segs_out = tp->data_segs_out;
	fill_rates(tp, i);
	tcp_chrono(tp);
	i->busy_time = tp->busy_us;
	i->rwnd_limited = tp->rwnd_limited_us;
	i->sndbuf_limited = tp->sndbuf_limited_us;
	i->delivered = tp->delivered;
	i->delivered_ce = tp->delivered_ce;
	i->bytes_sent = tp->bytes_sent;
	i->bytes_retrans = tp->bytes_retrans;
	i->dsack_dups = tp->dsack_dups;
	i->reord_seen = tp->reord_seen;
	i->rcv_ooopack = tp->rcv_ooopack;
	i->snd_wnd = tp->snd_wnd;
	i->rcv_wnd = tcp_rcv_window(tp);
	i->total_rto = tp->total_rto;
}

uint32_t tcp_info_fill(struct tcp_sock *tp, void *out, uint32_t size)
{
	struct tcp_info_abi i;

	memset(&i, 0, sizeof(i));
	i.state = tp->state;
	if (tp->state == TCP_LISTEN) {
		/* A listener shows its accept queue and its limit here. */
		i.unacked = (uint32_t)tp->accept_count;
		i.sacked = (uint32_t)tp->backlog;
		i.reordering = tp->reordering;
		i.snd_cwnd = tp->snd_cwnd;
		i.rto = tp->rto_ms * 1000;
		i.min_rtt = UINT32_MAX;
	} else {
		fill(tp, &i);
	}
	size = MIN(size, (uint32_t)sizeof(i));
	memcpy(out, &i, size);
	return size;
}
