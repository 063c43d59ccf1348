/* Starting the services: descriptors, namespaces, programs, and the wait for all of them to be
 * confined and ready. */
#include <fcntl.h>
#include <limits.h>
#include <linux/mount.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include "common/base/util.h"
#include "common/chan/ring.h"
#include "common/confine/confine.h"
#include "common/ipc/fdpass.h"
#include "common/ipc/msg_fsd.h"
#include "common/ipc/startup.h"
#include "common/log/log.h"
#include "launcher/sandbox/sandbox.h"
#include "launcher/sandbox/spawn.h"

#define READY_TIMEOUT_MS 20000
#define UID_BASE 0x70000000u

static const struct confine_policy *const policies[SERVICE_COUNT] = {
	[SERVICE_SYSD] = &confine_sysd, [SERVICE_MEMD] = &confine_memd,
	[SERVICE_FSD] = &confine_fsd, [SERVICE_NETD] = &confine_netd,
};
static const char *const names[SERVICE_COUNT] = {"sysd", "memd", "fsd", "netd"};

/* Descriptors between the services; [x][0] is sysd's end, [x][1] the other's. */
struct links {
	int ring[SERVICE_COUNT];
	int pass[SERVICE_COUNT][2];
	int launch[SERVICE_COUNT][2]; /* [0] ours */
	int ready[SERVICE_COUNT][2];
	int null;
};

static void links_done(struct links *l)
{
	for (int i = 0; i < SERVICE_COUNT; i++) {
		close_fd(&l->ring[i]);
		for (int k = 0; k < 2; k++) {
			close_fd(&l->pass[i][k]);
			close_fd(&l->launch[i][k]);
			close_fd(&l->ready[i][k]);
		}
	}
	close_fd(&l->null);
}

static int links_make(struct links *l, struct err *e)
{
	memset(l, -1, sizeof(*l));
	l->null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (l->null < 0)
		return err_sys(e, errno, "/dev/null");
	for (int i = 0; i < SERVICE_COUNT; i++) {
		if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, l->launch[i]) < 0 ||
		    pipe2(l->ready[i], O_CLOEXEC) < 0)
			return err_sys(e, errno, "making the channels of sbx-%s", names[i]);
		if (i == SERVICE_SYSD)
			continue;
		l->ring[i] = ring_create_fd();
		if (l->ring[i] < 0)
			return err_sys(e, -l->ring[i], "making the ring of sbx-%s", names[i]);
		if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, l->pass[i]) < 0)
			return err_sys(e, errno, "making the channels of sbx-%s", names[i]);
	}
	return 0;
}

/* Beside this program when it runs from a build, else in libexec. */
static int open_program(const char *name, struct err *e)
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

		snprintf(path, sizeof(path), "%s%ssbx-%s", self, places[i], name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd >= 0)
			return fd;
	}
	return err_sys(e, ENOENT, "sbx-%s is not beside sbx-launch nor in libexec/sbx", name);
}

/* The log of one process: its own file in the folder of --debug-log, or the common one. */
static int open_log(const struct sandbox *sb, const char *name, struct err *e)
{
	char path[PATH_MAX], when[32];
	struct timeval tv;
	struct tm tm;
	int fd;

	if (!sb->opt->debug_log) {
		fd = fcntl(sb->opt->log_fd >= 0 ? sb->opt->log_fd : 2, F_DUPFD_CLOEXEC, 3);
		return fd >= 0 ? fd : open("/dev/null", O_WRONLY | O_CLOEXEC);
	}
	gettimeofday(&tv, NULL);
	localtime_r(&tv.tv_sec, &tm);
	strftime(when, sizeof(when), "%Y%m%d-%H%M%S", &tm);
	snprintf(path, sizeof(path), "%s/sbx.log.%s.%06ld.%s", sb->opt->debug_log, when, (long)tv.tv_usec, name);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
	return fd < 0 ? err_sys(e, errno, "%s", path) : fd;
}

static void set_fds(struct spawn *s, enum service_id id, const struct links *l)
{
	s->fds[0] = s->fds[1] = s->fds[2] = l->null;
	s->fds[SBX_FD_READY] = l->ready[id][1];
	if (id != SERVICE_SYSD) {
		/* the same places in memd, fsd and netd */
		s->fds[MEMD_FD_SYSD_RING] = l->ring[id];
		s->fds[MEMD_FD_SYSD_PASS] = l->pass[id][1];
		s->fds[MEMD_FD_LAUNCH_PASS] = l->launch[id][1];
		return;
	}
	s->fds[SYSD_FD_MEMD_RING] = l->ring[SERVICE_MEMD];
	s->fds[SYSD_FD_MEMD_PASS] = l->pass[SERVICE_MEMD][0];
	s->fds[SYSD_FD_FSD_RING] = l->ring[SERVICE_FSD];
	s->fds[SYSD_FD_FSD_PASS] = l->pass[SERVICE_FSD][0];
	s->fds[SYSD_FD_NETD_RING] = l->ring[SERVICE_NETD];
	s->fds[SYSD_FD_NETD_PASS] = l->pass[SERVICE_NETD][0];
	s->fds[SYSD_FD_LAUNCH_PASS] = l->launch[SERVICE_SYSD][1];
}

static void set_args(const struct sandbox *sb, struct spawn *s)
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
	s->args[n] = NULL;
}

static int prepare_one(struct sandbox *sb, enum service_id id, const struct links *l, bool plain,
		       struct spawn *s, struct err *e)
{
	static char jails[2][PATH_MAX];
	int r;

