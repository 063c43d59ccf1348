/* UDP endpoints: names, conflicts, who gets what, offloads, corks, UDP-Lite; over loopback and over a wire. */
#include "world.h"

#include "netd/core/stack_priv.h"

#define UDP_CORK_ 1
#define UDP_SEGMENT_ 103
#define UDP_GRO_ 104

static int set(struct box *b, int level, int name, int v)
{
	return b->s->ops->setopt(b->s, level, name, &v, sizeof(v));
}

static int bind_to(struct box *b, const char *addr, unsigned port)
{
	struct nsock_name n = name_of(addr, port);

	return b->s->ops->bind(b->s, &n);
}

static int connect_to(struct box *b, const char *addr, unsigned port)
{
	struct nsock_name n = name_of(addr, port);

	return b->s->ops->connect(b->s, &n);
}

static void loopback(void **state)
{
	struct world *w = world_new(false);
	struct box *s = box_bound(w->a, "127.0.0.1", 53), *c = box_udp(w->a, AF_INET);
	struct nsock_name got;

	assert_int_equal(box_send(c, "127.0.0.1", 53, "hello", 5), 5);
	world_run(w);
	box_expect(s, "hello", 5, "127.0.0.1");
	assert_int_equal(connect_to(c, "127.0.0.1", 53), 0);
	assert_int_equal(c->s->ops->getname(c->s, true, &got), 0);
	assert_int_equal(got.port, htons(53));
	assert_int_equal(box_send(c, NULL, 0, "again", 5), 5);
	world_run(w);
	box_expect(s, "again", 5, "127.0.0.1");
	/* Empty datagrams are datagrams. */
	assert_int_equal(box_send(c, NULL, 0, "", 0), 0);
	world_run(w);
	box_expect(s, "", 0, "127.0.0.1");
	/* Nobody there: the connected sender hears of it. */
	box_free(s);
	assert_int_equal(box_send(c, NULL, 0, "x", 1), 1);
	world_run(w);
	assert_int_equal(nsock_take_error(c->s), ECONNREFUSED);
	box_free(c);
	world_free(w);
}

static void wire(void **state)
{
	struct world *w = world_new(true);
	struct box *s = box_bound(w->b, "0.0.0.0", 7), *c = box_udp(w->a, AF_INET);

	assert_int_equal(box_send(c, "10.0.0.2", 7, "over the wire", 13), 13);
	world_run(w);
	box_expect(s, "over the wire", 13, "10.0.0.1");
	/* To our own address: over loopback. */
	assert_int_equal(bind_to(c, "0.0.0.0", 8), -EINVAL); /* it has a port by now */
	box_free(s);
	s = box_bound(w->a, "0.0.0.0", 7);
	assert_int_equal(box_send(c, "10.0.0.1", 7, "self", 4), 4);
	world_run(w);
	box_expect(s, "self", 4, "10.0.0.1");
	assert_int_equal(box_send(c, "0.0.0.0", 7, "nobody", 6), 6);
	world_run(w);
	box_expect(s, "nobody", 6, "127.0.0.1");
	box_free(s);
	box_free(c);
	world_free(w);
}

static void conflicts(void **state)
{
	struct world *w = world_new(true);
	struct box *a = box_bound(w->a, "0.0.0.0", 100), *b = box_udp(w->a, AF_INET), *c = box_udp(w->a, AF_INET),
		   *six = box_udp(w->a, AF_INET6), *six_only = box_udp(w->a, AF_INET6);

	assert_int_equal(bind_to(b, "0.0.0.0", 100), -EADDRINUSE);
	assert_int_equal(bind_to(b, "10.0.0.1", 100), -EADDRINUSE);
	b->s->opt.reuseaddr = true; /* both must want it */
	assert_int_equal(bind_to(b, "10.0.0.1", 100), -EADDRINUSE);
	a->s->opt.reuseaddr = true;
	assert_int_equal(bind_to(b, "10.0.0.1", 100), 0);
	c->s->opt.reuseport = true;
	assert_int_equal(bind_to(c, "127.0.0.1", 100), -EADDRINUSE);
	assert_int_equal(bind_to(six, "::", 100), -EADDRINUSE);
	six_only->s->opt.v6only = true;
	assert_int_equal(bind_to(six_only, "::", 100), 0);
	/* Different addresses never meet; what is not ours cannot be had, unless by IP_FREEBIND. */
	assert_int_equal(bind_to(c, "10.0.0.99", 200), -EADDRNOTAVAIL);
	c->s->opt.freebind = true;
	assert_int_equal(bind_to(c, "10.0.0.99", 200), 0);
	assert_int_equal(bind_to(six, "10.0.0.1", 300), 0);
	box_free(six);
	six = box_udp(w->a, AF_INET6);
	six->s->opt.v6only = true;
	assert_int_equal(bind_to(six, "10.0.0.1", 400), -EINVAL);
	assert_int_equal(bind_to(six, "fe80::1", 400), -EINVAL); /* of which link? */
	box_free(a);
	box_free(b);
	box_free(c);
	box_free(six);
	box_free(six_only);
	world_free(w);
}

