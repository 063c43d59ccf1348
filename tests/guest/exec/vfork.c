/* vfork(2) and posix_spawn(3): the parent waits until the child has its program or is gone; failures are
 * seen by the parent. */
#include <errno.h>
#include <fcntl.h>
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
	int status, e;
	char *args[] = {"sh", "-c", "echo from the child; exit 5", NULL}, *bad[] = {"x", NULL};
	pid_t pid;

	fflush(stdout);
	pid = vfork();
	if (pid == 0) {
		shared = 1;
		_exit(3);
	}
	waitpid(pid, &status, 0);
	printf("shared %d status %d\n", shared, WEXITSTATUS(status));
	fflush(stdout);
	pid = vfork();
	if (pid == 0) {
		shared = 2;
		execve("/bin/sh", args, environ);
		_exit(9);
	}
	waitpid(pid, &status, 0);
	printf("shared %d status %d\n", shared, WEXITSTATUS(status));
	pid = vfork();
	if (pid == 0) {
		execve("/nonexistent", bad, environ);
		shared = errno;
		_exit(8);
	}
	waitpid(pid, &status, 0);
	printf("%s status %d\n", strerror(shared), WEXITSTATUS(status));
	fflush(stdout);
	e = posix_spawn(&pid, "/bin/sh", NULL, NULL, args, environ);
	waitpid(pid, &status, 0);
	printf("spawn %d status %d\n", e, WEXITSTATUS(status));
	e = posix_spawn(&pid, "/nonexistent", NULL, NULL, bad, environ);
	printf("spawn of nothing: %s\n", strerror(e));
	posix_spawn_file_actions_t fa;

	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_addopen(&fa, 1, "/tmp/spawn.out", O_WRONLY | O_CREAT | O_TRUNC, 0600);
	posix_spawn(&pid, "/bin/sh", &fa, NULL, args, environ);
	waitpid(pid, &status, 0);
	char buf[64] = {0};
	int fd = open("/tmp/spawn.out", O_RDONLY);

	read(fd, buf, sizeof(buf) - 1);
	printf("redirected: %s", buf);
	unlink("/tmp/spawn.out");
	for (int i = 0; i < 20; i++) {
		if (posix_spawn(&pid, "/bin/true", NULL, NULL, bad, environ) == 0)
			waitpid(pid, &status, 0);
		shared += status;
	}
	printf("many: %d\n", status);
	return 0;
}
