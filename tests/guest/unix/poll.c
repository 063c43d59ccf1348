/* Readiness of sockets in every state. */
#include "../say.h"
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
static void show(const char *what, int fd)
{
	struct pollfd p = {fd, POLLIN | POLLOUT | POLLRDHUP | POLLPRI, 0};

	poll(&p, 1, 0);
	printf("%s: %x\n", what, p.revents);
}
int main(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	socklen_t len = 3 + snprintf(a.sun_path + 1, 100, "sbx-poll-%d", getpid());
	static char buf[65536];
	int s[2], l, c, d, types[] = {SOCK_STREAM, SOCK_SEQPACKET, SOCK_DGRAM};

	for (int i = 0; i < 3; i++) {
		printf("type %d\n", types[i]);
		MUST(socketpair(AF_UNIX, types[i] | SOCK_NONBLOCK, 0, s));
		show("pair", s[0]);
		MUST(send(s[1], "x", 1, 0));
		show("data", s[0]);
		while (send(s[0], buf, types[i] == SOCK_STREAM ? sizeof(buf) : 1000, 0) > 0)
			;
		show("full", s[0]);
		while (recv(s[1], buf, sizeof(buf), 0) > 0)
			;
		show("drained", s[0]);
		MUST(shutdown(s[1], SHUT_WR));
		show("peer shut its writing", s[0]);
		show("own shut", s[1]);
		MUST(recv(s[0], buf, 1, 0));
		show("and read", s[0]);
		MUST(shutdown(s[1], SHUT_RD));
		show("peer shut both", s[0]);
		show("own shut both", s[1]);
		close(s[1]);
		show("peer closed", s[0]);
		close(s[0]);
		l = MUST(socket(AF_UNIX, types[i], 0));
		show("fresh", l);
		close(l);
	}
	l = MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	MUST(bind(l, (void *)&a, len));
	MUST(listen(l, 0));
	show("listening", l);
	c = MUST(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0));
	MUST(connect(c, (void *)&a, len));
	show("pending", l);
	show("connected", c);
	d = MUST(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0));
	SAY(connect(d, (void *)&a, len));
	close(c);
	c = MUST(accept(l, NULL, NULL));
	show("accepted, peer gone", c);
	SAY(connect(d, (void *)&a, len));
	close(l);
	show("listener gone", d);
	SAY(read(d, buf, 1));
	SAY(read(d, buf, 1));
	show("after the reset", d);
	return 0;
}
