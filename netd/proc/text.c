#include <stdarg.h>
#include <stdio.h>

#include "common/base/util.h"
#include "netd/proc/proc.h"

static bool make_room(struct text *t, size_t size)
{
	size_t room = MAX(t->room, (size_t)4096);
	char *bigger;

	if (t->failed)
		return false;
	if (t->room - t->size > size)
		return true;
	while (room - t->size <= size)
		room *= 2;
	bigger = room <= TEXT_MAX ? realloc(t->buf, room) : NULL;
	if (!bigger) {
		t->failed = true;
		return false;
	}
	t->buf = bigger;
	t->room = room;
	return true;
}

void text_printf(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0 || !make_room(t, (size_t)n))
		return;
	va_start(ap, fmt);
	vsnprintf(t->buf + t->size, t->room - t->size, fmt, ap);
	va_end(ap);
	t->size += (size_t)n;
}

void text_line_end(struct text *t, size_t from, size_t col)
{
	size_t have = t->size - from;

	text_printf(t, "%*s\n", have < col ? (int)(col - have) : 0, "");
}

void text_done(struct text *t)
{
	free(t->buf);
	*t = (struct text){0};
}
