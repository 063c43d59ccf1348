/* Datagrams: boundaries, names of senders, filtering of a connected socket, full queues. */
#include "../say.h"
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
static struct sockaddr_un name(const char *n, socklen_t *len)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	*len = 3 + snprintf(a.sun_path + 1, 100, "sbx-dgram-%d-%s", getpid(), n);
	return a;
}
int main(void)
{
	socklen_t la, lb, lc, len;
	struct sockaddr_un a = name("a", &la), b = name("b", &lb), c = name("c", &lc), from;
	int sa, sb, sc, p[2], n;
	char buf[100];
	struct pollfd pfd;

	signal(SIGPIPE, SIG_IGN);
	sa = MUST(socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0));
	sb = MUST(socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0));
	sc = MUST(socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0));
	MUST(bind(sa, (void *)&a, la));
	MUST(bind(sb, (void *)&b, lb));
	SAY(sendto(sb, "one", 3, 0, (void *)&a, la));
	SAY(sendto(sc, "three", 5, 0, (void *)&a, la));
	SAY(sendto(sc, "", 0, 0, (void *)&a, la));
	SAY(sendto(sc, "x", 1, 0, (void *)&c, lc));
	SAY(send(sc, "x", 1, 0));
	len = sizeof(from);
	SAY(recvfrom(sa, buf, 2, 0, (void *)&from, &len));
	printf("%d\n", len == lb && !memcmp(&from, &b, lb));
	len = sizeof(from);
	SAY(recvfrom(sa, buf, 2, MSG_TRUNC, (void *)&from, &len));
	printf("%u\n", len);
	SAY(recv(sa, buf, 9, 0));
	SAY(recv(sa, buf, 9, 0));
	SAY(connect(sc, (void *)&a, la));
	SAY(send(sc, "via", 3, 0));
	SAY(connect(sa, (void *)&b, lb));
	SAY(send(sc, "x", 1, 0));
	SAY(sendto(sc, "x", 1, 0, (void *)&a, la));
	SAY(connect(sc, (void *)&a, la));
	SAY(sendto(sc, "x", 1, 0, (void *)&b, lb));
	SAY(recv(sa, buf, 9, 0));
	SAY(recv(sb, buf, 9, 0));
	from.sun_family = AF_UNSPEC;
	SAY(connect(sa, (void *)&from, 2));
	SAY(connect(sc, (void *)&a, la));
	SAY(send(sc, buf, 300000, 0));
	for (n = 0; send(sc, "q", 1, 0) == 1; n++)
		;
	printf("%d queued, %s\n", n > 5, strerrorname_np(errno));
	pfd = (struct pollfd){sc, POLLOUT, 0};
	SAY(poll(&pfd, 1, 0));
	MUST(recv(sa, buf, 9, 0));
	SAY(poll(&pfd, 1, 0));
	close(sa);
	SAY(poll(&pfd, 1, 0));
	SAY(send(sc, "q", 1, 0));
	SAY(send(sc, "q", 1, 0));
	SAY(sendto(sc, "q", 1, 0, (void *)&a, la));
	SAY(listen(sc, 1));
	SAY(accept(sc, NULL, NULL));
	MUST(socketpair(AF_UNIX, SOCK_DGRAM, 0, p));
	SAY(send(p[0], "pair", 4, 0));
	close(p[0]);
	SAY(recv(p[1], buf, 9, 0));
	SAY(recv(p[1], buf, 9, MSG_DONTWAIT));
	SAY(send(p[1], buf, 1, 0));
	SAY(send(p[1], buf, 1, 0));
	SAY(shutdown(p[1], SHUT_RD));
	SAY(recv(p[1], buf, 9, 0));
	SAY(recv(p[1], buf, 9, MSG_DONTWAIT));
	return 0;
}
