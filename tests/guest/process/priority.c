/* nice, getpriority, setpriority. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
	int status;
	pid_t pid;

	errno = 0;
	printf("start %d\n", getpriority(PRIO_PROCESS, 0));
	printf("set %d\n", setpriority(PRIO_PROCESS, 0, 5));
	printf("now %d\n", getpriority(PRIO_PROCESS, 0));
	printf("nice %d\n", nice(3));
	fflush(stdout);
	pid = fork();
	if (!pid) {
		printf("inherited %d\n", getpriority(PRIO_PROCESS, 0));
		setpriority(PRIO_PROCESS, 0, 100);
		printf("clamped %d\n", getpriority(PRIO_PROCESS, 0));
		fflush(stdout);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	{
		long r_ = getpriority(7, 0);

		printf("bad which %d %s\n", (int)r_, strerror(errno));
	}
	errno = 0;
	{
		long r_ = getpriority(PRIO_PROCESS, 999999);

		printf("nobody %d %s\n", (int)r_, strerror(errno));
	}
	return 0;
}
