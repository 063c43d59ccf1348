/* /proc/self/limits shows what setrlimit set. */
#include "tests/guest/proc/util.h"
#include <sys/resource.h>
int main(void)
{
	struct rlimit rl = {123, 456};
	char buf[4096];

	setrlimit(RLIMIT_NOFILE, &rl);
	rl.rlim_max = RLIM_INFINITY;
	rl.rlim_cur = RLIM_INFINITY;
	setrlimit(RLIMIT_CORE, &rl);
	slurp("/proc/self/limits", buf, sizeof(buf));
	printf("%s\n", line(buf, "Max open files"));
	printf("%s\n", line(buf, "Limit"));
	printf("%d lines\n", (int)({ int n = 0; for (char *p = buf; *p; p++) n += *p == '\n'; n; }));
	return 0;
}
