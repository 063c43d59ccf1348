/* Many forks, one after the other and at the same time. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
	int status, sum = 0, pipes[2];

	for (int i = 0; i < 40; i++) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(i);
		if (waitpid(pid, &status, 0) == pid)
			sum += WEXITSTATUS(status);
	}
	printf("sum %d\n", sum);
	pipe(pipes);
	for (int i = 0; i < 30; i++)
		if (fork() == 0) {
			char c;

			close(pipes[1]);
			read(pipes[0], &c, 1);
			_exit(i);
		}
	close(pipes[1]);
	sum = 0;
	for (int i = 0; i < 30; i++)
		if (wait(&status) > 0)
			sum += WEXITSTATUS(status);
	printf("sum %d, no more %d\n", sum, wait(&status));
	return 0;
}
