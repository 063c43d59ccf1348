/* Messages between sysd and netd: what decodes must encode to a message that decodes to the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "common/ipc/msg_net.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct net_msg m, again;
	static uint8_t buf[NET_MSG_MAX * 2], buf2[NET_MSG_MAX * 2];
	long n, k;

	if (net_msg_decode(data, size, &m))
		return 0;
	n = net_msg_encode(&m, buf, sizeof(buf));
	if (n <= 0 || net_msg_decode(buf, (size_t)n, &again))
		abort();
	k = net_msg_encode(&again, buf2, sizeof(buf2));
	if (k != n || memcmp(buf, buf2, (size_t)n))
		abort();
	return 0;
}
