/* Starting the services: descriptors, namespaces, programs, and the wait for all of them to be
 * confined and ready. */
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include "common/base/util.h"
#include "common/chan/ring.h"
#include "common/confine/confine.h"
#include "common/ipc/startup.h"
#include "common/log/log.h"
#include "launcher/sandbox/logfile.h"
#include "launcher/sandbox/cgroup.h"
#include "launcher/sandbox/network.h"
#include "launcher/sandbox/sandbox.h"
#include "launcher/sandbox/service.h"

#define READY_TIMEOUT_MS 20000

static const struct confine_policy *const policies[SERVICE_COUNT] = {
	[SERVICE_SYSD] = &confine_sysd, [SERVICE_MEMD] = &confine_memd,
	[SERVICE_FSD] = &confine_fsd, [SERVICE_NETD] = &confine_netd,
};
static const char *const names[SERVICE_COUNT] = {"sysd", "memd", "fsd", "netd"};
static const int proc_slots[SERVICE_COUNT] = {SYSD_FD_PROC, MEMD_FD_PROC, FSD_FD_PROC, -1};

void channels_done(struct channels *c)
{
	close_fd(&c->ring);
	for (int k = 0; k < 2; k++) {
		close_fd(&c->pass[k]);
		close_fd(&c->launch[k]);
		close_fd(&c->ready[k]);
	}
}

int channels_make(struct channels *c, enum service_id id, struct err *e)
{
	memset(c, -1, sizeof(*c));
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, c->launch) < 0 ||
	    pipe2(c->ready, O_CLOEXEC) < 0)
		return err_sys(e, errno, "making the channels of sbx-%s", names[id]);
	if (id == SERVICE_SYSD)
		return 0;
	c->ring = ring_create_fd();
	if (c->ring < 0)
		return err_sys(e, -c->ring, "making the ring of sbx-%s", names[id]);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, c->pass) < 0)
		return err_sys(e, errno, "making the channels of sbx-%s", names[id]);
	return 0;
}

/* Beside this program when it runs from a build, else in libexec. */
int service_open_program(enum service_id id, struct err *e)
{
	static const char *const places[] = {"", "../libexec/sbx/", "../lib/sbx/"};
	char self[PATH_MAX], path[PATH_MAX + 64];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	if (n < 0)
		return err_sys(e, errno, "/proc/self/exe");
	self[n] = 0;
	slash = strrchr(self, '/');
	if (slash)
		slash[1] = 0;
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		int fd;

		snprintf(path, sizeof(path), "%s%ssbx-%s", self, places[i], names[id]);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd >= 0)
			return fd;
	}
	return err_sys(e, ENOENT, "sbx-%s is not beside sbx-launch nor in libexec/sbx", names[id]);
}

/* The log of one process: its own file in the folder of --debug-log, or the common one. */
static int open_log(const struct sandbox *sb, const char *name, struct err *e)
{
	int fd;

	if (!sb->opt->debug_log) {
		fd = fcntl(sb->opt->log_fd >= 0 ? sb->opt->log_fd : 2, F_DUPFD_CLOEXEC, 3);
		return fd >= 0 ? fd : open("/dev/null", O_WRONLY | O_CLOEXEC);
	}
	return logfile_open(sb->opt->debug_log, name, sb->state->id, sb->opt->log_json, e);
}

static void set_fds(struct spawn *s, enum service_id id, const struct channels *c, int null, int load)
{
	s->fds[0] = s->fds[1] = s->fds[2] = null;
	s->fds[SBX_FD_READY] = c[id].ready[1];
	if (id != SERVICE_SYSD) {
		/* the same places in memd, fsd and netd */
		s->fds[MEMD_FD_SYSD_RING] = c[id].ring;
		s->fds[MEMD_FD_SYSD_PASS] = c[id].pass[1];
		s->fds[MEMD_FD_LAUNCH_PASS] = c[id].launch[1];
		return;
	}
	s->fds[SYSD_FD_MEMD_RING] = c[SERVICE_MEMD].ring;
	s->fds[SYSD_FD_MEMD_PASS] = c[SERVICE_MEMD].pass[0];
	s->fds[SYSD_FD_FSD_RING] = c[SERVICE_FSD].ring;
	s->fds[SYSD_FD_FSD_PASS] = c[SERVICE_FSD].pass[0];
	s->fds[SYSD_FD_NETD_RING] = c[SERVICE_NETD].ring;
	s->fds[SYSD_FD_NETD_PASS] = c[SERVICE_NETD].pass[0];
	s->fds[SYSD_FD_LAUNCH_PASS] = c[SERVICE_SYSD].launch[1];
	s->fds[SYSD_FD_LOAD] = load;
}

