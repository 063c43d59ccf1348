/* Names and limits of the settings, for /proc/sys/net. */
#ifndef NETD_CORE_SYSCTL_H
#define NETD_CORE_SYSCTL_H

#include "netd/core/stack.h"

struct net_sysctl_info {
	const char *path;        /* below /proc/sys/net; ":N" behind it: the N-th number of the file */
	int64_t min, max, init;
};
/* NULL: no such number. */
const struct net_sysctl_info *net_sysctl_info(enum net_sysctl id);
/* The number (enum net_sysctl) of a path, or -ENOENT. */
int net_sysctl_find(const char *path);

#endif
