/* clock_nanosleep: clocks, absolute times, errors, interruption. */
#include "tests/guest/show.h"
#include <signal.h>
#include <sys/time.h>
#include <time.h>
static void on_alarm(int s)
{
	(void)s;
}
#define E(call) ({ int e_ = (call); printf("%s: %s\n", #call, e_ ? strerrorname_np(e_) : "0"); fflush(stdout); e_; })
int main(void)
{
	struct timespec ts, past = {1, 0}, bad = {0, 1000000000}, ms20 = {0, 20000000}, after;
	struct sigaction sa = {.sa_handler = on_alarm};
	struct itimerval it = {{0, 0}, {0, 30000}};

	E(clock_nanosleep(CLOCK_MONOTONIC, 0, &ms20, NULL));
	E(clock_nanosleep(CLOCK_REALTIME, 0, &ms20, NULL));
	E(clock_nanosleep(CLOCK_BOOTTIME, 0, &ms20, NULL));
	E(clock_nanosleep(CLOCK_TAI, 0, &ms20, NULL));
	E(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &past, NULL));
	E(clock_nanosleep(CLOCK_MONOTONIC, 0, &bad, NULL));
	E(clock_nanosleep(CLOCK_MONOTONIC_RAW, 0, &ms20, NULL));
	E(clock_nanosleep(CLOCK_MONOTONIC_COARSE, 0, &ms20, NULL));
	E(clock_nanosleep(CLOCK_THREAD_CPUTIME_ID, 0, &ms20, NULL));
	E(clock_nanosleep(10, 0, &ms20, NULL));
	E(clock_nanosleep(77, 0, &ms20, NULL));
	clock_gettime(CLOCK_REALTIME, &ts);
	ts.tv_nsec += 40000000;
	if (ts.tv_nsec >= 1000000000) {
		ts.tv_nsec -= 1000000000;
		ts.tv_sec++;
	}
	E(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &ts, NULL));
	clock_gettime(CLOCK_REALTIME, &after);
	CHECK(after.tv_sec > ts.tv_sec || (after.tv_sec == ts.tv_sec && after.tv_nsec >= ts.tv_nsec));
	sigaction(SIGALRM, &sa, NULL);
	clock_gettime(CLOCK_MONOTONIC, &ts);
	ts.tv_sec += 20;
	setitimer(ITIMER_REAL, &it, NULL);
	E(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL));
	return 0;
}