static void set_args(const struct sandbox *sb, enum service_id id, struct spawn *s)
{
	size_t n = 0;

	if (sb->opt->debug || sb->opt->debug_log)
		s->args[n++] = "--log-level=debug";
	else
		s->args[n++] = "--log-level=warning";
	if (sb->opt->log_json)
		s->args[n++] = "--log-format=json";
	if (sb->spec->process->terminal)
		s->args[n++] = "--terminal";
	if (sb->opt->strace)
		s->args[n++] = "--strace";
	if (sb->opt->strict_mm)
		s->args[n++] = "--strict-mm";
	if (sb->opt->unsafe)
		s->args[n++] = "--unsafe-no-confinement";
	if (s->jail)
		s->args[n++] = "--jail";
	if (id == SERVICE_NETD && network_is(sb, "host"))
		s->args[n++] = "--host-network";
	if (id == SERVICE_FSD && sb->opt->host_sockets)
		s->args[n++] = "--host-sockets";
	s->args[n] = NULL;
}

int service_prepare(struct sandbox *sb, enum service_id id, const struct channels *all, int program, int log_fd,
		    struct spawn *s, struct err *e)
{
	static char jails[2][PATH_MAX];
	CLEANUP_CLOSE int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	CLEANUP_CLOSE int load = id == SERVICE_SYSD ? open("/proc/loadavg", O_RDONLY | O_CLOEXEC) : -1;

	if (null < 0)
		return err_sys(e, errno, "/dev/null");
	snprintf(jails[0], PATH_MAX, "%s/jail", sb->state->dir);
	snprintf(jails[1], PATH_MAX, "%s/empty", sb->state->dir);
	*s = (struct spawn){
		.name = names[id],
		.exec_fd = program,
		.namespaces = sb->plain ? 0 : policies[id]->namespaces,
		.join_pidfd = id == SERVICE_MEMD ? sb->services[SERVICE_SYSD].pidfd : -1,
		.all_ids = id == SERVICE_FSD,
		.uid = sb->uid + (id == SERVICE_NETD),
		.jail = sb->plain ? NULL : jails[id != SERVICE_SYSD],
		.proc_slot = proc_slots[id],
		.for_parent = sb->in_janitor,
		.sync_fd = -1,
	};
	memset(s->fds, -1, sizeof(s->fds));
	set_fds(s, id, all, null, load);
	if (id == SERVICE_NETD && network_is(sb, "host"))
		s->namespaces &= ~(uint64_t)CLONE_NEWNET; /* it works in the container's */
	set_args(sb, id, s);
	s->fds[SBX_FD_LOG] = s->fds[2] = log_fd; /* what libraries say before they abort */
	return spawn_prepare(s, e);
}

static int prepare_first(struct sandbox *sb, enum service_id id, const struct channels *all, struct spawn *s,
			 struct err *e)
{
	struct service *sv = &sb->services[id];
	CLEANUP_CLOSE int program = service_open_program(id, e);
	int r;

	if (program < 0)
		return program;
	close_fd(&sv->log_fd);
	sv->log_fd = open_log(sb, names[id], e);
	if (sv->log_fd < 0)
		return sv->log_fd;
	r = service_prepare(sb, id, all, program, sv->log_fd, s, e);
	if (s->pid > 0) {
		sv->pid = s->pid;
		sv->pidfd = s->pidfd;
		janitor_watch(&sb->janitor, s->pidfd);
	}
	return r;
}

/* Reads a READY pipe: one byte is ready, anything else is the reason why not. */
int service_read_ready(struct service *s, struct err *e)
{
	char text[600];
	ssize_t n = read(s->ready_fd, text, sizeof(text) - 1);

	if (n == 1) {
		s->ready = true;
		close_fd(&s->ready_fd);
		return 0;
	}
	if (n > 1) {
		while (n > 0 && (text[n - 1] == '\n' || !text[n - 1]))
			n--;
		text[n] = 0;
		return err_set(e, EIO, "sbx-%s cannot start: %s", s->name, text);
	}
	close_fd(&s->ready_fd);
	return err_set(e, EIO, "sbx-%s ended before it was ready", s->name);
}

