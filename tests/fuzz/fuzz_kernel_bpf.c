/* Guests' BPF programs, as both kinds: what the check lets through runs within its bounds, and where a seccomp program
 * is said to have one answer for a number, it gives that one. */
#include <linux/filter.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "common/base/util.h"
#include "services/sysd/core/bpf.h"

static bool may_load(uint16_t size, uint32_t k)
{
	return size == BPF_W || k != 0;
}

static bool load(const void *data, uint16_t code, uint32_t at, uint32_t *ret)
{
	if (at >= sizeof(struct abi_seccomp_data) || BPF_CLASS(code) != BPF_LD)
		return false;
	*ret = ((const uint8_t *)data)[at];
	return true;
}

static const struct bpf_kind packets = {.packets = true, .may_load = may_load, .load = load};

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
	if (!bpf_check(&packets, prog, count))
		bpf_run(&packets, prog, &sd, sizeof(sd));
	if (bpf_check(&bpf_seccomp, prog, count))
		return 0;
	if (bpf_constant(prog, sd.arch, (uint32_t)sd.nr, &ret) && bpf_run(&bpf_seccomp, prog, &sd, sizeof(sd)) != ret)
		abort();
	bpf_run(&bpf_seccomp, prog, &sd, sizeof(sd));
	return 0;
}
