/* Making groups and moving into them. See cgroup.h. */
#include "launcher/sandbox/cgroup.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include "common/base/util.h"
#include "common/log/log.h"
#include "launcher/sandbox/sandbox.h"

#define FREEZER CGROUP_MOUNT "/freezer"
#define BOX "box"

int cgroup_write(const char *dir, const char *file, const char *value)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/%s", dir, file) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	CLEANUP_CLOSE int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd < 0 || write(fd, value, strlen(value)) < 0 ? -errno : 0;
}

int cgroup_set(const char *dir, const char *file, const char *field, struct err *e, const char *fmt, ...)
{
	char value[1024];
	va_list ap;
	int r;

	va_start(ap, fmt);
	vsnprintf(value, sizeof(value), fmt, ap);
	va_end(ap);
	r = cgroup_write(dir, file, value);
	return r < 0 ? err_sys(e, -r, "%s: %s/%s", field, dir, file) : 0;
}

bool cgroup_has(const char *dir, const char *file)
{
	char path[PATH_MAX];

	return snprintf(path, sizeof(path), "%s/%s", dir, file) < (int)sizeof(path) && access(path, F_OK) == 0;
}

bool cgroup_is_v2(void)
{
	static int known = -1; /* the supervisor asks again when it may no longer look */
	struct statfs sf;

	if (known < 0)
		known = statfs(CGROUP_MOUNT, &sf) == 0 && sf.f_type == CGROUP2_SUPER_MAGIC;
	return known;
}

/* A new cpuset has no CPU and takes no process: it starts with what the one above has. */
static void fill_cpuset(const char *dir)
{
	static const char *const files[] = {"cpuset.cpus", "cpuset.mems"};

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		char path[PATH_MAX], value[1024];
		ssize_t n;

		snprintf(path, sizeof(path), "%.3000s/../%s", dir, files[i]);
		CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);

		n = fd < 0 ? -1 : read(fd, value, sizeof(value) - 1);
		if (n <= 0)
			continue;
		value[n] = 0;
		cgroup_write(dir, files[i], value);
	}
}

/* A controller that the group above does not have, or cannot give, is missed when it is set. */
static void enable_below(const char *dir)
{
	static const char *const controllers[] = {"+memory", "+pids", "+cpu", "+cpuset", "+io", "+hugetlb"};

	for (size_t i = 0; i < ARRAY_SIZE(controllers); i++)
		cgroup_write(dir, "cgroup.subtree_control", controllers[i]);
}

enum kind { KIND_V1, KIND_CPUSET, KIND_V2 };

/* One folder, noted before it is there: at no moment there is one that nobody would remove. -EEXIST: it is another's. */
static int make_one(struct sandbox *sb, const char *dir, struct err *e)
{
	int r = access(dir, F_OK) == 0 ? -EEXIST : state_note_cgroup(sb->state, dir, e);

	if (r == 0 && mkdir(dir, 0755) < 0)
		r = errno == EEXIST ? -EEXIST : err_sys(e, errno, "cgroup %s", dir);
	return r;
}

/* Makes a group and those above it. */
static int try_group(struct sandbox *sb, const char *base, const char *path, enum kind kind, char ret[PATH_MAX],
		      struct err *e)
{
	size_t n = strlen(base);

	if (snprintf(ret, PATH_MAX, "%s/%s", base, path) >= PATH_MAX)
		return err_sys(e, ENAMETOOLONG, "linux.cgroupsPath");
	for (char *p = ret + n + 1;; p++) {
		char c = *p;
		int r;

		if (c && c != '/')
			continue;
		*p = 0;
		if (kind == KIND_V2) {
			char *slash = strrchr(ret, '/');

			*slash = 0;
			enable_below(ret);
			*slash = '/';
		}
		r = make_one(sb, ret, e);
		if (r < 0 && r != -EEXIST)
			return r;
		if (r == 0 && kind == KIND_CPUSET)
			fill_cpuset(ret);
		*p = c;
		if (!c)
			return 0;
	}
}

static int make_group(struct sandbox *sb, const char *base, const char *path, enum kind kind, char ret[PATH_MAX],
		      struct err *e)
{
	int r = -ENOENT;

