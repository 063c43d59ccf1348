/* /sys: processors. */
#include "tests/guest/proc/util.h"
#include <sys/sysinfo.h>
int main(void)
{
	char buf[4096];
	int lo, hi;

	CHECK(slurp("/sys/devices/system/cpu/online", buf, sizeof(buf)) > 0);
	if (sscanf(buf, "%d-%d", &lo, &hi) != 2)
		hi = lo = atoi(buf);
	CHECK(lo == 0 && hi + 1 >= get_nprocs());
	CHECK(slurp("/sys/devices/system/cpu/possible", buf, sizeof(buf)) > 0);
	CHECK(slurp("/sys/devices/system/cpu/present", buf, sizeof(buf)) > 0);
	CHECK(access("/sys/devices/system/cpu/cpu0/topology/core_id", R_OK) == 0);
	CHECK(slurp("/sys/kernel/mm/transparent_hugepage/enabled", buf, sizeof(buf)) > 0 && strchr(buf, '['));
	CHECK(access("/sys/class/net", F_OK) == 0 && access("/sys/block", F_OK) == 0);
	CHECK(get_nprocs_conf() >= get_nprocs());
	SHOW(open("/sys/devices/nothing", O_RDONLY));
	return 0;
}
