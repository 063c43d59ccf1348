#include <sys/wait.h>
#include "common/base/util.h"
#include "common/log/log.h"
#include "launcher/sandbox/cgroup.h"
#include "launcher/sandbox/hooks.h"
#include "launcher/verbs/verbs.h"

#define NEW_MS 1000

static struct {
	bool force;
} opt;

static const struct opt_def opts[] = {
	{"force", 'f', OPT_FLAG, offsetof(__typeof__(opt), force), "end it first when it still runs"},
};

/* Waits for the supervisor's end; when it does not come by itself, it is made to. One that does not listen yet is in the middle
 * of a create that nobody waits for any more. */
static void end_supervisor(const struct state *st, bool ask)
{
	const struct ctl_msg m = {.type = CTL_DELETE};
	struct err e;

	if (ask) {
		int sock = client_connect(st, &e);

		ask = sock >= 0;
		if (ask)
			client_call(sock, &m, NULL, 0, NULL, &e);
		close_fd(&sock);
		/* what is frozen does not die */
		if (!strcmp(st->status, "paused") && cgroup_freeze(st->cgroup, false, &e) < 0)
			log_warn("%s", e.text);
	}
	state_wait_end(st->pid, st->start_time, ask ? STATE_END_MS : 0, true);
}

static void remove_all(struct state *st)
{
	bool stopped = !strcmp(st->status, "stopped");
	struct err e;

	end_supervisor(st, !stopped);
	/* it may be at work, and what it knows is in the folder that is removed then */
	state_wait_end(st->janitor, st->janitor_start, STATE_JANITOR_MS, true);
	state_read_cgroups(st); /* there may be more by now */
	state_remove(st);
	if (stopped) /* else its janitor has run them */
		hooks_run_saved(st, HOOK_POSTSTOP, "stopped", true, &e);
}

/* An engine asks once. So a process of its own does the work, to its end when this one is killed; and when that one is, it is
 * done here. */
static void remove_for_sure(struct state *st)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		setsid();
		remove_all(st);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		remove_all(st);
}

/* A folder in which nothing is written yet was made this moment, or its maker has been killed. */
static int load(const char *root, const char *id, struct state **ret, struct err *e)
{
	struct state *st = NULL;
	int r;

	for (int ms = 0;; ms += 10) {
		r = state_load(root, id, &st, e);
		if (r < 0 || st->pid > 0 || ms >= NEW_MS)
			break;
		state_free(st);
		usleep(10000);
	}
	if (r == 0)
		*ret = st;
	return r;
}

static int do_delete(struct context *ctx, int argc, char **argv, struct err *e)
{
	struct state *st = NULL;
	int r = load(ctx->launch.root, argv[0], &st, e);

	if (r == -ENOENT && opt.force)
		return 0;
	if (r < 0)
		return r;
	if (strcmp(st->status, "stopped") != 0 && strcmp(st->status, "created") != 0 && !opt.force)
		r = err_set(e, EBUSY, "cannot delete container %s that is not stopped: %s", st->id, st->status);
	else
		remove_for_sure(st);
	state_free(st);
	return r;
}

const struct verb verb_delete = {
	.name = "delete", .usage = "[options] <container-id>",
	.help = "delete what is left of a container", .opts = opts, .opt_count = ARRAY_SIZE(opts),
	.values = &opt, .min_args = 1, .max_args = 1, .run = do_delete,
};
