/* exec from a thread: the others end, and the process keeps its id. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/syscall.h>

static char pidarg[16];

static void *spin(void *arg)
{
	for (;;)
		pause();
	return arg;
}

static void *run(void *arg)
{
	execl("/proc/self/exe", "exec_thread", pidarg, NULL);
	return arg;
}

int main(int argc, char **argv)
{
	pthread_t t;

	if (argc > 1) {
		printf("same pid %d, tid is pid %d\n", atoi(argv[1]) == getpid(), syscall(SYS_gettid) == getpid());
		return 0;
	}
	snprintf(pidarg, sizeof(pidarg), "%d", getpid());
	for (int i = 0; i < 3; i++)
		pthread_create(&t, NULL, spin, NULL);
	pthread_create(&t, NULL, run, NULL);
	for (volatile unsigned long n = 0;; n++)
		;
}
