/* rtnetlink and sock_diag as a program meets them: what a dump says of a stack, what changes do, how errors are told,
 * and that malformed requests do no harm. */
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/inet_diag.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <net/if.h>
#include <stdio.h>

#include "netd/ether/neigh.h"
#include "netd/netlink/netlink.h"
#include "netd/proc/proc.h"
#include "world.h"

struct answers {
	uint8_t data[256 * 1024];
	size_t size, largest;
	unsigned datagrams;
	uint32_t groups;
};
static struct answers got;

static void emit(void *arg, uint32_t group, const void *data, size_t size)
{
	(void)arg;
	assert_true(got.size + size <= sizeof(got.data));
	memcpy(got.data + got.size, data, size);
	got.size += NLMSG_ALIGN(size);
	got.datagrams++;
	got.groups |= 1u << group;
	if (size > got.largest)
		got.largest = size;
}

static struct {
	union {
		struct nlmsghdr h;
		uint8_t buf[1024];
	};
} rq;

static void begin(uint16_t type, uint16_t flags, const void *body, size_t size)
{
	memset(&rq, 0, sizeof(rq));
	rq.h.nlmsg_type = type;
	rq.h.nlmsg_flags = NLM_F_REQUEST | flags;
	rq.h.nlmsg_seq = 99;
	rq.h.nlmsg_len = (uint32_t)NLMSG_LENGTH(size);
	memcpy(NLMSG_DATA(&rq.h), body, size);
}

static void put(uint16_t type, const void *data, size_t size)
{
	struct rtattr *a = (struct rtattr *)(void *)(rq.buf + NLMSG_ALIGN(rq.h.nlmsg_len));

	a->rta_type = type;
	a->rta_len = (uint16_t)RTA_LENGTH(size);
	memcpy(RTA_DATA(a), data, size);
	rq.h.nlmsg_len = NLMSG_ALIGN(rq.h.nlmsg_len) + (uint32_t)RTA_SPACE(size);
}

static void ask(struct world *w, int protocol, uint32_t flags)
{
	got.size = got.datagrams = got.groups = 0;
	got.largest = 0;
	assert_int_equal(netlink_request(w->a, protocol, 4711, flags, rq.buf, rq.h.nlmsg_len, emit, NULL), 0);
}

/* The i-th message of a type, or NULL. */
static struct nlmsghdr *message(uint16_t type, unsigned i)
{
	size_t at = 0;

	while (at + sizeof(struct nlmsghdr) <= got.size) {
		struct nlmsghdr *h = (struct nlmsghdr *)(void *)(got.data + at);

		assert_true(h->nlmsg_len >= sizeof(*h) && at + h->nlmsg_len <= got.size);
		if (h->nlmsg_type == type && !i--)
			return h;
		at += NLMSG_ALIGN(h->nlmsg_len);
	}
	return NULL;
}

static void *attr(struct nlmsghdr *h, size_t header, unsigned type, size_t *ret_size)
{
	struct rtattr *a = (struct rtattr *)(void *)((uint8_t *)h + NLMSG_SPACE(header));
	size_t left = h->nlmsg_len - NLMSG_SPACE(header);

	for (; RTA_OK(a, left); a = RTA_NEXT(a, left)) {
		if ((a->rta_type & NLA_TYPE_MASK) == type) {
			if (ret_size)
				*ret_size = RTA_PAYLOAD(a);
			return RTA_DATA(a);
		}
	}
	return NULL;
}

static int error(void)
{
	struct nlmsghdr *h = message(NLMSG_ERROR, 0);

	assert_non_null(h);
	assert_int_equal(h->nlmsg_seq, 99);
	assert_int_equal(h->nlmsg_pid, 4711);
	return ((struct nlmsgerr *)NLMSG_DATA(h))->error;
}

