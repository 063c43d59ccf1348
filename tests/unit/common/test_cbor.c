/* The CBOR cursor: what is written is read back, and nothing else is accepted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <errno.h>
#include "common/cbor/cursor.h"

static void round_trip(void **state)
{
	uint8_t buf[512];
	struct cbor_w w;
	struct cbor_r r;
	char name[8];
	size_t n;
	long size;
	char *dup;

	(void)state;
	cbor_w_init(&w, buf, sizeof(buf));
	cbor_w_array(&w, 12);
	cbor_w_uint(&w, 7);
	cbor_w_uint(&w, UINT64_MAX);
	cbor_w_int(&w, -1);
	cbor_w_int(&w, INT64_MIN);
	cbor_w_int(&w, INT64_MAX);
	cbor_w_bool(&w, true);
	cbor_w_null(&w);
	cbor_w_text(&w, "hello");
	cbor_w_text(&w, NULL);
	cbor_w_bytes(&w, "a\0b", 3);
	cbor_w_map(&w, 1);
	cbor_w_text(&w, "k");
	cbor_w_array(&w, 0);
	cbor_w_text(&w, "last");
	size = cbor_w_done(&w);
	assert_true(size > 0);

	cbor_r_init(&r, buf, (size_t)size);
	assert_int_equal(cbor_r_array(&r, 12), 12);
	assert_int_equal(cbor_r_uint(&r, 7), 7);
	assert_true(cbor_r_uint(&r, UINT64_MAX) == UINT64_MAX);
	assert_int_equal(cbor_r_int(&r), -1);
	assert_true(cbor_r_int(&r) == INT64_MIN);
	assert_true(cbor_r_int(&r) == INT64_MAX);
	assert_true(cbor_r_bool(&r));
	assert_true(cbor_r_null(&r));
	assert_false(cbor_r_null(&r));
	cbor_r_text_copy(&r, name, sizeof(name));
	assert_string_equal(name, "hello");
	assert_null(cbor_r_text_dup(&r, 10));
	assert_memory_equal(cbor_r_bytes(&r, 3, &n), "a\0b", 3);
	assert_int_equal(n, 3);
	cbor_r_skip(&r);
	dup = cbor_r_text_dup(&r, 10);
	assert_string_equal(dup, "last");
	free(dup);
	assert_int_equal(cbor_r_done(&r), 0);
}

static void every_truncation_fails(void **state)
{
	uint8_t buf[128], small[128];
	struct cbor_w w;
	long size;

	(void)state;
	cbor_w_init(&w, buf, sizeof(buf));
	cbor_w_array(&w, 3);
	cbor_w_uint(&w, 100000);
	cbor_w_text(&w, "some text");
	cbor_w_bytes(&w, "bytes", 5);
	size = cbor_w_done(&w);
	for (long cut = 0; cut < size; cut++) {
		struct cbor_r r;
		size_t n;

		cbor_r_init(&r, buf, (size_t)cut);
		cbor_r_array(&r, 3);
		cbor_r_uint(&r, UINT64_MAX);
		cbor_r_text(&r, 100, &n);
		cbor_r_bytes(&r, 100, &n);
		assert_int_equal(cbor_r_done(&r), -EPROTO);
		/* and a buffer that is too small cannot be written */
		cbor_w_init(&w, small, (size_t)cut);
		cbor_w_array(&w, 3);
		cbor_w_uint(&w, 100000);
		cbor_w_text(&w, "some text");
		cbor_w_bytes(&w, "bytes", 5);
		assert_int_equal(cbor_w_done(&w), -EMSGSIZE);
	}
}

static int read_uint(const char *bytes, size_t size, uint64_t max)
{
	struct cbor_r r;

	cbor_r_init(&r, bytes, size);
	cbor_r_uint(&r, max);
	return cbor_r_done(&r);
}

static void limits_and_kinds(void **state)
{
	struct cbor_r r;
	size_t n;

	(void)state;
	assert_int_equal(read_uint("\x05", 1, 5), 0);
	assert_int_equal(read_uint("\x06", 1, 5), -EPROTO);
	assert_int_equal(read_uint("\x05\x05", 2, 5), -EPROTO); /* something is left */
	assert_int_equal(read_uint("\x20", 1, 5), -EPROTO);     /* negative */
	assert_int_equal(read_uint("\xc1\x05", 2, 5), -EPROTO); /* tagged */
	assert_int_equal(read_uint("\xf9\x00\x00", 3, 5), -EPROTO);
	cbor_r_init(&r, "\x9f\xff", 2); /* indefinite array */
	assert_int_equal(cbor_r_array(&r, 10), 0);
	assert_int_equal(r.error, -EPROTO);
	cbor_r_init(&r, "\x9b\xff\xff\xff\xff\xff\xff\xff\xff", 9);
	assert_int_equal(cbor_r_array(&r, 100), 0);
	assert_int_equal(r.error, -EPROTO);
	cbor_r_init(&r, "\x9b\xff\xff\xff\xff\xff\xff\xff\xff", 9);
	cbor_r_skip(&r);
	assert_int_equal(r.error, -EPROTO);
	cbor_r_init(&r, "\x62\x61\x00", 3); /* NUL in a text */
	cbor_r_text(&r, 100, &n);
	assert_int_equal(r.error, -EPROTO);
	cbor_r_init(&r, "\x7b\xff\xff\xff\xff\xff\xff\xff\xff", 9);
	cbor_r_text(&r, SIZE_MAX, &n);
	assert_int_equal(r.error, -EPROTO);
	assert_int_equal(n, 0);
	assert_int_equal(cbor_r_uint(&r, 10), 0); /* the error sticks */
	assert_null(cbor_r_text_dup(&r, 10));
}

static void nesting_is_bounded(void **state)
{
	uint8_t deep[64];
	struct cbor_r r;

	(void)state;
	memset(deep, 0x81, sizeof(deep));
	deep[63] = 0;
	cbor_r_init(&r, deep, sizeof(deep));
	cbor_r_skip(&r);
	assert_int_equal(cbor_r_done(&r), -EPROTO);
	cbor_r_init(&r, deep + 56, 8);
	cbor_r_skip(&r);
	assert_int_equal(cbor_r_done(&r), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip),
		cmocka_unit_test(every_truncation_fails),
		cmocka_unit_test(limits_and_kinds),
		cmocka_unit_test(nesting_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
