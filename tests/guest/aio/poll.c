/* IOCB_CMD_POLL: pending until the file is ready, cancelled, gone with the context; and io_pgetevents's mask. */
#include <errno.h>
#include <linux/aio_abi.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

static int fds[2];
static volatile int caught;

static void handler(int s)
{
	caught = s;
}
static void *later(void *arg)
{
	(void)arg;
	usleep(50000);
	(void)!write(fds[1], "x", 1);
	return NULL;
}
static long events(aio_context_t c, long least, struct io_event *e, struct timespec *ts)
{
	long r = syscall(SYS_io_getevents, c, least, 4L, e, ts);

	return r < 0 ? -errno : r;
}
static long submit(aio_context_t c, struct iocb *b)
{
	long r = syscall(SYS_io_submit, c, 1L, &b);

	return r < 0 ? -errno : r;
}

int main(void)
{
	struct timespec none = {0, 0};
	struct iocb in = {.aio_lio_opcode = IOCB_CMD_POLL, .aio_data = 1, .aio_buf = POLLIN};
	struct iocb out = {.aio_lio_opcode = IOCB_CMD_POLL, .aio_data = 2, .aio_buf = POLLOUT};
	struct io_event ev[4];
	aio_context_t c = 0;
	pthread_t thread;
	uint64_t value = 0;
	int efd = eventfd(0, EFD_NONBLOCK);

	(void)!pipe(fds);
	in.aio_fildes = (uint32_t)fds[0];
	out.aio_fildes = (uint32_t)fds[1];
	in.aio_flags = IOCB_FLAG_RESFD;
	in.aio_resfd = (uint32_t)efd;
	printf("setup %ld\n", syscall(SYS_io_setup, 4, &c));
	printf("ready at once %ld", submit(c, &out));
	printf(" %ld", events(c, 1, ev, NULL));
	printf(" %d %#x\n", (int)ev[0].data, (unsigned)ev[0].res);
	printf("pending %ld", submit(c, &in));
	printf(" %ld\n", events(c, 0, ev, &none));
	pthread_create(&thread, NULL, later, NULL);
	printf("woken %ld", events(c, 1, ev, NULL));
	printf(" %d %#x eventfd %d\n", (int)ev[0].data, (unsigned)ev[0].res & POLLIN, (int)read(efd, &value, 8));
	pthread_join(thread, NULL);
	(void)!read(fds[0], ev, 1);

	printf("again %ld", submit(c, &in));
	long r = syscall(SYS_io_cancel, c, &in, ev);
	printf(" cancel %d", r < 0 ? -errno : (int)r);
	r = syscall(SYS_io_cancel, c, &in, ev);
	printf(" twice %d", r < 0 ? -errno : (int)r);
	printf(" event %ld\n", events(c, 1, ev, NULL));

	in.aio_buf = 0x10000;
	printf("too many events %ld", submit(c, &in));
	in.aio_buf = POLLIN;
	in.aio_nbytes = 1;
	printf(" size %ld\n", submit(c, &in));
	in.aio_nbytes = 0;

	/* a blocked signal that the call lets in ends it */
	struct {
		sigset_t *set;
		size_t size;
	} mask;
	sigset_t empty, usr1;
	signal(SIGUSR1, handler);
	sigemptyset(&empty);
	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	sigprocmask(SIG_BLOCK, &usr1, NULL);
	raise(SIGUSR1);
	mask.set = &empty;
	mask.size = 8;
	r = syscall(SYS_io_pgetevents, c, 1L, 4L, ev, NULL, &mask);
	printf("masked %d caught %d\n", r < 0 ? -errno : (int)r, caught == SIGUSR1);
	mask.size = 7;
	r = syscall(SYS_io_pgetevents, c, 0L, 4L, ev, &none, &mask);
	printf("size %d\n", r < 0 ? -errno : (int)r);

	printf("left %ld", submit(c, &in));
	printf(" destroy %ld\n", syscall(SYS_io_destroy, c));
	(void)!write(fds[1], "x", 1);
	printf("gone %ld\n", events(c, 0, ev, &none));
	return 0;
}