static void links(void **state)
{
	struct world *w = world_new(true);
	const struct ifinfomsg all = {0};
	struct nlmsghdr *h;
	size_t size;
	uint32_t mtu = 1400;

	(void)state;
	begin(RTM_GETLINK, NLM_F_DUMP, &all, sizeof(all));
	ask(w, NETLINK_ROUTE, 0);
	h = message(RTM_NEWLINK, 0);
	assert_non_null(h);
	assert_string_equal(attr(h, sizeof(all), IFLA_IFNAME, NULL), "lo");
	assert_true(h->nlmsg_flags & NLM_F_MULTI);
	h = message(RTM_NEWLINK, 1);
	assert_string_equal(attr(h, sizeof(all), IFLA_IFNAME, NULL), "eth0");
	assert_memory_equal(attr(h, sizeof(all), IFLA_ADDRESS, &size), world_mac_a, 6);
	assert_int_equal(size, 6);
	assert_null(message(RTM_NEWLINK, 2));
	assert_non_null(message(NLMSG_DONE, 0));
	assert_true(got.largest <= 4096);

	/* a change needs the right, and is seen afterwards */
	begin(RTM_NEWLINK, NLM_F_ACK, &(struct ifinfomsg){.ifi_index = w->ea->index}, sizeof(all));
	put(IFLA_MTU, &mtu, 4);
	ask(w, NETLINK_ROUTE, 0);
	assert_int_equal(error(), -EPERM);
	ask(w, NETLINK_ROUTE, NETLINK_MAY_ADMIN);
	assert_int_equal(error(), 0);
	assert_int_equal(w->ea->mtu, 1400);
	mtu = 10;
	begin(RTM_NEWLINK, NLM_F_ACK, &(struct ifinfomsg){.ifi_index = w->ea->index}, sizeof(all));
	put(IFLA_MTU, &mtu, 4);
	ask(w, NETLINK_ROUTE, NETLINK_MAY_ADMIN | NETLINK_EXT_ACKS);
	assert_int_equal(error(), -EINVAL);
	h = message(NLMSG_ERROR, 0);
	assert_true(h->nlmsg_flags & NLM_F_ACK_TLVS);
	begin(RTM_NEWLINK, NLM_F_ACK, &(struct ifinfomsg){.ifi_index = w->ea->index, .ifi_change = IFF_UP},
	      sizeof(all));
	ask(w, NETLINK_ROUTE, NETLINK_MAY_ADMIN);
	assert_int_equal(error(), 0);
	assert_false(w->ea->flags & IFF_UP);
	begin(RTM_GETLINK, 0, &all, sizeof(all));
	put(IFLA_IFNAME, "none", 5);
	ask(w, NETLINK_ROUTE, 0);
	assert_int_equal(error(), -ENODEV);
	world_free(w);
}

static void addresses(void **state)
{
	struct world *w = world_new(true);
	const uint8_t ip[4] = {10, 9, 9, 9};
	struct ifaddrmsg ifa = {.ifa_family = AF_INET, .ifa_prefixlen = 16, .ifa_index = (uint32_t)w->ea->index};
	const struct ifaddrmsg any = {0};
	struct netlink_monitor mon;
	unsigned before = 0;

	(void)state;
	begin(RTM_GETADDR, NLM_F_DUMP, &any, sizeof(any));
	ask(w, NETLINK_ROUTE, 0);
	while (message(RTM_NEWADDR, before))
		before++;
	assert_true(before >= 3); /* 127.0.0.1, 10.0.0.1, fd00::1... */
	netlink_monitor_start(&mon, w->a, emit, NULL);
	begin(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, &ifa, sizeof(ifa));
	put(IFA_LOCAL, ip, 4);
	ask(w, NETLINK_ROUTE, NETLINK_MAY_ADMIN);
	assert_int_equal(error(), 0);
	assert_true(got.groups & 1u << RTNLGRP_IPV4_IFADDR);
	assert_true(got.groups & 1u << RTNLGRP_IPV4_ROUTE);
	ask(w, NETLINK_ROUTE, NETLINK_MAY_ADMIN);
	assert_int_equal(error(), -EEXIST);
	begin(RTM_DELADDR, NLM_F_ACK, &ifa, sizeof(ifa));
	put(IFA_LOCAL, ip, 4);
	ask(w, NETLINK_ROUTE, NETLINK_MAY_ADMIN);
	assert_int_equal(error(), 0);
	ask(w, NETLINK_ROUTE, NETLINK_MAY_ADMIN);
	assert_int_equal(error(), -EADDRNOTAVAIL);
	netlink_monitor_stop(&mon);
	ifa.ifa_index = 77;
	begin(RTM_NEWADDR, NLM_F_ACK, &ifa, sizeof(ifa));
	put(IFA_LOCAL, ip, 4);
	ask(w, NETLINK_ROUTE, NETLINK_MAY_ADMIN);
	assert_int_equal(error(), -ENODEV);
	world_free(w);
}