	snprintf(jails[0], PATH_MAX, "%s/jail", sb->state->dir);
	snprintf(jails[1], PATH_MAX, "%s/empty", sb->state->dir);
	*s = (struct spawn){
		.name = names[id],
		.namespaces = plain ? 0 : policies[id]->namespaces,
		.join_pidfd = id == SERVICE_MEMD ? sb->services[SERVICE_SYSD].pidfd : -1,
		.all_ids = id == SERVICE_FSD,
		.uid = sb->uid + (id == SERVICE_NETD),
		.jail = plain ? NULL : jails[id != SERVICE_SYSD],
		.proc_slot = id == SERVICE_SYSD ? SYSD_FD_PROC : id == SERVICE_MEMD ? MEMD_FD_PROC : -1,
		.sync_fd = -1,
	};
	memset(s->fds, -1, sizeof(s->fds));
	set_fds(s, id, l);
	set_args(sb, s);
	s->exec_fd = open_program(names[id], e);
	if (s->exec_fd < 0)
		return s->exec_fd;
	s->fds[SBX_FD_LOG] = s->fds[2] = open_log(sb, names[id], e); /* what libraries say before they abort */
	if (s->fds[SBX_FD_LOG] < 0) {
		close(s->exec_fd);
		return s->fds[SBX_FD_LOG];
	}
	r = spawn_prepare(s, e);
	close(s->exec_fd);
	close(s->fds[SBX_FD_LOG]);
	if (s->pid > 0) {
		sb->services[id].pid = s->pid;
		sb->services[id].pidfd = s->pidfd;
		janitor_watch(&sb->janitor, s->pidfd);
	}
	return r;
}

/* fsd serves a single file by an open description of it. */
static int open_file_source(const struct spec_source *src, int tree, struct err *e)
{
	char path[32];
	struct stat st;
	int fd = -1;

	if (fstat(tree, &st) < 0 || !S_ISREG(st.st_mode))
		return err_set(e, ENOTSUP, "%s: only folders and regular files can be mounted", src->path);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", tree);
	if (!src->readonly)
		fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? err_sys(e, errno, "%s", src->path) : fd;
}

/* A mount source is a detached copy of its mount: ".." ends at its root, for fsd too, and read-only
 * is the host kernel's word. */
static int open_source(const struct spec_source *src, struct err *e)
{
	unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (src->recursive ? AT_RECURSIVE : 0);
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_NOSUID | (src->readonly ? MOUNT_ATTR_RDONLY : 0)};
	CLEANUP_CLOSE int fd = (int)syscall(SYS_open_tree, AT_FDCWD, src->path, flags);

	if (fd < 0)
		return err_sys(e, errno, "open_tree of %s", src->path);
	if (syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH | (src->recursive ? AT_RECURSIVE : 0), &attr,
		    sizeof(attr)) < 0)
		return err_sys(e, errno, "mount_setattr of %s", src->path);
	return src->file ? open_file_source(src, fd, e) : STEAL_FD(fd);
}

static int send_sources(struct sandbox *sb, int sock, struct err *e)
{
	for (size_t i = 0; i < sb->spec->source_count; i++) {
		const struct spec_source *src = &sb->spec->sources[i];
		unsigned flags = (src->readonly ? FSD_MOUNT_RDONLY : 0) | (src->recursive ? FSD_MOUNT_XDEV : 0);
		CLEANUP_CLOSE int fd = open_source(src, e);
		int r;

		if (fd < 0)
			return fd;
		do {
			r = fdpass_send(sock, FSD_MOUNT_TICKET(i, flags), fd);
			if (r == -EAGAIN)
				usleep(200); /* fsd has not read the first ones yet */
		} while (r == -EAGAIN);
		if (r < 0)
			return err_sys(e, -r, "passing %s to sbx-fsd", src->path);
	}
	return 0;
}

/* Reads a READY pipe: one byte is ready, anything else is the reason why not. */
static int read_ready(struct service *s, struct err *e)
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
			r = read_ready(&sb->services[who[i]], e);
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
	struct links l;
	bool plain = false;
	int r = links_make(&l, e);

	/* One user id a sandbox, which nobody else has: its number is our process id's. */
	sb->uid = UID_BASE + 2 * (uint32_t)getpid();
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(order); i++) {
		r = prepare_one(sb, order[i], &l, plain, &spawns[order[i]], e);
		if (r < 0 && sb->opt->unsafe && !plain && i == 0 && sb->services[SERVICE_SYSD].pid <= 0) {
			log_warn("%s; the services run WITHOUT namespaces, as was asked for", e->text);
			plain = true;
			r = prepare_one(sb, order[i], &l, plain, &spawns[order[i]], e);
		}
	}
	if (r == 0)
		r = listen_control(sb, plain ? geteuid() : sb->uid, &ops, e);
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		struct service *s = &sb->services[order[i]];

		if (r == 0)
			r = spawn_release(&spawns[order[i]], e);
		s->ready_fd = STEAL_FD(l.ready[order[i]][0]);
		s->pass_fd = STEAL_FD(l.launch[order[i]][0]);
	}
	links_done(&l);
	if (r == 0)
		r = send_sources(sb, sb->services[SERVICE_FSD].pass_fd, e);
	close_fd(&sb->services[SERVICE_FSD].pass_fd);
	close_fd(&sb->services[SERVICE_NETD].pass_fd);
	return r < 0 ? r : wait_ready(sb, e);
}
