/* Guest ABI of epoll (x86-64 Linux: the event is packed). */
#ifndef SYSD_ABI_EPOLL_H
#define SYSD_ABI_EPOLL_H

#include <stdint.h>

struct abi_epoll_event {
	uint32_t events;
	uint64_t data;
} __attribute__((packed));
_Static_assert(sizeof(struct abi_epoll_event) == 12, "struct epoll_event is 12 bytes");

#endif
