/* Sets in sets: readiness, circles, depth. */
#include "../say.h"
#include <poll.h>
#include <sys/epoll.h>
static int add(int ep, int fd, unsigned events)
{
	struct epoll_event e = {.events = events, .data.fd = fd};

	return epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e);
}
int main(void)
{
	int e[8], a[2];
	struct epoll_event ev[4];
	struct pollfd p;
	char c;

	for (int i = 0; i < 8; i++)
		e[i] = MUST(epoll_create1(0));
	MUST(pipe(a));
	SAY(add(e[1], a[0], EPOLLIN));
	SAY(add(e[0], e[1], EPOLLIN));
	SAY(add(e[1], e[0], EPOLLIN));
	p = (struct pollfd){e[0], POLLIN, 0};
	SAY(poll(&p, 1, 0));
	SAY(epoll_wait(e[0], ev, 4, 0));
	MUST(write(a[1], "x", 1));
	SAY(poll(&p, 1, 0));
	SAY(epoll_wait(e[0], ev, 4, 0));
	printf("%x %d\n", ev[0].events, ev[0].data.fd == e[1]);
	SAY(epoll_wait(e[1], ev, 4, 0));
	SAY(epoll_wait(e[0], ev, 4, 0));
	MUST(read(a[0], &c, 1));
	SAY(epoll_wait(e[0], ev, 4, 0));
	SAY(poll(&p, 1, 0));
	fflush(stdout);
	if (!MUST(fork())) {
		sleep_ms(30);
		write(a[1], "x", 1);
		_exit(0);
	}
	SAY(poll(&p, 1, 3000));
	wait(NULL);
	for (int i = 2; i < 7; i++)
		SAY(add(e[i], e[i + 1], EPOLLIN));
	SAY(add(e[2], a[0], EPOLLIN | EPOLLEXCLUSIVE));
	SAY(add(e[3], e[0], EPOLLIN | EPOLLEXCLUSIVE));
	SAY(add(e[7], e[2], EPOLLIN));
	return 0;
}
