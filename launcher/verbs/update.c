/* update: other limits for a running container. */
#include <stdio.h>
#include <strings.h>
#include "common/base/util.h"
#include "launcher/sandbox/cgroup.h"
#include "launcher/sandbox/stream.h"
#include "launcher/verbs/verbs.h"

static struct {
	const char *resources, *memory, *memory_swap, *memory_reservation, *kernel_memory, *kernel_memory_tcp;
	const char *cpu_period, *cpu_quota, *cpu_share, *cpu_burst, *cpu_idle, *rt_period, *rt_runtime;
	const char *cpus, *mems, *pids, *blkio;
} opt;

#define AT(field) offsetof(__typeof__(opt), field)
static const struct opt_def opts[] = {
	{"resources", 'r', OPT_TEXT, AT(resources), "file with a linux.resources object, - for stdin; others are ignored"},
	{"memory", 0, OPT_TEXT, AT(memory), "bytes, with a suffix k, m, g; -1: no limit"},
	{"memory-swap", 0, OPT_TEXT, AT(memory_swap), "bytes of memory and swap together; -1: no limit"},
	{"memory-reservation", 0, OPT_TEXT, AT(memory_reservation), "bytes that are protected"},
	{"kernel-memory", 0, OPT_TEXT, AT(kernel_memory), "accepted; part of the limit of memory"},
	{"kernel-memory-tcp", 0, OPT_TEXT, AT(kernel_memory_tcp), "bytes"},
	{"cpu-period", 0, OPT_TEXT, AT(cpu_period), "microseconds"},
	{"cpu-quota", 0, OPT_TEXT, AT(cpu_quota), "microseconds in a period; -1: no limit"},
	{"cpu-share", 0, OPT_TEXT, AT(cpu_share), "weight, 2 to 262144"},
	{"cpu-burst", 0, OPT_TEXT, AT(cpu_burst), "microseconds"},
	{"cpu-idle", 0, OPT_TEXT, AT(cpu_idle), "1: only when nobody else runs"},
	{"cpu-rt-period", 0, OPT_TEXT, AT(rt_period), "microseconds"},
	{"cpu-rt-runtime", 0, OPT_TEXT, AT(rt_runtime), "microseconds"},
	{"cpuset-cpus", 0, OPT_TEXT, AT(cpus), "CPUs that may be used, as 0-2,4"},
	{"cpuset-mems", 0, OPT_TEXT, AT(mems), "nodes of memory"},
	{"pids-limit", 0, OPT_TEXT, AT(pids), "tasks; -1: no limit"},
	{"blkio-weight", 0, OPT_TEXT, AT(blkio), "weight, 10 to 1000"},
};

static int read_number(const char *name, const char *text, int64_t *ret, struct err *e)
{
	static const char suffixes[] = "bkmgtp";
	char *end;
	long long v;
	const char *s;

	if (!text)
		return 0;
	errno = 0;
	v = strtoll(text, &end, 10);
	if (end != text && *end && (s = strchr(suffixes, *end | 0x20)) && (!end[1] || !strcasecmp(end + 1, "b") ||
								       !strcasecmp(end + 1, "ib"))) {
		int shift = (int)(s - suffixes) * 10;

		if (v > INT64_MAX >> shift)
			errno = ERANGE;
		v <<= shift;
		end += strlen(end);
	}
	if (errno || end == text || *end || v < -1)
		return err_set(e, EINVAL, "--%s: not a number: \"%s\"", name, text);
	*ret = v;
	return 0;
}

