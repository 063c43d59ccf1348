/* Raw, ping and packet sockets. */
#include "world.h"

#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if_arp.h>

#include "netd/core/stack_priv.h"
#include "netd/ether/neigh.h"

static struct box *box_raw(struct netstack *st, int family, int protocol)
{
	struct box *b = calloc(1, sizeof(*b));

	assert_int_equal(raw_create(st, family, protocol, &box_up, b, &b->s), 0);
	return b;
}

static struct box *box_ping(struct netstack *st, int family)
{
	struct box *b = calloc(1, sizeof(*b));

	assert_int_equal(ping_create(st, family, &box_up, b, &b->s), 0);
	return b;
}

static void echo(uint8_t *m, uint8_t type, uint16_t id, uint16_t seq)
{
	memset(m, 0, 64);
	m[0] = type;
	put_be16(m + 4, id);
	put_be16(m + 6, seq);
	for (int i = 8; i < 64; i++)
		m[i] = (uint8_t)i;
}

static void ping4(void **state)
{
	struct world *w = world_new(true);
	struct box *p = box_ping(w->a, AF_INET), *other = box_ping(w->a, AF_INET);
	struct nsock_name n;
	struct got *g;
	uint8_t m[64];

	echo(m, 8, 0, 7);
	assert_int_equal(box_send(p, "10.0.0.2", 0, m, 64), 64);
	assert_int_equal(box_send(other, "127.0.0.1", 0, m, 64), 64);
	world_run(w);
	g = box_take(p);
	assert_non_null(g);
	assert_int_equal(g->size, 64);
	assert_int_equal(g->data[0], 0);
	p->s->ops->getname(p->s, false, &n);
	assert_memory_equal(g->data + 4, &n.port, 2); /* the identifier is the socket's */
	assert_int_equal(g->meta.ttl, 64);
	free(g);
	assert_null(p->first);
	assert_int_equal(other->count, 1);
	/* No answers, no codes, no fragments of a header. */
	echo(m, 0, 0, 7);
	assert_int_equal(box_send(p, "10.0.0.2", 0, m, 64), -EINVAL);
	echo(m, 8, 0, 7);
	assert_int_equal(box_send(p, "10.0.0.2", 0, m, 7), -EINVAL);
	/* Nobody there. */
	p->s->opt.recverr = true;
	assert_int_equal(box_send(p, "10.0.0.9", 0, m, 64), 64);
	world_pass(w, 5000);
	g = box_take(p);
	assert_non_null(g);
	assert_true(g->is_error);
	assert_int_equal(g->error.err, EHOSTUNREACH);
	free(g);
	box_free(p);
	box_free(other);
	world_free(w);
}

static void ping6(void **state)
{
	struct world *w = world_new(true);
	struct box *p = box_ping(w->a, AF_INET6);
	struct got *g;
	uint8_t m[64];

	echo(m, 128, 0, 7);
	assert_int_equal(box_send(p, "fd00::2", 0, m, 64), 64);
	world_run(w);
	g = box_take(p);
	assert_non_null(g);
	assert_int_equal(g->data[0], 129);
	free(g);
	box_free(p);
	world_free(w);
}

static void raw4(void **state)
{
	struct world *w = world_new(true);
	struct box *r = box_raw(w->a, AF_INET, IPPROTO_ICMP), *b = box_raw(w->b, AF_INET, 99);
	uint32_t filter = ~(1u << 0); /* only echo replies */
	struct box *c = box_raw(w->a, AF_INET, 99);
	struct got *g;
	uint8_t m[64];
	uint16_t sum;

	assert_int_equal(r->s->ops->setopt(r->s, 255, 1, &filter, 4), 0);
	echo(m, 8, 1234, 1);
	sum = csum_fold(csum_partial(m, 64, 0));
	memcpy(m + 2, &sum, 2);
	assert_int_equal(box_send(r, "10.0.0.2", 0, m, 64), 64);
	world_run(w);
	g = box_take(r);
	assert_non_null(g);
	assert_int_equal(g->size, 84); /* with the IP header */
	assert_int_equal(g->data[0], 0x45);
	assert_int_equal(g->data[20], 0);
	free(g);
	assert_null(r->first);
	/* A protocol that nobody speaks, both ways; and what the other end says of one that it does not know. */
	assert_int_equal(box_send(c, "10.0.0.2", 0, "data", 4), 4);
	world_run(w);
	g = box_take(b);
	assert_non_null(g);
	assert_memory_equal(g->data + 20, "data", 4);
	free(g);
	box_free(b);
	c->s->opt.recverr = true;
	assert_int_equal(box_send(c, "10.0.0.2", 0, "data data", 9), 9);
	world_run(w);
	g = box_take(c);
	assert_non_null(g);
	assert_int_equal(g->error.err, ENOPROTOOPT);
	free(g);
	box_free(c);
	box_free(r);
	world_free(w);
}

