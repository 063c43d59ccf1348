/* IPv4 by scripted packets: what is wrong with a header, fragments of every kind, ARP and ICMP that lie, path MTU.
 * Each case is one frame or a few, put into a stack by hand, and what came of it. */
#include "world.h"

#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if_arp.h>

#include "netd/core/stack_priv.h"
#include "netd/ether/neigh.h"
#include "netd/ip/ip_priv.h"

static struct world *w;
static struct box *srv;      /* bound to port 9 of stack a */
static uint8_t frame[3000];

static int setup(void **state)
{
	w = world_new(true);
	srv = box_bound(w->a, "0.0.0.0", 9);
	/* Both know each other. */
	box_send(srv, "10.0.0.2", 1, "x", 1);
	world_run(w);
	world_capture(w, 0, true);
	return 0;
}

static int teardown(void **state)
{
	box_free(srv);
	world_free(w);
	return 0;
}

/* An Ethernet and an IPv4 header for stack a, from b, with `size` bytes of payload to follow at frame + 34. */
static struct ip4_hdr *ip(uint8_t protocol, uint32_t size)
{
	struct ip4_hdr *h = (void *)(frame + 14);

	memset(frame, 0, sizeof(frame));
	memcpy(frame, world_mac_a, 6);
	memcpy(frame + 6, world_mac_b, 6);
	put_be16(frame + 12, ETYPE_IP4);
	h->vhl = 0x45;
	h->len = be16((uint16_t)(20 + size));
	h->id = be16(77);
	h->ttl = 64;
	h->protocol = protocol;
	h->src = be32(0x0a000002);
	h->dst = be32(0x0a000001);
	return h;
}

static void seal(void)
{
	struct ip4_hdr *h = (void *)(frame + 14);

	h->csum = 0;
	h->csum = csum_fold(csum_partial(h, ip4_hlen(h), 0));
}

static void send_frame(void)
{
	struct ip4_hdr *h = (void *)(frame + 14);

	world_inject(w->ea, frame, 14u + be16(h->len));
	world_run(w);
}

/* A datagram to port 9 with the text. */
static struct ip4_hdr *udp(const char *text)
{
	uint32_t n = (uint32_t)strlen(text);
	struct ip4_hdr *h = ip(17, 8 + n);
	struct udp_hdr *u = (void *)(frame + 34);

	u->src = be16(5);
	u->dst = be16(9);
	u->len = be16((uint16_t)(8 + n));
	memcpy(u + 1, text, n);
	seal();
	return h;
}

static void udp_seal(void)
{
	struct ip4_hdr *h = (void *)(frame + 14);
	struct udp_hdr *u = (void *)(frame + 34);
	struct ip_addr s = ip_addr_v4(h->src), d = ip_addr_v4(h->dst);
	uint32_t n = be16(h->len) - 20u;

	u->csum = 0;
	u->csum = csum_fold(csum_partial(u, n, csum_pseudo(&s, &d, 17, n)));
	seal();
}

static void taken(const char *text)
{
	box_expect(srv, text, strlen(text), "10.0.0.2");
	assert_null(srv->first);
}
#define REFUSED() assert_null(srv->first)

/* The ICMP message that stack a sent, or NULL. */
static const uint8_t *complaint(uint8_t type, uint8_t code)
{
	static uint8_t kept[1600];
	struct frame *f;

	while ((f = capture_take(&w->cap[0]))) {
		bool hit = f->size > 42 && f->data[12] == 8 && f->data[13] == 0 && f->data[23] == 1 &&
			   f->data[34] == type && f->data[35] == code;

		memcpy(kept, f->data, MIN(f->size, (uint32_t)sizeof(kept)));
		free(f);
		if (hit)
			return kept + 34;
	}
	return NULL;
}

/* ---- the header ---- */

static void good(void **state)
{
	udp("fine");
	send_frame();
	taken("fine");
	udp("summed");
	udp_seal();
	send_frame();
	taken("summed");
}

static void bad_headers(void **state)
{
	struct ip4_hdr *h;
	uint64_t errors = net_counter(w->a, MIB_Ip_InHdrErrors);

	udp("x")->csum ^= 1; /* checksum */
	send_frame();
	h = udp("x"); /* version */
	h->vhl = 0x65;
	seal();
	send_frame();
	h = udp("x"); /* header length below the least */
	h->vhl = 0x44;
	send_frame();
	h = udp("x"); /* header longer than the frame */
	h->vhl = 0x4f;
	send_frame();
	h = udp("x"); /* total below the header */
	h->len = be16(19);
	seal();
	world_inject(w->ea, frame, 60);
	world_inject(w->ea, frame, 14 + 19); /* cut in the header */
	assert_int_equal(net_counter(w->a, MIB_Ip_InHdrErrors), errors + 6);
	h = udp("x"); /* total beyond the frame */
	h->len = be16(100);
	seal();
	world_inject(w->ea, frame, 14 + 50);
	assert_int_equal(net_counter(w->a, MIB_IpExt_InTruncatedPkts), 1);
	world_inject(w->ea, frame, 14);
	world_inject(w->ea, frame, 13);
	world_inject(w->ea, frame, 0);
	REFUSED();
}

