/* Sending, queueing and delivering signals (signal(7)). */
#ifndef SYSD_SIGNAL_SIGNAL_H
#define SYSD_SIGNAL_SIGNAL_H

#include "services/sysd/signal/sigtypes.h"

struct task;
struct signal;
struct sbx_sigframe_req;

/* si_code values that the kernel itself sends. */
#define ABI_SI_USER 0
#define ABI_SI_KERNEL 0x80
#define ABI_SI_QUEUE -1
#define ABI_SI_TIMER -2
#define ABI_SI_TKILL -6

/* To one thread, or to a thread group. info may be NULL: SI_KERNEL. Return 0 or -EAGAIN (queue
 * limit of real-time signals). Never sleep. */
int signal_send_task(struct task *t, int signo, const struct abi_siginfo *info);
int signal_send_group(struct signal *sig, int signo, const struct abi_siginfo *info);
/* To all thread groups of a process group; -ESRCH when there is none. */
int signal_send_pgrp(uint32_t pgid, int signo, const struct abi_siginfo *info);
/* The same as t's kill(2): to those that it may signal; -EPERM when there are others alone. */
int signal_kill_pgrp(struct task *t, uint32_t pgid, int signo, const struct abi_siginfo *info);
/* A fault or other synchronous signal of the task itself: a blocked or ignored one kills. */
void signal_force(struct task *t, int signo, const struct abi_siginfo *info);
/* SIGPIPE of a write. */
void signal_pipe(struct task *t);

/* A reason to leave an interruptible sleep: a deliverable signal, a stop, a kill, exit. */
bool signal_pending(const struct task *t);
/* Only SIGKILL or group exit. */
bool signal_fatal_pending(const struct task *t);
/* Recomputes t->sigpending_flag and slot.sigpending, and interrupts t: wakes its sleep, or kicks its
 * host thread when it runs guest code. */
void signal_wake_task(struct task *t, bool fatal);
void signal_recalc(struct task *t);
/* Sets the blocked mask (KILL and STOP are removed) here and in the slot. */
void signal_set_blocked(struct task *t, sigset64_t mask);

/* The way out of a system call or kick, on the task's strand: stops, kills, or prepares one
 * handler. Turns -ERESTART* in *ret into -EINTR or into a restart (then t->regs_replaced is set and the
 * registers say so). Returns true when a handler is to run: *ret_req describes its frame. Does not
 * return when the task ends. */
bool signal_deliver(struct task *t, int64_t *ret, struct sbx_sigframe_req *ret_req);

/* Takes the next signal of `set` off the queues into *info; returns its number or 0. Prefers
 * synchronous ones, then the lowest number; thread before group. */
int signal_dequeue(struct task *t, sigset64_t set, struct abi_siginfo *info);

/* sigaltstack(2) with what a stack_t holds, at the task's registers: 0 or -errno. */
int signal_set_altstack(struct task *t, uint64_t sp, uint32_t flags, uint64_t size);

/* The mask that holds now: the slot's while guest code runs. */
sigset64_t signal_blocked(const struct task *t);
/* A wait with another mask (sigsuspend, ppoll, pselect, epoll_pwait): sets it and has the old one
 * restored at the way out, after a handler ran or not. */
void signal_set_temp_mask(struct task *t, sigset64_t mask);
/* The wait ended without -EINTR: the old mask is back. */
void signal_restore_temp_mask(struct task *t);
/* All thread groups that the rule of kill(2) lets t signal: 0 or -EPERM. */
int signal_may_send(struct task *t, struct signal *to, int signo);
/* Is this signal ignored by the group (SIG_IGN or ignored by default)? For SIGTTOU and its kin. */
bool signal_is_ignored(const struct task *t, int signo);

struct sighand *sighand_new(void);
struct sighand *sighand_dup(const struct sighand *sh);
void sighand_unref(struct sighand *sh);
void sigpending_init(struct sigpending *p);
void sigpending_flush(struct sigpending *p);

#endif
