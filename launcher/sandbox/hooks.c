/* A hook is a child that gets the container's state on stdin. What it prints goes into a memory file,
 * of which an error shows the end; it gets the environment that config.json gives it and no other. */
#include "launcher/sandbox/hooks.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include "common/base/util.h"
#include "common/log/log.h"

int hooks_state_fd(const struct state *st, const char *status)
{
	json_t *json = state_json(st);
	CLEANUP_CLOSE int fd = memfd_create("state", MFD_CLOEXEC);
	int r;

	if (!json || fd < 0) {
		json_decref(json);
		return -ENOMEM;
	}
	json_object_set_new(json, "status", json_string(status));
	r = json_dumpfd(json, fd, JSON_COMPACT);
	json_decref(json);
	if (r < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return -EIO;
	return STEAL_FD(fd);
}

static void become(const struct hook *h, const struct hook_place *place, int in, int out)
	__attribute__((noreturn));
static void become(const struct hook *h, const struct hook_place *place, int in, int out)
{
	static char *const no_env[] = {NULL};
	sigset_t none;

	setsid(); /* so that what it started can be ended with it */
	if ((place->netns >= 0 && setns(place->netns, CLONE_NEWNET) < 0) ||
	    (place->own_mounts &&
	     (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0))) {
		dprintf(out, "its namespaces: %s", strerror(errno));
		_exit(126);
	}
	if (dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0)
		_exit(126);
	syscall(SYS_close_range, 3, ~0u, 0);
	for (int sig = 1; sig < 65; sig++)
		if (sig != SIGKILL && sig != SIGSTOP)
			signal(sig, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execve(h->path, h->args.v, h->env.count ? h->env.v : no_env);
	dprintf(2, "exec %s: %s", h->path, strerror(errno));
	_exit(127);
}

/* The end of what it printed, as one line. */
static void last_words(int fd, char *buf, size_t size)
{
	off_t end = lseek(fd, 0, SEEK_END);
	ssize_t n = pread(fd, buf, size - 1, end > (off_t)size - 1 ? end - (off_t)size + 1 : 0);

	buf[n > 0 ? n : 0] = 0;
	for (char *s = buf; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			*s = s[1] ? ' ' : 0;
}

static int run_one(const struct hook *h, const struct state *st, const char *status,
		   const struct hook_place *place, struct err *e)
{
	CLEANUP_CLOSE int in = hooks_state_fd(st, status), out = memfd_create("hook", MFD_CLOEXEC), pidfd = -1;
	struct pollfd p = {.events = POLLIN};
	siginfo_t si = {0};
	char words[400];
	pid_t pid;
	int n;

	if (in < 0 || out < 0)
		return err_sys(e, ENOMEM, "%s", h->path);
	pid = fork();
	if (pid < 0)
		return err_sys(e, errno, "%s: fork", h->path);
	if (pid == 0)
		become(h, place, in, out);
	pidfd = p.fd = (int)syscall(SYS_pidfd_open, pid, 0);
	do {
		n = poll(&p, 1, h->timeout_s ? (int)MIN(h->timeout_s, 2000000u) * 1000 : -1);
	} while (n < 0 && errno == EINTR);
	if (n == 0 && kill(-pid, SIGKILL) < 0)
		kill(pid, SIGKILL);
	waitid(P_PID, (id_t)pid, &si, WEXITED);
	last_words(out, words, sizeof(words));
	if (n == 0)
		return err_set(e, ETIMEDOUT, "%s: hook ran past specified timeout of %us", h->path, h->timeout_s);
	if (si.si_code == CLD_EXITED && si.si_status == 0)
		return 0;
	return err_set(e, EIO, "error running hook: %s %d: %s, output: %s",
		       si.si_code == CLD_EXITED ? "exit status" : "signal", si.si_status, h->path, words);
}

int hooks_run(const struct hooks *h, enum hook_kind kind, const struct state *st, const char *status,
	      const struct hook_place *place, bool go_on, struct err *e)
{
	for (size_t i = 0; i < h->count[kind]; i++) {
		int r = run_one(&h->list[kind][i], st, status, place, e);

		if (r == 0)
			continue;
		err_wrap(e, "%s hook #%zu", hook_kind_name(kind), i);
		if (!go_on)
			return r;
		log_warn("%s", e->text);
	}
	return 0;
}

int hooks_run_saved(const struct state *st, enum hook_kind kind, const char *status, bool go_on, struct err *e)
{
	const struct hook_place here = {.netns = -1};
	struct node n = {.v = st->hooks, .path = "hooks"};
	struct hooks h = {0};
	int r;

	if (!st->hooks)
		return 0;
	r = hooks_read(&n, &h, e);
	if (r == 0)
		r = hooks_run(&h, kind, st, status, &here, go_on, e);
	hooks_done(&h);
	return r;
}
