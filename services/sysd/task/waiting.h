/* One request of wait4(2) or waitid(2), as wait.c and ptrace.c share it. */
#ifndef SYSD_TASK_WAITING_H
#define SYSD_TASK_WAITING_H

#include <stdbool.h>
#include <stdint.h>
#include "services/sysd/abi/time.h"

struct task;
struct signal;

struct wait_request {
	struct task *task;
	int which;           /* ABI_P_* */
	uint32_t id;
	struct signal *sig;  /* P_PIDFD */
	uint32_t options;
	bool want_rusage, nonblock;
	/* what was found */
	uint32_t pid, uid;
	int code, status;    /* as siginfo says it */
	int32_t wait_status; /* as wait4 says it */
	struct abi_rusage rusage;
};
bool wait_matches(const struct wait_request *w, const struct task *c);
/* The tracees of t's group: 1: *w is filled, 0: there are some that may match later, -ECHILD: none. */
int ptrace_wait(struct task *t, struct wait_request *w) __attribute__((weak));

#endif
