/* IPv6 by scripted packets: headers, chains of extension headers, fragments, ICMPv6 that lies, path MTU. */
#include "world.h"

#include "netd/core/stack_priv.h"

static struct world *w;
static struct box *srv;      /* bound to port 9 of stack a */
static uint8_t frame[3000];
static uint32_t at;          /* bytes in frame so far */
static uint8_t text[64 * 1024];

static int setup(void **state)
{
	w = world_new(true);
	srv = box_bound(w->a, "::", 9);
	box_send(srv, "fd00::2", 1, "x", 1);
	world_run(w);
	world_capture(w, 0, true);
	for (unsigned i = 0; i < sizeof(text); i++)
		text[i] = (uint8_t)(i * 31 + i / 256);
	return 0;
}

static int teardown(void **state)
{
	box_free(srv);
	world_free(w);
	return 0;
}

static struct ip6_hdr_ *begin(uint8_t next)
{
	struct ip6_hdr_ *h = (void *)(frame + 14);
	struct ip_addr s = addr_of("fd00::2"), d = addr_of("fd00::1");

	memset(frame, 0, sizeof(frame));
	memcpy(frame, world_mac_a, 6);
	memcpy(frame + 6, world_mac_b, 6);
	put_be16(frame + 12, ETYPE_IP6);
	h->vtf = be32(6u << 28);
	h->next = next;
	h->hops = 64;
	memcpy(h->src, s.v6, 16);
	memcpy(h->dst, d.v6, 16);
	at = 54;
	return h;
}

static void add(const void *data, uint32_t n)
{
	memcpy(frame + at, data, n);
	at += n;
}

/* An extension header of 8 bytes units: next, length field, then the bytes. */
static void ext(uint8_t next, uint8_t len, const char *bytes, uint32_t n)
{
	uint8_t h[264] = {next, len};

	memcpy(h + 2, bytes, n);
	add(h, 8u + len * 8u);
}

static void add_udp(const char *data)
{
	struct ip6_hdr_ *h = (void *)(frame + 14);
	struct ip_addr s = {.family = AF_INET6}, d = {.family = AF_INET6};
	uint32_t n = (uint32_t)strlen(data);
	struct udp_hdr *u = (void *)(frame + at);

	memcpy(s.v6, h->src, 16);
	memcpy(d.v6, h->dst, 16);
	*u = (struct udp_hdr){be16(5), be16(9), be16((uint16_t)(8 + n)), 0};
	memcpy(u + 1, data, n);
	u->csum = csum_fold(csum_partial(u, 8 + n, csum_pseudo(&s, &d, 17, 8 + n)));
	at += 8 + n;
}

static void go(void)
{
	struct ip6_hdr_ *h = (void *)(frame + 14);

	h->len = be16((uint16_t)(at - 54));
	world_inject(w->ea, frame, at);
	world_run(w);
}

static void taken(const char *data)
{
	box_expect(srv, data, strlen(data), "fd00::2");
	assert_null(srv->first);
}
#define REFUSED() assert_null(srv->first)

/* The ICMPv6 message that stack a sent of this type and code: its word, or -1. */
static int64_t complaint(uint8_t type, uint8_t code)
{
	struct frame *f;
	int64_t word = -1;

	while (word < 0 && (f = capture_take(&w->cap[0]))) {
		if (f->size >= 62 && get_be16(f->data + 12) == ETYPE_IP6 && f->data[20] == 58 && f->data[54] == type &&
		    f->data[55] == code)
			word = get_be32(f->data + 58);
		free(f);
	}
	return word;
}

