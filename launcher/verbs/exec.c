/* exec: one more process in a running container. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include "common/base/util.h"
#include "common/log/log.h"
#include "launcher/sandbox/stream.h"
#include "launcher/verbs/verbs.h"

static struct {
	const char *console_socket, *cwd, *user, *process, *pid_file, *ignored;
	struct ctl_strv env, caps, gids;
	unsigned preserve_fds;
	bool tty, detach, no_new_privs, ignore_paused;
} opt;

#define AT(field) offsetof(__typeof__(opt), field)
static const struct opt_def opts[] = {
	{"console-socket", 0, OPT_TEXT, AT(console_socket), "UNIX socket that gets the terminal's master"},
	{"cwd", 0, OPT_TEXT, AT(cwd), "working directory in the container"},
	{"env", 'e', OPT_LIST, AT(env), "set an environment variable, NAME=value"},
	{"tty", 't', OPT_FLAG, AT(tty), "give it a terminal"},
	{"user", 'u', OPT_TEXT, AT(user), "uid[:gid]"},
	{"additional-gids", 'g', OPT_LIST, AT(gids), "a further group"},
	{"process", 'p', OPT_TEXT, AT(process), "a process.json instead of a command"},
	{"detach", 'd', OPT_FLAG, AT(detach), "return when it runs"},
	{"pid-file", 0, OPT_TEXT, AT(pid_file), "write the process id to this file"},
	{"no-new-privs", 0, OPT_FLAG, AT(no_new_privs), "set no_new_privs"},
	{"cap", 'c', OPT_LIST, AT(caps), "add a capability"},
	{"apparmor", 0, OPT_TEXT, AT(ignored), "accepted; profiles are for processes of the host's kernel"},
	{"process-label", 0, OPT_TEXT, AT(ignored), "accepted; labels are for processes of the host's kernel"},
	{"preserve-fds", 0, OPT_UINT, AT(preserve_fds), "pass N more descriptors, from 3 on"},
	{"ignore-paused", 0, OPT_FLAG, AT(ignore_paused), "also in a paused container: it begins when that goes on"},
};

/* What the container's own process got, without its arguments. */
static int base_process(const struct state *st, struct ctl_process **ret, struct err *e)
{
	const struct spec_options so = {0};
	struct spec *spec;
	int r;

	if (!st->bundle || !strcmp(st->bundle, "/")) {
		char *args[] = {"none", NULL};

		r = spec_for_host(args, "/", &spec, e);
	} else {
		r = spec_load(st->bundle, &so, &spec, e);
	}
	if (r < 0)
		return r;
	*ret = STEAL_PTR(spec->process);
	ctl_strv_done(&(*ret)->args);
	(*ret)->terminal = false;
	spec_free(spec);
	return 0;
}

static int read_file(const char *path, struct ctl_process *p, struct err *e)
{
	json_error_t je;
	json_t *json = json_load_file(path, JSON_REJECT_DUPLICATES, &je);
	struct node n = node_root(json);
	int r;

	if (!json)
		return err_set(e, EINVAL, "%s: line %d: %s", path, je.line, je.text);
	ctl_strv_done(&p->env);
	r = spec_read_process(&n, p, e);
	json_decref(json);
	return r < 0 ? err_wrap(e, "%s", path) : 0;
}

static int set_user(struct ctl_process *p, struct err *e)
{
	char *end;
	unsigned long uid = strtoul(opt.user, &end, 10), gid = p->gid;

	if (*end == ':')
		gid = strtoul(end + 1, &end, 10);
	if (*end || end == opt.user || uid >= UINT32_MAX || gid >= UINT32_MAX)
		return err_set(e, EINVAL, "--user: uid[:gid], not \"%s\"", opt.user);
	p->uid = (uint32_t)uid;
	p->gid = (uint32_t)gid;
	if (uid != 0) /* a change away from root takes them, as setuid does */
		p->cap_effective = p->cap_permitted = p->cap_ambient = 0;
	return 0;
}