static void padding(void **state)
{
	udp("pad");
	world_inject(w->ea, frame, 60);
	taken("pad");
}

static void addresses(void **state)
{
	static const uint32_t bad_src[] = {0xe0000001 /* group */, 0xffffffff, 0x7f000001 /* loopback */,
					   0x00000001, 0x0a0000ff /* the subnet's broadcast */, 0x0a000001 /* ours */,
					   0x00000000 /* nobody, to one */};
	struct ip4_hdr *h;

	for (unsigned i = 0; i < ARRAY_SIZE(bad_src); i++) {
		h = udp("x");
		h->src = be32(bad_src[i]);
		seal();
		send_frame();
		REFUSED();
	}
	h = udp("x");
	h->dst = be32(0x7f000001); /* to loopback, from outside */
	seal();
	send_frame();
	h = udp("x");
	h->dst = be32(0x0a000063); /* another */
	seal();
	send_frame();
	h = udp("x");
	memset(frame, 0xff, 6); /* to us, in a frame to all */
	send_frame();
	udp("x");
	frame[5] ^= 1; /* in a frame to somebody else */
	send_frame();
	REFUSED();
	assert_null(complaint(3, 3));
}

static void broadcasts(void **state)
{
	struct ip4_hdr *h = udp("all");

	h->dst = be32(0xffffffff);
	memset(frame, 0xff, 6);
	seal();
	send_frame();
	assert_int_equal(srv->count, 1);
	assert_true(srv->first->meta.flags & NSOCK_META_BROADCAST);
	taken("all");
	h = udp("subnet");
	h->dst = be32(0x0a0000ff);
	memset(frame, 0xff, 6);
	seal();
	send_frame();
	taken("subnet");
	/* To all, to a port that nobody has: no complaint (RFC 1122 3.2.2). */
	h = udp("x");
	h->dst = be32(0x0a0000ff);
	((struct udp_hdr *)(void *)(frame + 34))->dst = be16(99);
	memset(frame, 0xff, 6);
	seal();
	send_frame();
	assert_null(complaint(3, 3));
}

static void options(void **state)
{
	/* no-op, timestamp: passed over */
	static const uint8_t fine[12] = {1, 68, 8, 5, 0, 0, 0, 0, 0, 1, 1, 0};
	static const uint8_t past_end[12] = {1, 68, 40, 5};
	static const uint8_t zero[12] = {68, 0};
	static const uint8_t source_route[12] = {131, 7, 4, 10, 0, 0, 9};
	static const struct {
		const uint8_t *opt;
		bool ok, complaint;
	} cases[] = {{fine, true, false}, {past_end, false, true}, {zero, false, true}, {source_route, false, false}};

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		struct ip4_hdr *h = udp("opt");

		memmove(frame + 34 + 12, frame + 34, 11);
		memcpy(frame + 34, cases[i].opt, 12);
		h->vhl = 0x48;
		h->len = be16(20 + 12 + 11);
		seal();
		send_frame();
		if (cases[i].ok)
			taken("opt");
		REFUSED();
		assert_int_equal(complaint(12, 0) != NULL, cases[i].complaint);
	}
}

/* ---- UDP ---- */

static void bad_udp(void **state)
{
	struct udp_hdr *u = (void *)(frame + 34);

	udp("sum");
	udp_seal();
	u->csum ^= 0x100;
	send_frame();
	assert_int_equal(net_counter(w->a, MIB_Udp_InCsumErrors), 1);
	udp("x");
	u->len = be16(7);
	send_frame();
	udp("x");
	u->len = be16(100);
	send_frame();
	ip(17, 7); /* no room for a header */
	seal();
	send_frame();
	assert_int_equal(net_counter(w->a, MIB_Udp_InErrors), 4);
	REFUSED();
	udp("short and more"); /* less than IP has: the rest is no data */
	u->len = be16(8 + 5);
	send_frame();
	taken("short");
}

static void port_unreachable(void **state)
{
	const uint8_t *m;

	udp("x");
	((struct udp_hdr *)(void *)(frame + 34))->dst = be16(99);
	send_frame();
	m = complaint(3, 3);
	assert_non_null(m);
	assert_memory_equal(m + 8, frame + 14, 29); /* quotes us */
	assert_int_equal(net_counter(w->a, MIB_Udp_NoPorts), 1);
}

static void protocol_unreachable(void **state)
{
	ip(200, 8);
	seal();
	send_frame();
	assert_non_null(complaint(3, 2));
}

static void errors_are_limited(void **state)
{
	unsigned n = 0;

	for (int i = 0; i < 500; i++) {
		udp("x");
		((struct udp_hdr *)(void *)(frame + 34))->dst = be16(99);
		send_frame();
	}
	while (complaint(3, 3))
		n++;
	assert_in_range(n, 1, 10);
	world_pass(w, 5000);
	udp("x");
	((struct udp_hdr *)(void *)(frame + 34))->dst = be16(99);
	send_frame();
	assert_non_null(complaint(3, 3));
}

/* ---- fragments ---- */

static uint8_t text[64 * 1024];

