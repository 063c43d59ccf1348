/* Running the hooks of a container. */
#ifndef LAUNCHER_SANDBOX_HOOKS_H
#define LAUNCHER_SANDBOX_HOOKS_H

#include "launcher/oci/hooks.h"
#include "launcher/sandbox/state.h"

struct hook_place {
	int netns;        /* the network namespace to run in, -1: the caller's */
	bool own_mounts;  /* in a copy of the host's mounts */
};

/* Runs all of a kind, in their order, each with the state (its status replaced by `status`) on stdin.
 * Stops at the first that fails, unless `go_on`: then what fails is logged. 0 or -errno. Not for
 * HOOK_START_CONTAINER, whose programs are the container's: see sandbox_begin. */
int hooks_run(const struct hooks *h, enum hook_kind kind, const struct state *st, const char *status,
	      const struct hook_place *place, bool go_on, struct err *e);

/* The same for a container whose state was read: the hooks of start and delete. */
int hooks_run_saved(const struct state *st, enum hook_kind kind, const char *status, bool go_on, struct err *e);

/* A descriptor from which the state can be read, with this status; -errno. */
int hooks_state_fd(const struct state *st, const char *status);

#endif
