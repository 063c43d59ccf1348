#include "services/sysd/sys/limits.h"

#include "services/sysd/sys/kinfo.h"

struct ctl_limits limits;
uint64_t limits_pids_events;

void limits_set(const struct ctl_limits *l)
{
	limits = *l;
	kinfo_set_mem_limit(l->memory);
}

void limits_count_pids_max(void)
{
	limits_pids_events++;
}
