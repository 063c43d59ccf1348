/* Guest memory, from a system call handler. A handler never holds a pointer into guest memory:
 * it copies, once, into its own. Small pieces usually stand in the slot's window already (the
 * runtime put them there following the table's argument kinds); what does not is fetched with
 * process_vm_readv(2). The caller need not know which.
 *
 * All take guest addresses, return 0 (or a length) or -EFAULT, and never sleep. */
#ifndef SYSD_MM_USERCOPY_H
#define SYSD_MM_USERCOPY_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct task;
struct mm;

int user_read(struct task *t, void *dst, uint64_t uaddr, size_t size);
/* Writes reach guest memory at the latest when the call returns; they may be carried by the reply. */
int user_write(struct task *t, uint64_t uaddr, const void *src, size_t size);
/* Writes that another thread of the guest must see before this call returns. */
int user_write_now(struct task *t, uint64_t uaddr, const void *src, size_t size);
int user_clear(struct task *t, uint64_t uaddr, size_t size);
/* Copies a NUL-terminated string of at most size - 1 bytes. Returns its length; -ENAMETOOLONG when
 * there is no NUL within size. */
ssize_t user_read_str(struct task *t, char *dst, uint64_t uaddr, size_t size);
/* A path: as user_read_str with PATH_MAX into a fresh allocation; the caller frees *ret_path. */
int user_read_path(struct task *t, uint64_t uaddr, char **ret_path);

/* Any process's memory, not through the window (ptrace, process_vm_*, /proc/PID/mem, robust lists).
 * Return the count copied, or -EFAULT when nothing was. */
ssize_t mm_read(struct mm *mm, void *dst, uint64_t uaddr, size_t size);
ssize_t mm_write(struct mm *mm, uint64_t uaddr, const void *src, size_t size);

#define user_get(t, var, uaddr) user_read(t, &(var), uaddr, sizeof(var))
#define user_put(t, var, uaddr) user_write(t, uaddr, &(var), sizeof(var))

#endif
