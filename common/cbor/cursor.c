/* The CBOR cursor. libcbor's streaming functions do the encoding of heads and the checking of input;
 * what is here is the buffer accounting and the limits. Only definite lengths are accepted and
 * written, no tags, no floats: what the schema cannot name cannot be read. */
#include "common/cbor/cursor.h"

#include <cbor.h>
#include "common/base/util.h"

#define NEST_MAX 16

void cbor_w_init(struct cbor_w *w, void *buf, size_t size)
{
	*w = (struct cbor_w){.buf = buf, .size = size};
}

typedef size_t (*head_fn)(uint64_t v, unsigned char *buf, size_t size);

static void put_head(struct cbor_w *w, head_fn fn, uint64_t v)
{
	size_t n;

	if (w->failed)
		return;
	n = fn(v, w->buf + w->used, w->size - w->used);
	if (n == 0)
		w->failed = true;
	w->used += n;
}

static void put_raw(struct cbor_w *w, const void *data, size_t size)
{
	if (w->failed)
		return;
	if (size > w->size - w->used) {
		w->failed = true;
		return;
	}
	if (size)
		memcpy(w->buf + w->used, data, size);
	w->used += size;
}

void cbor_w_array(struct cbor_w *w, size_t count)
{
	put_head(w, cbor_encode_array_start, count);
}

void cbor_w_map(struct cbor_w *w, size_t count)
{
	put_head(w, cbor_encode_map_start, count);
}

void cbor_w_uint(struct cbor_w *w, uint64_t v)
{
	put_head(w, cbor_encode_uint, v);
}

void cbor_w_int(struct cbor_w *w, int64_t v)
{
	if (v < 0)
		put_head(w, cbor_encode_negint, (uint64_t)(-1 - v));
	else
		put_head(w, cbor_encode_uint, (uint64_t)v);
}

static size_t bool_head(uint64_t v, unsigned char *buf, size_t size)
{
	return cbor_encode_bool(v != 0, buf, size);
}

static size_t null_head(uint64_t v, unsigned char *buf, size_t size)
{
	(void)v;
	return cbor_encode_null(buf, size);
}

void cbor_w_bool(struct cbor_w *w, bool v)
{
	put_head(w, bool_head, v);
}

void cbor_w_null(struct cbor_w *w)
{
	put_head(w, null_head, 0);
}

void cbor_w_bytes(struct cbor_w *w, const void *data, size_t size)
{
	put_head(w, cbor_encode_bytestring_start, size);
	put_raw(w, data, size);
}

void cbor_w_text_n(struct cbor_w *w, const char *s, size_t size)
{
	put_head(w, cbor_encode_string_start, size);
	put_raw(w, s, size);
}

void cbor_w_text(struct cbor_w *w, const char *s)
{
	if (s)
		cbor_w_text_n(w, s, strlen(s));
	else
		cbor_w_null(w);
}

long cbor_w_done(const struct cbor_w *w)
{
	return w->failed ? -EMSGSIZE : (long)w->used;
}

/* Reading: one libcbor callback per kind of item fills in a struct item. */
enum item_kind {
	ITEM_BAD, ITEM_UINT, ITEM_NEGINT, ITEM_BYTES, ITEM_TEXT, ITEM_ARRAY, ITEM_MAP, ITEM_BOOL, ITEM_NULL,
};
struct item {
	enum item_kind kind;
	uint64_t v;
	const uint8_t *data;
};

#define UINT_CB(name, type, k)                                            \
	static void name(void *ctx, type v)                               \
	{                                                                 \
		*(struct item *)ctx = (struct item){.kind = (k), .v = v}; \
	}
UINT_CB(on_u8, uint8_t, ITEM_UINT)
UINT_CB(on_u16, uint16_t, ITEM_UINT)
UINT_CB(on_u32, uint32_t, ITEM_UINT)
UINT_CB(on_u64, uint64_t, ITEM_UINT)
UINT_CB(on_n8, uint8_t, ITEM_NEGINT)
UINT_CB(on_n16, uint16_t, ITEM_NEGINT)
UINT_CB(on_n32, uint32_t, ITEM_NEGINT)
UINT_CB(on_n64, uint64_t, ITEM_NEGINT)
UINT_CB(on_array, size_t, ITEM_ARRAY)
UINT_CB(on_map, size_t, ITEM_MAP)
UINT_CB(on_bool, bool, ITEM_BOOL)

static void on_bytes(void *ctx, cbor_data data, size_t size)
{
	*(struct item *)ctx = (struct item){.kind = ITEM_BYTES, .v = size, .data = data};
}

static void on_text(void *ctx, cbor_data data, size_t size)
{
	*(struct item *)ctx = (struct item){.kind = ITEM_TEXT, .v = size, .data = data};
}

static void on_null(void *ctx)
{
	((struct item *)ctx)->kind = ITEM_NULL;
}

static void on_bad(void *ctx)
{
	((struct item *)ctx)->kind = ITEM_BAD;
}

static void on_bad_float(void *ctx, float v)
{
	(void)v;
	on_bad(ctx);
}

static void on_bad_double(void *ctx, double v)
{
	(void)v;
	on_bad(ctx);
}

static void on_bad_tag(void *ctx, uint64_t v)
{
	(void)v;
	on_bad(ctx);
}

