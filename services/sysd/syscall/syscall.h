/* The system call table and its dispatch. */
#ifndef SYSD_SYSCALL_SYSCALL_H
#define SYSD_SYSCALL_SYSCALL_H

#include <stddef.h>
#include <stdint.h>

struct task;

/* A handler: arguments as the guest passed them, untrusted. Returns the result or -errno. */
typedef long (*sys_fn)(struct task *t, const uint64_t a[6]);
#define SYS_HANDLER(name) long sys_##name(struct task *t, const uint64_t a[6])

enum arg_kind {
	ARG_NONE = 0,
	ARG_INT, ARG_UINT, ARG_LONG, ARG_HEX, ARG_OCT, ARG_SIZE, ARG_OFF, ARG_PTR,
	ARG_FD, ARG_DIRFD, ARG_PID, ARG_UID, ARG_SIG, ARG_CLOCK,
	ARG_PATH, ARG_STR,
	ARG_IN,          /* struct of `size` bytes */
	ARG_OUT,         /* struct of `size` bytes */
	ARG_INOUT,
	ARG_IN_BUF,      /* args[len_arg] bytes */
	ARG_OUT_BUF,
	ARG_IOV_IN,      /* args[len_arg] iovecs whose contents are read */
	ARG_IOV_OUT,
	ARG_IN_ARRAY,    /* args[len_arg] (an unsigned int) structs of `size` bytes */
	ARG_FDSET,       /* a set of args[len_arg] descriptors */
	ARG_MSG_IN,      /* a msghdr whose contents are read */
	ARG_MSG_OUT,
	ARG_KINDS
};
/* How strace shows an argument; 0: by its kind. */
enum arg_show {
	SHOW_NOTHING_SPECIAL,
#define SHOW(name) SHOW_##name,
#define SHOW_RESULT(name) SHOW_##name,
#include "services/sysd/syscall/strace/show.def"
#undef SHOW
#undef SHOW_RESULT
};
struct arg_spec {
	uint8_t kind, len_arg;
	uint16_t size;
	uint8_t show;          /* enum arg_show */
};
enum sys_support { SUP_FULL = 1, SUP_PARTIAL, SUP_NONE };
struct syscall_desc {
	const char *name;
	sys_fn fn;             /* weak: NULL when no file defines it, and the call is ENOSYS */
	struct arg_spec arg[6];
	uint8_t support;       /* of a present handler; a missing one is SUP_NONE */
	uint8_t tier;          /* 0: the runtime may answer alone, 1: sysd, 2: needs another service */
	const char *note;      /* what is missing, or why there is none */
};
#define SYSCALL_COUNT 463
extern const struct syscall_desc syscall_table[SYSCALL_COUNT];

/* Runs the call in t->nr, t->args and returns its result (-ERESTART* included). */
int64_t syscall_dispatch(struct task *t);
/* Fills the runtime's hints from the table. */
struct sbx_ctl;
void syscall_fill_hints(struct sbx_ctl *ctl);
/* strace: on or off, and the line of one finished call. strace_before: what must be written down before the
 * call, since its arguments will be gone (execve) or it does not come back (exit); NULL for others;
 * strace_call frees it. */
extern int strace_enabled;
char *strace_before(struct task *t);
void strace_call(struct task *t, int64_t ret, uint64_t start_ns, char *before);
/* The call that t is in, as strace would begin its line; buf gets at most size bytes with the NUL. */
void strace_describe(struct task *t, char *buf, size_t size);

#endif
