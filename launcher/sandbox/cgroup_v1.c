/* linux.resources on the hierarchies of version 1. */
#include <stdio.h>
#include "common/base/util.h"
#include "launcher/sandbox/cgroup.h"

#define F "linux.resources."

static int no_controller(const char *field, const char *name, struct err *e)
{
	return err_set(e, ENOTSUP, "%s: this host has no cgroup controller \"%s\"", field, name);
}

/* Limit and limit with swap: neither may pass the other on its way. */
static int apply_memory_and_swap(const char *dir, const struct spec_resources *r, struct err *e)
{
	bool has_swap = cgroup_has(dir, "memory.memsw.limit_in_bytes");
	int64_t swap = r->memory_swap;
	int ret = 0;

	/* without a limit for swap, a raised limit of memory takes it along */
	if (r->memory_limit == -1 && !swap)
		swap = -1;
	for (int pass = 0; pass < 2; pass++) {
		ret = 0;
		if (r->memory_limit)
			ret = cgroup_set(dir, "memory.limit_in_bytes", F "memory.limit", e, "%lld",
					 (long long)r->memory_limit);
		if (swap && has_swap && (ret == 0 || pass == 0)) {
			int second = cgroup_set(dir, "memory.memsw.limit_in_bytes", F "memory.swap", e, "%lld",
						(long long)swap);

			ret = ret ? ret : second;
		}
		if (ret == 0)
			return 0;
	}
	return ret;
}

static int apply_memory(const char *dir, const struct spec_resources *r, struct err *e)
{
	int ret = apply_memory_and_swap(dir, r, e);

	if (ret == 0 && r->memory_reservation)
		ret = cgroup_set(dir, "memory.soft_limit_in_bytes", F "memory.reservation", e, "%lld",
				 (long long)r->memory_reservation);
	/* kernel memory is part of the limit of memory since Linux 5.16, where the file refuses or is gone */
	if (ret == 0 && r->memory_kernel > 0)
		cgroup_set(dir, "memory.kmem.limit_in_bytes", F "memory.kernel", e, "%lld", (long long)r->memory_kernel);
	if (ret == 0 && r->memory_kernel_tcp)
		ret = cgroup_set(dir, "memory.kmem.tcp.limit_in_bytes", F "memory.kernelTCP", e, "%lld",
				 (long long)r->memory_kernel_tcp);
	if (ret == 0 && r->swappiness >= 0)
		ret = cgroup_set(dir, "memory.swappiness", F "memory.swappiness", e, "%lld", (long long)r->swappiness);
	if (ret == 0 && r->no_oom_kill)
		ret = cgroup_set(dir, "memory.oom_control", F "memory.disableOOMKiller", e, "1");
	return ret;
}

static int apply_cpu(const char *dir, const struct spec_resources *r, struct err *e)
{
	int ret = 0;

	if (r->cpu_shares)
		ret = cgroup_set(dir, "cpu.shares", F "cpu.shares", e, "%llu", (unsigned long long)r->cpu_shares);
	/* a quota of before may be too large for the new period, and the other way round */
	if (ret == 0 && r->cpu_period) {
		ret = cgroup_set(dir, "cpu.cfs_period_us", F "cpu.period", e, "%llu", (unsigned long long)r->cpu_period);
		if (ret == -EINVAL && r->cpu_quota) {
			cgroup_set(dir, "cpu.cfs_quota_us", F "cpu.quota", e, "%lld", (long long)r->cpu_quota);
			ret = cgroup_set(dir, "cpu.cfs_period_us", F "cpu.period", e, "%llu",
					 (unsigned long long)r->cpu_period);
		}
	}
	if (ret == 0 && r->cpu_quota)
		ret = cgroup_set(dir, "cpu.cfs_quota_us", F "cpu.quota", e, "%lld", (long long)r->cpu_quota);
	if (ret == 0 && r->cpu_burst)
		ret = cgroup_set(dir, "cpu.cfs_burst_us", F "cpu.burst", e, "%llu", (unsigned long long)r->cpu_burst);
	if (ret == 0 && r->cpu_idle)
		ret = cgroup_set(dir, "cpu.idle", F "cpu.idle", e, "1");
	if (ret == 0 && r->cpu_rt_period)
		ret = cgroup_set(dir, "cpu.rt_period_us", F "cpu.realtimePeriod", e, "%llu",
				 (unsigned long long)r->cpu_rt_period);
	if (ret == 0 && r->cpu_rt_runtime)
		ret = cgroup_set(dir, "cpu.rt_runtime_us", F "cpu.realtimeRuntime", e, "%lld",
				 (long long)r->cpu_rt_runtime);
	return ret;
}

