/* System calls with pointers to memory that is not there, half there, or read-only: EFAULT or a short
 * count, never a signal. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define SHOW(what, call)                                                                      \
	do {                                                                                  \
		errno = 0;                                                                    \
		long r_ = (call);                                                             \
		printf("%s: %ld %s\n", what, r_, r_ < 0 ? strerror(errno) : "");             \
	} while (0)

int main(void)
{
	char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *ro = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *none = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int pipes[2], zero = open("/dev/zero", O_RDONLY), null = open("/dev/null", O_WRONLY);

	munmap(p + 4096, 4096);
	pipe(pipes);
	memset(p, 'a', 4096);
	char *gone = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	munmap(gone, 4096);
	SHOW("write from nowhere", write(pipes[1], (void *)8, 10));
	SHOW("write from none", write(pipes[1], none, 10));
	SHOW("write half there", write(pipes[1], p + 4090, 10) <= 6);
	SHOW("read into read-only", read(zero, ro, 10));
	SHOW("read into nowhere", read(zero, gone, 10));
	SHOW("path nowhere", open((void *)8, O_RDONLY));
	SHOW("path runs off", open(p + 4000, O_RDONLY));
	SHOW("path in kernel", open((void *)0xffffffff80000000, O_RDONLY));
	SHOW("stat into read-only", stat("/", (struct stat *)ro));
	SHOW("stat into nowhere", stat("/", (struct stat *)16));
	SHOW("pipe into nowhere", pipe((int *)16));
	SHOW("getcwd into read-only", getcwd(ro, 4096) ? 0 : -1);
	SHOW("nanosleep from nowhere", nanosleep((void *)16, NULL));
	SHOW("readv list nowhere", readv(zero, (void *)16, 1));
	struct iovec iov = {(void *)16, 10};

	SHOW("writev bad base", writev(pipes[1], &iov, 1));
	SHOW("write to null of nowhere", write(null, (void *)8, 10));
	return 0;
}
