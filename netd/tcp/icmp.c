/* ICMP errors about segments that we sent. RFC 5927: they count only when the quoted sequence number was under way; RFC
 * 1122 4.2.3.9: they end an attempt to connect, never a connection; RFC 1191, 8201: the path MTU. */
#include <arpa/inet.h>

#include "netd/tcp/conn.h"

static void mtu_reduced(struct tcp_sock *tp, const struct ip_error *err)
{
	struct netstack *st = tp->s.st;
	bool v4 = tp->node.raddr.family == AF_INET;

	/* Without PMTU discovery we said that fragments are welcome; nobody has reason to complain. */
	if ((v4 ? tp->s.opt.pmtudisc : tp->s.opt.pmtudisc6) == 0 || tp->state == TCP_LISTEN)
		return;
	ip_pmtu_update(st, &tp->node.raddr, err->info);
	tp->route.out = NULL;
	if (tcp_route(tp) < 0)
		return;
	if (tp->pmtu != tp->route.mtu)
		tcp_sync_mss(tp, tp->route.mtu);
	if (tcp_synced(tp->state))
		tcp_simple_retransmit(tp);
}

/* RFC 6069: the error says that it is the path that is broken, not that it is crowded; so the doubling of the time-out
 * was wrong. */
static void revert_backoff(struct tcp_sock *tp, uint32_t seq)
{
	struct tcp_sent *head = tcp_rtx_head(tp);
	int64_t left;

	if (seq != tp->snd_una || !tp->retransmits || !tp->backoff || !head || tp->pending != PENDING_RETRANS)
		return;
	tp->backoff--;
	if (tp->srtt_us)
		tcp_set_rto(tp);
	else
		tp->rto_ms = TCP_RTO_INIT_MS;
	tp->rto_ms = (uint32_t)MIN((uint64_t)tp->rto_ms << MIN(tp->backoff, 16), (uint64_t)TCP_RTO_MAX_MS);
	left = tcp_rto_delta_us(tp);
	tcp_set_timer(tp, PENDING_RETRANS, left > 0 ? (uint32_t)(left / 1000 + 1) : 1);
}

static void sock_error(struct tcp_sock *tp, uint32_t seq, const struct ip_error *err)
{
	struct nsock *s = &tp->s;
	bool v4 = tp->node.raddr.family == AF_INET;

	if (tp->state != TCP_LISTEN && !seq_between(seq, tp->snd_una, tp->snd_nxt)) {
		net_count(s->st, MIB_TcpExt_OutOfWindowIcmps);
		return;
	}
	if (err->err == EMSGSIZE) {
		mtu_reduced(tp, err);
		return;
	}
	if (err->err == ENETUNREACH || err->err == EHOSTUNREACH)
		revert_backoff(tp, seq);
	if (tp->state == TCP_SYN_SENT || tp->state == TCP_SYN_RECV) {
		tcp_fail(tp, err->err);
		return;
	}
	if (!tp->orphan && (v4 ? s->opt.recverr : s->opt.recverr6)) {
		s->err = err->err;
		nsock_raise(s, NSOCK_ERR);
	} else {
		/* What a time-out will say. */
		tp->err_soft = err->err;
	}
}

void tcp_icmp_error(struct netstack *st, const struct ip_flow *flow, const uint8_t *data, uint32_t size,
		    const struct ip_error *err)
{
	struct tcp_node *n;
	uint16_t sport, dport;
	uint32_t seq;

	if (size < 8)
		return;
	memcpy(&sport, data, 2);
	memcpy(&dport, data + 2, 2);
	memcpy(&seq, data + 4, 4);
	seq = ntohl(seq);
	n = tcp_lookup(netstack_tcp(st), &flow->src, sport, &flow->dst, dport);
	if (!n || n->kind == TCP_KIND_TW)
		return;
	if (n->kind == TCP_KIND_REQ) {
		struct tcp_req *req = CONTAINER_OF(n, struct tcp_req, node);

		if (seq != req->iss) {
			net_count(st, MIB_TcpExt_OutOfWindowIcmps);
		} else if (err->err == EMSGSIZE) {
			ip_pmtu_update(st, &n->raddr, err->info);
		} else if (err->hard) {
			net_count(st, MIB_TcpExt_ListenDrops);
			tcp_req_free(req);
		}
		return;
	}
	nsock_ref(&CONTAINER_OF(n, struct tcp_sock, node)->s);
	sock_error(CONTAINER_OF(n, struct tcp_sock, node), seq, err);
	nsock_unref(&CONTAINER_OF(n, struct tcp_sock, node)->s);
}
