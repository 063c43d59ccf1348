/* fcntl(2), openat2(2) and flock structures as the guest sees them. */
#ifndef SYSD_ABI_FCNTL_H
#define SYSD_ABI_FCNTL_H

#include <stdint.h>

struct abi_flock {
	int16_t type, whence;
	int32_t pad;
	int64_t start, len;
	int32_t pid, pad2;
};
_Static_assert(sizeof(struct abi_flock) == 32, "struct flock");

struct abi_f_owner_ex {
	int32_t type, pid;
};
#define ABI_F_OWNER_TID 0
#define ABI_F_OWNER_PID 1
#define ABI_F_OWNER_PGRP 2

struct abi_open_how {
	uint64_t flags, mode, resolve;
};

#define ABI_F_CREATED_QUERY 1028
#define ABI_F_DUPFD_QUERY 1027

#endif
