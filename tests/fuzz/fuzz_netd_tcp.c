/* TCP's state machine under a peer that does anything. The input is a program of small steps: segments whose numbers lie
 * about the edges that matter (next, window's end, acknowledged, sent), with options and payload; ICMP errors; time;
 * and what an owner does with its sockets. After each step the queues must agree with their counts. */
#include <arpa/inet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>

#include "netd/link/mempair.h"
#include "netd/tcp/conn.h"

static uint64_t now_ns, seed;

static uint64_t mono(void *arg)
{
	return now_ns;
}

static void rnd(void *arg, void *buf, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		((uint8_t *)buf)[i] = (uint8_t)(seed >> 56);
	}
}

static void check(bool ok, const char *what)
{
	if (!ok) {
		fprintf(stderr, "broken: %s\n", what);
		abort();
	}
}
#define CHECK(x) check(x, #x)

/* ---- the owner ---- */

#define RING 16384u
#define SOCKS 8
struct owner {
	struct nsock *s;
	bool closed, used;
	struct bytering_shm tx_shm, rx_shm;
	uint8_t tx_mem[RING], rx_mem[RING];
	struct bytering tx, rx, wr, rd;
};
static struct owner owners[SOCKS];

static struct owner *owner_new(void)
{
	for (unsigned i = 0; i < SOCKS; i++) {
		struct owner *o = &owners[i];

		if (o->used)
			continue;
		memset(o, 0, offsetof(struct owner, tx_mem));
		o->used = true;
		bytering_init(&o->wr, &o->tx_shm, o->tx_mem, RING, 0, RING, RING);
		bytering_attach(&o->tx, &o->tx_shm, o->tx_mem, RING, 0, RING);
		bytering_init(&o->rx, &o->rx_shm, o->rx_mem, RING, 0, RING, RING);
		bytering_attach(&o->rd, &o->rx_shm, o->rx_mem, RING, 0, RING);
		return o;
	}
	return NULL;
}

static void up_event(struct nsock *s, uint32_t mask)
{
	struct owner *o = s->owner;

	CHECK(o->used && !o->closed);
	s->ops->poll(s);
}

static void *up_adopt(struct nsock *l, struct nsock *child, struct bytering **tx, struct bytering **rx)
{
	struct owner *o = owner_new();

	if (!o)
		return NULL;
	o->s = child;
	*tx = &o->tx;
	*rx = &o->rx;
	return o;
}

static void up_done(struct nsock *s)
{
	struct owner *o = s->owner;

	CHECK(o->used && o->s == s);
	o->used = false;
	o->s = NULL;
}

static const struct nsock_up up = {.event = up_event, .adopt = up_adopt, .done = up_done};

/* ---- the wire ---- */

static struct pair {
	uint16_t port;           /* the stack's */
	uint16_t peer;
	uint32_t iss, nxt;       /* of the stack: its SYN, the end of what it sent */
	uint32_t irs, mine;      /* of the peer: its SYN, what it sent */
	uint32_t ts;             /* the stack's last */
	uint32_t acked, win;     /* the stack's ACK and window, as it sent them */
	uint8_t scale;
} flows[3];

static int link_xmit(struct netif *nif, struct pkt *p)
{
	struct tcp_hdr h;
	struct tcp_opts o;

	p = pkt_linearize(p);
	if (!p)
		return 0;
	CHECK(p->len >= 20);
	if (p->data[9] == IPPROTO_TCP && p->len >= 40) {
		unsigned size;

		memcpy(&h, p->data + 20, sizeof(h));
		size = (h.off >> 4) * 4u;
		CHECK(size >= 20 && 20 + size <= p->len);
		CHECK(p->len <= 1500 || p->gso);
		tcp_opts_parse(p->data + 40, size - 20, h.flags & SEG_SYN, &o);
		for (unsigned i = 0; i < 3; i++) {
			struct pair *f = &flows[i];

			if (h.sport != f->port || h.dport != f->peer)
				continue;
			if (h.flags & SEG_SYN) {
				f->iss = ntohl(h.seq);
				f->nxt = f->iss + 1;
				f->scale = o.wscale_ok ? o.wscale : 0;
			} else if (!(h.flags & SEG_RST)) {
				uint32_t end = ntohl(h.seq) + p->len - 20 - size + !!(h.flags & SEG_FIN);

				if (seq_after(end, f->nxt))
					f->nxt = end;
			}
			f->acked = ntohl(h.ack);
			f->win = ntohs(h.window);
			if (o.ts_ok)
				f->ts = o.tsval;
		}
	}
	pkt_free(p);
	return 0;
}

