/* The retransmission queue: one record for each transmission that is not acknowledged, with its marks, and the counts
 * of packets that follow from them. The bytes themselves stay in the tx ring. */
#include <stdlib.h>

#include "netd/tcp/conn.h"

#define SENT_KEEP 1024u /* free records that a stack keeps */

static struct tcp_sent *sent_alloc(struct tcp_state *t)
{
	if (!list_empty(&t->sent_free)) {
		struct tcp_sent *r = LIST_FIRST(&t->sent_free, struct tcp_sent, node);

		list_del(&r->node);
		t->sent_free_count--;
		return r;
	}
	return malloc(sizeof(struct tcp_sent));
}

struct tcp_sent *tcp_sent_add(struct tcp_sock *tp, uint32_t seq, uint32_t end, uint16_t mss)
{
	struct tcp_sent *r = sent_alloc(tp->t);
	uint64_t now = tcp_us(tp);

	if (!r)
		return NULL;
	if (!tp->packets_out)
		tp->first_tx_us = tp->delivered_us = now;
	*r = (struct tcp_sent){.seq = seq, .end = end, .sent_us = now, .mss = mss,
			       .pcount = (uint16_t)tcp_pcount(end - seq, mss),
			       .delivered = tp->delivered, .delivered_us = tp->delivered_us,
			       .first_tx_us = tp->first_tx_us, .app_limited = tp->app_limited != 0};
	list_add_tail(&tp->rtx, &r->node);
	list_add_tail(&tp->tsorted, &r->tnode);
	tp->packets_out += r->pcount;
	return r;
}

struct tcp_sent *tcp_sent_next(const struct tcp_sock *tp, const struct tcp_sent *r)
{
	return r->node.next == &tp->rtx ? NULL : LIST_ENTRY(r->node.next, struct tcp_sent, node);
}

/* Takes the record's marks out of the counts. */
static void uncount(struct tcp_sock *tp, const struct tcp_sent *r, uint32_t n)
{
	tp->packets_out -= n;
	if (r->flags & SENT_SACKED)
		tp->sacked_out -= n;
	if (r->flags & SENT_LOST)
		tp->lost_out -= n;
	if (r->flags & SENT_RETRANS)
		tp->retrans_out -= n;
}

static void forget(struct tcp_sock *tp, struct tcp_sent *r)
{
	struct tcp_state *t = tp->t;

	if (tp->rtx_hint == r)
		tp->rtx_hint = tcp_sent_next(tp, r);
	if (tp->sack_hint == r)
		tp->sack_hint = NULL;
	list_del(&r->node);
	list_del(&r->tnode);
	if (t->sent_free_count < SENT_KEEP) {
		list_add(&t->sent_free, &r->node);
		t->sent_free_count++;
	} else {
		free(r);
	}
}

void tcp_sent_free(struct tcp_sock *tp, struct tcp_sent *r)
{
	uncount(tp, r, r->pcount);
	forget(tp, r);
}

void tcp_sent_clear(struct tcp_sock *tp)
{
	while (!list_empty(&tp->rtx))
		tcp_sent_free(tp, LIST_FIRST(&tp->rtx, struct tcp_sent, node));
	tp->rtx_hint = tp->sack_hint = NULL;
	tp->packets_out = tp->sacked_out = tp->lost_out = tp->retrans_out = 0;
}

static void recount(struct tcp_sock *tp, struct tcp_sent *r, uint32_t pcount)
{
	uncount(tp, r, r->pcount);
	r->pcount = (uint16_t)pcount;
	tp->packets_out += pcount;
	if (r->flags & SENT_SACKED)
		tp->sacked_out += pcount;
	if (r->flags & SENT_LOST)
		tp->lost_out += pcount;
	if (r->flags & SENT_RETRANS)
		tp->retrans_out += pcount;
}

int tcp_sent_split(struct tcp_sock *tp, struct tcp_sent *r, uint32_t at)
{
	struct tcp_sent *n = sent_alloc(tp->t);

	if (!n)
		return -ENOMEM;
	*n = *r;
	n->seq = at;
	n->pcount = 0;
	list_insert_(&n->node, &r->node, r->node.next);
	if (list_empty(&r->tnode))
		list_init(&n->tnode);
	else
		list_insert_(&n->tnode, &r->tnode, r->tnode.next);
	r->end = at;
	recount(tp, r, tcp_pcount(r->end - r->seq, r->mss));
	recount(tp, n, tcp_pcount(n->end - n->seq, n->mss));
	return 0;
}

void tcp_sent_trim(struct tcp_sock *tp, struct tcp_sent *r, uint32_t una)
{
	r->seq = una;
	recount(tp, r, MIN((uint32_t)r->pcount, tcp_pcount(r->end - una, r->mss)));
}

void tcp_sent_merge(struct tcp_sock *tp, struct tcp_sent *r)
{
	struct tcp_sent *prev;

	if (r->node.prev == &tp->rtx)
		return;
	prev = LIST_ENTRY(r->node.prev, struct tcp_sent, node);
	if (!(prev->flags & SENT_SACKED) || !(r->flags & SENT_SACKED) || prev->pcount + r->pcount > UINT16_MAX)
		return;
	prev->end = r->end;
	prev->pcount = (uint16_t)(prev->pcount + r->pcount);
	prev->flags |= r->flags & SENT_EVER_RETRANS;
	if (tp->sack_hint == r)
		tp->sack_hint = prev;
	net_count(tp->s.st, MIB_TcpExt_TCPSackMerged);
	forget(tp, r); /* its packets are prev's now */
}

void tcp_mark_lost(struct tcp_sock *tp, struct tcp_sent *r)
{
	if (r->flags & SENT_SACKED)
		return;
	if (r->flags & SENT_LOST) {
		if (r->flags & SENT_RETRANS) {
			/* The retransmission was lost as well. */
			r->flags &= (uint8_t)~SENT_RETRANS;
			tp->retrans_out -= r->pcount;
			tp->lost += r->pcount;
			net_count_add(tp->s.st, MIB_TcpExt_TCPLostRetransmit, r->pcount);
		}
	} else {
		r->flags |= SENT_LOST;
		tp->lost_out += r->pcount;
		tp->lost += r->pcount;
		if (r->flags & SENT_RETRANS) {
			r->flags &= (uint8_t)~SENT_RETRANS;
			tp->retrans_out -= r->pcount;
		}
	}
	if (!tp->rtx_hint || seq_before(r->seq, tp->rtx_hint->seq))
		tp->rtx_hint = r;
}
