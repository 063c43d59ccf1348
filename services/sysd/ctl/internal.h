/* What the files of ctl/ share. */
#ifndef SYSD_CTL_INTERNAL_H
#define SYSD_CTL_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "common/ipc/msg_ctl.h"

struct task;
struct tty;
struct path;

/* A failure as the launcher shows it: -errno and a sentence. */
struct ctl_error {
	char text[512];
};
int ctl_fail(struct ctl_error *e, int error, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* The sandbox. */
struct sandbox {
	struct task *init;      /* pid 1, from configuration on; NULL before and after */
	bool configured, started;
	struct tty *console;    /* of pid 1, or NULL */
};
extern struct sandbox sandbox;

/* ctl.c: the descriptor of a ticket, -errno. */
int ctl_take_fd(uint64_t ticket);
void ctl_notify_exit(uint32_t pid, int status);

/* Each serves one request on a strand. The value of the reply, or -errno with e set. */
int do_configure(const struct ctl_config *c, struct ctl_error *e);          /* mounts.c */
int do_start(const struct ctl_process *p, struct ctl_error *e);             /* process.c */
int do_check(const struct ctl_process *p, struct ctl_error *e);
int do_exec(const struct ctl_process *p, struct ctl_error *e);
int do_signal(uint32_t pid, int signo, bool all, struct ctl_error *e);
int do_resize(uint32_t pid, uint16_t rows, uint16_t cols, struct ctl_error *e);
int do_stop(struct ctl_error *e);
char *do_ps(void);                                                          /* report.c */
char *do_stats(void);
char *do_debug(void);
char *do_net(void);

/* tree.c: names in the container's tree, as the task sees it (it has all capabilities then). */
/* Makes a directory (mode 0755) and those above it. 0 or -errno; an existing one is fine. */
int tree_mkdirs(struct task *t, const char *path);
/* An empty file; an existing one of any kind but a directory is fine. */
int tree_mkfile(struct task *t, const char *path);
int tree_mknod(struct task *t, const char *path, uint32_t mode, uint64_t rdev);
int tree_symlink(struct task *t, const char *path, const char *target);
int tree_write(struct task *t, const char *path, const char *text);

/* null.c: the null device, the container's own or ours; references are taken. 0 or -errno. Sleeps. */
int null_path(struct task *t, struct path *ret);

/* copyup.c: the content of a folder, read, and made again below the same path. */
struct copy;
int copy_read(struct task *t, const char *path, struct copy **ret);
int copy_write(struct task *t, struct copy *c);
void copy_free(struct copy *c);

#endif
