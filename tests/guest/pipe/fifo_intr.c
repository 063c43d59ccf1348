/* An open of a FIFO that waits is interrupted by a signal, or restarted. */
#include "../say.h"
#include <sys/stat.h>
static void on(int s)
{
}
int main(void)
{
	char dir[] = "/tmp/fifoXXXXXX", path[64];
	struct sigaction sa = {.sa_handler = on};
	int fd;

	if (!mkdtemp(dir))
		return 1;
	snprintf(path, sizeof(path), "%s/f", dir);
	MUST(mkfifo(path, 0600));
	sigaction(SIGALRM, &sa, NULL);
	ualarm(30000, 0);
	SAY_AS("open", open(path, O_RDONLY));
	ualarm(30000, 0);
	SAY_AS("open", open(path, O_WRONLY));
	sa.sa_flags = SA_RESTART;
	sigaction(SIGALRM, &sa, NULL);
	fflush(stdout);
	if (!MUST(fork())) {
		sleep_ms(80);
		fd = MUST(open(path, O_WRONLY));
		write(fd, "x", 1);
		_exit(0);
	}
	ualarm(20000, 0);
	fd = SAY_FD(open(path, O_RDONLY));
	SAY_AS("read", read(fd, path, 5));
	wait(NULL);
	unlink(path);
	snprintf(path, sizeof(path), "%s/f", dir);
	unlink(path);
	rmdir(dir);
	return 0;
}