/* A piece [from, to) of a datagram to port 9 with n bytes of text. */
static void piece(uint16_t id, uint32_t n, uint32_t from, uint32_t to, bool more)
{
	static uint8_t whole[64 * 1024 + 8];
	struct ip4_hdr *h = ip(17, to - from);
	struct udp_hdr *u = (void *)whole;

	*u = (struct udp_hdr){be16(5), be16(9), be16((uint16_t)(8 + n)), 0};
	for (uint32_t i = 0; i < n; i++)
		whole[8 + i] = text[i] = (uint8_t)(i * 31 + i / 256);
	memcpy(frame + 34, whole + from, to - from);
	h->id = be16(id);
	h->off = be16((uint16_t)(from / 8 | (more ? IP4_MF : 0)));
	seal();
	send_frame();
}

static void whole_is(uint32_t n)
{
	box_expect(srv, text, n, "10.0.0.2");
	assert_null(srv->first);
}

static void frag_in_order(void **state)
{
	piece(1, 2000, 0, 1000, true);
	REFUSED();
	piece(1, 2000, 1000, 2008, false);
	whole_is(2000);
}

static void frag_any_order(void **state)
{
	piece(1, 2000, 1600, 2008, false);
	piece(1, 2000, 0, 800, true);
	piece(2, 500, 0, 400, true); /* another in between */
	piece(1, 2000, 800, 1600, true);
	whole_is(2000);
	piece(2, 500, 400, 508, false);
	whole_is(500);
}

static void frag_repeated(void **state)
{
	piece(1, 2000, 0, 1000, true);
	piece(1, 2000, 0, 1000, true);
	piece(1, 2000, 1000, 2008, false);
	whole_is(2000);
	/* The rest of a repetition stays alone. */
	piece(1, 2000, 1000, 2008, false);
	REFUSED();
}

static void frag_overlap(void **state)
{
	/* By one unit, over the beginning, within, all around: the datagram is lost. */
	static const struct {
		uint32_t from, to;
	} evil[] = {{992, 1600}, {0, 8}, {8, 16}, {800, 1008}, {0, 1600}};

	for (unsigned i = 0; i < ARRAY_SIZE(evil); i++) {
		uint16_t id = (uint16_t)(100 + i);

		piece(id, 2000, 0, 1000, true);
		piece(id, 2000, evil[i].from, evil[i].to, true);
		piece(id, 2000, 1000, 2008, false);
		REFUSED();
	}
	assert_int_equal(net_counter(w->a, MIB_IpExt_ReasmOverlaps), ARRAY_SIZE(evil));
}

static void frag_ends(void **state)
{
	/* Two ends that disagree; data beyond the end; a middle piece not in units of eight; an empty piece. */
	piece(1, 2000, 1000, 2008, false);
	piece(1, 2000, 1000, 1808, false);
	piece(1, 2000, 0, 1000, true);
	REFUSED();
	piece(2, 2000, 1000, 1800, false);
	piece(2, 2000, 1800, 2000, true);
	piece(2, 2000, 0, 1000, true);
	REFUSED();
	piece(3, 2000, 1800, 2000, true);
	piece(3, 2000, 1000, 1800, false);
	piece(3, 2000, 0, 1000, true);
	REFUSED();
	piece(4, 2000, 0, 1001, true);
	piece(4, 2000, 1000, 2008, false);
	REFUSED();
	piece(5, 2000, 800, 800, true);
	piece(5, 2000, 0, 0, true);
	REFUSED();
}

static void frag_tiny(void **state)
{
	for (uint32_t at = 0; at < 1008; at += 8)
		piece(1, 1000, at, at + 8, at + 8 < 1008);
	whole_is(1000);
	/* More pieces than any datagram needs. */
	for (uint32_t at = 0; at < 8 * 300; at += 8)
		piece(2, 2392, at, at + 8, at + 8 < 2400);
	REFUSED();
}

static void frag_ping_of_death(void **state)
{
	struct ip4_hdr *h = ip(17, 1000);

	h->off = be16(0x1fff); /* at 65528, a thousand bytes */
	seal();
	send_frame();
	REFUSED();
	assert_int_equal(net_counter(w->a, MIB_Ip_ReasmFails), 1);
}

static void frag_never_finished(void **state)
{
	piece(1, 2000, 0, 1000, true);
	piece(2, 2000, 1000, 2008, false); /* without a beginning: no complaint */
	world_pass(w, 31000);
	assert_non_null(complaint(11, 1));
	assert_null(complaint(11, 1));
	assert_int_equal(net_counter(w->a, MIB_Ip_ReasmTimeout), 2);
	piece(1, 2000, 1000, 2008, false); /* too late */
	REFUSED();
}

static void frag_flood(void **state)
{
	size_t before = pkt_pool_used();

	for (unsigned i = 0; i < 20000; i++)
		piece((uint16_t)i, 2000, 0, 1000, true);
	assert_true(pkt_pool_used() - before <= (6u << 20));
	/* The newest still come together. */
	piece(19999, 2000, 1000, 2008, false);
	whole_is(2000);
}