static void free_ports(void **state)
{
	struct world *w = world_new(false);
	struct box *b[200], *none;
	struct nsock_name n;

	w->a->sysctl[NET_SYSCTL_IP_LOCAL_PORT_RANGE_0] = 40000;
	w->a->sysctl[NET_SYSCTL_IP_LOCAL_PORT_RANGE_1] = 40199;
	for (unsigned i = 0; i < 200; i++) {
		b[i] = box_bound(w->a, "0.0.0.0", 0);
		b[i]->s->ops->getname(b[i]->s, false, &n);
		assert_in_range(ntohs(n.port), 40000, 40199);
	}
	none = box_udp(w->a, AF_INET);
	assert_int_equal(bind_to(none, "0.0.0.0", 0), -EADDRINUSE);
	assert_int_equal(box_send(none, "127.0.0.1", 9, "x", 1), -EAGAIN);
	box_free(none);
	for (unsigned i = 0; i < 200; i++)
		box_free(b[i]);
	world_free(w);
}

static void best_match(void **state)
{
	struct world *w = world_new(true);
	struct box *any = box_udp(w->a, AF_INET), *one = box_udp(w->a, AF_INET), *conn = box_udp(w->a, AF_INET),
		   *six = box_udp(w->a, AF_INET6), *c = box_bound(w->b, "10.0.0.2", 1000);

	any->s->opt.reuseaddr = one->s->opt.reuseaddr = conn->s->opt.reuseaddr = six->s->opt.reuseaddr = true;
	assert_int_equal(bind_to(six, "::", 7), 0);
	assert_int_equal(bind_to(any, "0.0.0.0", 7), 0);
	assert_int_equal(bind_to(one, "10.0.0.1", 7), 0);
	assert_int_equal(bind_to(conn, "10.0.0.1", 7), 0);
	assert_int_equal(connect_to(conn, "10.0.0.2", 1000), 0);
	box_send(c, "10.0.0.1", 7, "conn", 4);
	world_run(w);
	box_expect(conn, "conn", 4, "10.0.0.2");
	/* Dissolved, it is one of those with the address. */
	assert_int_equal(conn->s->ops->connect(conn->s, NULL), 0);
	box_free(conn);
	box_send(c, "10.0.0.1", 7, "one", 3);
	world_run(w);
	box_expect(one, "one", 3, "10.0.0.2");
	box_free(one);
	box_send(c, "10.0.0.1", 7, "any", 3);
	world_run(w);
	box_expect(any, "any", 3, "10.0.0.2");
	box_free(any);
	box_send(c, "10.0.0.1", 7, "six", 3);
	world_run(w);
	box_expect(six, "six", 3, "10.0.0.2");
	box_free(six);
	box_free(c);
	world_free(w);
}

static void connected_filters(void **state)
{
	struct world *w = world_new(true);
	struct box *s = box_bound(w->a, "0.0.0.0", 7), *c = box_bound(w->b, "0.0.0.0", 1000),
		   *d = box_bound(w->b, "0.0.0.0", 1001);
	struct nsock_name n;

	assert_int_equal(connect_to(s, "10.0.0.2", 1000), 0);
	s->s->ops->getname(s->s, false, &n);
	assert_int_equal(n.addr.v4, htonl(0x0a000001));
	box_send(d, "10.0.0.1", 7, "stranger", 8);
	box_send(c, "10.0.0.1", 7, "friend", 6);
	world_run(w);
	box_expect(s, "friend", 6, "10.0.0.2");
	assert_null(s->first);
	assert_int_equal(s->s->ops->connect(s->s, NULL), 0);
	s->s->ops->getname(s->s, false, &n);
	assert_int_equal(n.addr.v4, 0);
	assert_int_equal(n.port, htons(7));
	assert_int_equal(s->s->ops->getname(s->s, true, &n), -ENOTCONN);
	assert_int_equal(box_send(s, NULL, 0, "x", 1), -EDESTADDRREQ);
	box_free(s);
	box_free(c);
	box_free(d);
	world_free(w);
}

