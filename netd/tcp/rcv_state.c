/* Segments of connections that are being made or ended (RFC 9293 3.10.7.3 and 3.10.7.4). */
#include "netd/tcp/conn.h"

static void synced_opts(struct tcp_sock *tp, const struct tcp_seg *seg)
{
	struct netstack *st = tp->s.st;

	if (tp->ts_ok && seg->o.ts_ok) {
		tp->saw_ts = true;
		tp->rcv_tsval = tp->ts_recent = seg->o.tsval;
		tp->rcv_tsecr = seg->o.tsecr;
		tp->ts_recent_stamp_s = (uint32_t)(netstack_now_ms(st) / 1000);
	} else {
		tp->ts_ok = false;
	}
	if (tp->wscale_ok && seg->o.wscale_ok) {
		tp->snd_wscale = seg->o.wscale;
	} else {
		tp->wscale_ok = false;
		tp->snd_wscale = tp->rcv_wscale = 0;
		tp->window_clamp = MIN(tp->window_clamp, 65535u);
	}
	tp->sack_ok = tp->sack_ok && seg->o.sack_perm;
	tp->mss_clamp = seg->o.mss_ok ? seg->o.mss : TCP_DEFAULT_MSS;
	if (tp->user_mss)
		tp->mss_clamp = MIN(tp->mss_clamp, tp->user_mss);
	tp->irs = seg->seq;
	tp->rcv_nxt = tp->rcv_wup = seg->seq + 1;
	tp->snd_wnd = seg->window;
	tp->snd_wl1 = seg->seq;
	tp->max_window = MAX(tp->snd_wnd, 1u);
	tcp_sync_mss(tp, tp->route.out ? tp->route.mtu : tp->pmtu);
}

static void connected(struct tcp_sock *tp, struct tcp_seg *seg)
{
	tp->snd_una = seg->ack;
	tp->rcv_tstamp_ms = tcp_ms(tp);
	if (!tp->retransmits && tp->first_tx_us)
		tcp_rtt_sample(tp, (int64_t)(tcp_us(tp) - tp->first_tx_us));
	else if (tp->saw_ts && tp->rcv_tsecr)
		tcp_rtt_sample(tp, (int64_t)(tcp_ts_now(tp->s.st) + tp->ts_off - tp->rcv_tsecr) * 1000);
	if (tp->srtt_us) {
		tcp_min_rtt(tp, tp->srtt_us >> 3);
		tcp_set_rto(tp);
	} else {
		tp->rto_ms = TCP_RTO_INIT_MS;
	}
	tp->retransmits = tp->backoff = 0;
	tp->err_soft = 0;
	tcp_clear_timer(tp);
	tcp_set_state(tp, TCP_ESTABLISHED);
	tcp_init_transfer(tp);
	/* A connection that needed several attempts begins with care (RFC 5681 3.1). */
	if (tp->total_retrans > 1 && tp->retrans_stamp_ms)
		tp->snd_cwnd = 1;
	tp->retrans_stamp_ms = 0;
	ip_route_confirm(tp->s.st, &tp->route, &tp->node.raddr);
}

static void rcv_syn_sent(struct tcp_sock *tp, struct tcp_seg *seg)
{
	struct netstack *st = tp->s.st;

	if (seg->flags & SEG_ACK) {
		if (!seq_after(seg->ack, tp->snd_una) || seq_after(seg->ack, tp->snd_nxt)) {
			tcp_reset_reply(st, seg);
			return;
		}
		if (tp->ts_ok && seg->o.ts_ok && seg->o.tsecr) {
			uint32_t echoed = seg->o.tsecr - tp->ts_off, first = (uint32_t)(tp->first_tx_us / 1000);

			if (!seq_between(echoed, first, tcp_ts_now(st))) {
				net_count(st, MIB_TcpExt_PAWSActive);
				tcp_reset_reply(st, seg);
				return;
			}
		}
		if (seg->flags & SEG_RST) {
			tcp_reset(tp);
			return;
		}
		if (!(seg->flags & SEG_SYN))
			return;
		if ((tp->ecn & ECN_OK) && (seg->flags & (SEG_ECE | SEG_CWR)) != SEG_ECE)
			tp->ecn = 0;
		synced_opts(tp, seg);
		connected(tp, seg);
		tcp_urgent_in(tp, seg);
		if (tp->defer_s || tp->ack.pingpong) {
			/* The owner promised to write first: the ACK can ride on that. */
			tp->ack.pending |= ACK_SCHED | ACK_TIMER;
			tp->ack.timeout_ms = tcp_ms(tp) + TCP_DELACK_MAX_MS;
			net_timer_arm(st, &tp->ack_timer, TCP_DELACK_MAX_MS);
		} else {
			tcp_send_ack(tp);
		}
		nsock_raise(&tp->s, NSOCK_OUT);
		return;
	}
	if ((seg->flags & SEG_RST) || !(seg->flags & SEG_SYN))
		return;
	/* Both ends connect to each other at once. */
	tcp_set_state(tp, TCP_SYN_RECV);
	if ((tp->ecn & ECN_OK) && (seg->flags & (SEG_ECE | SEG_CWR)) != (SEG_ECE | SEG_CWR))
		tp->ecn = 0;
	synced_opts(tp, seg);
	tcp_send_syn(tp, true);
}

