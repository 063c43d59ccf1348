/* Guest ABI of system information and scheduling calls (x86-64 Linux). */
#ifndef SYSD_ABI_SYS_H
#define SYSD_ABI_SYS_H

#include <stdint.h>

struct abi_utsname {
	char sysname[65], nodename[65], release[65], version[65], machine[65], domainname[65];
};
_Static_assert(sizeof(struct abi_utsname) == 390, "struct new_utsname is 390 bytes");

struct abi_sysinfo {
	int64_t uptime;
	uint64_t loads[3], totalram, freeram, sharedram, bufferram, totalswap, freeswap;
	uint16_t procs, pad;
	uint64_t totalhigh, freehigh;
	uint32_t mem_unit;
};
_Static_assert(sizeof(struct abi_sysinfo) == 112, "struct sysinfo is 112 bytes");
#define ABI_SI_LOAD_SHIFT 16

struct abi_sched_attr {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
	uint32_t util_min, util_max;
};
#define ABI_SCHED_ATTR_SIZE_VER0 48
_Static_assert(sizeof(struct abi_sched_attr) == 56, "struct sched_attr, version 1");

#define ABI_SCHED_OTHER 0
#define ABI_SCHED_FIFO 1
#define ABI_SCHED_RR 2
#define ABI_SCHED_BATCH 3
#define ABI_SCHED_IDLE 5
#define ABI_SCHED_DEADLINE 6
#define ABI_SCHED_RESET_ON_FORK 0x40000000
#define ABI_SCHED_FLAG_ALL 0x7f
#define ABI_SCHED_FLAG_RESET_ON_FORK 1
#define ABI_SCHED_FLAG_KEEP_POLICY 8
#define ABI_SCHED_FLAG_KEEP_PARAMS 16

#endif
