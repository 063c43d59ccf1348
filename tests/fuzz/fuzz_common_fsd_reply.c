/* fsd's answers as sysd reads them: what decodes must encode to an answer that decodes and encodes to the same, and a
 * directory's entries are walked to their end. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "common/ipc/msg_fsd.h"

#define SIZE_MAX_OUT 131072u

static void walk_entries(const uint8_t *data, size_t size)
{
	struct fsd_dir_reader r;
	struct fsd_dirent e;

	if (fsd_dir_open(&r, data, size) < 0)
		return;
	while (fsd_dir_next(&r, &e) == 1)
		if (!fsd_name_ok(e.name.data, e.name.size))
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t one[SIZE_MAX_OUT], two[SIZE_MAX_OUT];
	struct fsd_reply rep = {0}, again = {0};
	uint32_t op;
	uint64_t id;
	long n, m;

	if (fsd_peek(data, size, &op, &id) < 0) {
		if (fsd_reply_decode(&rep, data, size) == 0)
			abort();
		return 0;
	}
	if (op == FSD_READDIR) {
		walk_entries(data, size);
		return 0;
	}
	if (fsd_reply_decode(&rep, data, size))
		return 0;
	n = fsd_reply_encode(&rep, one, sizeof(one));
	if (n <= 0 || fsd_reply_decode(&again, one, (size_t)n))
		abort();
	m = fsd_reply_encode(&again, two, sizeof(two));
	if (m != n || memcmp(one, two, (size_t)n))
		abort();
	return 0;
}
