/* See rig.h. */
#include "rig.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>

/* ---- stream sockets ---- */

uint32_t sbox_tx_size = 256 * 1024, sbox_rx_size = 256 * 1024;
bool sbox_pair, sbox_refuse;
uint64_t sbox_arena;

uint8_t rig_byte(uint64_t pos)
{
	return (uint8_t)((pos * 2654435761u) >> 13 ^ pos);
}

static struct list all_boxes = LIST_INIT(all_boxes);

static void box_destroy(struct sbox *b)
{
	list_del(&b->all);
	free(b->tx_mem);
	free(b->rx_mem);
	free(b);
}

void sbox_reap(void)
{
	while (!list_empty(&all_boxes))
		box_destroy(LIST_FIRST(&all_boxes, struct sbox, all));
}

static struct sbox *sbox_alloc(void)
{
	struct sbox *b = aligned_alloc(64, ALIGN_UP(sizeof(*b), 64));

	assert_non_null(b);
	memset(b, 0, sizeof(*b));
	list_add_tail(&all_boxes, &b->all);
	b->tx_used = sbox_tx_size;
	b->rx_used = sbox_rx_size;
	b->tx_mem = malloc(MAX(sbox_arena, b->tx_used));
	b->rx_mem = malloc(MAX(sbox_arena, b->rx_used));
	bytering_init(&b->wr, &b->tx_shm, b->tx_mem, MAX(sbox_arena, b->tx_used), 0, sbox_tx_size,
		      MAX(sbox_arena, b->tx_used));
	bytering_attach(&b->tx, &b->tx_shm, b->tx_mem, MAX(sbox_arena, b->tx_used), 0, sbox_tx_size);
	bytering_init(&b->rx, &b->rx_shm, b->rx_mem, MAX(sbox_arena, b->rx_used), 0, sbox_rx_size,
		      MAX(sbox_arena, b->rx_used));
	bytering_attach(&b->rd, &b->rx_shm, b->rx_mem, MAX(sbox_arena, b->rx_used), 0, sbox_rx_size);
	return b;
}

static void up_event(struct nsock *s, uint32_t mask)
{
	((struct sbox *)s->owner)->events |= mask;
}

static void *up_adopt(struct nsock *l, struct nsock *child, struct bytering **tx, struct bytering **rx)
{
	struct sbox *b;

	if (sbox_refuse)
		return NULL;
	b = sbox_alloc();
	b->s = child;
	*tx = &b->tx;
	*rx = &b->rx;
	return b;
}

static bool up_paired(struct nsock *a, struct nsock *b)
{
	if (!sbox_pair)
		return false;
	((struct sbox *)a->owner)->peer = b->owner;
	((struct sbox *)b->owner)->peer = a->owner;
	return true;
}

static void up_grow(struct nsock *s, bool tx, uint64_t size)
{
	struct sbox *b = s->owner;

	uint64_t *used = tx ? &b->tx_used : &b->rx_used, region = 4096;
	struct bytering_region old;

	*(tx ? &b->want_tx : &b->want_rx) = size;
	b->grows++;
	while (region < size)
		region *= 2;
	bytering_settled(tx ? &b->wr : &b->rx, &old);
	if (*used + region <= sbox_arena && bytering_grow(tx ? &b->wr : &b->rx, *used, region))
		*used += region;
}

static void up_done(struct nsock *s)
{
	struct sbox *b = s->owner;

	b->done = true;
	b->s = NULL;
	if (b->events == UINT32_MAX)
		box_destroy(b); /* sbox_free waits for this */
}

static const struct nsock_up up = {.event = up_event, .adopt = up_adopt, .paired = up_paired, .grow = up_grow,
				   .done = up_done};

struct sbox *sbox_new(struct netstack *st, int family)
{
	struct sbox *b = sbox_alloc();

	assert_int_equal(tcp_create(st, family, &up, b, &b->s), 0);
	nsock_set_rings(b->s, &b->tx, &b->rx);
	return b;
}

struct sbox *sbox_listen(struct netstack *st, const char *addr, unsigned port, int backlog)
{
	struct nsock_name n = name_of(addr, port);
	struct sbox *b = sbox_new(st, n.addr.family);

	b->s->opt.reuseaddr = true;
	assert_int_equal(b->s->ops->bind(b->s, &n), 0);
	assert_int_equal(b->s->ops->listen(b->s, backlog), 0);
	return b;
}

