/* exit, exit_group, atexit, the status of a process that threads end. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void bye(void)
{
	printf("atexit\n");
	fflush(stdout);
}

static void *thread_exit(void *arg)
{
	syscall(SYS_exit, 9);
	return arg;
}

static void *group(void *arg)
{
	syscall(SYS_exit_group, 8);
	return arg;
}

static void run(const char *what, void (*fn)(void))
{
	int status;

	fflush(stdout);
	if (!fork()) {
		fn();
		_exit(0);
	}
	wait(&status);
	printf("%s: %#x\n", what, status);
}

static void a(void)
{
	atexit(bye);
	exit(300);
}

static void b(void)
{
	pthread_t t;

	pthread_create(&t, NULL, group, NULL);
	for (;;)
		pause();
}

static void c(void)
{
	pthread_t t;

	pthread_create(&t, NULL, thread_exit, NULL);
	usleep(20000);
	_exit(4);
}

static void d(void)
{
	pthread_t t;

	pthread_create(&t, NULL, group, NULL);
	for (volatile unsigned long n = 0;; n++)
		;
}

int main(void)
{
	run("exit", a);
	run("group by a thread", b);
	run("thread's exit", c);
	run("group while another runs", d);
	return 0;
}
