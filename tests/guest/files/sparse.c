<<<<<<< HEAD
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
=======
/* Holes: lseek's DATA and HOLE, fallocate(2). What a file system need not do is not printed. */
#include "fs.h"
#include <linux/falloc.h>

int main(void)
{
	char buf[4096], zero[4096] = "";
	struct stat st;
	int fd;

	fs_enter();
	fd = open("f", O_CREAT | O_RDWR, 0644);
	memset(buf, 'x', sizeof(buf));
	T(pwrite(fd, buf, 4096, 1 << 20));
	T(lseek(fd, 0, SEEK_END));
	T(pread(fd, buf, 4096, 4096));
	printf("zero %i\n", !memcmp(buf, zero, 4096));
	T(lseek(fd, 0, SEEK_DATA));
	T(lseek(fd, 0, SEEK_HOLE));
	T(lseek(fd, 1 << 20, SEEK_HOLE));
	T(lseek(fd, (1 << 20) + 4096, SEEK_DATA));
	T(lseek(fd, -1, SEEK_DATA));
	T(lseek(fd, 2 << 20, SEEK_HOLE));
	T(fallocate(fd, 0, 0, 0));
	T(fallocate(fd, 0, -1, 10));
	T(fallocate(fd, 0, 0, -10));
	T(fallocate(fd, 1 << 20, 0, 10));
	T(fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, 10));
	T(fallocate(open("f", O_RDONLY), 0, 0, 10));
	T(fallocate(-1, 0, 0, 10));
	T(fallocate(open(".", O_RDONLY), 0, 0, 10));
	T(fallocate(fd, 0, 2 << 20, 8192));
	fstat(fd, &st);
	printf("size %ld\n", (long)st.st_size);
	T(fallocate(fd, FALLOC_FL_KEEP_SIZE, 3 << 20, 8192));
	fstat(fd, &st);
	printf("size %ld\n", (long)st.st_size);
	T(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 1 << 20, 100));
	T(pread(fd, buf, 4096, 1 << 20));
	printf("zeros %i\n", !memcmp(buf, zero, 100) && buf[100] == 'x');
	T(fallocate(fd, 0, INT64_MAX - 5, 100));
	T(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED));
	T(posix_fadvise(fd, 0, 0, 99));
	T(readahead(fd, 0, 4096));
	T(readahead(open(".", O_RDONLY), 0, 4096));
	T(readahead(-1, 0, 4096));
>>>>>>> 39bc2dd (tests: guest programs on files, directories, mounts and locks)
	return 0;
}
