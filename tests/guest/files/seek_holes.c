/* SEEK_DATA and SEEK_HOLE in files of a few pages in memory. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <linux/memfd.h>
#include <sys/mman.h>
#include <unistd.h>

static long seek(int fd, long off, int whence)
{
	long r = lseek(fd, off, whence);

	return r < 0 ? -errno : r;
}

static void look(const char *what, int fd)
{
	printf("%s:", what);
	for (long off = 0; off <= 16384; off += 2048)
		printf(" %ld/%ld", seek(fd, off, SEEK_DATA), seek(fd, off, SEEK_HOLE));
	printf("\n");
}

int main(void)
{
	int fd = memfd_create("m", 0);

	(void)!pwrite(fd, "a", 1, 0);
	look("one byte", fd);
	(void)!ftruncate(fd, 0);
	(void)!pwrite(fd, "a", 1, 8192);
	look("a page at 8192", fd);
	(void)!pwrite(fd, "a", 1, 4095);
	look("and one at 0", fd);
	(void)!ftruncate(fd, 16384);
	look("and a hole at the end", fd);
	printf("huge pages: %d %d\n", memfd_create("h", MFD_HUGETLB | (34u << MFD_HUGE_SHIFT)) < 0 ? errno : 0,
	       memfd_create("h", 21u << MFD_HUGE_SHIFT) < 0 ? errno : 0);
	return 0;
}
