/* The packet pool: two size classes with free lists, so that the hot path takes and gives back without malloc; and a
 * limit over all, so that a flood takes no more of the host's memory than that. A packet and its buffer are one block. */
#include "netd/core/pkt.h"

#include "netd/core/pkt_priv.h"
#include "netd/core/wire.h"

#define KEEP_SMALL 1024u /* free packets that are kept: 2 MiB of each class */
#define KEEP_LARGE 32u

struct pkt_class {
	struct pkt *free;        /* linked by node.next */
	unsigned count, keep;
	uint32_t room;
};

static struct {
	struct pkt_class small, large;
	size_t used, limit;      /* bytes in packets that are out */
	unsigned out;
} pool = {
	.small = {.keep = KEEP_SMALL, .room = PKT_SMALL},
	.large = {.keep = KEEP_LARGE, .room = PKT_LARGE},
	.limit = 256u << 20,
};

unsigned pkt_pool_outstanding(void)
{
	return pool.out;
}

size_t pkt_pool_used(void)
{
	return pool.used;
}

void pkt_pool_set_limit(size_t bytes)
{
	pool.limit = bytes;
}

static void class_trim(struct pkt_class *c, unsigned keep)
{
	while (c->count > keep) {
		struct pkt *p = c->free;

		c->free = (struct pkt *)p->node.next;
		c->count--;
		free(p);
	}
}

void pkt_pool_trim(void)
{
	class_trim(&pool.small, 0);
	class_trim(&pool.large, 0);
}

struct pkt *pkt_alloc(size_t size)
{
	struct pkt_class *c;
	struct pkt *p;

	if (size <= PKT_SMALL - PKT_HEADROOM)
		c = &pool.small;
	else if (size <= PKT_LARGE - PKT_HEADROOM)
		c = &pool.large;
	else
		return NULL;
	if (unlikely(pool.used + c->room > pool.limit))
		return NULL;
	p = c->free;
	if (p) {
		c->free = (struct pkt *)p->node.next;
		c->count--;
	} else {
		p = malloc(sizeof(*p) + c->room);
		if (!p)
			return NULL;
	}
	memset(p, 0, sizeof(*p));
	list_init(&p->node);
	p->buf = (uint8_t *)(p + 1);
	p->room = c->room;
	p->data = p->buf + PKT_HEADROOM;
	pool.used += c->room;
	pool.out++;
	return p;
}

void pkt_free(struct pkt *p)
{
	struct pkt_class *c;

	if (!p)
		return;
	c = p->room == PKT_SMALL ? &pool.small : &pool.large;
	pool.used -= c->room;
	pool.out--;
	if (c->count >= c->keep) {
		free(p);
		return;
	}
	p->node.next = (struct list *)c->free;
	c->free = p;
	c->count++;
}

void pkt_list_free(struct list *l)
{
	while (!list_empty(l)) {
		struct pkt *p = LIST_FIRST(l, struct pkt, node);

		list_del(&p->node);
		pkt_free(p);
	}
}

/* The lowest header that is known and lies in the buffer: what must be copied with the data. */
static uint8_t *lowest(const struct pkt *p)
{
	uint8_t *low = p->data;

	if (p->mac && p->mac < low)
		low = p->mac;
	if (p->net && p->net < low)
		low = p->net;
	if (p->transport && p->transport < low)
		low = p->transport;
	if (low < p->data - PKT_HEADROOM)
		low = p->data;
	return low;
}

static uint8_t *moved(const uint8_t *h, const struct pkt *from, struct pkt *to, const uint8_t *low)
{
	return h && h >= low ? to->data + (h - from->data) : NULL;
}

struct pkt *pkt_copy(const struct pkt *p)
{
	uint32_t total = pkt_total(p);
	struct pkt *n = pkt_alloc(total);
	uint8_t *low = lowest(p), *end;
	size_t before = (size_t)(p->data - low);

