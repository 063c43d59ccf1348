/* ptrace(2): who may look into whom, and the state of a traced task. */
#ifndef SYSD_TASK_PTRACE_H
#define SYSD_TASK_PTRACE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct task;
struct mm;

/* The access rule of ptrace(2), process_vm_readv(2), pidfd_getfd(2)...: the same (real) user with no more capabilities,
 * and dumpable, or CAP_SYS_PTRACE. */
bool ptrace_may_access(const struct task *t, const struct task *of);
/* The same for files of /proc/PID, where the file system user counts. */
bool ptrace_may_look(const struct task *t, const struct task *of);
/* Of a traced task: may its tracer have rights over it that it gains? */
bool ptrace_tracer_capable(const struct task *t);
/* The tracer's id for /proc/PID/status, 0: none. */
uint32_t ptrace_tracer_tid(const struct task *t);
/* Writes memory that the guest itself may only read (/proc/PID/mem): for the caller's own process and
 * for one that it traces and that is stopped. `size` within one page. Sleeps. size, or -EFAULT. */
ssize_t ptrace_force_write(struct mm *mm, uint64_t addr, const void *src, size_t size);

#endif
