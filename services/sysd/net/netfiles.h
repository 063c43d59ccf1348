/* Files of /proc/net, /proc/sys/net and /sys/class/net: their text is netd's. All of it sleeps. */
#ifndef SYSD_NET_NETFILES_H
#define SYSD_NET_NETFILES_H

#include <stddef.h>
#include <stdint.h>

struct net_ns;
struct seqbuf;

/* The text of a file below /proc/net ("tcp"), or of an attribute of an interface ("class/eth0/mtu"). */
int netfiles_show(struct net_ns *ns, const char *name, struct seqbuf *s);
/* A setting below /proc/sys/net ("ipv4/ip_forward"). */
int netfiles_sysctl_read(struct net_ns *ns, const char *name, struct seqbuf *s);
int netfiles_sysctl_write(struct net_ns *ns, const char *name, const char *text, size_t size);
/* Names of all settings, a line each (a fresh allocation). */
int netfiles_sysctl_list(struct net_ns *ns, char **ret);

#endif
