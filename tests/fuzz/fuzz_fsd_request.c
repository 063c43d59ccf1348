/* fsd's decoder and its handlers: any bytes sysd might send. The mounts are a folder of the fuzzer's own. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include "common/chan/ring.h"
#include "common/ipc/startup.h"
#include "fsd/serve.h"

static struct server server;
static struct ring peer;
static int pass[2];
static uint64_t roots[2];

static void setup(void)
{
	const char *tmp = getenv("TMPDIR"); /* of tests/fuzz/run, which takes it away again */
	static char dir[4096];
	int fd = ring_create_fd();

	snprintf(dir, sizeof(dir), "%s/sbx-fuzz-fsd-XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(dir) || node_init() < 0 || fd < 0)
		abort();
	ring_open(&peer, fd, SBX_RING_SIDE_SYSD);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pass) < 0)
		abort();
	if (mount_add(0, 0, open(dir, O_PATH | O_DIRECTORY)) < 0 ||
	    mount_add(1, FSD_MOUNT_RDONLY, open(dir, O_PATH | O_DIRECTORY)) < 0)
		abort();
	server_init(&server, fd, pass[1]);
	roots[0] = node_root(mount_get(0))->id;
	roots[1] = node_root(mount_get(1))->id;
	(void)roots; /* 1 and 2: small numbers that the fuzzer finds */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t out[RING_MSG_MAX];
	struct fsd_reply rep;
	struct fsd_dir_reader r;
	struct fsd_dirent e;
	static int ready;
	ssize_t n;
	char c;

	if (!ready++)
		setup();
	if (size > sizeof(server.in))
		return 0;
	memcpy(server.in, data, size);
	server_handle(&server, size);
	while ((n = ring_recv(&peer, out, sizeof(out))) >= 0)
		;
	while (recv(pass[0], &c, 1, MSG_DONTWAIT) >= 0) /* descriptors of replies are dropped with it */
		;
	/* The other direction too: what fsd might send to sysd. */
	fsd_reply_decode(&rep, data, size);
	if (fsd_dir_open(&r, data, size) == 0)
		while (fsd_dir_next(&r, &e) == 1)
			;
	return 0;
}