static void own_header(void **state)
{
	struct world *w = world_new(true);
	struct box *r = box_raw(w->a, AF_INET, IPPROTO_RAW), *s = box_bound(w->b, "0.0.0.0", 9);
	uint8_t h[32] = {0x45, 0, 0, 0, 0, 0, 0, 0, 17, 17};
	uint32_t src = htonl(0x0a00004d), dst = htonl(0x0a000002); /* 10.0.0.77 is not ours */

	memcpy(h + 12, &src, 4);
	memcpy(h + 16, &dst, 4);
	put_be16(h + 20, 1);
	put_be16(h + 22, 9);
	put_be16(h + 24, 12);
	memcpy(h + 28, "mine", 4);
	assert_int_equal(box_send(r, "10.0.0.2", 0, h, 32), 32);
	world_run(w);
	assert_int_equal(s->count, 1);
	assert_int_equal(s->first->meta.ttl, 17);
	box_expect(s, "mine", 4, "10.0.0.77");
	h[0] = 0x4f; /* a header longer than the packet */
	assert_int_equal(box_send(r, "10.0.0.2", 0, h, 32), -EINVAL);
	box_free(r);
	box_free(s);
	world_free(w);
}

static void raw6_checksum(void **state)
{
	struct world *w = world_new(true);
	struct box *a = box_raw(w->a, AF_INET6, 99), *b = box_raw(w->b, AF_INET6, 99);
	struct got *g;
	int off = 2;

	assert_int_equal(a->s->ops->setopt(a->s, IPPROTO_IPV6, IPV6_CHECKSUM, &off, sizeof(off)), 0);
	assert_int_equal(b->s->ops->setopt(b->s, IPPROTO_IPV6, IPV6_CHECKSUM, &off, sizeof(off)), 0);
	assert_int_equal(box_send(a, "fd00::2", 0, "12345678", 8), 8);
	world_run(w);
	g = box_take(b);
	assert_non_null(g);
	assert_int_equal(g->size, 8);
	free(g);
	off = -1; /* now it goes out without, and the other end drops it */
	assert_int_equal(a->s->ops->setopt(a->s, IPPROTO_IPV6, IPV6_CHECKSUM, &off, sizeof(off)), 0);
	assert_int_equal(box_send(a, "fd00::2", 0, "12345678", 8), 8);
	world_run(w);
	assert_null(b->first);
	off = 3;
	assert_int_equal(a->s->ops->setopt(a->s, IPPROTO_IPV6, IPV6_CHECKSUM, &off, sizeof(off)), -EINVAL);
	assert_int_equal(box_send(a, "fd00::2", 0, "1", 1), 1);
	off = 2;
	a->s->ops->setopt(a->s, IPPROTO_IPV6, IPV6_CHECKSUM, &off, sizeof(off));
	assert_int_equal(box_send(a, "fd00::2", 0, "1", 1), -EINVAL);
	box_free(a);
	box_free(b);
	world_free(w);
}

static struct box *box_packet(struct netstack *st, int type, uint16_t protocol, int ifindex)
{
	struct nsock_name n = {.addr = {.family = AF_PACKET, .scope = (uint32_t)ifindex}, .port = htons(protocol)};
	struct box *b = calloc(1, sizeof(*b));

	assert_int_equal(packet_create(st, type, 0, &box_up, b, &b->s), 0);
	assert_int_equal(b->s->ops->bind(b->s, &n), 0);
	return b;
}

