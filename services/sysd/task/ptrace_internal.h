/* The state of a traced task, and what stops of it there are. A tracee stops on its own strand
 * (ptrace_stop parks it); its tracer's calls work on it meanwhile. */
#ifndef SYSD_TASK_PTRACE_INTERNAL_H
#define SYSD_TASK_PTRACE_INTERNAL_H

#include "services/sysd/abi/ptrace.h"
#include "services/sysd/task/internal.h"
#include "services/sysd/task/ptrace.h"

struct ptrace {
	struct task *tracee, *tracer;
	struct list tracer_node;    /* in tracer->ptraced */
	uint32_t options;
	bool seized;
	/* how it was last resumed */
	bool trace_syscalls, single_step, listening;
	/* a stop that was asked for */
	bool interrupt;
	bool notify;                /* seized: the group went on while it was in a stop */
	bool attach_stop;           /* the first stop of a child that was attached by an event */
	/* the present stop */
	bool stopped, reported;
	bool in_syscall_entry, in_syscall_stop, in_seccomp_stop;
	int32_t stop_code;          /* as wait reports it, shifted by 8 later */
	uint64_t message;           /* PTRACE_GETEVENTMSG */
	struct abi_siginfo info;
	bool has_info;
	int inject;                 /* the signal that the resumption gave */
	bool regs_set;              /* the tracer wrote registers */
	bool reply_regs;            /* the reply has to carry all registers */
	bool exit_stop;             /* PTRACE_EVENT_EXIT: an exit_group does not skip it */
	int clone_event;            /* to report once the child runs */
};

/* The task is traced from now on. -EPERM, -ENOMEM. */
int ptrace_link(struct task *tracee, struct task *tracer, bool seized, uint32_t options);
/* PTRACE_DETACH: it goes on with this signal. */
void ptrace_unlink_with(struct task *tracee, int signo);
/* It was in PTRACE_LISTEN and is to report again. */
void ptrace_resume_listening(struct task *tracee);
/* Stops the current task until its tracer resumes it; code is stop_code. Returns the signal that the
 * tracer gave. */
int ptrace_stop(struct task *t, int32_t code, const struct abi_siginfo *info);
void ptrace_resume(struct task *tracee, int signo);
/* A fatal end of the tracer's threads. */
void ptrace_tracer_exit(struct task *tracer);

/* Registers of a stopped task as user_regs_struct has them. */
void ptrace_get_regs(const struct task *t, struct abi_user_regs *ret);
/* -EIO: values that no user mode may have. */
int ptrace_set_regs(struct task *t, const struct abi_user_regs *regs);
/* Guest memory of a stopped task, read-only pages included. */
int ptrace_poke(struct task *tracee, uint64_t addr, const void *src, size_t size);

#endif
