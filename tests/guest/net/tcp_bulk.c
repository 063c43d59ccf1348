/* A large transfer each way at once, with a checksum; blocking, with pieces of odd sizes. */
#include "net.h"
#include <pthread.h>

#define TOTAL (48u << 20)

static uint32_t next(uint32_t *x)
{
	*x = *x * 1664525u + 1013904223u;
	return *x >> 8;
}

static void *sender(void *arg)
{
	static __thread unsigned char buf[200000];
	uint32_t x = 7, size = 3;
	size_t done = 0;
	int s = *(int *)arg;

	while (done < TOTAL) {
		size_t n = 1 + next(&size) % sizeof(buf), at = 0;

		if (n > TOTAL - done)
			n = TOTAL - done;
		for (size_t i = 0; i < n; i++)
			buf[i] = (unsigned char)next(&x);
		while (at < n)
			at += (size_t)MUST(write(s, buf + at, n - at));
		done += n;
	}
	MUST(shutdown(s, SHUT_WR));
	return NULL;
}

static void *receiver(void *arg)
{
	static __thread unsigned char buf[150000];
	uint32_t x = 7, size = 5;
	size_t done = 0;
	int s = *(int *)arg;
	ssize_t n;

	while ((n = read(s, buf, 1 + next(&size) % sizeof(buf))) > 0) {
		for (ssize_t i = 0; i < n; i++)
			if (buf[i] != (unsigned char)next(&x)) {
				printf("differs at %zu\n", done + (size_t)i);
				exit(1);
			}
		done += (size_t)n;
	}
	return (void *)done;
}

static void run(int family)
{
	pthread_t t[4];
	void *got;
	int s[2];

	tcp_pair(family, s);
	for (int i = 0; i < 4; i++)
		MUST(-pthread_create(&t[i], NULL, i & 2 ? receiver : sender, &s[i & 1]));
	for (int i = 0; i < 4; i++) {
		pthread_join(t[i], &got);
		if (i & 2)
			printf("received %zu\n", (size_t)got);
	}
	close(s[0]);
	close(s[1]);
}

int main(void)
{
	run(AF_INET);
	run(AF_INET6);
	return 0;
}
