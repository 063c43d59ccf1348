/* What run, create and do have in common: make the sandbox, give it its descriptors, and either stay as
 * its supervisor or leave one behind. */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include "common/base/util.h"
#include "common/log/log.h"
#include "launcher/sandbox/hooks.h"
#include "launcher/verbs/verbs.h"

int write_pid_file(const char *path, pid_t pid, struct err *e)
{
	char tmp[PATH_MAX], text[16];
	int n = snprintf(text, sizeof(text), "%d", pid);

	if ((size_t)snprintf(tmp, sizeof(tmp), "%s.tmp", path) >= sizeof(tmp))
		return err_sys(e, ENAMETOOLONG, "pid file %s", path);
	CLEANUP_CLOSE int fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0 || write(fd, text, (size_t)n) != n || rename(tmp, path) < 0)
		return err_sys(e, errno, "pid file %s", path);
	return 0;
}

static int give_terminal(struct sandbox *sb, const struct launch_how *how, struct err *e)
{
	struct ctl_process *p = sb->spec->process;
	int r = terminal_open(&sb->pty_master, &sb->pty_slave, e);

	if (r < 0)
		return r;
	if (how->console_socket) {
		r = terminal_send_console(how->console_socket, sb->pty_master, e);
		if (r < 0)
			return r;
		close_fd(&sb->pty_master);
		/* so that a change of its size reaches us as SIGWINCH */
		if (ioctl(sb->pty_slave, TIOCSCTTY, 0) < 0)
			log_debug("no controlling terminal: sizes are not followed");
		if (p->rows && p->cols)
			terminal_set_size(sb->pty_slave, p->rows, p->cols);
		terminal_size(sb->pty_slave, &p->rows, &p->cols);
	} else {
		if (terminal_size(0, &p->rows, &p->cols) == 0)
			terminal_set_size(sb->pty_master, p->rows, p->cols);
		relay_init(&sb->relay, 0, 1, sb->pty_master);
		sb->relaying = true;
	}
	return sandbox_set_stdio(sb, &sb->pty_slave, 1, e);
}

static int give_descriptors(struct sandbox *sb, const struct launch_how *how, struct err *e)
{
	int fds[CTL_STDIO_MAX];
	size_t count = 0;

	for (int fd = 0; fd < 3 + (int)how->preserve_fds; fd++)
		fds[count++] = fd >= 3 || fcntl(fd, F_GETFD) >= 0 ? fd : -1;
	return sandbox_set_stdio(sb, fds, count, e);
}

static int set_up(struct context *ctx, struct spec *spec, const char *id, const struct launch_how *how,
		  struct sandbox **ret, struct err *e)
{
	struct hook_place host = {.netns = -1};
	struct sandbox *sb;
	int r = sandbox_create(&ctx->launch, spec, id, &sb, e);

	if (r < 0)
		return r;
	host.netns = sb->host_netns_fd;
	if (!how->begin) {
		r = sandbox_check_program(sb, e);
		if (r < 0)
			err_wrap(e, "unable to start container process");
	}
	if (r == 0)
		r = spec->process->terminal ? give_terminal(sb, how, e) : give_descriptors(sb, how, e);
	if (r == 0)
		r = sandbox_open_doors(sb, e);
	if (r == 0 && how->pid_file)
		r = write_pid_file(how->pid_file, getpid(), e);
	if (r == 0 && how->begin) {
		r = sandbox_begin(sb, e);
		if (r < 0)
			err_wrap(e, "unable to start container process");
		else
			hooks_run(&sb->spec->hooks, HOOK_POSTSTART, sb->state, "running", &host, true, e);
		if (sb->relaying) /* else changes of its size come by it */
			close_fd(&sb->pty_slave);
	}
	if (r < 0) {
		struct err keep = *e;

		if (sb->relaying)
			relay_done(&sb->relay);
		sandbox_destroy(sb, false);
		if (how->pid_file)
			unlink(how->pid_file);
		*e = keep;
		return r;
	}
	*ret = sb;
	return 0;
}

static int supervise(struct sandbox *sb, bool keep, struct err *e)
{
	int status = sandbox_supervise(sb, e);
	struct err saved = *e;

	sandbox_destroy(sb, keep && !sb->deleted);
	*e = saved;
	return status;
}

