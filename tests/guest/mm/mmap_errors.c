/* What mmap(2) and munmap(2) refuse, and with which error. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void try(const char *what, void *addr, size_t size, int prot, int flags, int fd, off_t off)
{
	void *p = mmap(addr, size, prot, flags, fd, off);

	printf("%s: %s\n", what, p == MAP_FAILED ? strerror(errno) : "ok");
	if (p != MAP_FAILED)
		munmap(p, size);
}

int main(void)
{
	long r;

	char name[] = "/tmp/mmapXXXXXX";
	int rw = mkstemp(name), ro, wo, dir = open("/tmp", O_RDONLY), pipes[2], path;

	ftruncate(rw, 8192);
	ro = open(name, O_RDONLY);
	wo = open(name, O_WRONLY);
	path = open(name, O_PATH);
	pipe(pipes);
	try("size 0", NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	try("no type", NULL, 4096, PROT_READ, MAP_ANONYMOUS, -1, 0);
	try("odd offset", NULL, 4096, PROT_READ, MAP_PRIVATE, rw, 100);
	try("bad descriptor", NULL, 4096, PROT_READ, MAP_PRIVATE, 999, 0);
	try("descriptor -1", NULL, 4096, PROT_READ, MAP_PRIVATE, -1, 0);
	try("O_PATH", NULL, 4096, PROT_READ, MAP_PRIVATE, path, 0);
	try("shared write of read-only", NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, ro, 0);
	try("private write of read-only", NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, ro, 0);
	try("shared read of read-only", NULL, 4096, PROT_READ, MAP_SHARED, ro, 0);
	try("read of write-only", NULL, 4096, PROT_READ, MAP_SHARED, wo, 0);
	try("write of write-only", NULL, 4096, PROT_WRITE, MAP_SHARED, wo, 0);
	try("directory", NULL, 4096, PROT_READ, MAP_PRIVATE, dir, 0);
	try("pipe", NULL, 4096, PROT_READ, MAP_PRIVATE, pipes[0], 0);
	try("huge size", NULL, 1ul << 60, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	try("size overflows", NULL, -1ul, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	try("fixed odd address", (void *)0x10000001, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	try("fixed kernel address", (void *)0xffff800000000000ul, 4096, PROT_READ,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	try("offset overflows", NULL, 8192, PROT_READ, MAP_PRIVATE, rw, 0x7ffffffffffff000);
	try("validate unknown flag", NULL, 4096, PROT_READ, MAP_SHARED_VALIDATE | 0x40000000 | (1 << 25), rw, 0);
	try("validate", NULL, 4096, PROT_READ, MAP_SHARED_VALIDATE, rw, 0);
	try("validate anonymous", NULL, 4096, PROT_READ, MAP_SHARED_VALIDATE | MAP_ANONYMOUS, -1, 0);
	try("hint", (void *)0x123456789000, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	char *p = mmap(NULL, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	try("noreplace over a mapping", p, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	munmap(p, 8192);
	try("noreplace over nothing", p, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	errno = 0;
	r = munmap(p + 1, 4096);
	printf("munmap odd %ld %s\n", r, strerror(errno));
	errno = 0;
	r = munmap(p, 0);
	printf("munmap size 0 %ld %s\n", r, strerror(errno));
	errno = 0;
	r = munmap(p, -4096ul);
	printf("munmap beyond %ld %s\n", r, strerror(errno));
	unlink(name);
	return 0;
}
