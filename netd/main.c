/* sbx-netd: the network stack's process. Its loop takes requests and kicks from sysd, frames from links, runs what is
 * due, tells what changed, and sleeps. See README.md. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "common/base/util.h"
#include "common/confine/confine.h"
#include "common/ipc/service.h"
#include "common/ipc/startup.h"
#include "common/log/log.h"
#include "netd/api/api.h"
#include "netd/core/stack.h"
#include "netd/host/host.h"
#include "netd/link/link.h"

#define FRAMES_A_ROUND 64
#define SOURCES_MAX 64

static struct api api;
static struct link_set links;

static uint64_t clock_ns(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static uint64_t env_mono_ns(void *arg)
{
	(void)arg;
	return clock_ns(CLOCK_MONOTONIC);
}

static uint64_t env_real_ns(void *arg)
{
	(void)arg;
	return clock_ns(CLOCK_REALTIME);
}

static void env_random(void *arg, void *buf, size_t size)
{
	uint8_t *p = buf;

	(void)arg;
	while (size) {
		ssize_t n = getrandom(p, size, 0);

		if (n < 0)
			continue;
		p += n;
		size -= (size_t)n;
	}
}

/* Milliseconds to the next thing that there is to do; -1: nothing. */
static int64_t next_due(void)
{
	struct api_space *sp;
	int64_t due = api_tidy(&api);

	LIST_FOR_EACH(sp, &api.spaces, node) {
		int64_t d = netstack_next_due(sp->st);

		if (d >= 0 && (due < 0 || d < due))
			due = d;
	}
	return due;
}

/* Sleeps until sysd, a link or a timer wants something; says which links have frames. */
static void wait_for_work(struct pollfd fds[], struct link_source *of[], unsigned *ret_count)
{
	struct link_source *l;
	struct timespec ts, *tsp = NULL;
	unsigned count = 1;
	int64_t due;

	fds[0] = (struct pollfd){.fd = api.wake_fd, .events = POLLIN};
	LIST_FOR_EACH(l, &links.sources, node)
		if (l->fd >= 0 && count < SOURCES_MAX) {
			of[count] = l;
			fds[count++] = (struct pollfd){.fd = l->fd, .events = POLLIN};
		}
	due = next_due();
	if (!due || !api_before_sleep(&api)) {
		ts = (struct timespec){0, 0};
		tsp = &ts;
	} else if (due > 0) {
		ts = (struct timespec){due / 1000, due % 1000 * 1000000};
		tsp = &ts;
	}
	if (ppoll(fds, count, tsp, NULL) < 0)
		for (unsigned i = 0; i < count; i++)
			fds[i].revents = 0;
	api_after_sleep(&api);
	/* One at a time: sysd sends one for each sleep, as a rule; if there are more, the next sleep is short. */
	if (fds[0].revents) {
		char byte;

		(void)!read(api.wake_fd, &byte, 1);
	}
	*ret_count = count;
}

static void serve(void)
{
	struct pollfd fds[SOURCES_MAX];
	struct link_source *of[SOURCES_MAX];
	struct api_space *sp;
	unsigned count = 0;

	while (!api.broken) {
		LIST_FOR_EACH(sp, &api.spaces, node)
			netstack_tick(sp->st);
		api_receive(&api);
		for (unsigned i = 1; i < count; i++)
			if (fds[i].revents && of[i]->fd >= 0)
				of[i]->rx(of[i], FRAMES_A_ROUND);
		LIST_FOR_EACH(sp, &api.spaces, node)
			netstack_run(sp->st);
		api_publish(&api);
		link_set_flush(&links);
		/* Also when there was work: that costs no more than asking a link for a frame that is not there, and less
		 * than asking and sleeping then. */
		wait_for_work(fds, of, &count);
	}
}

int main(int argc, char **argv)
{
	static const struct netstack_env env = {env_mono_ns, env_real_ns, env_random, NULL};
	struct service_options opt;
	struct host_net *host = NULL;
	struct netstack *st;
	int ret;

	if (service_start(argc, argv, "netd", &opt) < 0)
		return 1;
	ret = confine_enter(&confine_netd, &opt.confine);
	if (ret < 0)
		return service_fail("cannot enter the sandbox: %s", strerror(-ret));
	st = netstack_new(&env);
	if (!st)
		return service_fail("no memory for the stack");
	ret = link_set_open(&links, st, NETD_FD_LAUNCH_PASS);
	if (ret < 0)
		return service_fail("no links from the launcher: %s", strerror(-ret));
	if (opt.confine.host_network && (ret = host_net_new(&links, &host)) < 0)
		return service_fail("the host's sockets cannot be watched: %s", strerror(-ret));
	ret = api_init(&api, NETD_FD_SYSD_RING, NETD_FD_SYSD_PASS, &env, st);
	if (ret < 0)
		return service_fail("no channel to sysd: %s", strerror(-ret));
	api.host = host;
	ret = confine_apply(&confine_netd, &opt.confine);
	if (ret < 0)
		return service_fail("cannot install the system call filter: %s", strerror(-ret));
	service_ready();
	serve();
	log_error("the channel to sysd is broken");
	return 1;
}
