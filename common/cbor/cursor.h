/* CBOR (RFC 8949) without a tree: a writer into a caller's buffer and a checking reader over one,
 * both on libcbor's streaming functions. Messages are arrays: [type, field...] in the order of
 * common/ipc/sbx.cddl. An error sticks: check once at the end. */
#ifndef SBX_CBOR_CURSOR_H
#define SBX_CBOR_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cbor_w {
	uint8_t *buf;
	size_t size, used;
	bool failed; /* the buffer was too small */
};
void cbor_w_init(struct cbor_w *w, void *buf, size_t size);
void cbor_w_array(struct cbor_w *w, size_t count);
void cbor_w_map(struct cbor_w *w, size_t count);
void cbor_w_uint(struct cbor_w *w, uint64_t v);
void cbor_w_int(struct cbor_w *w, int64_t v);
void cbor_w_bool(struct cbor_w *w, bool v);
void cbor_w_null(struct cbor_w *w);
void cbor_w_bytes(struct cbor_w *w, const void *data, size_t size);
void cbor_w_text(struct cbor_w *w, const char *s);           /* NULL writes null */
void cbor_w_text_n(struct cbor_w *w, const char *s, size_t size);
/* The bytes written, or -EMSGSIZE. */
long cbor_w_done(const struct cbor_w *w);

struct cbor_r {
	const uint8_t *buf;
	size_t size, pos;
	int error; /* 0 or -EPROTO; after the first error every read returns zero or empty */
};
void cbor_r_init(struct cbor_r *r, const void *buf, size_t size);
size_t cbor_r_array(struct cbor_r *r, size_t max);            /* definite length, at most max */
size_t cbor_r_map(struct cbor_r *r, size_t max);
uint64_t cbor_r_uint(struct cbor_r *r, uint64_t max);
int64_t cbor_r_int(struct cbor_r *r);
bool cbor_r_bool(struct cbor_r *r);
bool cbor_r_null(struct cbor_r *r);                           /* true and consumed when null is next */
/* Pointers into buf; not terminated. */
const void *cbor_r_bytes(struct cbor_r *r, size_t max, size_t *ret_size);
const char *cbor_r_text(struct cbor_r *r, size_t max, size_t *ret_size); /* rejects NUL inside */
/* Into a caller's buffer, NUL-terminated; too long is an error. */
void cbor_r_text_copy(struct cbor_r *r, char *dst, size_t size);
char *cbor_r_text_dup(struct cbor_r *r, size_t max);          /* NULL on error or null */
void cbor_r_skip(struct cbor_r *r);                           /* one item, nesting bounded */
/* 0 when all was well and the buffer is used up, else -EPROTO. */
int cbor_r_done(const struct cbor_r *r);

#endif
