/* Files that are watched by means of something that ends before them: the mounts of a namespace nobody is in any more,
 * and the signals of a task that has ended, with epoll and with asynchronous I/O. */
#include "../say.h"
#include <linux/aio_abi.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/signalfd.h>

#define ROUNDS 50

static aio_context_t ctx;

static void churn(void)
{
	void *p[64];

	for (int i = 0; i < 64; i++)
		p[i] = malloc((size_t)i * 16);
	for (int i = 0; i < 64; i++)
		free(p[i]);
	for (int i = 0; i < 20; i++)
		close(MUST(epoll_create1(0)));
}

/* The watched file outlives the namespace by two more that come and go. */
static int mounts(int ep, bool remove)
{
	struct epoll_event e = {.events = EPOLLPRI};
	int fd;

	MUST(unshare(CLONE_NEWNS));
	fd = MUST(open("/proc/self/mounts", O_RDONLY));
	MUST(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e));
	MUST(unshare(CLONE_NEWNS));
	MUST(unshare(CLONE_NEWNS));
	churn();
	if (remove)
		MUST(epoll_ctl(ep, EPOLL_CTL_DEL, fd, NULL));
	return close(fd);
}

static int poll_signals(void *arg)
{
	sigset_t set;
	struct iocb b = {.aio_lio_opcode = IOCB_CMD_POLL, .aio_buf = POLLIN}, *list = &b;
	long fd;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	fd = syscall(SYS_signalfd4, -1, &set, 8, 0);
	b.aio_fildes = (uint32_t)fd;
	*(long *)arg = syscall(SYS_io_submit, ctx, 1L, &list);
	syscall(SYS_exit, 0);
	return 0;
}

/* A process with our memory and signals of its own. */
static int signals(void)
{
	size_t size = 65536;
	char *stack = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	long submitted = 0;
	int status;
	pid_t p;

	ctx = 0;
	MUST(syscall(SYS_io_setup, 4, &ctx));
	p = MUST(clone(poll_signals, stack + size, CLONE_VM | SIGCHLD, &submitted));
	MUST(waitpid(p, &status, 0));
	churn();
	MUST(syscall(SYS_io_destroy, ctx));
	munmap(stack, size);
	return submitted == 1 && !status ? 0 : 1;
}

int main(void)
{
	int ep = MUST(epoll_create1(0)), bad = 0, status;

	for (int i = 0; i < ROUNDS; i++) {
		if (!MUST(fork()))
			_exit(mounts(ep, i & 1));
		wait(&status);
		bad += status != 0;
	}
	printf("mounts: %d of %d went wrong\n", bad, ROUNDS);
	bad = 0;
	for (int i = 0; i < ROUNDS; i++)
		bad += signals();
	printf("signals: %d of %d went wrong\n", bad, ROUNDS);
	return 0;
}
