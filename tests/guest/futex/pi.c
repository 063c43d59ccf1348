/* Mutexes with priority inheritance. */
#include "tests/guest/show.h"
#include <linux/futex.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#define F(u, op, v, t, u2, v3) syscall(SYS_futex, u, op, v, t, u2, v3)
static pthread_mutex_t m;
static int shared_count;
static void *adder(void *a)
{
	for (int i = 0; i < 2000; i++) {
		pthread_mutex_lock(&m);
		shared_count++;
		pthread_mutex_unlock(&m);
	}
	return a;
}
static void *holder(void *a)
{
	pthread_mutex_lock(&m);
	usleep(100000);
	pthread_mutex_unlock(&m);
	return a;
}
int main(void)
{
	pthread_mutexattr_t ma;
	struct timespec ts;
	pthread_t t[3];
	uint32_t word = 0;

	pthread_mutexattr_init(&ma);
	SHOW(pthread_mutexattr_setprotocol(&ma, PTHREAD_PRIO_INHERIT));
	pthread_mutexattr_settype(&ma, PTHREAD_MUTEX_ERRORCHECK);
	SHOW(pthread_mutex_init(&m, &ma));
	for (int i = 0; i < 3; i++)
		pthread_create(&t[i], NULL, adder, NULL);
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	printf("%d\n", shared_count);
	pthread_create(&t[0], NULL, holder, NULL);
	usleep(30000);
	printf("trylock %s\n", strerrorname_np(pthread_mutex_trylock(&m)));
	clock_gettime(CLOCK_REALTIME, &ts);
	ts.tv_nsec = 0;
	printf("timedlock %s\n", strerrorname_np(pthread_mutex_timedlock(&m, &ts)));
	SHOW(pthread_mutex_lock(&m));
	printf("relock %s\n", strerrorname_np(pthread_mutex_lock(&m)));
	SHOW(pthread_mutex_unlock(&m));
	pthread_join(t[0], NULL);
	SHOW(F(&word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0));
	SHOW(F(&word, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
	CHECK(word == (uint32_t)syscall(SYS_gettid));
	SHOW(F(&word, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
	SHOW(F(&word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0));
	printf("%u\n", word);
	word = 0x0fffffff; /* no such thread */
	SHOW(F(&word, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
	return 0;
}
