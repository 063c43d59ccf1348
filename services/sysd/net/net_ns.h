/* A network namespace: what names and numbers of sockets are relative to. */
#ifndef SYSD_NET_NET_NS_H
#define SYSD_NET_NET_NS_H

#include <stdbool.h>
#include <stdint.h>
#include "common/base/list.h"

struct net_ns {
	unsigned refs;
	uint64_t id;                /* the inode number of /proc/PID/ns/net */
	struct list unix_names[64]; /* abstract names of UNIX sockets: net/unix/name.c */
	uint32_t unix_autobind;     /* the next name to try */
	unsigned unix_dgram_qlen;   /* net.unix.max_dgram_qlen */
	bool initial;               /* the sandbox's own */
	void *netd;                 /* the namespace's stack in netd (net/inet/client.c); NULL: none yet */
};
/* The sandbox's own, or NULL before there is one. */
struct net_ns *net_ns_initial(void);
/* net_ns_new, net_ns_ref and net_ns_unref stand in task/nsproxy.h. */

#endif
