/* The states of loss recovery: Open, Disorder (something is odd), CWR (the window comes down for another reason than
 * loss), Recovery (fast retransmit) and Loss (time-out); PRR (RFC 6937) while the window comes down. */
#include "netd/tcp/conn.h"

static struct netstack *st_of(const struct tcp_sock *tp)
{
	return tp->s.st;
}

static bool rack_on(const struct tcp_sock *tp)
{
	return net_sysctl(st_of(tp), NET_SYSCTL_TCP_RECOVERY) & 1;
}

void tcp_set_ca_state(struct tcp_sock *tp, uint8_t state)
{
	if (state == CA_LOSS && tp->ca->lost)
		tp->ca->lost(tp);
	tp->ca_state = state;
}

/* ---- PRR ---- */

void tcp_init_cwnd_reduction(struct tcp_sock *tp)
{
	tp->high_seq = tp->snd_nxt;
	tp->tlp_high_seq = 0;
	tp->cwnd_cnt = 0;
	tp->prior_cwnd = tp->snd_cwnd;
	tp->prr_delivered = tp->prr_out = 0;
	tp->ssthresh = tp->ca->ssthresh(tp);
	if (tp->ecn & ECN_OK)
		tp->ecn |= ECN_QUEUE_CWR;
}

void tcp_cwnd_reduction(struct tcp_sock *tp, uint32_t newly_acked, uint32_t newly_lost, uint32_t flag)
{
	uint32_t in_flight = tcp_in_flight(tp);
	int32_t delta = (int32_t)(tp->ssthresh - in_flight), count;

	if (!newly_acked || !tp->prior_cwnd)
		return;
	tp->prr_delivered += newly_acked;
	if (delta < 0) {
		uint64_t goal = (uint64_t)tp->ssthresh * tp->prr_delivered + tp->prior_cwnd - 1;

		count = (int32_t)(goal / tp->prior_cwnd) - (int32_t)tp->prr_out;
	} else {
		count = MAX((int32_t)(tp->prr_delivered - tp->prr_out), (int32_t)newly_acked);
		if ((flag & FLAG_UNA_ADVANCED) && !newly_lost)
			count++;
		count = MIN(delta, count);
	}
	/* The first retransmission goes out in any case. */
	count = MAX(count, tp->prr_out ? 0 : 1);
	tp->snd_cwnd = MAX(in_flight + (uint32_t)count, 1u);
}

void tcp_end_cwnd_reduction(struct tcp_sock *tp)
{
	if (tp->ssthresh < UINT32_MAX >> 1 && (tp->ca_state == CA_CWR || tp->undo_marker)) {
		tp->snd_cwnd = MAX(tp->ssthresh, 1u);
		tp->cwnd_stamp_ms = tcp_ms(tp);
	}
}

void tcp_enter_cwr(struct tcp_sock *tp)
{
	tp->prior_ssthresh = 0;
	if (tp->ca_state < CA_CWR) {
		tp->undo_marker = 0;
		tcp_init_cwnd_reduction(tp);
		tcp_set_ca_state(tp, CA_CWR);
	}
}

bool tcp_any_retrans(const struct tcp_sock *tp)
{
	const struct tcp_sent *r = tcp_rtx_head(tp);

	return tp->retrans_out || (r && (r->flags & SENT_EVER_RETRANS));
}

void tcp_try_keep_open(struct tcp_sock *tp)
{
	uint8_t state = CA_OPEN;

	if (tcp_left_out(tp) || tcp_any_retrans(tp))
		state = CA_DISORDER;
	if (tp->ca_state != state) {
		tcp_set_ca_state(tp, state);
		tp->high_seq = tp->snd_nxt;
	}
}

static void try_to_open(struct tcp_sock *tp, uint32_t flag)
{
	if (!tcp_any_retrans(tp))
		tp->retrans_stamp_ms = 0;
	if (flag & FLAG_ECE)
		tcp_enter_cwr(tp);
	if (tp->ca_state != CA_CWR)
		tcp_try_keep_open(tp);
}

