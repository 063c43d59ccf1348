/* The receive window: what the ring has room for, without silly small steps (RFC 9293 3.8.6.2.2), and when a larger ring
 * would help (the reader's rate over a round trip). */
#include "netd/tcp/conn.h"

#define RX_MAX (1u << 30) /* a window that sequence numbers can still tell from the past */

uint32_t tcp_rx_room(struct tcp_sock *tp)
{
	return tp->s.rx ? (uint32_t)MIN(bytering_room(tp->s.rx), (uint64_t)RX_MAX) : 0;
}

uint32_t tcp_rx_queued(struct tcp_sock *tp)
{
	struct bytering *rx = tp->s.rx;

	if (!rx)
		return 0;
	bytering_room(rx); /* looks how far the reader is */
	return (uint32_t)MIN(rx->tail - rx->head, (uint64_t)RX_MAX);
}

uint32_t tcp_window_candidate(struct tcp_sock *tp)
{
	uint32_t room = tcp_rx_room(tp), full = room, win, mss = tp->ack.rcv_mss;

	if (tp->s.rx)
		full += (uint32_t)MIN(tp->s.rx->tail - tp->s.rx->head, (uint64_t)RX_MAX);
	full = MIN(full, tp->window_clamp);
	room = MIN(room, tp->window_clamp);
	mss = MIN(mss, full);
	if (!mss)
		return 0;
	if (room < full / 2) {
		/* The reader is slow: nothing is gained by hurried ACKs. */
		tp->ack.quick = 0;
		if (room < full >> 4 || room < mss)
			return 0;
	}
	if (tp->rcv_wscale)
		return room & ~((1u << tp->rcv_wscale) - 1);
	win = tp->rcv_wnd;
	if (win <= room - MIN(mss, room) || win > room)
		win = room - room % mss;
	else if (mss == full && room > win + full / 2)
		win = room;
	return win;
}

uint16_t tcp_select_window(struct tcp_sock *tp)
{
	uint32_t old = tp->rcv_wnd, cur = tcp_rcv_window(tp), win = tcp_window_candidate(tp);
	uint32_t unit = 1u << tp->rcv_wscale;

	if (win < cur) {
		/* What was offered is not taken back; rounding may go up only where there is room. */
		if (win == 0)
			net_count(tp->s.st, MIB_TcpExt_TCPWantZeroWindowAdv);
		win = ALIGN_UP(cur, unit);
		if (win > tcp_rx_room(tp) && win > cur)
			win = ALIGN_DOWN(cur, unit);
	}
	win = MIN(win, 65535u << tp->rcv_wscale);
	tp->rcv_wnd = win;
	tp->rcv_wup = tp->rcv_nxt;
	if (!win && old)
		net_count(tp->s.st, MIB_TcpExt_TCPToZeroWindowAdv);
	else if (win && !old)
		net_count(tp->s.st, MIB_TcpExt_TCPFromZeroWindowAdv);
	return (uint16_t)(win >> tp->rcv_wscale);
}

/* Twice what the reader took in the last round trip, and more when that is growing: so that the window is never what
 * limits a sender in slow start. */
static void space_adjust(struct tcp_sock *tp)
{
	uint64_t now = tcp_us(tp), pos = tp->s.rx->head, copied;
	uint64_t want;
	int64_t most = net_sysctl(tp->s.st, NET_SYSCTL_TCP_RMEM_MAX);

	if (!tp->rcv_rtt_us || now - tp->rcvq.us < tp->rcv_rtt_us)
		return;
	copied = pos - tp->rcvq.pos;
	if (copied > tp->rcvq.space) {
		want = 2 * copied + 16ull * tp->advmss;
		want += 2 * want * (copied - tp->rcvq.space) / MAX(tp->rcvq.space, 1u);
		want = MIN(want, (uint64_t)most);
		/* Data beyond a hole lies in the ring's present region. */
		if (net_sysctl(tp->s.st, NET_SYSCTL_TCP_MODERATE_RCVBUF) && !tp->s.opt.rcvbuf_locked &&
		    !tp->ooo_count && tp->s.up && tp->s.up->grow && !tp->orphan &&
		    want > (uint64_t)tcp_rx_room(tp) + tcp_rx_queued(tp))
			tp->s.up->grow(&tp->s, false, want);
		tp->rcvq.space = (uint32_t)MIN(copied, (uint64_t)UINT32_MAX);
	}
	tp->rcvq.pos = pos;
	tp->rcvq.us = now;
}

void tcp_rx_consumed(struct tcp_sock *tp)
{
	struct bytering *rx = tp->s.rx;
	bool now = false, took;

	if (!rx || tp->paired || !((1u << tp->state) & (1u << TCP_ESTABLISHED | 1u << TCP_FIN_WAIT1 |
							1u << TCP_FIN_WAIT2)))
		return;
	bytering_room(rx);
	took = rx->head != tp->rx_consumed_pos;
	tp->rx_consumed_pos = rx->head;
	space_adjust(tp);
	if (tp->ack.pending & ACK_SCHED) {
		/* More than one full segment waits for its ACK, or the reader has all of what was pushed. */
		if (tp->rcv_nxt - tp->rcv_wup > tp->ack.rcv_mss ||
		    (took && rx->head == rx->tail &&
		     ((tp->ack.pending & ACK_PUSHED2) ||
		      ((tp->ack.pending & ACK_PUSHED) && !tp->ack.pingpong))))
			now = true;
	}
	if (took && !now) {
		uint32_t cur = tcp_rcv_window(tp), win;

		if (2 * (uint64_t)cur <= tp->window_clamp) {
			win = tcp_window_candidate(tp);
			now = win && win >= 2 * cur;
		}
	}
	if (now)
		tcp_send_ack(tp);
}

static void rtt_update(struct tcp_sock *tp, uint32_t sample, bool window_based)
{
	uint32_t old = tp->rcv_rtt_us;

	if (!sample)
		sample = 1;
	if (!old)
		tp->rcv_rtt_us = sample;
	else if (window_based)
		/* An upper bound only: the smallest counts. */
		tp->rcv_rtt_us = MIN(old, sample);
	else
		tp->rcv_rtt_us = old - old / 8 + sample / 8;
}

void tcp_rcv_rtt_window(struct tcp_sock *tp)
{
	uint64_t now = tcp_us(tp);

	if (tp->rcv_rtt_stamp) {
		if (seq_before(tp->rcv_nxt, tp->rcv_rtt_seq))
			return;
		rtt_update(tp, (uint32_t)MIN(now - tp->rcv_rtt_stamp, (uint64_t)UINT32_MAX), true);
	}
	tp->rcv_rtt_seq = tp->rcv_nxt + tp->rcv_wnd;
	tp->rcv_rtt_stamp = now;
}

void tcp_rcv_rtt_ts(struct tcp_sock *tp, uint32_t len)
{
	uint32_t delta;

	if (!tp->saw_ts || !tp->rcv_tsecr || tp->rcv_tsecr == tp->rcv_rtt_tsecr || len < tp->ack.rcv_mss)
		return;
	tp->rcv_rtt_tsecr = tp->rcv_tsecr;
	delta = tcp_ts_now(tp->s.st) + tp->ts_off - tp->rcv_tsecr;
	if (delta < 60000)
		rtt_update(tp, MAX(delta, 1u) * 1000, false);
}