static int wait_ready(struct sandbox *sb, struct err *e)
{
	struct timespec t0, t;

	clock_gettime(CLOCK_MONOTONIC, &t0);
	for (;;) {
		struct pollfd p[SERVICE_COUNT];
		int who[SERVICE_COUNT], n = 0, left, r;

		for (int i = 0; i < SERVICE_COUNT; i++) {
			if (sb->services[i].ready)
				continue;
			who[n] = i;
			p[n++] = (struct pollfd){.fd = sb->services[i].ready_fd, .events = POLLIN};
		}
		if (n == 0)
			return 0;
		clock_gettime(CLOCK_MONOTONIC, &t);
		left = READY_TIMEOUT_MS - (int)((t.tv_sec - t0.tv_sec) * 1000 + (t.tv_nsec - t0.tv_nsec) / 1000000);
		if (left <= 0)
			return err_set(e, ETIMEDOUT, "sbx-%s is not ready after %d seconds", names[who[0]],
				       READY_TIMEOUT_MS / 1000);
		if (poll(p, (nfds_t)n, left) < 0 && errno != EINTR)
			return err_sys(e, errno, "poll");
		for (int i = 0; i < n; i++) {
			if (!p[i].revents)
				continue;
			r = service_read_ready(&sb->services[who[i]], e);
			if (r < 0) {
				struct err how = {0};

				usleep(20000);
				/* how it died says more than that it did */
				if (strstr(e->text, "ended before") && sandbox_check(sb, &how) < 0)
					*e = how;
				return r;
			}
		}
	}
}

static int listen_control(struct sandbox *sb, uid_t peer, const struct endpoint_ops *ops, struct err *e)
{
	char dir[PATH_MAX], path[64];
	int r;

	snprintf(dir, sizeof(dir), "%s/jail/ctl", sb->state->dir);
	CLEANUP_CLOSE int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(e, errno, "%s", dir);
	snprintf(path, sizeof(path), "/proc/self/fd/%d/sysd.sock", fd);
	r = endpoint_listen(path, peer, ops, &sb->ep);
	return r < 0 ? err_sys(e, -r, "listening at %s/sysd.sock", dir) : 0;
}

static void inbox_recv(void *arg, const void *data, size_t size)
{
	struct inbox *in = arg;
	struct inbox_item *item = calloc(1, sizeof(*item));
	uint64_t one = 1;

	if (!item)
		return;
	if (ctl_decode(data, size, &item->msg) < 0) {
		log_warn("a malformed message of sysd was dropped");
		free(item);
		return;
	}
	pthread_mutex_lock(&in->lock);
	*in->last = item;
	in->last = &item->next;
	pthread_mutex_unlock(&in->lock);
	if (write(in->event_fd, &one, sizeof(one)) < 0)
		log_debug("the event counter is full");
}

static void inbox_gone(void *arg)
{
	struct inbox *in = arg;
	uint64_t one = 1;

	__atomic_store_n(&in->gone, true, __ATOMIC_RELEASE);
	if (write(in->event_fd, &one, sizeof(one)) < 0)
		log_debug("the event counter is full");
}

int sandbox_start_services(struct sandbox *sb, struct err *e)
{
	static const enum service_id order[] = {SERVICE_SYSD, SERVICE_FSD, SERVICE_MEMD, SERVICE_NETD};
	const struct endpoint_ops ops = {.recv = inbox_recv, .gone = inbox_gone, .arg = &sb->inbox};
	struct spawn spawns[SERVICE_COUNT];
	struct channels all[SERVICE_COUNT];
	int r = 0;

	memset(all, -1, sizeof(all));
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(order); i++)
		r = channels_make(&all[order[i]], order[i], e);
	/* When memory is short, the services are the last to go; memd's guest processes have 0 again. */
	cgroup_spare_this();
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(order); i++) {
		r = prepare_first(sb, order[i], all, &spawns[order[i]], e);
		if (r < 0 && sb->opt->unsafe && !sb->plain && i == 0 && sb->services[SERVICE_SYSD].pid <= 0) {
			log_warn("%s; the services run WITHOUT namespaces, as was asked for", e->text);
			sb->plain = true;
			r = prepare_first(sb, order[i], all, &spawns[order[i]], e);
		}
	}
	if (r == 0)
		r = listen_control(sb, sb->plain ? geteuid() : sb->uid, &ops, e);
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		struct service *s = &sb->services[order[i]];

		if (r == 0)
			r = spawn_release(&spawns[order[i]], e);
		s->ready_fd = STEAL_FD(all[order[i]].ready[0]);
		s->pass_fd = STEAL_FD(all[order[i]].launch[0]);
		channels_done(&all[order[i]]);
	}
	if (r == 0)
		r = sources_open(sb, e);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(order); i++)
		r = service_feed(sb, order[i], e);
	if (r == 0)
		r = wait_ready(sb, e);
	sb->up = r == 0;
	return r;
}
