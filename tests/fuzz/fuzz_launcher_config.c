/* config.json of a bundle, from any bytes: it is read to a whole spec or refused with a sentence. The bundle is a folder of
 * the fuzzer's own; nothing is mounted or started. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "launcher/error.h"
#include "launcher/oci/spec.h"

static char dir[4096];

static void setup(void)
{
	const char *tmp = getenv("TMPDIR"); /* of tests/fuzz/run, which takes it away again */
	char root[4200];

	snprintf(dir, sizeof(dir), "%s/sbx-fuzz-config-XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(dir))
		abort();
	snprintf(root, sizeof(root), "%s/rootfs", dir);
	if (mkdir(root, 0755) < 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct spec_options opt = {.overlay_memory = size & 1, .shared_files = size & 2};
	struct err e = {0};
	struct spec *s;
	char file[4200];
	int fd, r;

	if (!dir[0])
		setup();
	snprintf(file, sizeof(file), "%s/config.json", dir);
	fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	close(fd);
	r = spec_load(dir, &opt, &s, &e);
	if (r == 0)
		spec_free(s);
	else if (r > 0 || !e.text[0])
		abort();
	return 0;
}
