/* do: one command on the host's own root, which it cannot change. */
#include <stdio.h>
#include "common/base/util.h"
#include "launcher/verbs/verbs.h"

static struct {
	const char *cwd;
	struct ctl_strv env;
	bool tty;
} opt;

#define AT(field) offsetof(__typeof__(opt), field)
static const struct opt_def opts[] = {
	{"cwd", 0, OPT_TEXT, AT(cwd), "working directory (default: the current one)"},
	{"env", 'e', OPT_LIST, AT(env), "set an environment variable, NAME=value"},
	{"tty", 't', OPT_FLAG, AT(tty), "give it a terminal of its own"},
};

static int do_do(struct context *ctx, int argc, char **argv, struct err *e)
{
	const struct launch_how how = {.begin = true};
	struct spec *spec;
	char id[32];
	int r;

	snprintf(id, sizeof(id), "do-%d", getpid());
	r = spec_for_host(argv, opt.cwd, &spec, e);
	if (r < 0)
		return r;
	spec->process->terminal = opt.tty;
	for (size_t i = 0; i < opt.env.count; i++) {
		if (ctl_strv_add(&spec->process->env, opt.env.v[i]) < 0) {
			spec_free(spec);
			return err_sys(e, ENOMEM, "--env");
		}
	}
	ctl_strv_done(&opt.env);
	return launch_container(ctx, spec, id, &how, e);
}

const struct verb verb_do = {
	.name = "do", .usage = "[options] <command> [args...]",
	.help = "run a command on the host's root, read-only beneath a memory overlay", .opts = opts,
	.opt_count = ARRAY_SIZE(opts), .values = &opt, .min_args = 1, .max_args = -1, .run = do_do,
};
