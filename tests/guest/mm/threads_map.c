/* Threads map, fill, check and unmap files and memory at the same time. */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int fd;
static int failures;

static void *work(void *arg)
{
	long me = (long)arg;

	for (int i = 0; i < 40; i++) {
		int *f = mmap(NULL, 4096, PROT_READ, i & 1 ? MAP_SHARED : MAP_PRIVATE, fd, me * 4096);
		int *a = mmap(NULL, 16384, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (f == MAP_FAILED || a == MAP_FAILED || f[10] != me * 100 || a[100]) {
			__sync_fetch_and_add(&failures, 1);
			return NULL;
		}
		memset(a, (int)me, 16384);
		munmap(f, 4096);
		munmap(a, 16384);
	}
	return arg;
}

int main(void)
{
	char name[] = "/tmp/mmapXXXXXX";
	pthread_t t[8];
	int page[1024], done = 0;

	fd = mkstemp(name);
	for (int i = 0; i < 8; i++) {
		for (int k = 0; k < 1024; k++)
			page[k] = i * 100;
		write(fd, page, sizeof(page));
	}
	for (long i = 0; i < 8; i++)
		pthread_create(&t[i], NULL, work, (void *)i);
	for (long i = 0; i < 8; i++) {
		void *r;

		pthread_join(t[i], &r);
		done += r == (void *)i;
	}
	printf("done %d failures %d\n", done, failures);
	unlink(name);
	return 0;
}
