/* Global files: their form. */
#include "tests/guest/proc/util.h"
#include <sys/sysinfo.h>
#include <time.h>
static char buf[1 << 20];
int main(void)
{
	struct timespec ts;
	double up, idle, l1, l5, l15;
	int run, total, last, cpus = 0;
	unsigned long long user;

	CHECK(slurp("/proc/cpuinfo", buf, sizeof(buf)) > 0);
	for (char *p = buf; (p = strstr(p, "processor\t:")); p++)
		cpus++;
	CHECK(cpus >= get_nprocs());
	slurp("/proc/meminfo", buf, sizeof(buf));
	CHECK(atol(line(buf, "MemTotal:")) > 1000 && atol(line(buf, "MemFree:")) > 0);
	CHECK(atol(line(buf, "MemAvailable:")) > 0 && strstr(buf, "SwapTotal:"));
	slurp("/proc/uptime", buf, sizeof(buf));
	clock_gettime(CLOCK_BOOTTIME, &ts);
	CHECK(sscanf(buf, "%lf %lf", &up, &idle) == 2 && up > (double)ts.tv_sec - 2 && up < (double)ts.tv_sec + 2);
	slurp("/proc/loadavg", buf, sizeof(buf));
	CHECK(sscanf(buf, "%lf %lf %lf %d/%d %d", &l1, &l5, &l15, &run, &total, &last) == 6 && total >= 1);
	slurp("/proc/version", buf, sizeof(buf));
	CHECK(!strncmp(buf, "Linux version ", 14) && strchr(buf, '#'));
	slurp("/proc/stat", buf, sizeof(buf));
	CHECK(sscanf(buf, "cpu %llu", &user) == 1 && strstr(buf, "\ncpu0 ") && strstr(buf, "\nbtime "));
	slurp("/proc/filesystems", buf, sizeof(buf));
	CHECK(strstr(buf, "nodev\tproc\n") && strstr(buf, "nodev\ttmpfs\n") && strstr(buf, "nodev\tsysfs\n"));
	slurp("/proc/self/mounts", buf, sizeof(buf));
	CHECK(strstr(buf, " /proc proc ") != NULL);
	slurp("/proc/mounts", buf, sizeof(buf));
	CHECK(strstr(buf, " /proc proc ") != NULL);
	slurp("/proc/self/mountinfo", buf, sizeof(buf));
	CHECK(strstr(buf, " / /proc ") && strstr(buf, " - proc "));
	CHECK(slurp("/proc/cmdline", buf, sizeof(buf)) > 0);
	CHECK(slurp("/proc/devices", buf, sizeof(buf)) > 0 && strstr(buf, "136 pts"));
	CHECK(slurp("/proc/swaps", buf, sizeof(buf)) > 0);
	CHECK(slurp("/proc/partitions", buf, sizeof(buf)) > 0);
	CHECK(slurp("/proc/interrupts", buf, sizeof(buf)) > 0);
	CHECK(slurp("/proc/self/cgroup", buf, sizeof(buf)) > 0 && strchr(buf, ':'));
	return 0;
}
