/* Signals reach code that makes no system calls; SIGKILL and SIGSTOP too. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t flag;
static void on(int s)
{
	flag = s;
}

int main(void)
{
	int status, ready[2];
	char c;
	pid_t pid;

	pipe(ready);
	pid = fork();
	if (!pid) {
		signal(SIGUSR1, on);
		write(ready[1], "r", 1);
		while (!flag)
			;
		_exit(7);
	}
	read(ready[0], &c, 1);
	usleep(20000);
	kill(pid, SIGUSR1);
	waitpid(pid, &status, 0);
	printf("handled, exit %d\n", WEXITSTATUS(status));
	pid = fork();
	if (!pid)
		for (volatile long n = 0;; n++)
			;
	usleep(20000);
	kill(pid, SIGSTOP);
	waitpid(pid, &status, WUNTRACED);
	printf("stopped %d\n", WIFSTOPPED(status));
	kill(pid, SIGCONT);
	waitpid(pid, &status, WCONTINUED);
	printf("continued %d\n", WIFCONTINUED(status));
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	printf("killed %d\n", WTERMSIG(status));
	alarm(1);
	signal(SIGALRM, on);
	flag = 0;
	while (!flag)
		;
	printf("alarm %d\n", flag == SIGALRM);
	return 0;
}
