/* Listeners: the SYN queue (small entries, one timer each), the step from a request to a connection, and the accept
 * queue. As Linux has it: a full SYN queue answers with cookies, a full accept queue drops (or resets). */
#include <stdlib.h>

#include "netd/tcp/conn.h"

int tcp_listen(struct nsock *s, int backlog)
{
	struct tcp_sock *tp = tcp_sk(s);
	int64_t most = net_sysctl(s->st, NET_SYSCTL_SOMAXCONN);
	int ret;

	if (tp->state != TCP_CLOSE && tp->state != TCP_LISTEN)
		return -EINVAL;
	if ((uint64_t)(uint32_t)backlog > (uint64_t)most)
		backlog = (int)most;
	if (tp->state == TCP_LISTEN) {
		tp->backlog = backlog;
		return 0;
	}
	if (!s->port) {
		struct nsock_name any = {.addr = {.family = (uint16_t)s->family}};

		ret = port_bind(s, PORT_TCP, &any);
		if (ret < 0)
			return ret;
	}
	ret = port_listen_check(s);
	if (ret < 0)
		return ret;
	tp->backlog = backlog;
	tcp_set_state(tp, TCP_LISTEN);
	tcp_listener_insert(tp);
	return 0;
}

int tcp_accept(struct nsock *s, struct nsock **ret)
{
	struct tcp_sock *tp = tcp_sk(s), *child;

	if (tp->state != TCP_LISTEN)
		return -EINVAL;
	if (list_empty(&tp->accept_queue))
		return -EAGAIN;
	child = LIST_FIRST(&tp->accept_queue, struct tcp_sock, accept_node);
	list_del(&child->accept_node);
	child->parent = NULL;
	tp->accept_count--;
	*ret = &child->s;
	return 0;
}

void tcp_listen_stop(struct tcp_sock *tp)
{
	tcp_listener_remove(tp);
	while (!list_empty(&tp->reqs))
		tcp_req_free(LIST_FIRST(&tp->reqs, struct tcp_req, link));
	while (!list_empty(&tp->accept_queue)) {
		struct tcp_sock *child = LIST_FIRST(&tp->accept_queue, struct tcp_sock, accept_node);

		list_del(&child->accept_node);
		child->parent = NULL;
		tp->accept_count--;
		/* Nobody will ever take it. */
		nsock_close(&child->s, true);
	}
	tcp_set_state(tp, TCP_CLOSE);
}

/* ---- requests ---- */

void tcp_req_free(struct tcp_req *req)
{
	struct tcp_state *t = req->listener->t;

	tcp_node_remove(t, &req->node);
	net_timer_cancel(&req->timer);
	list_del(&req->link);
	req->listener->req_count--;
	if (!req->timeouts)
		req->listener->req_young--;
	t->req_count--;
	free(req);
}

static uint32_t req_timeout(const struct tcp_req *req)
{
	return (uint32_t)MIN((uint64_t)TCP_RTO_INIT_MS << MIN(req->timeouts, 16), (uint64_t)TCP_RTO_MAX_MS);
}

/* After how many time-outs the time of TCP_DEFER_ACCEPT is over. */
static uint32_t defer_count(int32_t seconds)
{
	uint32_t n = 0, sum = 0;

	while (seconds > 0 && sum < (uint32_t)seconds) {
		sum += MIN(1u << n, TCP_RTO_MAX_MS / 1000);
		n++;
	}
	return n;
}

void tcp_req_timer(struct net_timer *timer)
{
	struct tcp_req *req = CONTAINER_OF(timer, struct tcp_req, timer);
	struct tcp_sock *tp = req->listener;
	struct netstack *st = tp->s.st;
	uint32_t most = tp->syn_retries ? tp->syn_retries : (uint32_t)net_sysctl(st, NET_SYSCTL_TCP_SYNACK_RETRIES);
	uint32_t defer = defer_count(tp->defer_s);

	/* A queue that fills lets go of old requests sooner. */
	if (tp->req_count * 2 > MAX(8, tp->backlog)) {
		int young = tp->req_young * 2;

		while (most > 2 && tp->req_count >= young) {
			most--;
			young *= 2;
			if (!young)
				break;
		}
	}
	if (req->timeouts >= most && (!req->acked || req->timeouts >= defer)) {
		tcp_req_free(req);
		return;
	}
	/* While the listener defers, the peer has done its part. */
	if (!req->acked || (defer && req->timeouts + 1u >= defer)) {
		net_count(st, MIB_Tcp_RetransSegs);
		net_count(st, MIB_TcpExt_TCPSynRetrans);
		tcp_send_synack(req);
		req->retrans++;
	}
	if (!req->timeouts++)
		tp->req_young--;
	net_timer_arm(st, &req->timer, req_timeout(req));
}

