/* /proc/self/maps shows what was mapped, with its file, offset and protection. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct line {
	unsigned long start, end, offset, inode;
	char perms[8], name[512];
};

static int find(void *addr, struct line *l)
{
	char text[1024];
	FILE *f = fopen("/proc/self/maps", "r");
	unsigned maj, min;
	int found = 0;

	while (!found && fgets(text, sizeof(text), f)) {
		memset(l, 0, sizeof(*l));
		if (sscanf(text, "%lx-%lx %7s %lx %x:%x %lu %511[^\n]", &l->start, &l->end, l->perms, &l->offset,
			   &maj, &min, &l->inode, l->name) < 7) {
			printf("odd line %s", text);
			continue;
		}
		found = (unsigned long)addr >= l->start && (unsigned long)addr < l->end;
	}
	fclose(f);
	return found;
}

static void show(const char *what, void *addr)
{
	struct line l;

	if (!find(addr, &l))
		printf("%s: not there\n", what);
	else
		printf("%s: %s size %lu offset %lx %s\n", what, l.perms, l.end - l.start, l.offset, l.name);
}

static int data = 1;

int main(int argc, char **argv)
{
	char name[] = "/tmp/proc_maps.tmp";
	int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
	struct line l;
	struct stat st;

	ftruncate(fd, 65536);
	fstat(fd, &st);
	char *f = mmap(NULL, 3 * 4096, PROT_READ, MAP_SHARED, fd, 4096);
	char *g = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 8192);
	/* With a gap on both sides, so that nothing is merged with it. */
	char *a = mmap(NULL, 7 * 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	a += 4096;
	mprotect(a, 5 * 4096, PROT_READ | PROT_WRITE);
	show("shared file", f);
	show("private file", g);
	show("anonymous", a);
	mprotect(a + 4096, 4096, PROT_READ | PROT_EXEC);
	show("its middle", a + 4096);
	show("its end", a + 8192);
	find(f, &l);
	printf("inode as stat says: %d\n", l.inode == st.st_ino);
	munmap(f + 4096, 4096);
	show("hole", f + 4096);
	show("behind it", f + 8192);
	unlink(name);
	show("unlinked", f);
	printf("program: %d %s\n", find((void *)main, &l), l.perms);
	printf("its name: %s\n", strrchr(l.name, '/') ? strrchr(l.name, '/') + 1 : "?");
	printf("data: %d %s\n", find(&data, &l), l.perms);
	printf("stack: %d %s %s\n", find(&l, &l), l.perms, l.name);
	sbrk(4096);
	printf("heap: %d %s %s\n", find((char *)sbrk(0) - 1, &l), l.perms, l.name);
	munmap(a, 4096);
	show("anonymous gone", a);
	return 0;
}
