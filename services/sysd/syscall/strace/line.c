/* The line of strace: text, strings, sets of names. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/base/util.h"
#include "services/sysd/mm/usercopy.h"
#include "services/sysd/syscall/strace/strace.h"

void put(struct line *l, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(l->buf + l->used, sizeof(l->buf) - l->used, fmt, ap);
	va_end(ap);
	if (n > 0)
		l->used = MIN(l->used + (size_t)n, sizeof(l->buf) - 1);
}

void put_ptr(struct line *l, uint64_t v)
{
	if (v)
		put(l, "%#llx", (unsigned long long)v);
	else
		put(l, "NULL");
}

void put_bytes(struct line *l, const char *s, size_t size, bool more)
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
		else if (i + 1 < size && s[i + 1] >= '0' && s[i + 1] <= '9')
			put(l, "\\%03o", c);
		else
			put(l, "\\%o", c);
	}
	put(l, more ? "\"..." : "\"");
}

void put_buffer(struct line *l, struct task *t, uint64_t uaddr, size_t size)
{
	char buf[STRING_SHOWN];
	size_t shown = MIN(size, sizeof(buf));

	if (!uaddr || user_read(t, buf, uaddr, shown) < 0)
		put_ptr(l, uaddr);
	else
		put_bytes(l, buf, shown, size > shown);
}

void put_string(struct line *l, struct task *t, uint64_t uaddr)
{
	char buf[256];
	ssize_t n = uaddr ? user_read_str(t, buf, uaddr, sizeof(buf)) : -1;

	if (n < 0)
		put_ptr(l, uaddr);
	else
		put_bytes(l, buf, (size_t)n, false);
}

void put_bits(struct line *l, const struct name *names, size_t count, uint64_t v)
{
	bool any = false;

	for (size_t i = 0; i < count; i++) {
		if (names[i].value ? (v & names[i].value) != names[i].value : v != 0 || any)
			continue;
		put(l, "%s%s", any ? "|" : "", names[i].text);
		v &= ~names[i].value;
		any = true;
	}
	if (v || !any)
		put(l, any ? "|%#llx" : v ? "%#llx" : "0", (unsigned long long)v);
}

void put_enum(struct line *l, const struct name *names, size_t count, uint64_t v, const char *otherwise)
{
	for (size_t i = 0; i < count; i++) {
		if (names[i].value == v) {
			put(l, "%s", names[i].text);
			return;
		}
	}
	put(l, "%#llx /* %s??? */", (unsigned long long)v, otherwise);
}

void put_signal(struct line *l, int sig)
{
	const char *name = sig > 0 && sig < 32 ? sigabbrev_np(sig) : NULL;

	if (name)
		put(l, "SIG%s", name);
	else if (sig >= 32 && sig <= 64)
		put(l, "SIGRT_%d", sig - 32);
	else
		put(l, "%d", sig);
}