static void fill_req(struct tcp_req *req, struct tcp_sock *tp, const struct tcp_seg *seg)
{
	struct netstack *st = tp->s.st;
	uint32_t space = (uint32_t)MAX(tp->s.opt.rcvbuf, 2304) / 2;

	req->listener = tp;
	list_init(&req->link);
	tcp_node_set(tp->t, &req->node, TCP_KIND_REQ, &seg->rx->dst, seg->dport, &seg->rx->src, seg->sport);
	req->irs = seg->seq;
	req->iif = seg->rx->iif;
	req->mss = seg->o.mss_ok ? seg->o.mss : TCP_DEFAULT_MSS;
	if (tp->user_mss)
		req->mss = MIN(req->mss, tp->user_mss);
	req->ts_ok = seg->o.ts_ok && net_sysctl(st, NET_SYSCTL_TCP_TIMESTAMPS);
	req->ts_recent = seg->o.tsval;
	req->sack_ok = seg->o.sack_perm && net_sysctl(st, NET_SYSCTL_TCP_SACK);
	req->wscale_ok = seg->o.wscale_ok && net_sysctl(st, NET_SYSCTL_TCP_WINDOW_SCALING);
	req->snd_wscale = req->wscale_ok ? seg->o.wscale : 0;
	req->rcv_wscale = req->wscale_ok ? tcp_choose_wscale(st, space) : 0;
	/* RFC 3168 6.1.1; a SYN that is itself marked comes from no such sender. */
	req->ecn_ok = (seg->flags & (SEG_ECE | SEG_CWR)) == (SEG_ECE | SEG_CWR) &&
		      net_sysctl(st, NET_SYSCTL_TCP_ECN) && !(seg->rx->tos & 3);
	req->tos = seg->rx->tos;
	req->rcv_wnd = MIN(space, 65535u);
	if (tp->window_clamp)
		req->rcv_wnd = MIN(req->rcv_wnd, tp->window_clamp);
	req->sent_us = netstack_now_us(st);
	req->ts_off = tcp_ts_offset(st, &req->node);
}

static int route_req(struct tcp_req *req)
{
	struct tcp_sock *tp = req->listener;
	struct ip_flow f = {.src = req->node.laddr, .dst = req->node.raddr, .oif = tp->s.opt.bound_if,
			    .tos = tp->s.opt.tos, .protocol = IPPROTO_TCP, .mark = tp->s.opt.mark};

	if (!f.oif && f.dst.family == AF_INET6 && ip_addr_linklocal(&f.dst))
		f.oif = req->iif;
	return ip_route_lookup(tp->s.st, &f, &req->route);
}

static void rcv_syn(struct tcp_sock *tp, struct tcp_seg *seg, uint32_t tw_isn)
{
	struct netstack *st = tp->s.st;
	int64_t cookies = net_sysctl(st, NET_SYSCTL_TCP_SYNCOOKIES);
	int64_t most = net_sysctl(st, NET_SYSCTL_TCP_MAX_SYN_BACKLOG);
	bool full = tp->req_count >= MAX(tp->backlog, 1), cookie;
	struct tcp_req *req, onstack;

	cookie = cookies == 2 || (full && !tw_isn);
	if (full && !tw_isn) {
		net_count(st, cookies ? MIB_TcpExt_TCPReqQFullDoCookies : MIB_TcpExt_TCPReqQFullDrop);
		if (!cookies)
			goto drop;
	}
	if (tcp_accept_full(tp)) {
		net_count(st, MIB_TcpExt_ListenOverflows);
		goto drop;
	}
	if (!cookies && !tw_isn && most - tp->req_count < most >> 2)
		goto drop;
	req = cookie ? &onstack : calloc(1, sizeof(*req));
	if (!req)
		goto drop;
	if (cookie)
		memset(req, 0, sizeof(*req));
	fill_req(req, tp, seg);
	if (cookie && !req->ts_ok) {
		/* There is no place to keep these in. */
		req->sack_ok = req->wscale_ok = req->ecn_ok = false;
		req->snd_wscale = req->rcv_wscale = 0;
	}
	if (route_req(req) < 0) {
		if (!cookie)
			free(req);
		goto drop;
	}
	if (cookie) {
		req->iss = tcp_cookie_make(st, req, &req->mss);
		tp->overflow_ms = (uint32_t)netstack_now_ms(st);
		tp->overflow_seen = true;
		net_count(st, MIB_TcpExt_SyncookiesSent);
		tcp_send_synack(req);
		return;
	}
	req->iss = tw_isn ? tw_isn : tcp_isn(st, &req->node);
	net_timer_init(&req->timer, tcp_req_timer);
	tcp_node_insert(tp->t, &req->node);
	list_add_tail(&tp->reqs, &req->link);
	tp->req_count++;
	tp->req_young++;
	tp->t->req_count++;
	net_timer_arm(st, &req->timer, req_timeout(req));
	tcp_send_synack(req);
	return;
drop:
	net_count(st, MIB_TcpExt_ListenDrops);
}

