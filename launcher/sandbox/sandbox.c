#include "launcher/sandbox/service.h"

#include <fcntl.h>
#include <linux/kcmp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include "common/base/util.h"
#include "common/ipc/fdpass.h"
#include "common/log/log.h"
#include "launcher/sandbox/cgroup.h"
#include "launcher/sandbox/hooks.h"
#include "launcher/sandbox/network.h"
#include "launcher/net/take.h"
#include "launcher/net/undo.h"

#define UID_BASE 0x70000000u

static const char *const names[SERVICE_COUNT] = {"sysd", "memd", "fsd", "netd"};

uint64_t sandbox_pass(struct sandbox *sb, int fd)
{
	uint64_t ticket = ++sb->next_ticket;
	int r;

	for (int i = 0; i < 5000; i++) {
		r = fdpass_send(sb->services[SERVICE_SYSD].pass_fd, ticket, fd);
		if (r != -EAGAIN)
			return r == 0 ? ticket : 0;
		usleep(200);
	}
	return 0;
}

int sandbox_post(struct sandbox *sb, struct ctl_msg *m)
{
	CLEANUP_FREE uint8_t *buf = NULL;
	long size;

	m->id = ++sb->next_id;
	size = ctl_encode(m, &buf);
	return size < 0 ? (int)size : endpoint_send(sb->ep, buf, (size_t)size);
}

bool sandbox_take(struct sandbox *sb, struct ctl_msg *ret)
{
	struct inbox *in = &sb->inbox;
	struct inbox_item *item;

	pthread_mutex_lock(&in->lock);
	item = in->first;
	if (item) {
		in->first = item->next;
		if (!in->first)
			in->last = &in->first;
	}
	pthread_mutex_unlock(&in->lock);
	if (!item)
		return false;
	*ret = item->msg;
	free(item);
	return true;
}

void sandbox_put_back(struct sandbox *sb, struct ctl_msg *list, size_t count)
{
	struct inbox *in = &sb->inbox;

	pthread_mutex_lock(&in->lock);
	while (count--) {
		struct inbox_item *item = calloc(1, sizeof(*item));

		if (!item) {
			ctl_msg_done(&list[count]);
			continue;
		}
		item->msg = list[count];
		item->next = in->first;
		if (!in->first)
			in->last = &item->next;
		in->first = item;
	}
	pthread_mutex_unlock(&in->lock);
}

/* sysd is pid 1 of the namespace it shares with memd and the guests: when it ends, the kernel kills
 * those and lets sysd go only after memd has been reaped. So everything that is dead is reaped at once,
 * and a dead memd is given a moment to be the consequence of sysd's end. */
static bool reap(struct service *s)
{
	siginfo_t si = {0};

	if (s->pid <= 0 || s->dead)
		return s->dead;
	if (waitid(P_PID, (id_t)s->pid, &si, WEXITED | WNOHANG) < 0 || si.si_pid == 0)
		return false;
	s->dead = true;
	s->end_code = si.si_code;
	s->end_status = si.si_status;
	return true;
}

static int describe_end(const struct service *s, struct err *e)
{
	if (s->end_code == CLD_EXITED)
		return err_set(e, EIO, "sbx-%s ended with status %d", s->name, s->end_status);
	return err_set(e, EIO, "sbx-%s was killed by signal %d (%s)%s", s->name, s->end_status,
		       strsignal(s->end_status),
		       s->end_status == SIGSYS ? ": it made a system call that its filter does not allow" : "");
}

/* The death of a service that is not restarted: the one that broke a filter is the one to name. */
static const struct service *fatal_end(struct sandbox *sb)
{
	struct service *sysd = &sb->services[SERVICE_SYSD];
	const struct service *first = NULL;

	if (sb->services[SERVICE_MEMD].dead && !sysd->dead && sysd->pidfd >= 0) {
		struct pollfd p = {.fd = sysd->pidfd, .events = POLLIN};

		if (poll(&p, 1, 200) > 0)
			reap(sysd);
	}
	for (int i = 0; i < SERVICE_COUNT; i++) {
		const struct service *s = &sb->services[i];

		if (!s->dead || (sb->up && service_can_restart(sb, i)))
			continue;
		if (!first || (s->end_code != CLD_EXITED && s->end_status == SIGSYS))
			first = s;
	}
	return first;
}

