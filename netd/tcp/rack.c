/* RACK-TLP (RFC 8985): a segment is lost when one sent sufficiently later was delivered; and when nothing comes back at
 * all, a probe with the last segment after two round trips, so that a lost tail does not wait for the time-out. */
#include "netd/tcp/conn.h"

/* Was (t1, seq1) sent after (t2, seq2)? Segments of one super-segment have one time; their order is that of the stream. */
static bool sent_after(uint64_t t1, uint64_t t2, uint32_t seq1, uint32_t seq2)
{
	return t1 > t2 || (t1 == t2 && seq_after(seq1, seq2));
}

void tcp_rack_advance(struct tcp_sock *tp, uint8_t flags, uint32_t end_seq, uint64_t xmit_us)
{
	uint64_t rtt = tcp_us(tp) - xmit_us;

	/* An ACK sooner than ever after a retransmission is one for the original. */
	if (rtt < tp->min_rtt_us && (flags & SENT_EVER_RETRANS))
		return;
	tp->rack.advanced = true;
	tp->rack.rtt_us = (uint32_t)MIN(rtt, (uint64_t)UINT32_MAX);
	if (sent_after(xmit_us, tp->rack.mstamp, end_seq, tp->rack.end_seq)) {
		tp->rack.mstamp = xmit_us;
		tp->rack.end_seq = end_seq;
	}
}

static uint32_t reo_wnd(const struct tcp_sock *tp)
{
	uint32_t wnd;

	if (!tp->reord_seen) {
		/* Without any reordering seen, recovery is as quick as three duplicates make it. */
		if (tp->ca_state >= CA_RECOVERY || tp->sacked_out >= tp->reordering)
			return 0;
	}
	wnd = (tp->min_rtt_us >> 2) * tp->rack.reo_wnd_steps;
	return MIN(wnd, tp->srtt_us >> 3);
}

int64_t tcp_rack_timeout(struct tcp_sock *tp, const struct tcp_sent *r, uint32_t wnd)
{
	return (int64_t)tp->rack.rtt_us + wnd - (int64_t)(tcp_us(tp) - r->sent_us);
}

static uint32_t detect(struct tcp_sock *tp)
{
	uint32_t wnd = reo_wnd(tp);
	int64_t longest = 0;
	struct tcp_sent *r, *tmp;

	LIST_FOR_EACH_SAFE(r, tmp, &tp->tsorted, tnode) {
		int64_t left;

		if ((r->flags & SENT_LOST) && !(r->flags & SENT_RETRANS))
			continue;
		if (!sent_after(tp->rack.mstamp, r->sent_us, tp->rack.end_seq, r->end))
			break;
		left = tcp_rack_timeout(tp, r, wnd);
		if (left <= 0) {
			tcp_mark_lost(tp, r);
			/* Out of the order of times until it is sent again, so that it is not looked at each time. */
			list_del(&r->tnode);
		} else {
			longest = MAX(longest, left);
		}
	}
	return (uint32_t)longest;
}

bool tcp_rack_mark_lost(struct tcp_sock *tp)
{
	uint32_t wait_us;

	if (!tp->rack.advanced)
		return false;
	tp->rack.advanced = false;
	wait_us = detect(tp);
	if (!wait_us)
		return false;
	tcp_set_timer(tp, PENDING_REO, wait_us / 1000 + 2);
	return true;
}

void tcp_rack_reo_timeout(struct tcp_sock *tp)
{
	uint32_t prior = tcp_in_flight(tp), lost = tp->lost;

	detect(tp);
	if (prior != tcp_in_flight(tp)) {
		if (tp->ca_state < CA_RECOVERY) {
			tcp_enter_recovery(tp, false);
			tcp_cwnd_reduction(tp, 1, tp->lost - lost, 0);
		}
		tcp_xmit_retransmit_queue(tp);
	}
	if (tp->pending != PENDING_RETRANS)
		tcp_rearm_rto(tp);
}

/* The reordering window grows with each round trip that brought a D-SACK, and falls back after sixteen recoveries
 * without one. */
