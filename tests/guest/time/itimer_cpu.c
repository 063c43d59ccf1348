/* ITIMER_VIRTUAL and ITIMER_PROF fire while the program computes, not while it sleeps. */
#include "tests/guest/show.h"
#include <signal.h>
#include <sys/time.h>
#include <time.h>
static volatile sig_atomic_t virt, prof;
static void on_virt(int s)
{
	(void)s;
	virt++;
}
static void on_prof(int s)
{
	(void)s;
	prof++;
}
int main(void)
{
	struct itimerval it = {{0, 20000}, {0, 20000}}, zero = {{0, 0}, {0, 0}}, old;
	struct timespec ms100 = {0, 100000000};
	volatile unsigned long x = 0;

	signal(SIGVTALRM, on_virt);
	signal(SIGPROF, on_prof);
	SHOW(setitimer(ITIMER_VIRTUAL, &it, NULL));
	nanosleep(&ms100, NULL);
	CHECK(virt == 0);
	while (virt < 3)
		x++;
	CHECK(virt >= 3);
	SHOW(getitimer(ITIMER_VIRTUAL, &old));
	CHECK(old.it_interval.tv_usec == 20000);
	SHOW(setitimer(ITIMER_VIRTUAL, &zero, NULL));
	SHOW(setitimer(ITIMER_PROF, &it, NULL));
	while (prof < 3)
		x++;
	CHECK(prof >= 3);
	SHOW(setitimer(ITIMER_PROF, &zero, NULL));
	return 0;
}
