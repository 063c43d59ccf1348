/* The network of a sandbox, as the launcher sees it: which of the modes, what is taken from where, and what netd
 * is given, at its start and when it is started anew. */
#ifndef LAUNCHER_SANDBOX_NETWORK_H
#define LAUNCHER_SANDBOX_NETWORK_H

#include <stdbool.h>
#include "launcher/error.h"

struct sandbox;

/* Is that the mode of --network? */
bool network_is(const struct sandbox *sb, const char *mode);
/* Once the container's namespace is filled (the hooks have run) and before the services start. */
int network_set_up(struct sandbox *sb, struct err *e);
/* What a netd that starts needs, over its pass socket. */
int network_feed(struct sandbox *sb, int pass_fd, struct err *e);
void network_done(struct sandbox *sb);

#endif
