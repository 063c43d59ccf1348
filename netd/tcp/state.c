/* TCP of one stack: its beginning and end, and what others may see of it (dumps, counts). */
#include <stdlib.h>

#include "netd/tcp/conn.h"

int tcp_init(struct netstack *st, struct tcp_state **ret)
{
	struct tcp_state *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	t->st = st;
	list_init(&t->tws);
	list_init(&t->sent_free);
	if (tcp_table_init(t) < 0) {
		free(t);
		return -ENOMEM;
	}
	net_count_add(st, MIB_Tcp_RtoAlgorithm, 1);
	net_count_add(st, MIB_Tcp_RtoMin, TCP_RTO_MIN_MS);
	net_count_add(st, MIB_Tcp_RtoMax, TCP_RTO_MAX_MS);
	net_count_add(st, MIB_Tcp_MaxConn, (uint64_t)-1);
	ip_protocol_register(st, IPPROTO_TCP, &tcp_protocol);
	*ret = t;
	return 0;
}

void tcp_exit(struct tcp_state *t)
{
	struct nsock *s, *next;

	for (s = nsock_next(t->st, NSOCK_TCP, NULL); s; s = nsock_next(t->st, NSOCK_TCP, s)) {
		struct tcp_sock *tp = tcp_sk(s);

		while (!list_empty(&tp->reqs))
			tcp_req_free(LIST_FIRST(&tp->reqs, struct tcp_req, link));
		list_init(&tp->accept_queue);
		list_init(&tp->accept_node);
		tp->parent = NULL;
		tp->pair = NULL;
	}
	for (s = nsock_next(t->st, NSOCK_TCP, NULL); s; s = next) {
		next = nsock_next(t->st, NSOCK_TCP, s);
		list_del(&s->all);
		s->up = NULL;
		s->ops->free(s);
	}
	while (!list_empty(&t->tws))
		tcp_tw_kill(LIST_FIRST(&t->tws, struct tcp_tw, link));
	while (!list_empty(&t->sent_free)) {
		struct tcp_sent *r = LIST_FIRST(&t->sent_free, struct tcp_sent, node);

		list_del(&r->node);
		free(r);
	}
	tcp_table_free(t);
	free(t);
}

void tcp_count(struct netstack *st, struct tcp_counts *ret)
{
	const struct tcp_state *t = netstack_tcp(st);

	*ret = (struct tcp_counts){.in_use = t->sock_count - t->orphan_count, .orphans = t->orphan_count,
				   .time_wait = t->tw_count, .allocated = t->sock_count, .requests = t->req_count};
}

/* ---- dumps ---- */

static uint64_t left_ms(struct netstack *st, const struct net_timer *timer)
{
	uint64_t now = netstack_now_ms(st);

	return net_timer_armed(timer) && timer->due_ms > now ? timer->due_ms - now : 0;
}

static void row_of_sock(struct tcp_sock *tp, struct tcp_row *row)
{
	struct nsock *s = &tp->s;

	*row = (struct tcp_row){.s = s, .family = s->family, .state = tp->state, .local = s->local, .peer = s->peer,
				.uid = s->opt.uid, .inode = s->opt.inode, .retransmits = tp->retransmits,
				.probes = tp->probes_out, .rto_ms = tp->rto_ms, .ato_ms = tp->ack.ato_ms,
				.snd_cwnd = tp->snd_cwnd, .quickack = tcp_in_quickack(tp), .refs = (int)s->refs};
	row->ssthresh = tp->ssthresh >= INT32_MAX ? -1 : (int)tp->ssthresh;
	if (tp->state == TCP_LISTEN) {
		row->rx_queue = (uint32_t)tp->accept_count;
		row->tx_queue = (uint32_t)tp->backlog;
		return;
	}
	row->rx_queue = tcp_rx_queued(tp);
	row->tx_queue = tp->paired ? 0 : tcp_write_end(tp) - tp->snd_una;
	if (tp->pending == PENDING_PROBE) {
		row->timer = 4;
		row->timer_ms = left_ms(s->st, &tp->rtx_timer);
	} else if (tp->pending != PENDING_NONE) {
		row->timer = 1;
		row->timer_ms = left_ms(s->st, &tp->rtx_timer);
	} else if (net_timer_armed(&tp->keep_timer)) {
		row->timer = 2;
		row->timer_ms = left_ms(s->st, &tp->keep_timer);
	}
}

static void row_of_node(struct netstack *st, struct tcp_node *n, struct tcp_row *row)
{
	*row = (struct tcp_row){.local = {.addr = n->laddr, .port = n->lport},
				.peer = {.addr = n->raddr, .port = n->rport}, .ssthresh = -1, .refs = 1};
	if (n->kind == TCP_KIND_REQ) {
		struct tcp_req *req = CONTAINER_OF(n, struct tcp_req, node);

		row->listener = &req->listener->s;
		row->family = req->listener->s.family;
		row->uid = req->listener->s.opt.uid;
		row->state = TCP_ROW_NEW_SYN_RECV;
		row->timer = 1;
		row->timer_ms = left_ms(st, &req->timer);
		row->retransmits = req->timeouts;
	} else {
		struct tcp_tw *tw = CONTAINER_OF(n, struct tcp_tw, node);

		row->family = tw->family;
		row->state = tw->substate;
		row->timer = 3;
		row->timer_ms = left_ms(st, &tw->timer);
	}
}

struct dump {
	struct netstack *st;
	bool (*fn)(void *arg, const struct tcp_row *row);
	void *arg;
	bool stop;
};

static bool dump_mini(void *arg, struct tcp_node *n)
{
	struct dump *d = arg;
	struct tcp_row row;

	if (n->kind == TCP_KIND_SOCK)
		return true;
	row_of_node(d->st, n, &row);
	return d->fn(d->arg, &row);
}

void tcp_dump(struct netstack *st, bool (*fn)(void *arg, const struct tcp_row *row), void *arg)
{
	struct dump d = {.st = st, .fn = fn, .arg = arg};
	struct tcp_row row;

	for (struct nsock *s = nsock_next(st, NSOCK_TCP, NULL); s; s = nsock_next(st, NSOCK_TCP, s)) {
		/* Sockets that do nothing are in no list of connections. */
		if (tcp_sk(s)->state == TCP_CLOSE)
			continue;
		row_of_sock(tcp_sk(s), &row);
		if (!fn(arg, &row))
			return;
	}
	tcp_nodes(netstack_tcp(st), dump_mini, &d);
}