static void plain(void **state)
{
	begin(17);
	add_udp("fine");
	go();
	taken("fine");
	begin(17); /* padded by the link */
	add_udp("pad");
	((struct ip6_hdr_ *)(void *)(frame + 14))->len = be16((uint16_t)(at - 54));
	world_inject(w->ea, frame, 80);
	taken("pad");
	/* A checksum of 0, or a wrong one. */
	begin(17);
	add_udp("x");
	memset(frame + 60, 0, 2);
	go();
	begin(17);
	add_udp("x");
	frame[61] ^= 1;
	go();
	REFUSED();
	assert_int_equal(net_counter(w->a, MIB_Udp6_InCsumErrors), 2);
}

static void bad_headers(void **state)
{
	struct ip6_hdr_ *h;

	h = begin(17); /* version */
	add_udp("x");
	h->vtf = be32(5u << 28);
	go();
	h = begin(17); /* longer than the frame */
	add_udp("x");
	h->len = be16(500);
	world_inject(w->ea, frame, at);
	assert_int_equal(net_counter(w->a, MIB_Ip6_InTruncatedPkts), 1);
	begin(17);
	world_inject(w->ea, frame, 14 + 39);
	assert_int_equal(net_counter(w->a, MIB_Ip6_InHdrErrors), 2);
	REFUSED();
}

static void addresses(void **state)
{
	static const char *const src[] = {"ff02::1", "::1"};
	static const char *const dst[] = {"::1", "::", "fd00::77", "ff01::1", "ff02::99", "fe80::1"};
	uint64_t before = net_counter(w->a, MIB_Ip6_InAddrErrors);
	struct ip6_hdr_ *h;

	for (unsigned i = 0; i < ARRAY_SIZE(src); i++) {
		struct ip_addr a = addr_of(src[i]);

		h = begin(17);
		memcpy(h->src, a.v6, 16);
		add_udp("x");
		go();
	}
	for (unsigned i = 0; i < ARRAY_SIZE(dst); i++) {
		struct ip_addr a = addr_of(dst[i]);

		h = begin(17);
		memcpy(h->dst, a.v6, 16);
		add_udp("x");
		go();
	}
	begin(17);
	memset(frame, 0xff, 6); /* to us, in a frame to all */
	add_udp("x");
	go();
	REFUSED();
	/* Of groups that we did not join there is nothing to say. */
	assert_int_equal(net_counter(w->a, MIB_Ip6_InAddrErrors) - before, 7);
}

static void extensions(void **state)
{
	/* Hop-by-hop with router alert and padding, destination options, a routing header that is used up. */
	begin(0);
	ext(60, 0, "\x05\x02\0\0\x01\0", 6);
	ext(43, 1, "\x01\x0c\0\0\0\0\0\0\0\0\0\0\0\0", 14);
	frame[at - 16 + 3] = 5; /* 1 + 1 + 12 bytes are too much padding: made 5 and 7 */
	at -= 16;
	ext(43, 0, "\x01\x04\0\0\0\0", 6);
	ext(17, 0, "\x04\0\0\0\0\0", 6);
	add_udp("through");
	go();
	taken("through");
}

static void ext_options(void **state)
{
	/* Unknown options: skip, drop, complain, complain but not of groups. */
	static const struct {
		uint8_t type;
		bool taken, complaint;
	} cases[] = {{0x1e, true, false}, {0x5e, false, false}, {0x9e, false, true}, {0xde, false, true}};

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		char o[6] = {(char)cases[i].type, 4};

		begin(60);
		ext(17, 0, o, 6);
		add_udp("opt");
		go();
		if (cases[i].taken)
			taken("opt");
		REFUSED();
		assert_int_equal(complaint(4, 2), cases[i].complaint ? 42 : -1);
	}
}

static void ext_malformed(void **state)
{
	char many[6] = {0};

	begin(60); /* an option beyond its header */
	ext(17, 0, "\x1e\x09\0\0\0\0", 6);
	add_udp("x");
	go();
	begin(60); /* padding that is not empty */
	ext(17, 0, "\x01\x04\0\x41\0\0", 6);
	add_udp("x");
	go();
	begin(60); /* more padding than a unit has */
	ext(17, 1, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 14);
	add_udp("x");
	go();
	begin(60); /* longer than the packet */
	ext(17, 0, many, 6);
	frame[at - 7] = 200;
	add_udp("x");
	go();
	begin(60); /* cut */
	add("\x11\0\0\0", 4);
	go();
	REFUSED();
	assert_int_equal(complaint(4, 0), -1);
	assert_int_equal(complaint(4, 2), -1);
}

