/* The link configuration: what decodes must encode to a message that decodes and encodes to the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "common/ipc/msg_link.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct link_config c, d;
	uint8_t *one, *two;
	long n, m;

	if (link_config_decode(data, size, &c))
		return 0;
	n = link_config_encode(&c, &one);
	if (n <= 0 || link_config_decode(one, (size_t)n, &d))
		abort();
	m = link_config_encode(&d, &two);
	if (m != n || memcmp(one, two, (size_t)n))
		abort();
	link_config_done(&c);
	link_config_done(&d);
	free(one);
	free(two);
	return 0;
}
