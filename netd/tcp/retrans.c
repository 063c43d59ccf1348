/* Sending again, and sending when the window forbids: retransmissions and zero-window probes. */
#include "netd/tcp/conn.h"

/* Moves r to the end of the order of transmission times. */
static void touch(struct tcp_sock *tp, struct tcp_sent *r)
{
	r->sent_us = tcp_us(tp);
	list_del(&r->tnode);
	list_add_tail(&tp->tsorted, &r->tnode);
	r->delivered = tp->delivered;
	r->delivered_us = tp->delivered_us;
	r->first_tx_us = tp->first_tx_us;
	r->app_limited = tp->app_limited != 0;
}

static int transmit_again(struct tcp_sock *tp, struct tcp_sent *r, uint32_t max_packets)
{
	uint32_t mss = tcp_current_mss(tp), wnd, len, size = r->end - r->seq;
	bool full = size > mss && size % tp->mss_cache == 0;
	int ret;

	/* SACK blocks of our own would make a full segment two; the ACKs carry them too. */
	if (full)
		mss = tp->mss_cache;
	if (tp->urg_mode)
		max_packets = 1;

	if (seq_before(r->seq, tp->snd_una)) {
		if (!seq_after(r->end, tp->snd_una))
			return -EINVAL;
		tcp_sent_trim(tp, r, tp->snd_una);
	}
	wnd = tcp_wnd_end(tp) - r->seq;
	if ((int32_t)wnd <= 0) {
		/* The window was taken back. Only the first segment may go, as a probe. */
		if (r->seq != tp->snd_una)
			return -EAGAIN;
		wnd = mss;
	}
	len = MIN(MIN(max_packets, MAX(TCP_GSO_MAX / mss, 1u)) * mss, MAX(wnd / mss * mss, MIN(wnd, mss)));
	if (r->mss != mss) {
		/* The path changed since: what counts as a packet does too. Cutting recounts the first part. */
		r->mss = (uint16_t)mss;
	}
	if (r->end - r->seq > len) {
		ret = tcp_sent_split(tp, r, r->seq + len);
		if (ret < 0)
			return ret;
	} else if (tcp_pcount(r->end - r->seq, mss) != r->pcount) {
		uint32_t pcount = tcp_pcount(r->end - r->seq, mss);

		tp->packets_out += pcount - r->pcount;
		if (r->flags & SENT_LOST)
			tp->lost_out += pcount - r->pcount;
		if (r->flags & SENT_RETRANS)
			tp->retrans_out += pcount - r->pcount;
		r->pcount = (uint16_t)pcount;
	}
	tp->no_sack = full;
	ret = tcp_transmit(tp, r->seq, r->end, (uint16_t)mss, r->end == tp->pushed_seq);
	tp->no_sack = false;
	if (ret < 0)
		return ret;
	touch(tp, r);
	tp->total_retrans += r->pcount;
	tp->bytes_retrans += r->end - r->seq;
	net_count_add(tp->s.st, MIB_Tcp_RetransSegs, r->pcount);
	return 0;
}

int tcp_retransmit(struct tcp_sock *tp, struct tcp_sent *r, uint32_t max_packets)
{
	int ret = transmit_again(tp, r, max_packets);

	if (ret < 0) {
		net_count(tp->s.st, MIB_TcpExt_TCPRetransFail);
		return ret;
	}
	if (!(r->flags & SENT_RETRANS))
		tp->retrans_out += r->pcount;
	r->flags |= SENT_RETRANS | SENT_EVER_RETRANS;
	if (!tp->retrans_stamp_ms)
		tp->retrans_stamp_ms = MAX(tcp_ms(tp), 1u);
	if (tp->undo_retrans < 0)
		tp->undo_retrans = 0;
	tp->undo_retrans += r->pcount;
	return 0;
}

