/* run and create: a container from a bundle. */
#include "common/base/util.h"
#include "launcher/verbs/verbs.h"

static struct {
	const char *bundle, *console_socket, *pid_file;
	unsigned preserve_fds;
	bool detach, keep, ignored;
} opt = {.bundle = "."};

#define AT(field) offsetof(__typeof__(opt), field)
static const struct opt_def opts[] = {
	{"bundle", 'b', OPT_TEXT, AT(bundle), "the bundle's folder (default: the current one)"},
	{"console-socket", 0, OPT_TEXT, AT(console_socket),
	 "UNIX socket that gets the master of the container's terminal"},
	{"pid-file", 0, OPT_TEXT, AT(pid_file), "write the process id to this file"},
	{"preserve-fds", 0, OPT_UINT, AT(preserve_fds), "pass N more descriptors, from 3 on"},
	{"no-pivot", 0, OPT_FLAG, AT(ignored), "accepted; means nothing here"},
	{"no-new-keyring", 0, OPT_FLAG, AT(ignored), "accepted; means nothing here"},
	{"no-subreaper", 0, OPT_FLAG, AT(ignored), "accepted; means nothing here"},
	/* run alone */
	{"detach", 'd', OPT_FLAG, AT(detach), "return when the container runs"},
	{"keep", 0, OPT_FLAG, AT(keep), "keep the state after the container has ended"},
};

static int launch(struct context *ctx, char **argv, bool begin, struct err *e)
{
	const struct spec_options so = {.overlay_memory = ctx->overlay_memory,
					.shared_files = ctx->shared_files};
	const struct launch_how how = {
		.console_socket = opt.console_socket, .pid_file = opt.pid_file,
		.preserve_fds = opt.preserve_fds, .detach = opt.detach || !begin,
		.keep = opt.keep || opt.detach || !begin, .begin = begin,
	};
	struct spec *spec;
	int r = state_check_id(argv[0], e);

	if (r == 0)
		r = spec_load(opt.bundle, &so, &spec, e);
	return r < 0 ? r : launch_container(ctx, spec, argv[0], &how, e);
}

static int do_run(struct context *ctx, int argc, char **argv, struct err *e)
{
	return launch(ctx, argv, true, e);
}

static int do_create(struct context *ctx, int argc, char **argv, struct err *e)
{
	return launch(ctx, argv, false, e);
}

const struct verb verb_run = {
	.name = "run", .usage = "[options] <container-id>", .help = "create and run a container",
	.opts = opts, .opt_count = ARRAY_SIZE(opts), .values = &opt, .min_args = 1, .max_args = 1,
	.run = do_run,
};
const struct verb verb_create = {
	.name = "create", .usage = "[options] <container-id>",
	.help = "create a container, without starting its process", .opts = opts,
	.opt_count = ARRAY_SIZE(opts) - 2, .values = &opt, .min_args = 1, .max_args = 1, .run = do_create,
};