void tcp_rack_update_reo_wnd(struct tcp_sock *tp, uint32_t prior_delivered)
{
	if (!tp->sack_ok)
		return;
	/* Only once in a round trip. */
	if (seq_before(prior_delivered, tp->rack.last_delivered))
		tp->rack.dsack_seen = false;
	if (tp->rack.dsack_seen) {
		tp->rack.reo_wnd_steps = (uint8_t)MIN(0xff, tp->rack.reo_wnd_steps + 1);
		tp->rack.dsack_seen = false;
		tp->rack.last_delivered = tp->delivered;
		tp->rack.reo_wnd_persist = 16;
	} else if (!tp->rack.reo_wnd_persist) {
		tp->rack.reo_wnd_steps = 1;
	}
}

/* ---- TLP ---- */

bool tcp_schedule_tlp(struct tcp_sock *tp)
{
	uint32_t timeout;
	int64_t rto_left;

	if (tp->pending == PENDING_REO)
		return true;
	if (!net_sysctl(tp->s.st, NET_SYSCTL_TCP_EARLY_RETRANS) || !tp->packets_out || !tp->sack_ok ||
	    (tp->ca_state != CA_OPEN && tp->ca_state != CA_CWR))
		return false;
	if (tp->srtt_us) {
		timeout = tp->srtt_us / 4000; /* two round trips */
		timeout += tp->packets_out == 1 ? TCP_RTO_MIN_MS : 2;
	} else {
		timeout = TCP_RTO_INIT_MS;
	}
	rto_left = tcp_rto_delta_us(tp);
	if (rto_left > 0)
		timeout = (uint32_t)MIN((int64_t)timeout, MAX(rto_left / 1000, (int64_t)1));
	tcp_set_timer(tp, PENDING_TLP, MAX(timeout, 1u));
	return true;
}

void tcp_send_tlp(struct tcp_sock *tp)
{
	uint32_t before = tp->packets_out;
	struct tcp_sent *r;

	tcp_clear_timer(tp);
	if (tp->tlp_high_seq)
		goto rearm; /* one probe at a time */
	tp->tlp_retrans = false;
	if (tcp_send_pending(tp) && !tp->urg_mode) {
		tcp_write_xmit(tp, tcp_current_mss(tp), NAGLE_OFF, 2);
		if (tp->packets_out > before)
			goto sent;
	}
	if (list_empty(&tp->rtx))
		return;
	r = LIST_ENTRY(tp->rtx.prev, struct tcp_sent, node);
	if (r->pcount > 1 && r->end - r->seq > (r->pcount - 1u) * r->mss) {
		if (tcp_sent_split(tp, r, r->seq + (r->pcount - 1u) * r->mss) < 0)
			goto rearm;
		r = tcp_sent_next(tp, r);
	}
	if (tcp_retransmit(tp, r, 1) < 0)
		goto rearm;
	tp->tlp_retrans = true;
sent:
	tp->tlp_high_seq = tp->snd_nxt;
	net_count(tp->s.st, MIB_TcpExt_TCPLossProbes);
rearm:
	tcp_rearm_rto(tp);
}

void tcp_process_tlp_ack(struct tcp_sock *tp, uint32_t ack, uint32_t flag)
{
	if (seq_before(ack, tp->tlp_high_seq))
		return;
	if (!tp->tlp_retrans) {
		tp->tlp_high_seq = 0; /* the probe was new data */
	} else if (flag & FLAG_DSACK_TLP) {
		tp->tlp_high_seq = 0; /* the original arrived too: nothing was lost */
	} else if (seq_after(ack, tp->tlp_high_seq)) {
		/* The probe repaired a loss: the window answers as to any other. */
		tcp_init_cwnd_reduction(tp);
		tcp_set_ca_state(tp, CA_CWR);
		tcp_end_cwnd_reduction(tp);
		tcp_try_keep_open(tp);
		net_count(tp->s.st, MIB_TcpExt_TCPLossProbeRecovery);
		tp->tlp_high_seq = 0;
	} else if (!(flag & (FLAG_UNA_ADVANCED | FLAG_NOT_DUP | FLAG_DATA_SACKED))) {
		tp->tlp_high_seq = 0; /* a duplicate for the probe alone */
	}
}