static void ext_order(void **state)
{
	/* Hop-by-hop options not in first place. */
	begin(60);
	ext(0, 0, "\x01\x04\0\0\0\0", 6);
	ext(17, 0, "\x01\x04\0\0\0\0", 6);
	add_udp("x");
	go();
	REFUSED();
	assert_int_equal(complaint(4, 1), 40);
}

static void ext_many(void **state)
{
	begin(60);
	for (int i = 0; i < 7; i++)
		ext(60, 0, "\x01\x04\0\0\0\0", 6);
	ext(17, 0, "\x01\x04\0\0\0\0", 6);
	add_udp("eight");
	go();
	taken("eight");
	begin(60);
	for (int i = 0; i < 8; i++)
		ext(60, 0, "\x01\x04\0\0\0\0", 6);
	ext(17, 0, "\x01\x04\0\0\0\0", 6);
	add_udp("nine");
	go();
	REFUSED();
	/* And options: eight are passed over, nine are too many. */
	begin(60);
	ext(17, 2, "\x1e\0\x1e\0\x1e\0\x1e\0\x1e\0\x1e\0\x1e\0\x1e\0\x01\x04\0\0\0\0", 22);
	add_udp("eight");
	go();
	taken("eight");
	begin(60);
	ext(17, 2, "\x1e\0\x1e\0\x1e\0\x1e\0\x1e\0\x1e\0\x1e\0\x1e\0\x1e\0\x01\x02\0\0", 22);
	add_udp("nine");
	go();
	REFUSED();
}

static void routing(void **state)
{
	begin(43); /* type 0, one segment left (RFC 5095) */
	ext(17, 2, "\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01", 22);
	add_udp("x");
	go();
	REFUSED();
	assert_int_equal(complaint(4, 0), 42);
}

static void next_headers(void **state)
{
	begin(59); /* nothing follows: silence */
	add("xxxxxxxx", 8);
	go();
	assert_int_equal(complaint(4, 1), -1);
	begin(200);
	add("xxxxxxxx", 8);
	go();
	assert_int_equal(complaint(4, 1), 6);
	begin(60); /* the pointer is to who named it */
	ext(201, 0, "\x01\x04\0\0\0\0", 6);
	add("xxxxxxxx", 8);
	go();
	assert_int_equal(complaint(4, 1), 40);
	begin(17);
	add_udp("x");
	put_be16(frame + 56, 99);
	frame[60] = frame[61] = 0;
	{
		struct ip_addr s = addr_of("fd00::2"), d = addr_of("fd00::1");
		uint16_t sum = csum_fold(csum_partial(frame + 54, 9, csum_pseudo(&s, &d, 17, 9)));

		memcpy(frame + 60, &sum, 2);
	}
	go();
	assert_int_equal(complaint(1, 4), 0);
}

/* ---- fragments ---- */

static void piece(uint32_t id, uint32_t n, uint32_t from, uint32_t to, bool more)
{
	static uint8_t whole[64 * 1024 + 8];
	struct ip_addr s = addr_of("fd00::2"), d = addr_of("fd00::1");
	struct udp_hdr *u = (void *)whole;
	struct ip6_frag_ f = {.next = 17, .off = be16((uint16_t)(from | more)), .id = id};

	*u = (struct udp_hdr){be16(5), be16(9), be16((uint16_t)(8 + n)), 0};
	memcpy(whole + 8, text, n);
	u->csum = csum_fold(csum_partial(whole, 8 + n, csum_pseudo(&s, &d, 17, 8 + n)));
	begin(44);
	add(&f, sizeof(f));
	add(whole + from, to - from);
	go();
}