static void link_free(struct netif *nif)
{
	free(nif);
}

static const struct netif_ops link_ops = {.xmit = link_xmit, .free = link_free};
static struct netif *nif;
static struct netstack *st;

static void deliver(uint8_t protocol, const uint8_t *payload, uint32_t size, uint8_t tos, uint16_t gso)
{
	struct pkt *p = pkt_alloc(size + 20);
	uint8_t *d;
	uint16_t c;

	if (!p)
		return;
	d = p->data;
	memset(d, 0, 20);
	d[0] = 0x45;
	d[1] = tos;
	d[2] = (uint8_t)((size + 20) >> 8);
	d[3] = (uint8_t)(size + 20);
	d[8] = 64;
	d[9] = protocol;
	memcpy(d + 12, "\x0a\x09\x00\x02", 4);
	memcpy(d + 16, "\x0a\x09\x00\x01", 4);
	c = csum_fold(csum_partial(d, 20, 0));
	memcpy(d + 10, &c, 2);
	memcpy(d + 20, payload, size);
	p->len = size + 20;
	p->protocol = 0x0800;
	p->csum = protocol == IPPROTO_TCP ? PKT_CSUM_VALID : PKT_CSUM_NONE;
	if (gso) {
		p->gso = PKT_GSO_TCP4;
		p->gso_size = gso;
	}
	if (size % 2)
		mempair_place(nif, p);
	netif_input(nif, p);
}

/* ---- the program ---- */

struct input {
	const uint8_t *p;
	size_t left;
};

static uint8_t u8(struct input *in)
{
	if (!in->left)
		return 0;
	in->left--;
	return *in->p++;
}

static uint32_t u32(struct input *in)
{
	uint32_t v = u8(in);

	v = v << 8 | u8(in);
	v = v << 8 | u8(in);
	return v << 8 | u8(in);
}

/* A number near one that matters. */
static uint32_t near(struct input *in, const uint32_t *marks, unsigned count)
{
	uint8_t how = u8(in);
	uint32_t base = marks[how % count];

	switch (how / count % 4) {
	case 0:
		return base;
	case 1:
		return base + (int8_t)u8(in);
	case 2:
		return base + (uint32_t)(int32_t)(int16_t)(u8(in) << 8 | u8(in));
	default:
		return u8(in) & 1 ? u32(in) : base + 1448u * (u8(in) % 12);
	}
}

