/* Signals during a futex wait: handlers with and without SA_RESTART, the deadline stays. */
#include "tests/guest/show.h"
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
static uint32_t f;
static volatile int ran;
static void h(int s)
{
	(void)s;
	ran++;
}
static double now(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}
int main(void)
{
	struct sigaction sa = {.sa_handler = h};
	struct itimerval it = {{0, 0}, {0, 50000}};
	struct timespec ms300 = {0, 300000000};
	double a;

	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &it, NULL);
	SHOW(syscall(SYS_futex, &f, FUTEX_WAIT, 0, NULL, NULL, 0));
	printf("%d\n", ran);
	setitimer(ITIMER_REAL, &it, NULL);
	SHOW(syscall(SYS_futex, &f, FUTEX_WAIT, 0, &ms300, NULL, 0));
	sa.sa_flags = SA_RESTART;
	sigaction(SIGALRM, &sa, NULL);
	signal(SIGCHLD, SIG_IGN);
	a = now();
	/* an ignored signal does not end it, nor does a stop: the first deadline holds */
	if (!fork()) {
		usleep(50000);
		kill(getppid(), SIGSTOP);
		usleep(50000);
		kill(getppid(), SIGCONT);
		_exit(0);
	}
	SHOW(syscall(SYS_futex, &f, FUTEX_WAIT, 0, &ms300, NULL, 0));
	CHECK(now() - a >= 0.29 && now() - a < 5);
	printf("%d\n", ran);
	return 0;
}
