/* New data: how much of it may go now (windows, Nagle, segmentation offload), and the segments made of it straight from
 * the tx ring. */
#include <arpa/inet.h>

#include "netd/tcp/conn.h"

#define TX_MAX (1u << 30)
#define INLINE_MAX 1024u /* payload that is copied behind the header rather than sent as a piece of its own */

uint32_t tcp_write_end(struct tcp_sock *tp)
{
	uint32_t end;

	if (tp->fin_queued)
		return tp->fin_seq + 1;
	if (!tp->s.tx || !tcp_synced(tp->state))
		return tp->snd_nxt;
	end = tp->tx_head_seq + (uint32_t)MIN(bytering_avail(tp->s.tx), (uint64_t)TX_MAX);
	/* A broken ring has nothing. */
	return seq_before(end, tp->snd_nxt) ? tp->snd_nxt : end;
}

uint32_t tcp_mtu_to_mss(const struct tcp_sock *tp, uint32_t pmtu)
{
	uint32_t floor = (uint32_t)net_sysctl(tp->s.st, NET_SYSCTL_TCP_MIN_SND_MSS);
	uint32_t mss = tcp_mtu_mss(tp->node.raddr.family, pmtu);

	mss = MIN(mss, (uint32_t)tp->mss_clamp);
	/* The limits count without options; segments carry timestamps. */
	mss = MAX(mss, floor);
	if (tp->ts_ok)
		mss -= 12;
	return mss;
}

void tcp_sync_mss(struct tcp_sock *tp, uint32_t pmtu)
{
	uint32_t mss, half = tp->max_window / 2;

	tp->pmtu = pmtu;
	mss = tcp_mtu_to_mss(tp, pmtu);
	if (tp->mtup_blackhole)
		mss = MIN(mss, (uint32_t)tp->mtup_low);
	/* A peer whose window is tiny never sees a full segment otherwise. */
	if (tp->max_window > TCP_DEFAULT_MSS)
		mss = MIN(mss, MAX(half, 68u - 40u));
	else if (tp->max_window)
		mss = MIN(mss, MAX(tp->max_window, 68u - 40u));
	tp->mss_cache = (uint16_t)MIN(MAX(mss, 8u), 65495u);
	tp->hdr_size = (uint8_t)(sizeof(struct tcp_hdr) + (tp->ts_ok ? 12 : 0));
}

/* The payload of a full segment now: SACK blocks that ride along take their share. */
uint32_t tcp_current_mss(struct tcp_sock *tp)
{
	unsigned opts = tcp_opts_est_size(tp) - (tp->ts_ok ? 12u : 0u);
	uint32_t mss;

	tcp_route(tp);
	mss = tp->mss_cache;
	return mss > opts + 8 ? mss - opts : 8;
}

static void event_data_sent(struct tcp_sock *tp)
{
	uint32_t now = tcp_ms(tp);

	/* An answer within the peer's patience: the conversation goes to and fro, ACKs may ride on data. */
	if (now - tp->ack.lrcv_ms < tp->ack.ato_ms && tp->ack.pingpong < 255)
		tp->ack.pingpong++;
	tp->lsndtime_ms = now;
}

static void ack_was_sent(struct tcp_sock *tp)
{
	if (tp->ack.quick)
		tp->ack.quick--;
	tp->ack.pending = 0;
	net_timer_cancel(&tp->ack_timer);
	net_work_cancel(&tp->ack_work);
}

/* Copies [pos, pos+size) of the ring to out. */
static bool copy_out(struct bytering *tx, uint64_t pos, uint32_t size, uint8_t *out)
{
	struct iovec iov[2];

	while (size) {
		size_t n = bytering_peek(tx, pos, size, iov);

		if (!n)
			return false;
		memcpy(out, iov[0].iov_base, iov[0].iov_len);
		if (n > iov[0].iov_len)
			memcpy(out + iov[0].iov_len, iov[1].iov_base, n - iov[0].iov_len);
		out += n;
		pos += n;
		size -= (uint32_t)n;
	}
	return true;
}

/* A packet with the header and [seq, seq+size) behind it. */
static struct pkt *data_packet(struct tcp_sock *tp, uint32_t seq, uint32_t size, uint8_t *opt, unsigned opt_size)
{
	uint32_t hdr = (uint32_t)sizeof(struct tcp_hdr) + opt_size;
	struct bytering *tx = tp->s.tx;
	uint64_t pos;
	struct iovec iov[2];
	struct pkt *p;
	size_t n = 0;

