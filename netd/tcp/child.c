/* A connection made of a request: everything that the handshake agreed on, and the listener's options. */
#include "netd/tcp/conn.h"

static void child_options(struct tcp_sock *tp, const struct tcp_sock *listener)
{
	struct nsock_opt *o = &tp->s.opt;

	*o = listener->s.opt;
	tp->nonagle = listener->nonagle & (uint8_t)~NAGLE_PUSH;
	tp->user_mss = listener->user_mss;
	tp->keep_time_ms = listener->keep_time_ms;
	tp->keep_intvl_ms = listener->keep_intvl_ms;
	tp->keep_probes = listener->keep_probes;
	tp->linger2_ms = listener->linger2_ms;
	tp->user_timeout_ms = listener->user_timeout_ms;
	tp->notsent_lowat = listener->notsent_lowat;
	tp->ca = listener->ca;
	tp->window_clamp = listener->window_clamp ? listener->window_clamp : UINT32_MAX;
}

static void child_agreed(struct tcp_sock *tp, const struct tcp_req *req)
{
	tp->route = req->route;
	tp->pmtu = req->route.mtu;
	tp->iif = req->iif;
	tp->iss = req->iss;
	tp->irs = req->irs;
	tp->snd_una = req->iss;
	tp->snd_nxt = tp->pushed_seq = tp->snd_sml = tp->tx_head_seq = req->iss + 1;
	tp->snd_up = tp->high_seq = req->iss + 1;
	tp->rcv_nxt = tp->rcv_wup = req->irs + 1;
	tp->rcv_wnd = req->rcv_wnd;
	tp->snd_wl1 = req->irs;
	tp->ts_ok = req->ts_ok;
	tp->ts_off = req->ts_off;
	tp->ts_recent = req->ts_recent;
	tp->ts_recent_stamp_s = (uint32_t)(netstack_now_ms(tp->s.st) / 1000);
	tp->sack_ok = req->sack_ok;
	tp->wscale_ok = req->wscale_ok;
	tp->snd_wscale = req->snd_wscale;
	tp->rcv_wscale = req->rcv_wscale;
	tp->ecn = req->ecn_ok ? ECN_OK : 0;
	tp->mss_clamp = req->mss;
	tp->advmss = tcp_mtu_mss(req->node.laddr.family, req->route.mtu);
	tp->retransmits = tp->total_retrans = req->retrans;
	tp->retrans_stamp_ms = req->retrans > 0;
	tp->first_tx_us = req->sent_us;
	if (!tp->wscale_ok)
		tp->window_clamp = MIN(tp->window_clamp, 65535u);
	tcp_sync_mss(tp, tp->pmtu);
}

/* Answers the handshake's last segment with a connection; req is given up (when it was in the queue) unless there is no
 * memory or the owner refuses, in which case the peer may try again. */
struct tcp_sock *tcp_child_new(struct tcp_req *req, struct tcp_seg *seg)
{
	struct tcp_sock *listener = req->listener, *tp;
	struct netstack *st = listener->s.st;

	if (!listener->s.up || !listener->s.up->adopt)
		return NULL;
	tp = tcp_sock_new(st, listener->s.family, listener->s.up, NULL);
	if (!tp)
		goto no_memory;
	tcp_set_state(tp, TCP_SYN_RECV);
	child_options(tp, listener);
	tcp_node_set(tp->t, &tp->node, TCP_KIND_SOCK, &req->node.laddr, req->node.lport, &req->node.raddr,
		     req->node.rport);
	tp->s.local = (struct nsock_name){.addr = req->node.laddr, .port = req->node.lport};
	tp->s.peer = (struct nsock_name){.addr = req->node.raddr, .port = req->node.rport};
	child_agreed(tp, req);
	if (port_share(&tp->s, &listener->s) < 0)
		goto no_port;
	tp->s.owner = listener->s.up->adopt(&listener->s, &tp->s, &tp->s.tx, &tp->s.rx);
	if (!tp->s.owner)
		goto refused;
	if (req->node.hashed)
		tcp_req_free(req);
	tcp_node_insert(tp->t, &tp->node);
	net_count(st, MIB_Tcp_PassiveOpens);
	nsock_ref(&tp->s);
	list_add_tail(&listener->accept_queue, &tp->accept_node);
	tp->parent = listener;
	listener->accept_count++;
	tcp_rcv_state(tp, seg);
	if (seg->rx->local && tp->state == TCP_ESTABLISHED)
		tcp_pair_offer(tp);
	nsock_raise(&listener->s, NSOCK_IN);
	nsock_unref(&tp->s);
	return tp;
refused:
	port_release(&tp->s);
no_port:
	tp->s.up = NULL; /* the owner never heard of it */
	tcp_set_state(tp, TCP_CLOSE);
	nsock_unref(&tp->s);
no_memory:
	net_count(st, MIB_TcpExt_ListenDrops);
	return NULL;
}
