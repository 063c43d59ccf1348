/* The stack's IP layers against the host's, over a TAP: each resolves the other, answers its echoes, takes its fragments,
 * hears its errors, its groups, its advertisements; with checksums and fragments made by both. */
#include "world.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "netd/ether/neigh.h"
#include "netd/ip/v6_priv.h"
#include "relay.h"

static struct netstack *st;
static struct relay *r;
static uint8_t pattern[65536], buf[65536 + 100];

static uint64_t mono_ns(void *arg)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static uint64_t real_ns(void *arg)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void rnd(void *arg, void *b, size_t size)
{
	if (getrandom(b, size, 0) != (ssize_t)size)
		abort();
}

static void turn(void)
{
	struct pollfd p = {relay_fd(r), POLLIN, 0};
	struct timespec ts = {0, 1000000};
	bool moved;

	netstack_tick(st);
	moved = relay_run(r, mono_ns(NULL) / 1000);
	netstack_run(st);
	if (!moved)
		ppoll(&p, 1, &ts, NULL);
}

/* Until the condition holds, at most ten seconds. */
#define UNTIL(cond)                                                             \
	do {                                                                    \
		uint64_t begin_ = mono_ns(NULL);                                \
		while (!(cond) && mono_ns(NULL) - begin_ < 10000000000u)        \
			turn();                                                 \
		assert_true(cond);                                              \
	} while (0)

static void pass(unsigned ms)
{
	uint64_t begin = mono_ns(NULL);

	while (mono_ns(NULL) - begin < ms * UINT64_C(1000000))
		turn();
}

static void stack_up(uint32_t mtu, bool offload)
{
	struct netstack_env env = {mono_ns, real_ns, rnd, NULL};

	st = netstack_new(&env);
	assert_non_null(st);
	netif_set_up(netif_loopback(st), true);
	r = relay_new(st, "sbxtap0", mtu, offload);
	assert_non_null(r);
	world_addr(relay_netif(r), "10.77.0.1/24");
	world_addr(relay_netif(r), "fd77::1/64");
	if (system("ip link set lo up") < 0)
		fail();
	pass(50);
}

static int up(void **state)
{
	for (size_t i = 0; i < sizeof(pattern); i++)
		pattern[i] = (uint8_t)(i * 7 + i / 251);
	stack_up(1500, false);
	return 0;
}

static int down(void **state)
{
	netstack_free(st);
	relay_free(r);
	return 0;
}

static ssize_t hear(int fd, void *b, size_t n)
{
	ssize_t k = -1;

	for (uint64_t begin = mono_ns(NULL); k < 0 && mono_ns(NULL) - begin < 10000000000u;) {
		turn();
		k = recv(fd, b, n, MSG_DONTWAIT);
		if (k < 0 && errno != EAGAIN)
			return -errno;
	}
	return k;
}

static int host_udp(int family, unsigned port, unsigned peer)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	struct sockaddr_in6 a6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
	int fd = socket(family, SOCK_DGRAM, 0), size = 4 << 20;

	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (port)
		assert_int_equal(bind(fd, family == AF_INET ? (void *)&a : (void *)&a6, family == AF_INET ? sizeof(a) : sizeof(a6)), 0);
	if (peer) {
		a.sin_port = a6.sin6_port = htons((uint16_t)peer);
		inet_pton(AF_INET, "10.77.0.1", &a.sin_addr);
		inet_pton(AF_INET6, "fd77::1", &a6.sin6_addr);
		assert_int_equal(connect(fd, family == AF_INET ? (void *)&a : (void *)&a6,
					 family == AF_INET ? sizeof(a) : sizeof(a6)), 0);
	}
	return fd;
}

static void datagrams(int family)
{
	static const uint32_t sizes[] = {0, 1, 2, 100, 1400, 1472, 1473, 2000, 9000, 30000, 65507};
	const char *host = family == AF_INET ? "10.77.0.2" : "fd77::2";
	int fd = host_udp(family, 7000, 7001);
	struct box *b = box_bound(st, family == AF_INET ? "0.0.0.0" : "::", 7001);

	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
		assert_int_equal(send(fd, pattern, sizes[i], 0), sizes[i]);
		UNTIL(b->count == 1);
		box_expect(b, pattern, sizes[i], host);
		assert_int_equal(box_send(b, host, 7000, pattern, sizes[i]), sizes[i]);
		assert_int_equal(hear(fd, buf, sizeof(buf)), sizes[i]);
		assert_memory_equal(buf, pattern, sizes[i]);
	}
	close(fd);
	box_free(b);
}

