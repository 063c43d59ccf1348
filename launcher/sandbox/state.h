/* What the host keeps of a sandbox: the folder ROOT/ID with state.json, the list of its cgroups, the control
 * sockets and the roots of the services. It exists as long as the sandbox's id is taken. */
#ifndef LAUNCHER_SANDBOX_STATE_H
#define LAUNCHER_SANDBOX_STATE_H

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>
#include "launcher/error.h"

#define STATE_ROOT_DEFAULT "/run/sbx"

struct state {
	char *root, *id;
	char *dir;            /* ROOT/ID */
	char *status;         /* creating created running stopped */
	pid_t pid;            /* the supervisor, which stands for the container's first process */
	unsigned long long start_time; /* of pid, against reuse */
	pid_t janitor;
	unsigned long long janitor_start;
	char *debug_log;      /* folder of --debug-log, or NULL */
	char *bundle, *rootfs, *created, *oci_version, *cgroups; /* cgroups: folders made, the last first, ':' between */
	char *cgroup;         /* path of the container's control group, NULL: none */
	json_t *annotations;
	json_t *hooks;        /* as config.json has them: those of start and delete are run by others */
};

int state_check_id(const char *id, struct err *e);
/* Makes the folder; EEXIST: the id is in use. */
int state_create(const char *root, const char *id, struct state **ret, struct err *e);
/* The object alone, for a folder that exists. NULL: no memory. */
struct state *state_new(const char *root, const char *id);
/* Reads it; the status is corrected when its process is gone. ENOENT: no such container. */
int state_load(const char *root, const char *id, struct state **ret, struct err *e);
int state_save(const struct state *s, struct err *e);
int state_set_status(struct state *s, const char *status, struct err *e);
/* Notes a cgroup that is about to be made, so that whoever removes the state removes it, whatever is killed in between.
 * 0 or -errno. */
int state_note_cgroup(struct state *s, const char *path, struct err *e);
/* Reads what has been noted, for a state that was not loaded. */
void state_read_cgroups(struct state *s);
/* Removes the cgroups and kills what is in them: for one whose supervisor is dead already. */
void state_end_cgroups(const struct state *s);
/* Removes the folder and the cgroups. */
void state_remove(const struct state *s);
void state_free(struct state *s);
/* As `sbx-launch state` prints it. */
json_t *state_json(const struct state *s);
/* How long a supervisor may take to end, and its janitor, which waits for services that die and runs hooks. */
#define STATE_END_MS 10000
#define STATE_JANITOR_MS 20000
/* Waits for the end of a process, up to timeout_ms, and ends it then if it should be. */
void state_wait_end(pid_t pid, unsigned long long start_time, int timeout_ms, bool then_kill);
/* Start time of a process (/proc/PID/stat), 0: none. */
unsigned long long state_start_time(pid_t pid);

#endif
