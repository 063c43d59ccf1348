/* A growing text buffer. See seqbuf.h. */
#include <stdarg.h>
#include <stdio.h>
#include "common/base/util.h"
#include "services/sysd/fs/proc/seqbuf.h"

static char *grow(struct seqbuf *s, size_t more)
{
	size_t room = s->room ? s->room : 1024;
	char *buf;

	if (s->failed)
		return NULL;
	while (room - s->size < more + 1)
		room *= 2;
	if (room != s->room) {
		buf = room <= SEQBUF_MAX ? realloc(s->buf, room) : NULL;
		if (!buf) {
			s->failed = true;
			return NULL;
		}
		s->buf = buf;
		s->room = room;
	}
	return s->buf + s->size;
}

void seq_write(struct seqbuf *s, const void *data, size_t size)
{
	char *p = grow(s, size);

	if (p) {
		memcpy(p, data, size);
		s->size += size;
	}
}

void seq_puts(struct seqbuf *s, const char *str)
{
	seq_write(s, str, strlen(str));
}

void seq_putc(struct seqbuf *s, char c)
{
	seq_write(s, &c, 1);
}

void seq_printf(struct seqbuf *s, const char *fmt, ...)
{
	char small[256];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(small, sizeof(small), fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	if ((size_t)n < sizeof(small)) {
		seq_write(s, small, (size_t)n);
	} else {
		char *p = grow(s, (size_t)n);

		if (!p)
			return;
		va_start(ap, fmt);
		vsnprintf(p, (size_t)n + 1, fmt, ap);
		va_end(ap);
		s->size += (size_t)n;
	}
}

void seq_pad(struct seqbuf *s, size_t from, size_t col)
{
	while (!s->failed && s->size - from < col)
		seq_putc(s, ' ');
}

void seq_escape(struct seqbuf *s, const char *str, const char *esc)
{
	for (; *str; str++) {
		if (strchr(esc, *str))
			seq_printf(s, "\\%03o", (unsigned char)*str);
		else
			seq_putc(s, *str);
	}
}

void seq_bits(struct seqbuf *s, const uint64_t *mask, unsigned count)
{
	bool first = true, in = false;
	unsigned start = 0;

	for (unsigned i = 0; i <= count; i++) {
		bool on = i < count && mask[i / 64] >> (i % 64) & 1;

		if (on && !in)
			start = i;
		if (!on && in) {
			seq_printf(s, first ? "%u" : ",%u", start);
			if (i - 1 > start)
				seq_printf(s, "-%u", i - 1);
			first = false;
		}
		in = on;
	}
}

void seq_done(struct seqbuf *s)
{
	free(s->buf);
	memset(s, 0, sizeof(*s));
}
