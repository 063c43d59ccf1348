/* An acknowledgment: what it takes off the retransmission queue, the window it brings, and what it says about the path.
 * The order of the steps is that of RFC 9293 3.10.7.4 (fifth check), RFC 6675 and RFC 8985. */
#include "netd/tcp/conn.h"

static void ts_replace(struct tcp_sock *tp, const struct tcp_seg *seg)
{
	/* RFC 7323 4.3: only of a segment that begins at or before what was acknowledged. */
	if (tp->saw_ts && !seq_after(seg->seq, tp->rcv_wup)) {
		uint32_t now_s = (uint32_t)(netstack_now_ms(tp->s.st) / 1000);

		if ((int32_t)(tp->ts_recent - tp->rcv_tsval) <= 0 ||
		    now_s - tp->ts_recent_stamp_s >= TCP_PAWS_24DAYS_S) {
			tp->ts_recent = tp->rcv_tsval;
			tp->ts_recent_stamp_s = now_s;
		}
	}
}

static uint32_t update_window(struct tcp_sock *tp, const struct tcp_seg *seg)
{
	uint32_t win = seg->window, flag = 0;

	if (!(seg->flags & SEG_SYN))
		win <<= tp->snd_wscale;
	if (seq_after(seg->ack, tp->snd_una) || seq_after(seg->seq, tp->snd_wl1) ||
	    (seg->seq == tp->snd_wl1 && (win > tp->snd_wnd || !win))) {
		flag = FLAG_WIN_UPDATE;
		tp->snd_wl1 = seg->seq;
		if (tp->snd_wnd != win) {
			tp->snd_wnd = win;
			if (win > tp->max_window) {
				tp->max_window = win;
				tcp_sync_mss(tp, tp->pmtu);
			}
		}
	}
	return flag;
}

/* Frees the ring up to what was acknowledged. */
static void take_acked(struct tcp_sock *tp)
{
	uint32_t end = tp->snd_una;
	struct bytering_region old;

	if (tp->fin_queued && seq_after(end, tp->fin_seq))
		end = tp->fin_seq;
	if (!tp->s.tx || !seq_after(end, tp->tx_head_seq))
		return;
	if (!tp->orphan)
		tcp_write_space(tp);
	tp->bytes_acked += end - tp->tx_head_seq;
	bytering_take(tp->s.tx, end - tp->tx_head_seq, &old);
	tp->tx_head_seq = end;
}

static void update_rtt(struct tcp_sock *tp, struct tcp_ack_ctx *cx, uint32_t flag)
{
	int64_t rtt = cx->seq_rtt_us;

	if (rtt < 0)
		rtt = cx->sack_rtt_us;
	if (rtt < 0 && tp->saw_ts && tp->rcv_tsecr && (flag & FLAG_ACKED)) {
		uint32_t delta = tcp_ts_now(tp->s.st) + tp->ts_off - tp->rcv_tsecr;

		if (delta < 0x7fffffff / 1000) {
			rtt = (int64_t)MAX(delta, 1u) * 1000;
			cx->ca_rtt_us = rtt;
		}
	}
	if (rtt < 0)
		return;
	tcp_min_rtt(tp, (uint32_t)(cx->ca_rtt_us >= 0 ? cx->ca_rtt_us : rtt));
	tcp_rtt_sample(tp, rtt);
	tcp_set_rto(tp);
	tp->backoff = 0;
}