static void packet_wire(void **state)
{
	struct world *w = world_new(true);
	struct box *all = box_packet(w->a, SOCK_RAW, ETH_P_ALL, w->ea->index);
	struct box *arp = box_packet(w->a, SOCK_DGRAM, ETH_P_ARP, 0);
	struct box *u = box_udp(w->a, AF_INET), *raw, *s = box_bound(w->b, "0.0.0.0", 9);
	struct got *g;
	uint8_t frame[60];
	struct nsock_meta meta = {0};
	struct iovec iov = {frame, sizeof(frame)};

	box_send(u, "10.0.0.2", 9, "hello", 5);
	world_run(w);
	/* Out: our question. In: its answer. Out: the datagram, in the order of the wire. */
	g = box_take(all);
	assert_int_equal(g->meta.pkttype, PACKET_OUTGOING);
	assert_int_equal(g->meta.protocol, htons(ETH_P_ARP));
	assert_int_equal(g->size, 42);
	free(g);
	g = box_take(all);
	assert_int_equal(g->meta.pkttype, PACKET_HOST);
	assert_memory_equal(g->meta.hwaddr, world_mac_b, 6);
	free(g);
	g = box_take(all);
	assert_int_equal(g->meta.protocol, htons(ETH_P_IP));
	assert_int_equal(g->size, 14 + 28 + 5);
	assert_memory_equal(g->data + 42, "hello", 5);
	free(g);
	assert_null(all->first);
	/* One protocol: only what comes in, without the link header. */
	g = box_take(arp);
	assert_int_equal(g->size, 28);
	assert_null(arp->first);
	free(g);
	box_expect(s, "hello", 5, NULL);
	/* A frame of our own making. */
	raw = box_packet(w->a, SOCK_RAW, 0, w->ea->index);
	memset(frame, 0, sizeof(frame));
	memcpy(frame, world_mac_b, 6);
	put_be16(frame + 12, 0x88b5);
	assert_int_equal(raw->s->ops->send(raw->s, &meta, &iov, 1), 60);
	assert_int_equal(all->count, 1);
	iov.iov_len = 13;
	assert_int_equal(raw->s->ops->send(raw->s, &meta, &iov, 1), -EINVAL);
	meta.ifindex = 77;
	assert_int_equal(raw->s->ops->send(raw->s, &meta, &iov, 1), -ENXIO);
	box_free(all);
	box_free(arp);
	box_free(raw);
	box_free(u);
	box_free(s);
	world_free(w);
}

static void packet_loopback(void **state)
{
	struct world *w = world_new(false);
	struct box *all = box_packet(w->a, SOCK_RAW, ETH_P_ALL, 1), *u = box_udp(w->a, AF_INET);
	struct tpacket_stats st;
	uint32_t size = sizeof(st);
	struct got *g;

	all->limit = 3;
	box_send(u, "127.0.0.1", 9, "x", 1);
	world_run(w);
	/* Out and in, of the datagram and of the error: four, of which one found no room. */
	assert_int_equal(all->count, 3);
	g = box_take(all);
	assert_int_equal(g->meta.hatype, ARPHRD_LOOPBACK);
	assert_int_equal(g->size, 14 + 29);
	assert_int_equal(g->data[12], 8);
	assert_int_equal(g->data[14], 0x45);
	assert_true(g->meta.flags & NSOCK_META_CSUM_PENDING);
	free(g);
	assert_int_equal(all->s->ops->getopt(all->s, 263, PACKET_STATISTICS, &st, &size), 0);
	assert_int_equal(st.tp_packets, 4);
	assert_int_equal(st.tp_drops, 1);
	box_free(all);
	box_free(u);
	world_free(w);
}

/* Packets with forged sources wait for a neighbour that does not answer. The errors about them make room in a full
 * table, which must not be that neighbour's. */
static void forged_sources(void **state)
{
	struct world *w = world_new(true);
	struct box *r = box_raw(w->a, AF_INET, IPPROTO_RAW);
	struct ip_addr silent = addr_of("10.0.0.9");
	struct ip4_hdr h = {.vhl = 0x45, .ttl = 64, .protocol = 17, .src = addr_of("10.0.0.77").v4, .dst = silent.v4};
	uint8_t m[28] = {0};

	memcpy(m, &h, sizeof(h));
	world_pass(w, 10000);
	w->a->sysctl[NET_SYSCTL_NEIGH4_GC_THRESH1] = 0;
	w->a->sysctl[NET_SYSCTL_NEIGH4_GC_THRESH3] = 1;
	for (int i = 0; i < 4; i++)
		assert_int_equal(box_send(r, "10.0.0.9", 0, m, sizeof(m)), sizeof(m));
	world_pass(w, 8000);
	assert_non_null(neigh_find(w->ea, &silent));
	box_free(r);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ping4),	 cmocka_unit_test(ping6),	cmocka_unit_test(raw4),
		cmocka_unit_test(own_header),	 cmocka_unit_test(raw6_checksum), cmocka_unit_test(packet_wire),
		cmocka_unit_test(packet_loopback),
		cmocka_unit_test(forged_sources),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
