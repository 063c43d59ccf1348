/* The supervisor's loop: signals of the outside go to the container, requests of the command line to
 * sysd, the exit of the first process ends it all. A service that dies is started again, or ends the
 * sandbox with its name (restart.c). */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include "common/base/util.h"
#include "common/confine/confine.h"
#include "common/ipc/fdpass.h"
#include "common/log/log.h"
#include "launcher/sandbox/cgroup.h"
#include "launcher/sandbox/sandbox.h"
#include "launcher/sandbox/stream.h"

#define CLIENTS_MAX 512

/* A connection of the command line. One request at a time; a WAIT may stay open. */
struct client {
	struct client *next;
	int sock;
	uint64_t request;      /* id of the request at sysd that it waits for, 0: none */
	uint32_t waits_for;    /* pid, or 0 */
	bool stands_for;       /* it is the process, for whoever reaps it: its end is the process's */
	bool gone;
};

/* Processes whose end nobody has asked for yet. */
#define PAST_MAX 1024
static struct {
	uint32_t pid;
	int status;
} past[PAST_MAX];
static size_t past_count;

static int wait_to_exit(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void answer(struct client *c, int64_t value, const char *text)
{
	struct ctl_msg reply = {.type = CTL_REPLY, .value = value, .text = (char *)text};

	if (stream_send(c->sock, &reply, NULL, 0) < 0)
		c->gone = true;
}

static void on_exit_message(struct sandbox *sb, const struct ctl_msg *m)
{
	bool asked = false;

	if (m->pid == 1) {
		sb->ended = true;
		sb->exit_status = wait_to_exit((int)m->value);
	}
	for (struct client *c = sb->clients; c; c = c->next) {
		if (c->waits_for != m->pid)
			continue;
		c->waits_for = 0;
		answer(c, wait_to_exit((int)m->value), NULL);
		asked = true;
	}
	if (asked || m->pid == 1)
		return;
	if (past_count == PAST_MAX) {
		memmove(past, past + 1, sizeof(past) - sizeof(past[0]));
		past_count--;
	}
	past[past_count].pid = m->pid;
	past[past_count++].status = wait_to_exit((int)m->value);
}

static void on_reply(struct sandbox *sb, const struct ctl_msg *m)
{
	for (int i = 0; i < SERVICE_COUNT; i++) {
		struct service *s = &sb->services[i];

		if (s->told != m->id || m->value >= 0 || s->dead)
			continue;
		log_error("sbx-sysd does not take the new sbx-%s: %s", s->name, m->text ? m->text : "");
		kill(s->pid, SIGKILL); /* once more, and in the end too often */
	}
	for (struct client *c = sb->clients; c; c = c->next) {
		if (c->request == m->id && m->id) {
			c->request = 0;
			answer(c, m->value, m->text);
			return;
		}
	}
}

static void on_messages(struct sandbox *sb)
{
	struct ctl_msg m;
	uint64_t count;

	if (read(sb->inbox.event_fd, &count, sizeof(count)) < 0 && errno != EAGAIN)
		log_warn("the event counter cannot be read");
	while (sandbox_take(sb, &m)) {
		if (m.type == CTL_EXIT)
			on_exit_message(sb, &m);
		else if (m.type == CTL_REPLY)
			on_reply(sb, &m);
		ctl_msg_done(&m);
	}
}

static void forward(struct sandbox *sb, struct client *c, struct ctl_msg *m)
{
	int r = sandbox_post(sb, m);

	if (r < 0)
		answer(c, r, "sbx-sysd does not listen");
	else
		c->request = m->id;
}

static void do_exec(struct sandbox *sb, struct client *c, struct ctl_msg *m, const int *fds, size_t fd_count)
{
	struct ctl_process *p = m->process;
	uint64_t tickets[STREAM_FDS_MAX];

	for (size_t i = 0; i < fd_count; i++) {
		CLEANUP_CLOSE int own = p->terminal ? -1 : sandbox_reopen(fds[i]);
		size_t twin = sandbox_same_file(fds, i);

		tickets[i] = twin < i ? tickets[twin] : sandbox_pass(sb, own >= 0 ? own : fds[i]);
		if (!tickets[i]) {
			answer(c, -EIO, "passing a descriptor to sbx-sysd");
			return;
		}
	}
	/* a ticket of the client is the number of the descriptor beside the message, from 1 on */
	for (size_t i = 0; i < p->stdio_count; i++) {
		if (p->stdio[i] > fd_count) {
			answer(c, -EPROTO, "a descriptor is missing");
			return;
		}
		if (p->stdio[i])
			p->stdio[i] = tickets[p->stdio[i] - 1];
	}
	forward(sb, c, m);
}

static void do_begin(struct sandbox *sb, struct client *c)
{
	struct err e = {0};
	int r;

	if (sb->started) {
		answer(c, -EBUSY, "cannot start a container in the running state");
		return;
	}
	r = sandbox_begin(sb, &e);
	answer(c, r, r < 0 ? e.text : NULL);
	if (r == 0 && c->gone) {
		/* for whoever asked, the start has failed: an engine forgets the container, and nobody would end it */
		log_warn("nobody waits for the start any more: it is undone");
		sb->deleted = true;
		r = -EPIPE;
	}
	if (r < 0) {
		sb->ended = true;
		sb->exit_status = 1;
	}
}

static void do_services(struct sandbox *sb, struct client *c)
{
	char text[512];
	size_t n = 0;

	for (int i = 0; i < SERVICE_COUNT; i++) {
		const struct service *s = &sb->services[i];

		n += (size_t)snprintf(text + n, sizeof(text) - n, "sbx-%-5s pid %-8d %s, %u restarts\n", s->name,
				      (int)s->pid, s->dead ? "dead" : "running", s->restart_count);
	}
	answer(c, 0, text);
}

static void do_wait(struct sandbox *sb, struct client *c, uint32_t pid)
{
	for (size_t i = 0; i < past_count; i++) {
		if (past[i].pid == pid) {
			answer(c, past[i].status, NULL);
			memmove(past + i, past + i + 1, (--past_count - i) * sizeof(past[0]));
			return;
		}
	}
	if (pid == 1 && sb->ended)
		answer(c, sb->exit_status, NULL);
	else
		c->waits_for = pid;
}

static void merge(uint64_t *to, uint64_t change)
{
	if (change)
		*to = change == CTL_LIMIT_NONE ? 0 : change;
}

/* The command line has changed the groups; sysd enforces the rest, and shows it. */
static void do_update(struct sandbox *sb, struct client *c, struct ctl_msg *m)
{
	struct ctl_limits *all = &sb->spec->config->limits, *l = m->limits;

	merge(&all->memory, l->memory);
	merge(&all->swap, l->swap);
	merge(&all->pids, l->pids);
	merge(&all->cpu_quota, l->cpu_quota);
	merge(&all->cpu_period, l->cpu_period);
	merge(&all->cpu_shares, l->cpu_shares);
	*l = *all;
	forward(sb, c, m);
}

static void do_signal(struct sandbox *sb, struct client *c, struct ctl_msg *m)
{
	if (!sb->started) {
		/* a created container has no process yet that could get it; KILL and TERM undo it */
		if (m->value == SIGKILL || m->value == SIGTERM) {
			sb->ended = true;
			sb->exit_status = 128 + (int)m->value;
		}
		answer(c, 0, NULL);
		return;
	}
	forward(sb, c, m);
}

static void on_client(struct sandbox *sb, struct client *c)
{
	int fds[STREAM_FDS_MAX];
	size_t fd_count = 0;
	struct ctl_msg m = {0};
	int r = stream_recv(c->sock, &m, fds, &fd_count);

	if (r < 0) {
		c->gone = true;
		if (c->stands_for && c->waits_for) {
			m = (struct ctl_msg){.type = CTL_SIGNAL, .pid = c->waits_for, .value = SIGKILL};
			sandbox_post(sb, &m);
		}
		return;
	}
	switch (m.type) {
	case CTL_EXEC:
		if (sb->started)
			do_exec(sb, c, &m, fds, fd_count);
		else
			answer(c, -EINVAL, "cannot exec in a container that is not running");
		break;
	case CTL_BEGIN:
		do_begin(sb, c);
		break;
	case CTL_SIGNAL:
		do_signal(sb, c, &m);
		break;
	case CTL_UPDATE:
		do_update(sb, c, &m);
		break;
	case CTL_PS:
	case CTL_STATS:
	case CTL_DEBUG:
	case CTL_NET:
	case CTL_RESIZE:
	case CTL_STOP:
		forward(sb, c, &m);
		break;
	case CTL_SERVICES:
		do_services(sb, c);
		break;
	case CTL_WAIT:
		c->stands_for = m.flag;
		do_wait(sb, c, m.pid);
		break;
	case CTL_DELETE:
		sb->ended = sb->deleted = true;
		sb->exit_status = 128 + SIGKILL;
		answer(c, 0, NULL);
		break;
	default:
		answer(c, -ENOSYS, "the supervisor does not know this request");
	}
	for (size_t i = 0; i < fd_count; i++)
		close(fds[i]);
	ctl_msg_done(&m);
}

static void on_connect(struct sandbox *sb)
{
	const struct timeval limit = {.tv_sec = 5};
	struct client *c;
	size_t count = 0;
	int sock = accept4(sb->super_fd, NULL, NULL, SOCK_CLOEXEC);

	if (sock < 0)
		return;
	for (c = sb->clients; c; c = c->next)
		count++;
	c = count < CLIENTS_MAX && stream_peer_allowed(sock) ? calloc(1, sizeof(*c)) : NULL;
	if (!c) {
		close(sock);
		return;
	}
	/* a client that stops in the middle of a message must not hold the loop */
	setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(sock, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	c->sock = sock;
	c->next = sb->clients;
	sb->clients = c;
}

static void drop_gone(struct sandbox *sb)
{
	for (struct client **p = &sb->clients; *p;) {
		struct client *c = *p;

		if (!c->gone) {
			p = &c->next;
			continue;
		}
		*p = c->next;
		close(c->sock);
		free(c);
	}
}

static void send_size(struct sandbox *sb, int from)
{
	struct ctl_msg m = {.type = CTL_RESIZE, .pid = 1};

	if (from >= 0 && terminal_size(from, &m.rows, &m.cols) == 0) {
		if (sb->pty_master >= 0)
			terminal_set_size(sb->pty_master, m.rows, m.cols);
		sandbox_post(sb, &m);
	}
}

static void on_signal(struct sandbox *sb)
{
	struct signalfd_siginfo si;

	while (read(sb->signal_fd, &si, sizeof(si)) == sizeof(si)) {
		struct ctl_msg m = {.type = CTL_SIGNAL, .pid = 1, .value = si.ssi_signo};

		switch (si.ssi_signo) {
		case SIGCHLD:
		case SIGPIPE:
			break;
		case SIGWINCH:
			send_size(sb, sb->relaying ? sb->relay.in : sb->pty_slave);
			break;
		default:
			if (sb->started) {
				sandbox_post(sb, &m);
			} else if (si.ssi_signo == SIGTERM || si.ssi_signo == SIGINT) {
				sb->ended = true;
				sb->exit_status = 128 + (int)si.ssi_signo;
			}
		}
	}
}

static void on_memd_pass(struct sandbox *sb)
{
	uint64_t ticket;
	int fd = fdpass_recv(sb->services[SERVICE_MEMD].pass_fd, MSG_DONTWAIT, &ticket);

	if (fd >= 0) {
		close_fd(&sb->listener_fd);
		sb->listener_fd = fd;
	} else if (fd != -EAGAIN) {
		close_fd(&sb->services[SERVICE_MEMD].pass_fd);
	}
}

int sandbox_open_doors(struct sandbox *sb, struct err *e)
{
	sigset_t all;

	if (sb->signal_fd >= 0)
		return 0;
	sigfillset(&all);
	sb->signal_fd = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
	if (sb->signal_fd < 0)
		return err_sys(e, errno, "signalfd");
	sb->super_fd = stream_listen(sb->state->dir);
	if (sb->super_fd < 0)
		return err_sys(e, -sb->super_fd, "%s/super.sock", sb->state->dir);
	return 0;
}

/* From here on the only thing of ours that can still remove cgroups, or make anything, is the janitor,
 * which no sandbox can reach. */
static int give_up_power(struct sandbox *sb, struct err *e)
{
	const struct confine_options opt = {.unsafe = sb->opt->unsafe};
	int r = 0;

	if (!opt.unsafe)
		r = view_enter(sb, e);
	if (r < 0)
		return r;
	sb->confined = true;
	if (!opt.unsafe)
		r = confine_keep_caps(0);
	if (r == 0 && !opt.unsafe)
		r = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0;
	if (r == 0)
		r = confine_apply(&confine_launch, &opt);
	return r < 0 ? err_sys(e, -r, "the supervisor cannot be confined") : 0;
}

#define FIXED (4 + 2 * SERVICE_COUNT)

int sandbox_supervise(struct sandbox *sb, struct err *e)
{
	static struct pollfd p[FIXED + 3 + CLIENTS_MAX];
	static struct client *who[CLIENTS_MAX];
	int r = sandbox_open_doors(sb, e);

	if (r == 0)
		r = give_up_power(sb, e);
	while (r == 0 && !sb->ended) {
		size_t n = 0, relay_at, relays, clients = 0;
		bool look = false;
		int events;

		/* a call that waited for its reply took the counter with it, and left what came behind */
		on_messages(sb);
		if (sb->ended)
			break;
		p[n++] = (struct pollfd){.fd = sb->inbox.event_fd, .events = POLLIN};
		p[n++] = (struct pollfd){.fd = sb->signal_fd, .events = POLLIN};
		p[n++] = (struct pollfd){.fd = sb->super_fd, .events = POLLIN};
		p[n++] = (struct pollfd){.fd = sb->services[SERVICE_MEMD].pass_fd, .events = POLLIN};
		for (int i = 0; i < SERVICE_COUNT; i++) {
			p[n++] = (struct pollfd){.fd = sb->services[i].pidfd, .events = POLLIN};
			p[n++] = (struct pollfd){.fd = sb->services[i].ready_fd, .events = POLLIN};
		}
		relay_at = n;
		relays = sb->relaying ? relay_prepare(&sb->relay, p + n) : 0;
		n += relays;
		for (struct client *c = sb->clients; c && clients < CLIENTS_MAX; c = c->next) {
			who[clients++] = c;
			p[n++] = (struct pollfd){.fd = c->sock, .events = c->request ? 0 : POLLIN};
		}
		events = poll(p, n, sandbox_check_timeout(sb));
		if (events < 0) {
			if (errno == EINTR)
				continue;
			r = err_sys(e, errno, "poll");
			break;
		}
		if (p[1].revents)
			on_signal(sb);
		if (p[2].revents)
			on_connect(sb);
		if (p[3].revents)
			on_memd_pass(sb);
		relay_run(&sb->relay, p + relay_at, relays);
		for (size_t i = 0; i < clients; i++)
			if (p[relay_at + relays + i].revents)
				on_client(sb, who[i]);
		drop_gone(sb);
		for (size_t i = 4; i < FIXED; i++)
			look |= p[i].revents != 0;
		if (look || events == 0) {
			on_messages(sb); /* the exit may have come just before */
			if (!sb->ended)
				r = sandbox_check(sb, e);
		}
	}
	if (r < 0 && sb->state->cgroup && cgroup_oom_kills(sb->state->cgroup) > 0) {
		/* memory that no process held, as files of a tmpfs: the host had to take a service */
		log_warn("out of memory: %s", e->text);
		sb->exit_status = 128 + SIGKILL;
		r = 0;
	}
	for (struct client *c = sb->clients; c; c = c->next)
		if (c->waits_for || c->request)
			answer(c, c->waits_for ? 128 + SIGKILL : -ESRCH, "the container has ended");
	return r < 0 ? r : sb->exit_status;
}
