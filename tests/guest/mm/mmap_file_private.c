/* Private file mappings: changes stay in memory; a read-only file may be mapped writable. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int main(void)
{
	char name[] = "/tmp/mmapXXXXXX", buf[6] = {0};
	int fd = mkstemp(name);

	write(fd, "hello world", 11);
	ftruncate(fd, 10000);
	int ro = open(name, O_RDONLY);
	char *p = mmap(NULL, 10000, PROT_READ | PROT_WRITE, MAP_PRIVATE, ro, 0);

	printf("mapped %d: %.5s, tail %d\n", p != MAP_FAILED, p, p[9999]);
	memcpy(p, "HELLO", 5);
	pread(fd, buf, 5, 0);
	printf("memory %.5s file %s\n", p, buf);
	pwrite(fd, "there", 5, 4096);
	printf("untouched page sees the file: %.5s\n", p + 4096);
	char *q = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, ro, 4096);

	printf("at offset: %.5s\n", q);
	close(ro);
	close(fd);
	unlink(name);
	printf("after close and unlink: %.5s %.5s\n", p, q);
	return 0;
}
