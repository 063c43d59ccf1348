/* Questions that only a host thread can answer about itself: it asks the host on sysd's behalf. The
 * answer is what hostile code claims, which harms nobody but itself. */
#ifndef SYSD_TIME_HOSTSELF_H
#define SYSD_TIME_HOSTSELF_H
#include <stdint.h>
struct task;
struct abi_rusage;
/* Both for the current task, and sleep. 0 or -errno. */
int host_self_rusage(struct task *t, int who, struct abi_rusage *ret);
int host_self_cputime(struct task *t, uint64_t *ret_ns);
/* Runs a host call whose argument `ptr_arg` points to `size` bytes of the slot's window, whose
 * content is taken from and brought back to buf. Returns the call's result. */
int64_t host_self_call(struct task *t, long nr, const uint64_t args[6], int ptr_arg, void *buf,
		       uint32_t size);
#endif
