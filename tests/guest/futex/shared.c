/* Futexes in memory that two processes share: process-shared mutex, condition and semaphore. */
#include "tests/guest/show.h"
#include <pthread.h>
#include <semaphore.h>
#include <sys/mman.h>
#include <sys/wait.h>
struct box {
	pthread_mutex_t m;
	pthread_cond_t c;
	sem_t s;
	int turn, count;
};
int main(void)
{
	struct box *b = mmap(NULL, sizeof(*b), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_mutexattr_t ma;
	pthread_condattr_t ca;
	int me = 0;

	pthread_mutexattr_init(&ma);
	pthread_mutexattr_setpshared(&ma, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(&b->m, &ma);
	pthread_condattr_init(&ca);
	pthread_condattr_setpshared(&ca, PTHREAD_PROCESS_SHARED);
	pthread_cond_init(&b->c, &ca);
	sem_init(&b->s, 1, 0);
	fflush(stdout);
	int pid = fork();
	me = pid ? 0 : 1;
	for (int i = 0; i < 200; i++) {
		pthread_mutex_lock(&b->m);
		while (b->turn != me)
			pthread_cond_wait(&b->c, &b->m);
		b->turn = !me;
		b->count++;
		pthread_cond_signal(&b->c);
		pthread_mutex_unlock(&b->m);
	}
	if (me) {
		sem_post(&b->s);
		_exit(0);
	}
	SHOW(sem_wait(&b->s));
	waitpid(pid, NULL, 0);
	printf("%d\n", b->count);
	return 0;
}
