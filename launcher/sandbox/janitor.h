/* The janitor: a process that does nothing but wait until its sandbox is over, and then sees to it
 * that nothing is left, whoever was killed in what order. It is forked before anything exists that
 * would have to be cleaned. */
#ifndef LAUNCHER_SANDBOX_JANITOR_H
#define LAUNCHER_SANDBOX_JANITOR_H

#include <sys/types.h>
#include "launcher/error.h"
#include "launcher/sandbox/state.h"

struct janitor {
	pid_t pid;
	int sock;
};

/* Starts it; it makes the folder ROOT/ID itself (so that there is no moment in which the folder stands
 * and nobody would remove it), and removes it when the caller dies or says so. -EEXIST: the id is in
 * use. 0 or -errno. */
int janitor_start(struct janitor *j, const char *root, const char *id, struct err *e);
/* A process (by pidfd) that must not outlive the sandbox. */
int janitor_watch(struct janitor *j, int pidfd);
/* A cgroup folder to be removed at the end. */
int janitor_add_cgroup(struct janitor *j, const char *path);
/* Ends it: with `clean` after it killed and removed everything, otherwise at once with all kept. */
void janitor_finish(struct janitor *j, int clean);

#endif
