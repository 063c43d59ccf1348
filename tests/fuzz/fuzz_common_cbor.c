/* The CBOR reader over arbitrary bytes: every kind of read, in an order that the input chooses. */
#include <stdint.h>
#include <stdlib.h>
#include "common/cbor/cursor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cbor_r r;
	size_t steps, n;
	char text[32];

	if (size < 1)
		return 0;
	steps = data[0] % 32;
	if (size < 1 + steps)
		return 0;
	cbor_r_init(&r, data + 1 + steps, size - 1 - steps);
	for (size_t i = 0; i < steps; i++) {
		switch (data[1 + i] % 10) {
		case 0: cbor_r_array(&r, 1000); break;
		case 1: cbor_r_map(&r, 1000); break;
		case 2: cbor_r_uint(&r, UINT64_MAX); break;
		case 3: cbor_r_int(&r); break;
		case 4: cbor_r_bool(&r); break;
		case 5: cbor_r_null(&r); break;
		case 6: cbor_r_bytes(&r, 4096, &n); break;
		case 7: cbor_r_text_copy(&r, text, sizeof(text)); break;
		case 8: free(cbor_r_text_dup(&r, 100)); break;
		case 9: cbor_r_skip(&r); break;
		}
	}
	cbor_r_done(&r);
	return 0;
}