static void whole_is(uint32_t n)
{
	box_expect(srv, text, n, "fd00::2");
	assert_null(srv->first);
}

static void frag_orders(void **state)
{
	piece(1, 2000, 0, 1000, true);
	piece(1, 2000, 1000, 2008, false);
	whole_is(2000);
	piece(2, 2000, 1600, 2008, false);
	piece(2, 2000, 0, 800, true);
	piece(2, 2000, 0, 800, true); /* repeated */
	piece(2, 2000, 800, 1600, true);
	whole_is(2000);
	/* A whole one in a fragment header (RFC 6946), between the pieces of another with the same number. */
	piece(3, 2000, 0, 1000, true);
	piece(3, 100, 0, 108, false);
	whole_is(100);
	piece(3, 2000, 1000, 2008, false);
	whole_is(2000);
	for (uint32_t o = 0; o < 65528; o += 1400)
		piece(4, 65520, o, MIN(o + 1400, 65528u), o + 1400 < 65528);
	whole_is(65520);
}

static void frag_bad(void **state)
{
	piece(1, 2000, 0, 1000, true);
	piece(1, 2000, 992, 1600, true);
	piece(1, 2000, 1000, 2008, false);
	REFUSED();
	piece(2, 2000, 1000, 2008, false);
	piece(2, 2000, 1000, 1808, false);
	piece(2, 2000, 0, 1000, true);
	REFUSED();
	piece(3, 2000, 0, 1001, true); /* not in units of eight */
	assert_int_equal(complaint(4, 0), 4);
	piece(3, 2000, 800, 800, true); /* empty */
	assert_int_equal(complaint(4, 0), 4);
	REFUSED();
	/* Beyond what a packet can be. */
	begin(44);
	add("\x11\0\xff\xf8\0\0\0\x09", 8);
	add(text, 1000);
	go();
	assert_int_equal(complaint(4, 0), 42);
	/* The transport header does not begin in the first piece (RFC 7112). */
	begin(44);
	add("\x3c\0\0\x01\0\0\0\x0a", 8);
	go();
	/* A cut fragment header. */
	begin(44);
	add("\x11\0\0", 3);
	go();
	REFUSED();
}

static void frag_timeout(void **state)
{
	piece(1, 2000, 0, 1000, true);
	piece(2, 2000, 1000, 2008, false);
	world_pass(w, 61000);
	assert_int_equal(complaint(3, 1), 0);
	assert_int_equal(complaint(3, 1), -1);
	assert_int_equal(net_counter(w->a, MIB_Ip6_ReasmTimeout), 2);
	piece(1, 2000, 1000, 2008, false);
	REFUSED();
}

static void frag_flood(void **state)
{
	size_t before = pkt_pool_used();

	for (unsigned i = 0; i < 20000; i++)
		piece(i, 2000, 0, 1000, true);
	assert_true(pkt_pool_used() - before <= (6u << 20));
	piece(19999, 2000, 1000, 2008, false);
	whole_is(2000);
}

static void frag_behind_options(void **state)
{
	struct ip6_frag_ f = {.next = 60, .off = be16(1), .id = 5};
	uint8_t rest[24] = {17, 0, 1, 4};
	struct ip_addr s = addr_of("fd00::2"), d = addr_of("fd00::1");
	struct udp_hdr *u = (void *)(rest + 8);
	uint16_t sum;

	*u = (struct udp_hdr){be16(5), be16(9), be16(16), 0};
	memcpy(rest + 16, "in parts", 8);
	sum = csum_fold(csum_partial(u, 16, csum_pseudo(&s, &d, 17, 16)));
	u->csum = sum;
	begin(0);
	ext(44, 0, "\x05\x02\0\0\x01\0", 6);
	add(&f, 8);
	add(rest, 16);
	go();
	f.off = be16(16);
	begin(0);
	ext(44, 0, "\x05\x02\0\0\x01\0", 6);
	add(&f, 8);
	add(rest + 16, 8);
	go();
	taken("in parts");
}