void tcp_xmit_retransmit_queue(struct tcp_sock *tp)
{
	struct tcp_sent *r = tp->rtx_hint ? tp->rtx_hint : tcp_rtx_head(tp);
	bool rearm = false;

	if (!tp->packets_out)
		return;
	for (; r; r = tcp_sent_next(tp, r)) {
		uint32_t in_flight = tcp_in_flight(tp);

		if (tp->snd_cwnd <= in_flight || tp->retrans_out >= tp->lost_out)
			break;
		tp->rtx_hint = r;
		if (!(r->flags & SENT_LOST) || (r->flags & (SENT_SACKED | SENT_RETRANS)))
			continue;
		if (tcp_retransmit(tp, r, tp->snd_cwnd - in_flight) < 0)
			break;
		net_count_add(tp->s.st,
			      tp->ca_state == CA_LOSS ? MIB_TcpExt_TCPSlowStartRetrans : MIB_TcpExt_TCPFastRetrans,
			      r->pcount);
		if (tcp_in_cwnd_reduction(tp))
			tp->prr_out += r->pcount;
		if (r == tcp_rtx_head(tp) && tp->pending != PENDING_REO)
			rearm = true;
	}
	if (rearm)
		tcp_set_timer(tp, PENDING_RETRANS, tp->rto_ms);
}

/* ---- probes ---- */

void tcp_check_probe_timer(struct tcp_sock *tp)
{
	if (!tp->packets_out && tp->pending == PENDING_NONE && tcp_send_pending(tp))
		tcp_set_timer(tp, PENDING_PROBE, tcp_probe0_base(tp));
}

int tcp_write_wakeup(struct tcp_sock *tp)
{
	uint32_t end = tcp_write_end(tp), wnd, mss, len;

	if (tp->state == TCP_CLOSE)
		return -1;
	wnd = tcp_wnd_end(tp) - tp->snd_nxt;
	if (tp->snd_nxt != end && (int32_t)wnd > 0) {
		bool fin = tp->fin_queued;

		/* The window is smaller than a segment, or a cork held this back for long enough. */
		mss = tcp_current_mss(tp);
		len = MIN(end - tp->snd_nxt, MIN(wnd, mss + (end - tp->snd_nxt == mss + 1 && fin)));
		fin = fin && tp->snd_nxt + len == end;
		if (seq_before(tp->pushed_seq, tp->snd_nxt + len))
			tp->pushed_seq = tp->snd_nxt + len;
		if (tcp_transmit(tp, tp->snd_nxt, tp->snd_nxt + len, (uint16_t)mss, true) < 0)
			return 1;
		if (tcp_sent_add(tp, tp->snd_nxt, tp->snd_nxt + len, (uint16_t)mss)) {
			tp->snd_nxt += len;
			if (len - fin < mss)
				tp->snd_sml = tp->snd_nxt;
			tcp_rearm_rto(tp);
		}
		return 0;
	}
	if (tp->urg_mode && seq_between(tp->snd_up, tp->snd_una + 1, tp->snd_una + 0xffff))
		tcp_send_probe(tp, true);
	tcp_send_probe(tp, false);
	return 0;
}

void tcp_send_probe0(struct tcp_sock *tp)
{
	int ret = tcp_write_wakeup(tp);
	uint32_t when;

	net_count(tp->s.st, MIB_TcpExt_TCPWinProbe);
	if (tp->packets_out || !tcp_send_pending(tp)) {
		tp->probes_out = 0;
		tp->backoff = 0;
		tp->probes_stamp_ms = 0;
		return;
	}
	if (tp->probes_out < 255)
		tp->probes_out++;
	if (ret <= 0) {
		if (tp->backoff < net_sysctl(tp->s.st, NET_SYSCTL_TCP_RETRIES2))
			tp->backoff++;
		when = tcp_probe0_when(tp);
	} else {
		when = TCP_RESOURCE_PROBE_MS;
	}
	tcp_set_timer(tp, PENDING_PROBE, tcp_clamp_user_timeout(tp, when));
}
