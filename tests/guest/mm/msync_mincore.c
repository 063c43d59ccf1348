/* msync(2) and mincore(2) on memory, holes and bad arguments. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define FAIL(what, call)                                             \
	do {                                                         \
		int r_ = (call);                                     \
		printf("%s: %d %s\n", what, r_, strerror(errno));   \
	} while (0)

int main(void)
{
	char *p = mmap(NULL, 4 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned char vec[4] = {9, 9, 9, 9};

	p[4096] = 1;
	printf("mincore %d: %d %d\n", mincore(p, 4 * 4096, vec), vec[0] & 1, vec[1] & 1);
	printf("msync %d\n", msync(p, 4096, MS_SYNC));
	FAIL("msync both", msync(p, 4096, MS_SYNC | MS_ASYNC));
	FAIL("msync odd", msync(p + 1, 4096, MS_SYNC));
	FAIL("msync flags", msync(p, 4096, 64));
	FAIL("mincore odd", mincore(p + 1, 4096, vec));
	FAIL("mincore bad vector", mincore(p, 4096, (void *)8));
	munmap(p + 8192, 4096);
	FAIL("msync hole", msync(p, 4 * 4096, MS_ASYNC));
	FAIL("mincore hole", mincore(p, 4 * 4096, vec));
	return 0;
}
