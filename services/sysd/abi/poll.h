/* Guest ABI of poll and select (x86-64 Linux). */
#ifndef SYSD_ABI_POLL_H
#define SYSD_ABI_POLL_H

#include <stdint.h>

struct abi_pollfd {
	int32_t fd;
	int16_t events, revents;
};
#define ABI_POLLNVAL 0x20

/* The sixth argument of pselect6. */
struct abi_sigset_arg {
	uint64_t set, size;
};

#endif