int sandbox_check(struct sandbox *sb, struct err *e)
{
	const struct service *lost;
	bool any = false;

	for (int i = 0; i < SERVICE_COUNT; i++)
		any |= reap(&sb->services[i]);
	lost = any ? fatal_end(sb) : NULL;
	if (lost)
		return describe_end(lost, e);
	for (int i = 0; sb->up && i < SERVICE_COUNT; i++) {
		struct err end = {0};
		int r = 0;

		/* an end that is made good is no error: the caller's stays untouched */
		if (sb->services[i].dead) {
			describe_end(&sb->services[i], &end);
			r = service_restart(sb, i, &end);
		} else if (!sb->services[i].ready) {
			service_check_ready(&sb->services[i]);
		}
		if (r < 0) {
			*e = end;
			return r;
		}
	}
	return 0;
}

int64_t sandbox_call(struct sandbox *sb, struct ctl_msg *m, int timeout_ms, struct err *e)
{
	struct ctl_msg others[64];
	size_t other_count = 0;
	struct timespec t0, t;
	int r = sandbox_post(sb, m);

	if (r < 0)
		return err_sys(e, -r, "sending a request to sbx-sysd");
	clock_gettime(CLOCK_MONOTONIC, &t0);
	for (;;) {
		struct ctl_msg reply;
		struct pollfd p[2 * SERVICE_COUNT + 1] = {{.fd = sb->inbox.event_fd, .events = POLLIN}};
		uint64_t count;
		int left = -1;

		while (sandbox_take(sb, &reply)) {
			if (reply.type == CTL_REPLY && reply.id == m->id) {
				int64_t value = reply.value;

				sandbox_put_back(sb, others, other_count);
				if (value < 0)
					err_set(e, (int)-value, "%s", reply.text ? reply.text : strerror((int)-value));
				else if (reply.text) {
					free(m->text);
					m->text = STEAL_PTR(reply.text);
				}
				ctl_msg_done(&reply);
				return value;
			}
			if (other_count < ARRAY_SIZE(others))
				others[other_count++] = reply;
			else
				ctl_msg_done(&reply);
		}
		r = sandbox_check(sb, e);
		if (r < 0)
			break;
		if (timeout_ms >= 0) {
			clock_gettime(CLOCK_MONOTONIC, &t);
			left = timeout_ms - (int)((t.tv_sec - t0.tv_sec) * 1000 + (t.tv_nsec - t0.tv_nsec) / 1000000);
			if (left <= 0) {
				r = err_set(e, ETIMEDOUT, "sbx-sysd does not answer");
				break;
			}
		}
		for (int i = 0; i < SERVICE_COUNT; i++) {
			p[2 * i + 1] = (struct pollfd){.fd = sb->services[i].pidfd, .events = POLLIN};
			p[2 * i + 2] = (struct pollfd){.fd = sb->services[i].ready_fd, .events = POLLIN};
		}
		poll(p, ARRAY_SIZE(p), left);
		if (p[0].revents && read(sb->inbox.event_fd, &count, sizeof(count)) < 0)
			continue;
	}
	sandbox_put_back(sb, others, other_count);
	return r;
}