static void clean_rtx_queue(struct tcp_sock *tp, struct tcp_ack_ctx *cx, uint32_t prior_fack)
{
	uint64_t now = tcp_us(tp), first_ackt = 0, last_ackt = 0;
	uint32_t prior_sacked = tp->sacked_out, pkts_acked = 0, reord = tp->snd_nxt, *flag = cx->flag;
	struct tcp_sent *r, *next;
	bool all = true;

	for (r = tcp_rtx_head(tp); r; r = next) {
		uint32_t start = r->seq, count;

		next = tcp_sent_next(tp, r);
		if (seq_after(r->end, tp->snd_una)) {
			if (!seq_after(tp->snd_una, r->seq))
				break;
			count = r->pcount;
			tcp_sent_trim(tp, r, tp->snd_una);
			count -= r->pcount;
			if (!count)
				break;
			all = false;
		} else {
			count = r->pcount;
		}
		if (r->flags & SENT_EVER_RETRANS) {
			if (r->flags & SENT_RETRANS)
				*flag |= FLAG_RETRANS_ACKED;
			cx->retrans = true;
		} else if (!(r->flags & SENT_SACKED)) {
			last_ackt = r->sent_us;
			if (!first_ackt)
				first_ackt = last_ackt;
			if (seq_before(start, reord))
				reord = start;
			if (!seq_after(r->end, tp->high_seq))
				*flag |= FLAG_ORIG_SACK_ACKED;
		}
		if (!(r->flags & SENT_SACKED)) {
			tp->delivered += count;
			tcp_rate_delivered(tp, r, cx);
			tcp_rack_advance(tp, r->flags, r->end, r->sent_us);
		}
		pkts_acked += count;
		*flag |= FLAG_DATA_ACKED;
		if (!all)
			break;
		tcp_sent_free(tp, r);
	}
	if (!r)
		tp->delivered_us = now;
	if (tp->urg_mode && !seq_before(tp->snd_una, tp->snd_up))
		tp->urg_mode = false;
	if (seq_between(tp->snd_up, cx->prior_una, tp->snd_una))
		tp->snd_up = tp->snd_una;
	if (r && (r->flags & SENT_SACKED) && r == tcp_rtx_head(tp))
		*flag |= FLAG_RENEGING;
	if (first_ackt && !cx->retrans) {
		cx->seq_rtt_us = (int64_t)(now - first_ackt);
		cx->ca_rtt_us = (int64_t)(now - last_ackt);
	}
	if (cx->first_sackt) {
		cx->sack_rtt_us = (int64_t)(now - cx->first_sackt);
		cx->ca_rtt_us = (int64_t)(now - cx->last_sackt);
	}
	if (pkts_acked || cx->sack_rtt_us >= 0) {
		update_rtt(tp, cx, *flag);
		if (pkts_acked) {
			tp->delivered_us = now;
			*flag |= FLAG_SET_TIMER;
			if (!tp->sack_ok) {
				/* Without SACK the duplicates counted are what this covers. */
				tp->sacked_out -= MIN(tp->sacked_out, pkts_acked);
			} else if (seq_before(reord, prior_fack)) {
				tcp_reordering_seen(tp, reord, true);
			}
		}
		/* The time-out may be put off only by news of data sent after the head (RFC 6298 5.3): else it would
		 * never come while others are SACKed. */
		r = tcp_rtx_head(tp);
		if (!pkts_acked && r && cx->sack_rtt_us > (int64_t)(now - r->sent_us))
			*flag |= FLAG_SET_TIMER;
	}
	if (prior_sacked != tp->sacked_out && !tp->sacked_out)
		tp->fack_seq = tp->snd_una;
	if (tp->ca->acked && pkts_acked)
		tp->ca->acked(tp, cx->ca_rtt_us);
}

/* An ACK while nothing is under way: a window update may end probing. */
static void ack_probe(struct tcp_sock *tp)
{
	uint32_t end = tcp_write_end(tp), need;

	if (tp->snd_nxt == end)
		return;
	need = MIN(end - tp->snd_nxt, (uint32_t)tp->mss_cache);
	if (!seq_after(tp->snd_nxt + need, tcp_wnd_end(tp))) {
		tp->backoff = 0;
		tp->probes_stamp_ms = 0;
		if (tp->pending == PENDING_PROBE)
			tcp_clear_timer(tp);
	} else {
		tcp_set_timer(tp, PENDING_PROBE, tcp_clamp_user_timeout(tp, tcp_probe0_when(tp)));
	}
}

static bool may_raise_cwnd(const struct tcp_sock *tp, uint32_t flag)
{
	if (tcp_in_cwnd_reduction(tp))
		return false;
	/* With much reordering duplicates say that data arrives; else only what is acknowledged counts. */
	if (tp->reordering > net_sysctl(tp->s.st, NET_SYSCTL_TCP_REORDERING))
		return flag & (FLAG_DATA_ACKED | FLAG_DATA_SACKED | FLAG_SYN_ACKED);
	return flag & FLAG_DATA_ACKED;
}

