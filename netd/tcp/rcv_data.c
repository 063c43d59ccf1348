/* Data that comes in: into the ring at its place (in order: published; beyond a hole: kept there unpublished, with a list
 * of ranges), SACK and D-SACK for the peer, when to acknowledge, urgent marks, and the FIN. */
#include "netd/tcp/conn.h"

/* ---- SACK ---- */

void tcp_dsack_set(struct tcp_sock *tp, uint32_t start, uint32_t end)
{
	if (!tp->sack_ok || !net_sysctl(tp->s.st, NET_SYSCTL_TCP_DSACK))
		return;
	net_count(tp->s.st, seq_before(start, tp->rcv_nxt) ? MIB_TcpExt_TCPDSACKOldSent : MIB_TcpExt_TCPDSACKOfoSent);
	if (tp->dsack_set && !seq_before(end, tp->dsack.start) && !seq_before(tp->dsack.end, start)) {
		if (seq_before(start, tp->dsack.start))
			tp->dsack.start = start;
		if (seq_after(end, tp->dsack.end))
			tp->dsack.end = end;
		return;
	}
	tp->dsack = (struct tcp_range){start, end};
	tp->dsack_set = true;
}

void tcp_send_dupack(struct tcp_sock *tp, const struct tcp_seg *seg)
{
	if (seg->end != seg->seq && seq_before(seg->seq, tp->rcv_nxt)) {
		net_count(tp->s.st, MIB_TcpExt_DelayedACKLost);
		tcp_quickack(tp, TCP_MAX_QUICKACKS);
		tcp_dsack_set(tp, seg->seq, seq_after(seg->end, tp->rcv_nxt) ? tp->rcv_nxt : seg->end);
	}
	tcp_send_ack(tp);
}

/* The block with the newest data goes first (RFC 2018 4). */
static void sack_front(struct tcp_sock *tp, struct tcp_range r)
{
	unsigned n = 1;
	struct tcp_range old[TCP_MAX_SACKS];

	memcpy(old, tp->sacks, sizeof(old));
	tp->sacks[0] = r;
	for (unsigned i = 0; i < tp->sack_count && n < TCP_MAX_SACKS; i++) {
		if (!seq_before(old[i].end, r.start) && !seq_before(r.end, old[i].start))
			continue; /* swallowed */
		tp->sacks[n++] = old[i];
	}
	tp->sack_count = (uint8_t)n;
}

static void sack_remove_old(struct tcp_sock *tp)
{
	unsigned n = 0;

	for (unsigned i = 0; i < tp->sack_count; i++) {
		if (seq_after(tp->sacks[i].end, tp->rcv_nxt) && tp->ooo_count)
			tp->sacks[n++] = tp->sacks[i];
	}
	tp->sack_count = (uint8_t)n;
}

/* ---- the ring ---- */

/* Copies to `off` bytes behind the published end; returns how many of len fit. */
static uint32_t place(struct tcp_sock *tp, uint32_t off, const uint8_t *data, uint32_t len)
{
	struct iovec iov[2] = {{0}};
	size_t n = bytering_reserve(tp->s.rx, (size_t)off + len, iov), first = iov[0].iov_len;

	if (n <= off)
		return 0;
	len = MIN(len, (uint32_t)(n - off));
	if (off < first) {
		size_t part = MIN((size_t)len, first - off);

		memcpy((uint8_t *)iov[0].iov_base + off, data, part);
		if (len > part)
			memcpy(iov[1].iov_base, data + part, len - part);
	} else {
		memcpy((uint8_t *)iov[1].iov_base + (off - first), data, len);
	}
	return len;
}

static const uint8_t *region_of(const struct tcp_sock *tp)
{
	return tp->s.rx->next.base ? tp->s.rx->next.base : tp->s.rx->cur.base;
}

void tcp_ooo_clear(struct tcp_sock *tp)
{
	free(tp->ooo);
	tp->ooo = NULL;
	tp->ooo_count = tp->ooo_room = 0;
	tp->sack_count = 0;
	tp->ooo_fin = false;
}

