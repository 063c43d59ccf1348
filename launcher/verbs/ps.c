#include <stdio.h>
#include "common/base/util.h"
#include "launcher/verbs/verbs.h"

static struct {
	const char *format;
} opt = {.format = "table"};

static const struct opt_def opts[] = {
	{"format", 'f', OPT_TEXT, offsetof(__typeof__(opt), format), "table or json (default: table)"},
};

/* A guest chose these names: nothing in them may steer the terminal. */
static void print_clean(const char *s)
{
	for (; *s; s++)
		putchar((unsigned char)*s < 0x20 || *s == 0x7f ? '?' : *s);
	putchar('\n');
}

static int print_table(const char *text, struct err *e)
{
	json_t *list = json_loads(text, 0, NULL), *p;
	size_t i;

	if (!json_is_array(list)) {
		json_decref(list);
		return err_set(e, EPROTO, "sbx-sysd's list of processes is malformed");
	}
	printf("%-8s %8s %8s %-2s %s\n", "UID", "PID", "PPID", "S", "CMD");
	json_array_foreach (list, i, p) {
		const char *state = json_string_value(json_object_get(p, "state")),
			   *cmd = json_string_value(json_object_get(p, "cmd"));

		printf("%-8lld %8lld %8lld %-2.1s ", json_integer_value(json_object_get(p, "uid")),
		       json_integer_value(json_object_get(p, "pid")),
		       json_integer_value(json_object_get(p, "ppid")), state ? state : "?");
		print_clean(cmd ? cmd : "");
	}
	json_decref(list);
	return 0;
}

static int do_ps(struct context *ctx, int argc, char **argv, struct err *e)
{
	const struct ctl_msg m = {.type = CTL_PS};
	CLEANUP_FREE char *text = NULL;
	struct state *st;
	int sock, r = state_load(ctx->launch.root, argv[0], &st, e);
	bool json = !strcmp(opt.format, "json");

	if (r < 0)
		return r;
	if (!json && strcmp(opt.format, "table") != 0)
		r = err_set(e, EINVAL, "--format: table or json, not \"%s\"", opt.format);
	if (r == 0) {
		sock = client_connect(st, e);
		r = sock < 0 ? sock : (int)client_call(sock, &m, NULL, 0, &text, e);
		close_fd(&sock);
	}
	state_free(st);
	if (r < 0)
		return r;
	if (!text)
		return err_set(e, EPROTO, "sbx-sysd sent no list");
	if (json)
		return puts(text) < 0 ? err_sys(e, errno, "stdout") : 0;
	return print_table(text, e);
}

const struct verb verb_ps = {
	.name = "ps", .usage = "[options] <container-id>", .help = "list the processes in a container",
	.opts = opts, .opt_count = ARRAY_SIZE(opts), .values = &opt, .min_args = 1, .max_args = -1,
	.run = do_ps,
};
