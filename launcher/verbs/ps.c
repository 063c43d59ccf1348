#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>
#include "common/base/util.h"
#include "launcher/cli/clean.h"
#include "launcher/verbs/verbs.h"

static struct {
	const char *format;
} opt = {.format = "table"};

static const struct opt_def opts[] = {
	{"format", 'f', OPT_TEXT, offsetof(__typeof__(opt), format), "table, json (ids on the host, as runc prints them) or guest (JSON); default: table"},
};

static int print_table(const char *text, struct err *e)
{
	json_t *list = json_loads(text, 0, NULL), *p;
	size_t i;

	if (!json_is_array(list)) {
		json_decref(list);
		return err_set(e, EPROTO, "sbx-sysd's list of processes is malformed");
	}
	printf("%-8s %8s %8s %-2s %s\n", "UID", "PID", "PPID", "S", "CMD");
	json_array_foreach (list, i, p) {
		const char *state = json_string_value(json_object_get(p, "state")),
			   *cmd = json_string_value(json_object_get(p, "cmd"));

		printf("%-8lld %8lld %8lld ", json_integer_value(json_object_get(p, "uid")),
		       json_integer_value(json_object_get(p, "pid")),
		       json_integer_value(json_object_get(p, "ppid")));
		clean_print(stdout, (const char[]){state && *state ? *state : '?', 0}, false);
		printf("  ");
		clean_print(stdout, cmd ? cmd : "", false);
		putchar('\n');
	}
	json_decref(list);
	return 0;
}

/* sysd knows its guests by their ids in the pid namespace that it shares with them. */
struct host_ids {
	struct {
		int inner, outer;
	} *v;
	size_t count;
};

static bool same_namespace(const char *pid, const struct stat *ns)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%.16s/ns/pid", pid);
	return stat(path, &st) == 0 && st.st_ino == ns->st_ino && st.st_dev == ns->st_dev;
}

static int inner_id(const char *pid)
{
	char path[64], line[256];
	int id = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%.16s/status", pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f)) {
		char *last = strrchr(line, '\t');

		if (!strncmp(line, "NSpid:", 6) && last) {
			id = atoi(last + 1);
			break;
		}
	}
	if (f)
		fclose(f);
	return id;
}

/* The namespace of a service: the first child of the supervisor whose namespace is another than ours. */
static int find_namespace(pid_t supervisor, struct stat *ret, struct err *e)
{
	char path[64];
	struct stat own;
	FILE *f;
	int pid, found = -1;

	if (stat("/proc/self/ns/pid", &own) < 0)
		return err_sys(e, errno, "/proc/self/ns/pid");
	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", supervisor, supervisor);
	f = fopen(path, "re");
	while (f && found < 0 && fscanf(f, "%d", &pid) == 1) {
		char comm[64] = "";
		FILE *c;

		snprintf(path, sizeof(path), "/proc/%d/comm", pid);
		c = fopen(path, "re");
		if (c && fgets(comm, sizeof(comm), c) && !strcmp(comm, "sbx-sysd\n")) {
			snprintf(path, sizeof(path), "/proc/%d/ns/pid", pid);
			if (stat(path, ret) == 0 && ret->st_ino != own.st_ino)
				found = pid;
		}
		if (c)
			fclose(c);
	}
	if (f)
		fclose(f);
	return found < 0 ? err_set(e, ESRCH, "container not running") : 0;
}

static int read_host_ids(pid_t supervisor, struct host_ids *ret, struct err *e)
{
	struct stat ns;
	struct dirent *de;
	int r = find_namespace(supervisor, &ns, e);
	DIR *d = r == 0 ? opendir("/proc") : NULL;

	if (r < 0)
		return r;
	while (d && (de = readdir(d))) {
		void *v;

		if (!isdigit((unsigned char)de->d_name[0]) || !same_namespace(de->d_name, &ns))
			continue;
		v = realloc(ret->v, (ret->count + 1) * sizeof(*ret->v));
		if (!v)
			break;
		ret->v = v;
		ret->v[ret->count].outer = atoi(de->d_name);
		ret->v[ret->count++].inner = inner_id(de->d_name);
	}
	if (d)
		closedir(d);
	return 0;
}

static int print_host_ids(const char *text, pid_t supervisor, struct err *e)
{
	json_t *list = json_loads(text, 0, NULL), *out = json_array(), *p;
	struct host_ids ids = {0};
	size_t i;
	int r = read_host_ids(supervisor, &ids, e);

	if (r == 0 && !json_is_array(list))
		r = err_set(e, EPROTO, "sbx-sysd's list of processes is malformed");
	if (r == 0) {
		json_array_foreach (list, i, p) {
			json_int_t inner = json_integer_value(json_object_get(p, "hostPid"));

			for (size_t k = 0; k < ids.count; k++)
				if (inner > 0 && ids.v[k].inner == inner)
					json_array_append_new(out, json_integer(ids.v[k].outer));
		}
		json_dumpf(out, stdout, JSON_COMPACT);
		putchar('\n');
	}
	free(ids.v);
	json_decref(out);
	json_decref(list);
	return r;
}

/* Read and written anew: what is no JSON does not get through, and nothing but ASCII does. */
static int print_guest_ids(const char *text, struct err *e)
{
	json_t *list = json_loads(text, 0, NULL);
	int r = 0;

	if (!json_is_array(list))
		r = err_set(e, EPROTO, "sbx-sysd's list of processes is malformed");
	else if (json_dumpf(list, stdout, JSON_COMPACT | JSON_ENSURE_ASCII) < 0 || putchar('\n') < 0)
		r = err_sys(e, errno, "stdout");
	json_decref(list);
	return r;
}

static int do_ps(struct context *ctx, int argc, char **argv, struct err *e)
{
	const struct ctl_msg m = {.type = CTL_PS};
	CLEANUP_FREE char *text = NULL;
	struct state *st;
	int sock, r = state_load(ctx->launch.root, argv[0], &st, e);
	bool json = !strcmp(opt.format, "json"), guest = !strcmp(opt.format, "guest");
	pid_t supervisor;

	if (r < 0)
		return r;
	if (!json && !guest && strcmp(opt.format, "table") != 0)
		r = err_set(e, EINVAL, "--format: table, json or guest, not \"%s\"", opt.format);
	if (r == 0) {
		sock = client_connect(st, e);
		r = sock < 0 ? sock : (int)client_call(sock, &m, NULL, 0, &text, e);
		close_fd(&sock);
	}
	supervisor = st->pid;
	state_free(st);
	if (r < 0)
		return r;
	if (!text)
		return err_set(e, EPROTO, "sbx-sysd sent no list");
	if (json)
		return print_host_ids(text, supervisor, e);
	if (guest)
		return print_guest_ids(text, e);
	return print_table(text, e);
}

const struct verb verb_ps = {
	.name = "ps", .usage = "[options] <container-id>", .help = "list the processes in a container",
	.opts = opts, .opt_count = ARRAY_SIZE(opts), .values = &opt, .min_args = 1, .max_args = -1,
	.run = do_ps,
};
