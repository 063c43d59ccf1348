/* mprotect(2) of file mappings keeps to what the descriptor allowed. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int main(void)
{
	long r;

	char name[] = "/tmp/mmapXXXXXX", buf[8] = {0};
	int rw = mkstemp(name), ro = open(name, O_RDONLY);

	ftruncate(rw, 4096);
	char *a = mmap(NULL, 4096, PROT_READ, MAP_SHARED, ro, 0);
	char *b = mmap(NULL, 4096, PROT_READ, MAP_SHARED, rw, 0);
	char *c = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE, ro, 0);

	errno = 0;
	r = mprotect(a, 4096, PROT_READ | PROT_WRITE);
	printf("shared, opened read-only: %ld %s\n", r, strerror(errno));
	printf("shared, opened read-write: %d\n", mprotect(b, 4096, PROT_READ | PROT_WRITE));
	strcpy(b, "later");
	pread(rw, buf, 6, 0);
	printf("file %s, other mapping %s\n", buf, a);
	printf("private, opened read-only: %d\n", mprotect(c, 4096, PROT_READ | PROT_WRITE));
	strcpy(c, "mine");
	pread(rw, buf, 6, 0);
	printf("file %s, private %s\n", buf, c);
	printf("exec %d\n", mprotect(c, 4096, PROT_READ | PROT_EXEC));
	unlink(name);
	return 0;
}
