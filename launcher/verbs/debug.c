#include <stdio.h>
#include "common/base/util.h"
#include "launcher/cli/clean.h"
#include "launcher/verbs/verbs.h"

static const struct {
	enum ctl_type type;
	const char *title;
} parts[] = {
	{CTL_SERVICES, "services"},
	{CTL_DEBUG, "tasks"},
	{CTL_STATS, "figures"},
};

static int do_debug(struct context *ctx, int argc, char **argv, struct err *e)
{
	struct state *st;
	int r = state_load(ctx->launch.root, argv[0], &st, e);

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(parts); i++) {
		const struct ctl_msg m = {.type = parts[i].type};
		CLEANUP_FREE char *text = NULL;
		CLEANUP_CLOSE int sock = client_connect(st, e);

		r = sock < 0 ? sock : (int)client_call(sock, &m, NULL, 0, &text, e);
		if (r < 0)
			break;
		printf("%s== %s\n", i ? "\n" : "", parts[i].title);
		clean_print(stdout, text ? text : "", true);
		r = 0;
	}
	state_free(st);
	return r;
}

const struct verb verb_debug = {
	.name = "debug", .usage = "<container-id>",
	.help = "print what each task and each service of a container is doing",
	.min_args = 1, .max_args = 1, .run = do_debug,
};
