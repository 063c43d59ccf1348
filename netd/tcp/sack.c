/* The scoreboard: what SACK blocks say about the retransmission queue (RFC 2018, 2883, 6675). Neighbouring SACKed records
 * become one, so that a walk costs as much as there are holes, and a hint remembers where the last one ended. */
#include "netd/tcp/conn.h"

/* Is [start,end) something that we could have sent? D-SACKs may lie below snd_una. */
static bool block_valid(const struct tcp_sock *tp, bool dsack, uint32_t start, uint32_t end)
{
	if (seq_after(end, tp->snd_nxt) || !seq_before(start, end))
		return false;
	if (!seq_before(start, tp->snd_nxt))
		return false;
	if (seq_after(start, tp->snd_una))
		return true;
	if (!dsack || !tp->undo_marker)
		return false;
	if (seq_after(end, tp->snd_una))
		return false;
	if (!seq_before(start, tp->undo_marker))
		return true;
	if (!seq_after(end, tp->undo_marker))
		return false;
	return !seq_before(start, end - tp->max_window);
}

void tcp_reordering_seen(struct tcp_sock *tp, uint32_t low_seq, bool by_ts)
{
	uint32_t fack = tp->sacked_out ? tp->fack_seq : tp->snd_una, mss = MAX((uint32_t)tp->mss_cache, 1u), metric;

	if (!seq_before(low_seq, fack))
		return;
	metric = fack - low_seq;
	if (metric > tp->reordering * mss)
		tp->reordering = MIN((metric + mss - 1) / mss, 300u);
	tp->reord_seen++;
	net_count(tp->s.st, by_ts ? MIB_TcpExt_TCPTSReorder : MIB_TcpExt_TCPSACKReorder);
}

static bool check_dsack(struct tcp_sock *tp, const struct tcp_seg *seg, struct tcp_ack_ctx *cx)
{
	const struct tcp_range *b = seg->o.sack;
	uint32_t dup, mss = MAX((uint32_t)tp->mss_cache, 1u);

	if (seq_before(b[0].start, seg->ack)) {
		net_count(tp->s.st, MIB_TcpExt_TCPDSACKRecv);
	} else if (seg->o.sack_count > 1 && !seq_after(b[0].end, b[1].end) && !seq_before(b[0].start, b[1].start)) {
		net_count(tp->s.st, MIB_TcpExt_TCPDSACKOfoRecv);
	} else {
		return false;
	}
	dup = seq_before(b[0].start, b[0].end) ? tcp_pcount(b[0].end - b[0].start, mss) : 1;
	if (b[0].end - b[0].start > mss && b[0].end == tp->tlp_high_seq)
		*cx->flag |= FLAG_DSACK_TLP;
	if (tp->tlp_high_seq && b[0].end == tp->tlp_high_seq)
		*cx->flag |= FLAG_DSACK_TLP;
	tp->dsack_seen = true;
	tp->dsack_dups += dup;
	/* A spurious retransmission of the probe says nothing about reordering. */
	if (!(*cx->flag & FLAG_DSACK_TLP))
		tp->rack.dsack_seen = true;
	*cx->flag |= FLAG_DSACK;
	if (tp->undo_marker && tp->undo_retrans > 0 && !seq_after(b[0].end, cx->prior_una) &&
	    seq_after(b[0].end, tp->undo_marker))
		tp->undo_retrans = MAX(0, tp->undo_retrans - (int32_t)dup);
	return true;
}

static void tag(struct tcp_sock *tp, struct tcp_sent *r, bool dsack, struct tcp_ack_ctx *cx)
{
	uint32_t fack = tp->sacked_out ? tp->fack_seq : tp->snd_una;

	if (dsack && (r->flags & SENT_EVER_RETRANS)) {
		if (tp->undo_marker && tp->undo_retrans > 0 && seq_after(r->end, tp->undo_marker))
			tp->undo_retrans = MAX(0, tp->undo_retrans - (int32_t)r->pcount);
		if ((r->flags & SENT_SACKED) && seq_before(r->seq, cx->reord))
			cx->reord = r->seq;
	}
	if ((r->flags & SENT_SACKED) || !seq_after(r->end, tp->snd_una))
		return; /* what is acknowledged is counted when it leaves the queue */
	tcp_rack_advance(tp, r->flags, r->end, r->sent_us);
	if (r->flags & SENT_RETRANS) {
		/* Which transmission arrived is not known; a lost original is as good as repaired. */
		r->flags &= (uint8_t)~SENT_RETRANS;
		tp->retrans_out -= r->pcount;
		if (r->flags & SENT_LOST) {
			r->flags &= (uint8_t)~SENT_LOST;
			tp->lost_out -= r->pcount;
		}
	} else {
		if (!(r->flags & SENT_EVER_RETRANS)) {
			if (seq_before(r->seq, fack) && seq_before(r->seq, cx->reord))
				cx->reord = r->seq;
			if (!seq_after(r->end, tp->high_seq))
				*cx->flag |= FLAG_ORIG_SACK_ACKED;
			if (!cx->first_sackt)
				cx->first_sackt = r->sent_us;
			cx->last_sackt = r->sent_us;
		}
		if (r->flags & SENT_LOST) {
			r->flags &= (uint8_t)~SENT_LOST;
			tp->lost_out -= r->pcount;
		}
	}
	r->flags |= SENT_SACKED;
	*cx->flag |= FLAG_DATA_SACKED;
	tp->sacked_out += r->pcount;
	tp->delivered += r->pcount;
	tcp_rate_delivered(tp, r, cx);
	list_del(&r->tnode);
	if (tp->sacked_out == r->pcount || seq_after(r->end, fack))
		tp->fack_seq = r->end;
}

