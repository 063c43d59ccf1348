/* ITIMER_REAL: one shot, periodic, reading back, errors; alarm. */
#include "tests/guest/show.h"
#include <signal.h>
#include <sys/time.h>
static volatile sig_atomic_t count;
static void on_alarm(int s)
{
	(void)s;
	count++;
}
int main(void)
{
	struct sigaction sa = {.sa_handler = on_alarm};
	struct itimerval it = {{0, 10000}, {0, 10000}}, old, zero = {{0, 0}, {0, 0}};
	struct itimerval bad = {{0, 0}, {0, 1000000}};
	sigset_t set, orig;

	sigaction(SIGALRM, &sa, NULL);
	SHOW(getitimer(7, &old));
	SHOW(setitimer(7, &it, NULL));
	SHOW(setitimer(ITIMER_REAL, &bad, NULL));
	SHOW(getitimer(ITIMER_REAL, (void *)8));
	SHOW(getitimer(ITIMER_REAL, &old));
	CHECK(!old.it_value.tv_sec && !old.it_value.tv_usec);
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	sigprocmask(SIG_BLOCK, &set, &orig);
	SHOW(setitimer(ITIMER_REAL, &it, NULL));
	while (count < 5)
		sigsuspend(&orig);
	SHOW(setitimer(ITIMER_REAL, &zero, &old));
	CHECK(old.it_interval.tv_usec == 10000);
	CHECK(old.it_value.tv_usec <= 10000 && (old.it_value.tv_usec || old.it_value.tv_sec));
	SHOW(getitimer(ITIMER_REAL, &old));
	CHECK(!old.it_value.tv_sec && !old.it_value.tv_usec && !old.it_interval.tv_usec);
	SHOW(alarm(100));
	SHOW(alarm(0));
	SHOW(alarm(0));
	it.it_value.tv_usec = 20000;
	it.it_interval.tv_usec = 0;
	count = 0;
	setitimer(ITIMER_REAL, &it, NULL);
	sigsuspend(&orig);
	printf("fired %d\n", count);
	return 0;
}
