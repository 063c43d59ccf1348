/* Control groups of the host: linux.cgroupsPath and linux.resources. Made before the services, which
 * are born in them; the guest's processes are children of theirs. Version 2 where it is mounted at
 * /sys/fs/cgroup, else the version 1 hierarchies that are there. */
#include <fcntl.h>
#include <linux/magic.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include "common/base/util.h"
#include "launcher/sandbox/sandbox.h"

#define CGROUP_MOUNT "/sys/fs/cgroup"

static int write_file(const char *dir, const char *file, const char *value)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	CLEANUP_CLOSE int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd < 0 || write(fd, value, strlen(value)) < 0 ? -errno : 0;
}

static int set(const char *dir, const char *file, const char *field, struct err *e, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));
static int set(const char *dir, const char *file, const char *field, struct err *e, const char *fmt, ...)
{
	char value[128];
	va_list ap;
	int r;

	va_start(ap, fmt);
	vsnprintf(value, sizeof(value), fmt, ap);
	va_end(ap);
	r = write_file(dir, file, value);
	return r < 0 ? err_sys(e, -r, "%s: %s/%s", field, dir, file) : 0;
}

/* Makes a group and those above it; what was made is remembered, the innermost first. */
static int make_group(struct sandbox *sb, const char *base, const char *path, char *ret, bool v2, struct err *e)
{
	size_t n = strlen(base);

	snprintf(ret, PATH_MAX, "%s/%s", base, path);
	for (char *p = ret + n + 1;; p++) {
		if (*p && *p != '/')
			continue;
		char c = *p;

		*p = 0;
		if (mkdir(ret, 0755) == 0) {
			char *joined;

			if (asprintf(&joined, "%s%s%s", ret, sb->state->cgroups ? ":" : "",
				     sb->state->cgroups ? sb->state->cgroups : "") < 0)
				return err_sys(e, ENOMEM, "cgroup");
			free(sb->state->cgroups);
			sb->state->cgroups = joined;
			janitor_add_cgroup(&sb->janitor, ret);
		} else if (errno != EEXIST) {
			return err_sys(e, errno, "cgroup %s", ret);
		}
		if (v2 && c) {
			char *slash = strrchr(ret, '/');

			*slash = 0;
			write_file(ret, "cgroup.subtree_control", "+memory +pids +cpu +cpuset");
			*slash = '/';
		}
		*p = c;
		if (!c)
			return 0;
	}
}

static int enter_v2(struct sandbox *sb, const char *path, struct err *e)
{
	const struct spec_resources *r = &sb->spec->resources;
	char dir[PATH_MAX];
	int ret = make_group(sb, CGROUP_MOUNT, path, dir, true, e);

	if (ret < 0)
		return ret;
	if (r->memory_limit > 0 &&
	    (ret = set(dir, "memory.max", "linux.resources.memory.limit", e, "%lld", (long long)r->memory_limit)))
		return ret;
	if (r->memory_swap > 0 && r->memory_limit > 0 && r->memory_swap >= r->memory_limit)
		write_file(dir, "memory.swap.max", "0");
	if (r->memory_reservation > 0 && (ret = set(dir, "memory.low", "linux.resources.memory.reservation", e,
						    "%lld", (long long)r->memory_reservation)))
		return ret;
	if (r->cpu_quota > 0 && (ret = set(dir, "cpu.max", "linux.resources.cpu.quota", e, "%lld %llu",
					   (long long)r->cpu_quota,
					   (unsigned long long)(r->cpu_period ? r->cpu_period : 100000))))
		return ret;
	if (r->cpu_shares && (ret = set(dir, "cpu.weight", "linux.resources.cpu.shares", e, "%llu",
					(unsigned long long)(1 + ((r->cpu_shares - 2) * 9999) / 262142))))
		return ret;
	if (r->cpus && (ret = set(dir, "cpuset.cpus", "linux.resources.cpu.cpus", e, "%s", r->cpus)))
		return ret;
	if (r->mems && (ret = set(dir, "cpuset.mems", "linux.resources.cpu.mems", e, "%s", r->mems)))
		return ret;
	return set(dir, "cgroup.procs", "linux.cgroupsPath", e, "0");
}

