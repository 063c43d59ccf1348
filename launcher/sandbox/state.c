#include "launcher/sandbox/state.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include "common/base/util.h"
#include "launcher/sandbox/cgroup.h"

#define KILL_MS 10000

int state_check_id(const char *id, struct err *e)
{
	size_t n = strlen(id);

	if (n == 0 || n > 255 || !strcmp(id, ".") || !strcmp(id, "..") ||
	    strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-.") != n)
		return err_set(e, EINVAL, "invalid container id \"%.255s\"", id);
	return 0;
}

void state_free(struct state *s)
{
	if (!s)
		return;
	free(s->root);
	free(s->id);
	free(s->dir);
	free(s->status);
	free(s->bundle);
	free(s->rootfs);
	free(s->created);
	free(s->oci_version);
	free(s->cgroups);
	free(s->debug_log);
	free(s->cgroup);
	json_decref(s->annotations);
	json_decref(s->hooks);
	free(s);
}

struct state *state_new(const char *root, const char *id)
{
	struct state *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->root = strdup(root);
	s->id = strdup(id);
	if (!s->root || !s->id || asprintf(&s->dir, "%s/%s", root, id) < 0) {
		state_free(s);
		return NULL;
	}
	return s;
}

unsigned long long state_start_time(pid_t pid)
{
	char path[64], buf[1024], *p;
	unsigned long long t = 0;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return 0;
	n = read(fd, buf, sizeof(buf) - 1);
	if (n <= 0)
		return 0;
	buf[n] = 0;
	p = strrchr(buf, ')'); /* the name may hold anything */
	if (!p || p[2] == 'Z' || p[2] == 'X')
		return 0;
	/* field 22, counted from the state, which is field 3 */
	if (sscanf(p + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
		   &t) != 1)
		return 0;
	return t;
}

void state_wait_end(pid_t pid, unsigned long long start_time, int timeout_ms, bool then_kill)
{
	CLEANUP_CLOSE int pidfd = pid > 0 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;
	struct pollfd p = {.fd = pidfd, .events = POLLIN};

	if (pidfd < 0 || state_start_time(pid) != start_time || poll(&p, 1, timeout_ms) > 0 || !then_kill)
		return;
	syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
	poll(&p, 1, KILL_MS);
}

static int make_dirs(const char *path)
{
	char copy[PATH_MAX];

	if (snprintf(copy, sizeof(copy), "%s", path) >= (int)sizeof(copy))
		return -ENAMETOOLONG;
	for (char *p = copy + 1;; p++) {
		if (*p && *p != '/')
			continue;
		char c = *p;

		*p = 0;
		if (mkdir(copy, 0711) < 0 && errno != EEXIST)
			return -errno;
		if (!c)
			return 0;
		*p = c;
	}
}

int state_create(const char *root, const char *id, struct state **ret, struct err *e)
{
	struct state *s;
	char path[PATH_MAX];
	static const char *const below[] = {"jail", "jail/ctl", "empty"};
	bool made = false;
	int r = state_check_id(id, e);

	if (r < 0)
		return r;
	s = state_new(root, id);
	if (!s)
		return err_sys(e, ENOMEM, "state");
	/* The last sandbox that goes takes the root along, which may be while this one comes. */
	for (int tries = 0; tries < 100; tries++) {
		r = make_dirs(root);
		if (r < 0 && r != -ENOENT) {
			state_free(s);
			return err_sys(e, -r, "state folder %s", root);
		}
		made = !r && mkdir(s->dir, 0700) == 0;
		if (made || (!r && errno != ENOENT))
			break;
	}
	if (!made) {
		r = errno == EEXIST ? err_set(e, EEXIST, "container with id exists: %s", id)
				    : err_sys(e, errno, "%s", s->dir);
		state_free(s);
		return r;
	}
	for (size_t i = 0; i < ARRAY_SIZE(below); i++) {
		snprintf(path, sizeof(path), "%s/%s", s->dir, below[i]);
		/* seen by services, which are not root */
		if (mkdir(path, 0755) < 0 || chmod(path, 0755) < 0) {
			r = err_sys(e, errno, "%s", path);
			state_remove(s);
			state_free(s);
			return r;
		}
	}
	*ret = s;
	return 0;
}

static char *dup_text(const json_t *json, const char *key)
{
	const char *v = json_string_value(json_object_get(json, key));

	return v ? strdup(v) : NULL;
}

int state_load(const char *root, const char *id, struct state **ret, struct err *e)
{
	struct state *s;
	char path[PATH_MAX];
	json_t *json;
	int r = state_check_id(id, e);

	if (r < 0)
		return r;
	s = state_new(root, id);
	if (!s)
		return err_sys(e, ENOMEM, "state");
	state_read_cgroups(s);
	snprintf(path, sizeof(path), "%s/state.json", s->dir);
	json = json_load_file(path, 0, NULL);
	if (!json) {
		bool there = access(s->dir, F_OK) == 0;

		if (!there) {
			state_free(s);
			return err_set(e, ENOENT, "container does not exist: %s", id);
		}
		/* its launcher was killed before it had written anything, or is about to */
		s->status = strdup("creating");
		*ret = s;
		return 0;
	}
	s->status = dup_text(json, "status");
	s->pid = (pid_t)json_integer_value(json_object_get(json, "sbxPid"));
	s->start_time = (unsigned long long)json_integer_value(json_object_get(json, "sbxStartTime"));
	s->janitor = (pid_t)json_integer_value(json_object_get(json, "sbxJanitor"));
	s->janitor_start = (unsigned long long)json_integer_value(json_object_get(json, "sbxJanitorStart"));
	s->bundle = dup_text(json, "bundle");
	s->rootfs = dup_text(json, "rootfs");
	s->created = dup_text(json, "created");
	s->oci_version = dup_text(json, "ociVersion");
	s->debug_log = dup_text(json, "sbxDebugLog");
	s->cgroup = dup_text(json, "sbxCgroup");
	s->annotations = json_incref(json_object_get(json, "annotations"));
	s->hooks = json_incref(json_object_get(json, "sbxHooks"));
	json_decref(json);
	if (s->pid > 0 && s->status && strcmp(s->status, "stopped") != 0 &&
	    state_start_time(s->pid) != s->start_time) {
		free(s->status);
		s->status = strdup("stopped");
	}
	if (!s->status)
		s->status = strdup("stopped");
	if (s->status && s->cgroup && !strcmp(s->status, "running") && cgroup_frozen(s->cgroup)) {
		free(s->status);
		s->status = strdup("paused");
	}
	*ret = s;
	return 0;
}

json_t *state_json(const struct state *s)
{
	bool stopped = s->status && !strcmp(s->status, "stopped");

	return json_pack("{s:s, s:s, s:i, s:s, s:s?, s:s?, s:s?, s:O?, s:s}", "ociVersion",
			 s->oci_version ? s->oci_version : "1.0.2", "id", s->id, "pid",
			 stopped ? 0 : (int)s->pid, "status", s->status ? s->status : "creating", "bundle",
			 s->bundle, "rootfs", s->rootfs, "created", s->created, "annotations",
			 s->annotations, "owner", "root");
}

int state_save(const struct state *s, struct err *e)
{
	char path[PATH_MAX], tmp[PATH_MAX];
	json_t *json = state_json(s);
	int r = 0;

	if (!json)
		return err_sys(e, ENOMEM, "state");
	json_object_set_new(json, "sbxPid", json_integer(s->pid));
	json_object_set_new(json, "sbxStartTime", json_integer((json_int_t)s->start_time));
	json_object_set_new(json, "sbxJanitor", json_integer(s->janitor));
	json_object_set_new(json, "sbxJanitorStart", json_integer((json_int_t)s->janitor_start));
	if (s->debug_log)
		json_object_set_new(json, "sbxDebugLog", json_string(s->debug_log));
	if (s->cgroup)
		json_object_set_new(json, "sbxCgroup", json_string(s->cgroup));
	if (s->hooks)
		json_object_set(json, "sbxHooks", s->hooks);
	snprintf(path, sizeof(path), "%s/state.json", s->dir);
	snprintf(tmp, sizeof(tmp), "%s/state.tmp", s->dir);
	if (json_dump_file(json, tmp, JSON_COMPACT) < 0 || rename(tmp, path) < 0)
		r = err_sys(e, errno ? errno : EIO, "%s", path);
	json_decref(json);
	return r;
}

int state_set_status(struct state *s, const char *status, struct err *e)
{
	char *copy = strdup(status);

	if (!copy)
		return err_sys(e, ENOMEM, "state");
	free(s->status);
	s->status = copy;
	return state_save(s, e);
}

/* The innermost is made last, and removed first. */
static int add_cgroup(struct state *s, const char *path)
{
	char *joined;

	if (asprintf(&joined, "%s%s%s", path, s->cgroups ? ":" : "", s->cgroups ? s->cgroups : "") < 0)
		return -ENOMEM;
	free(s->cgroups);
	s->cgroups = joined;
	return 0;
}

int state_note_cgroup(struct state *s, const char *path, struct err *e)
{
	char list[PATH_MAX];

	snprintf(list, sizeof(list), "%s/cgroups", s->dir);
	CLEANUP_CLOSE int fd = open(list, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	if (fd < 0 || dprintf(fd, "%s\n", path) < 0)
		return err_sys(e, errno, "%s", list);
	return add_cgroup(s, path) < 0 ? err_sys(e, ENOMEM, "%s", list) : 0;
}

void state_read_cgroups(struct state *s)
{
	char list[PATH_MAX], line[PATH_MAX + 1];
	FILE *f;

	snprintf(list, sizeof(list), "%s/cgroups", s->dir);
	f = fopen(list, "re");
	if (!f)
		return;
	free(s->cgroups);
	s->cgroups = NULL;
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = 0;
		if (!strncmp(line, CGROUP_MOUNT "/", strlen(CGROUP_MOUNT "/")) && !strstr(line, ".."))
			add_cgroup(s, line);
	}
	fclose(f);
}

/* The folder is ours alone (0700), so nobody can put a link under our feet. */
static void remove_tree(int parent, const char *name, int depth)
{
	int fd;
	DIR *d;
	struct dirent *de;

	if (unlinkat(parent, name, 0) == 0 || errno == ENOENT)
		return;
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	d = fd >= 0 && depth < 8 ? fdopendir(fd) : NULL;
	if (!d) {
		if (fd >= 0)
			close(fd);
		unlinkat(parent, name, AT_REMOVEDIR);
		return;
	}
	while ((de = readdir(d)))
		if (strcmp(de->d_name, ".") != 0 && strcmp(de->d_name, "..") != 0)
			remove_tree(fd, de->d_name, depth + 1);
	closedir(d);
	unlinkat(parent, name, AT_REMOVEDIR);
}

static FILE *open_procs(const char *group)
{
	char procs[PATH_MAX];

	snprintf(procs, sizeof(procs), "%s/cgroup.procs", group);
	return fopen(procs, "re");
}

/* The supervisor is in the group until it has seen us finish: it goes to the nearest group above that
 * takes processes (in version 2 one that has given its controllers to children takes none). */
static void empty_cgroup(const char *path)
{
	char procs[PATH_MAX], up[PATH_MAX];
	FILE *f = open_procs(path);
	int pid;

	if (!f)
		return;
	while (fscanf(f, "%d", &pid) == 1) {
		bool moved = false;
		char *slash;

		snprintf(up, sizeof(up), "%s", path);
		while (!moved && (slash = strrchr(up, '/')) && slash != up) {
			*slash = 0;
			snprintf(procs, sizeof(procs), "%.4000s/cgroup.procs", up);
			CLEANUP_CLOSE int fd = open(procs, O_WRONLY | O_CLOEXEC);

			if (fd < 0)
				break;
			moved = dprintf(fd, "%d", pid) > 0;
		}
	}
	fclose(f);
}

static void each_cgroup(const struct state *s, void (*fn)(const char *path))
{
	char *copy = s->cgroups ? strdup(s->cgroups) : NULL, *save = NULL;

	for (char *p = copy ? strtok_r(copy, ":", &save) : NULL; p; p = strtok_r(NULL, ":", &save))
		fn(p);
	free(copy);
}

static void remove_cgroup(const char *path)
{
	empty_cgroup(path);
	for (int i = 0; i < 50 && rmdir(path) < 0 && errno == EBUSY; i++)
		usleep(2000); /* the kernel still lists a process that is gone */
}

/* One that has groups below is shared: it was only made by the first who came. */
static void kill_cgroup(const char *path)
{
	struct stat st;
	FILE *f;
	int pid;

	if (stat(path, &st) < 0 || st.st_nlink > 2)
		return;
	f = open_procs(path);
	while (f && fscanf(f, "%d", &pid) == 1)
		if (pid > 1 && pid != getpid())
			kill(pid, SIGKILL);
	if (f)
		fclose(f);
}

/* Each goes at once: in version 2 it is what makes the container's own look shared. */
static void end_cgroup(const char *path)
{
	kill_cgroup(path);
	remove_cgroup(path);
}

void state_end_cgroups(const struct state *s)
{
	each_cgroup(s, end_cgroup);
}

void state_remove(const struct state *s)
{
	each_cgroup(s, remove_cgroup);
	remove_tree(AT_FDCWD, s->dir, 0);
	rmdir(s->root); /* when it was the last one */
}
