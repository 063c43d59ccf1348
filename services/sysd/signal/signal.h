/* Sending, queueing and delivering signals (signal(7)). */
#ifndef SYSD_SIGNAL_SIGNAL_H
#define SYSD_SIGNAL_SIGNAL_H

#include "services/sysd/signal/sigtypes.h"

struct task;
struct signal;

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
 * handler. Turns -ERESTART* in *ret into -EINTR or into a restart (registers in the slot). Fills
 * slot.sig and returns true when a handler is to run (the reply is SBX_ACT_SIGNAL). */
bool signal_deliver(struct task *t, int64_t *ret);

/* Takes the next signal of `set` off the queues into *info; returns its number or 0. Prefers
 * synchronous ones, then the lowest number; thread before group. */
int signal_dequeue(struct task *t, sigset64_t set, struct abi_siginfo *info);

struct sighand *sighand_new(void);
struct sighand *sighand_dup(const struct sighand *sh);
void sighand_unref(struct sighand *sh);
void sigpending_init(struct sigpending *p);
void sigpending_flush(struct sigpending *p);

#endif