/* An ACK without a request: the third step of a handshake whose request is in the cookie. */
static void rcv_cookie(struct tcp_sock *tp, struct tcp_seg *seg)
{
	struct netstack *st = tp->s.st;
	struct tcp_req req;
	uint16_t mss = 0;

	memset(&req, 0, sizeof(req));
	if (!net_sysctl(st, NET_SYSCTL_TCP_SYNCOOKIES) || !tp->overflow_seen ||
	    (uint32_t)netstack_now_ms(st) - tp->overflow_ms > 2 * 60 * 1000)
		goto reset;
	fill_req(&req, tp, seg);
	mss = tcp_cookie_check(st, &req.node, seg->ack - 1, seg->seq - 1);
	if (!mss) {
		net_count(st, MIB_TcpExt_SyncookiesFailed);
		goto reset;
	}
	net_count(st, MIB_TcpExt_SyncookiesRecv);
	if (tcp_accept_full(tp)) {
		net_count(st, MIB_TcpExt_ListenOverflows);
		return;
	}
	req.irs = seg->seq - 1;
	req.iss = seg->ack - 1;
	req.mss = mss;
	req.sent_us = 0;
	req.wscale_ok = req.sack_ok = req.ecn_ok = false;
	req.snd_wscale = req.rcv_wscale = 0;
	if (req.ts_ok && !tcp_cookie_ts_read(st, seg->o.tsecr - req.ts_off, &req))
		goto reset;
	if (req.wscale_ok)
		req.rcv_wscale = tcp_choose_wscale(st, (uint32_t)MAX(tp->s.opt.rcvbuf, 2304) / 2);
	if (route_req(&req) < 0)
		return;
	tcp_child_new(&req, seg);
	return;
reset:
	tcp_reset_reply(st, seg);
}

void tcp_rcv_listen(struct tcp_sock *tp, struct tcp_seg *seg, uint32_t tw_isn, bool tw)
{
	(void)tw;
	if (seg->flags & SEG_RST)
		return;
	if (seg->flags & SEG_ACK) {
		if (seg->flags & SEG_SYN)
			tcp_reset_reply(tp->s.st, seg);
		else
			rcv_cookie(tp, seg);
		return;
	}
	if ((seg->flags & (SEG_SYN | SEG_FIN)) != SEG_SYN)
		return;
	rcv_syn(tp, seg, tw_isn);
}

/* ---- from a request to a connection ---- */

void tcp_rcv_req(struct tcp_req *req, struct tcp_seg *seg)
{
	struct tcp_sock *tp = req->listener;
	struct netstack *st = tp->s.st;
	bool old = req->ts_ok && seg->o.ts_ok && (int32_t)(req->ts_recent - seg->o.tsval) > 1;

	if ((seg->flags & (SEG_SYN | SEG_ACK | SEG_RST)) == SEG_SYN && seg->seq == req->irs && !old) {
		/* Our answer was lost. */
		if (tcp_oow_limited(st, &req->last_oow_ms, false)) {
			net_count(st, MIB_TcpExt_TCPACKSkippedSynRecv);
			return;
		}
		tcp_send_synack(req);
		net_timer_arm(st, &req->timer, req_timeout(req));
		return;
	}
	if ((seg->flags & SEG_ACK) && seg->ack != req->iss + 1) {
		if (!(seg->flags & SEG_RST))
			tcp_reset_reply(st, seg);
		return;
	}
	if (old || seq_before(seg->end, req->irs + 1) || seq_after(seg->seq, req->irs + 1 + req->rcv_wnd)) {
		if (!(seg->flags & SEG_RST) && !tcp_oow_limited(st, &req->last_oow_ms, seg->len > 0))
			tcp_req_ack(req, seg);
		if (old)
			net_count(st, MIB_TcpExt_PAWSEstab);
		return;
	}
	if (seg->flags & (SEG_RST | SEG_SYN)) {
		if ((seg->flags & SEG_RST) && seg->seq != req->irs + 1)
			return; /* RFC 5961 3.2, without a state to challenge for */
		if (!(seg->flags & SEG_RST))
			tcp_reset_reply(st, seg);
		net_count(st, MIB_TcpExt_EmbryonicRsts);
		net_count(st, MIB_Tcp_AttemptFails);
		tcp_req_free(req);
		return;
	}
	if (!(seg->flags & SEG_ACK))
		return;
	if (req->ts_ok && seg->o.ts_ok && !seq_after(seg->seq, req->irs + 1))
		req->ts_recent = seg->o.tsval;
	if (tp->defer_s && req->timeouts < defer_count(tp->defer_s) && seg->end == req->irs + 1) {
		req->acked = true;
		net_count(st, MIB_TcpExt_TCPDeferAcceptDrop);
		return;
	}
	if (tcp_accept_full(tp)) {
		net_count(st, MIB_TcpExt_ListenOverflows);
		net_count(st, MIB_TcpExt_ListenDrops);
		if (net_sysctl(st, NET_SYSCTL_TCP_ABORT_ON_OVERFLOW)) {
			tcp_reset_reply(st, seg);
			tcp_req_free(req);
		} else {
			req->acked = true;
		}
		return;
	}
	nsock_ref(&tp->s);
	tcp_child_new(req, seg);
	nsock_unref(&tp->s);
}
