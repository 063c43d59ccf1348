/* A closed file leaves the set with its last descriptor. */
#include "../say.h"
#include <sys/epoll.h>
int main(void)
{
	int ep = MUST(epoll_create1(0)), a[2], d;
	struct epoll_event e = {.events = EPOLLIN, .data.u32 = 7}, ev[4];

	MUST(pipe(a));
	MUST(write(a[1], "x", 1));
	SAY(epoll_ctl(ep, EPOLL_CTL_ADD, a[0], &e));
	d = MUST(dup(a[0]));
	close(a[0]);
	SAY(epoll_wait(ep, ev, 4, 0));
	SAY(epoll_ctl(ep, EPOLL_CTL_DEL, a[0], &e));
	MUST(dup2(d, a[0]));
	SAY(epoll_ctl(ep, EPOLL_CTL_MOD, a[0], &e));
	SAY(epoll_ctl(ep, EPOLL_CTL_ADD, d, &e));
	SAY(epoll_wait(ep, ev, 4, 0));
	close(d);
	close(a[0]);
	SAY(epoll_wait(ep, ev, 4, 0));
	close(a[1]);
	MUST(pipe(a));
	MUST(write(a[1], "x", 1));
	SAY(epoll_wait(ep, ev, 4, 0));
	SAY(epoll_ctl(ep, EPOLL_CTL_ADD, a[0], &e));
	SAY(epoll_wait(ep, ev, 4, 0));
	close(ep);
	SAY(read(a[0], ev, 1));
	return 0;
}
