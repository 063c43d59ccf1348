/* A large mapping of which little is touched costs little. */
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>

int main(void)
{
	size_t size = 8ul << 30;
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	long sum = 0;

	printf("mapped %d\n", p != MAP_FAILED);
	madvise(p, size, MADV_NOHUGEPAGE);
	for (size_t i = 0; i < size; i += size / 64)
		p[i] = 1;
	for (size_t i = 0; i < size; i += size / 128)
		sum += p[i];
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	printf("sum %ld, resident below 32 MiB %d\n", sum, u.ru_maxrss < 32 << 10);
	printf("unmap %d\n", munmap(p, size));
	return 0;
}
