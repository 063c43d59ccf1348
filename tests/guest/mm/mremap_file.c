/* mremap(2) of a file mapping keeps showing the file. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int main(void)
{
	char name[] = "/tmp/mmapXXXXXX";
	int fd = mkstemp(name);

	for (int i = 0; i < 4; i++) {
		char page[4096] = {0};

		snprintf(page, sizeof(page), "page %d", i);
		write(fd, page, sizeof(page));
	}
	char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 4096);

	printf("%s\n", p);
	p = mremap(p, 4096, 3 * 4096, MREMAP_MAYMOVE);
	printf("%s %s %s\n", p, p + 4096, p + 8192);
	strcpy(p + 8192, "changed");
	char buf[16] = {0};

	pread(fd, buf, 8, 3 * 4096);
	printf("%s\n", buf);
	unlink(name);
	return 0;
}
