/* Keeping frames of a taken interface from the host's own stack. */
#ifndef LAUNCHER_NET_DROP_H
#define LAUNCHER_NET_DROP_H

#include <stdint.h>

/* Every frame that comes in over the interface (of the caller's network namespace) ends once packet sockets have seen
 * it: the host's IP, ARP and the rest never look at it. By a program of two instructions at the interface's ingress (tcx,
 * Linux 6.6), which holds for as long as the descriptor that is returned is open. -errno where the host cannot
 * (older kernels: -EINVAL), or may not, do so. */
int drop_ingress(uint32_t ifindex);

#endif