struct sbox *sbox_accept(struct sbox *l)
{
	struct nsock *s;

	return l->s->ops->accept(l->s, &s) == 0 ? s->owner : NULL;
}

int sbox_connect(struct sbox *b, const char *addr, unsigned port)
{
	struct nsock_name n = name_of(addr, port);

	return b->s->ops->connect(b->s, &n);
}

size_t sbox_put(struct sbox *b, const void *data, size_t size)
{
	return bytering_write(&b->wr, data, size);
}

size_t sbox_write(struct sbox *b, const void *data, size_t size)
{
	size_t n = sbox_put(b, data, size);

	b->s->ops->tx_ready(b->s, false);
	return n;
}

size_t sbox_pattern(struct sbox *b, uint64_t pos, size_t size)
{
	uint8_t buf[4096];
	size_t sum = 0;

	while (sum < size) {
		size_t n = MIN(size - sum, sizeof(buf)), put;

		for (size_t i = 0; i < n; i++)
			buf[i] = rig_byte(pos + sum + i);
		put = sbox_put(b, buf, n);
		sum += put;
		if (put < n)
			break;
	}
	b->s->ops->tx_ready(b->s, false);
	return sum;
}

size_t sbox_read(struct sbox *b, void *data, size_t size)
{
	struct bytering_region old;
	struct iovec iov[2];
	size_t n;

	bytering_avail(&b->rd);
	n = bytering_peek(&b->rd, b->rd.head, size, iov);
	if (n) {
		memcpy(data, iov[0].iov_base, iov[0].iov_len);
		if (n > iov[0].iov_len)
			memcpy((uint8_t *)data + iov[0].iov_len, iov[1].iov_base, n - iov[0].iov_len);
		bytering_take(&b->rd, n, &old);
		if (b->s)
			b->s->ops->rx_consumed(b->s);
	}
	return n;
}

void sbox_expect(struct sbox *b, uint64_t pos, size_t size)
{
	uint8_t *buf = malloc(size + 1);
	size_t sum = 0, n;

	assert_int_equal(bytering_avail(&b->rd), size);
	while (sum < size) {
		n = sbox_read(b, buf + sum, size - sum);
		assert_true(n > 0);
		sum += n;
	}
	for (size_t i = 0; i < size; i++) {
		if (buf[i] != rig_byte(pos + i))
			fail_msg("byte %zu of the stream is %02x, not %02x", (size_t)pos + i, buf[i], rig_byte(pos + i));
	}
	free(buf);
}

void sbox_close(struct sbox *b, bool reset)
{
	nsock_close(b->s, reset);
}

void sbox_free(struct sbox *b)
{
	if (!b)
		return;
	if (b->s) {
		b->events = UINT32_MAX; /* up_done frees it */
		if (!b->s->closed)
			nsock_close(b->s, true);
		return;
	}
	box_destroy(b);
}

int sbox_opt(struct sbox *b, int name, int value)
{
	return b->s->ops->setopt(b->s, IPPROTO_TCP, name, &value, sizeof(value));
}

void sbox_info(struct sbox *b, struct tcp_info_abi *i)
{
	uint32_t size = sizeof(*i);

	assert_int_equal(b->s->ops->getopt(b->s, IPPROTO_TCP, TCP_INFO, i, &size), 0);
	assert_int_equal(size, sizeof(*i));
}

unsigned sbox_state(struct sbox *b)
{
	return b->s ? tcp_sk(b->s)->state : TCP_CLOSE;
}

/* ---- the link ---- */