static void routes(void **state)
{
	struct world *w = world_new(true);
	struct rtmsg rtm = {.rtm_family = AF_INET, .rtm_dst_len = 16, .rtm_table = RT_TABLE_MAIN,
			    .rtm_protocol = RTPROT_BOOT, .rtm_type = RTN_UNICAST};
	const uint8_t net[4] = {10, 50, 0, 0}, gw[4] = {10, 0, 0, 2}, bad[4] = {10, 77, 0, 2}, host[4] = {10, 50, 1, 1};
	const struct fib_rule_hdr frh = {.family = AF_INET};
	struct nlmsghdr *h;

	(void)state;
	begin(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, &rtm, sizeof(rtm));
	put(RTA_DST, net, 4);
	put(RTA_GATEWAY, bad, 4);
	ask(w, NETLINK_ROUTE, NETLINK_MAY_ADMIN);
	assert_int_equal(error(), -ENETUNREACH);
	begin(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, &rtm, sizeof(rtm));
	put(RTA_DST, net, 4);
	put(RTA_GATEWAY, gw, 4);
	ask(w, NETLINK_ROUTE, NETLINK_MAY_ADMIN);
	assert_int_equal(error(), 0);
	begin(RTM_GETROUTE, 0, &(struct rtmsg){.rtm_family = AF_INET, .rtm_dst_len = 32}, sizeof(rtm));
	put(RTA_DST, host, 4);
	ask(w, NETLINK_ROUTE, 0);
	h = message(RTM_NEWROUTE, 0);
	assert_non_null(h);
	assert_memory_equal(attr(h, sizeof(rtm), RTA_GATEWAY, NULL), gw, 4);
	assert_int_equal(*(uint32_t *)attr(h, sizeof(rtm), RTA_OIF, NULL), w->ea->index);
	begin(RTM_GETROUTE, NLM_F_DUMP, &(struct rtmsg){.rtm_family = AF_INET}, sizeof(rtm));
	ask(w, NETLINK_ROUTE, 0);
	assert_non_null(message(RTM_NEWROUTE, 3));
	begin(RTM_DELROUTE, NLM_F_ACK, &rtm, sizeof(rtm));
	put(RTA_DST, net, 4);
	ask(w, NETLINK_ROUTE, NETLINK_MAY_ADMIN);
	assert_int_equal(error(), 0);
	ask(w, NETLINK_ROUTE, NETLINK_MAY_ADMIN);
	assert_int_equal(error(), -ESRCH);
	begin(RTM_GETRULE, NLM_F_DUMP, &frh, sizeof(frh));
	ask(w, NETLINK_ROUTE, 0);
	assert_non_null(message(RTM_NEWRULE, 2)); /* local, main, default */
	assert_null(message(RTM_NEWRULE, 3));
	world_free(w);
}

static void neighbours(void **state)
{
	struct world *w = world_new(true);
	struct ndmsg ndm = {.ndm_family = AF_INET, .ndm_ifindex = w->ea->index, .ndm_state = NUD_PERMANENT};
	const uint8_t ip[4] = {10, 0, 0, 9}, mac[6] = {2, 0, 0, 0, 0, 9};
	struct ip_addr a = addr_of("10.0.0.9");
	struct nlmsghdr *h;

	(void)state;
	begin(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE | NLM_F_ACK, &ndm, sizeof(ndm));
	put(NDA_DST, ip, 4);
	put(NDA_LLADDR, mac, 6);
	ask(w, NETLINK_ROUTE, NETLINK_MAY_ADMIN);
	assert_int_equal(error(), 0);
	assert_non_null(neigh_find(w->ea, &a));
	begin(RTM_GETNEIGH, NLM_F_DUMP, &(struct ndmsg){0}, sizeof(ndm));
	ask(w, NETLINK_ROUTE, 0);
	h = message(RTM_NEWNEIGH, 0);
	assert_non_null(h);
	assert_memory_equal(attr(h, sizeof(ndm), NDA_LLADDR, NULL), mac, 6);
	begin(RTM_DELNEIGH, NLM_F_ACK, &ndm, sizeof(ndm));
	put(NDA_DST, ip, 4);
	ask(w, NETLINK_ROUTE, NETLINK_MAY_ADMIN);
	assert_int_equal(error(), 0);
	world_free(w);
}

