/* Guest ABI of io_setup(2) and its kin. */
#ifndef SYSD_ABI_AIO_H
#define SYSD_ABI_AIO_H

#include <stdint.h>

enum {
	ABI_IOCB_PREAD = 0,
	ABI_IOCB_PWRITE = 1,
	ABI_IOCB_FSYNC = 2,
	ABI_IOCB_FDSYNC = 3,
	ABI_IOCB_POLL = 5,
	ABI_IOCB_PREADV = 7,
	ABI_IOCB_PWRITEV = 8,
};
#define ABI_IOCB_FLAG_RESFD 1u
#define ABI_IOCB_FLAG_IOPRIO 2u

struct abi_iocb {
	uint64_t data;
	uint32_t key;
	int32_t rw_flags;
	uint16_t opcode;
	int16_t reqprio;
	uint32_t fd;
	uint64_t buf, size;
	int64_t offset;
	uint64_t reserved;
	uint32_t flags, resfd;
};
struct abi_io_event {
	uint64_t data, obj;
	int64_t res, res2;
};
/* The start of the ring that the kernel maps at the context's address. */
struct abi_aio_ring {
	uint32_t id, nr, head, tail, magic, compat_features, incompat_features, header_size;
};

#endif
