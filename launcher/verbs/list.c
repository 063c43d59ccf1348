#include <dirent.h>
#include <stdio.h>
#include "common/base/util.h"
#include "launcher/cli/clean.h"
#include "launcher/verbs/verbs.h"

static struct {
	const char *format;
	bool quiet;
} opt = {.format = "table"};

#define AT(field) offsetof(__typeof__(opt), field)
static const struct opt_def opts[] = {
	{"format", 'f', OPT_TEXT, AT(format), "table or json (default: table)"},
	{"quiet", 'q', OPT_FLAG, AT(quiet), "ids only"},
};

/* The bundle's path may be a user's choice. */
static void print_columns(const struct state *st, bool stopped)
{
	const char *bundle = st->bundle ? st->bundle : "-";

	printf("%-20s %-8d %-9s ", st->id, stopped ? 0 : (int)st->pid, st->status);
	clean_print(stdout, bundle, false);
	printf("%*s %s\n", (int)(30 - MIN(strlen(bundle), (size_t)30)), "", st->created ? st->created : "-");
}

static void print_row(const struct state *st)
{
	bool stopped = !strcmp(st->status, "stopped");

	if (opt.quiet)
		printf("%s\n", st->id);
	else
		print_columns(st, stopped);
}

static int do_list(struct context *ctx, int argc, char **argv, struct err *e)
{
	bool json = !strcmp(opt.format, "json");
	json_t *all = json_array();
	struct dirent **names = NULL;
	int n;

	if (!json && strcmp(opt.format, "table") != 0) {
		json_decref(all);
		return err_set(e, EINVAL, "--format: table or json, not \"%s\"", opt.format);
	}
	n = scandir(ctx->launch.root, &names, NULL, alphasort);
	if (!json && !opt.quiet)
		printf("%-20s %-8s %-9s %-30s %s\n", "ID", "PID", "STATUS", "BUNDLE", "CREATED");
	for (int i = 0; i < n; i++) {
		struct state *st;
		struct err ignored;

		if (names[i]->d_name[0] != '.' &&
		    state_load(ctx->launch.root, names[i]->d_name, &st, &ignored) == 0) {
			if (json && !opt.quiet)
				json_array_append_new(all, state_json(st));
			else
				print_row(st);
			state_free(st);
		}
		free(names[i]);
	}
	free(names);
	if (json && !opt.quiet) {
		json_dumpf(all, stdout, JSON_COMPACT);
		putchar('\n');
	}
	json_decref(all);
	return 0;
}

const struct verb verb_list = {
	.name = "list", .usage = "[options]", .help = "list the containers of the root", .opts = opts,
	.opt_count = ARRAY_SIZE(opts), .values = &opt, .run = do_list,
};
