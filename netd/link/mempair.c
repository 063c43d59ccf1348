/* A wire in memory: see mempair.h. A frame waits in the queue of its direction, ordered by the time of its arrival; a
 * timer of the receiving stack delivers. */
#include "netd/link/mempair.h"

#include <net/if.h>
#include <net/if_arp.h>
#include <linux/if_packet.h>

#include "netd/core/layers.h"
#include "netd/core/pkt_priv.h"
#include "netd/core/stack_priv.h"

struct flight {
	struct list node;
	uint64_t due_ms;
	struct pkt *p;
};

struct mem_end {
	struct netif *nif;       /* NULL: gone */
	struct net_timer timer;  /* of this end's stack: delivers to it */
	struct list coming;      /* struct flight */
	unsigned count, turn;
	uint64_t busy_until_us;  /* of the wire towards this end */
	struct mempair_faults faults; /* of what this end sends */
	bool (*filter)(void *arg, struct pkt *p);
	void *filter_arg;
};

struct mempair {
	struct mem_end end[2];
	uint64_t rnd;
};

static uint32_t roll(struct mempair *m)
{
	m->rnd ^= m->rnd << 13;
	m->rnd ^= m->rnd >> 7;
	m->rnd ^= m->rnd << 17;
	return (uint32_t)(m->rnd >> 16);
}

static bool chance(struct mempair *m, uint32_t ppm)
{
	return ppm && roll(m) % 1000000 < ppm;
}

static struct mem_end *other_end(struct mempair *m, const struct netif *nif)
{
	return &m->end[m->end[0].nif == nif];
}

static void arm(struct mem_end *e)
{
	struct netstack *st = e->nif->st;
	struct flight *f;

	if (list_empty(&e->coming))
		return;
	f = LIST_FIRST(&e->coming, struct flight, node);
	net_timer_arm(st, &e->timer, f->due_ms > st->now_ms ? f->due_ms - st->now_ms : 0);
}

static void launch(struct mempair *m, struct mem_end *to, struct pkt *p, const struct mempair_faults *f)
{
	/* The sender's clock: the receiver's may not have been read in this round. */
	const struct netstack *sender = other_end(m, to->nif)->nif->st;
	uint64_t when_us = sender->now_ns / 1000;
	struct flight *fl, *at;
	struct list *before;

	if (to->count >= (f->queue ? f->queue : 1000)) {
		pkt_free(p);
		return;
	}
	fl = malloc(sizeof(*fl));
	if (!fl) {
		pkt_free(p);
		return;
	}
	if (f->rate) {
		to->busy_until_us = MAX(to->busy_until_us, when_us) + p->len * UINT64_C(1000000) / f->rate;
		when_us = to->busy_until_us;
	}
	fl->p = p;
	fl->due_ms = when_us / 1000 + f->delay_ms + (f->jitter_ms ? roll(m) % f->jitter_ms : 0) +
		     (chance(m, f->reorder_ppm) ? f->reorder_ms : 0);
	before = &to->coming;
	while (before->prev != &to->coming) {
		at = LIST_ENTRY(before->prev, struct flight, node);
		if (at->due_ms <= fl->due_ms)
			break;
		before = &at->node;
	}
	list_add_tail(before, &fl->node);
	to->count++;
	arm(to);
}

static int mem_xmit(struct netif *nif, struct pkt *p)
{
	struct mempair *m = nif->priv;
	struct mem_end *to = other_end(m, nif), *from = &m->end[to == &m->end[0]];

	p = pkt_linearize(p);
	if (!p)
		return -ENOBUFS;
	p->rx_ns = 0;
	if ((from->filter && !from->filter(from->filter_arg, p)) || !to->nif || chance(m, from->faults.loss_ppm)) {
		pkt_free(p);
		return 0;
	}
	if (chance(m, from->faults.corrupt_ppm) && p->len) {
		/* What a link damages its checksum offload does not vouch for. */
		pkt_csum_complete(p);
		p->csum = PKT_CSUM_NONE;
		p->data[roll(m) % p->len] ^= (uint8_t)(1u << roll(m) % 8);
	}
	if (chance(m, from->faults.dup_ppm)) {
		struct pkt *twin = pkt_copy(p);

		if (twin)
			launch(m, to, twin, &from->faults);
	}
	launch(m, to, p, &from->faults);
	return 0;
}

