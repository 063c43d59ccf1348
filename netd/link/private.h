/* The parts of link/ among themselves. */
#ifndef NETD_LINK_PRIVATE_H
#define NETD_LINK_PRIVATE_H

#include "common/ipc/msg_link.h"
#include "netd/core/addr.h"
#include "netd/link/link.h"

struct netif;
struct pkt;

/* packet.c: an interface over an AF_PACKET socket with PACKET_VNET_HDR, or the far end of a TAP. Takes fd. The
 * interface is in the stack, down; it belongs to the stack, the source to the set. */
int packet_link_new(struct link_set *set, const struct link_if *l, int fd);

/* shadow.c: an interface that the host's kernel keeps for itself, for programs that ask what there is. */
int shadow_link_new(struct link_set *set, const struct link_if *l);

/* resolver.c: answers at the address of a name server that runs on the host, over a connected UDP socket. Takes
 * fd. */
int resolver_new(struct link_set *set, const struct link_ip *at, int fd);

/* resolver_tcp.c: the same over TCP; over sockets that are not connected, bound to the namespace's loopback interface. Takes
 * them. */
int resolver_tcp_new(struct link_set *set, const struct link_ip *at, int fds[LINK_RESOLVER_LINES]);

/* pcap.c: records what crosses the links, in the pcapng format. Takes fd. */
int pcap_new(struct link_set *set, int fd);
void pcap_flush(struct link_pcap *p);
void pcap_free(struct link_pcap *p);

/* apply.c: addresses, routes, rules and neighbours of the interfaces, which are in the stack already. What the
 * stack does not take is logged and left out: a sandbox with a part of its network is worth more than none. */
int link_apply(struct netstack *st, const struct link_config *c);
struct ip_addr link_ip_addr(const struct link_ip *ip);

#endif
