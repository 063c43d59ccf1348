/* TCP sockets as nsocks: their making and end, the change of states, and the small operations. */
#include <stdlib.h>

#include "netd/tcp/conn.h"

struct tcp_sock *tcp_sock_new(struct netstack *st, int family, const struct nsock_up *up, void *owner)
{
	struct tcp_sock *tp = calloc(1, sizeof(*tp));

	if (!tp)
		return NULL;
	nsock_init(&tp->s, st, &tcp_ops, NSOCK_TCP, family, SOCK_STREAM, IPPROTO_TCP, up, owner);
	tp->t = netstack_tcp(st);
	tp->t->sock_count++;
	tp->state = TCP_CLOSE;
	list_init(&tp->rtx);
	list_init(&tp->tsorted);
	list_init(&tp->accept_queue);
	list_init(&tp->reqs);
	list_init(&tp->listen_node);
	list_init(&tp->accept_node);
	tcp_timers_init(tp);
	tp->window_clamp = UINT32_MAX;
	tp->cwnd_clamp = UINT32_MAX;
	tp->ssthresh = INT32_MAX;
	tp->snd_cwnd = TCP_INIT_CWND;
	tp->mss_cache = TCP_DEFAULT_MSS;
	tp->reordering = (uint32_t)net_sysctl(st, NET_SYSCTL_TCP_REORDERING);
	tp->rto_ms = TCP_RTO_INIT_MS;
	tp->mdev_us = TCP_RTO_INIT_MS * 1000;
	tp->rack.reo_wnd_steps = 1;
	tp->ca = tcp_cong_default(st);
	return tp;
}

int tcp_create(struct netstack *st, int family, const struct nsock_up *up, void *owner, struct nsock **ret)
{
	struct tcp_sock *tp = tcp_sock_new(st, family, up, owner);

	if (!tp)
		return -ENOMEM;
	tp->s.opt.sndbuf = (int)net_sysctl(st, NET_SYSCTL_TCP_WMEM_DEFAULT);
	tp->s.opt.rcvbuf = (int)net_sysctl(st, NET_SYSCTL_TCP_RMEM_DEFAULT);
	*ret = &tp->s;
	return 0;
}

void tcp_set_state(struct tcp_sock *tp, uint8_t state)
{
	struct netstack *st = tp->s.st;
	bool estab = state == TCP_ESTABLISHED || state == TCP_CLOSE_WAIT;

	if (estab && !tp->counted) {
		net_count(st, MIB_Tcp_CurrEstab);
		tp->counted = true;
	} else if (!estab && tp->counted) {
		net_count_add(st, MIB_Tcp_CurrEstab, (uint64_t)-1);
		tp->counted = false;
	}
	if (state == TCP_CLOSE) {
		if (tp->state == TCP_ESTABLISHED || tp->state == TCP_CLOSE_WAIT)
			net_count(st, MIB_Tcp_EstabResets);
		else if (tp->state == TCP_SYN_SENT || tp->state == TCP_SYN_RECV)
			net_count(st, MIB_Tcp_AttemptFails);
	}
	tp->state = state;
}

/* The connection begins: what depends on the agreed options and the rings. */
void tcp_init_transfer(struct tcp_sock *tp)
{
	uint32_t hint, now = tcp_ms(tp);

	tp->tx_head_seq = tp->snd_una;
	tp->snd_nxt = tp->snd_una;
	tp->snd_up = tp->snd_sml = tp->pushed_seq = tp->high_seq = tp->snd_una;
	tp->rtt_seq = tp->snd_nxt;
	tp->cwnd_usage_seq = tp->snd_nxt;
	tp->snd_cwnd = tcp_init_cwnd(tp);
	tp->cwnd_stamp_ms = now;
	tp->lsndtime_ms = 0;
	tp->ack.lrcv_ms = now;
	tp->rcv_tstamp_ms = now;
	tp->start_ms = now;
	hint = MIN((uint32_t)MIN(tp->advmss, tp->mss_cache), MAX(tp->rcv_wnd / 2, 88u));
	tp->ack.rcv_mss = (uint16_t)MAX(MIN(hint, TCP_DEFAULT_MSS), 88u);
	tp->rcvq.space = MIN(tp->rcv_wnd, TCP_INIT_CWND * (uint32_t)tp->advmss);
	tp->rcvq.us = tcp_us(tp);
	if (tp->s.rx) {
		tcp_rx_room(tp);
		tp->rcvq.pos = tp->rx_consumed_pos = tp->s.rx->head;
	}
	tp->ca->init(tp);
	if (tp->s.opt.keepalive)
		tcp_keepalive_arm(tp, tcp_keep_time_ms(tp));
}

/* ---- the end ---- */

/* Gives back the transport's reference, which it took when the owner closed; the last one calls `done`. */
void tcp_finish(struct tcp_sock *tp)
{
	if (tp->finished)
		return;
	tp->finished = true;
	tp->t->orphan_count--;
	if (tp->s.port)
		port_release(&tp->s);
	nsock_unref(&tp->s);
}

void tcp_close_now(struct tcp_sock *tp)
{
	if (tp->state != TCP_CLOSE)
		tcp_set_state(tp, TCP_CLOSE);
	tcp_timers_stop(tp);
	tcp_sent_clear(tp);
	tcp_ooo_clear(tp);
	tcp_node_remove(tp->t, &tp->node);
	if (tp->pair)
		tp->pair->pair = NULL;
	tp->pair = NULL;
	if (tp->s.port && !tp->bound_port)
		port_release(&tp->s);
	if (tp->orphan)
		tcp_finish(tp);
}

