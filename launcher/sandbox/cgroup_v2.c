/* linux.resources on the one hierarchy of version 2, with runc's translations of version 1's numbers. */
#include <stdio.h>
#include "common/base/util.h"
#include "launcher/sandbox/cgroup.h"

#define F "linux.resources."

static void number(char buf[32], int64_t v)
{
	if (v < 0)
		strcpy(buf, "max");
	else
		snprintf(buf, 32, "%lld", (long long)v);
}

static int apply_memory(const char *dir, const struct spec_resources *r, struct err *e)
{
	int64_t swap = r->memory_swap;
	char buf[32];
	int ret = 0;

	if (r->memory_limit && r->memory_swap > 0 && r->memory_limit > 0 && r->memory_swap < r->memory_limit)
		return err_set(e, EINVAL, F "memory.swap: below memory.limit");
	/* version 1 counts memory and swap together, version 2 swap alone; without a word about swap, no limit of memory is
	 * none of swap */
	if (!swap && r->memory_limit < 0)
		swap = -1;
	if (swap && (swap < 0 || r->memory_limit > 0) && cgroup_has(dir, "memory.swap.max")) {
		number(buf, swap < 0 ? -1 : swap - r->memory_limit);
		ret = cgroup_set(dir, "memory.swap.max", F "memory.swap", e, "%s", buf);
	}
	if (ret == 0 && r->memory_limit) {
		number(buf, r->memory_limit);
		ret = cgroup_set(dir, "memory.max", F "memory.limit", e, "%s", buf);
	}
	if (ret == 0 && r->memory_reservation) {
		number(buf, r->memory_reservation);
		ret = cgroup_set(dir, "memory.low", F "memory.reservation", e, "%s", buf);
	}
	/* swappiness, kernel memory and an OOM killer that can be switched off are version 1's */
	return ret;
}

/* Quota and period are one file: what is not given stays as it is. */
static int apply_cpu_max(const char *dir, const struct spec_resources *r, struct err *e)
{
	char quota[32] = "max", path[PATH_MAX];
	unsigned long long period = 100000;
	FILE *f;

	if (snprintf(path, sizeof(path), "%s/cpu.max", dir) >= (int)sizeof(path))
		return err_sys(e, ENAMETOOLONG, F "cpu.quota");
	f = fopen(path, "re");
	if (f && fscanf(f, "%31s %llu", quota, &period) != 2)
		strcpy(quota, "max");
	if (f)
		fclose(f);
	if (r->cpu_quota)
		number(quota, r->cpu_quota);
	if (r->cpu_period)
		period = r->cpu_period;
	return cgroup_set(dir, "cpu.max", F "cpu.quota", e, "%s %llu", quota, period);
}

static int apply_cpu(const char *dir, const struct spec_resources *r, struct err *e)
{
	int ret = 0;

	if (r->cpu_shares) {
		uint64_t shares = MIN(MAX(r->cpu_shares, 2ull), 262144ull);

		ret = cgroup_set(dir, "cpu.weight", F "cpu.shares", e, "%llu",
				 (unsigned long long)(1 + (shares - 2) * 9999 / 262142));
	}
	if (ret == 0 && (r->cpu_quota || r->cpu_period))
		ret = apply_cpu_max(dir, r, e);
	if (ret == 0 && r->cpu_burst)
		ret = cgroup_set(dir, "cpu.max.burst", F "cpu.burst", e, "%llu", (unsigned long long)r->cpu_burst);
	if (ret == 0 && r->cpu_idle)
		ret = cgroup_set(dir, "cpu.idle", F "cpu.idle", e, "1");
	if (ret == 0 && r->cpus)
		ret = cgroup_set(dir, "cpuset.cpus", F "cpu.cpus", e, "%s", r->cpus);
	if (ret == 0 && r->mems)
		ret = cgroup_set(dir, "cpuset.mems", F "cpu.mems", e, "%s", r->mems);
	return ret;
}

static int apply_io(const char *dir, const struct spec_resources *r, struct err *e)
{
	static const char *const keys[] = {[RATE_READ_BPS] = "rbps", [RATE_WRITE_BPS] = "wbps",
					   [RATE_READ_IOPS] = "riops", [RATE_WRITE_IOPS] = "wiops"};
	bool bfq = cgroup_has(dir, "io.bfq.weight");
	const char *file = bfq ? "io.bfq.weight" : "io.weight";
	int ret = 0;

	if (r->io_weight)
		ret = cgroup_set(dir, file, F "blockIO.weight", e, "%llu",
				 (unsigned long long)(bfq ? r->io_weight : 1 + (r->io_weight - 10) * 9999 / 990));
	for (size_t i = 0; ret == 0 && i < r->rate_count; i++) {
		const struct spec_device_rate *d = &r->rates[i];

		if (d->kind == RATE_LEAF_WEIGHT)
			continue;
		if (d->kind == RATE_WEIGHT)
			ret = cgroup_set(dir, file, F "blockIO.weightDevice", e, "%u:%u %llu", d->major, d->minor,
					 (unsigned long long)d->rate);
		else
			ret = cgroup_set(dir, "io.max", F "blockIO", e, "%u:%u %s=%llu", d->major, d->minor,
					 keys[d->kind], (unsigned long long)d->rate);
	}
	return ret;
}

static int apply_unified(const char *dir, const struct spec_resources *r, struct err *e)
{
	const char *file;
	json_t *value;
	int ret = 0;

	json_object_foreach (r->unified, file, value) {
		ret = cgroup_set(dir, file, F "unified", e, "%s", json_string_value(value));
		if (ret < 0)
			break;
	}
	return ret;
}

#define PIDS_OF_SERVICES 64 /* see cgroup_v1.c */

int cgroup_apply_v2(const char *path, const struct spec_resources *r, struct err *e)
{
	char dir[PATH_MAX], buf[32];
	int ret;

	snprintf(dir, sizeof(dir), CGROUP_MOUNT "/%s", path);
	if ((ret = apply_memory(dir, r, e)) || (ret = apply_cpu(dir, r, e)) || (ret = apply_io(dir, r, e)))
		return ret;
	if (r->pids_limit) {
		number(buf, r->pids_limit < 0 ? -1 : MIN(r->pids_limit, INT32_MAX / 4) * 2 + PIDS_OF_SERVICES);
		ret = cgroup_set(dir, "pids.max", F "pids.limit", e, "%s", buf);
	}
	for (size_t i = 0; ret == 0 && i < r->hugepage_count; i++) {
		char file[64];

		snprintf(file, sizeof(file), "hugetlb.%.32s.max", r->hugepages[i].size);
		ret = cgroup_set(dir, file, F "hugepageLimits", e, "%llu", (unsigned long long)r->hugepages[i].limit);
	}
	return ret < 0 ? ret : apply_unified(dir, r, e);
}
