/* SIGEV_NONE, SIGEV_THREAD_ID, SIGEV_THREAD, absolute times, CPU clocks. */
#include "tests/guest/show.h"
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
static volatile int thread_ran, usr2_tid, helper_tid;
static void in_thread(union sigval v)
{
	thread_ran = v.sival_int;
}
static void on_usr2(int s)
{
	(void)s;
	usr2_tid = (int)syscall(SYS_gettid);
}
static void *helper(void *a)
{
	struct sigevent ev = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR2};
	struct itimerspec its = {{0, 0}, {0, 10000000}};
	struct timespec s1 = {5, 0};
	timer_t t;

	(void)a;
	helper_tid = (int)syscall(SYS_gettid);
	ev._sigev_un._tid = helper_tid;
	SHOW(timer_create(CLOCK_MONOTONIC, &ev, &t));
	timer_settime(t, 0, &its, NULL);
	SHOW(nanosleep(&s1, NULL));
	SHOW(timer_delete(t));
	return NULL;
}
int main(void)
{
	struct sigevent ev = {.sigev_notify = SIGEV_NONE};
	struct itimerspec its = {{0, 0}, {100, 0}}, cur;
	struct timespec ms5 = {0, 5000000}, now;
	volatile unsigned long x = 0;
	pthread_t th;
	timer_t t;

	SHOW(timer_create(CLOCK_REALTIME, &ev, &t));
	clock_gettime(CLOCK_REALTIME, &now);
	its.it_value.tv_sec = now.tv_sec + 100;
	SHOW(timer_settime(t, TIMER_ABSTIME, &its, NULL));
	SHOW(timer_gettime(t, &cur));
	CHECK(cur.it_value.tv_sec >= 95 && cur.it_value.tv_sec <= 100);
	SHOW(timer_delete(t));
	ev.sigev_notify = SIGEV_THREAD_ID;
	ev._sigev_un._tid = 1 << 28;
	ev.sigev_signo = SIGUSR2;
	SHOW(timer_create(CLOCK_REALTIME, &ev, &t));
	signal(SIGUSR2, on_usr2);
	pthread_create(&th, NULL, helper, NULL);
	pthread_join(th, NULL);
	CHECK(usr2_tid == helper_tid);
	memset(&ev, 0, sizeof(ev));
	ev.sigev_notify = SIGEV_THREAD;
	ev.sigev_notify_function = in_thread;
	ev.sigev_value.sival_int = 7;
	SHOW(timer_create(CLOCK_MONOTONIC, &ev, &t));
	its = (struct itimerspec){{0, 0}, {0, 5000000}};
	SHOW(timer_settime(t, 0, &its, NULL));
	for (int i = 0; i < 1000 && !thread_ran; i++)
		nanosleep(&ms5, NULL);
	printf("thread ran with %d\n", thread_ran);
	SHOW(timer_delete(t));
	memset(&ev, 0, sizeof(ev));
	ev.sigev_notify = SIGEV_SIGNAL;
	ev.sigev_signo = SIGUSR2;
	usr2_tid = 0;
	SHOW(timer_create(CLOCK_PROCESS_CPUTIME_ID, &ev, &t));
	its = (struct itimerspec){{0, 0}, {0, 30000000}};
	SHOW(timer_settime(t, 0, &its, NULL));
	while (!usr2_tid)
		x++;
	SHOW(timer_delete(t));
	return 0;
}
