/* epoll_wait sleeps and is woken; epoll_pwait and its mask; epoll_pwait2. */
#include "../say.h"
#include <sys/epoll.h>
#include <sys/syscall.h>
static volatile int got;
static void on(int s)
{
	got++;
}
int main(void)
{
	int ep = MUST(epoll_create1(0)), a[2];
	struct epoll_event e = {.events = EPOLLIN | EPOLLET, .data.u32 = 7}, ev[4];
	struct sigaction sa = {.sa_handler = on, .sa_flags = SA_RESTART};
	struct timespec ts = {0, 20000000};
	sigset_t block, none;
	char c;

	MUST(pipe(a));
	MUST(epoll_ctl(ep, EPOLL_CTL_ADD, a[0], &e));
	fflush(stdout);
	if (!MUST(fork())) {
		for (int i = 0; i < 3; i++) {
			sleep_ms(20);
			write(a[1], "x", 1);
		}
		_exit(0);
	}
	for (int i = 0; i < 3; i++) {
		int n = epoll_wait(ep, ev, 4, 5000);

		printf("%d %x\n", n, ev[0].events);
		MUST(read(a[0], &c, 1));
	}
	wait(NULL);
	sigaction(SIGUSR1, &sa, NULL);
	sigaction(SIGALRM, &sa, NULL);
	ualarm(20000, 0);
	SAY(epoll_wait(ep, ev, 4, 5000));
	sigemptyset(&none);
	sigemptyset(&block);
	sigaddset(&block, SIGUSR1);
	sigprocmask(SIG_BLOCK, &block, NULL);
	raise(SIGUSR1);
	SAY(epoll_wait(ep, ev, 4, 10));
	SAY(epoll_pwait(ep, ev, 4, 1000, &none));
	printf("%d\n", got);
	SAY(epoll_pwait(ep, ev, 4, 5, &none));
	SAY(syscall(SYS_epoll_pwait2, ep, ev, 4, &ts, NULL, 8));
	ts.tv_nsec = -1;
	SAY(syscall(SYS_epoll_pwait2, ep, ev, 4, &ts, NULL, 8));
	SAY(syscall(SYS_epoll_pwait, ep, ev, 4, 0, &none, 3));
	return 0;
}