static int apply_options(struct ctl_process *p, int argc, char **argv, struct err *e)
{
	int r = 0;

	for (int i = 1; i < argc && r == 0; i++)
		r = ctl_strv_add(&p->args, argv[i]);
	for (size_t i = 0; i < opt.env.count && r == 0; i++)
		r = ctl_strv_add(&p->env, opt.env.v[i]);
	if (r == 0 && opt.cwd) {
		free(p->cwd);
		p->cwd = strdup(opt.cwd);
		r = p->cwd ? 0 : -ENOMEM;
	}
	if (r < 0)
		return err_sys(e, -r, "exec");
	if (p->cwd[0] != '/')
		return err_set(e, EINVAL, "--cwd: must be an absolute path");
	if (opt.user && (r = set_user(p, e)))
		return r;
	for (size_t i = 0; i < opt.caps.count; i++) {
		int cap = spec_cap_from_name(opt.caps.v[i]);

		if (cap < 0)
			return err_set(e, EINVAL, "--cap: unknown capability \"%s\"", opt.caps.v[i]);
		p->cap_bounding |= 1ull << cap;
		p->cap_permitted |= 1ull << cap;
		p->cap_effective |= 1ull << cap;
	}
	if (opt.gids.count) {
		uint32_t *groups = realloc(p->groups, (p->group_count + opt.gids.count) * sizeof(*groups));

		if (!groups)
			return err_sys(e, ENOMEM, "exec");
		p->groups = groups;
		for (size_t i = 0; i < opt.gids.count; i++)
			groups[p->group_count++] = (uint32_t)strtoul(opt.gids.v[i], NULL, 10);
	}
	p->no_new_privs |= opt.no_new_privs;
	p->terminal |= opt.tty;
	return 0;
}

struct session {
	int sock;                 /* carries the WAIT */
	int side;                 /* signals and sizes */
	int master, slave;
	uint32_t pid;
	struct relay relay;
	bool relaying;
};

static void pass_signal(struct session *s, int signal_fd)
{
	struct signalfd_siginfo si;
	struct err e;

	while (read(signal_fd, &si, sizeof(si)) == sizeof(si)) {
		struct ctl_msg m = {.type = CTL_SIGNAL, .pid = s->pid, .value = si.ssi_signo};

		if (si.ssi_signo == SIGCHLD || si.ssi_signo == SIGPIPE)
			continue;
		if (si.ssi_signo == SIGWINCH) {
			m.type = CTL_RESIZE;
			if (terminal_size(s->slave >= 0 ? s->slave : 0, &m.rows, &m.cols) < 0)
				continue;
			if (s->slave < 0)
				terminal_set_size(s->master, m.rows, m.cols);
		}
		client_call(s->side, &m, NULL, 0, NULL, &e);
	}
}

/* Until the process has ended. Its exit status. */
static int attend(struct session *s, struct err *e)
{
	const struct ctl_msg wait = {.type = CTL_WAIT, .pid = s->pid, .flag = opt.detach};
	struct ctl_msg reply;
	sigset_t all;
	int signal_fd, fds[STREAM_FDS_MAX], r;
	size_t fd_count;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	signal_fd = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
	r = stream_send(s->sock, &wait, NULL, 0);
	while (r == 0) {
		struct pollfd p[5] = {{.fd = s->sock, .events = POLLIN}, {.fd = signal_fd, .events = POLLIN}};
		size_t n = 2 + (s->relaying ? relay_prepare(&s->relay, p + 2) : 0);

		if (poll(p, n, -1) < 0 && errno != EINTR) {
			r = -errno;
			break;
		}
		relay_run(&s->relay, p + 2, n - 2);
		if (p[1].revents)
			pass_signal(s, signal_fd);
		if (!p[0].revents)
			continue;
		r = stream_recv(s->sock, &reply, fds, &fd_count);
		if (r == 0) {
			r = (int)reply.value;
			ctl_msg_done(&reply);
			break;
		}
	}
	if (s->relaying)
		relay_done(&s->relay);
	close_fd(&signal_fd);
	return r == -EPIPE ? 128 + SIGKILL : r < 0 ? err_sys(e, -r, "waiting for the process") : r;
}