	/* a container that ends may take the group above along, while this one comes */
	for (int tries = 0; tries < 10 && r == -ENOENT; tries++)
		r = try_group(sb, base, path, kind, ret, e);
	return r;
}

/* Every hierarchy of version 1 that is mounted at its usual place. */
static int enter_v1(struct sandbox *sb, const char *path, struct err *e)
{
	FILE *f = fopen("/proc/self/cgroup", "re");
	char line[4096];
	int r = 0;

	if (!f)
		return err_sys(e, errno, "/proc/self/cgroup");
	while (r == 0 && fgets(line, sizeof(line), f)) {
		char *names = strchr(line, ':'), *end = names ? strchr(names + 1, ':') : NULL, base[256], dir[PATH_MAX];
		bool cpuset;

		if (!end || line[0] == '0')
			continue;
		*end = 0;
		names++;
		if (!strncmp(names, "name=", 5))
			names += 5;
		if (strchr(names, '/') || snprintf(base, sizeof(base), CGROUP_MOUNT "/%s", names) >= (int)sizeof(base) ||
		    access(base, F_OK) < 0)
			continue;
		cpuset = strstr(names, "cpuset") != NULL;
		r = make_group(sb, base, path, cpuset ? KIND_CPUSET : KIND_V1, dir, e);
		if (r == 0)
			r = cgroup_set(dir, "cgroup.procs", "linux.cgroupsPath", e, "0");
	}
	fclose(f);
	return r;
}

static int enter_v2(struct sandbox *sb, const char *path, struct err *e)
{
	char dir[PATH_MAX], box[PATH_MAX];
	int r = make_group(sb, CGROUP_MOUNT, path, KIND_V2, dir, e);

	if (r < 0)
		return r;
	/* no controller is given on to the box, so that both may have processes */
	snprintf(box, sizeof(box), "%.3000s/" BOX, dir);
	r = make_one(sb, box, e);
	return r < 0 && r != -EEXIST ? r : cgroup_set(box, "cgroup.procs", "linux.cgroupsPath", e, "0");
}

/* "slice:prefix:name", as engines write it with systemd's driver. */
static int systemd_path(const char *text, char *ret, size_t size, struct err *e)
{
	char slice[512] = "", *colon;
	const char *prefix = strchr(text, ':'), *name = prefix ? strchr(prefix + 1, ':') : NULL;
	size_t n = 0;

	if (!name || (size_t)(prefix - text) >= sizeof(slice))
		return err_set(e, EINVAL, "linux.cgroupsPath: \"%s\" is not slice:prefix:name", text);
	memcpy(slice, text, (size_t)(prefix - text));
	if (!slice[0])
		strcpy(slice, "system.slice");
	/* a-b.slice is in a.slice */
	colon = strstr(slice, ".slice");
	if (!colon || colon[6])
		return err_set(e, EINVAL, "linux.cgroupsPath: \"%s\" is not a slice", slice);
	for (char *dash = strchr(slice, '-'); dash && dash < colon && slice[0] != '-'; dash = strchr(dash + 1, '-'))
		n += (size_t)snprintf(ret + n, size - MIN(n, size), "%.*s.slice/", (int)(dash - slice), slice);
	if (strcmp(slice, "-.slice") != 0)
		n += (size_t)snprintf(ret + MIN(n, size), size - MIN(n, size), "%s/", slice);
	prefix++;
	n += (size_t)snprintf(ret + MIN(n, size), size - MIN(n, size), "%.*s%s%s.scope", (int)(name - prefix), prefix,
			      name > prefix ? "-" : "", name + 1);
	return n >= size ? err_sys(e, ENAMETOOLONG, "linux.cgroupsPath") : 0;
}

