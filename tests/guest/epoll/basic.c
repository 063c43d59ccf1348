/* epoll: level-triggered events, changes, errors of epoll_ctl and epoll_wait. */
#include "../say.h"
#include <sys/epoll.h>
static struct epoll_event ev[8];
static void wait_show(int ep, int timeout)
{
	int n = epoll_wait(ep, ev, 8, timeout);

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
	int ep = MUST(epoll_create1(EPOLL_CLOEXEC)), a[2], b[2], f;
	char c;

	MUST(pipe(a));
	MUST(pipe(b));
	SAY(epoll_create(0));
	SAY(epoll_create1(5));
	SAY(ctl(ep, EPOLL_CTL_ADD, a[0], EPOLLIN, 1));
	SAY(ctl(ep, EPOLL_CTL_ADD, a[0], EPOLLIN, 1));
	SAY(ctl(ep, EPOLL_CTL_ADD, a[1], EPOLLOUT, 2));
	SAY(ctl(ep, EPOLL_CTL_MOD, b[0], EPOLLIN, 3));
	SAY(ctl(ep, EPOLL_CTL_DEL, b[0], EPOLLIN, 3));
	SAY(ctl(ep, EPOLL_CTL_ADD, ep, EPOLLIN, 3));
	SAY(ctl(ep, EPOLL_CTL_ADD, 999, EPOLLIN, 3));
	SAY(ctl(999, EPOLL_CTL_ADD, a[0], EPOLLIN, 3));
	SAY(ctl(a[0], EPOLL_CTL_ADD, b[0], EPOLLIN, 3));
	SAY(ctl(ep, 17, a[0], EPOLLIN, 3));
	SAY(epoll_ctl(ep, EPOLL_CTL_ADD, b[0], BAD));
	SAY(epoll_ctl(ep, EPOLL_CTL_DEL, a[0], NULL));
	SAY(ctl(ep, EPOLL_CTL_ADD, a[0], EPOLLIN, 1));
	f = MUST(open("/etc/passwd", O_RDONLY));
	SAY(ctl(ep, EPOLL_CTL_ADD, f, EPOLLIN, 1));
	SAY(epoll_wait(ep, ev, 0, 0));
	SAY(epoll_wait(ep, ev, say_minus_, 0));
	SAY(epoll_wait(a[0], ev, 1, 0));
	SAY(epoll_wait(999, ev, 1, 0));
	wait_show(ep, 0);
	MUST(write(a[1], "xy", 2));
	wait_show(ep, -1);
	MUST(read(a[0], &c, 1));
	SAY(ctl(ep, EPOLL_CTL_MOD, a[1], 0, 2));
	wait_show(ep, -1);
	wait_show(ep, -1);
	MUST(read(a[0], &c, 1));
	wait_show(ep, 10);
	close(a[0]);
	wait_show(ep, 0);
	SAY(ctl(ep, EPOLL_CTL_ADD, b[0], EPOLLIN | EPOLLRDHUP, 5));
	close(b[1]);
	wait_show(ep, 0);
	SAY(epoll_wait(ep, BAD, 1, 0));
	return 0;
}