void tcp_fail(struct tcp_sock *tp, int err)
{
	if (tp->state == TCP_CLOSE)
		return;
	if (!tp->orphan)
		tp->s.err = err;
	tp->shut_rd = tp->shut_wr = true;
	nsock_ref(&tp->s);
	tcp_close_now(tp);
	if (!tp->orphan)
		nsock_raise(&tp->s, NSOCK_ERR | NSOCK_HUP | NSOCK_IN | NSOCK_OUT | NSOCK_RDHUP);
	nsock_unref(&tp->s);
}

static void tcp_free(struct nsock *s)
{
	struct tcp_sock *tp = tcp_sk(s);

	tcp_timers_stop(tp);
	tcp_sent_clear(tp);
	tcp_ooo_clear(tp);
	tcp_node_remove(tp->t, &tp->node);
	list_del(&tp->listen_node);
	list_del(&tp->accept_node);
	if (tp->counted)
		tcp_set_state(tp, TCP_CLOSE);
	if (s->port)
		port_release(s);
	tp->t->sock_count--;
	free(tp);
}

int tcp_kill(struct nsock *s)
{
	struct tcp_sock *tp = tcp_sk(s);

	if (s->kind != NSOCK_TCP)
		return -EINVAL;
	if (tp->state == TCP_CLOSE)
		return -ENOENT;
	nsock_ref(s);
	if (tp->state == TCP_LISTEN) {
		tcp_listen_stop(tp);
	} else {
		if (tp->paired)
			tcp_pair_close(tp, true);
		else if (tcp_synced(tp->state))
			tcp_send_active_reset(tp);
		tcp_fail(tp, ECONNABORTED);
	}
	nsock_unref(s);
	return 0;
}

/* ---- small operations ---- */

static int tcp_getname(struct nsock *s, bool peer, struct nsock_name *ret)
{
	struct tcp_sock *tp = tcp_sk(s);

	if (peer) {
		if (tp->state == TCP_CLOSE || tp->state == TCP_LISTEN || tp->state == TCP_SYN_SENT)
			return -ENOTCONN;
		*ret = s->peer;
	} else {
		*ret = s->local;
		if (!ret->addr.family)
			ret->addr.family = (uint16_t)s->family;
	}
	return 0;
}

static void tcp_tx_ready(struct nsock *s, bool more)
{
	struct tcp_sock *tp = tcp_sk(s);
	uint32_t mss, idle;

	if (tp->paired || !((1u << tp->state) & (1u << TCP_ESTABLISHED | 1u << TCP_CLOSE_WAIT)) || tp->shut_wr)
		return;
	nsock_ref(s);
	if (!tcp_send_pending(tp))
		goto out;
	/* RFC 5681 4.1: a window from before a pause is no measure of the path. */
	idle = tcp_ms(tp) - tp->lsndtime_ms;
	if (!tp->packets_out && tp->lsndtime_ms && idle > tp->rto_ms &&
	    net_sysctl(s->st, NET_SYSCTL_TCP_SLOW_START_AFTER_IDLE) && tp->snd_cwnd > tcp_init_cwnd(tp))
		tcp_cwnd_restart(tp, idle);
	mss = tcp_current_mss(tp);
	if (tcp_write_xmit(tp, mss, more ? tp->nonagle | NAGLE_CORK : tp->nonagle, 0))
		tcp_check_probe_timer(tp);
	tcp_chrono(tp);
	tcp_write_space(tp);
out:
	nsock_unref(s);
}

static void tcp_rx_consumed_op(struct nsock *s)
{
	nsock_ref(s);
	tcp_rx_consumed(tcp_sk(s));
	nsock_unref(s);
}

static void tcp_tx_urgent(struct nsock *s)
{
	struct tcp_sock *tp = tcp_sk(s);

	if (!tcp_synced(tp->state) || tp->shut_wr || tp->paired)
		return;
	tp->snd_up = tcp_write_end(tp);
	tp->urg_mode = true;
}

static uint32_t tcp_poll(struct nsock *s)
{
	struct tcp_sock *tp = tcp_sk(s);
	uint32_t mask = 0;

	if (tp->state == TCP_LISTEN)
		return list_empty(&tp->accept_queue) ? 0 : NSOCK_IN;
	if ((tp->shut_wr && (tp->shut_rd || tp->peer_fin)) || tp->state == TCP_CLOSE)
		mask |= NSOCK_HUP;
	if (tp->shut_rd || tp->peer_fin)
		mask |= NSOCK_IN | NSOCK_RDHUP;
	if (s->err)
		mask |= NSOCK_ERR;
	if (tp->state != TCP_SYN_SENT && tp->state != TCP_SYN_RECV) {
		if (tp->shut_wr || tp->state == TCP_CLOSE) {
			mask |= NSOCK_OUT;
		} else if (s->tx) {
			if (tcp_writable(tp))
				mask |= NSOCK_OUT;
			else
				tp->out_full = true;
		}
		if (s->rx && tcp_rx_queued(tp))
			mask |= NSOCK_IN;
		if (tp->urg_here)
			mask |= NSOCK_PRI;
	}
	return mask;
}

const struct nsock_ops tcp_ops = {
	.bind = tcp_bind,
	.connect = tcp_connect,
	.listen = tcp_listen,
	.accept = tcp_accept,
	.getname = tcp_getname,
	.shutdown = tcp_shutdown,
	.tx_ready = tcp_tx_ready,
	.rx_consumed = tcp_rx_consumed_op,
	.tx_urgent = tcp_tx_urgent,
	.poll = tcp_poll,
	.setopt = tcp_setopt,
	.getopt = tcp_getopt,
	.opt_changed = tcp_opt_changed,
	.close = tcp_close,
	.free = tcp_free,
};
