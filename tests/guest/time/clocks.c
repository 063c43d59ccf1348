/* Which clocks there are, that they go forward, and that none can be set. */
#include "tests/guest/show.h"
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
int main(void)
{
	struct timespec a, b, res;
	struct timeval tv;
	time_t t1, t2;

	for (int id = 0; id <= 12; id++) {
		if (id == 8 || id == 9)
			continue; /* alarm clocks need a clock chip */
		int r = clock_gettime(id, &a), q = clock_getres(id, &res);

		printf("clock %d: %s, res %s\n", id, r ? strerrorname_np(errno) : "ok",
		       q ? "error" : res.tv_sec == 0 && res.tv_nsec > 0 ? "ok" : "odd");
		if (r)
			continue;
		clock_gettime(id, &b);
		CHECK(b.tv_sec > a.tv_sec || (b.tv_sec == a.tv_sec && b.tv_nsec >= a.tv_nsec));
	}
	SHOW(clock_gettime(-1, &a));
	SHOW(syscall(SYS_clock_gettime, CLOCK_REALTIME, 8));
	SHOW(clock_getres(CLOCK_MONOTONIC, NULL));
	SHOW(clock_settime(CLOCK_MONOTONIC, &a));
	a.tv_nsec = -5;
	SHOW(clock_settime(CLOCK_REALTIME, &a));
	SHOW(clock_settime(99, &a));
	SHOW(gettimeofday(&tv, NULL));
	t1 = time(NULL);
	t2 = tv.tv_sec;
	CHECK(t1 - t2 >= 0 && t1 - t2 <= 2);
	CHECK(tv.tv_usec >= 0 && tv.tv_usec < 1000000);
	clock_gettime(CLOCK_BOOTTIME, &a);
	clock_gettime(CLOCK_MONOTONIC, &b);
	CHECK(a.tv_sec >= b.tv_sec - 1);
	return 0;
}
