/* Descriptor tables (CLONE_FILES). */
#ifndef SYSD_VFS_FDTABLE_H
#define SYSD_VFS_FDTABLE_H

#include <stdbool.h>
#include <stdint.h>

struct file;
struct task;
struct fdtable;

struct fdtable *fdtable_new(void);
struct fdtable *fdtable_ref(struct fdtable *ft);
void fdtable_unref(struct fdtable *ft);       /* last: closes all; may sleep */
struct fdtable *fdtable_dup(struct fdtable *ft);
unsigned fdtable_users(const struct fdtable *ft);
void fdtable_close_on_exec(struct fdtable *ft, struct task *t);
/* The file behind fd with a reference, or NULL. fd_get refuses O_PATH files, fd_get_any does not. */
struct file *fd_get(struct task *t, int fd);
struct file *fd_get_any(struct task *t, int fd);
/* Installs f at the lowest free number >= min; takes the reference on success. The number, -EMFILE. */
int fd_install(struct task *t, struct file *f, int min, bool cloexec);
/* At a given number; what stood there is closed. Takes the reference on success. */
int fd_install_at(struct task *t, struct file *f, int fd, bool cloexec);
int fd_close(struct task *t, int fd);
bool fd_cloexec(struct task *t, int fd);
int fd_set_cloexec(struct task *t, int fd, bool on);
/* Next used descriptor >= fd of any table, or -1; for /proc/PID/fd and close_range. */
int fdtable_next(const struct fdtable *ft, int fd);
struct file *fdtable_get(const struct fdtable *ft, int fd); /* a reference */

#endif
