/* Starting a service again that has died. The supervisor has no power to make processes: the janitor makes
 * the new one, as the supervisor's child, with fresh channels; the supervisor gives it what it needs to
 * begin (service_feed), hands sysd its ends and tells it so (CTL_SERVICE). Everything else is between
 * sysd and the service: what the old one knew, sysd tells the new one or asks for again. */
#include "launcher/sandbox/service.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include "common/base/util.h"
#include "common/log/log.h"
#include "launcher/sandbox/cgroup.h"
#include "launcher/sandbox/network.h"

#define READY_SECONDS 20

/* In the janitor: the programs of the services that may be restarted, as they were when the sandbox
 * began (a package may be upgraded meanwhile, and its protocol with it). */
static int programs[SERVICE_COUNT];

bool service_can_restart(const struct sandbox *sb, enum service_id id)
{
	/* The janitor, which makes the new one, is not in the container's network namespace. */
	return id == SERVICE_FSD || (id == SERVICE_NETD && !network_is(sb, "host"));
}

static void prepare(void *arg, const struct state *st)
{
	struct sandbox *sb = arg;
	struct err e;

	sb->in_janitor = true;
	cgroup_spare_this();
	sb->state = (struct state *)st;
	for (int i = 0; i < SERVICE_COUNT; i++)
		programs[i] = service_can_restart(sb, i) ? service_open_program(i, &e) : -1;
}

/* sysd is where a service belongs: the supervisor itself may be elsewhere (cgroup.h). */
static pid_t find_sysd(pid_t supervisor)
{
	char path[64], name[32];
	pid_t pid, found = supervisor;
	FILE *f, *comm;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", supervisor, supervisor);
	f = fopen(path, "re");
	while (f && found == supervisor && fscanf(f, "%d", &pid) == 1) {
		snprintf(path, sizeof(path), "/proc/%d/comm", pid);
		comm = fopen(path, "re");
		if (comm && fscanf(comm, "%31s", name) == 1 && !strcmp(name, "sbx-sysd"))
			found = pid;
		if (comm)
			fclose(comm);
	}
	if (f)
		fclose(f);
	return found;
}

static int spawn(void *arg, unsigned which, bool plain, int log_fd, struct spawned *ret, struct err *e)
{
	struct sandbox *sb = arg;
	struct channels all[SERVICE_COUNT], *c = &all[which];
	struct spawn s = {.pid = -1, .pidfd = -1};
	int r;

	if (which >= SERVICE_COUNT || !service_can_restart(arg, which) || programs[which] < 0)
		return err_set(e, EINVAL, "the service cannot be started again");
	sb->plain = plain;
	r = channels_make(c, which, e);
	if (r == 0)
		r = service_prepare(sb, which, all, programs[which], log_fd, &s, e);
	if (r == 0 && (sb->spec->cgroup_path || sb->spec->resources.any))
		r = cgroup_follow(find_sysd(getppid()), s.pid, e);
	if (r == 0)
		r = spawn_release(&s, e);
	ret->pid = s.pid;
	ret->pidfd = s.pidfd;
	if (r == 0) {
		ret->ready = STEAL_FD(c->ready[0]);
		ret->launch = STEAL_FD(c->launch[0]);
		ret->ring = STEAL_FD(c->ring);
		ret->pass = STEAL_FD(c->pass[0]);
	}
	channels_done(c);
	close_fd(&s.sync_fd); /* one that was not released ends */
	return r;
}

const struct janitor_ops restart_ops = {.prepare = prepare, .spawn = spawn};

int service_feed(struct sandbox *sb, enum service_id id, struct err *e)
{
	int *sock = &sb->services[id].pass_fd, r = 0;

	switch (id) {
	case SERVICE_FSD:
		r = sources_send(sb, *sock, e);
		close_fd(sock); /* there are no more */
		break;
	case SERVICE_NETD:
		r = network_feed(sb, *sock, e);
		break;
	case SERVICE_SYSD:
	case SERVICE_MEMD:
	case SERVICE_COUNT:
		break;
	}
	return r;
}

static bool too_often(const struct service *s, time_t now)
{
	return s->restart_count >= RESTARTS_MAX &&
	       now - s->restarts[s->restart_count % RESTARTS_MAX] < RESTARTS_SECONDS;
}

static time_t now_seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec;
}

/* sysd's ends of the channels: the second ticket is the one after the first. */
static int tell_sysd(struct sandbox *sb, enum service_id id, const struct spawned *sp, struct err *e)
{
	static const uint32_t ids[SERVICE_COUNT] = {
		[SERVICE_MEMD] = CTL_SERVICE_MEMD, [SERVICE_FSD] = CTL_SERVICE_FSD,
		[SERVICE_NETD] = CTL_SERVICE_NETD,
	};
	struct ctl_msg m = {.type = CTL_SERVICE, .pid = ids[id]};
	uint64_t ring = sandbox_pass(sb, sp->ring), pass = ring ? sandbox_pass(sb, sp->pass) : 0;
	int r;

	if (!pass)
		return err_set(e, EIO, "passing a descriptor to sbx-sysd");
	m.value = (int64_t)ring;
	r = sandbox_post(sb, &m);
	sb->services[id].told = m.id;
	return r < 0 ? err_sys(e, -r, "telling sbx-sysd") : 0;
}

int service_restart(struct sandbox *sb, enum service_id id, struct err *e)
{
	struct service *s = &sb->services[id];
	struct spawned sp;
	time_t now = now_seconds();
	int r;

	if (too_often(s, now))
		return err_wrap(e, "sbx-%s has died %d times within %d seconds", s->name, RESTARTS_MAX + 1,
				RESTARTS_SECONDS);
	log_warn("%s; it is started again", e->text);
	close_fd(&s->pidfd);
	close_fd(&s->pass_fd);
	close_fd(&s->ready_fd);
	s->pid = -1;
	s->ready = false;
	r = janitor_spawn(&sb->janitor, id, sb->plain, s->log_fd, &sp, e);
	if (r < 0)
		return err_wrap(e, "starting sbx-%s again", s->name);
	s->pid = sp.pid;
	s->pidfd = STEAL_FD(sp.pidfd);
	s->pass_fd = STEAL_FD(sp.launch);
	s->ready_fd = STEAL_FD(sp.ready);
	s->dead = false;
	s->restarts[s->restart_count++ % RESTARTS_MAX] = now;
	r = service_feed(sb, id, e);
	/* one that died again meanwhile is found by its pidfd */
	if (r == 0 || r == -EPIPE)
		r = tell_sysd(sb, id, &sp, e);
	spawned_done(&sp);
	return r < 0 ? err_wrap(e, "starting sbx-%s again", s->name) : 0;
}

void service_check_ready(struct service *s)
{
	struct pollfd p = {.fd = s->ready_fd, .events = POLLIN};
	time_t began = s->restarts[(s->restart_count + RESTARTS_MAX - 1) % RESTARTS_MAX];
	struct err e;

	if (poll(&p, 1, 0) > 0) {
		if (service_read_ready(s, &e) < 0) {
			log_error("%s", e.text);
			close_fd(&s->ready_fd);
		}
	} else if (now_seconds() - began >= READY_SECONDS) {
		log_error("sbx-%s is not ready after %d seconds", s->name, READY_SECONDS);
		kill(s->pid, SIGKILL);
	}
}

int sandbox_check_timeout(const struct sandbox *sb)
{
	for (int i = 0; sb->up && i < SERVICE_COUNT; i++)
		if (!sb->services[i].ready)
			return READY_SECONDS * 1000;
	return -1;
}