static void now_text(char *buf, size_t size)
{
	struct timespec ts;
	struct tm tm;
	size_t n;

	clock_gettime(CLOCK_REALTIME, &ts);
	gmtime_r(&ts.tv_sec, &tm);
	n = strftime(buf, size, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(buf + n, size - n, ".%09ldZ", ts.tv_nsec);
}

static int fill_state(struct sandbox *sb, struct err *e)
{
	struct state *st = sb->state;
	char when[48];

	now_text(when, sizeof(when));
	st->pid = getpid();
	st->start_time = state_start_time(st->pid);
	st->janitor = sb->janitor.pid;
	st->janitor_start = state_start_time(st->janitor);
	st->status = strdup("creating");
	st->created = strdup(when);
	st->bundle = strdup(sb->spec->bundle);
	st->debug_log = sb->opt->debug_log ? strdup(sb->opt->debug_log) : NULL;
	st->rootfs = strdup(sb->spec->rootfs);
	st->oci_version = strdup(sb->spec->oci_version);
	st->annotations = json_incref(sb->spec->annotations);
	st->hooks = json_incref(sb->spec->hooks_json);
	if (!st->status || !st->created || !st->bundle || !st->rootfs || !st->oci_version)
		return err_sys(e, ENOMEM, "state");
	return state_save(st, e);
}

/* Strings of the configuration that only the command line knows. */
static int complete_config(struct sandbox *sb, struct err *e)
{
	struct ctl_config *c = sb->spec->config;
	const char *network = sb->opt->network;

	c->id = strdup(sb->state->id);
	if (!c->id)
		return err_sys(e, ENOMEM, "configuration");
	c->strace = sb->opt->strace;
	c->debug = sb->opt->debug;
	if (network)
		c->network = !strcmp(network, "none") ? 0 : !strcmp(network, "host") ? 2 : 1;
	if (sb->spec->cgroup_path)
		c->cgroup = strdup(sb->spec->cgroup_path);
	return 0;
}

/* The hooks of create, in their order. The container's namespaces are there, its processes are not. */
static int run_create_hooks(struct sandbox *sb, struct err *e)
{
	const struct hook_place host = {.netns = sb->host_netns_fd}, inner = {.netns = -1, .own_mounts = true};
	const struct hooks *h = &sb->spec->hooks;
	int r;

	if ((r = hooks_run(h, HOOK_PRESTART, sb->state, "creating", &host, false, e)) ||
	    (r = hooks_run(h, HOOK_CREATE_RUNTIME, sb->state, "creating", &host, false, e)) ||
	    (r = hooks_run(h, HOOK_CREATE_CONTAINER, sb->state, "creating", &inner, false, e)))
		return r;
	return 0;
}

static int bring_up(struct sandbox *sb, struct err *e)
{
	struct ctl_msg m = {.type = CTL_CONFIGURE, .config = sb->spec->config};
	int r;

	if ((r = fill_state(sb, e)) || (r = complete_config(sb, e)) ||
	    (r = mountpoints_make(sb, e)) || (r = cgroup_enter(sb, e)) ||
	    (r = netns_enter(sb, e)) || (r = run_create_hooks(sb, e)) ||
	    (r = network_set_up(sb, e)) || (r = sandbox_start_services(sb, e)) || (r = cgroup_step_aside(sb, e)))
		return r;
	r = (int)sandbox_call(sb, &m, SANDBOX_CALL_TIMEOUT_MS, e);
	if (r < 0)
		return err_wrap(e, "configuring the sandbox");
	return state_set_status(sb->state, "created", e);
}

int sandbox_create(const struct launch_options *opt, struct spec *spec, const char *id,
		   struct sandbox **ret, struct err *e)
{
	struct sandbox *sb = calloc(1, sizeof(*sb));
	struct janitor_ops ops = restart_ops;
	sigset_t all;
	int r;

	if (!sb) {
		spec_free(spec);
		return err_sys(e, ENOMEM, "sandbox");
	}
	sb->opt = opt;
	sb->spec = spec;
	/* One user id a sandbox, which nobody else has: its number is our process id's. */
	sb->uid = UID_BASE + 2 * (uint32_t)getpid();
	sb->source_paths = sb->super_fd = sb->signal_fd = sb->netns_fd = sb->host_netns_fd = sb->listener_fd = sb->pty_master = sb->pty_slave = -1;
	sb->janitor.sock = -1;
	pthread_mutex_init(&sb->inbox.lock, NULL);
	sb->inbox.last = &sb->inbox.first;
	sb->inbox.event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	for (int i = 0; i < SERVICE_COUNT; i++)
		sb->services[i] = (struct service){.name = names[i], .pid = -1, .pidfd = -1, .pass_fd = -1,
						   .ready_fd = -1, .log_fd = -1};
	/* Signals are read in the loop: none may end us half-way, and threads inherit the mask. */
	sigfillset(&all);
	sigdelset(&all, SIGABRT);
	sigdelset(&all, SIGSEGV);
	sigdelset(&all, SIGBUS);
	sigdelset(&all, SIGFPE);
	sigdelset(&all, SIGILL);
	sigprocmask(SIG_BLOCK, &all, NULL);
	ops.arg = sb;
	r = janitor_start(&sb->janitor, opt->root, id, &ops, e);
	if (r == 0) {
		sb->state = state_new(opt->root, id);
		if (!sb->state)
			r = err_sys(e, ENOMEM, "state");
	}
	if (r == 0)
		r = bring_up(sb, e);
	if (r < 0) {
		struct err keep = *e;

		sandbox_destroy(sb, false);
		*e = keep;
		return r;
	}
	*ret = sb;
	return 0;
}

/* sysd never blocks in a read, and a flag on our descriptor would be seen by everybody who shares it: so
 * pipes and terminals are opened anew, with O_NONBLOCK, and sockets have MSG_DONTWAIT. */
int sandbox_reopen(int fd)
{
	char path[32];
	struct stat st;
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fstat(fd, &st) < 0 || (!S_ISFIFO(st.st_mode) && !isatty(fd)))
		return -1;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, (flags & O_ACCMODE) | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

size_t sandbox_same_file(const int *fds, size_t i)
{
	pid_t self = getpid();

	for (size_t j = 0; j < i; j++)
		if (fds[j] >= 0 && syscall(SYS_kcmp, self, self, KCMP_FILE, fds[i], fds[j]) == 0)
			return j;
	return i;
}

int sandbox_set_stdio(struct sandbox *sb, const int *fds, size_t count, struct err *e)
{
	struct ctl_process *p = sb->spec->process;

	p->stdio = calloc(count + 1, sizeof(*p->stdio));
	if (!p->stdio)
		return err_sys(e, ENOMEM, "descriptors");
	for (size_t i = 0; i < count; i++) {
		if (fds[i] < 0)
			continue;
		CLEANUP_CLOSE int own = -1;
		size_t twin = sandbox_same_file(fds, i);

		if (twin < i) {
			p->stdio[i] = p->stdio[twin];
			continue;
		}
		own = sandbox_reopen(fds[i]);
		p->stdio[i] = sandbox_pass(sb, own >= 0 ? own : fds[i]);
		if (!p->stdio[i])
			return err_set(e, EIO, "passing descriptor %zu to sbx-sysd", i);
	}
	p->stdio_count = count;
	return 0;
}

/* Takes every other child of ours that ends meanwhile: sysd cannot go before memd is reaped, and the helper that
 * makes memd may have been killed before it could say its number. */
static void wait_end(struct sandbox *sb, const struct service *s)
{
	while (!s->dead) {
		pid_t pid = waitpid(-1, NULL, __WALL);

		if (pid < 0 && errno != EINTR)
			return;
		for (int i = 0; i < SERVICE_COUNT; i++)
			if (pid > 0 && sb->services[i].pid == pid)
				sb->services[i].dead = true;
	}
}

static void kill_services(struct sandbox *sb)
{
	/* sysd is pid 1 of the guests' namespace: they all go with it, but it goes last (see reap) */
	for (int i = 0; i < SERVICE_COUNT; i++) {
		struct service *s = &sb->services[i];

		if (s->pid > 0 && !s->dead && kill(s->pid, SIGKILL) < 0)
			log_debug("sbx-%s is gone already", s->name);
	}
	for (int i = SERVICE_COUNT - 1; i >= 0; i--) {
		struct service *s = &sb->services[i];

		if (s->pid > 0)
			wait_end(sb, s);
		s->pid = -1;
		close_fd(&s->pidfd);
		close_fd(&s->pass_fd);
		close_fd(&s->ready_fd);
		close_fd(&s->log_fd);
	}
	sources_done(sb);
}

/* What the janitor would have done, had it not been killed. Once the supervisor is confined it cannot, and the state stays
 * for `delete`. */
static void clean_up(struct sandbox *sb, int undo)
{
	if (!sb->state || sb->confined)
		return;
	undo_run(undo, sb->netns_fd, sb->host_netns_fd);
	state_remove(sb->state);
}

void sandbox_destroy(struct sandbox *sb, bool keep)
{
	CLEANUP_CLOSE int undo = -1;
	struct ctl_msg m;
	struct err e;

	if (!sb)
		return;
	kill_services(sb);
	/* now nobody has the slave: what was written to it is read to its end */
	if (sb->relaying)
		relay_done(&sb->relay);
	endpoint_close(sb->ep);
	while (sandbox_take(sb, &m))
		ctl_msg_done(&m);
	close_fd(&sb->super_fd);
	close_fd(&sb->listener_fd);
	if (sb->net)
		undo = STEAL_FD(sb->net->undo);
	network_done(sb);
	if (keep && state_set_status(sb->state, "stopped", &e) < 0)
		log_error("%s", e.text);
	if (!janitor_finish(&sb->janitor, !keep) && !keep)
		clean_up(sb, undo);
	close_fd(&sb->netns_fd);
	close_fd(&sb->host_netns_fd);
	close_fd(&sb->inbox.event_fd);
	close_fd(&sb->signal_fd);
	close_fd(&sb->pty_master);
	close_fd(&sb->pty_slave);
	state_free(sb->state);
	spec_free(sb->spec);
	free(sb);
}
