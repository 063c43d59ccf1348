/* sysinfo's figures are sane. */
#include "tests/guest/show.h"
#include <sys/sysinfo.h>
#include <time.h>
int main(void)
{
	struct sysinfo si;
	struct timespec ts;

	SHOW(sysinfo(&si));
	CHECK(si.totalram > 0 && si.freeram <= si.totalram);
	CHECK(si.mem_unit >= 1 && si.procs >= 1);
	clock_gettime(CLOCK_BOOTTIME, &ts);
	CHECK(si.uptime - ts.tv_sec <= 2 && ts.tv_sec - si.uptime <= 2);
	CHECK(get_nprocs() >= 1);
	SHOW(sysinfo((void *)8));
	return 0;
}
