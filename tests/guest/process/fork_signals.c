/* fork while signals keep coming: the kernel begins such a fork again, and the program sees nothing of it. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t got;

static void on_signal(int sig)
{
	(void)sig;
	got++;
}

int main(void)
{
	const struct itimerval often = {{0, 200}, {0, 200}}, off = {{0, 0}, {0, 0}};
	struct sigaction sa = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
	int failed = 0, reaped = 0;

	sigaction(SIGALRM, &sa, NULL);
	sigaction(SIGCHLD, &sa, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	for (int i = 0; i < 300; i++) {
		pid_t a = fork(), b;

		if (a == 0)
			_exit(0);
		b = fork();
		if (b == 0)
			_exit(0);
		failed += (a < 0) + (b < 0);
		while (waitpid(-1, NULL, 0) > 0)
			reaped++;
	}
	setitimer(ITIMER_REAL, &off, NULL);
	printf("failed %d, reaped %d, signals %s\n", failed, reaped, got > 0 ? "came" : "none");
	return 0;
}
