/* bind, listen, connect, getsockname and their errors. */
#include "net.h"

int main(void)
{
	struct sockaddr_in a = v4("127.0.0.1", 0), far = v4("203.0.113.9", 0), got;
	struct sockaddr_in6 b = v6("::1", 0);
	socklen_t len = sizeof(got);
	int s, l, c, d;

	s = SAY_FD(socket(AF_INET, SOCK_STREAM, 0));
	SAY(getpeername(s, (void *)&got, &len));
	SAY(getsockname(s, (void *)&got, &len));
	printf("%d %s %d %u\n", got.sin_family, inet_ntoa(got.sin_addr), got.sin_port, len);
	SAY(bind(s, (void *)&a, 8));
	SAY(bind(s, BAD, sizeof(a)));
	SAY(bind(s, (void *)&b, sizeof(b)));
	SAY(bind(s, (void *)&far, sizeof(far)));
	SAY(bind(s, (void *)&a, sizeof(a)));
	SAY(bind(s, (void *)&a, sizeof(a)));
	SAY(accept(s, NULL, NULL));
	SAY(listen(s, 1));
	SAY(listen(s, 5));
	SAY(connect(s, (void *)&a, sizeof(a)));
	a.sin_port = htons((uint16_t)port_of(s));
	d = SAY_FD(socket(AF_INET, SOCK_STREAM, 0));
	SAY(bind(d, (void *)&a, sizeof(a)));
	SAY(set_int(d, SOL_SOCKET, SO_REUSEADDR, 1));
	SAY(bind(d, (void *)&a, sizeof(a)));
	c = SAY_FD(socket(AF_INET, SOCK_STREAM, 0));
	SAY(connect(c, (void *)&a, 4));
	SAY(connect(c, (void *)&b, sizeof(b)));
	SAY(connect(c, (void *)&a, sizeof(a)));
	SAY(connect(c, (void *)&a, sizeof(a)));
	SAY(bind(c, (void *)&a, sizeof(a)));
	SAY(listen(c, 1));
	len = sizeof(got);
	l = SAY_FD(accept(s, (void *)&got, &len));
	printf("%d %s %u %s\n", got.sin_family, inet_ntoa(got.sin_addr), len,
	       ntohs(got.sin_port) == port_of(c) ? "its port" : "another port");
	len = 4;
	SAY(getpeername(l, (void *)&got, &len));
	printf("%u\n", len);
	close(s);
	close(c);
	c = SAY_FD(socket(AF_INET, SOCK_STREAM, 0));
	SAY(connect(c, (void *)&a, sizeof(a))); /* nobody listens any more */
	SAY(get_int(c, SOL_SOCKET, SO_ERROR));
	show_poll("refused", c);
	SAY(send(c, "x", 1, MSG_NOSIGNAL));
	SAY(recv(c, &got, 1, 0));
	SAY(shutdown(c, SHUT_RDWR));
	SAY_FD(socket(AF_INET, SOCK_STREAM, IPPROTO_UDP));
	SAY_FD(socket(AF_INET, SOCK_DGRAM, IPPROTO_TCP));
	SAY_FD(socket(AF_INET, SOCK_SEQPACKET, 0));
	SAY_FD(socket(AF_INET, SOCK_RDM, 0));
	SAY_FD(socket(AF_INET, 11, 0));
	SAY_FD(socket(AF_INET, SOCK_STREAM, 999));
	SAY(socketpair(AF_INET, SOCK_STREAM, 0, &s));
	return 0;
}
