/* Private to strace/: the line under way, and how an argument is shown. */
#ifndef SYSD_SYSCALL_STRACE_STRACE_H
#define SYSD_SYSCALL_STRACE_STRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct task;

#define LINE_MAX_SIZE 2048
#define STRING_SHOWN 64

struct line {
	char buf[LINE_MAX_SIZE];
	size_t used;
};

void put(struct line *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void put_ptr(struct line *l, uint64_t v);
/* Bytes as a C string; more: there are others behind them. */
void put_bytes(struct line *l, const char *s, size_t size, bool more);
void put_buffer(struct line *l, struct task *t, uint64_t uaddr, size_t size);
void put_string(struct line *l, struct task *t, uint64_t uaddr);

/* One value and its name. A set of bits may hold values of several bits (O_SYNC before O_DSYNC). */
struct name {
	uint64_t value;
	const char *text;
};
void put_bits(struct line *l, const struct name *names, size_t count, uint64_t v);
void put_enum(struct line *l, const struct name *names, size_t count, uint64_t v, const char *otherwise);
void put_signal(struct line *l, int sig);

/* How one argument is shown; `v` is its register, ret the call's result. */
typedef void (*show_fn)(struct line *l, struct task *t, uint64_t v, int64_t ret);
#define SHOW(name) void show_##name(struct line *l, struct task *t, uint64_t v, int64_t ret);
#define SHOW_RESULT(name) SHOW(name)
#include "services/sysd/syscall/strace/show.def"
#undef SHOW
#undef SHOW_RESULT

#endif
