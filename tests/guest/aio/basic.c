/* io_setup, io_submit and io_getevents on a file: reads, writes, vectors, syncs, events by eventfd, and errors. */
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static long setup(unsigned n, aio_context_t *c)
{
	return syscall(SYS_io_setup, n, c) < 0 ? -errno : 0;
}
static long submit(aio_context_t c, long n, struct iocb **p)
{
	long r = syscall(SYS_io_submit, c, n, p);

	return r < 0 ? -errno : r;
}
static long events(aio_context_t c, long least, long most, struct io_event *e, struct timespec *ts)
{
	long r = syscall(SYS_io_getevents, c, least, most, e, ts);

	return r < 0 ? -errno : r;
}
static struct iocb cb(int op, int fd, void *buf, size_t size, long long off)
{
	return (struct iocb){.aio_data = (uintptr_t)op + 100, .aio_lio_opcode = (uint16_t)op, .aio_fildes = (uint32_t)fd,
			     .aio_buf = (uintptr_t)buf, .aio_nbytes = size, .aio_offset = off};
}

int main(void)
{
	char name[] = "/tmp/aioXXXXXX", in[64] = "", more[8] = "";
	int fd = mkstemp(name), ro = open(name, O_RDONLY), efd = eventfd(0, EFD_NONBLOCK), dir = open("/", O_RDONLY);
	struct iovec iov[2] = {{in, 3}, {more, 5}};
	struct timespec none = {0, 0}, soon = {0, 20000000};
	struct io_event ev[8];
	aio_context_t c = 0, other = 0, used = 5;
	struct iocb b[8], *p[8];
	uint64_t value;

	unlink(name);
	printf("setup none %ld used %ld bad %ld\n", setup(0, &c), setup(1, &used), setup(1, (void *)8));
	printf("setup %ld named %d\n", setup(8, &c), c != 0);
	printf("no events %ld, after a while %ld\n", events(c, 0, 8, ev, NULL), events(c, 1, 8, ev, &soon));

	b[0] = cb(IOCB_CMD_PWRITE, fd, "hello world", 11, 0);
	b[1] = cb(IOCB_CMD_PREAD, fd, in, 5, 6);
	b[1].aio_flags = IOCB_FLAG_RESFD;
	b[1].aio_resfd = (uint32_t)efd;
	b[2] = cb(IOCB_CMD_FSYNC, fd, NULL, 0, 0);
	b[3] = cb(IOCB_CMD_FDSYNC, fd, NULL, 0, 0);
	for (int i = 0; i < 8; i++)
		p[i] = &b[i];
	printf("submit %ld\n", submit(c, 4, p));
	long n = events(c, 4, 8, ev, NULL);
	printf("events %ld\n", n);
	long long res[4] = {-1, -1, -1, -1};
	for (int i = 0; i < n; i++)
		for (int k = 0; k < 4; k++)
			if (ev[i].obj == (uintptr_t)p[k] && ev[i].data == b[k].aio_data && !ev[i].res2)
				res[k] = ev[i].res;
	printf("results %lld %lld %lld %lld\n", res[0], res[1], res[2], res[3]);
	printf("read %.5s, eventfd %d", in, read(efd, &value, 8) == 8);
	printf(" %d\n", (int)value);

	b[0] = cb(IOCB_CMD_PREADV, fd, iov, 2, 1);
	b[1] = cb(IOCB_CMD_PREAD, fd, in, 5, 100);
	b[2] = cb(IOCB_CMD_PREAD, fd, (void *)8, 5, 0);
	n = submit(c, 3, p);
	printf("submit %ld events %ld\n", n, events(c, 3, 3, ev, NULL));
	for (int k = 0; k < 3; k++)
		for (int i = 0; i < 3; i++)
			if (ev[i].obj == (uintptr_t)p[k])
				printf(" res %lld\n", (long long)ev[i].res);
	printf("%.3s %.5s\n", in, more);

	/* what is wrong with a request is the call's error, when it is the first */
	b[0] = cb(IOCB_CMD_PWRITE, ro, "x", 1, 0);
	printf("read-only %ld\n", submit(c, 1, p));
	b[0] = cb(IOCB_CMD_PREAD, 999, in, 1, 0);
	printf("closed %ld\n", submit(c, 1, p));
	b[0] = cb(IOCB_CMD_PREAD, dir, in, 1, 0);
	printf("directory %ld\n", submit(c, 1, p));
	b[0] = cb(IOCB_CMD_PREAD, fd, in, 1, -1);
	printf("offset %ld\n", submit(c, 1, p));
	b[0] = cb(99, fd, in, 1, 0);
	printf("opcode %ld\n", submit(c, 1, p));
	b[0] = cb(IOCB_CMD_PREAD, fd, in, 1, 0);
	b[0].aio_reserved2 = 1;
	printf("reserved %ld\n", submit(c, 1, p));
	b[0] = cb(IOCB_CMD_PREAD, fd, in, 1, 0);
	b[0].aio_flags = IOCB_FLAG_RESFD;
	b[0].aio_resfd = (uint32_t)fd;
	printf("no eventfd %ld\n", submit(c, 1, p));
	b[0] = cb(IOCB_CMD_PREAD, fd, in, 1, 0);
	b[0].aio_rw_flags = 0x1000;
	printf("flag %ld\n", submit(c, 1, p));
	b[0] = cb(IOCB_CMD_FSYNC, fd, in, 1, 0);
	printf("fsync with a buffer %ld\n", submit(c, 1, p));
	p[0] = (void *)8;
	printf("bad iocb %ld bad list %ld\n", submit(c, 1, p), submit(c, 1, (void *)8));
	p[0] = &b[0];
	b[0] = cb(IOCB_CMD_PREAD, fd, in, 1, 0);
	b[1] = cb(99, fd, in, 1, 0);
	printf("the second is wrong %ld\n", submit(c, 2, p));
	printf("none %ld negative %ld context %ld\n", submit(c, 0, p), submit(c, -1, p), submit(c + 1, 1, p));
	printf("events %ld %ld %ld %ld\n", events(c, 2, 1, ev, &none), events(c, -1, 1, ev, &none),
	       events(c + 1, 0, 1, ev, &none), events(c, 0, 8, ev, &none));

	printf("second %ld", setup(1, &other));
	printf(" destroy %d", (int)syscall(SYS_io_destroy, other));
	printf(" again %d %d\n", (int)syscall(SYS_io_destroy, other), errno);
	if (!fork()) { /* a context is its address space's */
		printf("in a child %ld\n", events(c, 0, 1, ev, &none));
		fflush(stdout);
		_exit(0);
	}
	sleep(1);
	return 0;
}
