/* Multicast on the loopback interface: memberships and their errors, source filters, loops, both families. */
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "../say.h"

static int socket_on(int family, unsigned port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	struct sockaddr_in6 a6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
	int fd = (int)MUST(socket(family, SOCK_DGRAM | SOCK_NONBLOCK, 0)), one = 1;

	MUST(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)));
	if (port)
		MUST(bind(fd, family == AF_INET ? (void *)&a : (void *)&a6, family == AF_INET ? sizeof(a) : sizeof(a6)));
	return fd;
}

static int mreq(int fd, int name, const char *group, int ifindex)
{
	struct ip_mreqn m = {.imr_multiaddr.s_addr = inet_addr(group), .imr_ifindex = ifindex};

	return setsockopt(fd, IPPROTO_IP, name, &m, sizeof(m));
}

static int source(int fd, int name, const char *group, const char *src)
{
	struct ip_mreq_source m;

	m.imr_multiaddr.s_addr = inet_addr(group);
	m.imr_sourceaddr.s_addr = inet_addr(src);
	m.imr_interface.s_addr = htonl(INADDR_LOOPBACK);
	return setsockopt(fd, IPPROTO_IP, name, &m, sizeof(m));
}

static void send_to(int fd, const char *group, unsigned port, const char *text)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = inet_addr(group)};

	MUST(sendto(fd, text, strlen(text), 0, (void *)&a, sizeof(a)));
}

static void heard(const char *who, int fd)
{
	char buf[64] = "";
	ssize_t n = -1;

	for (int i = 0; i < 15 && n < 0; i++) {
		n = recv(fd, buf, sizeof(buf) - 1, 0);
		if (n < 0)
			sleep_ms(10);
	}
	printf("%s hears: %s\n", who, n < 0 ? "nothing" : buf);
}

