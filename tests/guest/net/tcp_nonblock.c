/* Connections and data without waiting: EINPROGRESS, readiness, EAGAIN, a refused connection, timeouts. */
#include "net.h"

int main(void)
{
	struct sockaddr_in a = v4("127.0.0.1", 0);
	struct timeval tv = {0, 50000};
	static char big[1 << 20];
	int l = listener(AF_INET, SOCK_STREAM), c, d, n;
	long sent = 0, start;

	SAY(fcntl(l, F_SETFL, O_NONBLOCK));
	SAY(accept(l, NULL, NULL));
	show_poll("idle listener", l);
	c = (int)MUST(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
	show_poll("fresh", c);
	SAY(recv(c, big, 1, 0));
	a.sin_port = htons((uint16_t)port_of(l));
	SAY(connect(c, (void *)&a, sizeof(a)));
	wait_poll("connecting", c, POLLOUT);
	SAY(get_int(c, SOL_SOCKET, SO_ERROR));
	SAY(connect(c, (void *)&a, sizeof(a)));
	SAY(connect(c, (void *)&a, sizeof(a)));
	wait_poll("listener", l, POLLIN);
	d = (int)MUST(accept4(l, NULL, NULL, SOCK_NONBLOCK));
	SAY(recv(d, big, 1, 0));
	SAY(recv(c, big, 1, MSG_DONTWAIT));
	while ((n = (int)send(c, big, sizeof(big), 0)) > 0)
		sent += n;
	SAY(n);
	printf("%s\n", sent > 100000 ? "a good deal fits" : "little fits");
	show_poll("full", c);
	show_poll("other side", d);
	while (recv(d, big, sizeof(big), 0) > 0)
		;
	wait_poll("emptied", c, POLLOUT);
	close(d);
	wait_poll("peer closed", c, POLLIN);
	SAY(recv(c, big, 10, 0));
	close(c);
	close(l);
	c = (int)MUST(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
	SAY(connect(c, (void *)&a, sizeof(a)));
	wait_poll("refused", c, POLLOUT);
	SAY(get_int(c, SOL_SOCKET, SO_ERROR));
	SAY(get_int(c, SOL_SOCKET, SO_ERROR));
	show_poll("after", c);
	close(c);
	l = listener(AF_INET, SOCK_STREAM);
	c = connect_to(AF_INET, port_of(l));
	MUST(setsockopt(c, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)));
	start = now_ms();
	SAY(recv(c, big, 1, 0));
	printf("%s\n", now_ms() - start >= 45 ? "waited" : "did not wait");
	MUST(setsockopt(l, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)));
	close((int)MUST(accept(l, NULL, NULL)));
	SAY(accept(l, NULL, NULL));
	return 0;
}
