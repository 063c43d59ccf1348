#include <limits.h>
#include <stdio.h>
#include "common/base/util.h"
#include "launcher/verbs/verbs.h"

static struct {
	const char *bundle;
} opt = {.bundle = "."};

static const struct opt_def opts[] = {
	{"bundle", 'b', OPT_TEXT, offsetof(__typeof__(opt), bundle), "the bundle's folder"},
};

static int do_spec(struct context *ctx, int argc, char **argv, struct err *e)
{
	char path[PATH_MAX];
	json_t *json;
	int r = 0;

	snprintf(path, sizeof(path), "%s/config.json", opt.bundle);
	if (access(path, F_OK) == 0)
		return err_set(e, EEXIST, "%s exists; remove it first", path);
	json = spec_default();
	/* arguments after the options become the command */
	if (json && argc > 0) {
		json_t *args = json_array();

		for (int i = 0; i < argc; i++)
			json_array_append_new(args, json_string(argv[i]));
		json_object_set_new(json_object_get(json, "process"), "args", args);
	}
	if (!json || json_dump_file(json, path, JSON_INDENT(2)) < 0)
		r = err_sys(e, errno ? errno : EIO, "%s", path);
	json_decref(json);
	return r;
}

const struct verb verb_spec = {
	.name = "spec", .usage = "[options] [args...]", .help = "write a config.json to start from",
	.opts = opts, .opt_count = ARRAY_SIZE(opts), .values = &opt, .max_args = -1, .run = do_spec,
};
