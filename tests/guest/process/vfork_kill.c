/* A vfork child that is killed gives the parent back its thread; the registers survive. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
	register long keep = 12345;
	int status;
	pid_t pid = vfork();

	if (!pid) {
		raise(SIGKILL);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	printf("killed by %d, kept %ld\n", WTERMSIG(status), keep);
	pid = vfork();
	if (!pid) {
		abort();
	}
	waitpid(pid, &status, 0);
	printf("aborted by %d\n", WTERMSIG(status));
	return 0;
}
