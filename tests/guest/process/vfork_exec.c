/* vfork: the child uses the parent's memory, the parent waits; then exec and its failure. */
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

int main(void)
{
	volatile int shared = 0;
	int status, err;
	char *args[] = {"sh", "-c", "exit 7", NULL}, *none[] = {"x", NULL};
	pid_t pid = vfork();

	if (!pid) {
		shared = 5;
		_exit(3);
	}
	printf("shared %d\n", shared);
	waitpid(pid, &status, 0);
	printf("exit %d\n", WEXITSTATUS(status));
	for (int i = 0; i < 20; i++) {
		pid = vfork();
		if (!pid) {
			execve("/bin/sh", args, environ);
			_exit(127);
		}
		if (waitpid(pid, &status, 0) != pid || WEXITSTATUS(status) != 7)
			printf("round %d: %#x\n", i, status);
	}
	pid = vfork();
	if (!pid) {
		execve("/nonexistent", none, environ);
		shared = errno;
		_exit(1);
	}
	waitpid(pid, &status, 0);
	printf("failed exec %s\n", strerror(shared));
	err = posix_spawn(&pid, "/bin/sh", NULL, NULL, args, environ);
	waitpid(pid, &status, 0);
	printf("spawn %d exit %d\n", err, WEXITSTATUS(status));
	err = posix_spawn(&pid, "/nonexistent", NULL, NULL, none, environ);
	printf("spawn of nothing: %s\n", strerror(err));
	err = system("exit 9");
	printf("system %d\n", WEXITSTATUS(err));
	return 0;
}
