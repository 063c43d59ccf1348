/* Many descriptors: fairness when more are ready than fit, and threads that share a set. */
#include "../say.h"
#include <pthread.h>
#include <sys/epoll.h>
#define N 200
static int ep, p[N][2];
static int counts[4];
static void *worker(void *arg)
{
	struct epoll_event ev;
	int *count = arg;
	char c;

	while (epoll_wait(ep, &ev, 1, 300) == 1) {
		if (read(p[ev.data.u32][0], &c, 1) == 1)
			(*count)++;
	}
	return NULL;
}
int main(void)
{
	struct epoll_event ev[16];
	char seen[N] = {0};
	int distinct = 0, total = 0;
	pthread_t t[4];

	ep = MUST(epoll_create1(0));
	for (int i = 0; i < N; i++) {
		struct epoll_event e = {.events = EPOLLIN, .data.u32 = (unsigned)i};

		MUST(pipe2(p[i], O_NONBLOCK));
		MUST(epoll_ctl(ep, EPOLL_CTL_ADD, p[i][0], &e));
		MUST(write(p[i][1], "x", 1));
	}
	for (int round = 0; round < (N + 15) / 16; round++) {
		int n = epoll_wait(ep, ev, 16, 0);

		for (int k = 0; k < n; k++)
			seen[ev[k].data.u32] = 1;
	}
	for (int i = 0; i < N; i++)
		distinct += seen[i];
	printf("%d of %d seen\n", distinct, N);
	for (int i = 0; i < 4; i++)
		pthread_create(&t[i], NULL, worker, &counts[i]);
	for (int i = 0; i < 4; i++) {
		pthread_join(t[i], NULL);
		total += counts[i];
	}
	printf("%d read by threads\n", total);
	return 0;
}
