/* Anonymous memory: zero-filled, private copies and shared memory over fork. */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
	size_t size = 64 * 4096, nonzero = 0;
	unsigned char *a = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned char *s = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	for (size_t i = 0; i < size; i++)
		nonzero += a[i] || s[i];
	printf("nonzero %zu\n", nonzero);
	memset(a, 1, size);
	memset(s, 1, size);
	if (fork() == 0) {
		memset(a, 2, size);
		memset(s, 3, size);
		_exit(a[100] == 2 && s[100] == 3 ? 5 : 6);
	}
	int status;

	wait(&status);
	printf("child %d, private %d %d, shared %d %d\n", WEXITSTATUS(status), a[0], a[size - 1], s[0], s[size - 1]);
	printf("unmap %d %d, again %d\n", munmap(a, size), munmap(s, size), munmap(a, size));
	return 0;
}
