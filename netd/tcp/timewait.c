/* TIME_WAIT, and FIN_WAIT_2 of connections without an owner, in entries of a hundred-odd bytes (RFC 9293 3.6.1, RFC 1337,
 * RFC 6191). */
#include <stdlib.h>

#include "netd/tcp/conn.h"

void tcp_tw_kill(struct tcp_tw *tw)
{
	struct tcp_state *t = tw->t;

	net_timer_cancel(&tw->timer);
	tcp_node_remove(t, &tw->node);
	list_del(&tw->link);
	port_drop(tw->port);
	t->tw_count--;
	free(tw);
}

static void tw_fire(struct net_timer *timer)
{
	struct tcp_tw *tw = CONTAINER_OF(timer, struct tcp_tw, timer);

	net_count(tw->t->st, MIB_TcpExt_TW);
	tcp_tw_kill(tw);
}

void tcp_time_wait(struct tcp_sock *tp, uint8_t substate, uint32_t timeout_ms)
{
	struct tcp_state *t = tp->t;
	struct tcp_tw *tw = NULL;
	uint32_t least = (tp->rto_ms << 2) - (tp->rto_ms >> 1);

	if (t->tw_count < net_sysctl(t->st, NET_SYSCTL_TCP_MAX_TW_BUCKETS))
		tw = calloc(1, sizeof(*tw));
	if (!tw) {
		/* The entry would only keep old duplicates away; a crowd of them must not hold up the rest. */
		net_count(t->st, MIB_TcpExt_TCPTimeWaitOverflow);
		tcp_close_now(tp);
		return;
	}
	tw->t = t;
	tw->rcv_nxt = tp->rcv_nxt;
	tw->snd_nxt = tp->fin_queued ? tp->fin_seq + 1 : tp->snd_nxt;
	tw->rcv_wnd = tcp_rcv_window(tp);
	tw->rcv_wscale = tp->rcv_wscale;
	tw->ts_ok = tp->ts_ok;
	tw->ts_recent = tp->ts_recent;
	tw->ts_recent_ms = (uint32_t)netstack_now_ms(t->st);
	tw->ts_off = tp->ts_off;
	tw->last_oow_ms = tp->last_oow_ms;
	tw->substate = substate;
	tw->uid = tp->s.opt.uid;
	tw->family = tp->s.family;
	tw->bound_if = tp->s.opt.bound_if;
	tw->iif = tp->iif;
	tw->tos = tp->s.opt.tos & 0xfc;
	tw->port = port_detach(&tp->s);
	net_timer_init(&tw->timer, tw_fire);
	tcp_node_set(t, &tw->node, TCP_KIND_TW, &tp->node.laddr, tp->node.lport, &tp->node.raddr, tp->node.rport);
	tcp_node_remove(t, &tp->node);
	tcp_node_insert(t, &tw->node);
	list_add_tail(&t->tws, &tw->link);
	t->tw_count++;
	net_timer_arm(t->st, &tw->timer, substate == TCP_TIME_WAIT ? TCP_TIMEWAIT_MS : MAX(timeout_ms, least));
	tcp_close_now(tp);
}

static void oow_ack(struct tcp_tw *tw)
{
	if (tcp_oow_limited(tw->t->st, &tw->last_oow_ms, false))
		net_count(tw->t->st, tw->substate == TCP_FIN_WAIT2 ? MIB_TcpExt_TCPACKSkippedFinWait2
								    : MIB_TcpExt_TCPACKSkippedTimeWait);
	else
		tcp_tw_ack(tw);
}

static void note_ts(struct tcp_tw *tw, const struct tcp_seg *seg)
{
	if (tw->ts_ok && seg->o.ts_ok) {
		tw->ts_recent = seg->o.tsval;
		tw->ts_recent_ms = (uint32_t)netstack_now_ms(tw->t->st);
	}
}

static void rcv_fin_wait2(struct tcp_tw *tw, struct tcp_seg *seg, bool old)
{
	struct netstack *st = tw->t->st;

	if (old || seq_after(seg->seq, tw->rcv_nxt + tw->rcv_wnd) || seq_before(seg->end, tw->rcv_nxt)) {
		if (!(seg->flags & SEG_RST))
			oow_ack(tw);
		return;
	}
	if (seg->flags & SEG_RST) {
		if (seg->seq == tw->rcv_nxt)
			tcp_tw_kill(tw);
		else
			oow_ack(tw);
		return;
	}
	if (seg->flags & SEG_SYN) {
		oow_ack(tw);
		return;
	}
	if (!(seg->flags & SEG_ACK) || seg->end == seg->seq)
		return;
	if (!seq_after(seg->end, tw->rcv_nxt)) {
		oow_ack(tw);
		return;
	}
	if (!(seg->flags & SEG_FIN) || seg->end != tw->rcv_nxt + 1) {
		/* Data that nobody will read. */
		tcp_reset_reply(st, seg);
		tcp_tw_kill(tw);
		return;
	}
	tw->substate = TCP_TIME_WAIT;
	tw->rcv_nxt = seg->end;
	note_ts(tw, seg);
	net_timer_arm(st, &tw->timer, TCP_TIMEWAIT_MS);
	tcp_tw_ack(tw);
}

void tcp_rcv_tw(struct tcp_tw *tw, struct tcp_seg *seg)
{
	struct netstack *st = tw->t->st;
	bool old = tw->ts_ok && seg->o.ts_ok && (int32_t)(tw->ts_recent - seg->o.tsval) > 1;

	if (tw->substate == TCP_FIN_WAIT2) {
		rcv_fin_wait2(tw, seg, old);
		return;
	}
	if (!old && seg->seq == tw->rcv_nxt && (seg->seq == seg->end || (seg->flags & SEG_RST))) {
		if (seg->flags & SEG_RST) {
			if (!net_sysctl(st, NET_SYSCTL_TCP_RFC1337))
				tcp_tw_kill(tw);
			return;
		}
		net_timer_arm(st, &tw->timer, TCP_TIMEWAIT_MS);
		note_ts(tw, seg);
		return;
	}
	if (old)
		net_count(st, MIB_TcpExt_PAWSTimewait);
	if (seg->flags & SEG_RST)
		return;
	if (old || (seg->flags & SEG_ACK))
		net_timer_arm(st, &tw->timer, TCP_TIMEWAIT_MS);
	oow_ack(tw);
}

bool tcp_tw_reusable(struct tcp_tw *tw, struct tcp_sock *by)
{
	struct netstack *st = tw->t->st;
	int64_t reuse = net_sysctl(st, NET_SYSCTL_TCP_TW_REUSE);

	if (tw->substate != TCP_TIME_WAIT || !reuse || !tw->ts_ok)
		return false;
	if (reuse == 2 && !ip_addr_loopback(&tw->node.raddr))
		return false;
	/* The timestamps tell old duplicates from new segments only when the clock has moved on. */
	if ((uint32_t)netstack_now_ms(st) - tw->ts_recent_ms <=
	    (uint32_t)net_sysctl(st, NET_SYSCTL_TCP_TW_REUSE_DELAY))
		return false;
	by->tw_reuse = true;
	by->tw_iss = tw->snd_nxt + 65535 + 2;
	by->tw_ts_recent = tw->ts_recent;
	return true;
}
