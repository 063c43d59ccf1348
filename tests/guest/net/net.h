/* What the programs of this family share. Ports are chosen by the kernel and never printed. */
#ifndef NET_H
#define NET_H
#include "../say.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

static inline struct sockaddr_in v4(const char *addr, int port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};

	inet_pton(AF_INET, addr, &a.sin_addr);
	return a;
}
static inline struct sockaddr_in6 v6(const char *addr, int port)
{
	struct sockaddr_in6 a = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};

	inet_pton(AF_INET6, addr, &a.sin6_addr);
	return a;
}
static inline int port_of(int s)
{
	struct sockaddr_in6 a;
	socklen_t len = sizeof(a);

	MUST(getsockname(s, (void *)&a, &len));
	return ntohs(a.sin6_port); /* at the same place in both families */
}
static inline int listener(int family, int type)
{
	struct sockaddr_in a = v4("127.0.0.1", 0);
	struct sockaddr_in6 b = v6("::1", 0);
	int s = (int)MUST(socket(family, type, 0));

	if (family == AF_INET)
		MUST(bind(s, (void *)&a, sizeof(a)));
	else
		MUST(bind(s, (void *)&b, sizeof(b)));
	if (type == SOCK_STREAM)
		MUST(listen(s, 16));
	return s;
}
static inline int connect_to(int family, int port)
{
	struct sockaddr_in a = v4("127.0.0.1", port);
	struct sockaddr_in6 b = v6("::1", port);
	int s = (int)MUST(socket(family, SOCK_STREAM, 0));

	if (family == AF_INET)
		MUST(connect(s, (void *)&a, sizeof(a)));
	else
		MUST(connect(s, (void *)&b, sizeof(b)));
	return s;
}
/* A connection: s[0] called, s[1] was accepted. */
static inline void tcp_pair(int family, int s[2])
{
	int l = listener(family, SOCK_STREAM);

	s[0] = connect_to(family, port_of(l));
	s[1] = (int)MUST(accept(l, NULL, NULL));
	close(l);
}
static inline void show_poll(const char *what, int s)
{
	struct pollfd p = {.fd = s, .events = POLLIN | POLLOUT | POLLPRI | POLLRDHUP};

	poll(&p, 1, 0);
	printf("%s: poll %x\n", what, p.revents);
}
/* Waits up to a second for one of the events, then shows all that hold. */
static inline void wait_poll(const char *what, int s, int events)
{
	struct pollfd p = {.fd = s, .events = (short)events};

	poll(&p, 1, 1000);
	show_poll(what, s);
}
static inline int get_int(int s, int level, int name)
{
	int v = -12345;
	socklen_t len = sizeof(v);

	return getsockopt(s, level, name, &v, &len) < 0 ? -errno : v;
}
static inline int set_int(int s, int level, int name, int v)
{
	return setsockopt(s, level, name, &v, sizeof(v));
}
#endif
