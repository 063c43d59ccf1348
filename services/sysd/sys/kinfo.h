/* What this kernel calls itself, and what it knows of the machine beneath it. */
#ifndef SYSD_SYS_KINFO_H
#define SYSD_SYS_KINFO_H

#include <stddef.h>
#include <stdint.h>

struct task;

#define KINFO_SYSNAME "Linux"
#define KINFO_RELEASE "6.1.0-sbx"
#define KINFO_VERSION "#1 SMP sbx " SBX_VERSION
#define KINFO_MACHINE "x86_64"
#define KINFO_BUILDER "sbx@sbx"
#define KINFO_COMPILER "gcc " __VERSION__

#define KINFO_CPUS_MAX 1024

struct kinfo_host {
	unsigned cpu_count;       /* one more than the highest CPU that the sandbox may use */
	uint64_t cpus[KINFO_CPUS_MAX / 64]; /* those that it may use: of a cpuset, not all below that */
	uint64_t mem_total;       /* bytes: the host's memory, or the sandbox's limit */
	char *cpuinfo;            /* text of /proc/cpuinfo, for these CPUs */
	size_t cpuinfo_size;
	uint64_t boot_id[2];
};
extern struct kinfo_host kinfo_host;

/* Reads the host's /proc once: to be called before the confinement closes it. Never fails: what
 * cannot be read is made from sysconf(3). */
void kinfo_host_init(void);
/* The sandbox's memory limit, if it has one (0: none). */
void kinfo_set_mem_limit(uint64_t bytes);

/* Memory in use by the tasks of the sandbox; sleeps. */
struct kinfo_mem {
	uint64_t total, free, shared, anon;
};
void kinfo_mem(struct kinfo_mem *ret);
/* 1, 5 and 15 minutes, in 1/65536; and the number of tasks that run and that exist. */
void kinfo_load(uint64_t ret_load[3], unsigned *ret_running, unsigned *ret_total);

#endif
