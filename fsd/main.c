/* sbx-fsd: serves the files of a sandbox's mounts to its sysd, and nothing else. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "common/base/util.h"
#include "common/confine/confine.h"
#include "common/ipc/startup.h"
#include "common/log/log.h"
#include "fsd/serve.h"

int confine_apply(const struct confine_policy *p, const struct confine_options *opt)
    __attribute__((weak));
extern const struct confine_policy confine_fsd __attribute__((weak));

static int fail(const char *what, int err)
{
	char line[256];
	int n = snprintf(line, sizeof(line), "fsd: %s: %s\n", what, strerror(-err));

	log_error("%s: %s", what, strerror(-err));
	if (write(SBX_FD_READY, line, (size_t)n) < 0)
		return 2;
	return 1;
}

int main(int argc, char **argv)
{
	static struct server server;
	struct confine_options opt = {0};
	enum log_format format = LOG_TEXT;
	int ret;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--debug") == 0)
			opt.debug = true;
		else if (strcmp(argv[i], "--log-format=json") == 0)
			format = LOG_JSON;
	}
	log_init("fsd", SBX_FD_LOG, opt.debug ? LOG_DEBUG_ : LOG_INFO_, format);
	umask(0);
	ret = node_init();
	if (ret < 0)
		return fail("node table", ret);
	ret = mount_receive(FSD_FD_LAUNCH_PASS);
	if (ret < 0)
		return fail("mount sources from the launcher", ret);
	close(FSD_FD_LAUNCH_PASS);
	ret = server_init(&server, FSD_FD_SYSD_RING, FSD_FD_SYSD_PASS);
	if (ret < 0)
		return fail("ring to sysd", ret);
	close(FSD_FD_SYSD_RING);
	if (confine_apply && &confine_fsd) {
		ret = confine_apply(&confine_fsd, &opt);
		if (ret < 0)
			return fail("confinement", ret);
	}
	if (write(SBX_FD_READY, "\0", 1) != 1)
		return 1;
	close(SBX_FD_READY);
	ret = server_run(&server);
	log_error("the ring to sysd is broken: %s", strerror(-ret));
	return 1;
}