/* The owner changed to another region while data lay beyond a hole: it has to come again. */
static void ooo_check_region(struct tcp_sock *tp)
{
	if (tp->ooo_count && tp->ooo_base != region_of(tp)) {
		net_count(tp->s.st, MIB_TcpExt_OfoPruned);
		tcp_ooo_clear(tp);
	}
}

/* Publishes [rcv_nxt, rcv_nxt+len), which is in place. */
static void publish(struct tcp_sock *tp, uint32_t len)
{
	bytering_put(tp->s.rx, len);
	tp->rcv_nxt += len;
	tp->bytes_received += len;
}

/* What was beyond a hole that is filled now. */
static void ooo_advance(struct tcp_sock *tp)
{
	unsigned gone = 0;

	while (gone < tp->ooo_count && !seq_after(tp->ooo[gone].start, tp->rcv_nxt)) {
		if (seq_after(tp->ooo[gone].end, tp->rcv_nxt)) {
			uint32_t len = tp->ooo[gone].end - tp->rcv_nxt;

			publish(tp, MIN(len, tcp_rx_room(tp)));
		}
		gone++;
	}
	if (!gone)
		return;
	tp->ooo_count = (uint16_t)(tp->ooo_count - gone);
	memmove(tp->ooo, tp->ooo + gone, tp->ooo_count * sizeof(*tp->ooo));
	sack_remove_old(tp);
	if (!tp->ooo_count) {
		free(tp->ooo);
		tp->ooo = NULL;
		tp->ooo_room = 0;
		tp->ack.pending |= ACK_NOW; /* the last hole is gone: the sender waits for that */
	}
}

/* Notes [start,end) as present; false: too many holes. */
static bool ooo_insert(struct tcp_sock *tp, uint32_t start, uint32_t end)
{
	unsigned lo, hi, i = tp->ooo_count;
	struct tcp_range whole = {start, end};

	/* Mostly it extends the last range. */
	while (i && seq_before(start, tp->ooo[i - 1].start))
		i--;
	lo = i;
	if (lo && !seq_before(tp->ooo[lo - 1].end, start))
		lo--;
	hi = lo;
	while (hi < tp->ooo_count && !seq_after(tp->ooo[hi].start, end)) {
		struct tcp_range *r = &tp->ooo[hi];
		uint32_t from = seq_after(r->start, start) ? r->start : start;
		uint32_t to = seq_before(r->end, end) ? r->end : end;

		if (seq_before(from, to))
			tcp_dsack_set(tp, from, to);
		if (seq_before(r->start, whole.start))
			whole.start = r->start;
		if (seq_after(r->end, whole.end))
			whole.end = r->end;
		hi++;
	}
	if (hi == lo) {
		if (tp->ooo_count == tp->ooo_room) {
			unsigned room = tp->ooo_room ? tp->ooo_room * 2u : 8;
			struct tcp_range *more;

			if (room > TCP_OOO_RANGES)
				return false;
			more = realloc(tp->ooo, room * sizeof(*more));
			if (!more)
				return false;
			tp->ooo = more;
			tp->ooo_room = (uint16_t)room;
		}
		memmove(&tp->ooo[lo + 1], &tp->ooo[lo], (tp->ooo_count - lo) * sizeof(*tp->ooo));
		tp->ooo_count++;
	} else if (hi - lo > 1) {
		net_count(tp->s.st, MIB_TcpExt_TCPOFOMerge);
		memmove(&tp->ooo[lo + 1], &tp->ooo[hi], (tp->ooo_count - hi) * sizeof(*tp->ooo));
		tp->ooo_count = (uint16_t)(tp->ooo_count - (hi - lo - 1));
	}
	tp->ooo[lo] = whole;
	if (tp->sack_ok)
		sack_front(tp, whole);
	return true;
}

