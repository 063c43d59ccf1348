/* Edge-triggered and one-shot. */
#include "../say.h"
#include <sys/epoll.h>
static struct epoll_event ev[8];
static void wait_show(int ep)
{
	int n = epoll_wait(ep, ev, 8, 0);

	printf("wait: %d", n);
	for (int i = 0; i < n; i++)
		printf(" %x/%lu", ev[i].events, (unsigned long)ev[i].data.u64);
	printf("\n");
}
static int ctl(int ep, int op, int fd, unsigned events, unsigned long data)
{
	struct epoll_event e = {.events = events, .data.u64 = data};

	return epoll_ctl(ep, op, fd, &e);
}
int main(void)
{
	int ep = MUST(epoll_create1(0)), a[2];
	char c[9];

	MUST(pipe2(a, O_NONBLOCK));
	MUST(write(a[1], "x", 1));
	SAY(ctl(ep, EPOLL_CTL_ADD, a[0], EPOLLIN | EPOLLET, 1));
	wait_show(ep);
	wait_show(ep);
	MUST(write(a[1], "y", 1));
	wait_show(ep);
	wait_show(ep);
	MUST(read(a[0], c, 1));
	wait_show(ep);
	MUST(read(a[0], c, 9));
	MUST(write(a[1], "y", 1));
	MUST(read(a[0], c, 9));
	wait_show(ep);
	SAY(ctl(ep, EPOLL_CTL_MOD, a[0], EPOLLIN | EPOLLONESHOT, 2));
	MUST(write(a[1], "y", 1));
	wait_show(ep);
	MUST(write(a[1], "y", 1));
	wait_show(ep);
	SAY(ctl(ep, EPOLL_CTL_MOD, a[0], EPOLLIN | EPOLLONESHOT, 3));
	wait_show(ep);
	SAY(ctl(ep, EPOLL_CTL_MOD, a[0], EPOLLIN | EPOLLET | EPOLLONESHOT, 4));
	wait_show(ep);
	close(a[1]);
	wait_show(ep);
	SAY(ctl(ep, EPOLL_CTL_MOD, a[0], EPOLLIN, 5));
	wait_show(ep);
	MUST(pipe(a));
	SAY(ctl(ep, EPOLL_CTL_ADD, a[1], EPOLLOUT | EPOLLET, 9));
	wait_show(ep);
	wait_show(ep);
	close(a[0]);
	wait_show(ep);
	SAY(ctl(ep, EPOLL_CTL_MOD, a[1], EPOLLIN | EPOLLEXCLUSIVE, 9));
	SAY(ctl(ep, EPOLL_CTL_DEL, a[1], 0, 0));
	SAY(ctl(ep, EPOLL_CTL_ADD, a[1], EPOLLOUT | EPOLLEXCLUSIVE | EPOLLONESHOT, 9));
	SAY(ctl(ep, EPOLL_CTL_ADD, a[1], EPOLLOUT | EPOLLEXCLUSIVE, 9));
	SAY(ctl(ep, EPOLL_CTL_MOD, a[1], EPOLLOUT, 9));
	wait_show(ep);
	return 0;
}
