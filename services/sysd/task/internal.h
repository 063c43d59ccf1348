/* What the files of task/ share among themselves, and the hooks of other subsystems that may not be
 * linked (unit tests). */
#ifndef SYSD_TASK_INTERNAL_H
#define SYSD_TASK_INTERNAL_H

#include "services/sysd/platform/hthread.h"
#include "services/sysd/signal/internal.h"
#include "services/sysd/task/nsproxy.h"
#include "services/sysd/task/task.h"
#include "services/sysd/task/ucount.h"

/* ---- registry.c: ids and lists ---------------------------------------------------------------- */
/* A free id, or 0: none is left. `want` != 0 asks for that one. */
uint32_t tid_alloc(uint32_t want);
void registry_add_task(struct task *t);
void registry_remove_task(struct task *t);
void registry_add_signal(struct signal *sig);
/* exec of a thread that is no leader: both tasks get the other's id. */
void registry_swap_ids(struct task *a, struct task *b);
unsigned registry_task_count(void);
struct signal *init_signal(void); /* of pid 1; NULL when there is none */

/* ---- create.c: the objects -------------------------------------------------------------------- */
struct task *task_alloc(void);
void task_ref(struct task *t);
void task_unref(struct task *t);
struct signal *signal_alloc(void);
struct signal *signal_ref(struct signal *sig);
void signal_unref(struct signal *sig);

/* ---- run.c ------------------------------------------------------------------------------------ */
/* What a new task does first, on its own strand (clone.c). */
void task_first_steps(struct task *t);
/* Ends host threads whose owners are gone: see hostend.c. */
void host_thread_end(struct task *t);
void host_threads_sweep(void);
/* A host thread that was made for t, which will not start after all. */
void host_thread_discard(struct task *t);
/* A thread of a group that ends for good: it need not say another word. */
void host_thread_kill(struct task *t);

/* ---- fork.c ----------------------------------------------------------------------------------- */
/* May t return from the fork that it serves without waiting for the host's? */
bool fork_goes_on(const struct task *t, uint64_t flags);
/* It does, with tid as the result; child exists for everybody from now on. */
void fork_reply(struct task *t, struct task *child, uint32_t tid);
/* The first request of t after that. True: it was the host's failure, and *ret is the call's result; t->nr is that
 * call again. */
bool fork_failed(struct task *t, int req, int64_t *ret);
/* t ends before that. */
void fork_forget(struct task *t);

/* ---- vfork ------------------------------------------------------------------------------------ */
/* exec or exit of a vfork child: the parent goes on, and gets its host thread back. */
void vfork_release(struct task *child);

/* ---- exit.c, reap.c --------------------------------------------------------------------------- */
/* Takes the task out of everything; a zombie's last step. */
void task_release(struct task *t);
/* The group has ended (or is seen to by its tracer): tells the parent. True: nobody waits, release. */
bool notify_parent_exit(struct task *leader);
void reparent_children(struct signal *sig);

/* ---- process groups --------------------------------------------------------------------------- */
bool session_exists(uint32_t sid);

/* ---- others' hooks ---------------------------------------------------------------------------- */
struct tty;
struct sem_undo;
void futex_exit_robust(struct task *t) __attribute__((weak));
void sem_exit(struct task *t) __attribute__((weak));
int sem_clone(struct task *parent, struct task *child, bool share) __attribute__((weak));
void tty_disassociate(struct signal *leader, bool on_exit) __attribute__((weak));
void itimers_exit(struct signal *sig) __attribute__((weak));
void sysvsem_exit(struct signal *sig) __attribute__((weak));
bool sysvsem_has_undo(const struct signal *sig) __attribute__((weak));
void posix_timers_delete_all(struct signal *sig) __attribute__((weak));
void cputime_fork(struct signal *child) __attribute__((weak));
void cputime_exec(struct signal *sig, struct mm *new_mm) __attribute__((weak));
void cputime_exit(struct signal *sig) __attribute__((weak));
void cputime_group(struct signal *sig, uint64_t *u, uint64_t *s) __attribute__((weak));
/* ptrace.c */
void ptrace_unlink(struct task *t);
void ptrace_tracer_exit(struct task *tracer);
bool ptrace_syscall_enter(struct task *t, int64_t *ret);
void ptrace_syscall_exit(struct task *t, int64_t *ret);
void ptrace_put_regs(struct task *t, int64_t ret);
void ptrace_take_regs(struct task *t, int64_t *ret);
bool ptrace_wants_all_regs(struct task *t);
void ptrace_child_born(struct task *t, struct task *child, uint64_t flags);
void ptrace_event_clone(struct task *t, uint32_t child_tid);
void ptrace_event_vfork_done(struct task *t, uint32_t pid);
void ptrace_child_first(struct task *t);
void ptrace_event_exit(struct task *t);
bool ptrace_event_seccomp(struct task *t, uint32_t data, int64_t *ret);
bool ptrace_holds_zombie(struct task *t);
/* exit.c: the tracer has seen a zombie's end. */
void ptrace_zombie_freed(struct task *t);
void task_seccomp_release(struct task *t) __attribute__((weak));
void task_seccomp_inherit(struct task *parent, struct task *child) __attribute__((weak));
/* A filter from outside, for a task that does not run yet. 0, -EINVAL or -ENOMEM. */
int task_seccomp_attach(struct task *t, const void *prog, size_t size);

#endif
