/* eventfd: counter, semaphore, limits, blocking. */
#include "../say.h"
#include <poll.h>
#include <sys/eventfd.h>
static int fd;
static void put(uint64_t v)
{
	SAY(write(fd, &v, 8));
}
static void get(void)
{
	uint64_t v = 0;

	if (SAY(read(fd, &v, 8)) == 8)
		printf("%llu\n", (unsigned long long)v);
}
static void show(void)
{
	struct pollfd p = {fd, POLLIN | POLLOUT, 0};

	poll(&p, 1, 0);
	printf("poll %x\n", p.revents);
}
int main(void)
{
	uint64_t v;
	int p[2];

	SAY(eventfd(0, 0x1234));
	fd = MUST(eventfd(5, EFD_NONBLOCK | EFD_CLOEXEC));
	show();
	get();
	get();
	show();
	put(3);
	put(4);
	get();
	put(UINT64_MAX);
	put(UINT64_MAX - 1);
	show();
	put(1);
	put(0);
	get();
	SAY(write(fd, &v, 4));
	SAY(read(fd, &v, 4));
	SAY(write(fd, BAD, 8));
	SAY(lseek(fd, 0, SEEK_SET));
	close(fd);
	fd = MUST(eventfd(3, EFD_SEMAPHORE | EFD_NONBLOCK));
	get();
	get();
	put(1);
	get();
	get();
	get();
	close(fd);
	fd = MUST(eventfd(0, 0));
	MUST(pipe(p));
	fflush(stdout);
	if (!MUST(fork())) {
		sleep_ms(30);
		v = 9;
		write(fd, &v, 8);
		read(p[0], &v, 1);
		sleep_ms(30);
		read(fd, &v, 8);
		_exit(v == UINT64_MAX - 1 ? 0 : 1);
	}
	get();
	put(UINT64_MAX - 1);
	MUST(write(p[1], "x", 1));
	put(7);
	get();
	wait(NULL);
	return 0;
}