static void read_out(struct rig *r, const uint8_t *d, uint32_t size, const struct pkt *p)
{
	struct pk *k;
	const struct tcp_hdr *h;
	uint32_t hl = 20, thl;
	bool v6 = d[0] >> 4 == 6;

	if (v6) {
		hl = 40;
		if (d[6] != IPPROTO_TCP)
			return;
	} else {
		hl = (d[0] & 15u) * 4;
		if (d[9] != IPPROTO_TCP)
			return;
	}
	h = (const struct tcp_hdr *)(d + hl);
	thl = (h->off >> 4) * 4u;
	assert_true(hl + thl <= size);
	k = calloc(1, sizeof(*k) + size - hl - thl);
	assert_non_null(k);
	k->v6 = v6;
	k->df = !v6 && (d[6] & 0x40);
	k->tos = v6 ? (uint8_t)(get_be16(d) >> 4) : d[1];
	k->at_ms = (r->w->now_ns - r->begin_ns) / 1000000;
	k->flags = h->flags;
	k->raw_seq = ntohl(h->seq);
	k->raw_ack = ntohl(h->ack);
	k->win = ntohs(h->window);
	k->urg = ntohs(h->urg);
	k->sport = h->sport;
	k->dport = h->dport;
	k->len = size - hl - thl;
	k->gso_size = p->gso ? p->gso_size : 0;
	memcpy(k->data, d + hl + thl, k->len);
	tcp_opts_parse(d + hl + sizeof(*h), thl - (unsigned)sizeof(*h), h->flags & SEG_SYN, &k->o);
	if ((k->flags & SEG_SYN) && !r->iss_known) {
		r->iss = k->raw_seq;
		r->iss_known = true;
		r->port = k->sport;
		r->peer_port = k->dport;
	}
	k->seq = k->raw_seq - r->iss;
	k->ack = k->flags & SEG_ACK ? k->raw_ack - r->irs : 0;
	for (unsigned i = 0; i < k->o.sack_count; i++)
		k->sack[i] = (struct tcp_range){k->o.sack[i].start - r->irs, k->o.sack[i].end - r->irs};
	if (k->o.ts_ok)
		r->ts_last = k->o.tsval;
	*r->end = k;
	r->end = &k->next;
}

static int link_xmit(struct netif *nif, struct pkt *p)
{
	struct rig *r = nif->priv;
	uint32_t size = pkt_total(p);
	uint8_t *flat = malloc(size);

	pkt_copy_out(p, 0, flat, size);
	if (p->csum == PKT_CSUM_NONE && flat[0] >> 4 == 4 && flat[9] == IPPROTO_TCP) {
		/* What leaves complete must be right. */
		struct ip_addr src = ip_addr_v4(get_raw32(flat + 12)), dst = ip_addr_v4(get_raw32(flat + 16));

		assert_int_equal(csum_fold(csum_partial(flat + 20, size - 20,
							csum_pseudo(&src, &dst, IPPROTO_TCP, size - 20))), 0);
	}
	read_out(r, flat, size, p);
	free(flat);
	pkt_free(p);
	return 0;
}

static void link_free(struct netif *nif)
{
	free(nif);
}

static const struct netif_ops link_ops = {.xmit = link_xmit, .free = link_free};

struct rig *rig_new(const struct rig_opts *o)
{
	struct rig *r = calloc(1, sizeof(*r));
	struct netif *nif = calloc(1, sizeof(*nif));

	assert_non_null(r);
	r->w = world_new(false);
	r->begin_ns = r->w->now_ns;
	r->end = &r->first;
	nif->ops = &link_ops;
	nif->type = ARPHRD_NONE;
	nif->mtu = o->mtu ? o->mtu : 1500;
	nif->flags = IFF_NOARP | IFF_POINTOPOINT;
	nif->features = o->features;
	nif->priv = r;
	strcpy(nif->name, "tun0");
	r->nif = nif;
	assert_int_equal(netif_add(r->w->a, nif), 0);
	nif->conf[NETIF_CONF_V6_ACCEPT_RA] = 0;
	nif->conf[NETIF_CONF_V6_ADDR_GEN_MODE] = 1;
	assert_int_equal(netif_set_up(nif, true), 0);
	world_addr(nif, "10.9.0.1/24");
	world_addr(nif, "fd09::1/64");
	r->ts = !o->no_ts;
	r->sack = !o->no_sack;
	r->wscale_on = !o->no_wscale;
	r->wscale = o->wscale ? o->wscale : 7;
	r->v6 = o->v6;
	r->win = o->win ? o->win : 60000;
	r->irs = 0x10000000;
	r->port = htons(80);
	r->peer_port = htons(7000);
	sbox_tx_size = o->tx ? o->tx : 256 * 1024;
	sbox_rx_size = o->rx ? o->rx : 256 * 1024;
	return r;
}

void rig_free(struct rig *r)
{
	sbox_free(r->c);
	sbox_free(r->l);
	rig_drop(r);
	pass(r, 1);
	rig_drop(r);
	world_free(r->w);
	free(r);
	sbox_reap();
}