/* The daemon's side of a detached launch; never returns. */
static void run_daemon(struct context *ctx, struct spec *spec, const char *id, const struct launch_how *how,
		       int report) __attribute__((noreturn));
static void run_daemon(struct context *ctx, struct spec *spec, const char *id, const struct launch_how *how,
		       int report)
{
	struct err e = {0};
	struct sandbox *sb;
	int null, status, r;

	setsid();
	/* stderr is the container's: nobody expects our lines among its own */
	if (!how->begin && ctx->launch.log_fd < 0)
		ctx->launch.log_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	r = set_up(ctx, spec, id, how, &sb, &e);
	if (r == 0) /* the other side waits for our end when there is a code in it */
		e = (struct err){0};
	/* Whoever asked for it was killed: a delete may have come and gone before there was anything to find, and
	 * nobody else knows of us. */
	if (write(report, &e, sizeof(e)) < 0 && r == 0) {
		log_warn("nobody waits for the launch any more: it is undone");
		sandbox_destroy(sb, false);
		r = -EPIPE;
	}
	close(report);
	if (r < 0)
		_exit(1);
	/* the container has its copies; ours would keep the caller's pipes open */
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int fd = 0; fd < 3 + (int)how->preserve_fds; fd++) {
		if (fd == 2 && ctx->launch.log_fd < 0)
			log_init("launch", -1, LOG_WARN_, LOG_TEXT);
		if (fd < 3)
			dup2(null, fd);
		else
			close(fd);
	}
	status = supervise(sb, how->keep, &e);
	if (status < 0) {
		log_error("%s", e.text);
		status = 1;
	}
	_exit(status);
}

/* The supervisor has been killed: what it had made is gone when we say so. */
static void wait_janitor(const struct context *ctx, const char *id)
{
	struct state *st;
	struct err e;

	if (state_load(ctx->launch.root, id, &st, &e) < 0)
		return;
	state_wait_end(st->janitor, st->janitor_start, STATE_JANITOR_MS, false);
	state_free(st);
}

static int launch_detached(struct context *ctx, struct spec *spec, const char *id,
			   const struct launch_how *how, struct err *e)
{
	int report[2], status;
	struct err result = {0};
	ssize_t n;
	pid_t pid;

	if (pipe2(report, O_CLOEXEC) < 0) {
		spec_free(spec);
		return err_sys(e, errno, "pipe");
	}
	pid = fork();
	if (pid == 0) {
		close(report[0]);
		run_daemon(ctx, spec, id, how, report[1]);
	}
	close(report[1]);
	spec_free(spec);
	n = pid < 0 ? -1 : read(report[0], &result, sizeof(result));
	close(report[0]);
	if (pid < 0)
		return err_sys(e, errno, "fork");
	if (n != sizeof(result)) {
		waitpid(pid, &status, 0);
		wait_janitor(ctx, id);
		return err_set(e, EIO, "the supervisor died before the container was ready");
	}
	if (result.code) {
		waitpid(pid, &status, 0);
		*e = result;
		return -e->code;
	}
	return 0;
}

/* Asked before anything of ours is opened, which would take their numbers. */
static int check_preserved(const struct launch_how *how, struct err *e)
{
	if (how->preserve_fds > CTL_STDIO_MAX - 3)
		return err_set(e, EINVAL, "--preserve-fds: at most %u", CTL_STDIO_MAX - 3);
	for (int fd = 3; fd < 3 + (int)how->preserve_fds; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			return err_set(e, EBADF, "--preserve-fds: descriptor %d is not open", fd);
	return 0;
}

int launch_container(struct context *ctx, struct spec *spec, const char *id, const struct launch_how *how,
		     struct err *e)
{
	struct sandbox *sb;
	int r;

	if (spec->process->terminal && how->detach && !how->console_socket) {
		spec_free(spec);
		return err_set(e, EINVAL, "process.terminal: a detached container needs --console-socket");
	}
	if (!spec->process->terminal && how->console_socket) {
		spec_free(spec);
		return err_set(e, EINVAL, "--console-socket needs process.terminal");
	}
	r = check_preserved(how, e);
	if (r < 0) {
		spec_free(spec);
		return r;
	}
	if (how->detach)
		return launch_detached(ctx, spec, id, how, e);
	r = set_up(ctx, spec, id, how, &sb, e);
	return r < 0 ? r : supervise(sb, how->keep, e);
}