void mempair_place(struct netif *nif, struct pkt *p)
{
	uint32_t hlen, first;

	if (nif->type == ARPHRD_ETHER)
		hlen = netif_place(nif, p->data, p->len, p->len, p->ext);
	else
		hlen = ip_place(nif, p->protocol, p->data, p->len, p->len, p->ext);
	if (!hlen)
		return;
	p->away_at = p->data + hlen;
	p->away = p->len - hlen;
	first = (uint32_t)p->ext[0].iov_len;
	memcpy(p->ext[0].iov_base, p->away_at, first);
	if (p->away > first)
		memcpy(p->ext[1].iov_base, p->away_at + first, p->away - first);
	memset(p->away_at, 0xee, p->away);
}

static void mem_deliver(struct net_timer *t)
{
	struct mem_end *e = CONTAINER_OF(t, struct mem_end, timer);

	while (!list_empty(&e->coming)) {
		struct flight *f = LIST_FIRST(&e->coming, struct flight, node);
		struct pkt *p = f->p;

		if (f->due_ms > e->nif->st->now_ms)
			break;
		list_del(&f->node);
		free(f);
		e->count--;
		if (e->turn++ % 2)
			mempair_place(e->nif, p);
		netif_input(e->nif, p);
	}
	arm(e);
}

static void mem_free(struct netif *nif)
{
	struct mempair *m = nif->priv;
	struct mem_end *e = &m->end[m->end[1].nif == nif];

	net_timer_cancel(&e->timer);
	while (!list_empty(&e->coming)) {
		struct flight *f = LIST_FIRST(&e->coming, struct flight, node);

		list_del(&f->node);
		pkt_free(f->p);
		free(f);
	}
	e->nif = NULL;
	free(nif);
	if (!m->end[0].nif && !m->end[1].nif)
		free(m);
}

static const struct netif_ops mem_ops = {.xmit = mem_xmit, .free = mem_free};

static struct netif *make_end(struct mempair *m, int side, const char *name, const uint8_t mac[6], uint32_t mtu,
			      uint32_t features)
{
	struct mem_end *e = &m->end[side];
	struct netif *nif = calloc(1, sizeof(*nif));

	list_init(&e->coming);
	net_timer_init(&e->timer, mem_deliver);
	if (!nif)
		return NULL;
	nif->ops = &mem_ops;
	strncpy(nif->name, name, sizeof(nif->name) - 1);
	nif->type = ARPHRD_ETHER;
	memcpy(nif->mac, mac, 6);
	nif->mtu = mtu;
	nif->flags = IFF_BROADCAST | IFF_MULTICAST;
	nif->features = features;
	nif->txqlen = 1000;
	nif->priv = m;
	e->nif = nif;
	return nif;
}

struct mempair *mempair_new(struct netstack *a, const char *name_a, const uint8_t mac_a[6], struct netstack *b,
			    const char *name_b, const uint8_t mac_b[6], uint32_t mtu, uint32_t features)
{
	struct mempair *m = calloc(1, sizeof(*m));
	struct netif *na, *nb;

	if (!m)
		return NULL;
	m->rnd = UINT64_C(0x9e3779b97f4a7c15);
	na = make_end(m, 0, name_a, mac_a, mtu, features);
	nb = make_end(m, 1, name_b, mac_b, mtu, features);
	if (!na || !nb || netif_add(a, na) < 0) {
		free(na);
		free(nb);
		free(m);
		return NULL;
	}
	if (netif_add(b, nb) < 0) {
		m->end[1].nif = NULL;
		free(nb);
		netif_remove(na);
		return NULL;
	}
	return m;
}

struct netif *mempair_end(struct mempair *m, int side)
{
	return m->end[side].nif;
}

void mempair_set_faults(struct mempair *m, int side, const struct mempair_faults *f)
{
	m->end[side].faults = *f;
}

void mempair_seed(struct mempair *m, uint64_t seed)
{
	m->rnd = seed | 1;
}

void mempair_set_filter(struct mempair *m, int side, bool (*fn)(void *arg, struct pkt *p), void *arg)
{
	m->end[side].filter = fn;
	m->end[side].filter_arg = arg;
}
