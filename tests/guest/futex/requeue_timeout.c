/* Waiters of a condition whose time is over, or who are interrupted, in the moment in which they are handed to the lock. */
#include "tests/guest/show.h"
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#define F(u, op, v, t, u2, v3) syscall(SYS_futex, u, (op) | FUTEX_PRIVATE_FLAG, v, t, u2, v3)
#define WAITERS 6
#define REQUEUES 20000

static uint32_t condition, lock;
static volatile int over, strange;

static void release(uint32_t tid)
{
	if ((__atomic_load_n(&lock, __ATOMIC_SEQ_CST) & FUTEX_TID_MASK) != tid)
		return;
	if (!__sync_bool_compare_and_swap(&lock, tid, 0))
		F(&lock, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0);
}

static void *waiter(void *arg)
{
	uint32_t tid = (uint32_t)syscall(SYS_gettid), x = tid * 2654435761u;
	char path[PATH_MAX];
	struct stat st;

	memset(path, 'A', sizeof(path));
	for (int i = 0; i < PATH_MAX; i += 200)
		path[i] = '/';
	path[PATH_MAX - 1] = 0;
	while (!over) {
		struct timespec ts;

		x = x * 1103515245 + 12345;
		clock_gettime(CLOCK_MONOTONIC, &ts);
		ts.tv_nsec += (x >> 16) % 300 * 1000;
		if (ts.tv_nsec >= 1000000000) {
			ts.tv_sec++;
			ts.tv_nsec -= 1000000000;
		}
		if (F(&condition, FUTEX_WAIT_REQUEUE_PI, 0, &ts, &lock, 0) < 0 && errno != ETIMEDOUT && errno != EAGAIN &&
		    errno != EINTR)
			strange = errno;
		release(tid);
		stat(path, &st);
	}
	return arg;
}

static void nothing(int s)
{
	(void)s;
}

int main(void)
{
	pthread_t t[WAITERS];
	long done = 0;

	signal(SIGUSR1, nothing);
	for (int i = 0; i < WAITERS; i++)
		pthread_create(&t[i], NULL, waiter, NULL);
	for (int i = 0; i < REQUEUES; i++) {
		long r = F(&condition, FUTEX_CMP_REQUEUE_PI, 1, (void *)(uintptr_t)INT_MAX, &lock, 0);

		if (r < 0 && errno != EAGAIN && errno != ESRCH)
			strange = errno;
		done += r > 0;
		if (i % 7 == 0)
			pthread_kill(t[i % WAITERS], SIGUSR1);
	}
	over = 1;
	for (int i = 0; i < WAITERS; i++)
		pthread_join(t[i], NULL);
	printf("strange: %s\n", strange ? strerrorname_np(strange) : "nothing");
	CHECK(done > 0);
	return 0;
}
