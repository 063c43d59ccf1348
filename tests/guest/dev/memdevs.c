/* null, zero, full, random, urandom. */
#include "../show.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
int main(void)
{
	static const char *const names[] = {"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty"};
	char buf[4096], other[4096];
	struct stat st;

	for (int i = 0; i < 6; i++) {
		if (stat(names[i], &st) < 0)
			printf("%s: %s\n", names[i], strerrorname_np(errno));
		else
			printf("%s: %d %u:%u %o\n", names[i], S_ISCHR(st.st_mode), major(st.st_rdev), minor(st.st_rdev), st.st_mode & 0777);
	}
	int n = open("/dev/null", O_RDWR);
	SHOW(write(n, buf, 4096));
	SHOW(read(n, buf, 4096));
	SHOW(lseek(n, 100, SEEK_SET));
	SHOW(ftruncate(n, 10));
	SHOW_OK(open("/dev/null", O_WRONLY | O_TRUNC | O_CREAT, 0666));
	CHECK(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, n, 0) == MAP_FAILED && errno == ENODEV);
	int z = open("/dev/zero", O_RDWR);
	memset(buf, 'x', sizeof(buf));
	SHOW(read(z, buf, 4096));
	CHECK(!buf[0] && !buf[4095]);
	SHOW(write(z, buf, 4096));
	char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE, z, 0);
	CHECK(p != MAP_FAILED && !p[0] && !p[8191]);
	p[0] = 1;
	char *s = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, z, 0);
	CHECK(s != MAP_FAILED && !s[0]);
	s[1] = 2;
	int f = open("/dev/full", O_RDWR);
	SHOW(write(f, "x", 1));
	SHOW(read(f, buf, 10));
	int u = open("/dev/urandom", O_RDWR);
	SHOW(read(u, buf, 4096));
	SHOW(read(u, other, 4096));
	CHECK(memcmp(buf, other, 4096));
	SHOW(write(u, "seed", 4));
	int r = open("/dev/random", O_RDONLY);
	SHOW(read(r, buf, 64));
	SHOW(read(z, (char *)8, 4096));
	SHOW(write(n, (char *)8, 10));
	char *big = malloc(3 << 20);
	SHOW(read(z, big, 3 << 20));
	return 0;
}