/* ---- ICMPv6 ---- */

static void icmp6(uint8_t type, uint8_t code, uint32_t word, const void *data, uint32_t n)
{
	struct ip_addr s = addr_of("fd00::2"), d = addr_of("fd00::1");
	uint16_t sum;

	begin(58);
	frame[54] = type;
	frame[55] = code;
	put_be32(frame + 58, word);
	memcpy(frame + 62, data, n);
	sum = csum_fold(csum_partial(frame + 54, 8 + n, csum_pseudo(&s, &d, 58, 8 + n)));
	memcpy(frame + 56, &sum, 2);
	at = 62 + n;
}

static void quote(uint8_t q[48], const char *src, const char *dst, unsigned sport, unsigned dport)
{
	struct ip6_hdr_ *h = (void *)q;

	memset(q, 0, 48);
	h->vtf = be32(6u << 28);
	h->next = 17;
	h->len = be16(1000);
	memcpy(h->src, addr_of(src).v6, 16);
	memcpy(h->dst, addr_of(dst).v6, 16);
	put_be16(q + 40, (uint16_t)sport);
	put_be16(q + 42, (uint16_t)dport);
}

static void echo(void **state)
{
	icmp6(128, 0, 0x00010002, "data", 4);
	go();
	assert_int_equal(complaint(129, 0), 0x00010002);
	icmp6(128, 0, 0x00010002, "data", 4);
	frame[56] ^= 1;
	go();
	assert_int_equal(complaint(129, 0), -1);
	assert_int_equal(net_counter(w->a, MIB_Icmp6_InCsumErrors), 1);
	icmp6(128, 0, 0, "", 0);
	at = 54 + 3;
	go();
	assert_int_equal(complaint(129, 0), -1);
}

static void errors(void **state)
{
	struct nsock_name n = name_of("fd00::2", 1);
	uint8_t q[48];

	srv->s->ops->connect(srv->s, &n);
	quote(q, "fd00::1", "fd00::2", 9, 1);
	icmp6(1, 4, 0, q, 48);
	go();
	assert_int_equal(nsock_take_error(srv->s), ECONNREFUSED);
	icmp6(3, 0, 0, q, 48); /* soft */
	go();
	assert_int_equal(nsock_take_error(srv->s), 0);
	icmp6(1, 1, 0, q, 48);
	go();
	assert_int_equal(nsock_take_error(srv->s), EACCES);
	/* Lies. */
	icmp6(1, 4, 0, q, 47);
	go();
	icmp6(1, 4, 0, q, 39);
	go();
	icmp6(1, 4, 0, q, 0);
	go();
	quote(q, "fd00::1", "fd00::2", 8, 1);
	icmp6(1, 4, 0, q, 48);
	go();
	quote(q, "fd00::1", "fd00::3", 9, 1);
	icmp6(1, 4, 0, q, 48);
	go();
	quote(q, "fd00::9", "fd00::2", 9, 1);
	icmp6(1, 4, 0, q, 48);
	go();
	quote(q, "fd00::1", "fd00::2", 9, 1);
	q[6] = 44; /* a fragment header that says: not the first */
	q[42] = 0xff;
	icmp6(1, 4, 0, q, 48);
	go();
	q[6] = 0; /* an endless chain */
	q[40] = 0;
	q[41] = 255;
	icmp6(1, 4, 0, q, 48);
	go();
	assert_int_equal(nsock_take_error(srv->s), 0);
	assert_int_equal(complaint(4, 1), -1);
}

static uint32_t mtu_to_b(void)
{
	struct ip_flow f = {.dst = addr_of("fd00::2")};
	struct ip_route r;

	assert_int_equal(ip_route_lookup(w->a, &f, &r), 0);
	return r.mtu;
}