static void udp4(void **state)
{
	datagrams(AF_INET);
}

static void udp6(void **state)
{
	datagrams(AF_INET6);
}

/* The host pings us, in one piece and in many. */
static void host_pings(void **state)
{
	static const uint32_t sizes[] = {8, 56, 1400, 4000, 60000};
	struct sockaddr_in a = {.sin_family = AF_INET};
	struct sockaddr_in6 a6 = {.sin6_family = AF_INET6};
	int fd = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP), fd6 = socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6);
	struct icmp6_filter f;
	uint16_t sum;
	ssize_t n;

	assert_true(fd >= 0 && fd6 >= 0);
	inet_pton(AF_INET, "10.77.0.1", &a.sin_addr);
	inet_pton(AF_INET6, "fd77::1", &a6.sin6_addr);
	ICMP6_FILTER_SETBLOCKALL(&f);
	ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &f);
	setsockopt(fd6, IPPROTO_ICMPV6, ICMP6_FILTER, &f, sizeof(f));
	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
		memcpy(buf, pattern, sizes[i]);
		memset(buf, 0, 8);
		buf[0] = ICMP_ECHO;
		put_be16(buf + 6, (uint16_t)i);
		sum = csum_fold(csum_partial(buf, sizes[i], 0));
		memcpy(buf + 2, &sum, 2);
		assert_int_equal(sendto(fd, buf, sizes[i], 0, (void *)&a, sizeof(a)), sizes[i]);
		n = hear(fd, buf, sizeof(buf));
		assert_int_equal(n, sizes[i] + 20);
		assert_int_equal(buf[20], ICMP_ECHOREPLY);
		assert_memory_equal(buf + 28, pattern + 8, sizes[i] - 8);
		memcpy(buf, pattern, sizes[i]);
		memset(buf, 0, 8);
		buf[0] = ICMP6_ECHO_REQUEST;
		assert_int_equal(sendto(fd6, buf, sizes[i], 0, (void *)&a6, sizeof(a6)), sizes[i]);
		n = hear(fd6, buf, sizeof(buf));
		assert_int_equal(n, sizes[i]);
		assert_memory_equal(buf + 8, pattern + 8, sizes[i] - 8);
	}
	close(fd);
	close(fd6);
}

/* And we the host. */
static void we_ping(void **state)
{
	static const uint32_t sizes[] = {8, 56, 1400, 4000, 60000};

	for (int v6 = 0; v6 < 2; v6++) {
		struct box *b = calloc(1, sizeof(*b));

		assert_int_equal(ping_create(st, v6 ? AF_INET6 : AF_INET, &box_up, b, &b->s), 0);
		for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
			struct got *g;

			memcpy(buf, pattern, sizes[i]);
			memset(buf, 0, 8);
			buf[0] = v6 ? 128 : 8;
			assert_int_equal(box_send(b, v6 ? "fd77::2" : "10.77.0.2", 0, buf, sizes[i]), sizes[i]);
			UNTIL(b->count == 1);
			g = box_take(b);
			assert_int_equal(g->size, sizes[i]);
			assert_int_equal(g->data[0], v6 ? 129 : 0);
			assert_memory_equal(g->data + 8, pattern + 8, sizes[i] - 8);
			free(g);
		}
		box_free(b);
	}
}

static void refused(void **state)
{
	for (int v6 = 0; v6 < 2; v6++) {
		int fd = host_udp(v6 ? AF_INET6 : AF_INET, 0, 7999);
		struct box *b = box_udp(st, v6 ? AF_INET6 : AF_INET);
		struct nsock_name n = name_of(v6 ? "fd77::2" : "10.77.0.2", 7998);

		assert_int_equal(send(fd, "x", 1, 0), 1);
		assert_int_equal(hear(fd, buf, sizeof(buf)), -ECONNREFUSED);
		assert_int_equal(b->s->ops->connect(b->s, &n), 0);
		assert_int_equal(box_send(b, NULL, 0, "x", 1), 1);
		UNTIL(b->s->err == ECONNREFUSED);
		close(fd);
		box_free(b);
	}
}

static bool host_runs(const char *cmd)
{
	return system(cmd) == 0;
}

