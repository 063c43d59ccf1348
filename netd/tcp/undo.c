/* Undoing a reduction of the window that proves wrong: the originals were only late (RFC 3522 by timestamps, RFC 3708 by
 * D-SACK, RFC 5682 F-RTO after a time-out). */
#include "netd/tcp/conn.h"

void tcp_init_undo(struct tcp_sock *tp)
{
	tp->undo_marker = tp->snd_una;
	/* -1: nothing was retransmitted yet that could prove unneeded. */
	tp->undo_retrans = tp->retrans_out ? (int32_t)tp->retrans_out : -1;
}

/* The ACK echoes a time before the first retransmission: the original arrived (Eifel). */
static bool packet_delayed(const struct tcp_sock *tp)
{
	return tp->retrans_stamp_ms && tp->saw_ts && tp->rcv_tsecr &&
	       (int32_t)(tp->rcv_tsecr - tp->ts_off - tp->retrans_stamp_ms) < 0;
}

static bool may_undo(const struct tcp_sock *tp)
{
	return tp->undo_marker && (!tp->undo_retrans || packet_delayed(tp));
}

static void undo_cwnd(struct tcp_sock *tp, bool unmark)
{
	struct tcp_sent *r;

	if (unmark) {
		LIST_FOR_EACH(r, &tp->rtx, node)
			r->flags &= (uint8_t)~SENT_LOST;
		tp->lost_out = 0;
		tp->rtx_hint = NULL;
	}
	if (tp->prior_ssthresh) {
		tp->snd_cwnd = tp->ca->undo(tp);
		if (tp->prior_ssthresh > tp->ssthresh) {
			tp->ssthresh = tp->prior_ssthresh;
			tp->ecn &= (uint8_t)~ECN_QUEUE_CWR;
		}
	}
	tp->cwnd_stamp_ms = tcp_ms(tp);
	tp->undo_marker = 0;
	tp->rack.advanced = true;
}

/* Without SACK the state is kept until something above high_seq is acknowledged, against false fast retransmits. */
static bool is_non_sack_preventing_reopen(struct tcp_sock *tp)
{
	if (tp->snd_una != tp->high_seq || tp->sack_ok)
		return false;
	if (!tcp_any_retrans(tp))
		tp->retrans_stamp_ms = 0;
	return true;
}

bool tcp_try_undo_recovery(struct tcp_sock *tp)
{
	if (may_undo(tp)) {
		net_count(tp->s.st, tp->ca_state == CA_LOSS ? MIB_TcpExt_TCPLossUndo : MIB_TcpExt_TCPFullUndo);
		undo_cwnd(tp, false);
	} else if (tp->rack.reo_wnd_persist) {
		tp->rack.reo_wnd_persist--;
	}
	if (is_non_sack_preventing_reopen(tp))
		return true;
	tcp_set_ca_state(tp, CA_OPEN);
	tp->retrans_stamp_ms = 0;
	return false;
}

bool tcp_try_undo_dsack(struct tcp_sock *tp)
{
	if (!tp->undo_marker || tp->undo_retrans)
		return false;
	tp->rack.reo_wnd_persist = MIN(16, tp->rack.reo_wnd_persist + 1);
	net_count(tp->s.st, MIB_TcpExt_TCPDSACKUndo);
	undo_cwnd(tp, false);
	return true;
}

bool tcp_try_undo_loss(struct tcp_sock *tp, bool frto_undo)
{
	if (!frto_undo && !may_undo(tp))
		return false;
	undo_cwnd(tp, true);
	net_count(tp->s.st, MIB_TcpExt_TCPLossUndo);
	if (frto_undo)
		net_count(tp->s.st, MIB_TcpExt_TCPSpuriousRTOs);
	tp->retransmits = 0;
	if (is_non_sack_preventing_reopen(tp))
		return true;
	if (frto_undo || tp->sack_ok)
		tcp_set_ca_state(tp, CA_OPEN);
	return true;
}

/* An ACK within recovery that shows reordering: the holes were only late. */
bool tcp_try_undo_partial(struct tcp_sock *tp, uint32_t prior_una, bool *do_lost)
{
	(void)prior_una;
	if (!tp->undo_marker || !packet_delayed(tp))
		return false;
	tcp_reordering_seen(tp, tp->snd_una, true);
	if (tp->retrans_out)
		return true; /* wait for what our retransmissions bring */
	if (!tcp_any_retrans(tp))
		tp->retrans_stamp_ms = 0;
	net_count(tp->s.st, MIB_TcpExt_TCPPartialUndo);
	undo_cwnd(tp, true);
	tcp_try_keep_open(tp);
	*do_lost = false;
	return false;
}
