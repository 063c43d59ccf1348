/* How connections end: half close, unread data, linger 0, writes to a closed peer, shutdown of a listener. */
#include "net.h"

static volatile int pipes;
static void on_pipe(int signo)
{
	(void)signo;
	pipes++;
}

int main(void)
{
	struct linger now = {1, 0}, soon = {1, 2};
	char buf[64];
	int s[2], l;

	signal(SIGPIPE, on_pipe);
	puts("half close");
	tcp_pair(AF_INET, s);
	SAY(shutdown(s[0], SHUT_WR));
	wait_poll("receiver", s[1], POLLIN);
	show_poll("sender", s[0]);
	SAY(recv(s[1], buf, 64, 0));
	SAY(send(s[1], "still", 5, 0));
	SAY(recv(s[0], buf, 64, 0));
	SAY(send(s[0], "x", 1, 0));
	printf("%d\n", pipes);
	SAY(shutdown(s[1], SHUT_WR));
	wait_poll("both", s[0], POLLHUP);
	show_poll("both", s[1]);
	SAY(recv(s[0], buf, 64, 0));
	SAY(shutdown(s[0], SHUT_RDWR));
	SAY(getpeername(s[0], (void *)buf, &(socklen_t){64}));
	close(s[0]);
	close(s[1]);

	puts("shutdown of reading");
	tcp_pair(AF_INET, s);
	SAY(send(s[0], "data", 4, 0));
	usleep(10000);
	SAY(shutdown(s[1], SHUT_RD));
	show_poll("reader", s[1]);
	SAY(recv(s[1], buf, 64, 0));
	SAY(recv(s[1], buf, 64, 0));
	SAY(send(s[1], "back", 4, 0));
	SAY(recv(s[0], buf, 64, 0));
	close(s[0]);
	close(s[1]);

	puts("closed with unread data");
	tcp_pair(AF_INET, s);
	MUST(send(s[0], "unread", 6, 0));
	wait_poll("there", s[1], POLLIN);
	close(s[1]);
	wait_poll("reset", s[0], POLLHUP);
	SAY(recv(s[0], buf, 64, 0));
	SAY(recv(s[0], buf, 64, 0));
	SAY(send(s[0], "x", 1, MSG_NOSIGNAL));
	SAY(shutdown(s[0], SHUT_WR));
	close(s[0]);

	puts("linger 0");
	tcp_pair(AF_INET, s);
	MUST(setsockopt(s[1], SOL_SOCKET, SO_LINGER, &now, sizeof(now)));
	close(s[1]);
	wait_poll("reset", s[0], POLLHUP);
	SAY(get_int(s[0], SOL_SOCKET, SO_ERROR));
	SAY(recv(s[0], buf, 64, 0));
	close(s[0]);

	puts("writes to a closed peer");
	tcp_pair(AF_INET, s);
	close(s[1]);
	wait_poll("end", s[0], POLLIN);
	SAY(send(s[0], "one", 3, 0));
	wait_poll("then", s[0], POLLHUP);
	pipes = 0;
	SAY(send(s[0], "two", 3, 0));
	SAY(send(s[0], "three", 5, 0));
	printf("%d\n", pipes);
	SAY(recv(s[0], buf, 64, 0));
	close(s[0]);

	puts("a lingering close");
	tcp_pair(AF_INET, s);
	MUST(setsockopt(s[0], SOL_SOCKET, SO_LINGER, &soon, sizeof(soon)));
	MUST(send(s[0], "bye", 3, 0));
	long start = now_ms();
	close(s[0]);
	printf("%s\n", now_ms() - start < 1500 ? "quick" : "slow");
	SAY(recv(s[1], buf, 64, 0));
	SAY(recv(s[1], buf, 64, 0));
	close(s[1]);

	puts("a listener");
	l = listener(AF_INET, SOCK_STREAM);
	s[0] = connect_to(AF_INET, port_of(l));
	SAY(shutdown(l, SHUT_WR));
	SAY(shutdown(l, SHUT_RDWR));
	SAY(accept(l, NULL, NULL));
	show_poll("listener", l);
	close(l);
	l = listener(AF_INET, SOCK_STREAM);
	s[0] = connect_to(AF_INET, port_of(l));
	MUST(send(s[0], "never read", 10, 0));
	close(l);
	wait_poll("its caller", s[0], POLLHUP);
	SAY(recv(s[0], buf, 64, 0));
	return 0;
}
