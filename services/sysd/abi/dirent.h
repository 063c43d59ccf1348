/* Directory entries of getdents(2) and getdents64(2) as the guest sees them. */
#ifndef SYSD_ABI_DIRENT_H
#define SYSD_ABI_DIRENT_H

#include <stdint.h>

struct abi_dirent {
	uint64_t ino, off;
	uint16_t reclen;
	char name[]; /* NUL, padding, and the type in the record's last byte */
};
#define ABI_DIRENT_NAME 18u

struct abi_dirent64 {
	uint64_t ino;
	int64_t off;
	uint16_t reclen;
	uint8_t type;
	char name[];
};
#define ABI_DIRENT64_NAME 19u

#endif
