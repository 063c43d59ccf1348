/* Many threads, mutexes, conditions, barriers, rwlocks, and a timed wait. */
#include "tests/guest/show.h"
#include <pthread.h>
#include <time.h>
#define N 8
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER;
static pthread_rwlock_t rw = PTHREAD_RWLOCK_INITIALIZER;
static pthread_barrier_t b;
static int ready, sum, serial;
static void *thread(void *a)
{
	pthread_mutex_lock(&m);
	ready++;
	pthread_cond_broadcast(&c);
	while (ready < N)
		pthread_cond_wait(&c, &m);
	pthread_mutex_unlock(&m);
	for (int i = 0; i < 500; i++) {
		pthread_rwlock_wrlock(&rw);
		sum++;
		pthread_rwlock_unlock(&rw);
		pthread_rwlock_rdlock(&rw);
		pthread_rwlock_unlock(&rw);
	}
	if (pthread_barrier_wait(&b) == PTHREAD_BARRIER_SERIAL_THREAD)
		__atomic_add_fetch(&serial, 1, __ATOMIC_SEQ_CST);
	return a;
}
int main(void)
{
	struct timespec ts;
	pthread_t t[N];

	pthread_barrier_init(&b, NULL, N);
	for (long i = 0; i < N; i++)
		pthread_create(&t[i], NULL, thread, NULL);
	for (int i = 0; i < N; i++)
		pthread_join(t[i], NULL);
	printf("%d %d\n", sum, serial);
	clock_gettime(CLOCK_REALTIME, &ts);
	pthread_mutex_lock(&m);
	printf("%s\n", strerrorname_np(pthread_cond_timedwait(&c, &m, &ts)));
	pthread_mutex_unlock(&m);
	return 0;
}