static unsigned put_options(struct input *in, struct pair *f, uint8_t *out, bool syn)
{
	uint8_t what = u8(in);
	unsigned n = 0;

	if (what & 1) { /* timestamps */
		uint32_t v = htonl((uint32_t)(now_ns / 1000000) + (what & 0x40 ? (uint32_t)(int8_t)u8(in) : 0));
		uint32_t e = htonl(what & 0x80 ? u32(in) : f->ts);

		memcpy(out, "\x01\x01\x08\x0a", 4);
		memcpy(out + 4, &v, 4);
		memcpy(out + 8, &e, 4);
		n = 12;
	}
	if ((what & 2) && !syn) { /* SACK */
		unsigned blocks = 1 + (what >> 2) % 3;
		uint32_t marks[] = {f->nxt, f->iss + 1, f->nxt - 1448};

		out[n++] = 1;
		out[n++] = 1;
		out[n++] = 5;
		out[n++] = (uint8_t)(2 + 8 * blocks);
		for (unsigned i = 0; i < blocks && n + 8 <= 40; i++, n += 8) {
			uint32_t a = htonl(near(in, marks, 3)), b = htonl(near(in, marks, 3));

			memcpy(out + n, &a, 4);
			memcpy(out + n + 4, &b, 4);
		}
	}
	if (syn) {
		memcpy(out + n, "\x02\x04\x05\xb4\x04\x02\x01\x01\x03\x03\x07\x01", 12);
		n += what & 4 ? 12 : 8;
	}
	if (what & 0x20) { /* anything */
		while (n < 40)
			out[n++] = u8(in);
	}
	return n & ~3u;
}

static void segment(struct input *in)
{
	static uint8_t d[20 + 40 + 65536];
	struct pair *f = &flows[u8(in) % 3];
	struct tcp_hdr *h = (struct tcp_hdr *)d;
	uint8_t kind = u8(in), flags = SEG_ACK;
	uint32_t seq_marks[] = {f->mine, f->acked, f->acked + (f->win << f->scale), f->irs};
	uint32_t ack_marks[] = {f->nxt, f->iss + 1, f->nxt - 1448, f->iss};
	uint32_t len = 0;
	unsigned n;

	switch (kind % 8) {
	case 0:
		flags = SEG_SYN;
		break;
	case 1:
		flags = SEG_SYN | SEG_ACK;
		break;
	case 2:
		flags = SEG_ACK | SEG_FIN;
		break;
	case 3:
		flags = SEG_RST | (kind & 8 ? SEG_ACK : 0);
		break;
	case 4:
		flags = u8(in);
		break;
	default:
		break;
	}
	if (kind & 16)
		len = kind & 32 ? (uint32_t)u8(in) << 6 : u8(in);
	memset(d, 0, sizeof(*h));
	h->sport = f->peer;
	h->dport = f->port;
	if ((flags & SEG_SYN) && (kind & 64)) {
		f->irs = u32(in);
		f->mine = f->irs + 1;
		h->seq = htonl(f->irs);
	} else {
		h->seq = htonl(flags & SEG_SYN ? f->irs : near(in, seq_marks, 4));
	}
	h->ack = htonl(near(in, ack_marks, 4));
	h->flags = flags;
	h->window = htons(kind & 128 ? (uint16_t)(u8(in) << 8) : 0xffff);
	h->urg = flags & SEG_URG ? htons(u8(in)) : 0;
	n = put_options(in, f, d + 20, flags & SEG_SYN);
	h->off = (uint8_t)((20 + n) / 4 << 4);
	memset(d + 20 + n, 0xa5, len);
	if (ntohl(h->seq) == f->mine)
		f->mine += len;
	deliver(IPPROTO_TCP, d, 20 + n + len, (uint8_t)(kind & 3), len > 1448 ? 1448 : 0);
}

static void icmp(struct input *in)
{
	uint8_t d[36] = {3};
	struct pair *f = &flows[u8(in) % 3];
	uint32_t marks[] = {f->nxt, f->iss + 1, f->iss}, seq = htonl(near(in, marks, 3));
	uint16_t c, mtu = htons((uint16_t)(u8(in) << 4));

	d[1] = u8(in) % 16;
	memcpy(d + 6, &mtu, 2);
	d[8] = 0x45;
	d[10] = 5;
	d[17] = IPPROTO_TCP;
	memcpy(d + 20, "\x0a\x09\x00\x01\x0a\x09\x00\x02", 8);
	memcpy(d + 28, &f->port, 2);
	memcpy(d + 30, &f->peer, 2);
	memcpy(d + 32, &seq, 4);
	c = csum_fold(csum_partial(d + 8, 20, 0));
	memcpy(d + 18, &c, 2);
	c = csum_fold(csum_partial(d, 36, 0));
	memcpy(d + 2, &c, 2);
	deliver(IPPROTO_ICMP, d, 36, 0, 0);
}

