/* One sandbox, from the side of its supervisor: services, control plane, first process. The process
 * that calls sandbox_create is the supervisor from then on and has to run sandbox_supervise. */
#ifndef LAUNCHER_SANDBOX_SANDBOX_H
#define LAUNCHER_SANDBOX_SANDBOX_H

#include <pthread.h>
#include <stdbool.h>
#include <time.h>
#include "common/ipc/endpoint.h"
#include "common/ipc/msg_ctl.h"
#include "launcher/error.h"
#include "launcher/oci/spec.h"
#include "launcher/sandbox/janitor.h"
#include "launcher/sandbox/state.h"
#include "launcher/terminal.h"

/* What the command line says about every sandbox. */
struct launch_options {
	const char *root;
	const char *verb;
	bool debug, strace, strict_mm, unsafe, log_json;
	const char *debug_log;   /* folder for one log file a process, or NULL */
	int log_fd;              /* of --log, or -1: stderr */
	const char *network;
	const char *pcap;        /* file that records the links, or NULL */
	bool systemd_cgroup;     /* linux.cgroupsPath is slice:prefix:name */
	bool host_sockets;       /* --host-uds=open */
};

enum service_id { SERVICE_SYSD, SERVICE_MEMD, SERVICE_FSD, SERVICE_NETD, SERVICE_COUNT };

#define RESTARTS_MAX 5       /* of one service... */
#define RESTARTS_SECONDS 60  /* ...in so many seconds; once more, and the sandbox ends */

struct service {
	const char *name;
	pid_t pid;
	int pidfd, pass_fd, ready_fd;
	int log_fd;              /* where it writes its log, for the next one of the kind */
	bool ready, dead;
	int end_code, end_status; /* of waitid, once dead */
	uint64_t told;           /* id of the message to sysd about the last restart */
	time_t restarts[RESTARTS_MAX]; /* when it was started anew, a ring */
	unsigned restart_count;
};

/* Messages from nng's thread, waiting for the supervisor's loop. */
struct inbox {
	pthread_mutex_t lock;
	struct inbox_item {
		struct inbox_item *next;
		struct ctl_msg msg;
	} *first, **last;
	int event_fd;
	bool gone;
};

struct client;
struct net_taken;

struct sandbox {
	const struct launch_options *opt;
	struct spec *spec;
	struct state *state;
	struct service services[SERVICE_COUNT];
	uid_t uid;               /* of sysd and memd on the host */
	bool plain;              /* services run without namespaces (--unsafe) */
	bool in_janitor;         /* this is the janitor's copy */
	bool confined;           /* the supervisor has no power any more */
	bool up;                 /* all services have been ready: from now on some may be started anew */
	int source_paths;        /* their paths, for fsd's debug log; -1 without one */
	int *sources;            /* what fsd serves, by descriptor, in the order of spec->sources */
	size_t source_count;
	struct endpoint *ep;
	struct inbox inbox;
	struct janitor janitor;
	uint64_t next_id, next_ticket;
	bool started, ended, deleted;
	int exit_status;         /* 0..255, of the first process */
	int super_fd, signal_fd;
	int netns_fd;            /* the host's network namespace that is the container's, -1: it has none */
	int host_netns_fd;       /* the one that we came from */
	struct net_taken *net;   /* network.c */
	int listener_fd;         /* memd's duplicate of the seccomp listener */
	int stdio[CTL_STDIO_MAX];
	size_t stdio_count;
	int pty_master, pty_slave;
	bool relaying;
	struct relay relay;
	struct client *clients;
};

/* Takes the spec. Starts services, confines, configures; the first process is made by sandbox_begin.
 * On failure nothing is left. */
int sandbox_create(const struct launch_options *opt, struct spec *spec, const char *id,
		   struct sandbox **ret, struct err *e);
/* stdio: descriptors that become 0, 1, 2... of the first process, or the slave of a terminal as the
 * only one; kept by the sandbox until then. */
int sandbox_set_stdio(struct sandbox *sb, const int *fds, size_t count, struct err *e);
/* The first of fds[0..i-1] that is the same description as fds[i] (2>&1), or i. */
size_t sandbox_same_file(const int *fds, size_t i);
/* A description of its own, with O_NONBLOCK, for a pipe or a terminal; -1: as it is. */
int sandbox_reopen(int fd);
/* From here on the command line can reach the sandbox; supervise does it when nobody did. */
int sandbox_open_doors(struct sandbox *sb, struct err *e);
/* Whether the first process has a program that can be run: `create` says so, not `start` (begin.c). */
int sandbox_check_program(struct sandbox *sb, struct err *e);
/* Runs the startContainer hooks and makes the first process (begin.c). */
int sandbox_begin(struct sandbox *sb, struct err *e);
/* Serves until the first process has ended (or the sandbox failed). The exit status for main. */
int sandbox_supervise(struct sandbox *sb, struct err *e);
/* Ends everything. keep: the state stays, as stopped. */
void sandbox_destroy(struct sandbox *sb, bool keep);

#define SANDBOX_CALL_TIMEOUT_MS 30000
/* Sends a request to sysd and waits for its reply, up to timeout_ms (-1: for ever). Meanwhile, the death
 * of a service is noticed. The value of the reply, or -errno with e set. */
int64_t sandbox_call(struct sandbox *sb, struct ctl_msg *m, int timeout_ms, struct err *e);
/* Sends without waiting; the id is set. 0 or -errno. */
int sandbox_post(struct sandbox *sb, struct ctl_msg *m);
/* The next message of sysd, false when there is none. */
bool sandbox_take(struct sandbox *sb, struct ctl_msg *ret);
/* Messages that the caller did not wait for go back to the front. */
void sandbox_put_back(struct sandbox *sb, struct ctl_msg *list, size_t count);
/* Looks for dead services, and starts anew those that can be. 0, or an error that says which service is
 * lost and how. */
int sandbox_check(struct sandbox *sb, struct err *e);
/* Passes a descriptor to sysd. The ticket, or 0. */
uint64_t sandbox_pass(struct sandbox *sb, int fd);

/* When the loop has to call sandbox_check at the latest, in milliseconds; -1: never. */
int sandbox_check_timeout(const struct sandbox *sb);

/* start.c */
int sandbox_start_services(struct sandbox *sb, struct err *e);
/* mountpoints.c: makes what a read-only root lacks. */
int mountpoints_make(struct sandbox *sb, struct err *e);
/* netns.c: enters the container's network namespace (linux.namespaces), which netns_fd is then. The hooks
 * that fill it have run when the services are started. */
int netns_enter(struct sandbox *sb, struct err *e);
/* view.c: the supervisor's mount namespace is the container's files from here on, for those that join it; its own paths stay
 * the host's. Needs its power, and it can mount nothing more afterwards. */
int view_enter(struct sandbox *sb, struct err *e);

#endif
