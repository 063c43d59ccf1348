/* What the launcher changed on the host for a sandbox's network, as a list of steps that undo it. The list is a
 * memfd, so that the janitor can be given it before anything is changed, and carry it out whoever was killed. */
#ifndef LAUNCHER_NET_UNDO_H
#define LAUNCHER_NET_UNDO_H

#include <linux/netlink.h>
#include <stddef.h>
#include <stdint.h>

enum undo_kind {
	UNDO_ROUTE = 1,  /* a netlink message of an address, a route or a rule, to be sent again in the namespace */
	UNDO_SYSCTL,     /* "path below /proc/sys=value", in the namespace */
	UNDO_LINK,       /* the name of an interface to be deleted on the host */
	UNDO_RUN,        /* a command on the host: its words, each with its NUL */
	UNDO_RUN_INSIDE, /* the same in the namespace */
	UNDO_NAT,        /* this sandbox has a place among those with NAT: its file */
};

/* A new list, or -errno. */
int undo_new(void);
/* Adds a step; it is there for the janitor when this returns. 0 or -errno. */
int undo_add(int list, enum undo_kind kind, const void *data, size_t size);
int undo_add_text(int list, enum undo_kind kind, const char *text);
/* Carries the steps out, the last one first but for UNDO_ROUTE, which come in their order at the end; those
 * of the namespace in `netns` (-1: none). What fails is passed over: there is nobody to tell. Leaves the
 * caller in the host's namespace `host`. */
void undo_run(int list, int netns, int host);

#endif