static void cong_control(struct tcp_sock *tp, uint32_t ack, uint32_t delivered, uint32_t lost, uint32_t flag)
{
	if (tcp_in_cwnd_reduction(tp)) {
		tcp_cwnd_reduction(tp, delivered, lost, flag);
	} else if (may_raise_cwnd(tp, flag)) {
		tp->ca->avoid(tp, ack, delivered);
		tp->cwnd_stamp_ms = tcp_ms(tp);
	}
}

static void rate_sample(struct tcp_sock *tp, const struct tcp_ack_ctx *cx)
{
	uint64_t interval;
	uint32_t delivered;

	if (!cx->prior_us)
		return;
	interval = MAX(tcp_us(tp) - cx->prior_us, cx->snd_interval_us);
	delivered = tp->delivered - cx->prior_delivered;
	if (!interval || interval < tp->min_rtt_us || interval > UINT32_MAX)
		return;
	if (tp->app_limited && seq_after(tp->delivered, tp->app_limited))
		tp->app_limited = 0;
	if (!cx->app_limited || !tp->rate_interval_us ||
	    (uint64_t)delivered * tp->rate_interval_us >= (uint64_t)tp->rate_delivered * interval) {
		tp->rate_delivered = delivered;
		tp->rate_interval_us = (uint32_t)interval;
		tp->rate_app_limited = cx->app_limited;
	}
}

/* The owner is asked for a send buffer of twice the congestion window. */
static void sndbuf_expand(struct tcp_sock *tp)
{
	uint64_t want, size;

	if (tp->s.opt.sndbuf_locked || tp->orphan || !tp->s.up || !tp->s.up->grow || !tp->s.tx)
		return;
	if (tcp_in_flight(tp) >= tp->snd_cwnd)
		return;
	want = 2ull * MAX(tp->snd_cwnd, MAX(TCP_INIT_CWND, tp->reordering + 1)) * (tp->mss_cache + 40u);
	want = MIN(want, (uint64_t)net_sysctl(tp->s.st, NET_SYSCTL_TCP_WMEM_MAX));
	size = MIN(tp->s.tx->shm->limit, tp->s.tx->next.base ? tp->s.tx->next.size : tp->s.tx->cur.size);
	if (want > size)
		tp->s.up->grow(&tp->s, true, want);
}

/* An ECN echo on a segment with SYN means something else. */
static bool rcv_ecn_echo(const struct tcp_sock *tp, const struct tcp_seg *seg)
{
	return (tp->ecn & ECN_OK) && (seg->flags & (SEG_ECE | SEG_SYN)) == SEG_ECE;
}

static bool dubious(const struct tcp_sock *tp, uint32_t flag)
{
	return !(flag & FLAG_NOT_DUP) || (flag & (FLAG_DATA_SACKED | FLAG_ECE | FLAG_RENEGING)) ||
	       tp->ca_state != CA_OPEN;
}

static void xmit_recovery(struct tcp_sock *tp, enum tcp_rexmit what)
{
	if (what == REXMIT_NONE)
		return;
	if (what == REXMIT_NEW) {
		tcp_write_xmit(tp, tcp_current_mss(tp), NAGLE_OFF, 0);
		if (seq_after(tp->snd_nxt, tp->high_seq))
			return;
		tp->frto = false;
	}
	tcp_xmit_retransmit_queue(tp);
}

static int old_ack(struct tcp_sock *tp, struct tcp_seg *seg, struct tcp_ack_ctx *cx)
{
	enum tcp_rexmit rexmit = REXMIT_NONE;

	if (seg->o.sack_count && tp->sack_ok) {
		tcp_sacktag(tp, seg, cx);
		tcp_fastretrans(tp, cx->prior_una, 0, cx->flag, &rexmit);
		xmit_recovery(tp, rexmit);
	}
	return 0;
}

