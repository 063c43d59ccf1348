/* /proc/self/maps: own mappings stand there with their protection; smaps adds up. */
#include "tests/guest/proc/util.h"
#include <sys/mman.h>
static char buf[1 << 20];
static void find(const void *addr)
{
	char *save = NULL;

	slurp("/proc/self/maps", buf, sizeof(buf));
	for (char *l = strtok_r(buf, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
		unsigned long s, e, off, ino;
		char perm[8], dev[16], name[256] = "";

		sscanf(l, "%lx-%lx %7s %lx %15s %lu %255s", &s, &e, perm, &off, dev, &ino, name);
		if ((unsigned long)addr >= s && (unsigned long)addr < e) {
			printf("%s off %lx name %s\n", perm, off, strrchr(name, '/') ? strrchr(name, '/') : name);
			return;
		}
	}
	puts("not mapped");
}
int main(void)
{
	char path[] = "/tmp/mapsXXXXXX";
	int fd = mkstemp(path), local;
	char *f, *a, *s, *h = malloc(100);

	ftruncate(fd, 16384);
	f = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 4096);
	a = mmap(NULL, 3 * 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	mprotect(a + 4096, 4096, PROT_READ | PROT_EXEC);
	s = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 8192);
	slurp("/proc/self/maps", buf, sizeof(buf));
	CHECK(strstr(buf, path + 5) != NULL);
	unlink(path);
	slurp("/proc/self/maps", buf, sizeof(buf));
	CHECK(strstr(buf, " (deleted)\n") != NULL);
	find(a);
	find(a + 4096);
	find(a + 8192);
	find((void *)main);
	find(&local);
	find(h);
	find(NULL);
	CHECK(strstr(buf, "[stack]") || (slurp("/proc/self/maps", buf, sizeof(buf)), strstr(buf, "[stack]")));
	CHECK(strstr(buf, "[heap]") != NULL);
	CHECK(strstr(buf, "[vdso]") != NULL);
	munmap(f, 8192);
	munmap(s, 4096);
	slurp("/proc/self/maps", buf, sizeof(buf));
	CHECK(strstr(buf, path + 5) == NULL);
	memset(mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), 1, 1 << 20);
	slurp("/proc/self/smaps_rollup", buf, sizeof(buf));
	CHECK(atol(line(buf, "Rss:")) >= 1024 && strstr(buf, "[rollup]"));
	slurp("/proc/self/smaps", buf, sizeof(buf));
	CHECK(strstr(buf, "VmFlags:") && strstr(buf, "Private_Dirty:"));
	return 0;
}