static void frag_largest(void **state)
{
	for (uint32_t at = 0; at < 65515; at += 1400)
		piece(1, 65507, at, MIN(at + 1400, 65515u), at + 1400 < 65515);
	whole_is(65507);
}

/* ECN (RFC 3168 5.3). */
static void frag_ecn(void **state)
{
	struct ip4_hdr *h = (void *)(frame + 14);

	piece(1, 2000, 0, 1000, true);
	piece(9, 2000, 1000, 2008, false);
	h->id = be16(1);
	h->tos = 3; /* congestion on a part of what does not know of it */
	seal();
	send_frame();
	REFUSED();
}

static void frag_out(void **state)
{
	struct frame *f;
	unsigned n = 0, bytes = 0;

	for (unsigned i = 0; i < 4000; i++)
		text[i] = (uint8_t)i;
	srv->s->opt.pmtudisc = 0;
	assert_int_equal(box_send(srv, "10.0.0.2", 1, text, 4000), 4000);
	world_run(w);
	while ((f = capture_take(&w->cap[0]))) {
		const struct ip4_hdr *h = (const void *)(f->data + 14);

		assert_true(f->size <= 1514);
		assert_int_equal(csum_fold(csum_partial(h, 20, 0)), 0);
		assert_int_equal(be16(h->off) & IP4_OFFMASK, bytes / 8);
		bytes += be16(h->len) - 20u;
		assert_int_equal(!!(be16(h->off) & IP4_MF), bytes < 4008);
		n++;
		free(f);
	}
	assert_int_equal(n, 3);
	assert_int_equal(bytes, 4008);
}

/* ---- ARP ---- */

static void arp(uint16_t op, const uint8_t sha[6], uint32_t sip, const uint8_t tha[6], uint32_t tip)
{
	struct arp_pkt *a = (void *)(frame + 14);

	memset(frame, 0, 60);
	memcpy(frame, op == 1 ? (const uint8_t[6]){255, 255, 255, 255, 255, 255} : world_mac_a, 6);
	memcpy(frame + 6, sha, 6);
	put_be16(frame + 12, ETYPE_ARP);
	*a = (struct arp_pkt){be16(1), be16(0x800), 6, 4, be16(op), {0}, be32(sip), {0}, be32(tip)};
	memcpy(a->sha, sha, 6);
	memcpy(a->tha, tha, 6);
}

static const uint8_t evil_mac[6] = {2, 6, 6, 6, 6, 6}, none[6];

static struct neigh *neigh_of(const char *addr)
{
	struct ip_addr a = addr_of(addr);

	return neigh_find(w->ea, &a);
}

static struct frame *arp_sent(uint16_t op)
{
	struct frame *f;

	while ((f = capture_take(&w->cap[0]))) {
		if (f->data[12] == 8 && f->data[13] == 6 && get_be16(f->data + 20) == op)
			return f;
		free(f);
	}
	return NULL;
}

static void arp_answer(void **state)
{
	struct frame *f;

	arp(1, evil_mac, 0x0a000009, none, 0x0a000001);
	world_inject(w->ea, frame, 60);
	f = arp_sent(2);
	assert_non_null(f);
	assert_memory_equal(f->data, evil_mac, 6);
	assert_memory_equal(f->data + 22, world_mac_a, 6);
	free(f);
	/* Who asks for us we will speak with. */
	assert_non_null(neigh_of("10.0.0.9"));
	/* For somebody else: neither answer nor entry. */
	arp(1, evil_mac, 0x0a00000a, none, 0x0a000063);
	world_inject(w->ea, frame, 60);
	assert_null(arp_sent(2));
	assert_null(neigh_of("10.0.0.10"));
}

static void arp_probe(void **state)
{
	struct frame *f;

	arp(1, evil_mac, 0, none, 0x0a000001);
	world_inject(w->ea, frame, 60);
	f = arp_sent(2);
	assert_non_null(f);
	free(f);
}

