#include "common/base/util.h"
#include "launcher/sandbox/hooks.h"
#include "launcher/verbs/verbs.h"

#define NOTICE_MS 50

/* A start that fails ends the container, and an engine removes what has ended: only then we say that it failed, and leave
 * the one that reaps the supervisor a moment to know it. Else the removal is refused, and not tried again. */
static void wait_end(const struct state *st)
{
	state_wait_end(st->pid, st->start_time, STATE_END_MS, false);
	usleep(NOTICE_MS * 1000);
}

static int do_start(struct context *ctx, int argc, char **argv, struct err *e)
{
	const struct ctl_msg m = {.type = CTL_BEGIN};
	struct state *st;
	int r = state_load(ctx->launch.root, argv[0], &st, e), sock;

	if (r < 0)
		return r;
	if (strcmp(st->status, "created") != 0)
		r = err_set(e, EINVAL, "cannot start a container in the %s state", st->status);
	if (r == 0) {
		sock = client_connect(st, e);
		r = sock < 0 ? sock : (int)client_call(sock, &m, NULL, 0, NULL, e);
		close_fd(&sock);
		if (r < 0) {
			if (r != -EBUSY) /* it runs already */
				wait_end(st);
			err_wrap(e, "unable to start container process");
		} else {
			r = hooks_run_saved(st, HOOK_POSTSTART, "running", true, e);
		}
	}
	state_free(st);
	return r < 0 ? r : 0;
}

const struct verb verb_start = {
	.name = "start", .usage = "<container-id>", .help = "start the process of a created container",
	.min_args = 1, .max_args = 1, .run = do_start,
};
