/* CPU affinity: masks, sizes, inheritance. */
#include "tests/guest/show.h"
#include <sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>
int main(void)
{
	cpu_set_t set, one, got;
	unsigned long w[16] = {0};
	int first = -1;

	SHOW(sched_getaffinity(0, sizeof(set), &set));
	for (int i = CPU_SETSIZE - 1; i >= 0; i--)
		if (CPU_ISSET(i, &set))
			first = i;
	CHECK(CPU_COUNT(&set) >= 1);
	CHECK(syscall(SYS_sched_getaffinity, 0, sizeof(w), w) % 8 == 0);
	SHOW(syscall(SYS_sched_getaffinity, 0, 7, w));
	SHOW(syscall(SYS_sched_getaffinity, 0, 0, w));
	SHOW(sched_getaffinity(1 << 28, sizeof(set), &set));
	CPU_ZERO(&one);
	SHOW(sched_setaffinity(0, sizeof(one), &one));
	CPU_SET(first, &one);
	SHOW(sched_setaffinity(0, sizeof(one), &one));
	sched_getaffinity(0, sizeof(got), &got);
	CHECK(CPU_EQUAL(&one, &got));
	CHECK(sched_getcpu() == first);
	fflush(stdout);
	if (fork() == 0) {
		sched_getaffinity(0, sizeof(got), &got);
		CHECK(CPU_EQUAL(&one, &got));
		fflush(stdout);
		_exit(0);
	}
	wait(NULL);
	SHOW(sched_setaffinity(0, sizeof(set), &set));
	sched_getaffinity(0, sizeof(got), &got);
	CHECK(CPU_EQUAL(&set, &got));
	return 0;
}
