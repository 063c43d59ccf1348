/* Directory notification by signal (fcntl(2), F_NOTIFY). */
#ifndef SYSD_VFS_DNOTIFY_H
#define SYSD_VFS_DNOTIFY_H

#include <stdint.h>

struct file;
struct inode;
struct task;

int dnotify_set(struct task *t, struct file *f, int fd, uint32_t mask);
/* Marks of f set through this table (NULL: any) go. */
void dnotify_remove(struct file *f, const void *owner);
/* Beside IN_*: a rename within one directory, which is all that DN_RENAME tells of. */
#define DNOTIFY_RENAME 0x10000000u
/* An event (IN_*) for an entry of dir, or for dir itself; dir has marks. */
void dnotify_event(struct inode *dir, uint32_t mask);

#endif
