/* Scheduling calls: policies, priorities, errors. */
#include "tests/guest/show.h"
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
int main(void)
{
	struct sched_param p = {0}, p5 = {5};
	struct timespec ts;
	struct rlimit rl = {0, 0};

	for (int pol = -1; pol <= 6; pol++)
		printf("policy %d: %d..%d\n", pol, sched_get_priority_min(pol), sched_get_priority_max(pol));
	SHOW(sched_getscheduler(0));
	SHOW(sched_getscheduler(-1));
	SHOW(sched_getscheduler(1 << 28));
	SHOW(sched_getparam(0, &p));
	printf("%d\n", p.sched_priority);
	SHOW(sched_setscheduler(0, SCHED_BATCH, &p));
	SHOW(sched_getscheduler(0));
	SHOW(sched_setscheduler(0, SCHED_BATCH, &p5));
	SHOW(sched_setscheduler(0, 4, &p));
	SHOW(sched_setscheduler(0, SCHED_OTHER, NULL));
	SHOW(sched_setscheduler(0, SCHED_OTHER | SCHED_RESET_ON_FORK, &p));
	printf("%x\n", (unsigned)sched_getscheduler(0));
	SHOW(sched_setparam(0, &p5));
	SHOW(sched_rr_get_interval(0, &ts));
	CHECK(ts.tv_sec == 0 && ts.tv_nsec >= 0);
	SHOW(sched_rr_get_interval(-5, &ts));
	SHOW(sched_yield());
	setrlimit(RLIMIT_RTPRIO, &rl);
	if (setresuid(1000, 1000, 1000))
		return 77;
	SHOW(sched_setscheduler(0, SCHED_FIFO, &p5));
	SHOW(sched_setscheduler(0, SCHED_RR, &p));
	SHOW(sched_setscheduler(0, SCHED_OTHER, &p));
	SHOW(sched_setscheduler(0, SCHED_IDLE, &p));
	SHOW(sched_getscheduler(0));
	return 0;
}
