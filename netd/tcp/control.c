/* Segments without data: SYN, SYN-ACK, ACK, RST, probes, and how often strangers can make us send one. */
#include <arpa/inet.h>

#include "netd/tcp/conn.h"

static uint8_t ecn_flags(const struct tcp_sock *tp)
{
	return (tp->ecn & ECN_OK) && (tp->ecn & ECN_DEMAND_CWR) ? SEG_ECE : 0;
}

int tcp_send_syn(struct tcp_sock *tp, bool ack)
{
	struct netstack *st = tp->s.st;
	struct tcp_syn_opts o = {.mss = tp->advmss, .ts = tp->ts_ok, .sack = tp->sack_ok,
				 .wscale_on = tp->wscale_ok, .wscale = tp->rcv_wscale,
				 .tsval = tcp_ts_now(st) + tp->ts_off, .tsecr = ack ? tp->ts_recent : 0};
	uint8_t opt[40], flags = SEG_SYN;
	struct pkt *p;

	if (ack)
		flags |= SEG_ACK | ((tp->ecn & ECN_OK) ? SEG_ECE : 0);
	else if (tp->ecn & ECN_OK)
		flags |= SEG_ECE | SEG_CWR;
	p = tcp_build(tp->s.local.port, tp->s.peer.port, tp->iss, ack ? tp->rcv_nxt : 0, flags,
		      (uint16_t)MIN(tp->rcv_wnd, 65535u), opt, tcp_opts_syn(opt, &o));
	if (!p)
		return -ENOMEM;
	return tcp_xmit(tp, p, 0, tp->advmss, 0);
}

/* A segment without data at `seq`. */
static void send_empty(struct tcp_sock *tp, uint32_t seq, uint8_t flags, uint16_t urg)
{
	uint8_t opt[40];
	uint16_t win = tcp_select_window(tp);
	unsigned size = tcp_opts_est(tp, opt);
	struct pkt *p = tcp_build(tp->s.local.port, tp->s.peer.port, seq, tp->rcv_nxt, flags, win, opt, size);

	if (!p)
		return;
	if (urg) {
		((struct tcp_hdr *)p->data)->urg = htons(urg);
		((struct tcp_hdr *)p->data)->flags |= SEG_URG;
	}
	tcp_xmit(tp, p, 0, tp->mss_cache, 0);
}

void tcp_send_ack(struct tcp_sock *tp)
{
	if (tp->state == TCP_CLOSE || tp->state == TCP_LISTEN)
		return;
	if (tp->ack.quick && tcp_in_quickack(tp))
		tp->ack.quick--;
	tp->ack.pending = 0;
	net_timer_cancel(&tp->ack_timer);
	net_work_cancel(&tp->ack_work);
	send_empty(tp, tp->snd_nxt, SEG_ACK | ecn_flags(tp), 0);
}

void tcp_ack_soon(struct tcp_sock *tp)
{
	net_work_queue(tp->s.st, &tp->ack_work);
}

void tcp_send_active_reset(struct tcp_sock *tp)
{
	net_count(tp->s.st, MIB_Tcp_OutRsts);
	send_empty(tp, tp->state == TCP_SYN_RECV ? tp->iss + 1 : tp->snd_nxt, SEG_RST | SEG_ACK, 0);
}

void tcp_send_probe(struct tcp_sock *tp, bool urgent)
{
	/* One below what the peer has: it must answer with its window, and nothing else can come of it. */
	send_empty(tp, tp->snd_una - !urgent, SEG_ACK | ecn_flags(tp),
		   urgent ? (uint16_t)(tp->snd_up - tp->snd_una) : 0);
}

void tcp_reset_reply(struct netstack *st, const struct tcp_seg *seg)
{
	const struct ip_rx *rx = seg->rx;
	struct pkt *p;

	if ((seg->flags & SEG_RST) || rx->broadcast || rx->multicast)
		return;
	if (seg->flags & SEG_ACK)
		p = tcp_build(seg->dport, seg->sport, seg->ack, 0, SEG_RST, 0, NULL, 0);
	else
		p = tcp_build(seg->dport, seg->sport, 0, seg->end, SEG_RST | SEG_ACK, 0, NULL, 0);
	if (!p)
		return;
	net_count(st, MIB_Tcp_OutRsts);
	tcp_xmit_raw(st, p, &rx->dst, &rx->src, rx->iif, NULL, 0);
}

