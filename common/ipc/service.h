/* What every service does first and last at its start. A main reads:
 *
 *	struct service_options opt;
 *
 *	if (service_start(argc, argv, "fsd", &opt) < 0)
 *		return 1;
 *	r = confine_enter(&confine_fsd, &opt.confine);
 *	if (r < 0)
 *		return service_fail("cannot enter the sandbox: %s", strerror(-r));
 *	...                     threads, memory, rings
 *	r = confine_apply(&confine_fsd, &opt.confine);
 *	...
 *	service_ready();
 */
#ifndef SBX_IPC_SERVICE_H
#define SBX_IPC_SERVICE_H

#include "common/confine/confine.h"

struct service_options {
	struct confine_options confine; /* --terminal --debug --host-network --unsafe-no-confinement */
	bool debug_log;                 /* --log-level=debug */
	bool strace;                    /* --strace: log each system call */
	bool strict_mm;                 /* --strict-mm */
};

/* Reads the arguments that the launcher gives every service (an unknown one is an error), starts the
 * log on SBX_FD_LOG, names the process, and ties it to the life of its parent. 0 or -EINVAL. */
int service_start(int argc, char **argv, const char *name, struct service_options *ret_opt);
/* The service is confined and serves: one byte to SBX_FD_READY, which is closed. */
void service_ready(void);
/* Says why it cannot serve, to the log and the launcher; returns 1, the exit status. */
int service_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
