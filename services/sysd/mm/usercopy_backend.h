/* How guest memory is reached when the slot's window does not have it. Production has one backend
 * (process_vm_readv and process_vm_writev on the host process of the address space); a unit test
 * replaces it. */
#ifndef SYSD_MM_USERCOPY_BACKEND_H
#define SYSD_MM_USERCOPY_BACKEND_H

#include <stdint.h>
#include <sys/types.h>

struct task;
struct mm;
struct usercopy_backend {
	/* Bytes copied before the first fault, or -EFAULT when none. t may be NULL when mm is given and
	 * the other way round. */
	ssize_t (*read)(struct task *t, struct mm *mm, void *dst, uint64_t uaddr, size_t size);
	ssize_t (*write)(struct task *t, struct mm *mm, uint64_t uaddr, const void *src, size_t size);
};
extern const struct usercopy_backend *usercopy_backend;

#endif
