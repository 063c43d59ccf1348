/* Capacity: F_SETPIPE_SZ, filling up, PIPE_BUF atomicity when there is no room. */
#include "../say.h"
#include <limits.h>
static long fill(int fd, size_t chunk)
{
	static char buf[1 << 17];
	long total = 0, n;

	while ((n = write(fd, buf, chunk)) > 0)
		total += n;
	printf("filled with %zu: %ld then %s\n", chunk, total, strerrorname_np(errno));
	return total;
}
static void drain(int fd)
{
	static char buf[1 << 16];
	long total = 0, n;

	while ((n = read(fd, buf, sizeof(buf))) > 0)
		total += n;
	printf("drained %ld\n", total);
}
int main(void)
{
	int p[2];
	char buf[8192];

	MUST(pipe2(p, O_NONBLOCK));
	SAY(fcntl(p[0], F_GETPIPE_SZ));
	fill(p[1], 4096);
	drain(p[0]);
	fill(p[1], 1);
	drain(p[0]);
	fill(p[1], 100000);
	SAY(write(p[1], buf, 1));
	SAY(read(p[0], buf, 100));
	SAY(write(p[1], buf, 1));
	SAY(read(p[0], buf, 3996));
	SAY(write(p[1], buf, 5000));
	drain(p[0]);
	SAY(fcntl(p[0], F_SETPIPE_SZ, 1));
	SAY(fcntl(p[0], F_SETPIPE_SZ, 4097));
	fill(p[1], 4096);
	SAY(fcntl(p[0], F_SETPIPE_SZ, 4096));
	SAY(fcntl(p[0], F_SETPIPE_SZ, 16384));
	fill(p[1], 4096);
	drain(p[0]);
	SAY(fcntl(p[0], F_SETPIPE_SZ, 1 << 20));
	fill(p[1], 65536);
	drain(p[0]);
	SAY(fcntl(p[0], F_SETPIPE_SZ, 0));
	SAY(fcntl(p[0], F_SETPIPE_SZ, -1));
	SAY(fcntl(0, F_GETPIPE_SZ));
	printf("%d\n", PIPE_BUF);
	return 0;
}