static struct nsock_name name(const char *text, uint16_t port)
{
	struct nsock_name n = {.addr = {.family = AF_INET}, .port = port};

	inet_pton(AF_INET, text, &n.addr.v4);
	return n;
}

static void owner_step(struct input *in)
{
	static const int opts[] = {TCP_NODELAY, TCP_CORK, TCP_QUICKACK, TCP_KEEPIDLE, TCP_LINGER2, TCP_USER_TIMEOUT,
				   TCP_WINDOW_CLAMP, TCP_MAXSEG, TCP_DEFER_ACCEPT, 25};
	struct owner *o = &owners[u8(in) % SOCKS];
	uint8_t buf[4096], what = u8(in);
	struct bytering_region old;
	struct nsock *s, *child;
	int v;
	uint32_t size = sizeof(buf);

	if (!o->used || o->closed || !o->s)
		return;
	s = o->s;
	switch (what % 12) {
	case 0:
		memset(buf, 0x5a, sizeof(buf));
		bytering_write(&o->wr, buf, (size_t)u8(in) << 4);
		s->ops->tx_ready(s, what & 128);
		break;
	case 1:
		bytering_write(&o->wr, buf, 1);
		if (what & 128)
			s->ops->tx_urgent(s);
		s->ops->tx_ready(s, false);
		break;
	case 2:
		bytering_take(&o->rd, MIN((uint64_t)u8(in) << 6, bytering_avail(&o->rd)), &old);
		s->ops->rx_consumed(s);
		break;
	case 3:
		s->ops->shutdown(s, what & 64, what & 128);
		break;
	case 4:
		o->closed = true;
		nsock_close(s, what & 128);
		break;
	case 5:
		if (s->ops->accept(s, &child) == 0)
			CHECK(((struct owner *)child->owner)->s == child);
		break;
	case 6:
		v = (int8_t)u8(in);
		s->ops->setopt(s, IPPROTO_TCP, opts[u8(in) % ARRAY_SIZE(opts)], &v, sizeof(v));
		break;
	case 7:
		s->ops->getopt(s, IPPROTO_TCP, TCP_INFO, buf, &size);
		break;
	case 8:
		s->opt.keepalive = what & 128;
		s->ops->opt_changed(s);
		break;
	case 9:
		if (what & 128)
			tcp_kill(s);
		break;
	case 10: {
		struct nsock_name n = name("10.9.0.2", flows[2].peer);

		s->ops->connect(s, what & 128 ? &n : NULL);
		break;
	}
	default:
		/* The other side of a ring lies. */
		if (what & 128)
			o->tx_shm.tail += u8(in);
		else
			o->rx_shm.head += u8(in);
		break;
	}
}

static bool count_row(void *arg, const struct tcp_row *row)
{
	++*(unsigned *)arg;
	return true;
}

