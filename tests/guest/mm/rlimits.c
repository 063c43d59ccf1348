/* Memory limits: RLIMIT_AS and RLIMIT_DATA refuse what goes beyond. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *map(size_t size, int prot)
{
	void *p = mmap(NULL, size, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return strerror(errno);
	munmap(p, size);
	return "ok";
}

static void limited(int resource, size_t limit)
{
	struct rlimit lim = {limit, RLIM_INFINITY};

	fflush(stdout);
	if (fork() == 0) {
		printf("set %d\n", setrlimit(resource, &lim));
		printf("small %s\n", map(1 << 20, PROT_READ | PROT_WRITE));
		printf("large %s\n", map(1 << 30, PROT_READ | PROT_WRITE));
		printf("large, never written %s\n", map(1 << 30, PROT_NONE));
		getrlimit(resource, &lim);
		printf("still %lu\n", (unsigned long)lim.rlim_cur);
		lim.rlim_cur = RLIM_INFINITY;
		printf("raised %d\n", setrlimit(resource, &lim));
		printf("large %s\n", map(1 << 30, PROT_READ | PROT_WRITE));
		fflush(stdout);
		_exit(0);
	}
	wait(NULL);
}

int main(void)
{
	limited(RLIMIT_AS, 512 << 20);
	limited(RLIMIT_DATA, 64 << 20);
	return 0;
}
