/* net: the sockets of a container, as ss(8) lists them. */
#include <stdio.h>
#include "common/base/util.h"
#include "launcher/cli/clean.h"
#include "launcher/verbs/verbs.h"

static int do_net(struct context *ctx, int argc, char **argv, struct err *e)
{
	const struct ctl_msg m = {.type = CTL_NET};
	CLEANUP_FREE char *text = NULL;
	CLEANUP_CLOSE int sock = -1;
	struct state *st;
	int r = state_load(ctx->launch.root, argv[0], &st, e);

	if (r < 0)
		return r;
	sock = client_connect(st, e);
	r = sock < 0 ? sock : (int)client_call(sock, &m, NULL, 0, &text, e);
	state_free(st);
	if (r < 0)
		return r;
	clean_print(stdout, text ? text : "", true);
	return 0;
}

const struct verb verb_net = {
	.name = "net", .usage = "<container-id>", .help = "list the sockets of a container",
	.min_args = 1, .max_args = 1, .run = do_net,
};
