/* execve(2): from a path to a running image. */
#ifndef SYSD_EXEC_EXEC_H
#define SYSD_EXEC_EXEC_H

struct task;
struct path;
struct file;

/* Replaces t's program. argv and envp are NULL-terminated kernel copies. On success the task has a
 * new mm and host thread, t->ht->regs hold the entry state and t->regs_replaced is set; past the point
 * of no return a failure kills the task. `name` is what AT_EXECFN and comm come from. Sleeps.
 * Returns 0 or -errno as execve. */
int exec_task(struct task *t, struct file *prog, const char *name, char *const *argv,
	      char *const *envp);

#endif
