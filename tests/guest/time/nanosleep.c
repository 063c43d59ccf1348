/* nanosleep: bad values, elapsed time, the rest after a signal. */
#include "tests/guest/show.h"
#include <signal.h>
#include <sys/time.h>
#include <time.h>
static void on_alarm(int s)
{
	(void)s;
}
static double now(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}
int main(void)
{
	struct timespec bad1 = {0, 1000000000}, bad2 = {-1, 0}, bad3 = {0, -1}, zero = {0, 0};
	struct timespec ms50 = {0, 50000000}, s10 = {10, 0}, rem = {99, 99};
	struct itimerval it = {{0, 0}, {0, 50000}};
	struct sigaction sa = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
	double t;

	SHOW(nanosleep(&bad1, NULL));
	SHOW(nanosleep(&bad2, NULL));
	SHOW(nanosleep(&bad3, NULL));
	SHOW(nanosleep((void *)8, NULL));
	SHOW(nanosleep(&zero, NULL));
	t = now();
	SHOW(nanosleep(&ms50, &rem));
	t = now() - t;
	CHECK(t >= 0.05 && t < 5);
	CHECK(rem.tv_sec == 99);
	/* a handler cuts it off even with SA_RESTART */
	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &it, NULL);
	t = now();
	SHOW(nanosleep(&s10, &rem));
	t = now() - t;
	CHECK(t < 5);
	CHECK(rem.tv_sec >= 5 && rem.tv_sec < 10);
	return 0;
}
