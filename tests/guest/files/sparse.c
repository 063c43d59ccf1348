/* Holes: lseek SEEK_DATA and SEEK_HOLE, fallocate. */
#include "tmp.h"
#include <linux/falloc.h>
#define PAGE 4096
int main(void)
{
	char buf[16];
	struct stat st;

	tmp_enter();
	int fd = open("f", O_RDWR | O_CREAT, 0644);
	SHOW(pwrite(fd, "end", 3, 1 << 24));
	SHOW(lseek(fd, 0, SEEK_DATA));
	SHOW(lseek(fd, 0, SEEK_HOLE));
	SHOW(lseek(fd, 1 << 24, SEEK_HOLE));
	SHOW(lseek(fd, (1 << 24) + 3, SEEK_DATA));
	SHOW(lseek(fd, -1, SEEK_DATA));
	fstat(fd, &st);
	CHECK(st.st_blocks < 100);
	memset(buf, 'x', sizeof(buf));
	SHOW(pread(fd, buf, 16, 5000));
	CHECK(!memcmp(buf, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16));
	SHOW(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 1 << 24, PAGE));
	SHOW(pread(fd, buf, 3, 1 << 24));
	printf("%d %d %d\n", buf[0], buf[1], buf[2]);
	SHOW(fallocate(fd, 0, 0, 1 << 25));
	fstat(fd, &st);
	printf("size %lld\n", (long long)st.st_size);
	SHOW(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 1 << 26));
	fstat(fd, &st);
	printf("size %lld\n", (long long)st.st_size);
	SHOW(fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, PAGE));
	SHOW(fallocate(fd, 0, 0, 0));
	SHOW(fallocate(fd, 0, -1, 10));
	int ro = open("f", O_RDONLY);
	SHOW(fallocate(ro, 0, 0, 10));
	SHOW(ftruncate(fd, 10));
	SHOW(ftruncate(fd, 3 * PAGE));
	SHOW(pread(fd, buf, 10, 5));
	CHECK(!buf[0] && !buf[9]);
	SHOW(lseek(fd, 0, 99));
	SHOW(lseek(fd, -1, SEEK_SET));
	SHOW(lseek(fd, -1, SEEK_END));
	return 0;
}