/* The record that holds `seq`, or the first one behind it. */
static struct tcp_sent *find(struct tcp_sock *tp, uint32_t seq)
{
	struct tcp_sent *r = tp->sack_hint ? tp->sack_hint : tcp_rtx_head(tp);

	while (r && seq_after(r->seq, seq) && r->node.prev != &tp->rtx)
		r = LIST_ENTRY(r->node.prev, struct tcp_sent, node);
	while (r && !seq_after(r->end, seq))
		r = tcp_sent_next(tp, r);
	return r;
}

/* Cuts r so that it begins at `start` / ends at `end`, but only at borders of packets: a peer that SACKs single bytes
 * cannot make us keep a record for each. False: no whole packet of it is covered. */
static bool cut(struct tcp_sock *tp, struct tcp_sent **r, uint32_t start, uint32_t end)
{
	uint32_t at;

	if (seq_before((*r)->seq, start)) {
		at = (start - (*r)->seq + (*r)->mss - 1) / (*r)->mss * (*r)->mss;
		if (at >= (*r)->end - (*r)->seq || tcp_sent_split(tp, *r, (*r)->seq + at) < 0)
			return false;
		*r = tcp_sent_next(tp, *r);
	}
	if (seq_after((*r)->end, end)) {
		if (!seq_after(end, (*r)->seq))
			return false;
		at = (end - (*r)->seq) / (*r)->mss * (*r)->mss;
		if (!at || tcp_sent_split(tp, *r, (*r)->seq + at) < 0)
			return false;
	}
	return true;
}

static void tag_block(struct tcp_sock *tp, uint32_t start, uint32_t end, bool dsack, struct tcp_ack_ctx *cx)
{
	struct tcp_sent *r = find(tp, start), *next;

	while (r && seq_before(r->seq, end)) {
		uint32_t was_end = r->end;

		if ((r->flags & SENT_SACKED) && !dsack) {
			tp->sack_hint = r;
			r = tcp_sent_next(tp, r);
			continue;
		}
		if (!(r->flags & SENT_SACKED) && !cut(tp, &r, start, end)) {
			/* A part of a packet: it stays as it is. */
			while (r && seq_before(r->end, was_end))
				r = tcp_sent_next(tp, r);
			r = r ? tcp_sent_next(tp, r) : NULL;
			continue;
		}
		next = tcp_sent_next(tp, r);
		tp->sack_hint = r;
		tag(tp, r, dsack, cx);
		tcp_sent_merge(tp, r);
		r = next;
	}
	/* The block's last record may now touch the next one. */
	if (r)
		tcp_sent_merge(tp, r);
}

void tcp_sacktag(struct tcp_sock *tp, const struct tcp_seg *seg, struct tcp_ack_ctx *cx)
{
	struct tcp_range b[TCP_MAX_SACKS];
	unsigned n = 0, first = 0;
	bool dsack = check_dsack(tp, seg, cx);

	if (!tp->packets_out)
		return;
	for (unsigned i = 0; i < seg->o.sack_count; i++) {
		bool dup = dsack && i == 0;

		if (!block_valid(tp, dup, seg->o.sack[i].start, seg->o.sack[i].end)) {
			net_count(tp->s.st, dup ? (tp->undo_marker ? MIB_TcpExt_TCPDSACKIgnoredOld
								    : MIB_TcpExt_TCPDSACKIgnoredNoUndo)
						: MIB_TcpExt_TCPSACKDiscard);
			continue;
		}
		if (!seq_after(seg->o.sack[i].end, cx->prior_una))
			continue;
		if (dup) {
			tag_block(tp, seg->o.sack[i].start, seg->o.sack[i].end, true, cx);
			continue;
		}
		/* In the order of the stream, so that the walks go forward. */
		first = n;
		while (first && seq_after(b[first - 1].start, seg->o.sack[i].start)) {
			b[first] = b[first - 1];
			first--;
		}
		b[first] = seg->o.sack[i];
		n++;
	}
	for (unsigned i = 0; i < n; i++)
		tag_block(tp, b[i].start, b[i].end, false, cx);
	if (tp->ca_state != CA_LOSS || tp->undo_marker)
		tcp_reordering_seen(tp, cx->reord, false);
}
