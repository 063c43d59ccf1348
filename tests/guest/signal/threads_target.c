/* A process signal goes to a thread that does not block it; sigwait in a thread takes it. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

static volatile pid_t handled;
static volatile int taken;
static void on(int s)
{
	(void)s;
	handled = (pid_t)syscall(SYS_gettid);
}
static volatile pid_t open_tid;
static void *open_thread(void *arg)
{
	sigset_t m;

	sigemptyset(&m);
	sigaddset(&m, SIGUSR1);
	open_tid = (pid_t)syscall(SYS_gettid);
	pthread_sigmask(SIG_UNBLOCK, &m, NULL);
	while (!handled)
		usleep(1000);
	return arg;
}
static void *waiter(void *arg)
{
	int s;

	sigwait(arg, &s);
	taken = s;
	return NULL;
}

int main(void)
{
	pthread_t t;
	sigset_t m, w;

	signal(SIGUSR1, on);
	sigemptyset(&m);
	sigaddset(&m, SIGUSR1);
	sigaddset(&m, SIGUSR2);
	pthread_sigmask(SIG_BLOCK, &m, NULL);
	pthread_create(&t, NULL, open_thread, NULL);
	while (!open_tid)
		usleep(1000);
	usleep(10000);
	kill(getpid(), SIGUSR1);
	pthread_join(t, NULL);
	printf("in the open thread %d\n", handled == open_tid);
	sigemptyset(&w);
	sigaddset(&w, SIGUSR2);
	pthread_create(&t, NULL, waiter, &w);
	usleep(20000);
	kill(getpid(), SIGUSR2);
	pthread_join(t, NULL);
	printf("sigwait took %d\n", taken == SIGUSR2);
	pthread_kill(pthread_self(), SIGUSR1);
	sigpending(&w);
	printf("thread pending %d\n", sigismember(&w, SIGUSR1));
	return 0;
}
