/* execve(2): from an opened file to a running image. */
#ifndef SYSD_EXEC_EXEC_H
#define SYSD_EXEC_EXEC_H

struct task;
struct file;

/* Replaces t's program. argv and envp are NULL-terminated kernel copies. On success the task has a
 * new mm and host thread, t->ht->regs hold the entry state and t->regs_replaced is set. `name` is what
 * AT_EXECFN and comm come from. Sleeps. Returns 0 or -errno as execve.
 *
 * sys_execve (task/) copies the arguments in, opens the file and checks MAY_EXEC on it. exec_task builds
 * the whole new image in a blank host process while t and its memory are untouched, so that every
 * failure is a plain -errno; then task_exec_commit (task/exec.h) is the point of no return. */
int exec_task(struct task *t, struct file *prog, const char *name, char *const *argv,
	      char *const *envp);

#endif
