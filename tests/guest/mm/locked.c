/* VmLck counts what mlock holds; unaligned addresses are refused before anything else. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static long locked(void)
{
	char line[128];
	FILE *f = fopen("/proc/self/status", "r");
	long kb = -1;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "VmLck: %ld", &kb) == 1)
			break;
	if (f)
		fclose(f);
	return kb;
}

int main(void)
{
	char *p = mmap(NULL, 16 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned char vec[1];

	printf("at first %ld\n", locked());
	printf("mlock %d", mlock(p, 4 * 4096));
	printf(" %ld\n", locked());
	printf("onfault %d", mlock2(p + 8 * 4096, 4 * 4096, MLOCK_ONFAULT));
	printf(" %ld\n", locked());
	printf("munlock %d", munlock(p + 4096, 4096));
	printf(" %ld\n", locked());
	munmap(p, 16 * 4096);
	printf("munmap %ld\n", locked());
	char *top = (char *)-1;
	printf("msync %d", msync(top, 4096, MS_ASYNC) ? errno : 0);
	printf(" mincore %d", mincore(top, 4096, vec) ? errno : 0);
	printf(" mprotect %d\n", mprotect(top, 4096, PROT_READ) ? errno : 0);
	return 0;
}
