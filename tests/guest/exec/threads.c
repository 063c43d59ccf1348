/* execve(2) from any thread replaces the whole process, which keeps its pid. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static char pid[16];
static int exec_in_leader;

static void *sleeper(void *arg)
{
	pause();
	return NULL;
}
static void *spinner(void *arg)
{
	for (volatile long i = 0;; i++)
		;
	return NULL;
}
static void *replace(void *arg)
{
	usleep(20000);
	execl("/proc/self/exe", "threads", pid, exec_in_leader ? "leader" : "thread", NULL);
	printf("failed\n");
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t t;
	int status;

	if (argc > 1) {
		printf("%s: same pid %d, tid is pid %d\n", argv[2], atoi(argv[1]) == getpid(),
		       syscall(SYS_gettid) == getpid());
		return 4;
	}
	for (exec_in_leader = 0; exec_in_leader < 2; exec_in_leader++) {
		fflush(stdout);
		pid_t child = fork();

		if (child == 0) {
			snprintf(pid, sizeof(pid), "%d", getpid());
			for (int i = 0; i < 3; i++)
				pthread_create(&t, NULL, sleeper, NULL);
			pthread_create(&t, NULL, spinner, NULL);
			if (exec_in_leader)
				replace(NULL);
			pthread_create(&t, NULL, replace, NULL);
			pause();
		}
		printf("reaped the right one %d\n", waitpid(child, &status, 0) == child);
		printf("status %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status));
	}
	return 0;
}
