/* Mapping a memfd, and what seals mean for mappings. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int main(void)
{
	long r;

	int fd = memfd_create("name", MFD_ALLOW_SEALING);
	char buf[8] = {0};

	ftruncate(fd, 8192);
	char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	strcpy(p, "memfd");
	pread(fd, buf, 6, 0);
	printf("%s\n", buf);
	pwrite(fd, "back", 5, 4096);
	printf("%s\n", p + 4096);
	errno = 0;
	r = fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE);
	printf("seal while mapped: %ld %s\n", r, strerror(errno));
	munmap(p, 8192);
	printf("seal: %d\n", fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK));
	p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	printf("writable: %s\n", p == MAP_FAILED ? strerror(errno) : "yes");
	p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	printf("private: %d %s\n", p != MAP_FAILED, p);
	strcpy(p, "mine");
	pread(fd, buf, 6, 0);
	printf("%s %s\n", p, buf);
	errno = 0;
	r = ftruncate(fd, 0);
	printf("shrink: %ld %s\n", r, strerror(errno));
	return 0;
}
