/* What the host's control groups say about a container, in the shape of `runc events --stats`. */
#include <fcntl.h>
#include <stdio.h>
#include "common/base/util.h"
#include "launcher/sandbox/cgroup.h"

static char *read_text(const char *dir, const char *file, char *buf, size_t size)
{
	char path[PATH_MAX];
	ssize_t n;

	if (snprintf(path, sizeof(path), "%s/%s", dir, file) >= (int)sizeof(path))
		return NULL;
	CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);

	n = fd < 0 ? -1 : read(fd, buf, size - 1);
	if (n < 0)
		return NULL;
	buf[n] = 0;
	return buf;
}

/* A number alone; "max" and what is not there is 0 (for a limit: limit_of). */
static json_int_t number(const char *dir, const char *file)
{
	char buf[64];

	return read_text(dir, file, buf, sizeof(buf)) ? (json_int_t)strtoull(buf, NULL, 10) : 0;
}

/* A limit of version 2, -1 for none. */
static json_int_t limit_of(const char *dir, const char *file)
{
	char buf[64];

	if (!read_text(dir, file, buf, sizeof(buf)))
		return 0;
	return !strncmp(buf, "max", 3) ? CGROUP_NO_LIMIT : (json_int_t)strtoull(buf, NULL, 10);
}

