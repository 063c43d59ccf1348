/* The line of one finished call in the sysd log, as strace prints it; made from the table's argument
 * kinds. Costs nothing when off. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/base/util.h"
#include "common/log/log.h"
#include "services/sysd/core/clock.h"
#include "services/sysd/core/errno.h"
#include "services/sysd/mm/usercopy.h"
#include "services/sysd/syscall/syscall.h"
#include "services/sysd/task/task.h"

#define LINE_MAX_SIZE 1024
#define STRING_SHOWN 64

struct line {
	char buf[LINE_MAX_SIZE];
	size_t used;
};

static void put(struct line *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void put(struct line *l, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(l->buf + l->used, sizeof(l->buf) - l->used, fmt, ap);
	va_end(ap);
	if (n > 0)
		l->used = MIN(l->used + (size_t)n, sizeof(l->buf) - 1);
}

static void put_bytes(struct line *l, const char *s, size_t size, bool more)
{
	put(l, "\"");
	for (size_t i = 0; i < size; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c == '\n')
			put(l, "\\n");
		else if (c == '\t')
			put(l, "\\t");
		else if (c == '"' || c == '\\')
			put(l, "\\%c", c);
		else if (c >= 0x20 && c < 0x7f)
			put(l, "%c", c);
		else
			put(l, "\\%o", c);
	}
	put(l, more ? "\"..." : "\"");
}

static void put_buffer(struct line *l, struct task *t, uint64_t uaddr, size_t size)
{
	char buf[STRING_SHOWN];
	size_t shown = MIN(size, sizeof(buf));

	if (!uaddr)
		put(l, "NULL");
	else if (user_read(t, buf, uaddr, shown) < 0)
		put(l, "%#llx", (unsigned long long)uaddr);
	else
		put_bytes(l, buf, shown, size > shown);
}

static void put_string(struct line *l, struct task *t, uint64_t uaddr)
{
	char buf[256];
	ssize_t n = uaddr ? user_read_str(t, buf, uaddr, sizeof(buf)) : 0;

	if (!uaddr)
		put(l, "NULL");
	else if (n < 0)
		put(l, "%#llx", (unsigned long long)uaddr);
	else
		put_bytes(l, buf, (size_t)n, false);
}

static void put_arg(struct line *l, struct task *t, const struct arg_spec *a, unsigned i, int64_t ret)
{
	uint64_t v = t->args[i];

	switch (a->kind) {
	case ARG_INT:
	case ARG_FD:
	case ARG_PID:
	case ARG_SIG:
	case ARG_CLOCK:
		put(l, "%d", (int)v);
		break;
	case ARG_UINT:
	case ARG_UID:
		put(l, "%u", (unsigned)v);
		break;
	case ARG_LONG:
	case ARG_OFF:
		put(l, "%lld", (long long)v);
		break;
	case ARG_SIZE:
		put(l, "%llu", (unsigned long long)v);
		break;
	case ARG_OCT:
		put(l, "%#llo", (unsigned long long)v);
		break;
	case ARG_DIRFD:
		if ((int)v == -100)
			put(l, "AT_FDCWD");
		else
			put(l, "%d", (int)v);
		break;
	case ARG_PATH:
	case ARG_STR:
		put_string(l, t, v);
		break;
	case ARG_IN_BUF:
		put_buffer(l, t, v, (size_t)t->args[a->len_arg]);
		break;
	case ARG_OUT_BUF:
		if (ret >= 0)
			put_buffer(l, t, v, MIN((size_t)ret, (size_t)t->args[a->len_arg]));
		else
			put(l, "%#llx", (unsigned long long)v);
		break;
	default:
		if (v)
			put(l, "%#llx", (unsigned long long)v);
		else
			put(l, a->kind == ARG_HEX ? "0" : "NULL");
	}
}

void strace_call(struct task *t, int64_t ret, uint64_t start_ns)
{
	uint64_t took_us = (clock_mono_ns() - start_ns) / 1000;
	const struct syscall_desc *d = NULL;
	struct line l = {.used = 0};

	if ((uint64_t)t->nr < SYSCALL_COUNT && syscall_table[t->nr].name)
		d = &syscall_table[t->nr];
	if (d)
		put(&l, "%s(", d->name);
	else
		put(&l, "syscall_%lld(", (long long)t->nr);
	for (unsigned i = 0; d && i < 6 && d->arg[i].kind != ARG_NONE; i++) {
		put(&l, i ? ", " : "");
		put_arg(&l, t, &d->arg[i], i, ret);
	}
	if (ret == -ERESTARTSYS || ret == -ERESTARTNOINTR || ret == -ERESTARTNOHAND ||
	    ret == -ERESTART_RESTARTBLOCK)
		put(&l, ") = ? (to be restarted)");
	else if (ret < 0 && ret > -4096)
		put(&l, ") = -1 %s (%s)", strerrorname_np((int)-ret) ?: "E?", strerrordesc_np((int)-ret) ?: "?");
	else if (ret > 0xffff || ret < 0)
		put(&l, ") = %#llx", (unsigned long long)ret);
	else
		put(&l, ") = %lld", (long long)ret);
	log_write(LOG_DEBUG_, "[%u] %s %s <%llu.%06llu>", t->tid, t->comm, l.buf,
		  (unsigned long long)(took_us / 1000000), (unsigned long long)(took_us % 1000000));
}
