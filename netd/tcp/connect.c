/* bind and connect. */
#include "netd/tcp/conn.h"

static bool addr_ours(struct nsock *s, const struct ip_addr *a)
{
	return ip_addr_any(a) || s->opt.freebind || s->opt.transparent || ip_addr_loopback(a) ||
	       netif_of_addr(s->st, a);
}

int tcp_bind(struct nsock *s, const struct nsock_name *n)
{
	struct tcp_sock *tp = tcp_sk(s);
	int ret;

	if (tp->state != TCP_CLOSE || tp->bound_port || s->port)
		return -EINVAL;
	if (s->family == AF_INET && n->addr.family != AF_INET)
		return -EAFNOSUPPORT;
	if (s->family == AF_INET6 && n->addr.family == AF_INET && s->opt.v6only)
		return -EINVAL;
	if (ip_addr_multicast(&n->addr) || !addr_ours(s, &n->addr))
		return -EADDRNOTAVAIL;
	ret = port_bind(s, PORT_TCP, n);
	if (ret < 0)
		return ret;
	tp->bound_port = true;
	tp->bound_addr = !ip_addr_any(&n->addr);
	return 0;
}

/* Is the 4-tuple in use? A TIME_WAIT entry may be succeeded (RFC 6191); what it knows is kept for that. */
static bool tuple_taken(struct nsock *s, const struct nsock_name *local, const struct nsock_name *peer)
{
	struct tcp_sock *tp = tcp_sk(s);
	struct tcp_node *n = tcp_lookup(tp->t, &local->addr, local->port, &peer->addr, peer->port);

	tp->tw_reuse = false;
	if (!n)
		return false;
	return n->kind != TCP_KIND_TW || !tcp_tw_reusable(CONTAINER_OF(n, struct tcp_tw, node), tp);
}

static int check_peer(struct nsock *s, struct nsock_name *peer)
{
	if (s->family == AF_INET && peer->addr.family != AF_INET)
		return -EAFNOSUPPORT;
	if (peer->addr.family == AF_INET && s->family == AF_INET6 && s->opt.v6only)
		return -ENETUNREACH;
	if (ip_addr_any(&peer->addr)) {
		/* The unspecified address is this machine. */
		if (peer->addr.family == AF_INET)
			peer->addr = ip_addr_v4(__builtin_bswap32(0x7f000001));
		else
			peer->addr.v6[15] = 1;
	}
	if (ip_addr_multicast(&peer->addr))
		return -ENETUNREACH;
	return 0;
}

static void prepare(struct tcp_sock *tp)
{
	struct netstack *st = tp->s.st;
	uint32_t room;

	tp->pmtu = tp->route.mtu;
	tp->advmss = tcp_mtu_mss(tp->node.raddr.family, tp->route.mtu);
	if (tp->route.advmss)
		tp->advmss = (uint16_t)MIN((uint32_t)tp->advmss, tp->route.advmss);
	if (tp->user_mss)
		tp->advmss = MIN(tp->advmss, tp->user_mss);
	tp->mss_clamp = tp->advmss;
	tp->ts_ok = net_sysctl(st, NET_SYSCTL_TCP_TIMESTAMPS);
	tp->sack_ok = net_sysctl(st, NET_SYSCTL_TCP_SACK);
	tp->wscale_ok = net_sysctl(st, NET_SYSCTL_TCP_WINDOW_SCALING);
	tp->ecn = net_sysctl(st, NET_SYSCTL_TCP_ECN) == 1 ? ECN_OK : 0;
	room = MIN(tcp_rx_room(tp), tp->window_clamp);
	tp->rcv_wscale = tp->wscale_ok ? tcp_choose_wscale(st, room) : 0;
	tp->rcv_wnd = MIN(room, 65535u);
	if (tp->rcv_wnd > tp->advmss)
		tp->rcv_wnd -= tp->rcv_wnd % tp->advmss;
	tp->iss = tp->tw_reuse ? tp->tw_iss : tcp_isn(st, &tp->node);
	tp->ts_off = tcp_ts_offset(st, &tp->node);
	tp->ts_recent = tp->tw_reuse ? tp->tw_ts_recent : 0;
	tp->snd_una = tp->iss;
	tp->snd_nxt = tp->snd_up = tp->snd_sml = tp->tx_head_seq = tp->iss + 1;
	tp->rcv_nxt = tp->rcv_wup = 0;
	tp->rto_ms = TCP_RTO_INIT_MS;
	tp->retransmits = tp->total_rto = tp->backoff = 0;
	tp->retrans_stamp_ms = 0;
	tp->total_retrans = 0;
	tp->first_tx_us = tcp_us(tp);
}