static unsigned syn_opts(struct rig *r, const struct rig_opts *o, uint8_t *opt)
{
	unsigned n = 0;
	uint16_t mss = o->mss ? o->mss : 1460;

	if (!o->no_mss) {
		opt[n++] = 2;
		opt[n++] = 4;
		opt[n++] = (uint8_t)(mss >> 8);
		opt[n++] = (uint8_t)mss;
	}
	if (r->sack) {
		opt[n++] = 4;
		opt[n++] = 2;
	}
	if (r->ts) {
		opt[n++] = 8;
		opt[n++] = 10;
		put_be32(opt + n, r->tsval ? r->tsval : (uint32_t)(r->w->now_ns / 1000000));
		put_be32(opt + n + 4, r->ts_last);
		n += 8;
	}
	if (r->wscale_on) {
		opt[n++] = 3;
		opt[n++] = 3;
		opt[n++] = r->wscale;
	}
	while (n % 4)
		opt[n++] = 1;
	return n;
}

struct rig *rig_passive(const struct rig_opts *o)
{
	static const struct rig_opts none;
	struct rig *r;
	uint8_t opt[40];
	struct pk *k;

	o = o ? o : &none;
	r = rig_new(o);
	r->l = sbox_listen(r->w->a, o->v6 ? "::" : "0.0.0.0", 80, o->backlog ? o->backlog : 5);
	r->l->s->opt.rcvbuf = (int)sbox_rx_size * 2;
	if (o->before)
		o->before(r);
	in_ex(r, &(struct in){.flags = S | (o->ecn ? SEG_ECE | SEG_CWR : 0), .raw_opts = true, .opts = opt,
			      .opts_size = syn_opts(r, o, opt)});
	k = out(r);
	assert_int_equal(k->flags & ~SEG_ECE, S | A);
	assert_int_equal(k->ack, 1);
	r->peer_wscale = k->o.wscale_ok ? k->o.wscale : 0;
	free(k);
	in(r, A, 1, 1, 0);
	r->c = sbox_accept(r->l);
	if (!o->before)
		assert_non_null(r->c);
	return r;
}

struct rig *rig_active(const struct rig_opts *o)
{
	static const struct rig_opts none;
	struct rig *r;
	uint8_t opt[40];
	struct pk *k;

	o = o ? o : &none;
	r = rig_new(o);
	r->c = sbox_new(r->w->a, o->v6 ? AF_INET6 : AF_INET);
	if (o->before)
		o->before(r);
	assert_int_equal(sbox_connect(r->c, o->v6 ? "fd09::2" : "10.9.0.2", 7000), -EINPROGRESS);
	world_run(r->w);
	k = out(r);
	assert_int_equal(k->flags & ~(SEG_ECE | SEG_CWR), S);
	r->peer_wscale = k->o.wscale_ok ? k->o.wscale : 0;
	free(k);
	in_ex(r, &(struct in){.flags = S | A | (o->ecn ? SEG_ECE : 0), .ack = 1, .raw_opts = true, .opts = opt,
			      .opts_size = syn_opts(r, o, opt)});
	expect(r, A, 1, 1, 0);
	assert_int_equal(sbox_state(r->c), TCP_ESTABLISHED);
	assert_true(r->c->events & NSOCK_OUT);
	r->c->events = 0;
	return r;
}

void in(struct rig *r, uint8_t flags, uint32_t seq, uint32_t ack, uint32_t len)
{
	in_ex(r, &(struct in){.flags = flags, .seq = seq, .ack = ack, .len = len});
}

void in_sack(struct rig *r, uint32_t ack, unsigned count, const struct tcp_range *sack)
{
	struct in i = {.flags = A, .seq = 1, .ack = ack, .sack_count = count};

	memcpy(i.sack, sack, count * sizeof(*sack));
	in_ex(r, &i);
}

static void addrs(struct rig *r, struct ip_addr *us, struct ip_addr *them)
{
	*us = addr_of(r->v6 ? "fd09::2" : "10.9.0.2");
	*them = addr_of(r->v6 ? "fd09::1" : "10.9.0.1");
}

