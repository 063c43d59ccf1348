/* Guests' seccomp programs: what the check lets through runs within its bounds, and where a program is said to have
 * one answer for a number, it gives that one. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "common/base/util.h"
#include "services/sysd/task/bpf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct abi_sock_filter prog[BPF_MAX_INSNS];
	struct abi_seccomp_data sd;
	uint32_t ret;
	unsigned count;

	if (size < sizeof(sd))
		return 0;
	memcpy(&sd, data, sizeof(sd));
	data += sizeof(sd);
	size -= sizeof(sd);
	count = (unsigned)MIN(size / sizeof(prog[0]), ARRAY_SIZE(prog));
	memcpy(prog, data, count * sizeof(prog[0]));
	if (bpf_check(prog, count))
		return 0;
	if (bpf_constant(prog, sd.arch, (uint32_t)sd.nr, &ret) && bpf_run(prog, &sd) != ret)
		abort();
	bpf_run(prog, &sd);
	return 0;
}