static void sockets(void **state)
{
	struct world *w = world_new(true);
	struct box b = {0};
	struct nsock_name n = {.addr = addr_of("10.0.0.1"), .port = htons(5353)};
	const struct inet_diag_req_v2 req = {.sdiag_family = AF_INET, .sdiag_protocol = IPPROTO_UDP,
					     .idiag_states = UINT32_MAX};
	/* sport = :5353, as ss writes it */
	struct inet_diag_bc_op code[] = {
		{INET_DIAG_BC_S_EQ, 8, 12}, {0, 0, 5353},
	};
	struct inet_diag_msg *m;
	struct text text;

	(void)state;
	assert_int_equal(udp_create(w->a, AF_INET, false, &box_up, &b, &b.s), 0);
	b.s->opt.uid = 33;
	b.s->opt.inode = 12345;
	assert_int_equal(b.s->ops->bind(b.s, &n), 0);
	begin(SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, &req, sizeof(req));
	put(INET_DIAG_REQ_BYTECODE, code, sizeof(code));
	ask(w, NETLINK_SOCK_DIAG, 0);
	assert_non_null(message(SOCK_DIAG_BY_FAMILY, 0));
	m = NLMSG_DATA(message(SOCK_DIAG_BY_FAMILY, 0));
	assert_int_equal(m->id.idiag_sport, htons(5353));
	assert_int_equal(m->idiag_uid, 33);
	assert_int_equal(m->idiag_inode, 12345);
	code[1].no = 5354;
	begin(SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, &req, sizeof(req));
	put(INET_DIAG_REQ_BYTECODE, code, sizeof(code));
	ask(w, NETLINK_SOCK_DIAG, 0);
	assert_null(message(SOCK_DIAG_BY_FAMILY, 0));
	assert_int_equal(netproc_show(w->a, "udp", &text), 0);
	assert_non_null(strstr(text.buf, " 0100000A:14E9 00000000:0000 07 "));
	assert_non_null(strstr(text.buf, " 12345 "));
	text_done(&text);
	nsock_close(b.s, false);
	world_free(w);
}

static void hostile(void **state)
{
	struct world *w = world_new(true);
	static const uint16_t types[] = {RTM_NEWLINK, RTM_GETLINK, RTM_NEWADDR, RTM_DELADDR, RTM_NEWROUTE, RTM_GETROUTE,
					 RTM_DELROUTE, RTM_NEWNEIGH, RTM_GETNEIGH, RTM_NEWRULE, RTM_DELRULE,
					 SOCK_DIAG_BY_FAMILY, SOCK_DESTROY};
	uint32_t seed = 12345;

	(void)state;
	for (unsigned round = 0; round < 40000; round++) {
		size_t size = 16 + (seed >> 8) % 200;

		memset(&rq, 0, sizeof(rq));
		for (size_t i = 0; i < size; i++) {
			seed = seed * 1664525 + 1013904223;
			rq.buf[i] = (seed >> 24) % 3 ? (uint8_t)(seed >> 16) % 20 : (uint8_t)(seed >> 16);
		}
		rq.h.nlmsg_len = (uint32_t)size;
		rq.h.nlmsg_type = types[round % (sizeof(types) / sizeof(types[0]))];
		rq.h.nlmsg_flags |= NLM_F_REQUEST;
		if (rq.h.nlmsg_type != RTM_NEWLINK || round % 3)
			((struct ifinfomsg *)NLMSG_DATA(&rq.h))->ifi_index = w->ea->index;
		got.size = 0;
		netlink_request(w->a, round % 13 >= 11 ? NETLINK_SOCK_DIAG : NETLINK_ROUTE, 1, NETLINK_MAY_ADMIN | 0xf0, rq.buf,
				size, emit, NULL);
	}
	world_free(w);
}

static void files(void **state)
{
	static const char *const names[] = {"tcp", "tcp6", "udp", "udp6", "raw", "packet", "dev", "route", "ipv6_route", "arp",
					    "if_inet6", "snmp", "snmp6", "netstat", "sockstat", "sockstat6", "protocols",
					    "icmp"};
	struct world *w = world_new(true);
	struct text text;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_int_equal(netproc_show(w->a, names[i], &text), 0);
		assert_true(text.size > 0);
		assert_int_equal(text.buf[text.size - 1], '\n');
		text_done(&text);
	}
	assert_int_equal(netproc_show(w->a, "nonsense", &text), -ENOENT);
	assert_int_equal(netproc_sysctl_read(w->a, "ipv4/ip_local_port_range", &text), 0);
	assert_string_equal(text.buf, "32768\t60999\n");
	text_done(&text);
	assert_int_equal(netproc_sysctl_write(w->a, "ipv4/ip_local_port_range", "1000 2000\n", 10), 0);
	assert_int_equal(netproc_sysctl_write(w->a, "ipv4/ip_local_port_range", "1000 x\n", 7), -EINVAL);
	assert_int_equal(netproc_sysctl_write(w->a, "ipv4/tcp_congestion_control", "reno\n", 5), 0);
	assert_int_equal(netproc_sysctl_read(w->a, "ipv4/tcp_congestion_control", &text), 0);
	assert_string_equal(text.buf, "reno\n");
	text_done(&text);
	assert_int_equal(netproc_sysctl_write(w->a, "ipv4/conf/eth0/rp_filter", "2", 1), 0);
	assert_int_equal(netproc_sysctl_read(w->a, "ipv4/conf/eth0/rp_filter", &text), 0);
	assert_string_equal(text.buf, "2\n");
	text_done(&text);
	assert_int_equal(netproc_sysctl_write(w->a, "ipv4/conf/eth9/rp_filter", "2", 1), -ENOENT);
	world_free(w);
}

