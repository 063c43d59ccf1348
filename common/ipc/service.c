/* The common beginning of the services: see service.h. */
#include "common/ipc/service.h"

#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/prctl.h>
#include "common/base/util.h"
#include "common/ipc/startup.h"
#include "common/log/log.h"

int service_start(int argc, char **argv, const char *name, struct service_options *ret_opt)
{
	struct service_options opt = {0};
	enum log_level level = LOG_INFO_;
	enum log_format format = LOG_TEXT;
	const char *unknown = NULL;
	char comm[16];

	for (int i = 1; i < argc; i++) {
		const char *a = argv[i];

		if (!strcmp(a, "--log-level=debug"))
			opt.debug_log = true;
		else if (!strcmp(a, "--log-level=warning"))
			level = LOG_WARN_;
		else if (!strcmp(a, "--jail"))
			opt.confine.jail = true;
		else if (!strcmp(a, "--log-format=json"))
			format = LOG_JSON;
		else if (!strcmp(a, "--terminal"))
			opt.confine.terminal = true;
		else if (!strcmp(a, "--host-network"))
			opt.confine.host_network = true;
		else if (!strcmp(a, "--host-sockets"))
			opt.confine.host_sockets = true;
		else if (!strcmp(a, "--debug"))
			opt.confine.debug = true;
		else if (!strcmp(a, "--unsafe-no-confinement"))
			opt.confine.unsafe = true;
		else if (!strcmp(a, "--strace"))
			opt.strace = true;
		else if (!strcmp(a, "--strict-mm"))
			opt.strict_mm = true;
		else
			unknown = a;
	}
	if (opt.debug_log || opt.strace)
		level = LOG_DEBUG_;
	if (opt.strace)
		opt.confine.debug = true;
	if (fcntl(SBX_FD_LOG, F_GETFD) < 0 || fcntl(SBX_FD_READY, F_GETFD) < 0) {
		fprintf(stderr, "sbx-%s is started by sbx-launch, not by hand\n", name);
		return -EINVAL;
	}
	for (int fd = SBX_FD_LOG; fd < SBX_FD_LOG + 16; fd++)
		fcntl(fd, F_SETFD, FD_CLOEXEC); /* EBADF for those that this service does not have */
	log_init(name, SBX_FD_LOG, level, format);
	mallopt(M_ARENA_MAX, 1); /* threads that allocate little do not need an arena each */
	snprintf(comm, sizeof(comm), "sbx-%s", name);
	prctl(PR_SET_NAME, comm);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGPIPE, SIG_IGN);
	if (unknown) {
		service_fail("unknown argument %s", unknown);
		return -EINVAL;
	}
	*ret_opt = opt;
	return 0;
}

void service_ready(void)
{
	ssize_t r;

	do {
		r = write(SBX_FD_READY, "", 1);
	} while (r < 0 && errno == EINTR);
	close(SBX_FD_READY);
}

int service_fail(const char *fmt, ...)
{
	char line[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	log_error("%s", line);
	if (write(SBX_FD_READY, line, strlen(line)) < 0)
		log_debug("nobody waits for the reason");
	close(SBX_FD_READY);
	return 1;
}