static void reuseport(void **state)
{
	struct world *w = world_new(true);
	struct box *s[4], *c[64];
	unsigned used = 0;

	for (unsigned i = 0; i < 4; i++) {
		s[i] = box_udp(w->a, AF_INET);
		s[i]->s->opt.reuseport = true;
		assert_int_equal(bind_to(s[i], "0.0.0.0", 7), 0);
	}
	/* Not with those of another user. */
	c[0] = box_udp(w->a, AF_INET);
	c[0]->s->opt.reuseport = true;
	c[0]->s->opt.uid = 5;
	assert_int_equal(bind_to(c[0], "0.0.0.0", 7), -EADDRINUSE);
	box_free(c[0]);
	c[0] = box_udp(w->b, AF_INET);
	box_send(c[0], "10.0.0.1", 8, "who?", 4); /* else so many would not find room while it is asked who we are */
	world_run(w);
	box_free(c[0]);
	for (unsigned i = 0; i < 64; i++) {
		c[i] = box_udp(w->b, AF_INET);
		box_send(c[i], "10.0.0.1", 7, "1", 1);
		box_send(c[i], "10.0.0.1", 7, "2", 1);
	}
	world_run(w);
	for (unsigned i = 0; i < 4; i++) {
		/* Each has some, and both of a peer went to the same. */
		assert_int_equal(s[i]->count % 2, 0);
		used += s[i]->count > 8;
	}
	assert_int_equal(used, 4);
	for (unsigned i = 0; i < 64; i++)
		box_free(c[i]);
	for (unsigned i = 0; i < 4; i++)
		box_free(s[i]);
	world_free(w);
}

static void dual_stack(void **state)
{
	struct world *w = world_new(true);
	struct box *s = box_bound(w->a, "::", 7), *c = box_udp(w->b, AF_INET), *c6 = box_udp(w->b, AF_INET6);

	box_send(c, "10.0.0.1", 7, "four", 4);
	box_send(c6, "fd00::1", 7, "six", 3);
	box_send(c6, "10.0.0.1", 7, "mapped", 6);
	world_run(w);
	box_expect(s, "four", 4, "10.0.0.2");
	world_pass(w, 1000);
	assert_int_equal(s->count, 2);
	c6->s->opt.v6only = true;
	assert_int_equal(box_send(c6, "10.0.0.1", 7, "x", 1), -ENETUNREACH);
	assert_int_equal(box_send(c, "fd00::1", 7, "x", 1), -EAFNOSUPPORT);
	box_free(s);
	box_free(c);
	box_free(c6);
	world_free(w);
}

static void broadcast(void **state)
{
	struct world *w = world_new(true);
	struct box *s = box_bound(w->b, "0.0.0.0", 7), *s2 = box_udp(w->b, AF_INET), *c = box_udp(w->a, AF_INET),
		   *self = box_bound(w->a, "0.0.0.0", 7);

	s->s->opt.reuseaddr = s2->s->opt.reuseaddr = true;
	assert_int_equal(bind_to(s2, "0.0.0.0", 7), 0);
	assert_int_equal(box_send(c, "10.0.0.255", 7, "x", 1), -EACCES);
	assert_int_equal(connect_to(c, "10.0.0.255", 7), -EACCES);
	c->s->opt.broadcast = true;
	assert_int_equal(box_send(c, "10.0.0.255", 7, "x", 1), 1);
	world_run(w);
	/* All who listen, and we ourselves. */
	box_expect(s, "x", 1, "10.0.0.1");
	box_expect(s2, "x", 1, "10.0.0.1");
	box_expect(self, "x", 1, "10.0.0.1");
	/* To all of a link without a route: out of the interface that is asked for. */
	assert_int_equal(box_send(c, "255.255.255.255", 7, "x", 1), -ENETUNREACH);
	c->s->opt.bound_if = w->ea->index;
	assert_int_equal(box_send(c, "255.255.255.255", 7, "x", 1), 1);
	world_run(w);
	box_expect(s, "x", 1, "10.0.0.1");
	box_free(s);
	box_free(s2);
	box_free(self);
	box_free(c);
	world_free(w);
}

