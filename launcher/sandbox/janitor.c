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
#include "launcher/net/undo.h"
#include "launcher/sandbox/hooks.h"

#define WATCH_MAX 16
#define SPAWN_TIMEOUT_MS 5000

/* Tickets say what a message means; a message carries a descriptor, which is /dev/null's when none is
 * needed. */
enum { TICKET_WATCH = 1, TICKET_CLEAN, TICKET_KEEP, TICKET_CGROUPS, TICKET_SPAWN, TICKET_UNDO,
       TICKET_NETNS };

/* TICKET_SPAWN says more above its low byte. */
#define SPAWN_TICKET(which, plain) (TICKET_SPAWN | (uint64_t)(which) << 8 | (uint64_t)(plain) << 16)
#define TICKET_TYPE(t) ((t) & 0xff)
#define TICKET_WHICH(t) ((unsigned)((t) >> 8 & 0xff))
#define TICKET_PLAIN(t) (!!((t) >> 16 & 1))

/* The answer to it: a struct err, and without an error five descriptors in this order, each with the
 * pid as its ticket. */
#define SPAWNED_FDS 5
static void spawned_fds(struct spawned *s, int *fds[SPAWNED_FDS])
{
	fds[0] = &s->pidfd;
	fds[1] = &s->ready;
	fds[2] = &s->launch;
	fds[3] = &s->ring;
	fds[4] = &s->pass;
}

void spawned_done(struct spawned *s)
{
	int *fds[SPAWNED_FDS];

	spawned_fds(s, fds);
	for (size_t i = 0; i < SPAWNED_FDS; i++)
		close_fd(fds[i]);
}

struct watch {
	int pidfds[WATCH_MAX];
	unsigned count;
};

static bool ended(int pidfd)
{
	struct pollfd p = {.fd = pidfd, .events = POLLIN};

	return poll(&p, 1, 0) > 0;
}

/* Takes the descriptor. Those of services that have been started anew since make room. */
static void watch_add(struct watch *w, int pidfd)
{
	for (unsigned i = 0; i < w->count; i++) {
		if (ended(w->pidfds[i])) {
			close(w->pidfds[i]);
			w->pidfds[i--] = w->pidfds[--w->count];
		}
	}
	if (w->count < WATCH_MAX)
		w->pidfds[w->count++] = pidfd;
	else
		close(pidfd);
}

static void watch_kill(const struct watch *w)
{
	for (unsigned i = 0; i < w->count; i++)
		syscall(SYS_pidfd_send_signal, w->pidfds[i], SIGKILL, NULL, 0);
	for (unsigned i = 0; i < w->count; i++) {
		struct pollfd p = {.fd = w->pidfds[i], .events = POLLIN};

		poll(&p, 1, 5000);
	}
}

/* A supervisor that does not take the answer is about to be found dead. */
static void do_spawn(int sock, const struct janitor_ops *ops, struct watch *w, uint64_t ticket, int log_fd)
{
	struct spawned s = {.pid = -1, .pidfd = -1, .ready = -1, .launch = -1, .ring = -1, .pass = -1};
	struct err e = {0};
	int *fds[SPAWNED_FDS], r;

	r = ops->spawn(ops->arg, TICKET_WHICH(ticket), TICKET_PLAIN(ticket), log_fd, &s, &e);
	spawned_fds(&s, fds);
	if (send(sock, &e, sizeof(e), MSG_NOSIGNAL) == sizeof(e) && r == 0)
		for (size_t i = 0; i < SPAWNED_FDS; i++)
			fdpass_send(sock, (uint64_t)s.pid, *fds[i]);
	if (s.pidfd >= 0)
		watch_add(w, STEAL_FD(s.pidfd));
	spawned_done(&s);
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

static int janitor_loop(int sock, struct state *st, const struct janitor_ops *ops)
{
	int undo = -1, netns = -1, host = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	struct watch w = {.count = 0};
	bool have_cgroups = false, asked = false;
	struct state *kept;
	struct err e;

	for (;;) {
		uint64_t ticket;
		int fd = fdpass_recv(sock, 0, &ticket);

		if (fd < 0)
			break; /* the supervisor is dead */
		switch (TICKET_TYPE(ticket)) {
		case TICKET_WATCH:
			watch_add(&w, STEAL_FD(fd));
			break;
		case TICKET_CGROUPS:
			state_read_cgroups(st);
			have_cgroups = true;
			break;
		case TICKET_UNDO:
			undo = STEAL_FD(fd);
			break;
		case TICKET_NETNS:
			netns = STEAL_FD(fd);
			break;
		case TICKET_SPAWN:
			do_spawn(sock, ops, &w, ticket, fd);
			break;
		}
		close_fd(&fd);
		if (TICKET_TYPE(ticket) == TICKET_KEEP) {
			undo_run(undo, netns, host);
			return 0;
		}
		if (TICKET_TYPE(ticket) == TICKET_CLEAN) {
			asked = true;
			break;
		}
	}
	watch_kill(&w);
	undo_run(undo, netns, host);
	kept = load_hooks(st);
	if (!have_cgroups)
		state_read_cgroups(st);
	if (!asked) /* a hook that it ran */
		state_end_cgroups(st);
	state_remove(st);
	if (kept)
		hooks_run_saved(kept, HOOK_POSTSTOP, "stopped", true, &e);
	state_free(kept);
	return 0;
}

/* The folder, and in it at once who is behind it: whoever wants to remove it must end us first. */
static int make_state(const char *root, const char *id, pid_t supervisor, struct state **ret, struct err *e)
{
	struct state *st;
	int r = state_create(root, id, &st, e);

	if (r < 0)
		return r;
	st->pid = supervisor;
	st->start_time = state_start_time(supervisor);
	st->janitor = getpid();
	st->janitor_start = state_start_time(st->janitor);
	r = state_set_status(st, "creating", e);
	if (r == 0) {
		*ret = st;
		return 0;
	}
	state_remove(st);
	state_free(st);
	return r;
}

static void become_janitor(int sock, pid_t supervisor, const char *root, const char *id, const struct janitor_ops *ops)
	__attribute__((noreturn));
static void become_janitor(int sock, pid_t supervisor, const char *root, const char *id, const struct janitor_ops *ops)
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
	fcntl(3, F_SETFD, FD_CLOEXEC);
	make_state(root, id, supervisor, &st, &e);
	if (st)
		ops->prepare(ops->arg, st);
	if (send(3, &e, sizeof(e), MSG_NOSIGNAL) < 0 && st)
		state_remove(st); /* the launcher was faster to die */
	if (!st || chdir("/") < 0)
		_exit(1);
	_exit(janitor_loop(3, st, ops));
}

