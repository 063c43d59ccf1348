/* Segments of an established connection: the short way for what comes in order without news (header prediction), and
 * the checks that every other one passes first (RFC 9293 3.10.7.4, RFC 5961, RFC 7323). */
#include "netd/tcp/conn.h"

static bool paws_fails(const struct tcp_sock *tp)
{
	uint32_t now_s = (uint32_t)(netstack_now_ms(tp->s.st) / 1000);

	if ((int32_t)(tp->ts_recent - tp->rcv_tsval) <= 1 || !tp->ts_recent)
		return false;
	/* After 24 days the clock may have come round. */
	return now_s - tp->ts_recent_stamp_s < TCP_PAWS_24DAYS_S;
}

/* A pure ACK that was overtaken is harmless though its time is old. */
static bool disordered_ack(const struct tcp_sock *tp, const struct tcp_seg *seg)
{
	uint32_t win = (uint32_t)seg->window << tp->snd_wscale;

	return (seg->flags & SEG_ACK) && seg->seq == tp->rcv_nxt && seg->seq == seg->end && seg->ack == tp->snd_una &&
	       !(seq_after(seg->ack, tp->snd_una) || seq_after(seg->seq, tp->snd_wl1) ||
		 (seg->seq == tp->snd_wl1 && win > tp->snd_wnd)) &&
	       (int32_t)(tp->ts_recent - tp->rcv_tsval) <= (int32_t)tp->rto_ms;
}

static bool in_window(const struct tcp_sock *tp, const struct tcp_seg *seg)
{
	return !seq_before(seg->end, tp->rcv_wup) && !seq_after(seg->seq, tp->rcv_nxt + tcp_rcv_window(tp));
}

static void note_ts(struct tcp_sock *tp, const struct tcp_seg *seg)
{
	tp->saw_ts = tp->ts_ok && seg->o.ts_ok;
	if (tp->saw_ts) {
		tp->rcv_tsval = seg->o.tsval;
		tp->rcv_tsecr = seg->o.tsecr ? seg->o.tsecr : 0;
	}
}

/* Our own rule against blind resets: exactly the next sequence number, or the end of the highest block that we SACK
 * (a peer that lost data in between sends its RST there). */
static bool rst_matches(const struct tcp_sock *tp, const struct tcp_seg *seg)
{
	uint32_t max;

	if (seg->seq == tp->rcv_nxt)
		return true;
	if (!tp->sack_ok || !tp->sack_count)
		return false;
	max = tp->sacks[0].end;
	for (unsigned i = 1; i < tp->sack_count; i++)
		max = seq_after(tp->sacks[i].end, max) ? tp->sacks[i].end : max;
	return seg->seq == max;
}

bool tcp_validate(struct tcp_sock *tp, struct tcp_seg *seg)
{
	struct netstack *st = tp->s.st;

	note_ts(tp, seg);
	if (tp->saw_ts && paws_fails(tp) && !(seg->flags & SEG_RST)) {
		if (seg->flags & SEG_SYN) {
			tcp_challenge_ack(tp, true);
			return false;
		}
		if (!disordered_ack(tp, seg)) {
			net_count(st, MIB_TcpExt_PAWSEstab);
			if (!tcp_oow_limited(st, &tp->last_oow_ms, seg->len > 0))
				tcp_send_dupack(tp, seg);
			else
				net_count(st, MIB_TcpExt_TCPACKSkippedPAWS);
			return false;
		}
	}
	if (!in_window(tp, seg)) {
		if (seg->flags & SEG_RST)
			return false;
		if (seg->flags & SEG_SYN)
			tcp_challenge_ack(tp, true);
		else if (!tcp_oow_limited(st, &tp->last_oow_ms, seg->len > 0))
			tcp_send_dupack(tp, seg);
		else
			net_count(st, MIB_TcpExt_TCPACKSkippedSeq);
		return false;
	}
	if (seg->flags & SEG_RST) {
		if (rst_matches(tp, seg))
			tcp_reset(tp);
		else
			tcp_challenge_ack(tp, false);
		return false;
	}
	if (seg->flags & SEG_SYN) {
		/* The SYN-ACK again, of a peer that we met in the middle. */
		if (tp->state == TCP_SYN_RECV && (seg->flags & SEG_ACK) && seg->seq + 1 == seg->end &&
		    seg->end == tp->rcv_nxt && seg->ack == tp->snd_nxt)
			return true;
		tcp_challenge_ack(tp, true);
		return false;
	}
	return true;
}

