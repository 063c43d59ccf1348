/* Datagrams: bound, connected, truncated, empty, peeked at, too large, to nowhere, and the errors. */
#include "net.h"

static void run(int family)
{
	struct sockaddr_in a4 = v4("127.0.0.1", 0);
	struct sockaddr_in6 a6 = v6("::1", 0);
	struct sockaddr *to = family == AF_INET ? (void *)&a4 : (void *)&a6;
	socklen_t tolen = family == AF_INET ? sizeof(a4) : sizeof(a6), len;
	struct sockaddr_storage from;
	static char buf[70000];
	struct iovec iov = {buf, 3};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
	int r = listener(family, SOCK_DGRAM), s = (int)MUST(socket(family, SOCK_DGRAM, 0)), n, closed;

	a4.sin_port = a6.sin6_port = htons((uint16_t)port_of(r));
	SAY(recv(r, buf, 10, MSG_DONTWAIT));
	SAY(send(s, "x", 1, 0));
	SAY(sendto(s, "hello", 5, 0, to, tolen));
	len = sizeof(from);
	SAY(recvfrom(r, buf, sizeof(buf), 0, (void *)&from, &len));
	printf("%.5s from family %d size %u port %s\n", buf, from.ss_family, len,
	       ntohs(((struct sockaddr_in *)&from)->sin_port) == port_of(s) ? "right" : "wrong");
	SAY(sendto(r, "back", 4, 0, (void *)&from, len));
	SAY(recv(s, buf, 10, 0));
	SAY(connect(s, to, tolen));
	SAY(send(s, "truncated", 9, 0));
	SAY(recvmsg(r, &m, MSG_PEEK));
	printf("flags %x\n", m.msg_flags);
	SAY(recv(r, buf, 2, MSG_TRUNC | MSG_PEEK));
	SAY(ioctl(r, FIONREAD, &n));
	printf("%d\n", n);
	SAY(recvmsg(r, &m, 0));
	printf("flags %x\n", m.msg_flags);
	SAY(send(s, "", 0, 0));
	SAY(send(s, "after the empty one", 19, 0));
	SAY(recv(r, buf, 10, 0));
	SAY(recv(r, buf, 64, 0));
	SAY(send(s, buf, 65535, 0));
	SAY(send(s, buf, family == AF_INET ? 65508 : 65528, 0));
	SAY(send(s, buf, family == AF_INET ? 65507 : 65527, 0));
	SAY(recv(r, buf, sizeof(buf), 0));
	SAY(send(s, "a", 1, MSG_MORE));
	SAY(send(s, "b", 1, MSG_MORE));
	SAY(send(s, "c", 1, 0));
	SAY(recv(r, buf, sizeof(buf), 0));
	SAY(sendto(s, "x", 1, MSG_OOB, to, tolen));
	SAY(sendto(s, "x", 1, 0, to, 4));
	from.ss_family = AF_UNIX;
	SAY(sendto(s, "x", 1, 0, (void *)&from, sizeof(from)));
	closed = listener(family, SOCK_DGRAM);
	a4.sin_port = a6.sin6_port = htons((uint16_t)port_of(closed));
	SAY(connect(s, to, tolen));
	close(closed);
	SAY(send(s, "nobody", 6, 0));
	wait_poll("refused", s, POLLERR);
	SAY(recv(s, buf, 1, MSG_DONTWAIT));
	SAY(recv(s, buf, 1, MSG_DONTWAIT));
	from.ss_family = AF_UNSPEC;
	SAY(connect(s, (void *)&from, sizeof(from)));
	SAY(send(s, "x", 1, 0));
	SAY(getpeername(s, (void *)&from, &len));
	SAY(listen(s, 1));
	SAY(accept(s, NULL, NULL));
	SAY(shutdown(s, SHUT_RD));
	a4.sin_port = a6.sin6_port = 0;
	SAY(sendto(s, "x", 1, 0, to, tolen));
	show_poll("end", r);
	close(r);
	close(s);
}

int main(void)
{
	struct sockaddr_in bc = v4("255.255.255.255", 9);
	int s = (int)MUST(socket(AF_INET, SOCK_DGRAM, 0));

	run(AF_INET);
	run(AF_INET6);
	SAY(sendto(s, "x", 1, 0, (void *)&bc, sizeof(bc)) < 0 && errno == EACCES ? 1 : errno == ENETUNREACH);
	return 0;
}