	if (!n)
		return NULL;
	memcpy(n->data - before, low, before + p->len);
	end = n->data + p->len;
	for (unsigned i = 0; i < p->ext_count; i++) {
		memcpy(end, p->ext[i].iov_base, p->ext[i].iov_len);
		end += p->ext[i].iov_len;
	}
	n->len = total;
	n->csum = p->csum;
	n->gso = p->gso;
	n->gso_size = p->gso_size;
	n->pkttype = p->pkttype;
	n->csum_offset = p->csum_offset;
	n->protocol = p->protocol;
	n->netif = p->netif;
	n->rx_ns = p->rx_ns;
	n->mac = moved(p->mac, p, n, low);
	n->net = moved(p->net, p, n, low);
	n->transport = moved(p->transport, p, n, low);
	return n;
}

struct pkt *pkt_linearize(struct pkt *p)
{
	uint8_t *end = p->data + p->len;
	struct pkt *n;

	if (!p->ext_count)
		return p;
	if (pkt_total(p) - p->len <= (size_t)(p->buf + p->room - end)) {
		p->len = pkt_total(p);
		for (unsigned i = 0; i < p->ext_count; i++) {
			memcpy(end, p->ext[i].iov_base, p->ext[i].iov_len);
			end += p->ext[i].iov_len;
		}
		p->ext_count = 0;
		return p;
	}
	n = pkt_copy(p);
	pkt_free(p);
	return n;
}

void pkt_gather(struct pkt *p)
{
	uint32_t first = MIN(p->away, (uint32_t)p->ext[0].iov_len);

	if (likely(!p->away))
		return;
	memcpy(p->away_at, p->ext[0].iov_base, first);
	if (p->away > first)
		memcpy(p->away_at + first, p->ext[1].iov_base, p->away - first);
	p->away = 0;
}

void pkt_copy_out(const struct pkt *p, uint32_t off, void *dst, uint32_t size)
{
	uint8_t *d = dst;

	if (off < p->len) {
		uint32_t n = MIN(size, p->len - off);

		memcpy(d, p->data + off, n);
		d += n;
		size -= n;
		off = 0;
	} else {
		off -= p->len;
	}
	for (unsigned i = 0; size && i < p->ext_count; i++) {
		uint32_t have = (uint32_t)p->ext[i].iov_len, n;

		if (off >= have) {
			off -= have;
			continue;
		}
		n = MIN(size, have - off);
		memcpy(d, (const uint8_t *)p->ext[i].iov_base + off, n);
		d += n;
		size -= n;
		off = 0;
	}
}

uint32_t pkt_csum(const struct pkt *p, uint32_t off, uint32_t sum)
{
	uint32_t at = 0;
	const uint8_t *base = p->data;
	uint32_t len = p->len;
	bool odd = false;

	for (unsigned i = 0;; i++) {
		if (off < at + len) {
			uint32_t skip = off > at ? off - at : 0;
			uint32_t part = csum_partial(base + skip, len - skip, 0);
			uint64_t wide;

			/* A piece that begins at an odd offset counts with its bytes swapped (RFC 1071 2(B)). */
			if (odd)
				part = (part << 8) | (part >> 24);
			wide = (uint64_t)sum + part;
			sum = (uint32_t)wide + (uint32_t)(wide >> 32);
			odd ^= (len - skip) & 1;
		}
		at += len;
		if (i >= p->ext_count)
			return sum;
		base = p->ext[i].iov_base;
		len = (uint32_t)p->ext[i].iov_len;
	}
}

void pkt_csum_complete(struct pkt *p)
{
	uint32_t off;
	uint16_t sum;

	if (p->csum != PKT_CSUM_PARTIAL)
		return;
	p->csum = PKT_CSUM_NONE;
	if (!p->transport || p->transport < p->data)
		return;
	off = (uint32_t)(p->transport - p->data);
	if (off + p->csum_offset + 2u > p->len)
		return;
	sum = csum_fold(pkt_csum(p, off, 0));
	if (sum == 0 && p->csum_offset == offsetof(struct udp_hdr, csum))
		sum = 0xffff;
	memcpy(p->transport + p->csum_offset, &sum, 2);
}