static uint8_t big[65536];

/* UDP_SEGMENT over a wire that cannot, over one that can, and over loopback; with and without UDP_GRO. */
static void segments(void **state)
{
	for (unsigned i = 0; i < sizeof(big); i++)
		big[i] = (uint8_t)(i * 13);
	for (int features = 0; features < 2; features++) {
		struct world *w = world_new_ex(1500, features ? NETIF_F_USO | NETIF_F_CSUM : 0, true);
		struct box *s = box_bound(w->b, "0.0.0.0", 7), *c = box_udp(w->a, AF_INET);
		uint32_t done = 0, n = 0;
		struct got *g;

		assert_int_equal(set(c, IPPROTO_UDP, UDP_SEGMENT_, 1000), 0);
		assert_int_equal(box_send(c, "10.0.0.2", 7, big, 30500), 30500);
		world_run(w);
		while ((g = box_take(s))) {
			assert_int_equal(g->size, n < 30 ? 1000 : 500);
			assert_memory_equal(g->data, big + done, g->size);
			done += g->size;
			n++;
			free(g);
		}
		assert_int_equal(done, 30500);
		if (features) {
			assert_int_equal(set(s, IPPROTO_UDP, UDP_GRO_, 1), 0);
			assert_int_equal(box_send(c, "10.0.0.2", 7, big, 30500), 30500);
			world_run(w);
			assert_int_equal(s->count, 1);
			assert_int_equal(s->first->meta.gso_size, 1000);
			box_expect(s, big, 30500, NULL);
		}
		/* Segments that do not fit the link; too many. */
		assert_int_equal(set(c, IPPROTO_UDP, UDP_SEGMENT_, 1473), 0);
		assert_int_equal(box_send(c, "10.0.0.2", 7, big, 3000), -EINVAL);
		assert_int_equal(set(c, IPPROTO_UDP, UDP_SEGMENT_, 10), 0);
		assert_int_equal(box_send(c, "10.0.0.2", 7, big, 1300), -EINVAL);
		box_free(s);
		box_free(c);
		world_free(w);
	}
}

static void sizes(void **state)
{
	struct world *w = world_new(true);
	struct box *s = box_bound(w->b, "::", 7), *c = box_udp(w->a, AF_INET), *c6 = box_udp(w->a, AF_INET6);

	assert_int_equal(box_send(c, "10.0.0.2", 7, big, 65508), -EMSGSIZE);
	assert_int_equal(box_send(c, "10.0.0.2", 7, big, 65507), 65507);
	world_run(w);
	box_expect(s, big, 65507, "10.0.0.1");
	assert_int_equal(box_send(c6, "fd00::2", 7, big, 65527), 65527);
	world_run(w);
	box_expect(s, big, 65527, "fd00::1");
	assert_int_equal(box_send(c6, "fd00::2", 7, big, 65528), -EMSGSIZE);
	/* Exactly the link's, and one more that may not be cut. */
	c->s->opt.pmtudisc = 2;
	c->s->opt.recverr = true;
	assert_int_equal(box_send(c, "10.0.0.2", 7, big, 1472), 1472);
	assert_int_equal(box_send(c, "10.0.0.2", 7, big, 1473), -EMSGSIZE);
	assert_int_equal(c->count, 1);
	assert_int_equal(c->first->error.info, 1500);
	assert_int_equal(box_send(c, "10.0.0.2", 0, big, 1), -EINVAL);
	box_free(s);
	box_free(c);
	box_free(c6);
	world_free(w);
}

static void cork(void **state)
{
	struct world *w = world_new(true);
	struct box *s = box_bound(w->b, "0.0.0.0", 7), *c = box_udp(w->a, AF_INET);

	assert_int_equal(set(c, IPPROTO_UDP, UDP_CORK_, 1), 0);
	assert_int_equal(box_send(c, "10.0.0.2", 7, "one ", 4), 4);
	assert_int_equal(box_send(c, "10.0.0.2", 7, "two", 3), 3);
	world_run(w);
	assert_null(s->first);
	assert_int_equal(set(c, IPPROTO_UDP, UDP_CORK_, 0), 0);
	world_run(w);
	box_expect(s, "one two", 7, "10.0.0.1");
	box_free(s);
	box_free(c);
	world_free(w);
}

