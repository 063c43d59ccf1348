/* pause and resume: the host's freezer stops the services and all processes of a container where they are. */
#include "common/base/util.h"
#include "launcher/sandbox/cgroup.h"
#include "launcher/verbs/verbs.h"

static int freeze(struct context *ctx, const char *id, bool frozen, struct err *e)
{
	struct state *st;
	int r = state_load(ctx->launch.root, id, &st, e);

	if (r < 0)
		return r;
	if (frozen && strcmp(st->status, "running") != 0 && strcmp(st->status, "created") != 0)
		r = err_set(e, EINVAL, "cannot pause a container in the %s state", st->status);
	else if (!frozen && strcmp(st->status, "paused") != 0)
		r = err_set(e, EINVAL, "cannot resume a container that is not paused: it is %s", st->status);
	else if (!st->cgroup)
		r = err_set(e, ENOTSUP, "a container without a control group (linux.cgroupsPath) cannot be paused");
	else
		r = cgroup_freeze(st->cgroup, frozen, e);
	state_free(st);
	return r;
}

static int do_pause(struct context *ctx, int argc, char **argv, struct err *e)
{
	return freeze(ctx, argv[0], true, e);
}

static int do_resume(struct context *ctx, int argc, char **argv, struct err *e)
{
	return freeze(ctx, argv[0], false, e);
}

const struct verb verb_pause = {
	.name = "pause", .usage = "<container-id>", .help = "stop all processes of a container for a while",
	.min_args = 1, .max_args = 1, .run = do_pause,
};
const struct verb verb_resume = {
	.name = "resume", .usage = "<container-id>", .help = "let a paused container go on",
	.min_args = 1, .max_args = 1, .run = do_resume,
};
