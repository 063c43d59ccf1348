/* Copy-on-write over generations: each process sees its own changes and its ancestors' before the fork. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGES 256
static int descend(int *p, int depth)
{
	int status;

	for (int i = depth; i < PAGES; i += 8)
		p[i * 1024] = depth;
	if (depth < 6) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(descend(p, depth + 1));
		waitpid(pid, &status, 0);
		if (!WIFEXITED(status) || WEXITSTATUS(status))
			return 100 + depth;
	}
	for (int i = 0; i < PAGES; i++)
		if (p[i * 1024] != (i % 8 <= depth ? i % 8 : -1))
			return 1 + depth;
	return 0;
}

int main(void)
{
	int *p = mmap(NULL, PAGES * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	for (int i = 0; i < PAGES; i++)
		p[i * 1024] = -1;
	printf("result %d\n", descend(p, 0));
	return 0;
}
