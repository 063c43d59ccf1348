/* execve(2): from an opened file to a running image. */
#ifndef SYSD_EXEC_EXEC_H
#define SYSD_EXEC_EXEC_H

struct task;
struct path;
struct file;
struct hthread;

/* Replaces t's program. argv and envp are NULL-terminated kernel copies. On success the task has a
 * new mm and host thread, t->ht->regs hold the entry state and t->regs_replaced is set; past the point
 * of no return a failure kills the task. `name` is what AT_EXECFN and comm come from. Sleeps.
 * Returns 0 or -errno as execve.
 *
 * Who does what of execve(2). task/exec glue (sys_execve, sys_execveat): copies the arguments in, opens
 * the file, checks MAY_EXEC on it, then calls this. exec_task builds the whole new image in a blank
 * host process while t and its memory are untouched: until then every failure is a plain -errno. Then:
 *
 *   1. task_exec_begin(t): the point of no return
 *   2. t->mm, t->ht, t->cred (set-id bits), t->comm, signal->exe are exchanged here
 *   3. the old host thread: task_vfork_return(t, old_ht) when t->vfork_borrowed, else hthread_free;
 *      the old mm is unreferenced
 *   4. task_exec_finish(t)
 */
int exec_task(struct task *t, struct file *prog, const char *name, char *const *argv,
	      char *const *envp);

/* ---- provided by task/ (the glue), called by exec_task ---------------------------------------- */

/* Ends the other threads of t's group and makes t its leader; lets go of what lies in the old memory
 * (robust list, clear_child_tid). Sleeps. 0, or -EINTR when t itself is to die (exec_task returns it
 * and nothing has changed but the threads). */
int task_exec_begin(struct task *t);
/* t was running on its vfork parent's host thread: gives it back (the parent's registers too). */
void task_vfork_return(struct task *t, struct hthread *old_ht);
/* In the new image: close-on-exec descriptors, signal actions (handlers to default, ignored stay),
 * alternate stack off, POSIX timers, personality and dumpable, did_exec, and the vfork parent's
 * wake-up. May sleep; cannot fail. */
void task_exec_finish(struct task *t);

#endif
