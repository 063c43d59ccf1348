/* SIGPIPE. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
	int fds[2], status;

	pipe(fds);
	close(fds[0]);
	if (!fork()) {
		write(fds[1], "x", 1);
		_exit(0);
	}
	wait(&status);
	printf("killed by %d\n", WTERMSIG(status));
	signal(SIGPIPE, SIG_IGN);
	{
		long r_ = write(fds[1], "x", 1);

		printf("ignored: %zd %s\n", (ssize_t)r_, strerror(errno));
	}
	return 0;
}
