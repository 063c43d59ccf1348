/* What the files of signal/ and task/ share among themselves. */
#ifndef SYSD_SIGNAL_INTERNAL_H
#define SYSD_SIGNAL_INTERNAL_H

#include "services/sysd/abi/signal.h"
#include "services/sysd/core/errno.h"
#include "services/sysd/signal/signal.h"
#include "services/sysd/task/task.h"

#define SIG_UNBLOCKABLE (SIG_BIT(SIGKILL) | SIG_BIT(SIGSTOP))
#define SIG_STOPS (SIG_BIT(SIGSTOP) | SIG_BIT(SIGTSTP) | SIG_BIT(SIGTTIN) | SIG_BIT(SIGTTOU))
#define SIG_DFL_IGNORED (SIG_BIT(SIGCONT) | SIG_BIT(SIGCHLD) | SIG_BIT(SIGWINCH) | SIG_BIT(SIGURG))
#define SIG_SYNCHRONOUS                                                                         \
	(SIG_BIT(SIGSEGV) | SIG_BIT(SIGBUS) | SIG_BIT(SIGILL) | SIG_BIT(SIGTRAP) |             \
	 SIG_BIT(SIGFPE) | SIG_BIT(SIGSYS))
#define SIG_CORES                                                                               \
	(SIG_BIT(SIGQUIT) | SIG_BIT(SIGILL) | SIG_BIT(SIGTRAP) | SIG_BIT(SIGABRT) |            \
	 SIG_BIT(SIGFPE) | SIG_BIT(SIGSEGV) | SIG_BIT(SIGBUS) | SIG_BIT(SIGSYS) |              \
	 SIG_BIT(SIGXCPU) | SIG_BIT(SIGXFSZ))

static inline const struct abi_sigaction *sig_action(const struct task *t, int signo)
{
	return &t->sighand->action[signo - 1];
}

/* Where a caller's signals come from. */
void siginfo_user(struct abi_siginfo *info, struct task *from, int signo, int code);

/* Puts into a queue without looking at handlers, and wakes who waits for it. */
int signal_queue(struct task *t, struct signal *sig, int signo, const struct abi_siginfo *info);
/* Takes these signals out of the queues of a group. */
void signal_flush(struct signal *sig, sigset64_t set);
void sigpending_remove(struct sigpending *p, sigset64_t set);
/* Moves or takes one entry (bit cleared when the last is gone). */
bool sigpending_take(struct sigpending *p, int signo, struct abi_siginfo *info);

/* jobctl.c */
void jobctl_stop(struct signal *sig, int signo);          /* orders the stop */
void jobctl_continue(struct signal *sig);                 /* SIGCONT came */
void jobctl_stop_here(struct task *t);                    /* on t's strand, at its way out */
bool pgrp_is_orphaned(uint32_t pgid, const struct signal *but);
void pgrp_check_orphaned(struct signal *exiting, struct signal *parent);
/* SIGCHLD of a stop or a continuation. */
void notify_parent_cldstop(struct signal *sig, struct task *who, int code);
/* After a thread is gone or stopped: has the whole group stopped now? */
void jobctl_check_stopped(struct signal *sig, struct task *last);

/* task/ptrace.c; *ret is the result of the call that is left, which a tracer may change. */
bool ptrace_has_work(const struct task *t);
/* A signal on its way to a traced task: returns the signal to deliver, 0 to drop. */
int ptrace_signal(struct task *t, int signo, struct abi_siginfo *info, int64_t *ret);
void ptrace_stops(struct task *t, int64_t *ret);
void ptrace_group_continued(struct task *t);
void posix_timer_dequeued(struct task *t, struct abi_siginfo *info) __attribute__((weak));

#endif