/* ---- duplicates without SACK (RFC 6582) ---- */

static void reno_add(struct tcp_sock *tp, int dupacks)
{
	for (; dupacks > 0; dupacks--) {
		uint32_t holes = MIN(MAX(tp->lost_out, 1u), tp->packets_out);

		if (tp->sacked_out + holes >= tp->packets_out) {
			tp->reordering = MIN(tp->packets_out + 1, 300u);
			net_count(st_of(tp), MIB_TcpExt_TCPRenoReorder);
			return;
		}
		tp->sacked_out++;
		tp->delivered++;
	}
}

static void reno_mark_lost(struct tcp_sock *tp, bool una_advanced)
{
	struct tcp_sent *r = tcp_rtx_head(tp);

	if (!r || (r->flags & SENT_LOST))
		return;
	if ((tp->ca_state < CA_RECOVERY && tp->sacked_out >= tp->reordering) ||
	    (tp->ca_state == CA_RECOVERY && una_advanced)) {
		if (r->end - r->seq > r->mss)
			tcp_sent_split(tp, r, r->seq + r->mss);
		tcp_mark_lost(tp, r);
	}
}

/* ---- the state machine ---- */

static void identify_loss(struct tcp_sock *tp, uint32_t *flag)
{
	uint32_t prior;

	if (list_empty(&tp->rtx))
		return;
	if (!tp->sack_ok) {
		reno_mark_lost(tp, *flag & FLAG_UNA_ADVANCED);
		return;
	}
	if (rack_on(tp)) {
		prior = tp->retrans_out;
		if (tcp_rack_mark_lost(tp))
			*flag &= ~FLAG_SET_TIMER;
		if (prior > tp->retrans_out)
			*flag |= FLAG_LOST_RETRANS;
		return;
	}
	/* RFC 6675: what lies `reordering` packets below the highest SACKed data is lost. */
	if (tp->sacked_out >= tp->reordering) {
		uint32_t above = tp->sacked_out;
		struct tcp_sent *r;

		LIST_FOR_EACH(r, &tp->rtx, node) {
			if (r->flags & SENT_SACKED) {
				above -= r->pcount;
				continue;
			}
			if (above < tp->reordering || !seq_before(r->seq, tp->fack_seq))
				break;
			if (!(r->flags & SENT_LOST))
				tcp_mark_lost(tp, r);
		}
	}
}

void tcp_enter_recovery(struct tcp_sock *tp, bool ece)
{
	net_count(st_of(tp), tp->sack_ok ? MIB_TcpExt_TCPSackRecovery : MIB_TcpExt_TCPRenoRecovery);
	tp->retrans_stamp_ms = tp->retrans_out ? tp->retrans_stamp_ms : 0;
	tp->prior_ssthresh = 0;
	tcp_init_undo(tp);
	if (!tcp_in_cwnd_reduction(tp)) {
		if (!ece)
			tp->prior_ssthresh = tcp_current_ssthresh(tp);
		tcp_init_cwnd_reduction(tp);
	}
	tcp_set_ca_state(tp, CA_RECOVERY);
}

static bool time_to_recover(const struct tcp_sock *tp)
{
	return tp->lost_out || (!tp->sack_ok && tp->sacked_out >= tp->reordering);
}