int cgroup_enter(struct sandbox *sb, struct err *e)
{
	const char *path = sb->spec->cgroup_path;
	char own[PATH_MAX];
	int r;

	if (!path && !sb->spec->resources.any)
		return 0;
	if (!path) {
		snprintf(own, sizeof(own), "sbx/%s", sb->state->id);
		path = own;
	} else if (sb->opt->systemd_cgroup) {
		r = systemd_path(path, own, sizeof(own), e);
		if (r < 0)
			return r;
		path = own;
	}
	while (*path == '/')
		path++;
	if (strstr(path, "..") || strchr(path, ':') || !*path)
		return err_set(e, ENOTSUP, "linux.cgroupsPath: \"%s\" is not a path of a group", path);
	sb->state->cgroup = strdup(path);
	if (!sb->state->cgroup)
		return err_sys(e, ENOMEM, "cgroup");
	r = cgroup_is_v2() ? enter_v2(sb, path, e) : enter_v1(sb, path, e);
	janitor_take_cgroups(&sb->janitor);
	return r < 0 ? r : cgroup_apply(path, &sb->spec->resources, e);
}

int cgroup_step_aside(struct sandbox *sb, struct err *e)
{
	const char *path = sb->state->cgroup;
	char dir[PATH_MAX];

	if (!path)
		return 0;
	if (cgroup_is_v2()) {
		snprintf(dir, sizeof(dir), CGROUP_MOUNT "/%s", path);
	} else {
		snprintf(dir, sizeof(dir), FREEZER "/%s/..", path);
		if (access(dir, F_OK) < 0)
			return 0;
	}
	return cgroup_set(dir, "cgroup.procs", "linux.cgroupsPath", e, "0");
}

int cgroup_apply(const char *path, const struct spec_resources *res, struct err *e)
{
	return cgroup_is_v2() ? cgroup_apply_v2(path, res, e) : cgroup_apply_v1(path, res, e);
}

static void freezer(const char *path, bool v2, char ret[PATH_MAX])
{
	if (v2)
		snprintf(ret, PATH_MAX, CGROUP_MOUNT "/%s/" BOX, path);
	else
		snprintf(ret, PATH_MAX, FREEZER "/%s", path);
}

static bool file_says(const char *dir, const char *file, const char *word)
{
	char path[PATH_MAX], text[512];
	ssize_t n;

	if (snprintf(path, sizeof(path), "%s/%s", dir, file) >= (int)sizeof(path))
		return false;
	CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);

	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return false;
	text[n] = 0;
	return strstr(text, word) != NULL;
}

bool cgroup_frozen(const char *path)
{
	bool v2 = cgroup_is_v2();
	char dir[PATH_MAX];

	freezer(path, v2, dir);
	return v2 ? file_says(dir, "cgroup.freeze", "1") : file_says(dir, "freezer.state", "FR"); /* EEZING, OZEN */
}

int cgroup_freeze(const char *path, bool frozen, struct err *e)
{
	bool v2 = cgroup_is_v2();
	const char *file = v2 ? "cgroup.freeze" : "freezer.state";
	const char *value = v2 ? (frozen ? "1" : "0") : frozen ? "FROZEN" : "THAWED";
	char dir[PATH_MAX];
	int r;

	freezer(path, v2, dir);
	/* a process may be where it cannot stop at once; the state of the group stays "freezing" until then */
	for (int i = 0; i < 2000; i++) {
		r = cgroup_write(dir, file, value);
		if (r < 0)
			return err_sys(e, -r, "%s/%s", dir, file);
		if (v2 ? file_says(dir, "cgroup.events", frozen ? "frozen 1" : "frozen 0")
		       : file_says(dir, file, value))
			return 0;
		usleep(i < 20 ? 500 : 5000);
	}
	return err_set(e, ETIMEDOUT, "%s cannot be %s", dir, frozen ? "frozen" : "thawed");
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
	if (name && !strncmp(name, "name=", 5)) /* one without controllers: mounted under its own name */
		name += 5;
	snprintf(dir, sizeof(dir), CGROUP_MOUNT "%s%s%s", name ? "/" : "", name ? name : "", path);
	strncat(dir, "/cgroup.procs", sizeof(dir) - strlen(dir) - 1);
	if (access(dir, F_OK) < 0)
		return 0;
	*strrchr(dir, '/') = 0;
	return cgroup_set(dir, "cgroup.procs", "linux.cgroupsPath", e, "%d", pid);
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

void cgroup_spare_this(void)
{
	static const char text[] = "-999";
	CLEANUP_CLOSE int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd >= 0 && write(fd, text, strlen(text)) < 0)
		log_debug("the services cannot be kept from the out-of-memory killer: %s", strerror(errno));
}
