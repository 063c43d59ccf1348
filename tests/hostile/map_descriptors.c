/* Asks the host for mappings of descriptors that nobody ordered, and races the descriptors that memd lends
 * for ordered ones: a read-only file must never become a shared writable mapping. */
#include "hostile.h"
#include <pthread.h>

static uint64_t sites[32];
static volatile int stop;
static volatile long got;

static int try_fds(void)
{
	for (int fd = 0; fd < 16; fd++) {
		long r = -1;

		if (attack_call(sites[0], SYS_mmap, 0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0, &r) &&
		    !(r < 0 && r > -4096)) {
			got = r;
			return fd;
		}
	}
	return -1;
}

static void *lend(void *arg)
{
	while (!stop) {
		int fd = open("/etc/passwd", O_RDONLY);
		void *p = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);

		if (p != MAP_FAILED)
			munmap(p, 4096);
		close(fd);
	}
	return NULL;
}

int main(void)
{
	pthread_t t;
	time_t end;

	/* A call that the host refuses is served by our kernel, which may map what this process has open. */
	for (int fd = 0; fd < 64; fd++)
		if (fd != 1 && fd != 2)
			close(fd);
	if (!attack_base() || !attack_sites(attack_base(), sites, 32))
		return 2;
	if (try_fds() >= 0) {
		printf("a mapping that nobody ordered was made: %#lx\n", got);
		return 1;
	}
	pthread_create(&t, NULL, lend, NULL);
	for (end = time(NULL) + 3; time(NULL) < end;) {
		int fd = try_fds();

		if (fd >= 0) {
			printf("the lent descriptor %d was mapped by another thread\n", fd);
			return 1;
		}
	}
	stop = 1;
	pthread_join(t, NULL);
	return 0;
}