static void process_loss(struct tcp_sock *tp, uint32_t flag, int dupacks, enum tcp_rexmit *rexmit)
{
	bool recovered = !seq_before(tp->snd_una, tp->high_seq);

	if ((flag & FLAG_UNA_ADVANCED) && tcp_try_undo_loss(tp, false))
		return;
	if (tp->frto) {
		/* RFC 5682 step 3.b, with SACK: something never retransmitted arrived. */
		if ((flag & FLAG_ORIG_SACK_ACKED) && tcp_try_undo_loss(tp, true))
			return;
		if (seq_after(tp->snd_nxt, tp->high_seq)) {
			if ((flag & FLAG_DATA_SACKED) || dupacks)
				tp->frto = false;
		} else if ((flag & FLAG_UNA_ADVANCED) && !recovered) {
			tp->high_seq = tp->snd_nxt;
			if (tcp_send_pending(tp) && seq_after(tcp_wnd_end(tp), tp->snd_nxt)) {
				*rexmit = REXMIT_NEW;
				return;
			}
			tp->frto = false;
		}
	}
	if (recovered) {
		tcp_try_undo_recovery(tp);
		return;
	}
	if (!tp->sack_ok) {
		if (seq_after(tp->snd_nxt, tp->high_seq) && dupacks)
			reno_add(tp, dupacks);
		else if (flag & FLAG_UNA_ADVANCED)
			tp->sacked_out = 0;
	}
	*rexmit = REXMIT_LOST;
}

/* A peer that forgot what it had SACKed: the head of the queue is marked though it is not acknowledged. Give it a
 * moment, since the ACK may be under way. */
static bool check_reneging(struct tcp_sock *tp, uint32_t *flag)
{
	if (!(*flag & FLAG_RENEGING) || !(*flag & FLAG_UNA_ADVANCED))
		return false;
	tcp_set_timer(tp, PENDING_RETRANS, MAX(tp->srtt_us / 16000, 10u));
	*flag &= ~FLAG_SET_TIMER;
	return true;
}

static bool leave_state(struct tcp_sock *tp)
{
	if (tp->ca_state == CA_CWR) {
		/* CWR is kept until something above high_seq arrives, so that ECE of the old flight does not count. */
		if (tp->snd_una != tp->high_seq) {
			tcp_end_cwnd_reduction(tp);
			tcp_set_ca_state(tp, CA_OPEN);
		}
	} else if (tp->ca_state == CA_RECOVERY) {
		if (!tp->sack_ok)
			tp->sacked_out = 0;
		if (tcp_try_undo_recovery(tp))
			return true;
		tcp_end_cwnd_reduction(tp);
	}
	return false;
}

void tcp_fastretrans(struct tcp_sock *tp, uint32_t prior_una, int dupacks, uint32_t *flag, enum tcp_rexmit *rexmit)
{
	bool do_lost = true;

	if (!tp->packets_out && tp->sacked_out)
		tp->sacked_out = 0;
	if (*flag & FLAG_ECE)
		tp->prior_ssthresh = 0;
	if (check_reneging(tp, flag))
		return;
	if (tp->ca_state == CA_OPEN)
		tp->retrans_stamp_ms = 0;
	else if (!seq_before(tp->snd_una, tp->high_seq) && leave_state(tp))
		return;
	switch (tp->ca_state) {
	case CA_RECOVERY:
		if (!(*flag & FLAG_UNA_ADVANCED)) {
			if (!tp->sack_ok)
				reno_add(tp, dupacks);
		} else if (tcp_try_undo_partial(tp, prior_una, &do_lost)) {
			return;
		}
		if (tcp_try_undo_dsack(tp))
			try_to_open(tp, *flag);
		if (do_lost)
			identify_loss(tp, flag);
		if (tp->ca_state != CA_RECOVERY) {
			if (!time_to_recover(tp))
				return;
			tcp_enter_recovery(tp, *flag & FLAG_ECE);
		}
		break;
	case CA_LOSS:
		process_loss(tp, *flag, dupacks, rexmit);
		if (tp->ca_state != CA_LOSS || *rexmit != REXMIT_NEW)
			identify_loss(tp, flag);
		if (!(tp->ca_state == CA_OPEN || (*flag & FLAG_LOST_RETRANS)))
			return;
		/* fall through */
	default:
		if (!tp->sack_ok) {
			if (*flag & FLAG_UNA_ADVANCED)
				tp->sacked_out = 0;
			reno_add(tp, dupacks);
		}
		if (tp->ca_state <= CA_DISORDER)
			tcp_try_undo_dsack(tp);
		identify_loss(tp, flag);
		if (!time_to_recover(tp)) {
			if (tp->ca_state != CA_LOSS)
				try_to_open(tp, *flag);
			return;
		}
		if (!tp->sack_ok)
			reno_mark_lost(tp, false);
		tcp_enter_recovery(tp, *flag & FLAG_ECE);
		break;
	}
	*rexmit = REXMIT_LOST;
}