	if (!size) {
		p = pkt_alloc(hdr);
		if (p)
			p->len = hdr;
		goto out;
	}
	pos = tx->head + (uint32_t)(seq - tp->tx_head_seq);
	if (size > INLINE_MAX)
		n = bytering_peek(tx, pos, size, iov);
	p = pkt_alloc(n == size ? hdr : hdr + size);
	if (!p)
		return NULL;
	p->len = hdr;
	if (n == size) {
		p->ext[0] = iov[0];
		p->ext[1] = iov[1];
		p->ext_count = iov[0].iov_len == size ? 1 : 2;
	} else {
		if (!copy_out(tx, pos, size, p->data + hdr)) {
			pkt_free(p);
			return NULL;
		}
		p->len += size;
	}
out:
	if (p) {
		p->transport = p->data;
		if (opt_size)
			memcpy(p->data + sizeof(struct tcp_hdr), opt, opt_size);
	}
	return p;
}

int tcp_transmit(struct tcp_sock *tp, uint32_t seq, uint32_t end, uint16_t mss, bool push)
{
	bool fin = tp->fin_queued && end == tp->fin_seq + 1, fresh = !seq_before(seq, tp->snd_nxt);
	uint32_t size = end - seq - fin;
	uint16_t win = tcp_select_window(tp);
	uint8_t opt[40], flags = SEG_ACK, ecn = 0;
	unsigned opt_size = tcp_opts_est(tp, opt);
	struct pkt *p = data_packet(tp, seq, size, opt, opt_size);
	struct tcp_hdr *h;
	int ret;

	if (!p)
		return -ENOMEM;
	if (fin)
		flags |= SEG_FIN;
	if (push || fin)
		flags |= SEG_PSH;
	if (tp->ecn & ECN_OK) {
		if (tp->ecn & ECN_DEMAND_CWR)
			flags |= SEG_ECE;
		/* RFC 3168 6.1.5: retransmissions are not ECN-capable. */
		if (size && fresh) {
			ecn = 2;
			if (tp->ecn & ECN_QUEUE_CWR) {
				tp->ecn &= (uint8_t)~ECN_QUEUE_CWR;
				flags |= SEG_CWR;
			}
		}
	}
	h = (struct tcp_hdr *)p->data;
	*h = (struct tcp_hdr){.sport = tp->s.local.port, .dport = tp->s.peer.port, .seq = htonl(seq),
			      .ack = htonl(tp->rcv_nxt), .off = (uint8_t)((sizeof(*h) + opt_size) / 4 << 4),
			      .flags = flags, .window = htons(win)};
	if (tp->urg_mode && seq_before(seq, tp->snd_up)) {
		if (seq_before(tp->snd_up, seq + 0x10000)) {
			h->urg = htons((uint16_t)(tp->snd_up - seq));
			h->flags |= SEG_URG;
		} else if (seq_after(seq + 0xffff, tp->snd_nxt)) {
			h->urg = 0xffff;
			h->flags |= SEG_URG;
		}
	}
	ack_was_sent(tp);
	if (size) {
		event_data_sent(tp);
		tp->data_segs_out += tcp_pcount(size, mss);
		tp->bytes_sent += size;
	}
	ret = tcp_xmit(tp, p, size, mss, ecn);
	/* Lost in our own link is lost like anywhere else. */
	return ret == -ENOBUFS ? 0 : ret;
}

/* Nagle's question about a partial segment: may it not go now? */
static bool nagle_holds(const struct tcp_sock *tp, uint8_t nonagle)
{
	return (nonagle & NAGLE_CORK) ||
	       (!nonagle && tp->packets_out && seq_after(tp->snd_sml, tp->snd_una) &&
		!seq_after(tp->snd_sml, tp->snd_nxt));
}

/* Is it wise to wait for the next ACK and send a larger super-segment then? */
static bool should_defer(struct tcp_sock *tp, uint32_t mss, uint32_t len, bool *cwnd_limited)
{
	uint32_t in_flight = tcp_in_flight(tp), send_win, cong_win, limit, chunk;
	const struct tcp_sent *head = tcp_rtx_head(tp);

	if (tp->ca_state >= CA_RECOVERY || !head || tp->fin_queued)
		return false;
	send_win = tcp_wnd_end(tp) - tp->snd_nxt;
	cong_win = (tp->snd_cwnd - in_flight) * mss;
	limit = MIN(send_win, cong_win);
	if (limit >= MAX(TCP_GSO_MAX / mss, 1u) * mss)
		return false;
	if (limit > len)
		return false; /* all that there is goes */
	chunk = (uint32_t)MIN((uint64_t)tp->snd_wnd, (uint64_t)tp->snd_cwnd * mss) / 3;
	if (!chunk || limit >= chunk)
		return false;
	/* The next ACK would come too late. */
	if (tcp_us(tp) - head->sent_us >= tp->srtt_us / 16)
		return false;
	if (cong_win < send_win)
		*cwnd_limited = true;
	return true;
}

static bool forced_push(const struct tcp_sock *tp, uint32_t end)
{
	return seq_after(end, tp->pushed_seq + (tp->max_window >> 1));
}