/* An answer of the janitor that is a struct err. */
static int take_err(struct janitor *j, struct err *e)
{
	struct err result;
	ssize_t n;

	do {
		n = recv(j->sock, &result, sizeof(result), 0);
	} while (n < 0 && errno == EINTR);
	if (n != sizeof(result))
		err_set(&result, EIO, "the janitor died");
	if (!result.code)
		return 0;
	*e = result;
	return -e->code;
}

int janitor_start(struct janitor *j, const char *root, const char *id, const struct janitor_ops *ops,
		  struct err *e)
{
	pid_t self = getpid();
	int pair[2], r;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(e, errno, "socketpair");
	j->pid = fork();
	if (j->pid < 0) {
		close(pair[0]);
		close(pair[1]);
		return err_sys(e, errno, "fork of the janitor");
	}
	if (j->pid == 0)
		become_janitor(pair[1], self, root, id, ops);
	close(pair[1]);
	j->sock = pair[0];
	r = take_err(j, e);
	if (r == 0)
		return 0;
	close_fd(&j->sock);
	waitpid(j->pid, NULL, 0);
	j->pid = -1;
	return r;
}

int janitor_watch(struct janitor *j, int pidfd)
{
	return fdpass_send(j->sock, TICKET_WATCH, pidfd);
}

int janitor_spawn(struct janitor *j, unsigned which, bool plain, int log_fd, struct spawned *ret,
		  struct err *e)
{
	struct spawned s = {.pid = -1, .pidfd = -1, .ready = -1, .launch = -1, .ring = -1, .pass = -1};
	struct pollfd p = {.fd = j->sock, .events = POLLIN};
	int *fds[SPAWNED_FDS], r = fdpass_send(j->sock, SPAWN_TICKET(which, plain), log_fd);

	if (r < 0)
		return err_sys(e, -r, "the janitor does not listen");
	if (poll(&p, 1, SPAWN_TIMEOUT_MS) <= 0)
		return err_set(e, ETIMEDOUT, "the janitor does not answer");
	r = take_err(j, e);
	if (r < 0)
		return r;
	spawned_fds(&s, fds);
	for (size_t i = 0; i < SPAWNED_FDS; i++) {
		uint64_t pid;

		*fds[i] = fdpass_recv(j->sock, 0, &pid);
		if (*fds[i] < 0) {
			r = *fds[i];
			spawned_done(&s);
			return err_sys(e, -r, "the janitor's answer");
		}
		s.pid = (pid_t)pid;
	}
	*ret = s;
	return 0;
}

int janitor_take_cgroups(struct janitor *j)
{
	return fdpass_send(j->sock, TICKET_CGROUPS, j->sock);
}

int janitor_add_undo(struct janitor *j, int list, int netns)
{
	int r = fdpass_send(j->sock, TICKET_UNDO, list);

	return r < 0 ? r : fdpass_send(j->sock, TICKET_NETNS, netns);
}

bool janitor_finish(struct janitor *j, bool clean)
{
	int status = 0;
	pid_t pid = j->pid;

	if (pid <= 0)
		return true;
	fdpass_send(j->sock, clean ? TICKET_CLEAN : TICKET_KEEP, j->sock);
	close_fd(&j->sock);
	j->pid = -1;
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status); /* one that was killed may be reaped already */
}
