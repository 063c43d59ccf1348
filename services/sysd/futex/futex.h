/* Futexes. Waits and wakes of guest threads are the host's own, done by the runtime (T0): guest memory
 * is the host process's, so that a word has one queue, the host kernel's. What reaches sysd is
 * priority inheritance, which needs the guest's thread ids, and the plain operations of a traced
 * task. */
#ifndef SYSD_FUTEX_FUTEX_H
#define SYSD_FUTEX_FUTEX_H

#include <stdbool.h>
#include <stdint.h>

struct task;

/* A thread is gone: its robust list is walked, its locks passed on. Called on its own strand while t->mm is
 * still set; its host thread may be dead. May sleep. */
void futex_exit_robust(struct task *t);

/* pi.c */
long futex_lock_pi(struct task *t, uint64_t uaddr, uint64_t utimeout, bool shared, bool realtime,
		   bool try_only);
long futex_unlock_pi(struct task *t, uint64_t uaddr, bool shared);
long futex_wait_requeue_pi(struct task *t, uint64_t uaddr, uint32_t val, uint64_t utimeout,
			   uint64_t uaddr2, bool shared, bool realtime);
long futex_cmp_requeue_pi(struct task *t, uint64_t uaddr, uint32_t nr_wake, uint32_t nr_requeue,
			  uint64_t uaddr2, uint32_t val, bool shared);
void futex_pi_owner_died(struct task *t);
/* Atomically, in the memory of t's process: *ret_old is what stood there. 0 or -EFAULT, -ESRCH. */
int futex_cmpxchg(struct task *t, uint64_t uaddr, uint32_t from, uint32_t to, uint32_t *ret_old);

#endif
