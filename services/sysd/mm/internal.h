/* Shared by the files of mm/. */
#ifndef SYSD_MM_INTERNAL_H
#define SYSD_MM_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

struct task;
struct file;
struct mmap_req;
struct path;

#define USER_TOP 0x7ffffffff000ull

/* Does [addr, addr + size) touch the runtime's region? */
bool mm_touches_runtime(uint64_t addr, uint64_t size);
/* The size in whole pages, or 0 when it overflows (or is 0). */
static inline uint64_t page_round(uint64_t size)
{
	return (size + 4095) & ~4095ull;
}
/* Is a host call's result an address that could be one? */
bool mm_plausible(int64_t addr, uint64_t size);
/* Has t's runtime map an approved descriptor; args[4] is filled in here. The address or -errno. */
int64_t mm_map_approved(struct task *t, uint64_t args[6], int host_fd, uint64_t object_id, bool writable);

#endif
