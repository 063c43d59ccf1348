/* Taking the network of a namespace over for a sandbox: what it has is read, the host's kernel is made to forget
 * it (so that only one of the two answers), and the frames of its interfaces come to a descriptor. */
#ifndef LAUNCHER_NET_TAKE_H
#define LAUNCHER_NET_TAKE_H

#include "common/ipc/msg_link.h"
#include "launcher/error.h"

struct net_taken {
	struct link_config config;
	int link_fd[LINK_LINKS_MAX];
	int drop_fd[LINK_LINKS_MAX]; /* drop.h; -1: the host's stack sees the frames too */
	int config_fd;     /* the encoded configuration, in a sealed memfd */
	int pcap_fd;
	int resolver_fd;   /* with config.resolver */
	int resolver_tcp[LINK_RESOLVER_LINES];
	bool keep_v4;      /* the host's kernel keeps its IPv4 addresses, and was hushed (nat.h) */
	int undo;          /* list of undo.h, -1: nothing was changed */
};

void net_taken_init(struct net_taken *t);
void net_taken_done(struct net_taken *t);
/* In the caller's network namespace: reads links, addresses, routes, rules and neighbours into t->config, and into t->undo,
 * if there is one, what it takes to make them again. */
int net_read(struct net_taken *t, struct err *e);
/* Takes what was read: t->undo, which the janitor should know already, gets the way back; then the addresses go
 * and the descriptors come. */
int net_take(struct net_taken *t, struct err *e);
/* Seals the configuration into config_fd. */
int net_seal(struct net_taken *t, struct err *e);
/* Sends it all to a netd that starts, over its pass socket. */
int net_send(const struct net_taken *t, int pass_fd, struct err *e);

#endif
