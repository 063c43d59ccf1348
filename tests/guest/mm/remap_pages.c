/* remap_file_pages(2): pages of a shared mapping in another order; what it refuses. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define N 4
#define PAGE 4096

static int remap(void *at, size_t size, int prot, size_t off)
{
	return remap_file_pages(at, size, prot, off, 0) ? -errno : 0;
}

static void reverse(const char *what, int fd)
{
	char *p = mmap(NULL, N * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | (fd < 0 ? MAP_ANONYMOUS : 0), fd, 0);

	for (int i = 0; i < N; i++)
		p[i * PAGE] = (char)('0' + i);
	printf("%s:", what);
	for (int i = 0; i < N; i++)
		printf(" %d", remap(p + i * PAGE, PAGE, 0, (size_t)(N - 1 - i)));
	for (int i = 0; i < N; i++)
		printf(" %c", p[i * PAGE]);
	p[0] = 'x'; /* the last of the file */
	printf(" %d", remap(p + PAGE, 2 * PAGE, 0, 2));
	printf(" %c%c\n", p[PAGE], p[2 * PAGE]);
	munmap(p, N * PAGE);
}

int main(void)
{
	char name[] = "/tmp/remapXXXXXX", line[512], last[64] = "";
	int fd = mkstemp(name);
	char *shared, *own;
	FILE *maps;

	(void)!ftruncate(fd, N * PAGE);
	reverse("anonymous", -1);
	reverse("file", fd);
	shared = mmap(NULL, N * PAGE, PROT_READ, MAP_SHARED, fd, 0);
	own = mmap(NULL, N * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	printf("read-only %d %c\n", remap(shared, PAGE, 0, 3), shared[0]);
	maps = fopen("/proc/self/maps", "r");
	while (fgets(line, sizeof(line), maps))
		if (strtoul(line, NULL, 16) == (unsigned long)shared)
			snprintf(last, sizeof(last), "%.8s %s", strchr(line, ' ') + 6, strrchr(line, '/'));
	printf("maps %.8s %d\n", last, !strncmp(last + 9, name + 4, strlen(name) - 4));
	printf("private %d prot %d nothing %d empty %d overflow %d\n", remap(own, PAGE, 0, 1),
	       remap(shared, PAGE, PROT_READ, 1), remap((void *)PAGE, PAGE, 0, 0), remap(shared, 0, 0, 0),
	       remap(shared, PAGE, 0, (size_t)-1));
	unlink(name);
	return 0;
}
