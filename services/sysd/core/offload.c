/* sched_offload: a few worker threads that run host calls which may block. */
#include "services/sysd/core/sched.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include "services/sysd/core/clock.h"
#include "services/sysd/core/host.h"

#define WORKERS 2
#define WORKER_STACK (64 * 1024)

struct job {
	struct job *next;
	long (*fn)(void *arg);
	void *arg;
	long ret;
	bool done;
	struct strand *strand;
	struct sched_note note;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static struct job *first, **last = &first;

static void job_done(void *arg)
{
	struct job *j = arg;

	j->done = true;
	sched_wake(j->strand);
}

static void *worker(void *unused)
{
	for (;;) {
		struct job *j;

		pthread_mutex_lock(&lock);
		while (!first)
			pthread_cond_wait(&cond, &lock);
		j = first;
		first = j->next;
		if (!first)
			last = &first;
		pthread_mutex_unlock(&lock);
		j->ret = j->fn(j->arg);
		j->note.fn = job_done;
		j->note.arg = j;
		sched_post(&j->note);
	}
	return NULL;
}

int host_workers_start(void)
{
	pthread_attr_t attr;
	sigset_t all, old;
	int ret = 0;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, WORKER_STACK);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &old);
	for (int i = 0; i < WORKERS && !ret; i++) {
		pthread_t t;

		ret = -pthread_create(&t, &attr, worker, NULL);
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	return ret;
}

long sched_offload(long (*fn)(void *arg), void *arg)
{
	struct job j = {.fn = fn, .arg = arg, .strand = sched_current()};

	if (!j.strand) /* on the executor's own stack (start-up): no one to wait for */
		return fn(arg);
	sched_count_offload();
	pthread_mutex_lock(&lock);
	*last = &j;
	last = &j.next;
	pthread_cond_signal(&cond);
	pthread_mutex_unlock(&lock);
	while (!j.done)
		sched_park();
	return j.ret;
}

#define BLOCK_NS 5000000ull        /* longer is long */
#define AFTER_LONG_NS 1000000000ull /* then workers do it for so long */

static uint64_t workers_until;

bool sched_block_here(void)
{
	return clock_mono_ns() >= workers_until && sched_alone(BLOCK_NS);
}

long sched_block(long (*fn)(void *arg), void *arg)
{
	uint64_t start, end;
	long ret;

	if (!sched_block_here())
		return sched_offload(fn, arg);
	sched_count_block();
	start = clock_mono_ns();
	ret = fn(arg);
	end = clock_mono_ns();
	if (end - start > BLOCK_NS)
		workers_until = end + AFTER_LONG_NS;
	return ret;
}
