/* preadv2(2) and pwritev2(2): positions and flags. */
#include "fs.h"
#include <sys/uio.h>

int main(void)
{
	char buf[16];
	struct iovec w[2] = {{"ab", 2}, {"cd", 2}}, r[2] = {{buf, 3}, {buf + 3, 8}};
	int fd, p[2];

	fs_enter();
	fd = open("f", O_CREAT | O_RDWR, 0644);
	T(pwritev2(fd, w, 2, -1, 0));
	T(lseek(fd, 0, SEEK_CUR));
	T(pwritev2(fd, w, 2, 0, RWF_APPEND));
	T(lseek(fd, 0, SEEK_CUR));
	fs_cat("f");
	T(pwritev2(fd, w, 1, 1, RWF_DSYNC));
	T(pwritev2(fd, w, 1, 2, RWF_SYNC));
	fs_cat("f");
	T(preadv2(fd, r, 2, 0, 0));
	T(preadv2(fd, r, 2, -1, 0));
	T(preadv2(fd, r, 2, -2, 0));
	T(preadv2(fd, r, 2, 0, 0x40000000));
	T(preadv2(fd, r, 2, 100, 0));
	T(pwritev(fd, w, 2, 10));
	fs_show("f");
	pipe(p);
	T(pwritev2(p[1], w, 2, 0, 0));
	T(pwritev2(p[1], w, 2, -1, 0));
	T(preadv2(p[0], r, 2, -1, 0));
	T(preadv2(p[0], r, 2, -1, RWF_NOWAIT));
	return 0;
}
