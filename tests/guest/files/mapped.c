/* Mappings of files and what reads see of them. */
#include "tmp.h"
#include <sys/mman.h>
int main(void)
{
	char buf[16] = "";

	tmp_enter();
	put("f", "0123456789");
	int fd = open("f", O_RDWR), ro = open("f", O_RDONLY);
	char *s = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, ro, 0);
	CHECK(s != MAP_FAILED && p != MAP_FAILED);
	printf("%.10s %.10s\n", s, p);
	s[0] = 'S';
	SHOW(pread(fd, buf, 10, 0));
	printf("%.10s\n", buf);
	SHOW(pwrite(fd, "W", 1, 1));
	printf("%.10s\n", s);
	p[2] = 'P';
	printf("%.10s %.10s\n", s, p);
	SHOW(msync(s, 4096, MS_SYNC));
	CHECK(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, ro, 0) == MAP_FAILED && errno == EACCES);
	char *r = mmap(NULL, 4096, PROT_READ, MAP_SHARED, ro, 0);
	printf("%.3s\n", r);
	SHOW(mprotect(r, 4096, PROT_READ | PROT_WRITE));
	int wo = open("f", O_WRONLY);
	CHECK(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, wo, 0) == MAP_FAILED && errno == EACCES);
	unlink("f");
	close(fd);
	s[3] = 'T';
	printf("%.10s\n", s);
	pread(ro, buf, 10, 0);
	printf("%.10s\n", buf);
	SHOW(munmap(s, 4096));
	mkdir("d", 0755);
	int d = open("d", O_RDONLY);
	CHECK(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, d, 0) == MAP_FAILED && errno == ENODEV);
	return 0;
}
