/* SCHED_DEADLINE: what sched_setattr takes and refuses, and that sched_getattr says it again. */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

struct sched_attr_ {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
};

static int set(unsigned long long runtime, unsigned long long deadline, unsigned long long period)
{
	struct sched_attr_ a = {.size = sizeof(a), .policy = 6, .runtime = runtime, .deadline = deadline,
			       .period = period};

	return syscall(SYS_sched_setattr, 0, &a, 0) ? -errno : 0;
}

int main(void)
{
	struct sched_attr_ a;
	struct sched_param p = {0};

	printf("none %d, more than the deadline %d, beyond the period %d\n", set(0, 0, 0), set(3000000, 2000000, 0),
	       set(1000000, 3000000, 2000000));
	printf("set %d\n", set(1000000, 20000000, 30000000));
	printf("get %d", (int)syscall(SYS_sched_getattr, 0, &a, sizeof(a), 0));
	printf(" policy %u %llu %llu %llu\n", a.policy, (unsigned long long)a.runtime,
	       (unsigned long long)a.deadline, (unsigned long long)a.period);
	printf("policy %d", sched_getscheduler(0));
	printf(" back %d %d\n", sched_setscheduler(0, SCHED_OTHER, &p), sched_getscheduler(0));
	return 0;
}
