/* Guest ABI of inotify(7). */
#ifndef SYSD_ABI_INOTIFY_H
#define SYSD_ABI_INOTIFY_H

#include <stdint.h>

struct abi_inotify_event {
	int32_t wd;
	uint32_t mask, cookie, len; /* len: of the name that follows, with its padding */
};
#define ABI_IN_MASK_CREATE 0x10000000u

#endif
