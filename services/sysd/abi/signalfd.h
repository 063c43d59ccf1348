/* Guest ABI of signalfd(2). */
#ifndef SYSD_ABI_SIGNALFD_H
#define SYSD_ABI_SIGNALFD_H

#include <stdint.h>

struct abi_signalfd_siginfo {
	uint32_t signo;
	int32_t err, code;
	uint32_t pid, uid;
	int32_t fd;
	uint32_t tid, band, overrun, trapno;
	int32_t status, value;
	uint64_t ptr, utime, stime, addr;
	uint16_t addr_lsb, pad2;
	int32_t syscall;
	uint64_t call_addr;
	uint32_t arch;
	uint8_t pad[28];
};
_Static_assert(sizeof(struct abi_signalfd_siginfo) == 128, "struct signalfd_siginfo is 128 bytes");

#endif