static const struct cbor_callbacks callbacks = {
	.uint8 = on_u8,
	.uint16 = on_u16,
	.uint32 = on_u32,
	.uint64 = on_u64,
	.negint8 = on_n8,
	.negint16 = on_n16,
	.negint32 = on_n32,
	.negint64 = on_n64,
	.byte_string_start = on_bad,
	.byte_string = on_bytes,
	.string = on_text,
	.string_start = on_bad,
	.indef_array_start = on_bad,
	.array_start = on_array,
	.indef_map_start = on_bad,
	.map_start = on_map,
	.tag = on_bad_tag,
	.float2 = on_bad_float,
	.float4 = on_bad_float,
	.float8 = on_bad_double,
	.undefined = on_bad,
	.null = on_null,
	.boolean = on_bool,
	.indef_break = on_bad,
};

void cbor_r_init(struct cbor_r *r, const void *buf, size_t size)
{
	*r = (struct cbor_r){.buf = buf, .size = size};
}

/* The next item, without consuming it when `ret_size` is looked at and pos left alone. */
static struct item peek(struct cbor_r *r, size_t *ret_size)
{
	struct item it = {.kind = ITEM_BAD};
	struct cbor_decoder_result res;

	*ret_size = 0;
	if (r->error)
		return it;
	if (r->pos >= r->size) {
		r->error = -EPROTO;
		return it;
	}
	res = cbor_stream_decode(r->buf + r->pos, r->size - r->pos, &callbacks, &it);
	if (res.status != CBOR_DECODER_FINISHED || res.read == 0 || res.read > r->size - r->pos ||
	    it.kind == ITEM_BAD) {
		r->error = -EPROTO;
		it.kind = ITEM_BAD;
		return it;
	}
	*ret_size = res.read;
	return it;
}

static struct item next(struct cbor_r *r)
{
	size_t n;
	struct item it = peek(r, &n);

	r->pos += n;
	return it;
}

static uint64_t next_limited(struct cbor_r *r, enum item_kind kind, uint64_t max)
{
	struct item it = next(r);

	if (r->error)
		return 0;
	if (it.kind != kind || it.v > max) {
		r->error = -EPROTO;
		return 0;
	}
	return it.v;
}

size_t cbor_r_array(struct cbor_r *r, size_t max)
{
	return next_limited(r, ITEM_ARRAY, max);
}

size_t cbor_r_map(struct cbor_r *r, size_t max)
{
	return next_limited(r, ITEM_MAP, max);
}

uint64_t cbor_r_uint(struct cbor_r *r, uint64_t max)
{
	return next_limited(r, ITEM_UINT, max);
}

int64_t cbor_r_int(struct cbor_r *r)
{
	struct item it = next(r);

	if (r->error)
		return 0;
	if ((it.kind != ITEM_UINT && it.kind != ITEM_NEGINT) || it.v > INT64_MAX) {
		r->error = -EPROTO;
		return 0;
	}
	return it.kind == ITEM_UINT ? (int64_t)it.v : -1 - (int64_t)it.v;
}

bool cbor_r_bool(struct cbor_r *r)
{
	return next_limited(r, ITEM_BOOL, 1) != 0;
}

bool cbor_r_null(struct cbor_r *r)
{
	size_t n;
	struct item it = peek(r, &n);

	if (it.kind != ITEM_NULL)
		return false;
	r->pos += n;
	return true;
}

static const void *next_string(struct cbor_r *r, enum item_kind kind, size_t max, size_t *ret_size)
{
	struct item it = next(r);

	*ret_size = 0;
	if (r->error)
		return "";
	if (it.kind != kind || it.v > max) {
		r->error = -EPROTO;
		return "";
	}
	*ret_size = it.v;
	return it.v ? it.data : (const void *)"";
}

const void *cbor_r_bytes(struct cbor_r *r, size_t max, size_t *ret_size)
{
	return next_string(r, ITEM_BYTES, max, ret_size);
}

const char *cbor_r_text(struct cbor_r *r, size_t max, size_t *ret_size)
{
	const char *s = next_string(r, ITEM_TEXT, max, ret_size);

	if (memchr(s, 0, *ret_size)) {
		r->error = -EPROTO;
		*ret_size = 0;
		return "";
	}
	return s;
}

void cbor_r_text_copy(struct cbor_r *r, char *dst, size_t size)
{
	size_t n;
	const char *s = cbor_r_text(r, size - 1, &n);

	memcpy(dst, s, n);
	dst[n] = 0;
}

char *cbor_r_text_dup(struct cbor_r *r, size_t max)
{
	size_t n;
	const char *s;
	char *copy;

	if (cbor_r_null(r))
		return NULL;
	s = cbor_r_text(r, max, &n);
	if (r->error)
		return NULL;
	copy = malloc(n + 1);
	if (!copy) {
		r->error = -EPROTO;
		return NULL;
	}
	memcpy(copy, s, n);
	copy[n] = 0;
	return copy;
}

static void skip_nested(struct cbor_r *r, unsigned depth)
{
	struct item it = next(r);
	uint64_t count;

	if (r->error || (it.kind != ITEM_ARRAY && it.kind != ITEM_MAP))
		return;
	/* every element takes a byte at least, so a larger count is a lie */
	if (depth >= NEST_MAX || it.v > r->size - r->pos) {
		r->error = -EPROTO;
		return;
	}
	count = it.kind == ITEM_MAP ? it.v * 2 : it.v;
	while (count-- && !r->error)
		skip_nested(r, depth + 1);
}

void cbor_r_skip(struct cbor_r *r)
{
	skip_nested(r, 0);
}

int cbor_r_done(const struct cbor_r *r)
{
	return r->error ? r->error : r->pos == r->size ? 0 : -EPROTO;
}
