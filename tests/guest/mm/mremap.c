/* mremap(2): grow, shrink, move, fixed, and what it refuses. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int main(void)
{
	char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *q;

	strcpy(p, "content");
	q = mremap(p, 4096, 16 * 4096, MREMAP_MAYMOVE);
	printf("grown: %s, tail %d\n", q, q[15 * 4096]);
	q[15 * 4096] = 'x';
	p = mremap(q, 16 * 4096, 4096, 0);
	printf("shrunk in place %d: %s\n", p == q, p);
	char *room = mmap(NULL, 8 * 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	q = mremap(p, 4096, 2 * 4096, MREMAP_MAYMOVE | MREMAP_FIXED, room + 4096);
	printf("moved to a place %d: %s %d\n", q == room + 4096, q, q[4096]);
	mprotect(q, 4096, PROT_READ);
	p = mremap(q, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, room + 6 * 4096);
	printf("a piece moved %d: %s\n", p == room + 6 * 4096, p);
#define FAIL(what, ...)                                              \
	do {                                                         \
		int r_ = mremap(__VA_ARGS__) == MAP_FAILED;          \
		printf("%s: %d %s\n", what, r_, strerror(errno));   \
	} while (0)

	FAIL("odd address", p + 1, 4096, 8192, MREMAP_MAYMOVE);
	FAIL("new size 0", p, 4096, 0, MREMAP_MAYMOVE);
	FAIL("unknown flags", p, 4096, 8192, 64);
	FAIL("fixed without maymove", p, 4096, 8192, MREMAP_FIXED, room);
	FAIL("not mapped", room + 4096 * 3 + (1ul << 40), 4096, 8192, MREMAP_MAYMOVE);
	FAIL("no room in place", room, 4096, 3 * 4096, 0);
	FAIL("overlap", p, 4096, 8192, MREMAP_MAYMOVE | MREMAP_FIXED, p);
	char *s = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	strcpy(s, "shared");
	q = mremap(s, 0, 8192, MREMAP_MAYMOVE);
	strcpy(q + 10, "twice");
	printf("doubled: %s %s\n", q, s + 10);
	return 0;
}