static int read_options(struct spec_resources *res, struct err *e)
{
	int64_t share = 0, period = 0, burst = 0, rt_period = 0, weight = 0;
	int r;

	res->swappiness = -1;
	if ((r = read_number("memory", opt.memory, &res->memory_limit, e)) ||
	    (r = read_number("memory-swap", opt.memory_swap, &res->memory_swap, e)) ||
	    (r = read_number("memory-reservation", opt.memory_reservation, &res->memory_reservation, e)) ||
	    (r = read_number("kernel-memory", opt.kernel_memory, &res->memory_kernel, e)) ||
	    (r = read_number("kernel-memory-tcp", opt.kernel_memory_tcp, &res->memory_kernel_tcp, e)) ||
	    (r = read_number("cpu-period", opt.cpu_period, &period, e)) ||
	    (r = read_number("cpu-quota", opt.cpu_quota, &res->cpu_quota, e)) ||
	    (r = read_number("cpu-share", opt.cpu_share, &share, e)) ||
	    (r = read_number("cpu-burst", opt.cpu_burst, &burst, e)) ||
	    (r = read_number("cpu-idle", opt.cpu_idle, &res->cpu_idle, e)) ||
	    (r = read_number("cpu-rt-period", opt.rt_period, &rt_period, e)) ||
	    (r = read_number("cpu-rt-runtime", opt.rt_runtime, &res->cpu_rt_runtime, e)) ||
	    (r = read_number("pids-limit", opt.pids, &res->pids_limit, e)) ||
	    (r = read_number("blkio-weight", opt.blkio, &weight, e)))
		return r;
	if (share < 0 || period < 0 || burst < 0 || rt_period < 0 || weight < 0 || weight > 1000)
		return err_set(e, EINVAL, "update: a negative number where there can be none");
	res->cpu_shares = (uint64_t)share;
	res->cpu_period = (uint64_t)period;
	res->cpu_burst = (uint64_t)burst;
	res->cpu_rt_period = (uint64_t)rt_period;
	res->io_weight = (uint64_t)weight;
	res->cpus = opt.cpus && opt.cpus[0] ? strdup(opt.cpus) : NULL;
	res->mems = opt.mems && opt.mems[0] ? strdup(opt.mems) : NULL;
	return 0;
}

static int read_file(struct spec_resources *res, struct err *e)
{
	bool from_stdin = !strcmp(opt.resources, "-");
	json_error_t je;
	json_t *json = from_stdin ? json_loadf(stdin, JSON_REJECT_DUPLICATES, &je)
				  : json_load_file(opt.resources, JSON_REJECT_DUPLICATES, &je);
	struct node n = node_root(json);
	int r;

	if (!json)
		return err_set(e, EINVAL, "%s: line %d: %s", opt.resources, je.line, je.text);
	r = spec_read_resources(&n, res, e);
	json_decref(json);
	return r < 0 ? err_wrap(e, "%s", opt.resources) : 0;
}

/* For the supervisor 0 is what stays as it is, and CTL_LIMIT_NONE no limit. */
static uint64_t changed(int64_t v)
{
	return v < 0 ? CTL_LIMIT_NONE : (uint64_t)v;
}

static int tell(const struct state *st, const struct spec_resources *res, struct err *e)
{
	struct ctl_limits l = {
		.memory = changed(res->memory_limit), .swap = changed(res->memory_swap), .pids = changed(res->pids_limit),
		.cpu_quota = changed(res->cpu_quota), .cpu_period = res->cpu_period, .cpu_shares = res->cpu_shares,
	};
	const struct ctl_msg m = {.type = CTL_UPDATE, .limits = &l};
	CLEANUP_CLOSE int sock = client_connect(st, e);
	int64_t r = sock < 0 ? sock : 0;

	if (r == 0 && !strcmp(st->status, "paused"))
		return stream_send(sock, &m, NULL, 0);
	return r < 0 ? (int)r : (int)client_call(sock, &m, NULL, 0, NULL, e);
}

static int do_update(struct context *ctx, int argc, char **argv, struct err *e)
{
	struct spec_resources res = {0};
	struct state *st;
	int r = state_load(ctx->launch.root, argv[0], &st, e);

	if (r < 0)
		return r;
	if (!strcmp(st->status, "stopped") || !strcmp(st->status, "creating"))
		r = err_set(e, EINVAL, "container not running: it is %s", st->status);
	if (r == 0)
		r = opt.resources ? read_file(&res, e) : read_options(&res, e);
	if (r == 0 && !st->cgroup)
		r = err_set(e, ENOTSUP, "a container without a control group (linux.cgroupsPath) has no limits to change");
	if (r == 0)
		r = cgroup_apply(st->cgroup, &res, e);
	if (r == 0)
		r = tell(st, &res, e);
	spec_resources_done(&res);
	state_free(st);
	return r;
}

const struct verb verb_update = {
	.name = "update", .usage = "[options] <container-id>", .help = "change the limits of a container", .opts = opts,
	.opt_count = ARRAY_SIZE(opts), .values = &opt, .min_args = 1, .max_args = 1, .run = do_update,
};
