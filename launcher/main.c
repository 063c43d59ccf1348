/* sbx-launch: the command line of sbx. Global options, then a verb; see verbs/. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include "common/base/util.h"
#include "common/log/log.h"
#include "launcher/cli/clean.h"
#include "launcher/sandbox/state.h"
#include "launcher/sandbox/logfile.h"
#include "launcher/verbs/verbs.h"

static const struct verb *const verbs[] = {
	&verb_run, &verb_create, &verb_start, &verb_state, &verb_kill, &verb_delete,
	&verb_list, &verb_exec, &verb_ps, &verb_spec, &verb_do,
	&verb_pause, &verb_resume, &verb_update, &verb_events, &verb_features,
	&verb_install, &verb_uninstall,
	&verb_logs, &verb_debug, &verb_net,
};

static struct {
	const char *root, *log, *log_format, *debug_log, *network, *pcap, *overlay, *file_access, *host_uds, *rootless;
	bool also_stderr, debug, strace, strict_mm, unsafe, systemd_cgroup, version;
} opt = {.root = STATE_ROOT_DEFAULT, .log_format = "text"};

#define AT(field) offsetof(__typeof__(opt), field)
static const struct opt_def opts[] = {
	{"root", 0, OPT_TEXT, AT(root), "folder of the containers' state (default: " STATE_ROOT_DEFAULT ")"},
	{"log", 0, OPT_TEXT, AT(log), "file for messages (default: stderr)"},
	{"log-format", 0, OPT_TEXT, AT(log_format), "text or json (default: text)"},
	{"debug", 0, OPT_FLAG, AT(debug), "log more"},
	{"debug-log", 0, OPT_TEXT, AT(debug_log), "folder for a log file of each process"},
	{"alsologtostderr", 0, OPT_FLAG, AT(also_stderr), "log to stderr besides"},
	{"strace", 0, OPT_FLAG, AT(strace), "log every system call of the container"},
	{"strict-mm", 0, OPT_FLAG, AT(strict_mm), "send every memory call through memd"},
	{"network", 0, OPT_TEXT, AT(network), "none, sandbox (default), nat: a link of its own behind the host's address, or host: the host's sockets"},
	{"pcap", 0, OPT_TEXT, AT(pcap), "record what crosses the sandbox's links to this file (pcapng)"},
	{"overlay", 0, OPT_TEXT, AT(overlay), "memory: writes to the root stay inside; none (default)"},
	{"file-access", 0, OPT_TEXT, AT(file_access), "exclusive (default) or shared: who changes the root's files"},
	{"host-uds", 0, OPT_TEXT, AT(host_uds), "none (default) or open: may the container connect to sockets in bind mounts?"},
	{"unsafe-no-confinement", 0, OPT_FLAG, AT(unsafe),
	 "start although a service cannot be confined; for development only"},
	{"rootless", 0, OPT_TEXT, AT(rootless), "accepted: auto or false"},
	{"systemd-cgroup", 0, OPT_FLAG, AT(systemd_cgroup), "linux.cgroupsPath is slice:prefix:name, as engines with systemd's driver have it"},
	{"version", 'v', OPT_FLAG, AT(version), "print the version"},
};

static void help(void)
{
	puts("sbx-launch - run containers on a kernel of their own\n\n"
	     "usage: sbx-launch [global options] <command> [options] [arguments]\n\ncommands:");
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		printf("   %-10s %s\n", verbs[i]->name, verbs[i]->help);
	puts("\nglobal options:");
	opt_print_help(opts, ARRAY_SIZE(opts));
}

static void verb_help(const struct verb *v)
{
	printf("sbx-launch %s - %s\n\nusage: sbx-launch %s %s\n\noptions:\n", v->name, v->help, v->name, v->usage);
	opt_print_help(v->opts, v->opt_count);
}

static bool one_of(const char *value, const char *a, const char *b, const char *c)
{
	return !value || !strcmp(value, a) || !strcmp(value, b) || (c && !strcmp(value, c));
}

static int apply_globals(struct context *ctx, struct err *e)
{
	bool json = !strcmp(opt.log_format, "json");
	int log_fd = -1;

	if (!json && strcmp(opt.log_format, "text") != 0)
		return err_set(e, EINVAL, "--log-format: text or json, not \"%s\"", opt.log_format);
	if (!one_of(opt.network, "none", "sandbox", "nat") && strcmp(opt.network, "host") != 0)
		return err_set(e, EINVAL, "--network: none, sandbox, nat or host, not \"%s\"", opt.network);
	if (!one_of(opt.overlay, "memory", "none", NULL))
		return err_set(e, EINVAL, "--overlay: memory or none, not \"%s\"", opt.overlay);
	if (!one_of(opt.file_access, "exclusive", "shared", NULL))
		return err_set(e, EINVAL, "--file-access: exclusive or shared, not \"%s\"", opt.file_access);
	if (!one_of(opt.host_uds, "none", "open", NULL))
		return err_set(e, EINVAL, "--host-uds: none or open, not \"%s\"", opt.host_uds);
	if (!one_of(opt.rootless, "auto", "false", NULL))
		return err_set(e, ENOTSUP, "--rootless: not supported");
	if (opt.log) {
		log_fd = open(opt.log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
		if (log_fd < 0)
			return err_sys(e, errno, "--log: %s", opt.log);
		log_fd = fcntl(log_fd, F_DUPFD_CLOEXEC, 100); /* out of the way of --preserve-fds */
	}
	if (opt.debug_log && mkdir(opt.debug_log, 0750) < 0 && errno != EEXIST)
		return err_sys(e, errno, "--debug-log: %s", opt.debug_log);
	if (opt.debug_log) {
		opt.debug_log = realpath(opt.debug_log, NULL);
		if (!opt.debug_log)
			return err_sys(e, errno, "--debug-log");
	}
	log_init("launch", log_fd >= 0 ? log_fd : 2, opt.debug ? LOG_DEBUG_ : LOG_WARN_, json ? LOG_JSON : LOG_TEXT);
	ctx->launch = (struct launch_options){
		.root = opt.root, .debug = opt.debug, .strace = opt.strace, .strict_mm = opt.strict_mm,
		.unsafe = opt.unsafe, .log_json = json, .debug_log = opt.debug_log, .log_fd = log_fd,
		.network = opt.network, .pcap = opt.pcap, .systemd_cgroup = opt.systemd_cgroup,
		.host_sockets = opt.host_uds && !strcmp(opt.host_uds, "open"),
	};
	ctx->overlay_memory = opt.overlay && !strcmp(opt.overlay, "memory");
	ctx->shared_files = opt.file_access && !strcmp(opt.file_access, "shared");
	return 0;
}

