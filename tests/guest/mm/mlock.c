/* The mlock(2) family: locking, unlocking, bad arguments, the limit. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define FAIL(what, call)                                             \
	do {                                                         \
		int r_ = (call);                                     \
		printf("%s: %d %s\n", what, r_, strerror(errno));   \
	} while (0)

int main(void)
{
	char *p = mmap(NULL, 4 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned char vec[4];

	printf("mlock %d\n", mlock(p, 8192));
	mincore(p, 8192, vec);
	printf("resident %d %d\n", vec[0] & 1, vec[1] & 1);
	printf("munlock %d\n", munlock(p, 8192));
	printf("on fault %d\n", mlock2(p + 8192, 4096, MLOCK_ONFAULT));
	printf("munlock %d\n", munlock(p, 4 * 4096));
	FAIL("mlock2 flags", mlock2(p, 4096, 4));
	FAIL("mlockall 0", mlockall(0));
	FAIL("mlockall flags", mlockall(64));
	FAIL("mlockall onfault alone", mlockall(MCL_ONFAULT));
	printf("munlockall %d\n", munlockall());
	munmap(p + 8192, 4096);
	FAIL("hole", mlock(p, 4 * 4096));
	return 0;
}