static void ip_wrap(struct rig *r, uint8_t *d, uint32_t size, uint8_t protocol, uint8_t tos, uint8_t ttl)
{
	struct ip_addr us, them;

	addrs(r, &us, &them);
	if (r->v6) {
		d[0] = (uint8_t)(0x60 | tos >> 4);
		d[1] = (uint8_t)(tos << 4);
		put_be16(d + 4, (uint16_t)size);
		d[6] = protocol;
		d[7] = ttl;
		memcpy(d + 8, us.v6, 16);
		memcpy(d + 24, them.v6, 16);
		return;
	}
	d[0] = 0x45;
	d[1] = tos;
	put_be16(d + 2, (uint16_t)(size + 20));
	put_be16(d + 6, 0x4000);
	d[8] = ttl;
	d[9] = protocol;
	memcpy(d + 12, &us.v4, 4);
	memcpy(d + 16, &them.v4, 4);
	put_be16(d + 10, 0);
	{
		uint16_t c = csum_fold(csum_partial(d, 20, 0));

		memcpy(d + 10, &c, 2);
	}
}

static void deliver(struct rig *r, const uint8_t *d, uint32_t size, uint16_t gso)
{
	struct pkt *p = pkt_alloc(size);

	assert_non_null(p);
	memcpy(p->data, d, size);
	p->len = size;
	p->protocol = r->v6 ? 0x86dd : 0x0800;
	if (gso) {
		p->gso = r->v6 ? PKT_GSO_TCP6 : PKT_GSO_TCP4;
		p->gso_size = gso;
		p->csum = PKT_CSUM_VALID;
	}
	netif_input(r->nif, p);
	world_run(r->w);
}

void in_ex(struct rig *r, const struct in *i)
{
	uint32_t hl = r->v6 ? 40 : 20, n = 0, size;
	uint8_t *d = calloc(1, 128 + i->len), opt[40];
	struct tcp_hdr *h = (struct tcp_hdr *)(d + hl);
	struct ip_addr us, them;

	if (i->raw_opts) {
		if (i->opts_size)
			memcpy(opt, i->opts, i->opts_size);
		n = i->opts_size;
	} else {
		if (r->ts && !i->no_ts) {
			put_be32(opt, 0x0101080a);
			put_be32(opt + 4, i->tsval ? i->tsval : r->tsval ? r->tsval
									 : (uint32_t)(r->w->now_ns / 1000000));
			put_be32(opt + 8, i->tsecr ? i->tsecr : r->ts_last);
			n = 12;
		}
		if (i->sack_count) {
			put_be32(opt + n, 0x01010500 | (2 + 8 * i->sack_count));
			n += 4;
			for (unsigned k = 0; k < i->sack_count; k++, n += 8) {
				put_be32(opt + n, i->sack[k].start + r->iss);
				put_be32(opt + n + 4, i->sack[k].end + r->iss);
			}
		}
	}
	h->sport = i->sport ? i->sport : r->peer_port;
	h->dport = i->dport ? i->dport : r->port;
	h->seq = htonl(i->raw_seq ? i->seq : i->seq + r->irs);
	h->ack = i->flags & SEG_ACK ? htonl(i->raw_seq ? i->ack : i->ack + r->iss) : 0;
	h->off = (uint8_t)((i->off ? (unsigned)i->off : (20 + n) / 4) << 4);
	h->flags = i->flags;
	h->window = htons(i->win_set ? i->win : r->win);
	h->urg = htons(i->urg);
	memcpy(h + 1, opt, n);
	for (uint32_t k = 0; k < i->len; k++)
		d[hl + 20 + n + k] = i->data ? ((const uint8_t *)i->data)[k] : rig_byte(i->seq - 1 + k);
	size = 20 + n + i->len - i->cut;
	addrs(r, &us, &them);
	h->csum = csum_fold(csum_partial(h, size, csum_pseudo(&us, &them, IPPROTO_TCP, size)));
	if (i->bad_csum)
		h->csum ^= 0x1234;
	ip_wrap(r, d, size, IPPROTO_TCP, i->tos, i->ttl ? i->ttl : 64);
	deliver(r, d, size + hl, i->gso_size);
	free(d);
}