static int fail(const char *verb, const struct err *e, int status)
{
	/* Some of it comes from within the sandbox, or names a file there. */
	fprintf(stderr, "sbx-launch%s%s: ", verb ? " " : "", verb ? verb : "");
	clean_print(stderr, e->text, true);
	putc('\n', stderr);
	if (opt.log || opt.debug_log)
		log_error("%s", e->text);
	return status ? status : 1;
}

/* Each command has a file of its own: what it was called with, and how it ended. */
static int open_command_log(const struct verb *v, int argc, char **argv, struct err *e)
{
	bool json = !strcmp(opt.log_format, "json");
	int fd = logfile_open(opt.debug_log, v->name, v->min_args ? argv[0] : NULL, json, e);

	if (fd < 0)
		return fd;
	fd = fcntl(fd, F_DUPFD_CLOEXEC, 101); /* out of the way of --preserve-fds, as --log is */
	if (opt.log || opt.also_stderr)
		log_also(log_fd());
	log_init(v->name, fd, LOG_DEBUG_, json ? LOG_JSON : LOG_TEXT);
	for (int i = 0; i < argc; i++)
		log_debug("argument %d: %s", i, argv[i]);
	return 0;
}

static int run_verb(struct context *ctx, const struct verb *v, int argc, char **argv)
{
	struct err e = {0};
	bool want_help;
	int n = opt_parse(argc, argv, v->opts, v->opt_count, v->values, &want_help, &e), r;

	if (n < 0)
		return fail(v->name, &e, v->failure);
	if (want_help) {
		verb_help(v);
		return 0;
	}
	argc -= n;
	argv += n;
	if (argc < v->min_args || (v->max_args >= 0 && argc > v->max_args)) {
		err_set(&e, EINVAL, "usage: sbx-launch %s %s", v->name, v->usage);
		return fail(v->name, &e, v->failure);
	}
	ctx->launch.verb = v->name;
	r = opt.debug_log && !v->quiet ? open_command_log(v, argc, argv, &e) : 0;
	if (r == 0)
		r = v->run(ctx, argc, argv, &e);
	log_debug("the command ends with %d", r);
	return r < 0 ? fail(v->name, &e, v->failure) : r;
}

int main(int argc, char **argv)
{
	struct context ctx = {0};
	struct err e = {0};
	bool want_help;
	int n = opt_parse(argc - 1, argv + 1, opts, ARRAY_SIZE(opts), &opt, &want_help, &e);

	if (n < 0)
		return fail(NULL, &e, 1);
	if (want_help) {
		help();
		return 0;
	}
	if (opt.version) {
		puts("sbx-launch version " SBX_VERSION "\nspec: 1.0.2");
		return 0;
	}
	if (n + 1 >= argc) {
		help();
		return 1;
	}
	if (!strcmp(argv[n + 1], "help")) {
		help();
		return 0;
	}
	if (apply_globals(&ctx, &e) < 0)
		return fail(NULL, &e, 1);
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		if (!strcmp(argv[n + 1], verbs[i]->name))
			return run_verb(&ctx, verbs[i], argc - n - 2, argv + n + 2);
	err_set(&e, EINVAL, "unknown command \"%s\" (see --help)", argv[n + 1]);
	return fail(NULL, &e, 1);
}
