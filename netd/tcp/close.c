/* shutdown, close, disconnect: the ways out. */
#include "netd/tcp/conn.h"

void tcp_send_fin(struct tcp_sock *tp)
{
	if (tp->fin_queued || !tp->s.tx)
		return;
	tp->fin_seq = tcp_write_end(tp);
	tp->fin_queued = true;
	if (tp->state == TCP_ESTABLISHED)
		tcp_set_state(tp, TCP_FIN_WAIT1);
	else if (tp->state == TCP_CLOSE_WAIT)
		tcp_set_state(tp, TCP_LAST_ACK);
	/* What Nagle or a cork held back goes now. */
	if (tcp_write_xmit(tp, tcp_current_mss(tp), NAGLE_OFF, 0))
		tcp_check_probe_timer(tp);
}

int tcp_shutdown(struct nsock *s, bool rd, bool wr)
{
	struct tcp_sock *tp = tcp_sk(s);

	switch (tp->state) {
	case TCP_CLOSE:
		return -ENOTCONN;
	case TCP_LISTEN:
		if (!rd)
			return 0;
		tcp_listen_stop(tp);
		nsock_raise(s, NSOCK_IN | NSOCK_HUP);
		return 0;
	case TCP_SYN_SENT:
		tcp_disconnect(tp);
		nsock_raise(s, NSOCK_HUP | NSOCK_OUT);
		return 0;
	default:
		break;
	}
	nsock_ref(s);
	tp->shut_rd |= rd;
	if (wr && !tp->shut_wr) {
		tp->shut_wr = true;
		if (tp->paired)
			tcp_pair_shutdown(tp);
		else if (tp->state == TCP_ESTABLISHED || tp->state == TCP_CLOSE_WAIT)
			tcp_send_fin(tp);
	}
	nsock_raise(s, (tp->shut_rd ? NSOCK_IN | NSOCK_RDHUP : 0) | (wr ? NSOCK_OUT : 0) |
			       ((tp->shut_rd || tp->peer_fin) && tp->shut_wr ? NSOCK_HUP : 0));
	nsock_unref(s);
	return 0;
}

/* The socket becomes as new; what it was bound to by bind stays. */
void tcp_disconnect(struct tcp_sock *tp)
{
	struct nsock *s = &tp->s;
	uint8_t old = tp->state;

	nsock_ref(s);
	if (old == TCP_LISTEN) {
		tcp_listen_stop(tp);
	} else if (tp->paired) {
		tcp_pair_close(tp, true);
		s->err = ECONNRESET;
	} else if (tcp_synced(old) || old == TCP_SYN_RECV) {
		tcp_send_active_reset(tp);
		s->err = ECONNRESET;
	} else if (old == TCP_SYN_SENT) {
		s->err = ECONNRESET;
	}
	tcp_close_now(tp);
	if (!tp->bound_port)
		s->local.port = 0;
	if (!tp->bound_addr)
		s->local.addr = (struct ip_addr){.family = (uint16_t)s->family};
	memset(&s->peer, 0, sizeof(s->peer));
	tp->shut_rd = tp->shut_wr = tp->peer_fin = tp->fin_queued = tp->urg_mode = tp->urg_valid = tp->urg_here = false;
	tp->paired = tp->dsack_set = tp->dsack_seen = false;
	tp->srtt_us = tp->mdev_max_us = tp->rttvar_us = tp->min_rtt_us = 0;
	tp->mdev_us = TCP_RTO_INIT_MS * 1000;
	tp->ssthresh = INT32_MAX;
	tp->snd_cwnd = TCP_INIT_CWND;
	tp->ca_state = CA_OPEN;
	tp->tlp_high_seq = tp->probes_out = tp->reord_seen = 0;
	tp->mtup_blackhole = false;
	tp->err_soft = 0;
	tp->max_window = tp->snd_wnd = 0;
	memset(&tp->rack, 0, sizeof(tp->rack));
	tp->rack.reo_wnd_steps = 1;
	memset(&tp->ack, 0, sizeof(tp->ack));
	tp->route.out = NULL;
	nsock_unref(s);
}

/* The last of our side: FIN_WAIT_2 without an owner. */
static void orphan_fin_wait2(struct tcp_sock *tp)
{
	uint32_t ms;

	if (tp->linger2_ms < 0) {
		net_count(tp->s.st, MIB_TcpExt_TCPAbortOnLinger);
		tcp_send_active_reset(tp);
		tcp_close_now(tp);
		return;
	}
	ms = tcp_fin_time_ms(tp);
	if (ms > TCP_TIMEWAIT_MS)
		tcp_keepalive_arm(tp, ms - TCP_TIMEWAIT_MS);
	else
		tcp_time_wait(tp, TCP_FIN_WAIT2, ms);
}

void tcp_close(struct nsock *s, bool reset)
{
	struct tcp_sock *tp = tcp_sk(s);
	struct netstack *st = s->st;

	if (tp->orphan)
		return;
	nsock_ref(s);
	tp->orphan = true;
	nsock_ref(s); /* the transport's own, until tcp_finish */
	tp->t->orphan_count++;
	if (tp->parent) {
		/* Closed by an owner that never accepted it. */
		list_del(&tp->accept_node);
		tp->parent->accept_count--;
		tp->parent = NULL;
	}
	tp->shut_rd = tp->shut_wr = true;
	if (tp->paired && tp->state != TCP_CLOSE) {
		tcp_pair_close(tp, reset);
		goto out;
	}
	switch (tp->state) {
	case TCP_LISTEN:
		tcp_listen_stop(tp);
		tcp_close_now(tp);
		break;
	case TCP_CLOSE:
	case TCP_SYN_SENT:
		tcp_close_now(tp);
		break;
	default:
		if (reset || tp->t->orphan_count > net_sysctl(st, NET_SYSCTL_TCP_MAX_ORPHANS)) {
			net_count(st, reset ? MIB_TcpExt_TCPAbortOnClose : MIB_TcpExt_TCPAbortOnMemory);
			tcp_send_active_reset(tp);
			tcp_close_now(tp);
			break;
		}
		if (tp->state == TCP_ESTABLISHED || tp->state == TCP_CLOSE_WAIT)
			tcp_send_fin(tp);
		else if (tp->state == TCP_FIN_WAIT2)
			orphan_fin_wait2(tp);
		break;
	}
out:
	nsock_unref(s);
}
