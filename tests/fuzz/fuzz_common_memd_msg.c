/* Messages between sysd and memd: what decodes must encode to a message that decodes to the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "common/ipc/msg_memd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct memd_msg m, again;
	uint8_t buf[MEMD_MSG_MAX];

	memset(&m, 0, sizeof(m));
	memset(&again, 0, sizeof(again));
	if (memd_msg_decode(data, size, &m))
		return 0;
	long n = memd_msg_encode(&m, buf, sizeof(buf));

	if (n <= 0 || memd_msg_decode(buf, (size_t)n, &again) || memcmp(&m, &again, sizeof(m)))
		abort();
	return 0;
}
