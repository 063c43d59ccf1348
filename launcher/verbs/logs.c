#include <stdio.h>
#include "common/base/util.h"
#include "launcher/sandbox/logfile.h"
#include "launcher/verbs/verbs.h"

/* Where the container writes them: what the command line says, or what its state remembers. */
static int do_logs(struct context *ctx, int argc, char **argv, struct err *e)
{
	const char *dir = ctx->launch.debug_log;
	struct state *st = NULL;
	int r;

	if (!dir) {
		r = state_load(ctx->launch.root, argv[0], &st, e);
		if (r < 0)
			return err_wrap(e, "say where the logs are with --debug-log");
		dir = st->debug_log;
	}
	r = dir ? logfile_merge(dir, argv[0], ctx->launch.log_json, stdout, e)
		: err_set(e, ENOENT, "container %s was started without --debug-log", argv[0]);
	state_free(st);
	return r < 0 ? r : 0;
}

const struct verb verb_logs = {
	.name = "logs", .usage = "<container-id>",
	.help = "print what all processes of a container logged, by time",
	.min_args = 1, .max_args = 1, .run = do_logs, .quiet = true,
};
