/* Signals that come to a child before it has come up: it starts with them, and a child that never calls is
 * reached too. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROUNDS 60

static volatile sig_atomic_t got;

static void on_signal(int sig)
{
	got = sig;
}

static int reap(pid_t p)
{
	int status = -1;

	return waitpid(p, &status, 0) == p ? status : -1;
}

int main(void)
{
	struct sigaction sa = {.sa_handler = on_signal};
	sigset_t block, old;
	int killed = 0, handled = 0, stopped = 0, continued = 0, held = 0, group = 0, exited = 0;

	for (int i = 0; i < ROUNDS; i++) {
		pid_t p = fork();

		if (!p)
			for (;;)
				;
		kill(p, SIGKILL);
		killed += reap(p) == SIGKILL;
	}
	printf("killed %d\n", killed);
	fflush(stdout);
	sigaction(SIGUSR1, &sa, NULL);
	for (int i = 0; i < ROUNDS; i++) {
		pid_t p = fork();

		if (!p) {
			while (!got)
				;
			_exit(7);
		}
		kill(p, SIGUSR1);
		handled += reap(p) == 7 << 8;
	}
	printf("handled %d\n", handled);
	for (int i = 0; i < ROUNDS; i++) {
		pid_t p = fork();
		int status;

		if (!p)
			for (;;)
				;
		kill(p, SIGSTOP);
		stopped += waitpid(p, &status, WUNTRACED) == p && WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP;
		kill(p, SIGCONT);
		continued += waitpid(p, &status, WCONTINUED) == p && WIFCONTINUED(status);
		kill(p, SIGTERM);
		reap(p);
	}
	printf("stopped %d continued %d\n", stopped, continued);
	/* Blocked in the child: it finds it pending. */
	sigemptyset(&block);
	sigaddset(&block, SIGUSR1);
	sigprocmask(SIG_BLOCK, &block, &old);
	for (int i = 0; i < ROUNDS; i++) {
		pid_t p = fork();

		if (!p) {
			int sig;

			_exit(sigwait(&block, &sig) ? 1 : sig);
		}
		kill(p, SIGUSR1);
		held += reap(p) == SIGUSR1 << 8;
	}
	sigprocmask(SIG_SETMASK, &old, NULL);
	printf("held %d\n", held);
	/* A whole group, while it forks. */
	for (int i = 0; i < ROUNDS; i++) {
		pid_t p = fork();
		int status;

		if (!p) {
			setpgid(0, 0);
			for (;;)
				if (!fork())
					_exit(0);
		}
		setpgid(p, p);
		usleep(1000);
		kill(-p, SIGKILL);
		status = reap(p);
		group += WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
	}
	printf("group %d\n", group);
	for (int i = 0; i < ROUNDS; i++) {
		pid_t p = fork();

		if (!p)
			_exit(i);
		exited += reap(p) == i << 8;
	}
	printf("exited %d\n", exited);
	return 0;
}