static void arp_malformed(void **state)
{
	struct arp_pkt *a = (void *)(frame + 14);

	arp(1, evil_mac, 0x0a000009, none, 0x0a000001);
	world_inject(w->ea, frame, 14 + 27); /* cut */
	a->hln = 8;
	world_inject(w->ea, frame, 60);
	a->hln = 6;
	a->pln = 16;
	world_inject(w->ea, frame, 60);
	a->pln = 4;
	a->hrd = be16(6);
	world_inject(w->ea, frame, 60);
	a->hrd = be16(1);
	a->op = be16(9);
	world_inject(w->ea, frame, 60);
	arp(1, (const uint8_t[6]){0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, 0x0a000009, none, 0x0a000001);
	world_inject(w->ea, frame, 60);
	arp(1, none, 0x0a000009, none, 0x0a000001);
	world_inject(w->ea, frame, 60);
	arp(1, evil_mac, 0xe0000001, none, 0x0a000001);
	world_inject(w->ea, frame, 60);
	arp(1, evil_mac, 0x7f000001, none, 0x0a000001);
	world_inject(w->ea, frame, 60);
	assert_null(arp_sent(2));
	assert_null(neigh_of("10.0.0.9"));
}

static void arp_spoof(void **state)
{
	struct neigh *n = neigh_of("10.0.0.2");

	/* An unasked answer about somebody unknown; a second answer right behind the first. */
	arp(2, evil_mac, 0x0a000009, world_mac_a, 0x0a000001);
	world_inject(w->ea, frame, 60);
	assert_null(neigh_of("10.0.0.9"));
	neigh_delete(n);
	box_send(srv, "10.0.0.2", 1, "x", 1);
	arp(2, world_mac_b, 0x0a000002, world_mac_a, 0x0a000001);
	world_inject(w->ea, frame, 60);
	arp(2, evil_mac, 0x0a000002, world_mac_a, 0x0a000001);
	world_inject(w->ea, frame, 60);
	assert_memory_equal(neigh_of("10.0.0.2")->mac, world_mac_b, 6);
	/* A permanent entry is the administrator's. */
	neigh_update(neigh_of("10.0.0.2"), world_mac_b, NUD_PERMANENT, NEIGH_ADMIN);
	world_pass(w, 10000);
	arp(2, evil_mac, 0x0a000002, world_mac_a, 0x0a000001);
	world_inject(w->ea, frame, 60);
	assert_memory_equal(neigh_of("10.0.0.2")->mac, world_mac_b, 6);
}

static void arp_conflict(void **state)
{
	struct frame *f;

	/* Somebody has our address: it is ours all the same, and we say so, but not at each of his words. */
	for (int i = 0; i < 5; i++) {
		arp(1, evil_mac, 0x0a000001, none, 0x0a000001);
		world_inject(w->ea, frame, 60);
	}
	assert_null(neigh_of("10.0.0.1"));
	f = arp_sent(1);
	assert_non_null(f);
	free(f);
	assert_null(arp_sent(1));
	udp("still here");
	send_frame();
	taken("still here");
}

static void arp_queue(void **state)
{
	unsigned n = 0;
	struct frame *f;

	neigh_delete(neigh_of("10.0.0.2"));
	for (int i = 0; i < 5; i++)
		box_send(srv, "10.0.0.2", 1, "wait", 4);
	arp(2, world_mac_b, 0x0a000002, world_mac_a, 0x0a000001);
	world_inject(w->ea, frame, 60);
	while ((f = capture_take(&w->cap[0]))) {
		n += f->data[13] == 0;
		free(f);
	}
	assert_int_equal(n, 5);
}

static void arp_unresolved(void **state)
{
	struct got *g;

	srv->s->opt.recverr = true;
	for (int i = 0; i < 300; i++)
		box_send(srv, "10.0.0.9", 1, "wait", 4);
	assert_int_equal(neigh_of("10.0.0.9")->queued, 101);
	world_pass(w, 4000);
	assert_int_equal(neigh_state(neigh_of("10.0.0.9")), NUD_FAILED);
	/* Each that waited: what we tell ourselves is not rationed. */
	assert_int_equal(srv->count, 101);
	g = box_take(srv);
	assert_int_equal(g->error.err, EHOSTUNREACH);
	free(g);
	nsock_take_error(srv->s);
}

static void arp_states(void **state)
{
	struct neigh *n = neigh_of("10.0.0.2");
	struct frame *f;

	assert_int_equal(neigh_state(n), NUD_REACHABLE);
	world_pass(w, 50000);
	assert_int_equal(neigh_state(n), NUD_STALE);
	/* Used: it gets its time to prove itself, then it is asked, then it is gone. */
	box_send(srv, "10.0.0.2", 1, "x", 1);
	assert_int_equal(neigh_state(n), NUD_DELAY);
	capture_clear(&w->cap[0]);
	world_pass(w, 5500);
	assert_int_equal(neigh_state(n), NUD_PROBE);
	f = arp_sent(1);
	assert_non_null(f);
	assert_memory_equal(f->data, world_mac_b, 6);
	free(f);
	world_pass(w, 5000);
	assert_int_equal(neigh_state(n), NUD_FAILED);
}

static void arp_scan(void **state)
{
	unsigned n = 0;

	/* Thousands who ask for us, each with another address: the table has an end, and who is in use stays. */
	neigh_update(neigh_of("10.0.0.2"), world_mac_b, NUD_PERMANENT, NEIGH_ADMIN);
	for (uint32_t i = 0; i < 5000; i++) {
		arp(1, evil_mac, 0x0a010000 + i, none, 0x0a000001);
		world_inject(w->ea, frame, 60);
	}
	for (struct neigh *x = neigh_next(w->a, AF_INET, NULL); x; x = neigh_next(w->a, AF_INET, x))
		n++;
	assert_in_range(n, 100, 1024);
	assert_non_null(neigh_of("10.0.0.2"));
}

/* ---- ICMP ---- */

static void icmp(uint8_t type, uint8_t code, uint32_t word, const void *data, uint32_t size)
{
	uint16_t sum;

	ip(1, 8 + size);
	frame[34] = type;
	frame[35] = code;
	put_be32(frame + 38, word);
	memcpy(frame + 42, data, size);
	sum = csum_fold(csum_partial(frame + 34, 8 + size, 0));
	memcpy(frame + 36, &sum, 2);
	seal();
}

/* Quotes a datagram that we sent from port 9 to port 1 of b. */
static void quote(uint8_t q[28], uint32_t src, uint32_t dst, uint16_t sport, uint16_t dport)
{
	struct ip4_hdr *h = (void *)q;

	memset(q, 0, 28);
	h->vhl = 0x45;
	h->len = be16(1500);
	h->ttl = 1;
	h->protocol = 17;
	h->src = be32(src);
	h->dst = be32(dst);
	put_be16(q + 20, sport);
	put_be16(q + 22, dport);
}

static void echo(void **state)
{
	const uint8_t *m;

	icmp(8, 0, 0x00010002, "ping data", 9);
	send_frame();
	m = complaint(0, 0);
	assert_non_null(m);
	assert_memory_equal(m + 4, frame + 38, 13);
	/* Its checksum is wrong; it is for all. */
	icmp(8, 0, 0x00010002, "ping data", 9);
	frame[36] ^= 1;
	send_frame();
	icmp(8, 0, 0, "x", 1);
	((struct ip4_hdr *)(void *)(frame + 14))->dst = be32(0x0a0000ff);
	memset(frame, 0xff, 6);
	seal();
	send_frame();
	icmp(8, 0, 0, "x", 1);
	w->a->sysctl[NET_SYSCTL_ICMP_ECHO_IGNORE_ALL] = 1;
	send_frame();
	assert_null(complaint(0, 0));
}

static void icmp_timestamp(void **state)
{
	uint8_t t[12] = {0};

	icmp(13, 0, 0, t, 12);
	send_frame();
	assert_non_null(complaint(14, 0));
	icmp(13, 0, 0, t, 4);
	send_frame();
	assert_null(complaint(14, 0));
}

static void icmp_errors(void **state)
{
	struct nsock_name n = name_of("10.0.0.2", 1);
	uint8_t q[28];

	srv->s->ops->connect(srv->s, &n);
	quote(q, 0x0a000001, 0x0a000002, 9, 1);
	icmp(3, 3, 0, q, 28);
	send_frame();
	assert_int_equal(nsock_take_error(srv->s), ECONNREFUSED);
	/* Soft ones do not break a connected socket; unless it asked to hear of all. */
	icmp(11, 0, 0, q, 28);
	send_frame();
	assert_int_equal(nsock_take_error(srv->s), 0);
	srv->s->opt.recverr = true;
	icmp(11, 0, 0, q, 28);
	send_frame();
	assert_int_equal(nsock_take_error(srv->s), EHOSTUNREACH);
	assert_int_equal(srv->count, 1);
	assert_int_equal(srv->first->error.type, 11);
	free(box_take(srv));
	srv->s->opt.recverr = false;
	/* Lies: about another port, from another address of ours, to another peer; cut; about a later fragment. */
	quote(q, 0x0a000001, 0x0a000002, 8, 1);
	icmp(3, 3, 0, q, 28);
	send_frame();
	quote(q, 0x0a000063, 0x0a000002, 9, 1);
	icmp(3, 3, 0, q, 28);
	send_frame();
	quote(q, 0x0a000001, 0x0a000005, 9, 1);
	icmp(3, 3, 0, q, 28);
	send_frame();
	quote(q, 0x0a000001, 0x0a000002, 9, 1);
	icmp(3, 3, 0, q, 27);
	send_frame();
	icmp(3, 3, 0, q, 10);
	send_frame();
	icmp(3, 3, 0, q, 0);
	send_frame();
	q[0] = 0x4f;
	icmp(3, 3, 0, q, 28);
	send_frame();
	q[0] = 0x42;
	icmp(3, 3, 0, q, 28);
	send_frame();
	q[0] = 0x45;
	put_be16(q + 6, 100);
	icmp(3, 3, 0, q, 28);
	send_frame();
	put_be16(q + 6, 0);
	icmp(3, 16, 0, q, 28); /* no such code */
	send_frame();
	icmp(4, 0, 0, q, 28); /* source quench */
	send_frame();
	icmp(5, 1, 0x0a000005, q, 28); /* redirect */
	send_frame();
	assert_int_equal(nsock_take_error(srv->s), 0);
	/* And no error is answered with an error. */
	assert_null(complaint(3, 3));
}

static uint32_t mtu_to_b(void)
{
	struct ip_flow f = {.dst = addr_of("10.0.0.2")};
	struct ip_route r;

	assert_int_equal(ip_route_lookup(w->a, &f, &r), 0);
	return r.mtu;
}

static void path_mtu(void **state)
{
	struct nsock_name n = name_of("10.0.0.2", 1);
	uint8_t q[28];

	srv->s->ops->connect(srv->s, &n);
	quote(q, 0x0a000001, 0x0a000002, 9, 1);
	/* For a connection that is not ours: nothing. */
	quote(q, 0x0a000001, 0x0a000002, 9, 2);
	icmp(3, 4, 1000, q, 28);
	send_frame();
	assert_int_equal(mtu_to_b(), 1500);
	quote(q, 0x0a000001, 0x0a000002, 9, 1);
	icmp(3, 4, 1000, q, 28);
	send_frame();
	assert_int_equal(mtu_to_b(), 1000);
	/* It does not grow by such a message, and does not shrink below reason. */
	icmp(3, 4, 1400, q, 28);
	send_frame();
	assert_int_equal(mtu_to_b(), 1000);
	icmp(3, 4, 68, q, 28);
	send_frame();
	assert_int_equal(mtu_to_b(), 552);
	/* A router that does not say: the next plateau. */
	world_pass(w, 601000);
	assert_int_equal(mtu_to_b(), 1500);
	icmp(3, 4, 0, q, 28);
	send_frame();
	assert_int_equal(mtu_to_b(), 1492);
	/* Datagrams that may not be cut are refused with the size. */
	srv->s->opt.pmtudisc = 2;
	nsock_take_error(srv->s);
	assert_int_equal(box_send(srv, NULL, 0, text, 1480), -EMSGSIZE);
	assert_int_equal(box_send(srv, NULL, 0, text, 1464), 1464);
}

static void many_path_mtus(void **state)
{
	struct fib_entry e = {.dst = addr_of("0.0.0.0"), .table = RT_TABLE_MAIN, .type = RTN_UNICAST, .protocol = RTPROT_BOOT,
			      .hop_count = 1, .hop = {{.gateway = addr_of("10.0.0.254"), .weight = 1}}};

	assert_int_equal(fib_add(w->a, &e, FIB_CREATE), 0);
	for (uint32_t i = 1; i < 5000; i++) {
		struct ip_addr a = ip_addr_v4(be32(0x0a000000 + i));

		ip_pmtu_update(w->a, &a, 1000);
	}
	/* Bounded: the first are forgotten. */
	assert_int_equal(mtu_to_b(), 1500);
}

/* ---- routes ---- */

static void routes(void **state)
{
	struct fib_entry e = {.dst = addr_of("0.0.0.0"), .table = RT_TABLE_MAIN, .type = RTN_UNICAST, .protocol = RTPROT_BOOT,
			      .hop_count = 1, .hop = {{.gateway = addr_of("10.0.0.254"), .weight = 1}}};
	struct ip_flow f = {.dst = addr_of("8.8.8.8")};
	struct fib_rule rule = {.family = AF_INET, .priority = 100, .table = 77, .action = 1, .suppress_prefixlen = -1,
				.mark = 5, .mark_mask = 5};
	struct ip_route r, old;

	assert_int_equal(ip_route_lookup(w->a, &f, &r), -ENETUNREACH);
	assert_int_equal(fib_add(w->a, &e, FIB_CREATE | FIB_EXCL), 0);
	assert_int_equal(fib_add(w->a, &e, FIB_CREATE | FIB_EXCL), -EEXIST);
	assert_int_equal(ip_route_lookup(w->a, &f, &old), 0);
	assert_true(ip_route_ok(w->a, &old));
	assert_ptr_equal(old.out, w->ea);
	assert_int_equal(old.gateway.v4, be32(0x0a0000fe));
	assert_int_equal(old.src.v4, be32(0x0a000001));
	/* A longer prefix, a worse metric, a dead end. */
	e.dst = addr_of("8.8.0.0");
	e.dst_len = 16;
	e.hop[0].gateway = addr_of("10.0.0.253");
	e.hop[0].out = NULL;
	assert_int_equal(fib_add(w->a, &e, FIB_CREATE | FIB_EXCL), 0);
	assert_false(ip_route_ok(w->a, &old));
	assert_int_equal(ip_route_lookup(w->a, &f, &r), 0);
	assert_int_equal(r.gateway.v4, be32(0x0a0000fd));
	e.priority = 10;
	e.hop[0].gateway = addr_of("10.0.0.252");
	assert_int_equal(fib_add(w->a, &e, FIB_CREATE | FIB_EXCL), 0);
	assert_int_equal(ip_route_lookup(w->a, &f, &r), 0);
	assert_int_equal(r.gateway.v4, be32(0x0a0000fd));
	e = (struct fib_entry){.dst = addr_of("8.8.8.0"), .dst_len = 24, .table = RT_TABLE_MAIN, .type = RTN_UNREACHABLE};
	assert_int_equal(fib_add(w->a, &e, FIB_CREATE), 0);
	assert_int_equal(ip_route_lookup(w->a, &f, &r), -EHOSTUNREACH);
	/* A table of its own for marked packets. */
	assert_int_equal(fib_rule_add(w->a, &rule, true), 0);
	assert_int_equal(fib_rule_add(w->a, &rule, true), -EEXIST);
	e = (struct fib_entry){.dst = addr_of("0.0.0.0"), .table = 77, .type = RTN_PROHIBIT};
	assert_int_equal(fib_add(w->a, &e, FIB_CREATE), 0);
	f.mark = 5;
	assert_int_equal(ip_route_lookup(w->a, &f, &r), -EACCES);
	assert_int_equal(fib_rule_del(w->a, &rule), 0);
	assert_int_equal(ip_route_lookup(w->a, &f, &r), -EHOSTUNREACH);
	/* A gateway that is on no link, an address with host bits, a source that is not ours. */
	e = (struct fib_entry){.dst = addr_of("9.0.0.0"), .dst_len = 8, .table = RT_TABLE_MAIN, .type = RTN_UNICAST,
			       .hop_count = 1, .hop = {{.gateway = addr_of("99.0.0.1")}}};
	assert_int_equal(fib_add(w->a, &e, FIB_CREATE), -ENETUNREACH);
	e.dst = addr_of("9.0.0.1");
	assert_int_equal(fib_add(w->a, &e, FIB_CREATE), -EINVAL);
	f = (struct ip_flow){.dst = addr_of("10.0.0.2"), .src = addr_of("1.2.3.4")};
	assert_int_equal(ip_route_lookup(w->a, &f, &r), -EINVAL);
	/* The link goes down: its routes with it, and loopback stays. */
	netif_set_up(w->ea, false);
	f = (struct ip_flow){.dst = addr_of("10.0.0.2")};
	assert_int_equal(ip_route_lookup(w->a, &f, &r), -ENETUNREACH);
	f.dst = addr_of("127.0.0.9");
	assert_int_equal(ip_route_lookup(w->a, &f, &r), 0);
	assert_true(r.local);
	assert_int_equal(r.src.v4, be32(0x7f000001));
	netif_set_up(w->ea, true);
	f.dst = addr_of("10.0.0.2");
	assert_int_equal(ip_route_lookup(w->a, &f, &r), 0);
}

static void many_routes(void **state)
{
	struct fib_entry e = {.table = RT_TABLE_MAIN, .type = RTN_UNICAST, .protocol = RTPROT_BOOT, .hop_count = 1,
			      .hop = {{.out = w->ea, .gateway = addr_of("10.0.0.254"), .weight = 1}}};
	const struct fib_entry *p = NULL;
	struct ip_route r;
	unsigned n = 0;

	for (uint32_t i = 0; i < 2000; i++) {
		e.dst = ip_addr_v4(be32(0x14000000 + (i << 8)));
		e.dst_len = 24;
		assert_int_equal(fib_add(w->a, &e, FIB_CREATE | FIB_EXCL), 0);
	}
	for (uint32_t i = 0; i < 2000; i++) {
		struct ip_flow f = {.dst = ip_addr_v4(be32(0x14000007 + (i << 8)))};

		assert_int_equal(ip_route_lookup(w->a, &f, &r), 0);
	}
	while ((p = fib_next(w->a, AF_INET, RT_TABLE_MAIN, p)))
		n++;
	assert_int_equal(n, 2001);
}

static void two_hops(void **state)
{
	struct fib_entry e = {.dst = addr_of("0.0.0.0"), .table = RT_TABLE_MAIN, .type = RTN_UNICAST, .protocol = RTPROT_BOOT,
			      .hop_count = 2, .hop = {{.gateway = addr_of("10.0.0.253"), .weight = 1},
						      {.gateway = addr_of("10.0.0.254"), .weight = 3}}};
	unsigned second = 0;

	assert_int_equal(fib_add(w->a, &e, FIB_CREATE), 0);
	for (uint32_t i = 0; i < 1000; i++) {
		struct ip_flow f = {.dst = ip_addr_v4(be32(0x08000000 + i))};
		struct ip_route r, again;

		assert_int_equal(ip_route_lookup(w->a, &f, &r), 0);
		assert_int_equal(ip_route_lookup(w->a, &f, &again), 0);
		assert_int_equal(r.gateway.v4, again.gateway.v4);
		second += r.gateway.v4 == be32(0x0a0000fe);
	}
	assert_in_range(second, 650, 850);
}

static void reverse_path(void **state)
{
	struct ip4_hdr *h;

	w->ea->conf[NETIF_CONF_V4_RP_FILTER] = 1;
	h = udp("x");
	h->src = be32(0x08080808);
	seal();
	send_frame();
	REFUSED();
	assert_int_equal(net_counter(w->a, MIB_TcpExt_IPReversePathFilter), 1);
	udp("fine");
	send_frame();
	taken("fine");
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(good), CASE(bad_headers), CASE(padding), CASE(addresses), CASE(broadcasts), CASE(options),
		CASE(bad_udp), CASE(port_unreachable), CASE(protocol_unreachable), CASE(errors_are_limited),
		CASE(frag_in_order), CASE(frag_any_order), CASE(frag_repeated), CASE(frag_overlap), CASE(frag_ends),
		CASE(frag_tiny), CASE(frag_ping_of_death), CASE(frag_never_finished), CASE(frag_flood),
		CASE(frag_largest), CASE(frag_ecn), CASE(frag_out), CASE(arp_answer), CASE(arp_probe),
		CASE(arp_malformed), CASE(arp_spoof), CASE(arp_conflict), CASE(arp_queue), CASE(arp_unresolved),
		CASE(arp_states), CASE(arp_scan), CASE(echo), CASE(icmp_timestamp), CASE(icmp_errors), CASE(path_mtu),
		CASE(many_path_mtus), CASE(routes), CASE(many_routes), CASE(two_hops), CASE(reverse_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
