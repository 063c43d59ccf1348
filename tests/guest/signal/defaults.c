/* The default action of every standard signal. */
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
	for (int s = 1; s < 32; s++) {
		int status;
		pid_t pid = fork();

		if (!pid) {
			struct rlimit none = {0, 0};

			setrlimit(RLIMIT_CORE, &none);
			setpgid(0, 0);
			raise(s);
			_exit(0);
		}
		waitpid(pid, &status, WUNTRACED);
		if (WIFEXITED(status))
			printf("%d ignored\n", s);
		else if (WIFSIGNALED(status))
			printf("%d kills (%d)\n", s, WTERMSIG(status));
		else if (WIFSTOPPED(status)) {
			printf("%d stops (%d)\n", s, WSTOPSIG(status));
			kill(pid, SIGKILL);
			waitpid(pid, &status, 0);
		}
	}
	return 0;
}
