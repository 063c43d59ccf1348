/* stat(2), statx(2) and utimes structures as the guest sees them. */
#ifndef SYSD_ABI_STAT_H
#define SYSD_ABI_STAT_H

#include <stdint.h>

struct abi_stat {
	uint64_t dev, ino, nlink;
	uint32_t mode, uid, gid, pad0;
	uint64_t rdev;
	int64_t size, blksize, blocks;
	int64_t atime, atime_ns, mtime, mtime_ns, ctime, ctime_ns;
	int64_t unused[3];
};
_Static_assert(sizeof(struct abi_stat) == 144, "struct stat");

struct abi_statx_timestamp {
	int64_t sec;
	uint32_t nsec;
	int32_t pad;
};
struct abi_statx {
	uint32_t mask, blksize;
	uint64_t attributes;
	uint32_t nlink, uid, gid;
	uint16_t mode, pad1;
	uint64_t ino, size, blocks, attributes_mask;
	struct abi_statx_timestamp atime, btime, ctime, mtime;
	uint32_t rdev_major, rdev_minor, dev_major, dev_minor;
	uint64_t mnt_id;
	uint32_t dio_mem_align, dio_offset_align;
	uint64_t subvol;
	uint32_t atomic_min, atomic_max, atomic_segments, dio_read_offset_align;
	uint64_t spare[9];
};
_Static_assert(sizeof(struct abi_statx) == 256, "struct statx");

#define ABI_STATX_MNT_ID 0x1000u
#define ABI_STATX_MNT_ID_UNIQUE 0x4000u
#define ABI_STATX_ATTR_MOUNT_ROOT 0x2000u

#endif
