/* Polls on eventfds whose events signal eventfds, submitted, cancelled, fetched and destroyed by threads at once. What
 * comes of each is chance; all of them come to an end. */
#include <linux/aio_abi.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#define N 32
static volatile int stop;
static int efd[N];
static volatile aio_context_t ctx;

static void *wake(void *arg)
{
	unsigned seed = (unsigned)(uintptr_t)arg;
	uint64_t one = 1;

	while (!stop)
		(void)!write(efd[rand_r(&seed) % N], &one, sizeof(one));
	return NULL;
}

static void *submit(void *arg)
{
	unsigned seed = (unsigned)(uintptr_t)arg;

	while (!stop) {
		int fd = efd[rand_r(&seed) % N];
		struct iocb cb = {.aio_lio_opcode = IOCB_CMD_POLL, .aio_fildes = (uint32_t)fd, .aio_buf = POLLIN,
				  .aio_flags = IOCB_FLAG_RESFD, .aio_resfd = (uint32_t)efd[rand_r(&seed) % N]};
		struct iocb *p = &cb;
		struct io_event e;
		uint64_t v;

		syscall(SYS_io_submit, ctx, 1L, &p);
		if (rand_r(&seed) % 4 == 0)
			syscall(SYS_io_cancel, ctx, &cb, &e);
		(void)!read(fd, &v, sizeof(v));
	}
	return NULL;
}

static void *fetch(void *arg)
{
	struct timespec ts = {0, 1000000};
	struct io_event ev[16];

	(void)arg;
	while (!stop)
		syscall(SYS_io_getevents, ctx, 1L, 16L, ev, &ts);
	return NULL;
}

static void *replace(void *arg)
{
	(void)arg;
	while (!stop) {
		aio_context_t old = ctx, new = 0;

		usleep(2000);
		syscall(SYS_io_setup, 64, &new);
		ctx = new;
		syscall(SYS_io_destroy, old);
	}
	return NULL;
}

int main(void)
{
	static void *(*const fn[])(void *) = {wake, submit, submit, fetch, replace};
	pthread_t t[5];
	aio_context_t c = 0;

	for (int i = 0; i < N; i++)
		efd[i] = eventfd(0, EFD_NONBLOCK);
	syscall(SYS_io_setup, 64, &c);
	ctx = c;
	for (int i = 0; i < 5; i++)
		pthread_create(&t[i], NULL, fn[i], (void *)(uintptr_t)(i + 1));
	usleep(1500000);
	stop = 1;
	for (int i = 0; i < 5; i++)
		pthread_join(t[i], NULL);
	printf("done\n");
	return 0;
}