void in_icmp(struct rig *r, uint8_t type, uint8_t code, uint32_t mtu, uint32_t seq)
{
	uint8_t d[128] = {0}, *q;
	uint32_t hl = r->v6 ? 40 : 20, size = 8 + hl + 8;
	struct ip_addr us, them;
	uint16_t c;

	addrs(r, &us, &them);
	d[hl] = type;
	d[hl + 1] = code;
	put_be32(d + hl + 4, mtu);
	/* The quoted packet: from the stack to us. */
	q = d + hl + 8;
	if (r->v6) {
		q[0] = 0x60;
		put_be16(q + 4, 1400);
		q[6] = IPPROTO_TCP;
		q[7] = 64;
		memcpy(q + 8, them.v6, 16);
		memcpy(q + 24, us.v6, 16);
	} else {
		q[0] = 0x45;
		put_be16(q + 2, 1500);
		q[6] = 0x40;
		q[8] = 64;
		q[9] = IPPROTO_TCP;
		memcpy(q + 12, &them.v4, 4);
		memcpy(q + 16, &us.v4, 4);
		c = csum_fold(csum_partial(q, 20, 0));
		memcpy(q + 10, &c, 2);
	}
	memcpy(q + hl, &r->port, 2);
	memcpy(q + hl + 2, &r->peer_port, 2);
	put_be32(q + hl + 4, seq + r->iss);
	c = csum_fold(csum_partial(d + hl, size, r->v6 ? csum_pseudo(&us, &them, IPPROTO_ICMPV6, size) : 0));
	memcpy(d + hl + 2, &c, 2);
	ip_wrap(r, d, size, r->v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP, 0, 64);
	deliver(r, d, size + hl, 0);
}

/* ---- what was sent ---- */

struct pk *out(struct rig *r)
{
	struct pk *k = r->first;

	assert_non_null(k);
	r->first = k->next;
	if (!r->first)
		r->end = &r->first;
	return k;
}

bool rig_none(struct rig *r)
{
	return !r->first;
}

void rig_drop(struct rig *r)
{
	while (r->first)
		free(out(r));
}

unsigned rig_count(struct rig *r)
{
	unsigned n = 0;

	for (struct pk *k = r->first; k; k = k->next)
		n++;
	return n;
}

void pass(struct rig *r, uint64_t ms)
{
	world_pass(r->w, ms);
}

static void flags_text(uint8_t f, char *out)
{
	static const char names[] = "FSRPAUEC";

	for (int i = 0; i < 8; i++) {
		if (f & (1u << i))
			*out++ = names[i];
	}
	*out = 0;
}

void expect_at(struct rig *r, uint8_t flags, uint32_t seq, uint32_t ack, uint32_t len, const char *file, int line)
{
	struct pk *k = r->first;
	char got[9], want[9];

	flags_text(flags, want);
	if (!k) {
		printf("%s:%d: nothing was sent, not %s %u ack %u len %u\n", file, line, want, seq, ack, len);
		_fail(file, line);
	}
	k = out(r);
	flags_text(k->flags, got);
	if (k->flags != flags || k->seq != seq || k->ack != ack || k->len != len) {
		printf("%s:%d: sent %s %u ack %u len %u at %u ms, not %s %u ack %u len %u\n", file, line, got, k->seq,
		       k->ack, k->len, (unsigned)k->at_ms, want, seq, ack, len);
		_fail(file, line);
	}
	free(k);
}

void expect_none_at(struct rig *r, const char *file, int line)
{
	char got[9];

	if (!r->first)
		return;
	flags_text(r->first->flags, got);
	printf("%s:%d: sent %s %u ack %u len %u, not nothing\n", file, line, got, r->first->seq, r->first->ack,
	       r->first->len);
	_fail(file, line);
}

uint64_t rig_counter(struct rig *r, enum net_mib what)
{
	return net_counter(r->w->a, what);
}

struct rig *rig_half_open(const struct rig_opts *o)
{
	struct rig *r = rig_new(o);

	r->l = sbox_listen(r->w->a, "0.0.0.0", 80, o->backlog ? o->backlog : 5);
	in(r, S, 0, 0, 0);
	return r;
}

void syn_from(struct rig *r, uint16_t port)
{
	r->iss_known = false;
	in_ex(r, &(struct in){.flags = S, .sport = htons(port)});
}

void ack_from(struct rig *r, uint16_t port, const struct pk *k)
{
	in_ex(r, &(struct in){.flags = A, .seq = r->irs + 1, .ack = k->raw_seq + 1, .raw_seq = true, .sport = htons(port),
			      .tsecr = k->o.tsval});
}