static int apply_cpuset(const char *dir, const struct spec_resources *r, struct err *e)
{
	int ret = 0;

	if (r->cpus)
		ret = cgroup_set(dir, "cpuset.cpus", F "cpu.cpus", e, "%s", r->cpus);
	if (ret == 0 && r->mems)
		ret = cgroup_set(dir, "cpuset.mems", F "cpu.mems", e, "%s", r->mems);
	return ret;
}

/* The guest's tasks are counted and refused by sysd, to the number. Here is the second wall, for host
 * processes: those of the guest, as many blank ones, and the services. */
#define PIDS_OF_SERVICES 64

static int apply_pids(const char *dir, const struct spec_resources *r, struct err *e)
{
	if (r->pids_limit < 0)
		return cgroup_set(dir, "pids.max", F "pids.limit", e, "max");
	return cgroup_set(dir, "pids.max", F "pids.limit", e, "%lld",
			  (long long)(r->pids_limit > INT32_MAX ? INT32_MAX : 2 * r->pids_limit + PIDS_OF_SERVICES));
}

static int apply_io(const char *dir, const struct spec_resources *r, struct err *e)
{
	static const char *const files[] = {
		[RATE_READ_BPS] = "blkio.throttle.read_bps_device", [RATE_WRITE_BPS] = "blkio.throttle.write_bps_device",
		[RATE_READ_IOPS] = "blkio.throttle.read_iops_device", [RATE_WRITE_IOPS] = "blkio.throttle.write_iops_device",
	};
	bool bfq = cgroup_has(dir, "blkio.bfq.weight");
	int ret = 0;

	if (r->io_weight)
		ret = cgroup_set(dir, bfq ? "blkio.bfq.weight" : "blkio.weight", F "blockIO.weight", e, "%llu",
				 (unsigned long long)r->io_weight);
	if (ret == 0 && r->io_leaf_weight)
		ret = cgroup_set(dir, "blkio.leaf_weight", F "blockIO.leafWeight", e, "%llu",
				 (unsigned long long)r->io_leaf_weight);
	for (size_t i = 0; ret == 0 && i < r->rate_count; i++) {
		const struct spec_device_rate *d = &r->rates[i];
		const char *file = d->kind == RATE_WEIGHT ? (bfq ? "blkio.bfq.weight_device" : "blkio.weight_device")
				   : d->kind == RATE_LEAF_WEIGHT ? "blkio.leaf_weight_device" : files[d->kind];

		ret = cgroup_set(dir, file, F "blockIO", e, "%u:%u %llu", d->major, d->minor, (unsigned long long)d->rate);
	}
	return ret;
}

static int apply_hugetlb(const char *dir, const struct spec_resources *r, struct err *e)
{
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < r->hugepage_count; i++) {
		char file[64];

		snprintf(file, sizeof(file), "hugetlb.%.32s.limit_in_bytes", r->hugepages[i].size);
		ret = cgroup_set(dir, file, F "hugepageLimits", e, "%llu", (unsigned long long)r->hugepages[i].limit);
	}
	return ret;
}

static int apply_net(const char *dir, const struct spec_resources *r, struct err *e)
{
	return cgroup_set(dir, "net_cls.classid", F "network.classID", e, "%llu", (unsigned long long)r->net_class);
}

int cgroup_apply_v1(const char *path, const struct spec_resources *r, struct err *e)
{
	const struct {
		const char *controller, *field;
		bool wanted;
		int (*apply)(const char *dir, const struct spec_resources *res, struct err *e);
	} parts[] = {
		{"memory", F "memory", r->memory_limit || r->memory_swap || r->memory_reservation || r->memory_kernel_tcp ||
				       r->swappiness >= 0 || r->no_oom_kill, apply_memory},
		{"cpu", F "cpu", r->cpu_shares || r->cpu_quota || r->cpu_period || r->cpu_burst || r->cpu_idle ||
				 r->cpu_rt_period || r->cpu_rt_runtime, apply_cpu},
		{"cpuset", F "cpu.cpus", r->cpus || r->mems, apply_cpuset},
		{"pids", F "pids", r->pids_limit != 0, apply_pids},
		{"blkio", F "blockIO", r->io_weight || r->io_leaf_weight || r->rate_count, apply_io},
		{"hugetlb", F "hugepageLimits", r->hugepage_count, apply_hugetlb},
		{"net_cls", F "network", r->net_class, apply_net},
	};

	if (r->unified)
		return err_set(e, ENOTSUP, F "unified: this host has cgroups of version 1");
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		char dir[PATH_MAX];
		int ret;

		if (!parts[i].wanted)
			continue;
		snprintf(dir, sizeof(dir), CGROUP_MOUNT "/%s/%s", parts[i].controller, path);
		if (access(dir, F_OK) < 0)
			return no_controller(parts[i].field, parts[i].controller, e);
		ret = parts[i].apply(dir, r, e);
		if (ret < 0)
			return ret;
	}
	return 0;
}
