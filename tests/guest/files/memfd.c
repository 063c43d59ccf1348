/* memfd_create and its seals. */
#include "tmp.h"
#include <sys/mman.h>
int main(void)
{
	char buf[64] = "", path[64];
	struct stat st;
	ssize_t n;

	int fd = SHOW_OK(memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING));
	SHOW(fcntl(fd, F_GET_SEALS));
	SHOW(write(fd, "hello", 5));
	fstat(fd, &st);
	printf("size %lld nlink %u regular %d\n", (long long)st.st_size, (unsigned)st.st_nlink, S_ISREG(st.st_mode));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, buf, sizeof(buf) - 1);
	buf[n > 0 ? n : 0] = 0;
	printf("%s\n", buf);
	char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(p != MAP_FAILED);
	p[0] = 'J';
	pread(fd, buf, 5, 0);
	printf("%.5s\n", buf);
	SHOW(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
	munmap(p, 4096);
	SHOW(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW));
	SHOW(ftruncate(fd, 100));
	SHOW(pwrite(fd, "xxx", 3, 4));
	SHOW(ftruncate(fd, 4));
	SHOW(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK));
	SHOW(ftruncate(fd, 2));
	SHOW(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
	SHOW(pwrite(fd, "y", 1, 0));
	CHECK(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED && errno == EPERM);
	CHECK(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0) != MAP_FAILED);
	SHOW(fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL));
	SHOW(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
	SHOW(fcntl(fd, F_GET_SEALS));
	int plain = SHOW_OK(memfd_create("plain", 0));
	SHOW(fcntl(plain, F_GET_SEALS));
	SHOW(fcntl(plain, F_ADD_SEALS, F_SEAL_WRITE));
	SHOW_OK(memfd_create("bad", 0x1000));
	SHOW_OK(memfd_create((char *)8, 0));
	int future = memfd_create("f", MFD_ALLOW_SEALING);
	ftruncate(future, 4096);
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, future, 0);
	SHOW(fcntl(future, F_ADD_SEALS, F_SEAL_FUTURE_WRITE));
	p[0] = 'k';
	SHOW(pread(future, buf, 1, 0));
	SHOW(pwrite(future, "z", 1, 0));
	CHECK(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, future, 0) == MAP_FAILED && errno == EPERM);
	SHOW(lseek(plain, 1 << 20, SEEK_SET));
	SHOW(write(plain, "q", 1));
	SHOW(lseek(plain, 0, SEEK_DATA));
	return 0;
}
