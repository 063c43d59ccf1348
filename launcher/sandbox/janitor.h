/* The janitor: a process that does nothing but wait until its sandbox is over, and then sees to it
 * that nothing is left, whoever was killed in what order. It is forked before anything exists that
 * would have to be cleaned.
 *
 * It also starts a service anew for its supervisor, which has no power of its own any more: the
 * supervisor says which service, the janitor decides everything else about it. */
#ifndef LAUNCHER_SANDBOX_JANITOR_H
#define LAUNCHER_SANDBOX_JANITOR_H

#include <stdbool.h>
#include <sys/types.h>
#include "launcher/error.h"
#include "launcher/sandbox/state.h"

struct janitor {
	pid_t pid;
	int sock;
};

/* What a service is reached by. */
struct spawned {
	pid_t pid;
	int pidfd;
	int ready, launch;       /* the launcher's ends of its READY pipe and its pass socket */
	int ring, pass;          /* sysd's ends */
};
void spawned_done(struct spawned *s);

/* What the janitor needs to start services; both run in it. */
struct janitor_ops {
	/* At its start: opens what will be needed. */
	void (*prepare)(void *arg, const struct state *st);
	/* Starts service `which` as a child of the caller's parent. log_fd is borrowed. 0 or -errno. */
	int (*spawn)(void *arg, unsigned which, bool plain, int log_fd, struct spawned *ret, struct err *e);
	void *arg;
};

/* Starts it; it makes the folder ROOT/ID itself (so that there is no moment in which the folder stands
 * and nobody would remove it), and removes it when the caller dies or says so. -EEXIST: the id is in
 * use. 0 or -errno. */
int janitor_start(struct janitor *j, const char *root, const char *id, const struct janitor_ops *ops,
		  struct err *e);
/* A process (by pidfd) that must not outlive the sandbox. */
int janitor_watch(struct janitor *j, int pidfd);
/* Has it start a service and waits for that, a few milliseconds. plain: without namespaces. The new
 * process is a child of the caller and watched already. 0 or -errno. */
int janitor_spawn(struct janitor *j, unsigned which, bool plain, int log_fd, struct spawned *ret,
		  struct err *e);
/* The cgroups that the state has noted are all that there will be: it reads the list now, while nobody in the sandbox
 * could have changed it. (When the caller dies before that, it reads what there is.) */
int janitor_take_cgroups(struct janitor *j);
/* What is to be undone at the end (launcher/net/undo.h), and the network namespace it is about. The list may
 * grow later. */
int janitor_add_undo(struct janitor *j, int list, int netns);
/* Ends it: with `clean` after it killed and removed everything, otherwise at once with all kept. False: it had been
 * killed, and what it should have done is not done. */
bool janitor_finish(struct janitor *j, bool clean);

#endif