static void queue_ooo(struct tcp_sock *tp, struct tcp_seg *seg)
{
	uint32_t off = seg->seq - tp->rcv_nxt, fit;

	tp->ack.pending |= ACK_SCHED;
	tp->rcv_ooopack++;
	if (seg->flags & SEG_FIN) {
		tp->ooo_fin = true;
		tp->ooo_fin_seq = seg->seq + seg->len;
	}
	if (!seg->len)
		return;
	if (!tp->ooo_count)
		tp->ooo_base = region_of(tp);
	fit = place(tp, off, seg->data, seg->len);
	if (!fit || !ooo_insert(tp, seg->seq, seg->seq + fit)) {
		net_count(tp->s.st, MIB_TcpExt_TCPOFODrop);
		return;
	}
	net_count(tp->s.st, MIB_TcpExt_TCPOFOQueue);
}

/* ---- FIN ---- */

void tcp_fin_in(struct tcp_sock *tp)
{
	tp->ack.pending |= ACK_SCHED;
	tp->peer_fin = true;
	tcp_ooo_clear(tp);
	if (tp->s.rx)
		bytering_finish(tp->s.rx);
	switch (tp->state) {
	case TCP_SYN_RECV:
	case TCP_ESTABLISHED:
		tcp_set_state(tp, TCP_CLOSE_WAIT);
		tp->ack.pingpong = 1;
		break;
	case TCP_FIN_WAIT1:
		/* A simultaneous close. */
		tcp_send_ack(tp);
		tcp_set_state(tp, TCP_CLOSING);
		break;
	case TCP_FIN_WAIT2:
		tcp_send_ack(tp);
		if (!tp->orphan)
			nsock_raise(&tp->s, NSOCK_IN | NSOCK_RDHUP | NSOCK_HUP);
		tcp_time_wait(tp, TCP_TIME_WAIT, 0);
		return;
	default:
		return;
	}
	if (!tp->orphan)
		nsock_raise(&tp->s, NSOCK_IN | NSOCK_RDHUP | (tp->shut_wr ? NSOCK_HUP : 0));
}

/* ---- urgent data (RFC 6093) ---- */

void tcp_urgent_in(struct tcp_sock *tp, const struct tcp_seg *seg)
{
	uint32_t at = seg->urg;

	if (!(seg->flags & SEG_URG))
		return;
	/* As everybody does it, the pointer shows behind the byte. */
	if (at && !net_sysctl(tp->s.st, NET_SYSCTL_TCP_STDURG))
		at--;
	at += seg->seq;
	if (seq_before(at, tp->rcv_nxt) || (tp->urg_valid && !seq_after(at, tp->urg_seq)))
		return;
	tp->urg_valid = true;
	tp->urg_here = false;
	tp->urg_seq = at;
	if (!tp->orphan)
		nsock_raise(&tp->s, NSOCK_PRI);
}

static void urgent_arrived(struct tcp_sock *tp)
{
	if (!tp->urg_valid || tp->urg_here || !seq_after(tp->rcv_nxt, tp->urg_seq))
		return;
	tp->urg_here = true;
	if (!tp->orphan)
		nsock_raise(&tp->s, NSOCK_PRI);
}

/* ---- the segment ---- */

/* Did the link read the payload straight to where it belongs (tcp_place)? */
static bool in_place(struct tcp_sock *tp, const struct tcp_seg *seg)
{
	const struct pkt *p = seg->p;
	struct iovec iov[2] = {{0}};

	return p->away && p->away == seg->len && p->away_at == seg->data &&
	       bytering_reserve(tp->s.rx, seg->len, iov) == seg->len && iov[0].iov_base == p->ext[0].iov_base &&
	       iov[0].iov_len == p->ext[0].iov_len && iov[1].iov_base == p->ext[1].iov_base;
}