void tcp_reset(struct tcp_sock *tp)
{
	int err = ECONNRESET;

	if (tp->state == TCP_SYN_SENT)
		err = ECONNREFUSED;
	else if (tp->state == TCP_CLOSE_WAIT)
		err = EPIPE;
	tcp_fail(tp, err);
}

/* Nothing but the next data or the next ACK. False: it takes the long way. */
static bool fast_path(struct tcp_sock *tp, struct tcp_seg *seg)
{
	uint32_t window = (uint32_t)seg->window << tp->snd_wscale;

	if ((seg->flags & ~SEG_PSH) != SEG_ACK || seg->seq != tp->rcv_nxt || window != tp->snd_wnd ||
	    seq_after(seg->ack, tp->snd_nxt) || seq_before(seg->ack, tp->snd_una) || tp->ooo_count || tp->ooo_fin ||
	    tp->urg_valid != tp->urg_here || seg->hdr_size != tp->hdr_size || seg->o.ts_ok != tp->ts_ok)
		return false;
	note_ts(tp, seg);
	if (tp->saw_ts) {
		if ((int32_t)(tp->rcv_tsval - tp->ts_recent) < 0)
			return false;
	}
	if (!seg->len) {
		if (seg->ack == tp->snd_una && tp->packets_out)
			return false; /* a duplicate: it means something */
		if (tp->saw_ts && tp->rcv_nxt == tp->rcv_wup)
			tp->ts_recent = tp->rcv_tsval;
		tcp_ack(tp, seg, 0);
		tcp_push_pending(tp);
		return true;
	}
	if (tcp_rcv_window(tp) < seg->len || !tp->s.rx || tp->s.rx->broken || tcp_rx_room(tp) < seg->len)
		return false;
	if (tp->saw_ts && tp->rcv_nxt == tp->rcv_wup) {
		tp->ts_recent = tp->rcv_tsval;
		tp->ts_recent_stamp_s = (uint32_t)(netstack_now_ms(tp->s.st) / 1000);
	}
	tcp_rcv_rtt_ts(tp, seg->len);
	net_count(tp->s.st, MIB_TcpExt_TCPHPHits);
	tcp_put_data(tp, seg);
	tcp_event_data(tp, seg);
	nsock_raise(&tp->s, NSOCK_IN);
	if (seg->ack != tp->snd_una)
		tcp_ack(tp, seg, FLAG_DATA);
	tcp_data_check(tp);
	return true;
}

void tcp_rcv_established(struct tcp_sock *tp, struct tcp_seg *seg)
{
	int ret;

	if (likely(fast_path(tp, seg)))
		return;
	pkt_gather(seg->p);
	if (!(seg->flags & (SEG_ACK | SEG_RST | SEG_SYN)) || !tcp_validate(tp, seg))
		return;
	if (!(seg->flags & SEG_ACK))
		return;
	ret = tcp_ack(tp, seg, FLAG_SLOWPATH | FLAG_UPDATE_TS);
	if (ret == -2)
		tcp_challenge_ack(tp, false);
	if (ret < 0)
		return;
	tcp_rcv_rtt_ts(tp, seg->len);
	tcp_urgent_in(tp, seg);
	tcp_data_queue(tp, seg);
	if (tp->state != TCP_CLOSE)
		tcp_data_check(tp);
}
