/* sysd's end of the channel to memd: processes, approved mappings and forks, and their deaths.
 *
 * Orders that a guest's own call will carry to memd (map, fork) are written quietly: the call's
 * notification wakes memd, which reads the ring before it judges. Everything else rings an eventfd. */
#ifndef SYSD_MM_MEMD_CLIENT_H
#define SYSD_MM_MEMD_CLIENT_H

#include <stdbool.h>
#include <stdint.h>
#include "common/ipc/msg_memd.h"

struct hprocess;

struct memd_info {
	uint64_t base;             /* R of common/slot/slot.h */
	uint64_t vdso, vdso_size;
	uint64_t text_size;
};
extern struct memd_info memd_info;

/* Before the executor runs: gives memd the control page and the bell, waits (blocking) until it has
 * made the zygote, fills memd_info and ctl->base, and becomes a source of the executor.
 * 0 or -errno. */
int memd_client_start(int ring_fd, int pass_sock, unsigned pool_size);

/* A blank process out of the pool; one reference. Sleeps until there is one. -EAGAIN after 10 s. */
int memd_take_blank(struct hprocess **ret_hp);
/* hp may carry out this mmap call once; host_fd is lent to it at the number args[4] (see
 * memd_lend_fd). object_id as in mmap_req. May sleep. 0 or -errno. */
int memd_order_map(struct hprocess *hp, const uint64_t args[6], int host_fd, uint64_t object_id,
		   bool writable);
/* The descriptor number for a thread's next mapping. */
static inline int memd_lend_fd(uint32_t thread_index)
{
	return MEMD_LEND_FD + (int)(thread_index % (MEMD_LEND_FD_END - MEMD_LEND_FD));
}

/* A fork: *ret_hp (one reference) is the child to be, with its slots; *ret_cookie goes into
 * SBX_HOP_CLONE_PROCESS of a thread of the parent. Its host process is known when memd_wait_started returns 0;
 * memd_kill before that calls it off. Sleeps. 0, -EAGAIN or -ENOMEM. */
int memd_fork_begin(struct hprocess *parent, struct hprocess **ret_hp, uint32_t *ret_cookie);
/* Sleeps until memd has met the host process of hp; 0, or -ESRCH: it will not come, or is gone. */
int memd_wait_started(struct hprocess *hp);

/* SIGKILL, whatever the process does. One that was told to end (hthread_reply_exit of its group) gets a moment
 * to do so by itself. */
void memd_kill(struct hprocess *hp);
/* A file of the process's host /proc directory; a descriptor of the caller's. Sleeps. */
int memd_open(struct hprocess *hp, enum memd_open what);
/* RLIMIT_AS, DATA, STACK or MEMLOCK of the host process. With `wait`, sleeps until it holds; else it
 * holds from the process's next notified call on. */
int memd_set_limit(struct hprocess *hp, unsigned resource, uint64_t soft, uint64_t hard, bool wait);

#endif
