/* Starting one service in its namespaces. */
#ifndef LAUNCHER_SANDBOX_SPAWN_H
#define LAUNCHER_SANDBOX_SPAWN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "launcher/error.h"

#define SPAWN_FDS_MAX 16

struct spawn {
	const char *name;        /* "sysd" */
	int exec_fd;             /* the program */
	uint64_t namespaces;     /* CLONE_NEW*; 0: none (confinement was switched off) */
	int join_pidfd;          /* enter the user and pid namespaces of this process, or -1 */
	bool all_ids;            /* map every id to itself and stay root in there; else only uid */
	uid_t uid;
	const char *jail;        /* the empty root on the host, or NULL: stay in the host's */
	int proc_slot;           /* descriptor number for /proc of the pid namespace, or -1 */
	bool for_parent;         /* becomes a child of the caller's parent (the janitor makes them so) */
	int fds[SPAWN_FDS_MAX];  /* by number in the service, from 0 on; -1: closed */
	const char *args[12];    /* argv after the name, NULL-terminated */

	/* results */
	pid_t pid;
	int pidfd, sync_fd;      /* the service starts when sync_fd is closed */
};

/* Makes the process, which then waits. 0 or -errno; e names what the host refused. */
int spawn_prepare(struct spawn *s, struct err *e);
/* Lets it run. */
int spawn_release(struct spawn *s, struct err *e);

#endif
