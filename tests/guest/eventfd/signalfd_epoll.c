/* A set that outlives the task whose signals it watches. */
#include "../say.h"
#include <sys/epoll.h>
#include <sys/signalfd.h>
int main(void)
{
	struct epoll_event e = {.events = EPOLLIN}, ev;
	int ep, status;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	ep = MUST(epoll_create1(0));
	for (int i = 0; i < 50; i++) {
		fflush(stdout);
		if (!MUST(fork())) {
			int fd = MUST(signalfd(-1, &set, 0));

			MUST(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e));
			raise(SIGUSR1);
			_exit(epoll_wait(ep, &ev, 1, 1000) == 1 ? 0 : 1);
		}
		wait(&status);
		if (status)
			say_exit(status);
	}
	SAY(epoll_wait(ep, &ev, 1, 0));
	for (int i = 0; i < 50; i++) {
		int fd = MUST(signalfd(-1, &set, 0));

		MUST(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e));
	}
	raise(SIGUSR1);
	SAY(epoll_wait(ep, &ev, 1, 0));
	close(ep);
	return 0;
}
