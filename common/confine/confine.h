/* Confinement of a service as one declarative policy: what the launcher does before exec (namespaces,
 * ids, root, rlimits, capabilities) and what the service does itself (seccomp allow-list) stand in
 * one table, common/confine/policy_<service>.c. */
#ifndef SBX_CONFINE_CONFINE_H
#define SBX_CONFINE_CONFINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct confine_arg {      /* an argument must compare: (arg & mask) == value */
	uint8_t index;
	uint64_t mask, value;
};
struct confine_call {
	int nr;
	uint8_t arg_count;    /* all must hold; list a call several times for alternatives */
	struct confine_arg args[2];
	const char *why;      /* the reason printed in docs/security.md */
	uint8_t only;         /* 0 always, 1 only with a terminal, 2 only with debug options, 3 only with --network=host, 4 only with
			       * --host-uds=open */
};
struct confine_policy {
	const char *service;
	const struct confine_call *calls;
	size_t call_count;
	uint64_t namespaces;  /* CLONE_NEW* of its own */
	uint64_t caps;        /* bits of CAP_* kept in its user namespace */
	uint64_t nofile, nproc, stack, as; /* rlimits; 0: as inherited */
};
extern const struct confine_policy confine_sysd, confine_memd, confine_netd, confine_fsd, confine_launch;

struct confine_options {
	bool terminal, debug, host_network, host_sockets;
	bool jail;            /* the launcher left a prepared root as the working directory */
	bool unsafe;          /* the operator asked for no confinement: a warning instead of failure */
};
/* First thing in main, with one thread: takes the empty root that the launcher left as the working
 * directory (read-only, nothing in it but /ctl), drops all capabilities that the policy does not
 * name, sets the rlimits and no_new_privs. 0 or -errno. */
int confine_enter(const struct confine_policy *p, const struct confine_options *opt);
/* Gives up every capability of the calling thread but those. 0 or -errno. */
int confine_keep_caps(uint64_t keep);
/* Last before serving: installs the seccomp allow-list on all threads (TSYNC), kill on violation, and
 * makes the process non-dumpable. Logs what it installed. 0 or -errno. */
int confine_apply(const struct confine_policy *p, const struct confine_options *opt);
/* Number of distinct calls that would be allowed. */
size_t confine_count(const struct confine_policy *p, const struct confine_options *opt);
bool confine_active(const struct confine_call *c, const struct confine_options *opt);

#endif
