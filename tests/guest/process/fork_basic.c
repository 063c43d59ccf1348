/* fork: memory is copied, exit statuses come back, WIFSIGNALED. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
	int status, value = 1;
	pid_t pid = fork();

	if (!pid) {
		value = 2;
		_exit(value + 40);
	}
	printf("wait ok %d\n", waitpid(pid, &status, 0) == pid);
	printf("exited %d code %d value %d\n", WIFEXITED(status), WEXITSTATUS(status), value);
	pid = fork();
	if (!pid) {
		raise(SIGTERM);
		_exit(1);
	}
	waitpid(pid, &status, 0);
	printf("signaled %d sig %d core %d\n", WIFSIGNALED(status), WTERMSIG(status), WCOREDUMP(status));
	pid = fork();
	if (!pid)
		exit(0x1234);
	waitpid(pid, &status, 0);
	printf("low byte %#x\n", WEXITSTATUS(status));
	printf("no child %d\n", waitpid(-1, &status, 0));
	perror("wait");
	fflush(stdout);
	return 0;
}
