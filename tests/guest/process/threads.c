/* Threads: join, shared memory, ids, exit of the leader before the others. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static long sum;

static void *work(void *arg)
{
	for (int i = 0; i < 1000; i++) {
		pthread_mutex_lock(&lock);
		sum += (long)arg;
		pthread_mutex_unlock(&lock);
	}
	return (void *)(long)(syscall(SYS_gettid) != getpid());
}

static void *last(void *arg)
{
	usleep(50000);
	exit(6);
	return arg;
}

int main(void)
{
	pthread_t t[8];
	void *ret;
	int status, distinct = 0;
	pid_t pid;

	for (long i = 0; i < 8; i++)
		pthread_create(&t[i], NULL, work, (void *)i);
	for (int i = 0; i < 8; i++) {
		pthread_join(t[i], &ret);
		distinct += (long)ret;
	}
	printf("sum %ld distinct %d\n", sum, distinct);
	for (int i = 0; i < 50; i++) {
		pthread_create(&t[0], NULL, work, (void *)1);
		pthread_join(t[0], NULL);
	}
	printf("sum %ld\n", sum);
	pid = fork();
	if (!pid) {
		pthread_create(&t[0], NULL, last, NULL);
		pthread_exit(NULL);
	}
	waitpid(pid, &status, 0);
	printf("leader left first, exit %d\n", WEXITSTATUS(status));
	return 0;
}
