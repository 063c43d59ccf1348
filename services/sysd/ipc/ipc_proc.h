/* /proc/sysvipc. */
#ifndef SYSD_IPC_IPC_PROC_H
#define SYSD_IPC_IPC_PROC_H
struct seqbuf;
struct task;
struct proc_inode;
int proc_show_sysvipc_msg(struct seqbuf *s, struct task *t, const struct proc_inode *pi);
int proc_show_sysvipc_sem(struct seqbuf *s, struct task *t, const struct proc_inode *pi);
int proc_show_sysvipc_shm(struct seqbuf *s, struct task *t, const struct proc_inode *pi);
#endif