static int enter_v1(struct sandbox *sb, const char *path, struct err *e)
{
	const struct spec_resources *r = &sb->spec->resources;
	static const char *const controllers[] = {"memory", "cpu", "cpuset", "pids"};
	const bool wanted[] = {
		r->memory_limit > 0 || r->memory_reservation > 0, r->cpu_quota > 0 || r->cpu_shares,
		r->cpus || r->mems, false,
	};
	static const char *const fields[] = {"linux.resources.memory", "linux.resources.cpu",
					     "linux.resources.cpu.cpus", "linux.resources.pids"};

	for (size_t i = 0; i < ARRAY_SIZE(controllers); i++) {
		char base[64], dir[PATH_MAX];
		int ret;

		snprintf(base, sizeof(base), CGROUP_MOUNT "/%s", controllers[i]);
		if (access(base, F_OK) < 0) {
			if (wanted[i])
				return err_set(e, ENOTSUP, "%s: this host has no cgroup controller \"%s\"",
					       fields[i], controllers[i]);
			continue;
		}
		/* a cpuset has to be filled in before it takes a process */
		if (!wanted[i] && (i == 2 || !sb->spec->cgroup_path))
			continue;
		ret = make_group(sb, base, path, dir, false, e);
		if (ret < 0)
			return ret;
		if (i == 0 && r->memory_limit > 0 &&
		    (ret = set(dir, "memory.limit_in_bytes", "linux.resources.memory.limit", e, "%lld",
			       (long long)r->memory_limit)))
			return ret;
		if (i == 0 && r->memory_reservation > 0 &&
		    (ret = set(dir, "memory.soft_limit_in_bytes", "linux.resources.memory.reservation", e,
			       "%lld", (long long)r->memory_reservation)))
			return ret;
		if (i == 1 && r->cpu_period && (ret = set(dir, "cpu.cfs_period_us", "linux.resources.cpu.period",
							  e, "%llu", (unsigned long long)r->cpu_period)))
			return ret;
		if (i == 1 && r->cpu_quota > 0 &&
		    (ret = set(dir, "cpu.cfs_quota_us", "linux.resources.cpu.quota", e, "%lld",
			       (long long)r->cpu_quota)))
			return ret;
		if (i == 1 && r->cpu_shares && (ret = set(dir, "cpu.shares", "linux.resources.cpu.shares", e,
							  "%llu", (unsigned long long)r->cpu_shares)))
			return ret;
		if (i == 2 && ((ret = set(dir, "cpuset.cpus", "linux.resources.cpu.cpus", e, "%s",
					  r->cpus ? r->cpus : "0")) ||
			       (ret = set(dir, "cpuset.mems", "linux.resources.cpu.mems", e, "%s",
					  r->mems ? r->mems : "0"))))
			return ret;
		ret = set(dir, "cgroup.procs", "linux.cgroupsPath", e, "0");
		if (ret < 0)
			return ret;
	}
	return 0;
}

int cgroup_enter(struct sandbox *sb, struct err *e)
{
	const char *path = sb->spec->cgroup_path;
	char own[300];
	struct statfs sf;

	if (!path && !sb->spec->resources.any)
		return 0;
	if (!path) {
		snprintf(own, sizeof(own), "sbx/%s", sb->state->id);
		path = own;
	}
	while (*path == '/')
		path++;
	if (strstr(path, "..") || strchr(path, ':') || !*path)
		return err_set(e, ENOTSUP, "linux.cgroupsPath: \"%s\" is not a path of a group", path);
	if (statfs(CGROUP_MOUNT, &sf) == 0 && sf.f_type == CGROUP2_SUPER_MAGIC)
		return enter_v2(sb, path, e);
	return enter_v1(sb, path, e);
}

/* A line of /proc/PID/cgroup: "number:controllers:path", the second empty for version 2. Hierarchies that
 * are not mounted where we know them are not ours. */
static int follow_line(char *line, pid_t pid, struct err *e)
{
	char *controllers = strchr(line, ':'), *path = controllers ? strchr(controllers + 1, ':') : NULL;
	char dir[PATH_MAX], *save = NULL, *name;

	if (!path)
		return 0;
	*path++ = 0;
	path[strcspn(path, "\n")] = 0;
	name = strtok_r(controllers + 1, ",", &save);
	snprintf(dir, sizeof(dir), CGROUP_MOUNT "%s%s%s", name ? "/" : "", name ? name : "", path);
	strncat(dir, "/cgroup.procs", sizeof(dir) - strlen(dir) - 1);
	if (access(dir, F_OK) < 0)
		return 0;
	*strrchr(dir, '/') = 0;
	return set(dir, "cgroup.procs", "linux.cgroupsPath", e, "%d", pid);
}

int cgroup_follow(pid_t where, pid_t pid, struct err *e)
{
	char path[64], line[PATH_MAX];
	FILE *f;
	int r = 0;

	snprintf(path, sizeof(path), "/proc/%d/cgroup", where);
	f = fopen(path, "re");
	if (!f)
		return err_sys(e, errno, "%s", path);
	while (r == 0 && fgets(line, sizeof(line), f))
		r = follow_line(line, pid, e);
	fclose(f);
	return r;
}
