/* Which of two errors comes first: a position on a pipe before its mode; sendfile's offset that cannot be written. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <unistd.h>

static long err(long r)
{
	return r < 0 ? -errno : r;
}

int main(void)
{
	char name[] = "/tmp/rwXXXXXX", buf[8];
	struct iovec iov = {buf, sizeof(buf)};
	int fds[2], fd = mkstemp(name), wr = open(name, O_WRONLY);
	off_t *off = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	off_t o = 3, neg = -1;

	(void)!pipe(fds);
	printf("pwritev2 %ld preadv2 %ld pwrite %ld pread %ld\n", err(pwritev2(fds[0], &iov, 1, 0, 0)),
	       err(preadv2(fds[1], &iov, 1, 0, 0)), err(pwrite(fds[0], buf, 1, 0)), err(pread(fds[1], buf, 1, 0)));
	printf("file %ld %ld\n", err(pread(wr, buf, 1, 0)), err(preadv2(wr, &iov, 1, 0, 0)));
	printf("empty file, read-only offset %ld\n", err(sendfile(wr, fd, off, 1)));
	(void)!write(fd, "abcdef", 6);
	printf("read-only offset %ld, negative %ld\n", err(sendfile(wr, fd, off, 1)), err(sendfile(wr, fd, &neg, 1)));
	printf("offset %ld", err(sendfile(fds[1], fd, &o, 2)));
	printf(" %d\n", (int)o);
	unlink(name);
	return 0;
}
