/* /proc/self/stat and statm: the fields that can be predicted. */
#include "tests/guest/proc/util.h"
#include <sys/prctl.h>
#include <time.h>
int main(void)
{
	char buf[4096], *p;
	unsigned long long v[64];
	struct timespec ts;
	int n = 0;
	char st;

	prctl(PR_SET_NAME, "a) b (c");
	slurp("/proc/self/stat", buf, sizeof(buf));
	p = strrchr(buf, ')');
	CHECK(atoi(buf) == getpid());
	CHECK(!strncmp(strchr(buf, '('), "(a) b (c)", 9));
	st = p[2];
	printf("state %c\n", st);
	p += 3;
	while (n < 60) {
		char *end;
		v[n] = strtoull(p, &end, 10);
		if (end == p)
			break;
		p = end;
		n++;
	}
	printf("fields after state: %d\n", n);
	CHECK((int)v[1] == getpgrp() && (int)v[2] == getsid(0));
	printf("priority %llu nice %llu threads %llu\n", v[14], v[15], v[16]);
	clock_gettime(CLOCK_BOOTTIME, &ts);
	CHECK(v[18] / 100 <= (unsigned long long)ts.tv_sec + 1 && v[18] / 100 + 30 >= (unsigned long long)ts.tv_sec);
	CHECK(v[19] > 100000 && v[20] > 10);
	CHECK(v[22] && v[23] > v[22]);
	printf("exit_signal %llu policy %llu\n", v[34], v[37]);
	slurp("/proc/self/statm", buf, sizeof(buf));
	CHECK(sscanf(buf, "%llu %llu %llu %llu", &v[0], &v[1], &v[2], &v[3]) == 4 && v[0] >= v[1] && v[1] >= v[2]);
	return 0;
}