static void four(int lo)
{
	int a = socket_on(AF_INET, 5900), b = socket_on(AF_INET, 5900), s = socket_on(AF_INET, 0), off = 0, v = 0;
	struct ip_mreqn out = {.imr_ifindex = lo};
	struct in_addr addr = {htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof(v);

	MUST(setsockopt(s, IPPROTO_IP, IP_MULTICAST_IF, &out, sizeof(out)));
	send_to(s, "239.1.1.1", 5900, "before");
	heard("a", a);
	SAY(mreq(a, IP_ADD_MEMBERSHIP, "239.1.1.1", lo));
	SAY_AS("again", mreq(a, IP_ADD_MEMBERSHIP, "239.1.1.1", lo));
	SAY_AS("no group", mreq(a, IP_ADD_MEMBERSHIP, "10.0.0.1", lo));
	SAY_AS("no such interface", mreq(a, IP_ADD_MEMBERSHIP, "239.1.1.2", 4711));
	SAY_AS("too short", setsockopt(a, IPPROTO_IP, IP_ADD_MEMBERSHIP, &out, 4));
	send_to(s, "239.1.1.1", 5900, "joined");
	heard("a", a);
	heard("b, which did not join", b);
	SAY(setsockopt(b, IPPROTO_IP, IP_MULTICAST_ALL, &off, sizeof(off)));
	send_to(s, "239.1.1.1", 5900, "not to all");
	heard("a", a);
	heard("b", b);
	SAY(mreq(a, IP_DROP_MEMBERSHIP, "239.1.1.1", lo));
	SAY_AS("again", mreq(a, IP_DROP_MEMBERSHIP, "239.1.1.1", lo));
	send_to(s, "239.1.1.1", 5900, "after");
	heard("a", a);
	SAY(getsockopt(s, IPPROTO_IP, IP_MULTICAST_TTL, &v, &n));
	printf("ttl %d\n", v);
	v = 9;
	SAY(setsockopt(s, IPPROTO_IP, IP_MULTICAST_TTL, &v, sizeof(v)));
	v = 256;
	SAY(setsockopt(s, IPPROTO_IP, IP_MULTICAST_TTL, &v, sizeof(v)));
	SAY(setsockopt(s, IPPROTO_IP, IP_MULTICAST_IF, &addr, sizeof(addr)));
	addr.s_addr = inet_addr("9.9.9.9");
	SAY_AS("not ours", setsockopt(s, IPPROTO_IP, IP_MULTICAST_IF, &addr, sizeof(addr)));
	close(a);
	close(b);
	close(s);
}

static void sources(int lo)
{
	int a = socket_on(AF_INET, 5901), s = socket_on(AF_INET, 0), s9 = socket_on(AF_INET, 0);
	struct sockaddr_in nine = {.sin_family = AF_INET, .sin_addr.s_addr = inet_addr("127.0.0.9")};
	struct ip_mreqn out = {.imr_ifindex = lo};

	MUST(bind(s9, (void *)&nine, sizeof(nine)));
	MUST(setsockopt(s, IPPROTO_IP, IP_MULTICAST_IF, &out, sizeof(out)));
	MUST(setsockopt(s9, IPPROTO_IP, IP_MULTICAST_IF, &out, sizeof(out)));
	SAY(source(a, IP_ADD_SOURCE_MEMBERSHIP, "232.1.1.1", "127.0.0.9"));
	SAY_AS("again", source(a, IP_ADD_SOURCE_MEMBERSHIP, "232.1.1.1", "127.0.0.9"));
	SAY_AS("the other way", source(a, IP_BLOCK_SOURCE, "232.1.1.1", "127.0.0.9"));
	send_to(s, "232.1.1.1", 5901, "from another");
	heard("a", a);
	send_to(s9, "232.1.1.1", 5901, "from nine");
	heard("a", a);
	SAY(source(a, IP_DROP_SOURCE_MEMBERSHIP, "232.1.1.1", "127.0.0.9"));
	SAY(mreq(a, IP_ADD_MEMBERSHIP, "239.2.2.2", lo));
	SAY(source(a, IP_BLOCK_SOURCE, "239.2.2.2", "127.0.0.9"));
	SAY_AS("again", source(a, IP_BLOCK_SOURCE, "239.2.2.2", "127.0.0.9"));
	send_to(s9, "239.2.2.2", 5901, "blocked");
	heard("a", a);
	SAY(source(a, IP_UNBLOCK_SOURCE, "239.2.2.2", "127.0.0.9"));
	send_to(s9, "239.2.2.2", 5901, "unblocked");
	heard("a", a);
	close(a);
	close(s);
	close(s9);
}

static void six(int lo)
{
	struct group_req g = {.gr_interface = (unsigned)lo};
	struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_port = htons(5902), .sin6_scope_id = (unsigned)lo};
	int a = socket_on(AF_INET6, 5902), s = socket_on(AF_INET6, 0);

	inet_pton(AF_INET6, "ff02::1234", &to.sin6_addr);
	memcpy(&g.gr_group, &to, sizeof(to));
	SAY(setsockopt(a, IPPROTO_IPV6, MCAST_JOIN_GROUP, &g, sizeof(g)));
	SAY_AS("again", setsockopt(a, IPPROTO_IPV6, MCAST_JOIN_GROUP, &g, sizeof(g)));
	/* Loopback has no route for groups of IPv6. */
	SAY(sendto(s, "six", 3, 0, (void *)&to, sizeof(to)));
	heard("a", a);
	SAY(setsockopt(a, IPPROTO_IPV6, MCAST_LEAVE_GROUP, &g, sizeof(g)));
	SAY_AS("again", setsockopt(a, IPPROTO_IPV6, MCAST_LEAVE_GROUP, &g, sizeof(g)));
	close(a);
	close(s);
}

int main(void)
{
	int lo = (int)if_nametoindex("lo");

	four(lo);
	sources(lo);
	six(lo);
	return 0;
}
