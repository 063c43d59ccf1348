/* statfs(2) and ustat(2) structures as the guest sees them. */
#ifndef SYSD_ABI_STATFS_H
#define SYSD_ABI_STATFS_H

#include <stdint.h>

struct abi_statfs {
	int64_t type, bsize;
	uint64_t blocks, bfree, bavail, files, ffree;
	int32_t fsid[2];
	int64_t namelen, frsize, flags, spare[4];
};
_Static_assert(sizeof(struct abi_statfs) == 120, "struct statfs");

struct abi_ustat {
	int32_t tfree, pad;
	uint64_t tinode;
	char fname[6], fpack[6];
	int32_t pad2;
};
_Static_assert(sizeof(struct abi_ustat) == 32, "struct ustat");

#define ABI_ST_VALID 0x20

#endif