static void data_sent(struct tcp_sock *tp, uint32_t end, uint16_t mss, uint32_t size)
{
	uint32_t prior = tp->packets_out;

	/* Without memory for its record the segment counts as never sent. */
	if (!tcp_sent_add(tp, tp->snd_nxt, end, mss))
		return;
	tp->snd_nxt = end;
	if (size < mss)
		tp->snd_sml = end;
	if (!prior || tp->pending == PENDING_TLP)
		tcp_rearm_rto(tp);
	net_count_add(tp->s.st, MIB_TcpExt_TCPOrigDataSent, tcp_pcount(size, mss));
}

bool tcp_write_xmit(struct tcp_sock *tp, uint32_t mss, uint8_t nonagle, int push_one)
{
	uint32_t sent = 0, quota, in_flight;
	bool cwnd_limited = false;

	for (;;) {
		uint32_t end = tcp_write_end(tp), data = end - tp->snd_nxt, wnd = tcp_wnd_end(tp) - tp->snd_nxt, len;
		uint32_t segs = MAX(TCP_GSO_MAX / mss, 1u);
		bool fin = tp->fin_queued && data, tail, push;

		if (!data)
			break;
		data -= fin;
		in_flight = tcp_in_flight(tp);
		quota = tp->snd_cwnd > in_flight ? tp->snd_cwnd - in_flight : 0;
		if (!quota) {
			if (push_one != 2) {
				cwnd_limited = true;
				break;
			}
			quota = 1;
		}
		if ((int32_t)wnd < 0 || MIN(data + fin, mss) > wnd)
			break;
		/* Whoever cuts a super-segment would repeat CWR and the urgent pointer in each part. */
		if (push_one || (tp->ecn & ECN_QUEUE_CWR) || tp->urg_mode)
			segs = 1;
		len = MIN(data, MIN(quota, segs) * mss);
		len = MIN(len, wnd);
		tail = len == data;
		fin = fin && tail && len + 1 <= wnd;
		if (len % mss && !fin) {
			/* Only the end of all data may be a partial segment, and only when Nagle agrees. */
			bool hold = tail ? nagle_holds(tp, nonagle) && !tp->urg_mode : len > mss;

			if (hold) {
				len -= len % mss;
				tail = false;
				if (!len)
					break;
			}
		}
		if (!push_one && len > mss && should_defer(tp, mss, len, &cwnd_limited))
			break;
		end = tp->snd_nxt + len + fin;
		push = tail || forced_push(tp, end);
		if (push)
			tp->pushed_seq = end;
		if (!tp->packets_out && tp->ca->restart && tp->lsndtime_ms)
			tp->ca->restart(tp);
		if (tcp_transmit(tp, tp->snd_nxt, end, (uint16_t)mss, push) < 0)
			break;
		data_sent(tp, end, (uint16_t)mss, len);
		if (tp->snd_nxt != end)
			break;
		sent += tcp_pcount(len, mss);
		if (push_one)
			break;
	}
	if (!sent)
		return !tp->packets_out && tcp_send_pending(tp);
	if (tcp_in_cwnd_reduction(tp))
		tp->prr_out += sent;
	cwnd_limited |= tcp_in_flight(tp) >= tp->snd_cwnd;
	tcp_cwnd_validate(tp, cwnd_limited);
	if (push_one != 2)
		tcp_schedule_tlp(tp);
	return false;
}

void tcp_push_pending(struct tcp_sock *tp)
{
	if (!tcp_send_pending(tp))
		return;
	if (tcp_write_xmit(tp, tcp_current_mss(tp), tp->nonagle, 0))
		tcp_check_probe_timer(tp);
	if (tp->out_full)
		tcp_write_space(tp); /* what is not sent is less now (TCP_NOTSENT_LOWAT) */
}

/* As Linux has it: a third of the buffer is free, and not too much waits to be sent. */
bool tcp_writable(struct tcp_sock *tp)
{
	struct bytering *tx = tp->s.tx;
	uint64_t used = bytering_avail(tx), limit = MIN(tx->shm->limit, tx->next.base ? tx->next.size : tx->cur.size);
	uint32_t lowat = tp->notsent_lowat ? tp->notsent_lowat
					   : (uint32_t)net_sysctl(tp->s.st, NET_SYSCTL_TCP_NOTSENT_LOWAT);

	if (lowat != UINT32_MAX && tcp_synced(tp->state) && tcp_write_end(tp) - tp->snd_nxt >= lowat)
		return false;
	return limit > used && (limit - used) * 2 >= used;
}

/* Tells the owner of room, once after there was little. */
void tcp_write_space(struct tcp_sock *tp)
{
	if (!tp->s.tx || tp->orphan)
		return;
	if (!tcp_writable(tp)) {
		tp->out_full = true;
	} else if (tp->out_full) {
		tp->out_full = false;
		nsock_raise(&tp->s, NSOCK_OUT);
	}
}