void tcp_send_synack(struct tcp_req *req)
{
	struct netstack *st = req->listener->s.st;
	struct tcp_syn_opts o = {.ts = req->ts_ok, .sack = req->sack_ok, .wscale_on = req->wscale_ok,
				 .wscale = req->rcv_wscale, .tsecr = req->ts_recent,
				 .tsval = tcp_ts_now(st) + req->ts_off};
	uint8_t opt[40];
	struct pkt *p;

	/* A request that a cookie stands for has its options in the timestamp. */
	if (!req->node.hashed && req->ts_ok)
		o.tsval = tcp_cookie_ts(st, req);
	o.mss = req->listener->user_mss ? req->listener->user_mss : UINT16_MAX;
	o.mss = MIN(o.mss, tcp_mtu_mss(req->node.laddr.family, req->route.mtu));
	if (req->route.advmss)
		o.mss = (uint16_t)MIN((uint32_t)o.mss, req->route.advmss);
	p = tcp_build(req->node.lport, req->node.rport, req->iss, req->irs + 1,
		      SEG_SYN | SEG_ACK | (req->ecn_ok ? SEG_ECE : 0), (uint16_t)MIN(req->rcv_wnd, 65535u), opt,
		      tcp_opts_syn(opt, &o));
	if (p)
		tcp_xmit_raw(st, p, &req->node.laddr, &req->node.raddr, req->iif, &req->route,
			     req->listener->s.opt.tos & 0xfc);
}

static void answer(struct netstack *st, const struct tcp_node *n, uint32_t seq, uint32_t ack, uint16_t win, bool ts,
		   uint32_t tsval, uint32_t tsecr, int iif, uint8_t tos)
{
	uint32_t opt[3] = {htonl(0x0101080au), htonl(tsval), htonl(tsecr)};
	struct pkt *p = tcp_build(n->lport, n->rport, seq, ack, SEG_ACK, win, (uint8_t *)opt, ts ? 12 : 0);

	if (p)
		tcp_xmit_raw(st, p, &n->laddr, &n->raddr, iif, NULL, tos);
}

void tcp_req_ack(struct tcp_req *req, const struct tcp_seg *seg)
{
	answer(req->listener->s.st, &req->node, req->iss + 1, req->irs + 1,
	       (uint16_t)(req->rcv_wnd >> req->rcv_wscale), req->ts_ok,
	       tcp_ts_now(req->listener->s.st) + req->ts_off, req->ts_recent, req->iif, 0);
}

void tcp_tw_ack(struct tcp_tw *tw)
{
	answer(tw->t->st, &tw->node, tw->snd_nxt, tw->rcv_nxt, (uint16_t)(tw->rcv_wnd >> tw->rcv_wscale), tw->ts_ok,
	       tcp_ts_now(tw->t->st) + tw->ts_off, tw->ts_recent, tw->iif, tw->tos);
}

bool tcp_oow_limited(struct netstack *st, uint32_t *last_ms, bool has_data)
{
	uint32_t now = (uint32_t)netstack_now_ms(st);

	/* A peer that sends data is likely a real one that needs the answer. */
	if (has_data)
		return false;
	if (*last_ms && now - *last_ms < (uint32_t)net_sysctl(st, NET_SYSCTL_TCP_INVALID_RATELIMIT))
		return true;
	*last_ms = now ? now : 1;
	return false;
}

void tcp_challenge_ack(struct tcp_sock *tp, bool syn)
{
	struct netstack *st = tp->s.st;
	struct tcp_state *t = tp->t;
	uint32_t second = (uint32_t)(netstack_now_ms(st) / 1000);
	uint32_t limit = (uint32_t)net_sysctl(st, NET_SYSCTL_TCP_CHALLENGE_ACK_LIMIT);

	if (syn)
		net_count(st, MIB_TcpExt_TCPSYNChallenge);
	if (tcp_oow_limited(st, &tp->last_oow_ms, false)) {
		net_count(st, MIB_TcpExt_TCPACKSkippedChallenge);
		return;
	}
	if (second != t->challenge_s) {
		/* The budget of a second varies, so that its use by others cannot be measured (CVE-2016-5696). */
		t->challenge_s = second;
		t->challenge_count = limit / 2 + (limit ? netstack_random32(st) % limit : 0);
	}
	if (!t->challenge_count)
		return;
	t->challenge_count--;
	net_count(st, MIB_TcpExt_TCPChallengeACK);
	tcp_send_ack(tp);
}
