/* Connections of this machine to itself whose data the owner moves: only the states are kept here, so that ss, /proc and
 * TIME_WAIT show what they would show otherwise. See nsock_up.paired. */
#include "netd/tcp/conn.h"

static bool idle(struct tcp_sock *tp)
{
	return tp->state == TCP_ESTABLISHED && !tp->orphan && !tp->paired && !tp->packets_out &&
	       tp->snd_una == tp->snd_nxt && !tcp_send_pending(tp) && !tp->ooo_count && !tp->urg_valid &&
	       !tp->shut_wr && tp->s.up && tp->s.rx && tp->s.tx;
}

static void pair_up(struct tcp_sock *a, struct tcp_sock *b)
{
	a->paired = true;
	a->pair = b;
	tcp_timers_stop(a);
	a->ack.pending = 0;
}

void tcp_pair_offer(struct tcp_sock *child)
{
	struct tcp_node *n = tcp_lookup(child->t, &child->node.raddr, child->node.rport, &child->node.laddr,
					child->node.lport);
	struct tcp_sock *peer;

	if (!n || n->kind != TCP_KIND_SOCK || netif_tapped(netif_loopback(child->s.st)))
		return;
	peer = CONTAINER_OF(n, struct tcp_sock, node);
	if (peer == child || !idle(child) || !idle(peer) || !child->s.up->paired ||
	    peer->s.up->paired != child->s.up->paired || peer->rcv_nxt != child->snd_nxt ||
	    child->rcv_nxt != peer->snd_nxt)
		return;
	if (!child->s.up->paired(&peer->s, &child->s))
		return;
	pair_up(peer, child);
	pair_up(child, peer);
}

/* The entry that the other end left behind, when its owner is gone. */
static struct tcp_tw *left_behind(struct tcp_sock *tp)
{
	struct tcp_node *n = tcp_lookup(tp->t, &tp->node.raddr, tp->node.rport, &tp->node.laddr, tp->node.lport);

	return n && n->kind == TCP_KIND_TW ? CONTAINER_OF(n, struct tcp_tw, node) : NULL;
}

static void note_fin(struct tcp_sock *tp, struct tcp_sock *peer)
{
	tp->fin_queued = true;
	tp->fin_seq = tp->snd_nxt++;
	tp->snd_una = tp->snd_nxt;
	if (peer) {
		peer->rcv_nxt = tp->snd_nxt;
		peer->peer_fin = true;
	}
}

void tcp_pair_shutdown(struct tcp_sock *tp)
{
	struct tcp_sock *peer = tp->pair;
	struct tcp_tw *tw;

	if (tp->fin_queued)
		return;
	tp->shut_wr = true;
	note_fin(tp, peer);
	if (tp->state == TCP_ESTABLISHED) {
		tcp_set_state(tp, TCP_FIN_WAIT2);
		if (peer) {
			tcp_set_state(peer, TCP_CLOSE_WAIT);
			nsock_raise(&peer->s, NSOCK_IN | NSOCK_RDHUP);
		}
		return;
	}
	if (tp->state != TCP_CLOSE_WAIT)
		return;
	/* The second FIN: the first one to close waits, we are done. */
	tw = peer ? NULL : left_behind(tp);
	tcp_set_state(tp, TCP_LAST_ACK);
	tcp_close_now(tp);
	if (peer) {
		nsock_ref(&peer->s);
		nsock_raise(&peer->s, NSOCK_IN | NSOCK_RDHUP | NSOCK_HUP);
		tcp_time_wait(peer, TCP_TIME_WAIT, 0);
		nsock_unref(&peer->s);
	} else if (tw && tw->substate == TCP_FIN_WAIT2) {
		tw->substate = TCP_TIME_WAIT;
		tw->rcv_nxt++;
		net_timer_arm(tp->s.st, &tw->timer, TCP_TIMEWAIT_MS);
	}
}

void tcp_pair_close(struct tcp_sock *tp, bool reset)
{
	struct tcp_sock *peer = tp->pair;
	struct tcp_tw *tw;

	if (reset) {
		net_count(tp->s.st, MIB_TcpExt_TCPAbortOnClose);
		net_count(tp->s.st, MIB_Tcp_OutRsts);
		tw = peer ? NULL : left_behind(tp);
		if (tw)
			tcp_tw_kill(tw);
		tcp_close_now(tp);
		if (peer)
			tcp_reset(peer);
		return;
	}
	nsock_ref(&tp->s);
	tcp_pair_shutdown(tp);
	if (tp->state == TCP_FIN_WAIT2 && tp->orphan)
		tcp_time_wait(tp, TCP_FIN_WAIT2, tcp_fin_time_ms(tp));
	nsock_unref(&tp->s);
}

void nsock_pair_shutdown(struct nsock *s)
{
	struct tcp_sock *tp = tcp_sk(s);

	if (s->kind != NSOCK_TCP || !tp->paired || tp->state == TCP_CLOSE)
		return;
	nsock_ref(s);
	tcp_pair_shutdown(tp);
	nsock_unref(s);
}

void nsock_pair_reset(struct nsock *s)
{
	struct tcp_sock *tp = tcp_sk(s);
	struct tcp_tw *tw;

	if (s->kind != NSOCK_TCP || !tp->paired || tp->state == TCP_CLOSE)
		return;
	nsock_ref(s);
	if (tp->pair) {
		tcp_pair_close(tp, true);
	} else {
		/* It wrote to an end that nobody has any more: the answer is an RST. */
		tw = left_behind(tp);
		if (tw)
			tcp_tw_kill(tw);
		tcp_reset(tp);
	}
	nsock_unref(s);
}

void nsock_pair_account(struct nsock *s, uint64_t sent, uint64_t received)
{
	struct tcp_sock *tp = tcp_sk(s);
	uint32_t mss = MAX((uint32_t)tp->mss_cache, 1u);

	if (s->kind != NSOCK_TCP || !tp->paired || tp->state == TCP_CLOSE)
		return;
	if (sent > tp->pair_sent) {
		uint64_t n = sent - tp->pair_sent;

		tp->pair_sent = sent;
		tp->bytes_sent += n;
		tp->bytes_acked += n;
		tp->segs_out += (uint32_t)(n / mss + 1);
		tp->data_segs_out += (uint32_t)(n / mss + 1);
		tp->lsndtime_ms = tcp_ms(tp);
		if (!tp->fin_queued)
			tp->snd_nxt = tp->snd_una = tp->iss + 1 + (uint32_t)sent;
	}
	if (received > tp->pair_received) {
		uint64_t n = received - tp->pair_received;

		tp->pair_received = received;
		tp->bytes_received += n;
		tp->segs_in += (uint32_t)(n / mss + 1);
		tp->data_segs_in += (uint32_t)(n / mss + 1);
		tp->ack.lrcv_ms = tcp_ms(tp);
		if (!tp->peer_fin)
			tp->rcv_nxt = tp->rcv_wup = tp->irs + 1 + (uint32_t)received;
	}
}
