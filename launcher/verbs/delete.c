#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include "common/base/util.h"
#include "common/log/log.h"
#include "launcher/sandbox/cgroup.h"
#include "launcher/sandbox/hooks.h"
#include "launcher/verbs/verbs.h"

static struct {
	bool force;
} opt;

static const struct opt_def opts[] = {
	{"force", 'f', OPT_FLAG, offsetof(__typeof__(opt), force), "end it first when it still runs"},
};

/* Waits for the supervisor's end; when it does not come by itself, it is made to. */
static void end_supervisor(const struct state *st, bool ask)
{
	const struct ctl_msg m = {.type = CTL_DELETE};
	CLEANUP_CLOSE int pidfd = st->pid > 0 ? (int)syscall(SYS_pidfd_open, st->pid, 0) : -1;
	struct pollfd p = {.fd = pidfd, .events = POLLIN};
	struct err e;

	if (pidfd < 0 || state_start_time(st->pid) != st->start_time)
		return;
	if (ask) {
		int sock = client_connect(st, &e);

		if (sock >= 0)
			client_call(sock, &m, NULL, 0, NULL, &e);
		close_fd(&sock);
		/* what is frozen does not die */
		if (!strcmp(st->status, "paused") && cgroup_freeze(st->cgroup, false, &e) < 0)
			log_warn("%s", e.text);
	}
	if (poll(&p, 1, 10000) <= 0) {
		syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
		poll(&p, 1, 5000);
	}
}

static int do_delete(struct context *ctx, int argc, char **argv, struct err *e)
{
	struct state *st;
	int r = state_load(ctx->launch.root, argv[0], &st, e);
	bool stopped;

	if (r == -ENOENT && opt.force)
		return 0;
	if (r < 0)
		return r;
	stopped = !strcmp(st->status, "stopped");
	if (!stopped && strcmp(st->status, "created") != 0 && !opt.force) {
		r = err_set(e, EBUSY, "cannot delete container %s that is not stopped: %s", st->id, st->status);
	} else {
		end_supervisor(st, !stopped);
		state_remove(st);
		if (stopped) /* else its janitor has run them */
			hooks_run_saved(st, HOOK_POSTSTOP, "stopped", true, e);
	}
	state_free(st);
	return r;
}

const struct verb verb_delete = {
	.name = "delete", .usage = "[options] <container-id>",
	.help = "delete what is left of a container", .opts = opts, .opt_count = ARRAY_SIZE(opts),
	.values = &opt, .min_args = 1, .max_args = 1, .run = do_delete,
};
