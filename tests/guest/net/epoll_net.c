/* epoll on sockets: edges, oneshot, a listener with many callers, hang-up, and a thread that waits while another writes. */
#include "net.h"

static void show(int ep, const char *what)
{
	struct epoll_event e[8];
	int n = epoll_wait(ep, e, 8, 100);

	printf("%s: %d", what, n);
	for (int i = 0; i < n; i++)
		printf(" %x:%d", e[i].events, (int)e[i].data.u64);
	puts("");
}

int main(void)
{
	struct epoll_event e = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.u64 = 1};
	int ep = (int)MUST(epoll_create1(0)), s[2], l, c[4];
	char buf[16];

	tcp_pair(AF_INET, s);
	SAY(epoll_ctl(ep, EPOLL_CTL_ADD, s[1], &e));
	show(ep, "fresh");
	show(ep, "again");
	MUST(send(s[0], "one", 3, 0));
	show(ep, "data");
	show(ep, "not read");
	MUST(send(s[0], "two", 3, 0));
	show(ep, "more data");
	MUST(recv(s[1], buf, 16, 0));
	show(ep, "read");
	MUST(shutdown(s[0], SHUT_WR));
	show(ep, "half closed");
	MUST(shutdown(s[1], SHUT_WR));
	show(ep, "closed");
	close(s[0]);
	close(s[1]);
	show(ep, "gone");
	l = listener(AF_INET, SOCK_STREAM);
	e = (struct epoll_event){.events = EPOLLIN, .data.u64 = 2};
	SAY(epoll_ctl(ep, EPOLL_CTL_ADD, l, &e));
	show(ep, "nobody");
	for (int i = 0; i < 4; i++)
		c[i] = connect_to(AF_INET, port_of(l));
	show(ep, "four");
	for (int i = 0; i < 4; i++)
		close((int)MUST(accept(l, NULL, NULL)));
	show(ep, "all taken");
	for (int i = 0; i < 4; i++)
		close(c[i]);
	tcp_pair(AF_INET6, s);
	e = (struct epoll_event){.events = EPOLLIN | EPOLLONESHOT, .data.u64 = 3};
	SAY(epoll_ctl(ep, EPOLL_CTL_ADD, s[1], &e));
	MUST(send(s[0], "x", 1, 0));
	show(ep, "oneshot");
	show(ep, "spent");
	SAY(epoll_ctl(ep, EPOLL_CTL_MOD, s[1], &e));
	show(ep, "armed again");
	close(s[0]);
	SAY(epoll_ctl(ep, EPOLL_CTL_MOD, s[1], &e));
	show(ep, "closed");
	return 0;
}
