/* madvise(2): what it does to memory, and what it refuses. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define SHOW(what, call) printf("%s: %d\n", what, call)
#define FAIL(what, call)                                             \
	do {                                                         \
		int r_ = (call);                                     \
		printf("%s: %d %s\n", what, r_, strerror(errno));   \
	} while (0)

int main(void)
{
	char *p = mmap(NULL, 8 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int status;

	memset(p, 5, 8 * 4096);
	SHOW("dontneed", madvise(p + 4096, 4096, MADV_DONTNEED));
	printf("%d %d %d\n", p[0], p[4096], p[8192]);
	SHOW("wipeonfork", madvise(p, 4096, MADV_WIPEONFORK));
	SHOW("dontfork", madvise(p + 2 * 4096, 4096, MADV_DONTFORK));
	fflush(stdout);
	if (fork() == 0) {
		printf("child: wiped %d, kept %d\n", p[0], p[3 * 4096]);
		fflush(stdout);
		_exit(msync(p + 2 * 4096, 4096, MS_ASYNC) < 0 && errno == ENOMEM ? 4 : 5);
	}
	wait(&status);
	printf("child's status %d, parent %d %d\n", WEXITSTATUS(status), p[0], p[2 * 4096]);
	SHOW("keeponfork", madvise(p, 4096, MADV_KEEPONFORK));
	SHOW("willneed", madvise(p, 4096, MADV_WILLNEED));
	SHOW("sequential", madvise(p, 4096, MADV_SEQUENTIAL));
	SHOW("random", madvise(p, 4096, MADV_RANDOM));
	SHOW("normal", madvise(p, 4096, MADV_NORMAL));
	SHOW("free", madvise(p, 4096, MADV_FREE));
	SHOW("populate write", madvise(p + 4 * 4096, 4096, MADV_POPULATE_WRITE));
	SHOW("empty", madvise(p, 0, MADV_DONTNEED));
	FAIL("odd address", madvise(p + 1, 4096, MADV_DONTNEED));
	FAIL("unknown advice", madvise(p, 4096, 999));
	munmap(p + 6 * 4096, 4096);
	FAIL("over a hole", madvise(p + 5 * 4096, 3 * 4096, MADV_DONTNEED));
	return 0;
}