/* Lines of a name and a number. */
static json_t *table(const char *dir, const char *file)
{
	char buf[16384], *save = NULL;
	json_t *out = json_object();

	if (!read_text(dir, file, buf, sizeof(buf)))
		return out;
	for (char *line = strtok_r(buf, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *space = strchr(line, ' ');

		if (!space)
			continue;
		*space = 0;
		json_object_set_new(out, line, json_integer((json_int_t)strtoull(space + 1, NULL, 10)));
	}
	return out;
}

static json_int_t of(const json_t *t, const char *key)
{
	return json_integer_value(json_object_get(t, key));
}

static json_t *per_cpu(const char *dir)
{
	char buf[16384], *save = NULL;
	json_t *out = json_array();

	if (read_text(dir, "cpuacct.usage_percpu", buf, sizeof(buf)))
		for (char *w = strtok_r(buf, " \n", &save); w; w = strtok_r(NULL, " \n", &save))
			json_array_append_new(out, json_integer((json_int_t)strtoull(w, NULL, 10)));
	return out;
}

static json_t *memory_entry(json_int_t limit, json_int_t usage, json_int_t max, json_int_t failures)
{
	return json_pack("{s:I, s:I, s:I, s:I}", "limit", limit, "usage", usage, "max", max, "failcnt", failures);
}

static json_t *stats_v1(const char *path)
{
	char mem[PATH_MAX], acct[PATH_MAX], cpu[PATH_MAX], pids[PATH_MAX];
	json_t *stat, *raw, *out;

	snprintf(mem, sizeof(mem), CGROUP_MOUNT "/memory/%s", path);
	snprintf(acct, sizeof(acct), CGROUP_MOUNT "/cpuacct/%s", path);
	snprintf(cpu, sizeof(cpu), CGROUP_MOUNT "/cpu/%s", path);
	snprintf(pids, sizeof(pids), CGROUP_MOUNT "/pids/%s", path);
	stat = table(cpu, "cpu.stat");
	raw = table(mem, "memory.stat");
	out = json_pack(
		"{s:{s:{s:I, s:o, s:I, s:I}, s:{s:I, s:I, s:I}}, s:{s:I, s:o, s:o, s:o, s:o, s:o}, s:{s:I, s:I}, s:{}, s:{}}",
		"cpu", "usage", "total", number(acct, "cpuacct.usage"), "percpu", per_cpu(acct), "kernel",
		number(acct, "cpuacct.usage_sys"), "user", number(acct, "cpuacct.usage_user"), "throttling", "periods",
		of(stat, "nr_periods"), "throttledPeriods", of(stat, "nr_throttled"), "throttledTime",
		of(stat, "throttled_time"), "memory", "cache", of(raw, "cache"), "usage",
		memory_entry(number(mem, "memory.limit_in_bytes"), number(mem, "memory.usage_in_bytes"),
			     number(mem, "memory.max_usage_in_bytes"), number(mem, "memory.failcnt")),
		"swap",
		memory_entry(number(mem, "memory.memsw.limit_in_bytes"), number(mem, "memory.memsw.usage_in_bytes"),
			     number(mem, "memory.memsw.max_usage_in_bytes"), number(mem, "memory.memsw.failcnt")),
		"kernel",
		memory_entry(number(mem, "memory.kmem.limit_in_bytes"), number(mem, "memory.kmem.usage_in_bytes"),
			     number(mem, "memory.kmem.max_usage_in_bytes"), number(mem, "memory.kmem.failcnt")),
		"kernelTCP",
		memory_entry(number(mem, "memory.kmem.tcp.limit_in_bytes"), number(mem, "memory.kmem.tcp.usage_in_bytes"),
			     number(mem, "memory.kmem.tcp.max_usage_in_bytes"), number(mem, "memory.kmem.tcp.failcnt")),
		"raw", raw, "pids", "current", number(pids, "pids.current"), "limit", number(pids, "pids.max"), "blkio",
		"hugetlb");
	json_decref(stat);
	return out;
}

static json_t *stats_v2(const char *path)
{
	char dir[PATH_MAX];
	json_t *cpu, *raw, *events, *out;
	json_int_t limit, swap, used;

	snprintf(dir, sizeof(dir), CGROUP_MOUNT "/%s", path);
	cpu = table(dir, "cpu.stat");
	raw = table(dir, "memory.stat");
	events = table(dir, "memory.events");
	/* memory and swap together, as version 1 counts them and readers expect it */
	limit = limit_of(dir, "memory.max");
	swap = limit_of(dir, "memory.swap.max");
	swap = limit == CGROUP_NO_LIMIT || swap == CGROUP_NO_LIMIT ? CGROUP_NO_LIMIT : swap + limit;
	used = number(dir, "memory.current");
	out = json_pack(
		"{s:{s:{s:I, s:I, s:I}, s:{s:I, s:I, s:I}}, s:{s:I, s:o, s:o, s:o, s:o, s:o}, s:{s:I, s:I}, s:{}, s:{}}", "cpu", "usage",
		"total", of(cpu, "usage_usec") * 1000, "kernel", of(cpu, "system_usec") * 1000, "user",
		of(cpu, "user_usec") * 1000, "throttling", "periods", of(cpu, "nr_periods"), "throttledPeriods",
		of(cpu, "nr_throttled"), "throttledTime", of(cpu, "throttled_usec") * 1000, "memory", "cache",
		of(raw, "file"), "usage",
		memory_entry(limit, used, number(dir, "memory.peak"), of(events, "max")), "swap",
		memory_entry(swap, used + number(dir, "memory.swap.current"), 0, 0), "kernel",
		memory_entry(0, of(raw, "kernel"), 0, 0), "kernelTCP", memory_entry(0, of(raw, "sock"), 0, 0), "raw", raw,
		"pids", "current", number(dir, "pids.current"), "limit", number(dir, "pids.max"), "blkio", "hugetlb");
	json_decref(cpu);
	json_decref(events);
	return out;
}

json_t *cgroup_stats(const char *path)
{
	return cgroup_is_v2() ? stats_v2(path) : stats_v1(path);
}

long long cgroup_oom_kills(const char *path)
{
	char dir[PATH_MAX];
	bool v2 = cgroup_is_v2();
	json_t *t;
	long long n;

	snprintf(dir, sizeof(dir), CGROUP_MOUNT "/%s%s", v2 ? "" : "memory/", path);
	t = table(dir, v2 ? "memory.events" : "memory.oom_control");
	n = of(t, "oom_kill");
	json_decref(t);
	return n;
}
