#include <stdio.h>
#include "common/base/util.h"
#include "launcher/verbs/verbs.h"

static int do_state(struct context *ctx, int argc, char **argv, struct err *e)
{
	struct state *st;
	json_t *json;
	int r = state_load(ctx->launch.root, argv[0], &st, e);

	if (r < 0)
		return r;
	json = state_json(st);
	if (!json || json_dumpf(json, stdout, JSON_INDENT(2)) < 0)
		r = err_sys(e, ENOMEM, "state");
	putchar('\n');
	json_decref(json);
	state_free(st);
	return r;
}

const struct verb verb_state = {
	.name = "state", .usage = "<container-id>", .help = "print the state of a container as JSON",
	.min_args = 1, .max_args = 1, .run = do_state,
};
