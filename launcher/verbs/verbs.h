/* The verbs of the command line. Each parses, calls the library and prints. */
#ifndef LAUNCHER_VERBS_VERBS_H
#define LAUNCHER_VERBS_VERBS_H

#include "launcher/cli/options.h"
#include "launcher/error.h"
#include "launcher/oci/spec.h"
#include "launcher/sandbox/sandbox.h"

struct context {
	struct launch_options launch;
	bool overlay_memory, shared_files;
};

struct verb {
	const char *name, *usage, *help;
	const struct opt_def *opts;
	size_t opt_count;
	void *values;              /* the structure that opts fill in */
	int min_args, max_args;    /* words after the options; max -1: any */
	/* The exit status of the command (0..255), or -errno with e set. */
	int (*run)(struct context *ctx, int argc, char **argv, struct err *e);
	int failure;               /* exit status of an error; 0: 1 */
	bool quiet;                /* --debug-log says where to read, not where to write */
};

extern const struct verb verb_run, verb_create, verb_start, verb_state, verb_kill, verb_delete, verb_list,
	verb_exec, verb_pause, verb_resume,
	verb_update, verb_events, verb_features, verb_install, verb_uninstall, verb_ps, verb_spec, verb_do, verb_logs, verb_debug, verb_net;

/* How a container is launched: launch.c */
struct launch_how {
	const char *console_socket, *pid_file;
	unsigned preserve_fds;
	bool detach;   /* the supervisor goes on without us */
	bool keep;     /* the state stays after the end */
	bool begin;    /* start the process too */
};
/* Takes the spec. The container's exit status (0 when detached), or -errno. */
int launch_container(struct context *ctx, struct spec *spec, const char *id, const struct launch_how *how,
		     struct err *e);
int write_pid_file(const char *path, pid_t pid, struct err *e);

/* client.c: requests to a running sandbox */
int client_connect(const struct state *st, struct err *e);
/* Sends and receives; the value of the reply. text (may be NULL) gets its text. */
int64_t client_call(int sock, const struct ctl_msg *m, const int *fds, size_t fd_count, char **ret_text,
		    struct err *e);

#endif
