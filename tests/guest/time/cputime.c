/* Processor time: of the process, of children, that it grows when one computes and not when one sleeps. */
#include "tests/guest/show.h"
#include <sys/resource.h>
#include <sys/times.h>
#include <sys/wait.h>
#include <time.h>
static double cpu(clockid_t id)
{
	struct timespec ts;
	clock_gettime(id, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}
static void burn(double s)
{
	double end = cpu(CLOCK_PROCESS_CPUTIME_ID) + s;
	volatile unsigned long x = 0;
	while (cpu(CLOCK_PROCESS_CPUTIME_ID) < end)
		for (int i = 0; i < 10000; i++)
			x++;
}
static double tv(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}
int main(void)
{
	struct timespec ms100 = {0, 100000000};
	struct rusage ru, ch;
	struct tms t0, t1;
	clockid_t id;
	double a, b;

	times(&t0);
	a = cpu(CLOCK_PROCESS_CPUTIME_ID);
	burn(0.1);
	b = cpu(CLOCK_PROCESS_CPUTIME_ID);
	CHECK(b - a >= 0.1);
	a = cpu(CLOCK_PROCESS_CPUTIME_ID);
	nanosleep(&ms100, NULL);
	b = cpu(CLOCK_PROCESS_CPUTIME_ID);
	CHECK(b - a < 0.09);
	CHECK(cpu(CLOCK_THREAD_CPUTIME_ID) >= 0.09);
	SHOW(getrusage(RUSAGE_SELF, &ru));
	CHECK(tv(ru.ru_utime) + tv(ru.ru_stime) >= 0.08);
	SHOW(getrusage(RUSAGE_THREAD, &ru));
	CHECK(tv(ru.ru_utime) + tv(ru.ru_stime) >= 0.08);
	SHOW(getrusage(5, &ru));
	SHOW(getrusage(RUSAGE_CHILDREN, &ch));
	CHECK(tv(ch.ru_utime) + tv(ch.ru_stime) == 0);
	CHECK(times(&t1) != -1);
	CHECK(t1.tms_utime + t1.tms_stime - t0.tms_utime - t0.tms_stime >= 8);
	if (fork() == 0) {
		CHECK(cpu(CLOCK_PROCESS_CPUTIME_ID) < 0.05);
		fflush(stdout);
		burn(0.1);
		_exit(0);
	}
	SHOW_OK(wait4(-1, NULL, 0, &ru));
	CHECK(tv(ru.ru_utime) + tv(ru.ru_stime) >= 0.08);
	getrusage(RUSAGE_CHILDREN, &ch);
	CHECK(tv(ch.ru_utime) + tv(ch.ru_stime) >= 0.08);
	times(&t1);
	CHECK(t1.tms_cutime + t1.tms_cstime >= 8);
	SHOW(clock_getcpuclockid(0, &id));
	CHECK(cpu(id) >= 0.1);
	printf("%d\n", clock_getcpuclockid(1 << 28, &id) == ESRCH);
	return 0;
}
