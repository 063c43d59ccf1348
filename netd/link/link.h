/* Links: where frames come from and go to. The launcher takes interfaces out of the container's network
 * namespace and hands netd a descriptor of each with the configuration they had (common/ipc/msg_link.h);
 * what is here receives that, makes the stack's interfaces of it, and moves frames.
 *
 * netd's loop knows a link only as a source: a descriptor to poll for reading, something to call when it is
 * readable, and something to call at the end of a round. The socket to the launcher, over which more may
 * come later, and the relays of Docker's resolver are sources as well. */
#ifndef NETD_LINK_LINK_H
#define NETD_LINK_LINK_H

#include <stdbool.h>
#include <stdint.h>
#include "common/base/list.h"

struct netstack;

struct link_source {
	struct list node;        /* of link_set.sources */
	int fd;                  /* to be polled for POLLIN; -1: gone, not to be polled any more */
	/* It is readable: takes in at most `budget` frames, fewer when they are large. Returns how many; there may be
	 * more (the descriptor says so). Never blocks. */
	unsigned (*rx)(struct link_source *l, unsigned budget);
	/* The round is over: what was held back to be sent in one call leaves now. NULL: nothing is held back. */
	void (*flush)(struct link_source *l);
	void (*free)(struct link_source *l);
};

struct link_set {
	struct list sources;
	struct netstack *st;
	struct link_pcap *pcap;  /* NULL: nobody records */
	int pass_fd;             /* to the launcher */
};

/* Receives the launcher's descriptors and configuration over pass_fd (which stays the caller's) and brings the
 * stack's interfaces up with their addresses and routes; the loopback interface too. Blocks until the launcher
 * has said all, so call it before the service says READY; needs no more than what a service may do before its
 * filter. 0 or -errno. */
int link_set_open(struct link_set *set, struct netstack *st, int pass_fd);
/* Sources and what they hold; the interfaces must be gone from the stack by then (netstack_free). */
void link_set_close(struct link_set *set);
/* flush of all sources that have something. */
void link_set_flush(struct link_set *set);

#endif
