/* Socket addresses between guest and kernel. */
#ifndef SYSD_NET_SOCKADDR_H
#define SYSD_NET_SOCKADDR_H

#include <stdint.h>
#include "services/sysd/net/socket.h"

/* -EINVAL for a bad size, -EFAULT. */
int sockaddr_read(struct task *t, uint64_t uaddr, int size, struct sock_addr *ret);
/* Writes at most `room` bytes of the address, and its true size at usize (an int). */
int sockaddr_write(struct task *t, const struct sock_addr *addr, uint64_t uaddr, int room, uint64_t usize);
/* The same with the room standing at usize. */
int sockaddr_write_inout(struct task *t, const struct sock_addr *addr, uint64_t uaddr, uint64_t usize);

#endif
