/* The text of a generated file: each file of proc and sysfs is one function that prints into this. */
#ifndef SYSD_FS_PROC_SEQBUF_H
#define SYSD_FS_PROC_SEQBUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct seqbuf {
	char *buf;
	size_t size, room;
	bool failed; /* out of memory: what follows is dropped, the read fails with ENOMEM */
};
#define SEQBUF_MAX (64ul << 20)

void seq_write(struct seqbuf *s, const void *data, size_t size);
void seq_puts(struct seqbuf *s, const char *str);
void seq_putc(struct seqbuf *s, char c);
void seq_printf(struct seqbuf *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Spaces up to column `col` of the line that began at offset `from`. */
void seq_pad(struct seqbuf *s, size_t from, size_t col);
/* With the characters of `esc` as \ooo (mangle_path of Linux). */
void seq_escape(struct seqbuf *s, const char *str, const char *esc);
/* The numbers of the bits that are set, as 0-3,6. */
void seq_bits(struct seqbuf *s, const uint64_t *mask, unsigned count);
void seq_done(struct seqbuf *s);

#endif