void tcp_put_data(struct tcp_sock *tp, const struct tcp_seg *seg)
{
	if (!in_place(tp, seg)) {
		pkt_gather(seg->p);
		place(tp, 0, seg->data, seg->len);
	}
	publish(tp, seg->len);
	urgent_arrived(tp);
}

static void out_of_window(struct tcp_sock *tp)
{
	tcp_quickack(tp, TCP_MAX_QUICKACKS);
	tp->ack.pending |= ACK_SCHED;
}

/* Cuts what was received before off the front. */
static void trim_front(struct tcp_seg *seg, uint32_t to)
{
	uint32_t n = to - seg->seq;

	seg->data += n;
	seg->len -= n;
	seg->seq = to;
}

static void queue_in_order(struct tcp_sock *tp, struct tcp_seg *seg)
{
	uint32_t window = tcp_rcv_window(tp), fit = 0;
	bool fin = seg->flags & SEG_FIN;

	if (!window && seg->len) {
		net_count(tp->s.st, MIB_TcpExt_TCPZeroWindowDrop);
		out_of_window(tp);
		tp->ack.pending |= ACK_NOW;
		return;
	}
	if (seg->len) {
		fit = place(tp, 0, seg->data, MIN(seg->len, MAX(window, 1u)));
		if (fit < seg->len) {
			net_count(tp->s.st, MIB_TcpExt_TCPRcvQDrop);
			fin = false;
			tp->ack.pending |= ACK_NOW;
		}
		publish(tp, fit);
		tcp_event_data(tp, seg);
	}
	if (tp->ooo_count)
		ooo_advance(tp);
	urgent_arrived(tp);
	if ((seg->len || fin) && !tp->orphan && fit)
		nsock_raise(&tp->s, NSOCK_IN);
	if (tp->ooo_fin && tp->rcv_nxt == tp->ooo_fin_seq)
		fin = true;
	if (fin) {
		tp->rcv_nxt++;
		tcp_fin_in(tp);
	}
}

void tcp_data_queue(struct tcp_sock *tp, struct tcp_seg *seg)
{
	if (seg->seq == seg->end || !tp->s.rx || tp->peer_fin) {
		/* Behind a FIN, or again from before it: only an ACK is owed. */
		if (seg->seq != seg->end) {
			tcp_quickack(tp, TCP_MAX_QUICKACKS);
			tp->ack.pending |= ACK_SCHED;
			if (!seq_after(seg->end, tp->rcv_nxt))
				tcp_dsack_set(tp, seg->seq, seg->end);
		}
		return;
	}
	ooo_check_region(tp);
	if (!seq_after(seg->end, tp->rcv_nxt)) {
		net_count(tp->s.st, MIB_TcpExt_DelayedACKLost);
		tcp_dsack_set(tp, seg->seq, seg->end);
		out_of_window(tp);
		tp->ack.pending |= ACK_NOW;
		return;
	}
	if (!seq_before(seg->seq, tp->rcv_nxt + MAX(tcp_rcv_window(tp), 1u))) {
		out_of_window(tp);
		return;
	}
	if (seq_after(seg->seq, tp->rcv_nxt)) {
		tcp_ecn_check(tp, seg);
		queue_ooo(tp, seg);
		return;
	}
	if (seq_before(seg->seq, tp->rcv_nxt)) {
		tcp_dsack_set(tp, seg->seq, tp->rcv_nxt);
		trim_front(seg, tp->rcv_nxt);
		tp->ack.pending |= ACK_NOW | ACK_SCHED;
	}
	queue_in_order(tp, seg);
}

bool tcp_urgent(const struct nsock *s, uint64_t *ret_pos, bool *ret_here)
{
	const struct tcp_sock *tp = (const struct tcp_sock *)s;

	if (s->kind != NSOCK_TCP || !tp->urg_valid || !s->rx)
		return false;
	*ret_pos = s->rx->tail + (uint64_t)(int64_t)(int32_t)(tp->urg_seq - (tp->rcv_nxt - tp->peer_fin));
	*ret_here = tp->urg_here;
	return true;
}
