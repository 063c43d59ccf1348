/* IPV6_ADDRFORM: what a connection over IPv4 of an IPv6 socket needs for it, and what the socket is afterwards. */
#include "net.h"

static void show_name(int fd)
{
	struct sockaddr_storage ss;
	socklen_t n = sizeof(ss);
	int domain = 0;

	MUST(getsockname(fd, (struct sockaddr *)&ss, &n));
	printf("name: family %d size %u\n", ss.ss_family, n);
	n = sizeof(ss);
	if (SAY(getpeername(fd, (struct sockaddr *)&ss, &n)) == 0)
		printf("peer: family %d size %u\n", ss.ss_family, n);
	n = sizeof(domain);
	SAY(getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &n));
	printf("domain %d\n", domain);
}

static void refused(int fd)
{
	int v4 = AF_INET, v6 = AF_INET6;

	SAY(setsockopt(fd, SOL_IPV6, IPV6_ADDRFORM, &v6, sizeof(v6)));
	SAY(setsockopt(fd, SOL_IPV6, IPV6_ADDRFORM, &v4, 2));
	SAY(setsockopt(fd, SOL_IPV6, IPV6_ADDRFORM, BAD, sizeof(v4)));
	SAY(setsockopt(fd, SOL_IPV6, IPV6_ADDRFORM, &v4, sizeof(v4)));
}

/* An IPv6 listener's connection from 127.0.0.1. */
static void tcp(void)
{
	struct sockaddr_in6 any = {.sin6_family = AF_INET6};
	struct sockaddr_in to = {.sin_family = AF_INET}, name = {.sin_family = AF_INET};
	struct sockaddr nothing = {.sa_family = AF_UNSPEC};
	int l = (int)MUST(socket(AF_INET6, SOCK_STREAM, 0)), c = (int)MUST(socket(AF_INET, SOCK_STREAM, 0)), s, v4 = AF_INET, d, e;
	socklen_t n = sizeof(any);
	char buf[8];

	MUST(bind(l, (struct sockaddr *)&any, sizeof(any)));
	MUST(listen(l, 5));
	MUST(getsockname(l, (struct sockaddr *)&any, &n));
	refused(l);
	to.sin_port = any.sin6_port;
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	MUST(connect(c, (struct sockaddr *)&to, sizeof(to)));
	s = (int)MUST(accept(l, NULL, NULL));
	show_name(s);
	refused(s);
	show_name(s);
	SAY(setsockopt(s, SOL_IPV6, IPV6_ADDRFORM, &v4, sizeof(v4)));
	SAY(send(c, "to", 2, 0));
	SAY(recv(s, buf, sizeof(buf), 0));
	SAY(send(s, "fro", 3, 0));
	SAY(recv(c, buf, sizeof(buf), 0));
	/* It can listen as an IPv4 socket. */
	SAY(connect(s, &nothing, sizeof(nothing)));
	SAY(bind(s, (struct sockaddr *)&name, sizeof(name)));
	SAY(listen(s, 5));
	n = sizeof(name);
	MUST(getsockname(s, (struct sockaddr *)&name, &n));
	name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	d = (int)MUST(socket(AF_INET, SOCK_STREAM, 0));
	SAY(connect(d, (struct sockaddr *)&name, sizeof(name)));
	e = (int)MUST(accept(s, NULL, NULL));
	show_name(e);
	for (int i = 0, all[] = {l, c, s, d, e}; i < 5; i++)
		close(all[i]);
}

static void udp(void)
{
	struct sockaddr_in6 mapped = {.sin6_family = AF_INET6, .sin6_addr.s6_addr = {[10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1}};
	struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)}, from;
	int p = (int)MUST(socket(AF_INET, SOCK_DGRAM, 0)), s = (int)MUST(socket(AF_INET6, SOCK_DGRAM, 0));
	socklen_t n = sizeof(name);
	char buf[8];

	MUST(bind(p, (struct sockaddr *)&name, sizeof(name)));
	MUST(getsockname(p, (struct sockaddr *)&name, &n));
	refused(s);
	mapped.sin6_port = name.sin_port;
	MUST(connect(s, (struct sockaddr *)&mapped, sizeof(mapped)));
	refused(s);
	show_name(s);
	SAY(send(s, "one", 3, 0));
	n = sizeof(from);
	SAY(recvfrom(p, buf, sizeof(buf), 0, (struct sockaddr *)&from, &n));
	SAY(sendto(p, "back", 4, 0, (struct sockaddr *)&from, n));
	n = sizeof(from);
	SAY(recvfrom(s, buf, sizeof(buf), 0, (struct sockaddr *)&from, &n));
	printf("from family %d size %u\n", from.sin_family, n);
	SAY(sendto(s, "two", 3, 0, (struct sockaddr *)&name, sizeof(name)));
	SAY(recv(p, buf, sizeof(buf), 0));
	close(p);
	close(s);
}

int main(void)
{
	struct sockaddr_in6 l6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT, .sin6_port = htons(9)};
	int s = (int)MUST(socket(AF_INET6, SOCK_DGRAM, 0));

	alarm(20);
	MUST(connect(s, (struct sockaddr *)&l6, sizeof(l6)));
	refused(s); /* IPv6 all through */
	close(s);
	tcp();
	udp();
	return 0;
}
