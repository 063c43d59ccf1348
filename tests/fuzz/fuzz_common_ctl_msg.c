/* Messages of the control plane: what decodes must encode, and to a message that decodes again. */
#include <stdint.h>
#include <stdlib.h>
#include "common/ipc/msg_ctl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ctl_msg m, again;
	uint8_t *buf;
	long n;

	if (ctl_decode(data, size, &m))
		return 0;
	n = ctl_encode(&m, &buf);
	if (n <= 0 || ctl_decode(buf, (size_t)n, &again))
		abort();
	free(buf);
	ctl_msg_done(&again);
	ctl_msg_done(&m);
	return 0;
}
