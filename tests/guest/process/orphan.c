/* Reparenting: to the subreaper, and the parent death signal. */
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t got;

static void on_usr1(int s)
{
	got = s;
}

int main(void)
{
	int status, fds[2], n = 0, ready[2];
	char c;
	pid_t child;

	printf("subreaper %d\n", prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0));
	pipe(fds);
	pipe(ready);
	child = fork();
	if (!child) {
		pid_t middle = getpid();

		if (!fork()) {
			signal(SIGUSR1, on_usr1);
			prctl(PR_SET_PDEATHSIG, SIGUSR1, 0, 0, 0);
			write(ready[1], "r", 1);
			while (getppid() == middle)
				usleep(1000);
			for (int i = 0; i < 1000 && !got; i++)
				usleep(1000);
			c = got == SIGUSR1 ? 'y' : 'n';
			write(fds[1], &c, 1);
			_exit(4);
		}
		read(ready[0], &c, 1);
		_exit(3);
	}
	while (waitpid(-1, &status, 0) > 0)
		n += WEXITSTATUS(status);
	read(fds[0], &c, 1);
	printf("two children, sum %d, death signal %c\n", n, c);
	return 0;
}
