/* install and uninstall: this program as a runtime of the engines on this host. */
#include <limits.h>
#include <stdio.h>
#include "common/base/util.h"
#include "launcher/install/install.h"
#include "launcher/verbs/verbs.h"

static struct {
	struct ctl_strv engines;
	const char *runtime, *config;
	bool force;
} opt = {.runtime = "sbx"};

#define AT(field) offsetof(__typeof__(opt), field)
static const struct opt_def opts[] = {
	{"engine", 0, OPT_LIST, AT(engines), "docker, containerd or podman; more than once for several (default: docker)"},
	{"runtime", 0, OPT_TEXT, AT(runtime), "the name that engines have for it (default: sbx)"},
	{"config", 0, OPT_TEXT, AT(config), "the engine's file, when it is not at its usual place"},
	{"config_file", 0, OPT_TEXT, AT(config), "the same"},
	{"force", 0, OPT_FLAG, AT(force), "even if the name is another program's, or the default runtime"},
	{"clobber", 0, OPT_FLAG, AT(force), "the same"},
};

static const struct install_engine *const engines[] = {&install_docker, &install_containerd, &install_podman};

static const struct install_engine *find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(engines); i++)
		if (!strcmp(engines[i]->name, name))
			return engines[i];
	return NULL;
}

static int do_one(const struct install_engine *en, const struct install_options *o, bool adding, struct err *e)
{
	const char *file = opt.config ? opt.config : en->file;
	enum install_result done;
	int r = adding ? en->add(file, o, &done, e) : en->remove(file, o, &done, e);

	if (r < 0)
		return r;
	if (done == INSTALL_NOTHING) {
		printf("%s: the runtime %s is %s\n", file, o->name, adding ? "there already" : "not there");
		return 0;
	}
	printf("%s: the runtime %s is %s\n", file, o->name, adding ? "added" : "removed");
	if (adding)
		printf(en->hint, o->name);
	else
		printf("The engine forgets it when it starts anew.");
	putchar('\n');
	return 0;
}

static int edit(char **argv, bool adding, struct err *e)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	struct install_options o = {.name = opt.runtime, .program = self, .args = argv, .force = opt.force};
	int r;

	if (n < 0)
		return err_sys(e, errno, "/proc/self/exe");
	self[n] = 0;
	if (strpbrk(self, "\"\\\n"))
		return err_set(e, EINVAL, "%s: a name that a file of settings cannot hold", self);
	r = install_check_name(opt.runtime, e);
	if (r == 0 && opt.engines.count == 0 && ctl_strv_add(&opt.engines, "docker") < 0)
		r = err_sys(e, ENOMEM, "--engine");
	if (r == 0 && opt.config && opt.engines.count > 1)
		r = err_set(e, EINVAL, "--config is for one engine");
	for (size_t i = 0; r == 0 && i < opt.engines.count; i++)
		if (!find(opt.engines.v[i]))
			r = err_set(e, EINVAL, "--engine: docker, containerd or podman, not \"%s\"", opt.engines.v[i]);
	for (size_t i = 0; r == 0 && i < opt.engines.count; i++)
		r = do_one(find(opt.engines.v[i]), &o, adding, e);
	ctl_strv_done(&opt.engines);
	return r;
}

static int do_install(struct context *ctx, int argc, char **argv, struct err *e)
{
	return edit(argv, true, e);
}

static int do_uninstall(struct context *ctx, int argc, char **argv, struct err *e)
{
	return edit(NULL, false, e);
}

const struct verb verb_install = {
	.name = "install", .usage = "[options] [-- arguments of the runtime...]",
	.help = "register this program as a runtime of Docker, containerd or Podman", .opts = opts,
	.opt_count = ARRAY_SIZE(opts), .values = &opt, .max_args = -1, .run = do_install,
};
const struct verb verb_uninstall = {
	.name = "uninstall", .usage = "[options]", .help = "take it out again", .opts = opts,
	.opt_count = ARRAY_SIZE(opts), .values = &opt, .run = do_uninstall,
};