/* A router with a narrow link behind it, and one that lets no packet live. */
static void path(void **state)
{
	struct fib_entry e = {.dst = addr_of("0.0.0.0"), .table = 254, .type = 1, .protocol = 3, .hop_count = 1,
			      .hop = {{.gateway = addr_of("10.77.0.2"), .weight = 1}}};
	struct box *b = box_udp(st, AF_INET);
	struct ip_flow f = {.dst = addr_of("10.99.0.5")};
	struct nsock_meta meta = {.to = name_of("10.99.0.5", 33434), .ttl = 1};
	struct iovec iov = {pattern, 40};
	struct ip_route route;
	struct got *g;

	if (!host_runs("ip tuntap add sbxdummy0 mode tap 2>/dev/null && ip link set sbxdummy0 mtu 1300 up && "
		       "ip addr add 10.99.0.1/16 dev sbxdummy0 && echo 1 >/proc/sys/net/ipv4/ip_forward")) {
		box_free(b);
		skip();
	}
	assert_int_equal(fib_add(st, &e, FIB_CREATE), 0);
	b->s->opt.recverr = true;
	b->s->opt.pmtudisc = 2;
	assert_int_equal(b->s->ops->send(b->s, &meta, &iov, 1), 40);
	UNTIL(b->count == 1);
	g = box_take(b);
	assert_int_equal(g->error.type, 11);
	assert_int_equal(g->error.err, EHOSTUNREACH);
	assert_int_equal(g->error.offender.v4, htonl(0x0a4d0002));
	free(g);
	nsock_take_error(b->s);
	assert_int_equal(box_send(b, "10.99.0.5", 33434, pattern, 1400), 1400);
	UNTIL(b->count >= 1);
	g = box_take(b);
	assert_int_equal(g->error.err, EMSGSIZE);
	assert_int_equal(g->error.info, 1300);
	free(g);
	assert_int_equal(ip_route_lookup(st, &f, &route), 0);
	assert_int_equal(route.mtu, 1300);
	assert_int_equal(box_send(b, "10.99.0.5", 33434, pattern, 1400), -EMSGSIZE);
	box_free(b);
	host_runs("ip link del sbxdummy0; echo 0 >/proc/sys/net/ipv4/ip_forward");
}

static void groups(void **state)
{
	struct ip_mreqn m = {.imr_multiaddr.s_addr = htonl(0xef4d0001), .imr_ifindex = (int)if_nametoindex("sbxtap0")};
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(7100), .sin_addr = m.imr_multiaddr};
	struct box *b = box_bound(st, "0.0.0.0", 7100);
	int fd = host_udp(AF_INET, 7100, 0);

	assert_int_equal(setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &m, sizeof(m)), 0);
	assert_int_equal(setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &m, sizeof(m)), 0);
	m.imr_ifindex = relay_netif(r)->index;
	assert_int_equal(b->s->ops->setopt(b->s, IPPROTO_IP, IP_ADD_MEMBERSHIP, &m, sizeof(m)), 0);
	b->s->opt.mc_if = m.imr_ifindex;
	b->s->opt.mc_loop = false;
	assert_int_equal(sendto(fd, "from the host", 13, 0, (void *)&a, sizeof(a)), 13);
	UNTIL(b->count == 1);
	box_expect(b, "from the host", 13, "10.77.0.2");
	while (recv(fd, buf, sizeof(buf), MSG_DONTWAIT) > 0) /* its own copy */
		;
	assert_int_equal(box_send(b, "239.77.0.1", 7100, "from us", 7), 7);
	assert_int_equal(hear(fd, buf, sizeof(buf)), 7);
	close(fd);
	box_free(b);
}

