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
	return 0;
}
