#include "launcher/sandbox/janitor.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include "common/base/util.h"
#include "common/ipc/fdpass.h"
#include "common/log/log.h"
#include "launcher/sandbox/hooks.h"

#define WATCH_MAX 16

/* Tickets say what a message means; a message carries a descriptor, which is /dev/null's when none is
 * needed. */
enum { TICKET_WATCH = 1, TICKET_CLEAN, TICKET_KEEP, TICKET_CGROUP };

static void kill_all(const int *pidfds, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		syscall(SYS_pidfd_send_signal, pidfds[i], SIGKILL, NULL, 0);
	for (unsigned i = 0; i < count; i++) {
		struct pollfd p = {.fd = pidfds[i], .events = POLLIN};

		poll(&p, 1, 5000);
	}
}

/* The state with its hooks, when it has any. */
static struct state *load_hooks(const struct state *st)
{
	struct state *s;
	struct err e;

	if (state_load(st->root, st->id, &s, &e) < 0)
		return NULL;
	if (s->hooks)
		return s;
	state_free(s);
	return NULL;
}

static int janitor_loop(int sock, struct state *st)
{
	struct state *kept;
	struct err e;
	int pidfds[WATCH_MAX];
	unsigned count = 0;

	for (;;) {
		uint64_t ticket;
		int fd = fdpass_recv(sock, 0, &ticket);

		if (fd < 0)
			break; /* the supervisor is dead */
		if (ticket == TICKET_WATCH && count < WATCH_MAX) {
			pidfds[count++] = fd;
			continue;
		}
		if (ticket == TICKET_CGROUP) {
			char link[64], path[4096], *joined;
			ssize_t n;

			snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
			n = readlink(link, path, sizeof(path) - 1);
			if (n > 0) {
				path[n] = 0;
				/* the innermost first: that is the order of removal */
				if (asprintf(&joined, "%s%s%s", path, st->cgroups ? ":" : "",
					     st->cgroups ? st->cgroups : "") > 0) {
					free(st->cgroups);
					st->cgroups = joined;
				}
			}
			close(fd);
			continue;
		}
		close(fd);
		if (ticket == TICKET_KEEP)
			return 0;
		if (ticket == TICKET_CLEAN)
			break;
	}
	kill_all(pidfds, count);
	kept = load_hooks(st);
	state_remove(st);
	if (kept)
		hooks_run_saved(kept, HOOK_POSTSTOP, "stopped", true, &e);
	state_free(kept);
	return 0;
}

static void become_janitor(int sock, const char *root, const char *id) __attribute__((noreturn));
static void become_janitor(int sock, const char *root, const char *id)
{
	struct state *st = NULL;
	struct err e = {0};
	sigset_t all;
	int null;

	/* out of reach of the terminal's signals, and of the pipes of whoever started us */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	setsid();
	prctl(PR_SET_NAME, "sbx-janitor");
	if (dup2(sock, 3) < 0)
		_exit(1);
	syscall(SYS_close_range, 4, ~0u, 0);
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int fd = 0; fd < 3; fd++)
		dup2(null, fd);
	close(null);
	log_init("janitor", -1, LOG_WARN_, LOG_TEXT);
	state_create(root, id, &st, &e);
	if (send(3, &e, sizeof(e), MSG_NOSIGNAL) < 0 && st)
		state_remove(st); /* the launcher was faster to die */
	if (!st || chdir("/") < 0)
		_exit(1);
	_exit(janitor_loop(3, st));
}

int janitor_start(struct janitor *j, const char *root, const char *id, struct err *e)
{
	int pair[2];
	struct err result;
	ssize_t n;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(e, errno, "socketpair");
	j->pid = fork();
	if (j->pid < 0) {
		close(pair[0]);
		close(pair[1]);
		return err_sys(e, errno, "fork of the janitor");
	}
	if (j->pid == 0)
		become_janitor(pair[1], root, id);
	close(pair[1]);
	j->sock = pair[0];
	do {
		n = recv(j->sock, &result, sizeof(result), 0);
	} while (n < 0 && errno == EINTR);
	if (n != sizeof(result))
		err_set(&result, EIO, "the janitor died");
	if (!result.code)
		return 0;
	*e = result;
	close_fd(&j->sock);
	waitpid(j->pid, NULL, 0);
	j->pid = -1;
	return -e->code;
}

int janitor_watch(struct janitor *j, int pidfd)
{
	return fdpass_send(j->sock, TICKET_WATCH, pidfd);
}

int janitor_add_cgroup(struct janitor *j, const char *path)
{
	CLEANUP_CLOSE int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fdpass_send(j->sock, TICKET_CGROUP, fd);
}

void janitor_finish(struct janitor *j, int clean)
{
	int status;

	if (j->pid <= 0)
		return;
	fdpass_send(j->sock, clean ? TICKET_CLEAN : TICKET_KEEP, j->sock);
	close_fd(&j->sock);
	waitpid(j->pid, &status, 0);
	j->pid = -1;
}
