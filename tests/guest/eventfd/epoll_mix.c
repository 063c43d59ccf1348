/* One event loop over an eventfd, a timerfd, a signalfd, a pipe and a socket. */
#include "../say.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
int main(void)
{
	struct itimerspec its = {{0, 0}, {0, 20000000}};
	int fds[5], p[2], s[2], ep = MUST(epoll_create1(0)), seen = 0;
	sigset_t set;
	char buf[256];
	uint64_t v = 1;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	MUST(pipe(p));
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	fds[0] = MUST(eventfd(0, 0));
	fds[1] = MUST(timerfd_create(CLOCK_MONOTONIC, 0));
	fds[2] = MUST(signalfd(-1, &set, 0));
	fds[3] = p[0];
	fds[4] = s[0];
	for (unsigned i = 0; i < 5; i++) {
		struct epoll_event e = {.events = EPOLLIN, .data.u32 = i};

		MUST(epoll_ctl(ep, EPOLL_CTL_ADD, fds[i], &e));
	}
	MUST(timerfd_settime(fds[1], 0, &its, NULL));
	fflush(stdout);
	if (!MUST(fork())) {
		write(fds[0], &v, 8);
		sleep_ms(10);
		kill(getppid(), SIGUSR1);
		sleep_ms(10);
		write(p[1], "x", 1);
		sleep_ms(10);
		write(s[1], "y", 1);
		_exit(0);
	}
	while (seen != 31) {
		struct epoll_event ev[5];
		int n = epoll_wait(ep, ev, 5, 5000);

		if (n <= 0)
			return 1;
		for (int i = 0; i < n; i++) {
			seen |= 1 << ev[i].data.u32;
			if (read(fds[ev[i].data.u32], buf, sizeof(buf)) <= 0)
				return 2;
		}
	}
	wait(NULL);
	printf("all seen\n");
	SAY(epoll_wait(ep, &(struct epoll_event){0}, 1, 0));
	return 0;
}
