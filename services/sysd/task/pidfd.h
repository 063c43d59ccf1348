/* Descriptors of processes (pidfd_open(2)). They hold the thread group, not its id. */
#ifndef SYSD_TASK_PIDFD_H
#define SYSD_TASK_PIDFD_H

struct file;
struct signal;
struct task;

/* flags: PIDFD_NONBLOCK, PIDFD_THREAD. 0 or -errno. */
int pidfd_new(struct task *of, unsigned flags, struct file **ret_file);
/* The group behind a pidfd; NULL: another kind of file. Valid while the file is. */
struct signal *pidfd_signal(struct file *file);
/* The thread that a pidfd names, NULL when it is gone. Valid until the caller sleeps. */
struct task *pidfd_task(struct file *file);

#endif