static void path_mtu(void **state)
{
	struct nsock_name n = name_of("fd00::2", 1);
	uint8_t q[48];

	srv->s->ops->connect(srv->s, &n);
	quote(q, "fd00::1", "fd00::2", 9, 7);
	icmp6(2, 0, 1400, q, 48);
	go();
	assert_int_equal(mtu_to_b(), 1500);
	quote(q, "fd00::1", "fd00::2", 9, 1);
	icmp6(2, 0, 1400, q, 48);
	go();
	assert_int_equal(mtu_to_b(), 1400);
	icmp6(2, 0, 9000, q, 48);
	go();
	assert_int_equal(mtu_to_b(), 1400);
	icmp6(2, 0, 68, q, 48); /* never below the least (RFC 8201 4) */
	go();
	assert_int_equal(mtu_to_b(), 1280);
	world_pass(w, 601000);
	assert_int_equal(mtu_to_b(), 1500);
}

/* Datagrams without a checksum, for who asked for them; too few hops left; not to be cut. */
static void options_of_sockets(void **state)
{
	int on = 1, hops = 200;

	assert_int_equal(srv->s->ops->setopt(srv->s, IPPROTO_UDP, 102, &on, sizeof(on)), 0);
	begin(17);
	add_udp("unsummed");
	memset(frame + 60, 0, 2);
	go();
	taken("unsummed");
	assert_int_equal(srv->s->ops->setopt(srv->s, IPPROTO_IPV6, IPV6_MINHOPCOUNT, &hops, sizeof(hops)), 0);
	begin(17);
	add_udp("x");
	go();
	REFUSED();
	assert_int_equal(srv->s->ops->setopt(srv->s, IPPROTO_IPV6, IPV6_DONTFRAG, &on, sizeof(on)), 0);
	assert_int_equal(box_send(srv, "fd00::2", 1, text, 1453), -EMSGSIZE);
	assert_int_equal(box_send(srv, "fd00::2", 1, text, 1452), 1452);
}

static void limited(void **state)
{
	unsigned n = 0;

	for (int i = 0; i < 300; i++) {
		begin(200);
		add("xxxxxxxx", 8);
		go();
	}
	while (complaint(4, 1) >= 0)
		n++;
	assert_in_range(n, 1, 60);
}

static void disabled(void **state)
{
	w->ea->conf[NETIF_CONF_V6_DISABLE_IPV6] = 1;
	begin(17);
	add_udp("x");
	go();
	REFUSED();
	assert_int_equal(box_send(srv, "fd00::2", 1, "x", 1), -ENETUNREACH);
}

/* By the setting: the addresses go; and back: the link's own comes. */
static void switched(void **state)
{
	struct ip_addr mine = addr_of("fd00::1"), own = addr_of("fe80::ff:fe00:a");

	w->ea->conf[NETIF_CONF_V6_ADDR_GEN_MODE] = 0;
	assert_int_equal(netif_conf_set(w->ea, NETIF_CONF_V6_DISABLE_IPV6, 1), 0);
	assert_null(netif_of_addr(w->a, &mine));
	assert_int_equal(netif_conf_set(w->ea, NETIF_CONF_V6_DISABLE_IPV6, 0), 0);
	world_pass(w, 3000);
	assert_ptr_equal(netif_of_addr(w->a, &own), w->ea);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(plain), CASE(bad_headers), CASE(addresses), CASE(extensions), CASE(ext_options), CASE(ext_malformed),
		CASE(ext_order), CASE(ext_many), CASE(routing), CASE(next_headers), CASE(frag_orders), CASE(frag_bad),
		CASE(frag_timeout), CASE(frag_flood), CASE(frag_behind_options), CASE(echo), CASE(errors), CASE(path_mtu),
		CASE(options_of_sockets), CASE(limited), CASE(disabled), CASE(switched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
