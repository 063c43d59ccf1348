/* ICMP of both versions. */
#ifndef NETD_IP_ICMP_H
#define NETD_IP_ICMP_H

#include "netd/ip/ip_priv.h"

/* May an error go to this address now? Takes a token. */
bool icmp_allowed(struct netstack *st, const struct ip_addr *to, bool loopback);
int icmp_limits_init(struct netstack *st);
void icmp_limits_done(struct netstack *st);

#endif
