/* Every segment begins here: checked, read into a tcp_seg, and handed to the connection, request, TIME_WAIT entry or
 * listener that it belongs to. What a peer sends is hostile until shown otherwise. */
#include <arpa/inet.h>

#include "netd/tcp/conn.h"

/* False: not a segment. */
static bool read_seg(struct netstack *st, struct pkt *p, const struct ip_rx *rx, struct tcp_seg *seg)
{
	const struct tcp_hdr *h = (const struct tcp_hdr *)p->data;
	unsigned size;

	if (p->len < sizeof(*h))
		return false;
	size = (h->off >> 4) * 4u;
	if (size < sizeof(*h) || size > p->len)
		return false;
	if (p->csum == PKT_CSUM_NONE)
		pkt_gather(p);
	if (!tcp_valid_csum(p, rx)) {
		net_count(st, MIB_Tcp_InCsumErrors);
		return false;
	}
	seg->hdr = p->data;
	seg->hdr_size = (uint8_t)size;
	seg->sport = h->sport;
	seg->dport = h->dport;
	seg->seq = ntohl(h->seq);
	seg->ack = ntohl(h->ack);
	seg->flags = h->flags;
	seg->window = ntohs(h->window);
	seg->urg = ntohs(h->urg);
	seg->data = p->data + size;
	seg->len = p->len - size;
	seg->end = seg->seq + seg->len + !!(h->flags & SEG_SYN) + !!(h->flags & SEG_FIN);
	seg->gso_size = p->gso ? p->gso_size : 0;
	seg->rx = rx;
	seg->p = p;
	tcp_opts_parse(p->data + sizeof(*h), size - (unsigned)sizeof(*h), h->flags & SEG_SYN, &seg->o);
	return true;
}

static void rcv_sock(struct tcp_sock *tp, struct tcp_seg *seg)
{
	const struct nsock *s = &tp->s;

	if (s->opt.minttl_set && seg->rx->ttl < s->opt.minttl) {
		net_count(s->st, MIB_TcpExt_TCPMinTTLDrop);
		return;
	}
	if (s->opt.bound_if && s->opt.bound_if != seg->rx->iif && !seg->rx->local)
		return;
	nsock_ref(&tp->s);
	tp->segs_in += seg->gso_size ? tcp_pcount(seg->len, seg->gso_size) : 1;
	if (seg->len)
		tp->data_segs_in += seg->gso_size ? tcp_pcount(seg->len, seg->gso_size) : 1;
	if (tp->paired)
		; /* Its data does not cross the stack: this is forged, or a late duplicate. */
	else if (tp->state == TCP_ESTABLISHED)
		tcp_rcv_established(tp, seg);
	else
		tcp_rcv_state(tp, seg);
	nsock_unref(&tp->s);
}

/* A segment for nobody yet: a listener takes SYNs (and ACKs with cookies), else it is reset. */
static void rcv_nobody(struct netstack *st, struct tcp_seg *seg, uint32_t tw_isn)
{
	struct tcp_sock *listener = tcp_lookup_listener(netstack_tcp(st), seg->rx, seg->dport, seg->sport);

	if (!listener) {
		tcp_reset_reply(st, seg);
		return;
	}
	nsock_ref(&listener->s);
	tcp_rcv_listen(listener, seg, tw_isn, tw_isn != 0);
	nsock_unref(&listener->s);
}

static void rcv_tw(struct tcp_tw *tw, struct tcp_seg *seg)
{
	struct netstack *st = tw->t->st;
	bool newer;

	/* RFC 1122 4.2.2.13, RFC 6191: a SYN that is clearly of a new connection may succeed this one. */
	if (tw->substate == TCP_TIME_WAIT && (seg->flags & (SEG_SYN | SEG_ACK | SEG_RST)) == SEG_SYN) {
		newer = seq_after(seg->seq, tw->rcv_nxt) ||
			(tw->ts_ok && seg->o.ts_ok && (int32_t)(tw->ts_recent - seg->o.tsval) < 0);
		if (tw->ts_ok && seg->o.ts_ok && (int32_t)(tw->ts_recent - seg->o.tsval) > 0)
			newer = false;
		if (newer && tcp_lookup_listener(tw->t, seg->rx, seg->dport, seg->sport)) {
			uint32_t isn = tw->snd_nxt + 65535 + 2;

			tcp_tw_kill(tw);
			rcv_nobody(st, seg, isn ? isn : 1);
			return;
		}
	}
	tcp_rcv_tw(tw, seg);
}

static void tcp_input(struct netstack *st, struct pkt *p, const struct ip_rx *rx)
{
	struct tcp_seg seg;
	struct tcp_node *n;

	net_count(st, MIB_Tcp_InSegs);
	if (rx->broadcast || rx->multicast || p->pkttype == 3 /* PACKET_OTHERHOST */)
		goto out;
	if (!read_seg(st, p, rx, &seg)) {
		net_count(st, MIB_Tcp_InErrs);
		goto out;
	}
	n = tcp_lookup(netstack_tcp(st), &rx->dst, seg.dport, &rx->src, seg.sport);
	if (!n || n->kind != TCP_KIND_SOCK || CONTAINER_OF(n, struct tcp_sock, node)->state != TCP_ESTABLISHED)
		pkt_gather(p);
	if (!n)
		rcv_nobody(st, &seg, 0);
	else if (n->kind == TCP_KIND_SOCK)
		rcv_sock(CONTAINER_OF(n, struct tcp_sock, node), &seg);
	else if (n->kind == TCP_KIND_REQ)
		tcp_rcv_req(CONTAINER_OF(n, struct tcp_req, node), &seg);
	else
		rcv_tw(CONTAINER_OF(n, struct tcp_tw, node), &seg);
out:
	pkt_free(p);
}

/* The next bytes of an established connection without a hole: their place in the receive ring, behind its published end. */
static uint32_t tcp_place(struct netstack *st, const struct ip_rx *rx, const uint8_t *head, uint32_t have, uint32_t total,
			  struct iovec iov[2])
{
	const struct tcp_hdr *h = (const struct tcp_hdr *)head;
	struct tcp_sock *tp;
	struct tcp_node *n;
	uint32_t size, len;

	if (have < sizeof(*h) || (h->flags & ~SEG_PSH) != SEG_ACK)
		return 0;
	size = (h->off >> 4) * 4u;
	if (size < sizeof(*h) || size > have || size >= total)
		return 0;
	n = tcp_lookup(netstack_tcp(st), &rx->dst, h->dport, &rx->src, h->sport);
	if (!n || n->kind != TCP_KIND_SOCK)
		return 0;
	tp = CONTAINER_OF(n, struct tcp_sock, node);
	len = total - size;
	if (tp->state != TCP_ESTABLISHED || tp->paired || size != tp->hdr_size || ntohl(h->seq) != tp->rcv_nxt ||
	    tp->ooo_count || tp->ooo_fin || !tp->s.rx || tcp_rcv_window(tp) < len)
		return 0;
	iov[0] = iov[1] = (struct iovec){0};
	return bytering_reserve(tp->s.rx, len, iov) == len ? size : 0;
}

const struct ip_protocol tcp_protocol = {.input = tcp_input, .error = tcp_icmp_error, .place = tcp_place};