/* Binds to a port when none is, such that the tuple is unique. */
static int choose_tuple(struct tcp_sock *tp, const struct nsock_name *local, const struct nsock_name *peer)
{
	struct nsock *s = &tp->s;
	struct nsock_name name = *local;
	int ret;

	if (s->port) {
		name.port = s->local.port;
		if (tuple_taken(s, &name, peer))
			return -EADDRNOTAVAIL;
	} else {
		ret = port_connect(s, PORT_TCP, local, peer, tuple_taken);
		if (ret < 0)
			return ret;
		name.port = s->local.port;
		tuple_taken(s, &name, peer); /* to know of a TIME_WAIT entry */
	}
	s->local = name;
	return 0;
}

int tcp_connect(struct nsock *s, const struct nsock_name *n)
{
	struct tcp_sock *tp = tcp_sk(s);
	struct nsock_name local = s->local, peer;
	struct tcp_node *tw;
	struct ip_flow f;
	int ret;

	if (!n || n->addr.family == AF_UNSPEC) {
		tcp_disconnect(tp);
		return 0;
	}
	if (tp->state == TCP_SYN_SENT || tp->state == TCP_SYN_RECV)
		return -EALREADY;
	if (tp->state != TCP_CLOSE)
		return -EISCONN;
	if (!s->tx || !s->rx)
		return -EINVAL;
	peer = *n;
	ret = check_peer(s, &peer);
	if (ret < 0)
		return ret;
	f = (struct ip_flow){.dst = peer.addr, .oif = s->opt.bound_if, .tos = s->opt.tos,
			     .protocol = IPPROTO_TCP, .mark = s->opt.mark,
			     .any_src = s->opt.freebind || s->opt.transparent};
	if (!ip_addr_any(&local.addr)) {
		if (local.addr.family != peer.addr.family)
			return -EINVAL;
		f.src = local.addr;
	}
	if (!f.oif && peer.addr.family == AF_INET6 && ip_addr_linklocal(&peer.addr)) {
		if (!peer.addr.scope)
			return -EINVAL;
		f.oif = (int)peer.addr.scope;
	}
	ret = ip_route_lookup(s->st, &f, &tp->route);
	if (ret < 0)
		return ret;
	if (tp->route.broadcast || tp->route.multicast) {
		tp->route.out = NULL;
		return -ENETUNREACH;
	}
	if (ip_addr_any(&local.addr))
		local.addr = tp->route.src;
	ret = choose_tuple(tp, &local, &peer);
	if (ret < 0)
		return ret;
	s->peer = peer;
	tcp_node_set(tp->t, &tp->node, TCP_KIND_SOCK, &s->local.addr, s->local.port, &peer.addr, peer.port);
	if (tp->tw_reuse) {
		tw = tcp_lookup(tp->t, &s->local.addr, s->local.port, &peer.addr, peer.port);
		if (tw && tw->kind == TCP_KIND_TW)
			tcp_tw_kill(CONTAINER_OF(tw, struct tcp_tw, node));
	}
	prepare(tp);
	tcp_set_state(tp, TCP_SYN_SENT);
	tcp_node_insert(tp->t, &tp->node);
	net_count(s->st, MIB_Tcp_ActiveOpens);
	tcp_send_syn(tp, false);
	tcp_set_timer(tp, PENDING_RETRANS, tp->rto_ms);
	return -EINPROGRESS;
}