static void lite(void **state)
{
	struct world *w = world_new(true);
	struct box *s = calloc(1, sizeof(*s)), *c = calloc(1, sizeof(*c)), *u = box_bound(w->b, "0.0.0.0", 7);
	struct frame *f;
	uint8_t kept[200];
	uint32_t size;

	assert_int_equal(udp_create(w->b, AF_INET, true, &box_up, s, &s->s), 0);
	assert_int_equal(udp_create(w->a, AF_INET, true, &box_up, c, &c->s), 0);
	assert_int_equal(bind_to(s, "0.0.0.0", 7), 0); /* ports of its own */
	assert_int_equal(box_send(c, "10.0.0.2", 7, "all of it", 9), 9);
	world_run(w);
	box_expect(s, "all of it", 9, "10.0.0.1");
	/* Only the header and four bytes are covered: damage behind goes through, within it not. */
	assert_int_equal(set(c, 136, 10, 12), 0);
	world_capture(w, 0, true);
	assert_int_equal(box_send(c, "10.0.0.2", 7, "headtail", 8), 8);
	world_run(w);
	f = capture_take(&w->cap[0]);
	assert_non_null(f);
	size = f->size;
	memcpy(kept, f->data, size);
	free(f);
	kept[size - 1] = 'L';
	world_inject(w->eb, kept, size);
	world_run(w);
	box_expect(s, "headtaiL", 8, "10.0.0.1");
	kept[42] = 'H';
	world_inject(w->eb, kept, size);
	world_run(w);
	assert_null(s->first);
	/* Who wants more than that does not get it. */
	kept[42] = 'h';
	assert_int_equal(set(s, 136, 11, 16), 0);
	world_inject(w->eb, kept, size);
	world_run(w);
	assert_null(s->first);
	assert_null(u->first);
	box_free(s);
	box_free(c);
	box_free(u);
	world_free(w);
}

static void full_buffer(void **state)
{
	struct world *w = world_new(false);
	struct box *s = box_bound(w->a, "127.0.0.1", 7), *c = box_udp(w->a, AF_INET);

	s->limit = 1;
	box_send(c, "127.0.0.1", 7, "a", 1);
	box_send(c, "127.0.0.1", 7, "b", 1);
	world_run(w);
	box_expect(s, "a", 1, NULL);
	assert_int_equal(net_counter(w->a, MIB_Udp_RcvbufErrors), 1);
	assert_int_equal(net_counter(w->a, MIB_Udp_InDatagrams), 1);
	assert_int_equal(net_counter(w->a, MIB_Udp_OutDatagrams), 2);
	box_free(s);
	box_free(c);
	world_free(w);
}

static void bound_device(void **state)
{
	struct world *w = world_new(true);
	struct box *s = box_bound(w->a, "0.0.0.0", 7), *c = box_udp(w->b, AF_INET), *self = box_udp(w->a, AF_INET);

	s->s->opt.bound_if = 1; /* loopback */
	box_send(c, "10.0.0.1", 7, "x", 1);
	world_run(w);
	assert_null(s->first);
	box_send(self, "127.0.0.1", 7, "y", 1);
	world_run(w);
	box_expect(s, "y", 1, "127.0.0.1");
	self->s->opt.bound_if = 99;
	assert_int_equal(box_send(self, "127.0.0.1", 7, "y", 1), -ENODEV);
	box_free(s);
	box_free(c);
	box_free(self);
	world_free(w);
}

static void ttl_and_tos(void **state)
{
	struct world *w = world_new(true);
	struct box *s = box_bound(w->b, "::", 7), *c = box_udp(w->a, AF_INET6);
	struct nsock_meta meta = {.to = name_of("fd00::2", 7), .ttl = 9, .tos = 0x2e << 2, .flags = NSOCK_META_TOS};
	struct iovec iov = {"x", 1};

	c->s->opt.ttl = 17;
	c->s->opt.tos = 0x10;
	box_send(c, "10.0.0.2", 7, "x", 1);
	world_run(w);
	assert_int_equal(s->first->meta.ttl, 17);
	assert_int_equal(s->first->meta.tos, 0x10);
	box_expect(s, "x", 1, NULL);
	c->s->ops->send(c->s, &meta, &iov, 1);
	world_run(w);
	assert_int_equal(s->first->meta.ttl, 9);
	assert_int_equal(s->first->meta.tos, 0x2e << 2);
	assert_int_equal(s->first->meta.ifindex, w->eb->index);
	box_expect(s, "x", 1, "fd00::1");
	/* Too few hops left for who set a least. */
	s->s->opt.minttl_set = true;
	s->s->opt.minttl = 60;
	box_send(c, "10.0.0.2", 7, "x", 1);
	world_run(w);
	assert_null(s->first);
	box_free(s);
	box_free(c);
	world_free(w);
}