static struct {
	size_t bytes;
	unsigned busy;
} flood;

static void count_flood(void *arg, uint32_t group, const void *data, size_t size)
{
	const struct nlmsghdr *h = data;

	(void)arg;
	(void)group;
	flood.bytes += size;
	if (h->nlmsg_type == NLMSG_ERROR)
		flood.busy += ((const struct nlmsgerr *)NLMSG_DATA(h))->error == -EBUSY;
}

/* A datagram full of requests for dumps is not answered with a thousand times its size. */
static void many_dumps(void **state)
{
	enum { COUNT = 3000, ONE = NLMSG_LENGTH(sizeof(struct ifinfomsg)) };
	struct world *w = world_new(true);
	uint8_t *all = calloc(COUNT, ONE);

	(void)state;
	for (unsigned i = 0; i < COUNT; i++) {
		const struct nlmsghdr h = {.nlmsg_len = ONE, .nlmsg_type = RTM_GETLINK,
					   .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP, .nlmsg_seq = i};

		memcpy(all + i * ONE, &h, sizeof(h));
	}
	assert_int_equal(netlink_request(w->a, NETLINK_ROUTE, 1, 0, all, COUNT * ONE, count_flood, NULL), 0);
	assert_true(flood.bytes < 2 << 20);
	assert_true(flood.busy > 0);
	free(all);
	world_free(w);
}

/* A route over a gateway, without an interface, which says that it is the kernel's own. */
static void route_of_the_kernel(void **state)
{
	const struct rtmsg rtm = {.rtm_family = AF_INET, .rtm_dst_len = 24, .rtm_table = RT_TABLE_MAIN,
				  .rtm_protocol = RTPROT_KERNEL, .rtm_type = RTN_UNICAST};
	struct world *w = world_new(true);
	struct ip_flow flow = {.dst = addr_of("192.0.2.7")};
	struct ip_addr to = addr_of("192.0.2.0"), via = addr_of("10.0.0.2");
	struct ip_route r;

	(void)state;
	begin(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_ACK, &rtm, sizeof(rtm));
	put(RTA_DST, &to.v4, 4);
	put(RTA_GATEWAY, &via.v4, 4);
	ask(w, NETLINK_ROUTE, NETLINK_MAY_ADMIN);
	assert_int_equal(ip_route_lookup(w->a, &flow, &r), 0);
	assert_ptr_equal(r.out, w->ea);
	world_free(w);
}

/* An address whose time is over takes the others of its subnet with it. */
static void end_of_a_subnet(void **state)
{
	const struct ifa_cacheinfo ci = {.ifa_prefered = 1, .ifa_valid = 1};
	struct world *w = world_new(true);
	struct ifaddrmsg ifa = {.ifa_family = AF_INET, .ifa_prefixlen = 24, .ifa_index = (unsigned)w->ea->index};
	struct netif_addr *a;

	(void)state;
	for (unsigned i = 1; i < 5; i++) {
		struct ip_addr addr = addr_of("192.0.2.0");

		((uint8_t *)&addr.v4)[3] = (uint8_t)i;
		begin(RTM_NEWADDR, NLM_F_CREATE, &ifa, sizeof(ifa));
		put(IFA_LOCAL, &addr.v4, 4);
		if (i == 1)
			put(IFA_CACHEINFO, &ci, sizeof(ci));
		ask(w, NETLINK_ROUTE, NETLINK_MAY_ADMIN);
	}
	world_pass(w, 3000);
	LIST_FOR_EACH (a, &w->ea->addrs, node)
		assert_true(a->addr.family != AF_INET || a->addr.v4 == addr_of("10.0.0.1").v4);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(links), cmocka_unit_test(addresses), cmocka_unit_test(routes),
		cmocka_unit_test(neighbours), cmocka_unit_test(sockets), cmocka_unit_test(hostile),
		cmocka_unit_test(files),
		cmocka_unit_test(many_dumps),
		cmocka_unit_test(route_of_the_kernel), cmocka_unit_test(end_of_a_subnet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