/* The retransmission time-out went off. */
void tcp_enter_loss(struct tcp_sock *tp)
{
	struct tcp_sent *head = tcp_rtx_head(tp), *r;
	bool fresh = tp->ca_state < CA_RECOVERY, reneged = head && (head->flags & SENT_SACKED);

	if (reneged) {
		net_count(st_of(tp), MIB_TcpExt_TCPSACKReneging);
		tp->sacked_out = 0;
		tp->rack.rtt_us = 0;
	} else if (!tp->sack_ok) {
		tp->sacked_out = 0;
	}
	LIST_FOR_EACH(r, &tp->rtx, node) {
		if (reneged && (r->flags & SENT_SACKED)) {
			r->flags &= (uint8_t)~SENT_SACKED;
			if (list_empty(&r->tnode))
				list_add_tail(&tp->tsorted, &r->tnode);
		} else if (r != head && rack_on(tp) && tp->sack_ok && !reneged &&
			   tcp_rack_timeout(tp, r, 0) > 0) {
			continue; /* sent only a moment ago */
		}
		tcp_mark_lost(tp, r);
	}
	if (tp->ca_state <= CA_DISORDER || !seq_after(tp->high_seq, tp->snd_una) ||
	    (tp->ca_state == CA_LOSS && !tp->retransmits)) {
		tp->prior_ssthresh = tcp_current_ssthresh(tp);
		tp->prior_cwnd = tp->snd_cwnd;
		tp->ssthresh = tp->ca->ssthresh(tp);
		tcp_init_undo(tp);
	}
	tp->snd_cwnd = tcp_in_flight(tp) + 1;
	tp->cwnd_cnt = 0;
	tp->cwnd_stamp_ms = tcp_ms(tp);
	if (tp->ca_state <= CA_DISORDER && tp->sacked_out >= net_sysctl(st_of(tp), NET_SYSCTL_TCP_REORDERING))
		tp->reordering = (uint32_t)net_sysctl(st_of(tp), NET_SYSCTL_TCP_REORDERING);
	tcp_set_ca_state(tp, CA_LOSS);
	tp->high_seq = tp->snd_nxt;
	tp->tlp_high_seq = 0;
	if (tp->ecn & ECN_OK)
		tp->ecn |= ECN_QUEUE_CWR;
	tp->frto = net_sysctl(st_of(tp), NET_SYSCTL_TCP_FRTO) && (fresh || tp->retransmits) && !tp->mtup_blackhole;
}

/* The path's MTU fell: everything that was larger is lost, but not by congestion. */
void tcp_simple_retransmit(struct tcp_sock *tp)
{
	uint32_t mss = tcp_current_mss(tp), prior = tp->lost_out;
	struct tcp_sent *r, *next;

	LIST_FOR_EACH_SAFE(r, next, &tp->rtx, node) {
		if (r->mss > mss && r->end - r->seq > mss)
			tcp_mark_lost(tp, r);
	}
	if (prior == tp->lost_out)
		return;
	if (!tp->sack_ok && tp->sacked_out + tp->lost_out > tp->packets_out)
		tp->sacked_out = tp->packets_out - tp->lost_out;
	if (tp->ca_state != CA_LOSS) {
		tp->high_seq = tp->snd_nxt;
		tp->ssthresh = tcp_current_ssthresh(tp);
		tp->prior_ssthresh = 0;
		tp->undo_marker = 0;
		tcp_set_ca_state(tp, CA_LOSS);
	}
	tcp_xmit_retransmit_queue(tp);
}
