/* Socket filters (SO_ATTACH_FILTER, classic BPF over a datagram), run when a datagram is looked at. */
#ifndef SYSD_NET_INET_FILTER_H
#define SYSD_NET_INET_FILTER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

struct inet_sock;
struct net_dgram;
struct task;

struct inet_filter;
int inet_filter_attach(struct inet_sock *k, struct task *t, uint64_t uval, uint32_t size);
int inet_filter_detach(struct inet_sock *k);
/* How many bytes of the datagram pass; 0: it is dropped, UINT32_MAX: all. */
uint32_t inet_filter_run(const struct inet_sock *k, const struct net_dgram *d, const struct iovec iov[2]);

#endif
