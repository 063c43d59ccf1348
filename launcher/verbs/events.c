/* events: what a container uses, and when it runs out of memory; a line of JSON each. */
#include <stdio.h>
#include "common/base/util.h"
#include "launcher/sandbox/cgroup.h"
#include "launcher/verbs/verbs.h"

static struct {
	const char *interval;
	bool stats;
} opt = {.interval = "5s"};

#define AT(field) offsetof(__typeof__(opt), field)
static const struct opt_def opts[] = {
	{"interval", 0, OPT_TEXT, AT(interval), "time between two lines of figures, as 500ms or 5s (default: 5s)"},
	{"stats", 0, OPT_FLAG, AT(stats), "print the figures once and return"},
};

#define OOM_LOOK_MS 500

static int read_interval(const char *text, unsigned *ret_ms, struct err *e)
{
	char *end;
	double v = strtod(text, &end);

	if (!strcmp(end, "ms"))
		v /= 1000;
	else if (!strcmp(end, "m"))
		v *= 60;
	else if (strcmp(end, "s") != 0)
		end = NULL;
	if (!end || !(v >= 0.001) || v > 86400)
		return err_set(e, EINVAL, "--interval: a time as 500ms or 5s, not \"%s\"", text);
	*ret_ms = (unsigned)(v * 1000);
	return 0;
}

/* No limit is the largest number of 64 bits to those who read this; the library's integers have a sign. */
static void print_line(const char *text)
{
	static const char none[] = "\"limit\":-1", largest[] = "\"limit\":18446744073709551615";
	const char *at;

	for (; (at = strstr(text, none)); text = at + strlen(none)) {
		fwrite(text, 1, (size_t)(at - text), stdout);
		fputs(largest, stdout);
	}
	puts(text);
}

static void print_event(const char *type, const char *id, json_t *data)
{
	json_t *line = json_pack("{s:s, s:s, s:o?}", "type", type, "id", id, "data", data);
	char *text = line ? json_dumps(line, JSON_COMPACT) : NULL;

	if (text)
		print_line(text);
	fflush(stdout);
	free(text);
	json_decref(line);
}

static bool ended(const struct context *ctx, const char *id)
{
	struct state *st;
	struct err e;
	bool yes = state_load(ctx->launch.root, id, &st, &e) < 0;

	if (yes)
		return true;
	yes = !strcmp(st->status, "stopped");
	state_free(st);
	return yes;
}

static void watch(const struct context *ctx, const struct state *st, unsigned interval_ms)
{
	long long kills = cgroup_oom_kills(st->cgroup);
	unsigned waited = interval_ms;

	while (!ended(ctx, st->id)) {
		unsigned step = MIN(interval_ms, (unsigned)OOM_LOOK_MS);
		long long now = cgroup_oom_kills(st->cgroup);

		if (now > kills)
			print_event("oom", st->id, NULL);
		kills = now;
		if (waited >= interval_ms) {
			print_event("stats", st->id, cgroup_stats(st->cgroup));
			waited = 0;
		}
		if (ferror(stdout))
			return;
		usleep(step * 1000);
		waited += step;
	}
}

static int do_events(struct context *ctx, int argc, char **argv, struct err *e)
{
	unsigned interval_ms = 0;
	struct state *st;
	int r = read_interval(opt.interval, &interval_ms, e);

	if (r == 0)
		r = state_load(ctx->launch.root, argv[0], &st, e);
	if (r < 0)
		return r;
	if (!strcmp(st->status, "stopped"))
		r = err_set(e, ESRCH, "container with id %s is not running", st->id);
	else if (!st->cgroup)
		r = err_set(e, ENOTSUP, "a container without a control group (linux.cgroupsPath) has no figures");
	else if (opt.stats)
		print_event("stats", st->id, cgroup_stats(st->cgroup));
	else
		watch(ctx, st, interval_ms);
	state_free(st);
	return r;
}

const struct verb verb_events = {
	.name = "events", .usage = "[options] <container-id>",
	.help = "print what a container uses, and when it is out of memory", .opts = opts,
	.opt_count = ARRAY_SIZE(opts), .values = &opt, .min_args = 1, .max_args = 1, .run = do_events,
};