static void syn_recv_acked(struct tcp_sock *tp, struct tcp_seg *seg)
{
	tp->snd_wnd = (uint32_t)seg->window << tp->snd_wscale;
	tp->snd_wl1 = seg->seq;
	tp->max_window = MAX(tp->max_window, tp->snd_wnd);
	connected(tp, seg);
	nsock_raise(&tp->s, NSOCK_OUT);
}

/* FIN_WAIT_2 of a connection whose owner is gone lasts for a bounded time. True: it became a small entry. */
static void enter_fin_wait2(struct tcp_sock *tp, const struct tcp_seg *seg)
{
	uint32_t ms;

	tcp_set_state(tp, TCP_FIN_WAIT2);
	ip_route_confirm(tp->s.st, &tp->route, &tp->node.raddr);
	if (!tp->orphan)
		return;
	if (tp->linger2_ms < 0) {
		net_count(tp->s.st, MIB_TcpExt_TCPAbortOnData);
		tcp_send_active_reset(tp);
		tcp_close_now(tp);
		return;
	}
	if (seg->len && seq_after(seg->seq + seg->len, tp->rcv_nxt)) {
		net_count(tp->s.st, MIB_TcpExt_TCPAbortOnData);
		tcp_send_active_reset(tp);
		tcp_close_now(tp);
		return;
	}
	ms = tcp_fin_time_ms(tp);
	if (ms > TCP_TIMEWAIT_MS)
		tcp_keepalive_arm(tp, ms - TCP_TIMEWAIT_MS);
	else if (seg->flags & SEG_FIN)
		tcp_keepalive_arm(tp, ms); /* the FIN in this very segment makes it TIME_WAIT */
	else
		tcp_time_wait(tp, TCP_FIN_WAIT2, ms);
}

static bool fin_acked(const struct tcp_sock *tp)
{
	return tp->fin_queued && tp->snd_una == tp->fin_seq + 1;
}

void tcp_rcv_state(struct tcp_sock *tp, struct tcp_seg *seg)
{
	int ret;

	if (tp->state == TCP_CLOSE || tp->state == TCP_LISTEN)
		return;
	tp->saw_ts = false;
	if (tp->state == TCP_SYN_SENT) {
		rcv_syn_sent(tp, seg);
		return;
	}
	if (!(seg->flags & (SEG_ACK | SEG_RST | SEG_SYN)) || !tcp_validate(tp, seg) || !(seg->flags & SEG_ACK))
		return;
	ret = tcp_ack(tp, seg, FLAG_SLOWPATH | FLAG_UPDATE_TS | FLAG_NO_CHALLENGE);
	if (tp->state == TCP_SYN_RECV && (ret <= 0 || tp->snd_una == tp->iss)) {
		tcp_reset_reply(tp->s.st, seg);
		return;
	}
	if (ret < 0) {
		tcp_challenge_ack(tp, false);
		return;
	}
	switch (tp->state) {
	case TCP_SYN_RECV:
		syn_recv_acked(tp, seg);
		/* shutdown came before the handshake was over */
		if (tp->shut_wr)
			tcp_send_fin(tp);
		break;
	case TCP_FIN_WAIT1:
		if (fin_acked(tp))
			enter_fin_wait2(tp, seg);
		break;
	case TCP_CLOSING:
		if (fin_acked(tp)) {
			tcp_time_wait(tp, TCP_TIME_WAIT, 0);
			return;
		}
		break;
	case TCP_LAST_ACK:
		if (fin_acked(tp)) {
			tcp_close_now(tp);
			return;
		}
		break;
	default:
		break;
	}
	if (tp->state == TCP_CLOSE)
		return;
	if (tp->state == TCP_FIN_WAIT1 || tp->state == TCP_FIN_WAIT2) {
		/* RFC 1122 4.2.2.13: nobody is there to read this, and the peer should know. */
		if (tp->orphan && seg->len && seq_after(seg->seq + seg->len, tp->rcv_nxt)) {
			net_count(tp->s.st, MIB_TcpExt_TCPAbortOnData);
			tcp_send_active_reset(tp);
			tcp_close_now(tp);
			return;
		}
	}
	tcp_urgent_in(tp, seg);
	tcp_data_queue(tp, seg);
	if (tp->state != TCP_CLOSE)
		tcp_data_check(tp);
}