/* The counts are those of the queue, the queue is in order, and nothing is both SACKed and lost. */
static void check_sock(struct tcp_sock *tp)
{
	uint32_t out = 0, sacked = 0, lost = 0, retrans = 0, at = tp->snd_una;
	struct tcp_sent *r;

	LIST_FOR_EACH(r, &tp->rtx, node) {
		CHECK(seq_before(r->seq, r->end));
		CHECK(!seq_before(r->end, at));
		at = r->end;
		out += r->pcount;
		sacked += r->flags & SENT_SACKED ? r->pcount : 0;
		lost += r->flags & SENT_LOST ? r->pcount : 0;
		retrans += r->flags & SENT_RETRANS ? r->pcount : 0;
		CHECK((r->flags & (SENT_SACKED | SENT_LOST)) != (SENT_SACKED | SENT_LOST));
	}
	CHECK(out == tp->packets_out);
	CHECK(lost == tp->lost_out);
	CHECK(retrans == tp->retrans_out);
	if (tp->sack_ok)
		CHECK(sacked == tp->sacked_out);
	CHECK(tp->lost_out + tp->sacked_out <= tp->packets_out || !tp->sack_ok);
	CHECK(tp->snd_cwnd >= 1);
	if (tp->packets_out && tp->state != TCP_CLOSE)
		CHECK(tp->pending != PENDING_NONE);
	for (unsigned i = 0; i < tp->ooo_count; i++) {
		CHECK(seq_before(tp->ooo[i].start, tp->ooo[i].end));
		CHECK(seq_after(tp->ooo[i].start, i ? tp->ooo[i - 1].end : tp->rcv_nxt));
	}
	if (tp->state == TCP_CLOSE)
		CHECK(list_empty(&tp->rtx) && !tp->node.hashed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct netstack_env env = {.mono_ns = mono, .real_ns = mono, .random = rnd};
	struct netif_addr a = {.prefix = 24};
	struct input in = {data, size};
	struct nsock_name n = name("0.0.0.0", htons(80));
	struct owner *o;

	now_ns = 1000000000000;
	seed = 1;
	memset(owners, 0, sizeof(owners));
	memset(flows, 0, sizeof(flows));
	st = netstack_new(&env);
	nif = calloc(1, sizeof(*nif));
	nif->ops = &link_ops;
	nif->type = ARPHRD_NONE;
	nif->mtu = 1500;
	nif->flags = IFF_NOARP | IFF_POINTOPOINT;
	nif->features = size && data[0] & 1 ? NETIF_F_CSUM | NETIF_F_TSO : 0;
	strcpy(nif->name, "tun0");
	netif_add(st, nif);
	netif_set_up(nif, true);
	a.addr = name("10.9.0.1", 0).addr;
	netif_addr_add(nif, &a);
	/* A listener with two peers, and a socket that connects to a third. */
	o = owner_new();
	tcp_create(st, AF_INET, &up, o, &o->s);
	nsock_set_rings(o->s, &o->tx, &o->rx);
	o->s->ops->bind(o->s, &n);
	o->s->ops->listen(o->s, 3);
	flows[0] = (struct pair){.port = htons(80), .peer = htons(1000), .irs = 77, .mine = 78};
	flows[1] = (struct pair){.port = htons(80), .peer = htons(1001), .irs = 0xffffff00, .mine = 0xffffff01};
	flows[2] = (struct pair){.port = htons(5000), .peer = htons(7000), .irs = 1, .mine = 2};
	o = owner_new();
	tcp_create(st, AF_INET, &up, o, &o->s);
	nsock_set_rings(o->s, &o->tx, &o->rx);
	n = name("10.9.0.1", htons(5000));
	o->s->ops->bind(o->s, &n);
	n = name("10.9.0.2", htons(7000));
	o->s->ops->connect(o->s, &n);
	u8(&in);
	for (unsigned steps = 0; in.left && steps < 400; steps++) {
		uint8_t op = u8(&in);

		switch (op % 8) {
		case 0:
			now_ns += (uint64_t)(op & 128 ? u8(&in) * 500 : u8(&in)) * 1000000;
			break;
		case 1:
		case 2:
			owner_step(&in);
			break;
		case 3:
			if (op & 128) {
				icmp(&in);
				break;
			}
			/* fall through */
		default:
			segment(&in);
			break;
		}
		netstack_run(st);
		for (struct nsock *s = nsock_next(st, NSOCK_TCP, NULL); s; s = nsock_next(st, NSOCK_TCP, s))
			check_sock(tcp_sk(s));
	}
	{
		unsigned rows = 0;

		tcp_dump(st, count_row, &rows);
	}
	now_ns += 3600ull * 1000000000;
	netstack_run(st);
	netstack_free(st);
	return 0;
}
