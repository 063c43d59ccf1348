/* A file's answer to mmap(2): which host descriptor memd is to lend, or that plain anonymous memory
 * serves (/dev/zero). */
#ifndef SYSD_MM_MMAP_REQ_H
#define SYSD_MM_MMAP_REQ_H
#include <stdbool.h>
#include <stdint.h>
struct mmap_req {
	/* in */
	uint64_t size, offset;
	uint32_t prot, flags;
	/* out */
	int host_fd;        /* stays the file's; -1 with anonymous set */
	bool anonymous;
	uint64_t object_id; /* names the host descriptor to memd, which caches it; 0: do not cache */
	bool host_writable; /* the descriptor is open for writing: lend it so only for a shared writable map */
};
/* A fresh object_id. */
uint64_t mmap_object_id_new(void);
/* Tells memd to forget a cached descriptor. */
void mmap_object_forget(uint64_t object_id);
#endif
