/* One service: what start.c, which starts all of them, and restart.c, which starts one again, share. */
#ifndef LAUNCHER_SANDBOX_SERVICE_H
#define LAUNCHER_SANDBOX_SERVICE_H

#include "launcher/sandbox/sandbox.h"
#include "launcher/sandbox/spawn.h"

/* Descriptors between a service, sysd and the launcher. */
struct channels {
	int ring;                /* with sysd; -1 for sysd itself, as pass */
	int pass[2];             /* [0] sysd's end, [1] the service's */
	int launch[2];           /* [0] the launcher's end */
	int ready[2];
};

int channels_make(struct channels *c, enum service_id id, struct err *e);
void channels_done(struct channels *c);
int service_open_program(enum service_id id, struct err *e);
/* Clones it; it waits for spawn_release. all: channels by service; of another than its own only sysd
 * gets an end. Descriptors stay the caller's. 0 or -errno. */
int service_prepare(struct sandbox *sb, enum service_id id, const struct channels *all, int program, int log_fd,
		    struct spawn *s, struct err *e);
/* Reads its READY pipe: one byte is ready, anything else is the reason why not. */
int service_read_ready(struct service *s, struct err *e);
/* Of one that was started again: reads it, if anything is there; kills the service when it takes too
 * long. */
void service_check_ready(struct service *s);
/* Sends what a service needs before it is ready, over its pass socket, at every start. */
int service_feed(struct sandbox *sb, enum service_id id, struct err *e);

/* sources.c: opens the mount sources of the spec. They are kept, for an fsd that is started anew: a name
 * may lead elsewhere by then. */
int sources_open(struct sandbox *sb, struct err *e);
int sources_send(struct sandbox *sb, int sock, struct err *e);
void sources_done(struct sandbox *sb);

/* restart.c: what the janitor runs. */
extern const struct janitor_ops restart_ops;
bool service_can_restart(const struct sandbox *sb, enum service_id id);
/* Starts a dead service again. 0, or an error: it died too often, or cannot be started. */
int service_restart(struct sandbox *sb, enum service_id id, struct err *e);

#endif
