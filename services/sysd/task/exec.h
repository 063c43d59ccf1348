/* What execve(2) changes in a task. services/sysd/exec builds an image in a blank process, then has it
 * taken over here:
 *
 *   exec_creds()        the credentials to come (AT_UID..., AT_SECURE need them)
 *   ... the image is mapped, the stack is written; nothing of the task has changed yet ...
 *   task_exec_commit()  the point of no return
 *   t->ht->regs = entry state, t->regs_replaced = true
 */
#ifndef SYSD_TASK_EXEC_H
#define SYSD_TASK_EXEC_H

#include <stdbool.h>

struct cred;
struct file;
struct hthread;
struct mm;
struct task;

/* From exec_creds() on until they came true, or did not: whoever would see the task with its old credentials and have it
 * with the new ones waits (a tracer that attaches, a filter for all threads). */
void exec_begin(struct task *t);
void exec_end(struct task *t);
/* Waits until no exec of `of` is between the two. -ERESTARTNOINTR. `of` may be gone then. */
int exec_wait_end(struct task *of);
/* The credentials t has after an exec of `prog` (setuid and setgid bits, file capabilities, securebits,
 * ambient capabilities, no_new_privs, nosuid mounts): a fresh reference in *ret_cred, AT_SECURE in
 * *ret_secure. For a script, prog is the interpreter. May sleep. 0 or -errno. */
int exec_creds(struct task *t, struct file *prog, struct cred **ret_cred, bool *ret_secure);

/* The complete image stands in `mm`, whose host thread `ht` waits for its first reply and is bound to
 * nobody. Ends the other threads of the group, releases a parent that waits in vfork, leaves the old
 * address space, closes close-on-exec descriptors, resets signal handlers, takes over the credentials,
 * and sets comm and the exe link. The references of mm and cred and the ownership of ht pass to the
 * task on success; prog stays the caller's. `comm` may be a path: its last component counts. t may be
 * a task that was never started (no mm and no ht yet). Sleeps.
 * Returns 0; -EAGAIN when the task is being killed or another of its threads is ahead in exec: then
 * nothing has changed. */
int task_exec_commit(struct task *t, struct mm *mm, struct hthread *ht, struct cred *cred,
		     struct file *prog, const char *comm);

#endif
