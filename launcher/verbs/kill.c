#include <ctype.h>
#include <signal.h>
#include "common/base/util.h"
#include "launcher/sandbox/cgroup.h"
#include "launcher/sandbox/stream.h"
#include "launcher/verbs/verbs.h"

static struct {
	bool all;
} opt;

static const struct opt_def opts[] = {
	{"all", 'a', OPT_FLAG, offsetof(__typeof__(opt), all), "to all processes of the container"},
};

static int signal_number(const char *name)
{
	char *end;
	long n = strtol(name, &end, 10);

	if (isdigit((unsigned char)name[0]) && !*end)
		return n >= 0 && n < 65 ? (int)n : -1;
	if (!strncasecmp(name, "SIG", 3))
		name += 3;
	for (int sig = 1; sig < 32; sig++)
		if (sigabbrev_np(sig) && !strcasecmp(name, sigabbrev_np(sig)))
			return sig;
	if (!strncasecmp(name, "RTMIN+", 6))
		return 34 + atoi(name + 6) < 65 ? 34 + atoi(name + 6) : -1;
	return -1;
}

static int do_kill(struct context *ctx, int argc, char **argv, struct err *e)
{
	const char *name = argc > 1 ? argv[1] : "TERM";
	struct ctl_msg m = {.type = CTL_SIGNAL, .pid = 1, .flag = opt.all, .value = signal_number(name)};
	struct state *st;
	int r, sock;

	if (m.value < 0)
		return err_set(e, EINVAL, "unknown signal \"%s\"", name);
	r = state_load(ctx->launch.root, argv[0], &st, e);
	if (r < 0)
		return r;
	if (!strcmp(st->status, "stopped") || !strcmp(st->status, "creating"))
		r = opt.all && !strcmp(st->status, "stopped") ? 0 : err_set(e, ESRCH, "container not running");
	if (r == 0 && strcmp(st->status, "stopped") != 0) {
		bool paused = !strcmp(st->status, "paused");

		sock = client_connect(st, e);
		if (sock >= 0 && paused) /* it is delivered when the container goes on */
			r = stream_send(sock, &m, NULL, 0);
		else
			r = sock < 0 ? sock : (int)client_call(sock, &m, NULL, 0, NULL, e);
		close_fd(&sock);
		if (r == 0 && paused && m.value == SIGKILL)
			r = cgroup_freeze(st->cgroup, false, e);
	}
	state_free(st);
	return r < 0 ? r : 0;
}

const struct verb verb_kill = {
	.name = "kill", .usage = "[options] <container-id> [signal]",
	.help = "send a signal (default: TERM) to the container's first process", .opts = opts,
	.opt_count = ARRAY_SIZE(opts), .values = &opt, .min_args = 1, .max_args = 2, .run = do_kill,
};
