/* Program headers, "#!" lines and the plan of host calls, over arbitrary files. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "common/base/util.h"
#include "services/sysd/exec/elf.h"
#include "services/sysd/exec/image.h"
#include "services/sysd/exec/script.h"

struct input {
	const uint8_t *data;
	size_t size;
};

static ssize_t read_input(void *ctx, void *buf, size_t size, uint64_t off)
{
	const struct input *in = ctx;

	if (off >= in->size)
		return 0;
	size = MIN(size, in->size - (size_t)off);
	memcpy(buf, in->data + off, size);
	return (ssize_t)size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct image_plan plan;
	struct input in = {data, size};
	struct image_file file = {NULL, 3, 4, 1};
	struct elf_image im;
	char *interp, *arg;
	size_t head = MIN(size, (size_t)EXEC_HEAD_SIZE);

	if (script_parse((const char *)data, head, &interp, &arg) == 0) {
		if (!*interp || strchr(interp, '\n'))
			abort();
		free(interp);
		free(arg);
	}
	if (elf_parse(data, head, read_input, &in, &im))
		return 0;
	memset(&plan, 0, sizeof(plan));
	plan_image(&plan, &im, &file, im.dynamic ? 0x10000000 : 0);
	for (unsigned i = 0; i < plan.count; i++)
		if (plan.ops[i].kind == SBX_HOP_SYSCALL && (plan.ops[i].args[0] & 4095 || !plan.ops[i].args[1]))
			abort();
	elf_image_done(&im);
	return 0;
}