static void source_choice(void **state)
{
	struct world *w = world_new(true);
	struct box *s = box_bound(w->b, "0.0.0.0", 7), *c = box_udp(w->a, AF_INET);
	struct nsock_meta meta = {.to = name_of("10.0.0.2", 7), .from = name_of("10.0.0.77", 0)};
	struct iovec iov = {"x", 1};

	assert_int_equal(c->s->ops->send(c->s, &meta, &iov, 1), -EINVAL); /* not ours */
	world_addr(w->ea, "10.0.0.77/24");
	assert_int_equal(c->s->ops->send(c->s, &meta, &iov, 1), 1);
	world_run(w);
	box_expect(s, "x", 1, "10.0.0.77");
	box_send(c, "10.0.0.2", 7, "x", 1);
	world_run(w);
	box_expect(s, "x", 1, "10.0.0.1");
	box_free(s);
	box_free(c);
	world_free(w);
}

static void shut(void **state)
{
	struct world *w = world_new(true);
	struct box *c = box_udp(w->a, AF_INET);

	assert_int_equal(c->s->ops->shutdown(c->s, true, true), -ENOTCONN);
	connect_to(c, "10.0.0.2", 7);
	assert_int_equal(c->s->ops->shutdown(c->s, true, true), 0);
	assert_int_equal(c->s->ops->poll(c->s) & (NSOCK_HUP | NSOCK_IN), NSOCK_HUP | NSOCK_IN);
	assert_int_equal(box_send(c, NULL, 0, "x", 1), -EPIPE);
	box_free(c);
	world_free(w);
}

/* A lossy, reordering, doubling wire loses, reorders and doubles; nothing else happens. */
static void bad_wire(void **state)
{
	struct mempair_faults f = {.loss_ppm = 100000, .dup_ppm = 50000, .reorder_ppm = 50000, .reorder_ms = 20,
				   .corrupt_ppm = 50000, .delay_ms = 5, .jitter_ms = 3};
	struct world *w = world_new(true);
	struct box *s = box_bound(w->b, "0.0.0.0", 7), *c = box_udp(w->a, AF_INET);
	unsigned got = 0;
	struct got *g;

	box_send(c, "10.0.0.2", 7, big, 100);
	world_run(w);
	free(box_take(s));
	mempair_set_faults(w->wire, 0, &f);
	for (unsigned i = 0; i < 2000; i++) {
		memset(big, (int)(i & 0xff), 3000);
		assert_int_equal(box_send(c, "10.0.0.2", 7, big, 3000), 3000);
		world_pass(w, 10);
	}
	world_pass(w, 60000);
	while ((g = box_take(s))) {
		assert_int_equal(g->size, 3000);
		for (unsigned i = 1; i < g->size; i++)
			assert_int_equal(g->data[i], g->data[0]);
		got++;
		free(g);
	}
	assert_in_range(got, 800, 1900);
	box_free(s);
	box_free(c);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(loopback),    cmocka_unit_test(wire),	       cmocka_unit_test(conflicts),
		cmocka_unit_test(free_ports),  cmocka_unit_test(best_match),   cmocka_unit_test(connected_filters),
		cmocka_unit_test(reuseport),   cmocka_unit_test(dual_stack),   cmocka_unit_test(broadcast),
		cmocka_unit_test(segments),    cmocka_unit_test(sizes),	       cmocka_unit_test(cork),
		cmocka_unit_test(lite),	       cmocka_unit_test(full_buffer),  cmocka_unit_test(bound_device),
		cmocka_unit_test(ttl_and_tos), cmocka_unit_test(source_choice), cmocka_unit_test(shut),
		cmocka_unit_test(bad_wire),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
