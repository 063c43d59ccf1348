/* The parts of proc/ among themselves. */
#ifndef NETD_PROC_PRIVATE_H
#define NETD_PROC_PRIVATE_H

#include "netd/proc/proc.h"

struct ip_addr;

#define SHOW(name) void show_##name(struct netstack *st, struct text *out)
SHOW(tcp);
SHOW(tcp6);
SHOW(udp);
SHOW(udp6);
SHOW(udplite);
SHOW(udplite6);
SHOW(raw);
SHOW(raw6);
SHOW(icmp);
SHOW(icmp6);
SHOW(packet);
SHOW(sockstat);
SHOW(sockstat6);
SHOW(protocols);
SHOW(dev);
SHOW(if_inet6);
SHOW(route);
SHOW(ipv6_route);
SHOW(arp);
SHOW(snmp);
SHOW(netstat);
SHOW(snmp6);

/* Attributes of interfaces: "class", "class/eth0/mtu". 0 or -ENOENT. */
int class_show(struct netstack *st, const char *name, struct text *out);
/* Names of all settings, a line each. */
SHOW(sysctl);
/* For the operator. */
SHOW(sockets);
SHOW(metrics);

#endif
