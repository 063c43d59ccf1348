/* When to acknowledge: at once in the beginning and when something is odd, every second segment in a stream, else after a
 * while, in the hope that an answer carries the ACK (RFC 1122 4.2.3.2, 5681 4.2). And ECN marks that the ACK echoes. */
#include "netd/tcp/conn.h"

bool tcp_in_quickack(const struct tcp_sock *tp)
{
	return tp->ack.quick && !tp->ack.pingpong;
}

static void incr_quickack(struct tcp_sock *tp, uint32_t max)
{
	uint32_t n = tp->rcv_wnd / (2u * MAX(tp->ack.rcv_mss, 1));

	n = MIN(MAX(n, 2u), max);
	if (n > tp->ack.quick)
		tp->ack.quick = (uint8_t)n;
}

void tcp_quickack(struct tcp_sock *tp, uint32_t max)
{
	incr_quickack(tp, max);
	tp->ack.pingpong = 0;
	tp->ack.ato_ms = TCP_ATO_MIN_MS;
}

void tcp_delayed_ack(struct tcp_sock *tp)
{
	uint32_t ato = tp->ack.ato_ms, most = TCP_DELACK_MAX_MS, rtt;

	if (ato > TCP_ATO_MIN_MS) {
		/* Bounded by the round trip when it is known, so that a peer does not time out. */
		if (tp->ack.pingpong || (tp->ack.pending & ACK_PUSHED))
			most = TCP_DELACK_MAX_MS;
		if (tp->srtt_us) {
			rtt = MAX(tp->srtt_us / 8000, TCP_ATO_MIN_MS);
			most = MIN(most, rtt);
		}
		ato = MIN(ato, most);
	}
	ato = MIN(MAX(ato, 1u), TCP_DELACK_MAX_MS);
	if (tp->ack.pending & ACK_TIMER) {
		uint32_t left = tp->ack.timeout_ms - tcp_ms(tp);

		if ((int32_t)left <= (int32_t)(ato >> 2)) {
			tcp_send_ack(tp);
			return;
		}
		if ((int32_t)left < (int32_t)ato)
			return; /* the earlier time stands */
	}
	tp->ack.pending |= ACK_SCHED | ACK_TIMER;
	tp->ack.timeout_ms = tcp_ms(tp) + ato;
	net_timer_arm(tp->s.st, &tp->ack_timer, ato);
}

void tcp_data_check(struct tcp_sock *tp)
{
	if (tp->state == TCP_CLOSE)
		return;
	tcp_push_pending(tp);
	if (!(tp->ack.pending & ACK_SCHED))
		return;
	if (tp->ooo_count || (tp->ack.pending & ACK_NOW)) {
		tcp_send_ack(tp);
		return;
	}
	if (tp->rcv_nxt - tp->rcv_wup > tp->ack.rcv_mss || tcp_in_quickack(tp))
		/* At the end of the round, for all that came together. */
		tcp_ack_soon(tp);
	else
		tcp_delayed_ack(tp);
}

static void measure_rcv_mss(struct tcp_sock *tp, const struct tcp_seg *seg)
{
	uint32_t len = seg->gso_size ? seg->gso_size : seg->len, last = tp->ack.last_seg_size;

	tp->ack.last_seg_size = 0;
	if (len >= tp->ack.rcv_mss) {
		tp->ack.rcv_mss = (uint16_t)MIN(len, (uint32_t)tp->advmss);
		return;
	}
	if (len >= TCP_DEFAULT_MSS || (len >= 88 && !(seg->flags & SEG_PSH))) {
		/* Twice the same size below what we took for it: the peer's segments are smaller. */
		tp->ack.last_seg_size = (uint16_t)len;
		if (len == last) {
			tp->ack.rcv_mss = (uint16_t)len;
			return;
		}
	}
	if (tp->ack.pending & ACK_PUSHED)
		tp->ack.pending |= ACK_PUSHED2;
	tp->ack.pending |= ACK_PUSHED;
}

void tcp_ecn_check(struct tcp_sock *tp, const struct tcp_seg *seg)
{
	if (!(tp->ecn & ECN_OK))
		return;
	if (seg->flags & SEG_CWR) {
		tp->ecn &= (uint8_t)~ECN_DEMAND_CWR;
		/* The sender reacts now: it should learn soon of the next mark. */
		if (seg->len)
			tp->ack.pending |= ACK_NOW;
	}
	switch (seg->rx->tos & 3) {
	case 0:
		/* A retransmission, most likely: the sender waits. */
		if (tp->ecn & ECN_SEEN)
			incr_quickack(tp, 2);
		break;
	case 3:
		if (!(tp->ecn & ECN_DEMAND_CWR)) {
			tcp_quickack(tp, 2);
			tp->ecn |= ECN_DEMAND_CWR;
		}
		tp->ecn |= ECN_SEEN;
		break;
	default:
		tp->ecn |= ECN_SEEN;
		break;
	}
}

void tcp_event_data(struct tcp_sock *tp, const struct tcp_seg *seg)
{
	uint32_t now = tcp_ms(tp);

	tp->ack.pending |= ACK_SCHED;
	measure_rcv_mss(tp, seg);
	tcp_rcv_rtt_window(tp);
	if (!tp->ack.ato_ms) {
		/* The first data: the peer is in slow start, and each ACK lets it grow. */
		incr_quickack(tp, TCP_MAX_QUICKACKS);
		tp->ack.ato_ms = TCP_ATO_MIN_MS;
	} else {
		uint32_t m = now - tp->ack.lrcv_ms;

		if (m <= TCP_ATO_MIN_MS / 2)
			tp->ack.ato_ms = (tp->ack.ato_ms >> 1) + TCP_ATO_MIN_MS / 2;
		else if (m < tp->ack.ato_ms)
			tp->ack.ato_ms = MIN((tp->ack.ato_ms >> 1) + m, tp->rto_ms);
		else if (m > tp->rto_ms)
			incr_quickack(tp, TCP_MAX_QUICKACKS);
	}
	tp->ack.lrcv_ms = now;
	tcp_ecn_check(tp, seg);
}
