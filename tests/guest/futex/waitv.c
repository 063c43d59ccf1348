/* futex_waitv: wakes of one of many, a value that does not match, deadlines, signals, and what it refuses. */
#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define N 5
static uint32_t words[N];
static struct futex_waitv w[N];
static int to_wake;
static pthread_t main_thread;

static long waitv(unsigned n, unsigned flags, struct timespec *ts, int clock)
{
	long r = syscall(SYS_futex_waitv, w, n, flags, ts, clock);

	return r < 0 ? -errno : r;
}

static struct timespec in_ms(int clock, long ms)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	ts.tv_nsec += ms * 1000000;
	ts.tv_sec += ts.tv_nsec / 1000000000;
	ts.tv_nsec %= 1000000000;
	return ts;
}

static void *waker(void *arg)
{
	(void)arg;
	for (int i = 0; i < 100; i++) {
		usleep(10000);
		if (syscall(SYS_futex, &words[to_wake], FUTEX_WAKE_PRIVATE, 1) == 1)
			break;
	}
	return NULL;
}

static void handler(int s)
{
	(void)s;
}

static void *killer(void *arg)
{
	usleep(50000);
	pthread_kill(main_thread, SIGUSR1);
	if (arg) {
		usleep(50000);
		return waker(NULL);
	}
	return NULL;
}

int main(void)
{
	struct sigaction sa = {.sa_handler = handler};
	struct timespec ts, bad = {0, -1};
	pthread_t thread;

	for (int i = 0; i < N; i++)
		w[i] = (struct futex_waitv){.uaddr = (uintptr_t)&words[i], .flags = FUTEX_32 | FUTEX_PRIVATE_FLAG};
	for (to_wake = 0; to_wake < N; to_wake += 2) {
		pthread_create(&thread, NULL, waker, NULL);
		printf("woken %ld\n", waitv(N, 0, NULL, 0));
		pthread_join(thread, NULL);
	}
	words[3] = 1;
	printf("changed %ld\n", waitv(N, 0, NULL, 0));
	words[3] = 0;
	ts = in_ms(CLOCK_MONOTONIC, 30);
	printf("monotonic %ld\n", waitv(N, 0, &ts, CLOCK_MONOTONIC));
	ts = in_ms(CLOCK_REALTIME, 30);
	printf("realtime %ld\n", waitv(N, 0, &ts, CLOCK_REALTIME));
	printf("none %ld too many %ld flags %ld clock %ld time %ld\n", waitv(0, 0, NULL, 0), waitv(129, 0, NULL, 0),
	       waitv(N, 1, NULL, 0), waitv(N, 0, &ts, CLOCK_BOOTTIME), waitv(N, 0, &bad, CLOCK_MONOTONIC));
	w[2].flags = 7;
	printf("size %ld", waitv(N, 0, NULL, 0));
	w[2].flags = FUTEX_32;
	w[2].uaddr++;
	printf(" unaligned %ld", waitv(N, 0, NULL, 0));
	w[2].uaddr = 4096;
	printf(" address %ld\n", waitv(N, 0, NULL, 0));
	w[2].uaddr = (uintptr_t)&words[2];
	main_thread = pthread_self();
	sigaction(SIGUSR1, &sa, NULL);
	pthread_create(&thread, NULL, killer, NULL);
	printf("signal %ld\n", waitv(N, 0, NULL, 0));
	pthread_join(thread, NULL);
	sa.sa_flags = SA_RESTART;
	sigaction(SIGUSR1, &sa, NULL);
	to_wake = 1;
	pthread_create(&thread, NULL, killer, &sa);
	printf("restarted %ld\n", waitv(N, 0, NULL, 0));
	pthread_join(thread, NULL);
	return 0;
}