int tcp_ack(struct tcp_sock *tp, struct tcp_seg *seg, uint32_t flag)
{
	uint32_t ack = seg->ack, prior_una = tp->snd_una, prior_packets = tp->packets_out, prior_fack;
	uint32_t delivered = tp->delivered, lost = tp->lost;
	enum tcp_rexmit rexmit = REXMIT_NONE;
	struct tcp_ack_ctx cx = {.flag = &flag, .sack_rtt_us = -1, .seq_rtt_us = -1, .ca_rtt_us = -1,
				 .prior_una = prior_una, .reord = tp->snd_nxt};
	int dupacks = 0;

	if (seq_before(ack, prior_una)) {
		/* RFC 5961 5.2: nothing that was ever under way. */
		if (seq_before(ack, prior_una - MAX(tp->max_window, 1u))) {
			if (!(flag & FLAG_NO_CHALLENGE))
				tcp_challenge_ack(tp, false);
			return -1;
		}
		return old_ack(tp, seg, &cx);
	}
	if (seq_after(ack, tp->snd_nxt))
		return -2;
	if (seq_after(ack, prior_una)) {
		flag |= FLAG_UNA_ADVANCED;
		tp->retransmits = 0;
	}
	prior_fack = tp->sacked_out ? tp->fack_seq : tp->snd_una;
	cx.prior_in_flight = tcp_in_flight(tp);
	if (flag & FLAG_UPDATE_TS)
		ts_replace(tp, seg);
	if ((flag & (FLAG_SLOWPATH | FLAG_UNA_ADVANCED)) == FLAG_UNA_ADVANCED) {
		tp->snd_wl1 = seg->seq;
		flag |= FLAG_WIN_UPDATE;
		net_count(tp->s.st, MIB_TcpExt_TCPHPAcks);
	} else {
		if (seg->len || (seg->flags & (SEG_SYN | SEG_FIN)))
			flag |= FLAG_DATA;
		else
			net_count(tp->s.st, MIB_TcpExt_TCPPureAcks);
		flag |= update_window(tp, seg);
		tp->snd_una = ack;
		if (seg->o.sack_count && tp->sack_ok)
			tcp_sacktag(tp, seg, &cx);
		if (rcv_ecn_echo(tp, seg))
			flag |= FLAG_ECE;
	}
	tp->snd_una = ack;
	take_acked(tp);
	tp->err_soft = 0;
	tp->probes_out = 0;
	tp->rcv_tstamp_ms = tcp_ms(tp);
	if (!prior_packets) {
		if (flag & FLAG_DSACK)
			tcp_fastretrans(tp, prior_una, 0, &flag, &rexmit);
		ack_probe(tp);
		if (tp->tlp_high_seq)
			tcp_process_tlp_ack(tp, ack, flag);
		return 1;
	}
	clean_rtx_queue(tp, &cx, prior_fack);
	tcp_rack_update_reo_wnd(tp, delivered);
	if (tp->tlp_high_seq)
		tcp_process_tlp_ack(tp, ack, flag);
	if (dubious(tp, flag)) {
		if (!(flag & (FLAG_UNA_ADVANCED | FLAG_NOT_DUP | FLAG_DSACK)))
			dupacks = 1;
		tcp_fastretrans(tp, prior_una, dupacks, &flag, &rexmit);
	}
	if (flag & FLAG_SET_TIMER) {
		/* RACK may have set its own timer, which then stands. */
		if (!tcp_schedule_tlp(tp))
			tcp_rearm_rto(tp);
	}
	if ((flag & FLAG_UNA_ADVANCED) || !(flag & FLAG_NOT_DUP))
		ip_route_confirm(tp->s.st, &tp->route, &tp->node.raddr);
	if ((flag & FLAG_ECE) && (tp->ecn & ECN_OK))
		tp->delivered_ce += tp->delivered - delivered;
	rate_sample(tp, &cx);
	cong_control(tp, ack, tp->delivered - delivered, tp->lost - lost, flag);
	xmit_recovery(tp, rexmit);
	if (flag & FLAG_DATA_ACKED) {
		sndbuf_expand(tp);
		tcp_write_space(tp);
	}
	tcp_chrono(tp);
	return 1;
}
