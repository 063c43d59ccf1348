/* Numbers that are no system call, again and again, so that patched sites are seen, too. */
#include <errno.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(void)
{
	long nrs[] = {-1, -2, -4096, 100000, 0x3fffffff, 0x7fffffff, -2147483647 - 1};

	for (unsigned i = 0; i < sizeof(nrs) / sizeof(nrs[0]); i++) {
		int bad = 0;

		for (int k = 0; k < 8; k++)
			bad += syscall(nrs[i], 1, 2, 3) != -1 || errno != ENOSYS;
		printf("%ld: %d\n", nrs[i], bad);
	}
	printf("getppid %d\n", syscall(SYS_getppid) == getppid());
	return 0;
}