/* Link-local, and an address from the host's advertisement. */
static void autoconf(void **state)
{
	struct netif *nif = relay_netif(r);
	struct ip_addr prefix = addr_of("2001:db8:77::");
	struct sockaddr_in6 all = {.sin6_family = AF_INET6, .sin6_scope_id = if_nametoindex("sbxtap0")};
	int fd = socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6), hops = 255;
	uint8_t ra[48] = {134, 0, 0, 0, 64, 0, 0x07, 0x08};
	struct netif_addr *a, *found = NULL;
	struct box *b;
	int u;

	/* The interface was made silent. */
	nif->conf[NETIF_CONF_V6_ADDR_GEN_MODE] = 0;
	nif->conf[NETIF_CONF_V6_ACCEPT_RA] = 1;
	assert_int_equal(netif_set_up(nif, false), 0);
	assert_int_equal(netif_set_up(nif, true), 0);
	UNTIL(({
		bool ready = false;
		LIST_FOR_EACH(a, &nif->addrs, node)
			ready |= ip_addr_linklocal(&a->addr) && !(a->flags & IFA_F_TENTATIVE);
		ready;
	}));
	ra[16] = 3;
	ra[17] = 4;
	ra[18] = 64;
	ra[19] = 0xc0;
	put_be32(ra + 20, 3600);
	put_be32(ra + 24, 3600);
	memcpy(ra + 32, prefix.v6, 16);
	inet_pton(AF_INET6, "ff02::1", &all.sin6_addr);
	assert_int_equal(setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &hops, sizeof(hops)), 0);
	UNTIL(({
		/* Again and again: the host's own link-local address may be on trial still. */
		if (!found)
			(void)!sendto(fd, ra, sizeof(ra), 0, (void *)&all, sizeof(all));
		pass(300);
		LIST_FOR_EACH(a, &nif->addrs, node) {
			if (a->addr.family == AF_INET6 && ip_addr_prefix_equal(&a->addr, &prefix, 64) &&
			    !(a->flags & IFA_F_TENTATIVE))
				found = a;
		}
		found != NULL;
	}));
	assert_true(host_runs("ip -6 addr add 2001:db8:77::2/64 dev sbxtap0 nodad"));
	b = box_bound(st, "::", 7200);
	u = host_udp(AF_INET6, 7201, 0);
	all.sin6_port = htons(7200);
	all.sin6_scope_id = 0;
	memcpy(&all.sin6_addr, found->addr.v6, 16);
	assert_int_equal(sendto(u, "new address", 11, 0, (void *)&all, sizeof(all)), 11);
	UNTIL(b->count == 1);
	box_expect(b, "new address", 11, "2001:db8:77::2");
	close(u);
	close(fd);
	box_free(b);
}

/* The host tries to take an address that we have: it finds out. */
static void their_dad(void **state)
{
	FILE *p;
	char text[4096];
	size_t n;

	/* The relay made the host take addresses without asking. */
	assert_true(host_runs("echo 1 >/proc/sys/net/ipv6/conf/sbxtap0/accept_dad"));
	assert_true(host_runs("ip -6 addr add fd77::1/64 dev sbxtap0"));
	pass(2500);
	p = popen("ip -6 addr show dev sbxtap0 dadfailed", "r");
	assert_non_null(p);
	n = fread(text, 1, sizeof(text) - 1, p);
	text[n] = 0;
	pclose(p);
	assert_non_null(strstr(text, "fd77::1/64"));
	host_runs("ip -6 addr del fd77::1/64 dev sbxtap0");
}

/* Loss, order, doubles and damage on the way of fragments: what comes is whole and right. */
static void mishaps(void **state)
{
	struct mishaps m = {.loss_ppm = 20000, .dup_ppm = 50000, .reorder_ppm = 100000, .reorder_us = 5000,
			    .corrupt_ppm = 20000, .delay_us = 500};
	struct box *b = box_bound(st, "0.0.0.0", 7301);
	int fd = host_udp(AF_INET, 7300, 7301);
	unsigned here = 0, there = 0;
	struct got *g;

	relay_mishaps(r, true, &m);
	relay_mishaps(r, false, &m);
	for (unsigned i = 0; i < 300; i++) {
		uint32_t size = 100 + i * 20;

		(void)!send(fd, pattern, size, 0);
		box_send(b, "10.77.0.2", 7300, pattern, size);
		pass(5);
		while ((g = box_take(b))) {
			assert_memory_equal(g->data, pattern, g->size);
			here++;
			free(g);
		}
		for (;;) {
			ssize_t n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);

			if (n < 0)
				break;
			assert_memory_equal(buf, pattern, n);
			there++;
		}
	}
	assert_in_range(here, 150, 330);
	assert_in_range(there, 150, 330);
	close(fd);
	box_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(udp4, up, down),       cmocka_unit_test_setup_teardown(udp6, up, down),
		cmocka_unit_test_setup_teardown(host_pings, up, down), cmocka_unit_test_setup_teardown(we_ping, up, down),
		cmocka_unit_test_setup_teardown(refused, up, down),    cmocka_unit_test_setup_teardown(path, up, down),
		cmocka_unit_test_setup_teardown(groups, up, down),     cmocka_unit_test_setup_teardown(autoconf, up, down),
		cmocka_unit_test_setup_teardown(their_dad, up, down),  cmocka_unit_test_setup_teardown(mishaps, up, down),
	};

	if (geteuid() != 0 || access("/dev/net/tun", R_OK | W_OK) < 0 || unshare(CLONE_NEWNET) < 0) {
		fprintf(stderr, "skipped: it takes root and /dev/net/tun\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