static int begin(struct session *s, struct ctl_process *p, struct err *e)
{
	struct ctl_msg m = {.type = CTL_EXEC, .process = p};
	int fds[STREAM_FDS_MAX];
	size_t count = 0;
	int64_t r;

	if (p->terminal) {
		r = terminal_open(&s->master, &s->slave, e);
		if (r == 0 && opt.console_socket)
			r = terminal_send_console(opt.console_socket, s->master, e);
		if (r < 0)
			return (int)r;
		if (!opt.console_socket && terminal_size(0, &p->rows, &p->cols) == 0)
			terminal_set_size(s->master, p->rows, p->cols);
		fds[count++] = s->slave;
	} else {
		for (int fd = 0; fd < 3 + (int)MIN(opt.preserve_fds, 200u); fd++)
			fds[count++] = fcntl(fd, F_GETFD) >= 0 ? fd : open("/dev/null", O_RDWR | O_CLOEXEC);
	}
	p->stdio = calloc(count, sizeof(*p->stdio));
	if (!p->stdio)
		return err_sys(e, ENOMEM, "exec");
	for (size_t i = 0; i < count; i++)
		p->stdio[i] = i + 1;
	p->stdio_count = count;
	r = client_call(s->sock, &m, fds, count, NULL, e);
	if (r < 0)
		return err_wrap(e, "unable to start container process");
	s->pid = (uint32_t)r;
	if (opt.console_socket)
		close_fd(&s->master); /* the slave stays: changes of its size come by it */
	else
		close_fd(&s->slave);
	if (p->terminal && !opt.console_socket) {
		relay_init(&s->relay, 0, 1, s->master);
		s->relaying = true;
	}
	return 0;
}

static int go(struct session *s, struct ctl_process *p, struct err *e)
{
	int r = begin(s, p, e);
	pid_t child = 0;

	if (r < 0)
		return r;
	if (opt.detach) {
		/* the one that stays ends as the process does, for whoever reaps it */
		child = fork();
		if (child < 0)
			return err_sys(e, errno, "fork");
		if (child == 0) {
			int null = open("/dev/null", O_RDWR | O_CLOEXEC);

			setsid();
			for (int fd = 0; fd < 3; fd++)
				dup2(null, fd);
			if (s->slave >= 0 && ioctl(s->slave, TIOCSCTTY, 0) < 0)
				log_debug("no controlling terminal: sizes are not followed");
			r = attend(s, e);
			_exit(r < 0 ? 255 : r);
		}
	}
	if (opt.pid_file && (r = write_pid_file(opt.pid_file, child ? child : getpid(), e)))
		return r;
	return opt.detach ? 0 : attend(s, e);
}

static int do_exec(struct context *ctx, int argc, char **argv, struct err *e)
{
	struct session s = {.sock = -1, .side = -1, .master = -1, .slave = -1};
	struct ctl_process *p = NULL;
	struct state *st;
	int r = state_load(ctx->launch.root, argv[0], &st, e);

	if (r < 0)
		return r;
	if (!strcmp(st->status, "paused") && !opt.ignore_paused)
		r = err_set(e, EBUSY, "cannot exec in a paused container (use --ignore-paused to override)");
	else if (strcmp(st->status, "running") != 0 && strcmp(st->status, "paused") != 0)
		r = err_set(e, EINVAL, "cannot exec in a container that is not running: it is %s", st->status);
	else if (argc < 2 && !opt.process)
		r = err_set(e, EINVAL, "a command is needed, or --process");
	else
		r = base_process(st, &p, e);
	if (r == 0 && opt.process)
		r = read_file(opt.process, p, e);
	if (r == 0)
		r = apply_options(p, argc, argv, e);
	if (r == 0)
		r = s.sock = client_connect(st, e);
	if (r >= 0)
		r = s.side = client_connect(st, e);
	if (r >= 0)
		r = go(&s, p, e);
	close_fd(&s.sock);
	close_fd(&s.side);
	close_fd(&s.master);
	close_fd(&s.slave);
	ctl_process_free(p);
	state_free(st);
	ctl_strv_done(&opt.env);
	ctl_strv_done(&opt.caps);
	ctl_strv_done(&opt.gids);
	return r;
}

const struct verb verb_exec = {
	.name = "exec", .usage = "[options] <container-id> <command> [args...]",
	.help = "run a further process in a container", .opts = opts, .opt_count = ARRAY_SIZE(opts),
	.values = &opt, .min_args = 1, .max_args = -1, .run = do_exec, .failure = 255,
};
