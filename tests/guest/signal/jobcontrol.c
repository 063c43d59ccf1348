/* Stops and continuations: SIGCHLD with its codes, SA_NOCLDSTOP, SIGCONT clears stops, a stopped process
 * is killed. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile int chld, last_code, last_status;
static void on(int s, siginfo_t *si, void *uc)
{
	(void)s;
	(void)uc;
	chld++;
	last_code = si->si_code;
	last_status = si->si_status;
}

static void until(int n)
{
	for (int i = 0; i < 2000 && chld < n; i++)
		usleep(1000);
}

int main(void)
{
	struct sigaction sa = {.sa_sigaction = on, .sa_flags = SA_SIGINFO};
	int status;
	pid_t pid;

	sigaction(SIGCHLD, &sa, NULL);
	pid = fork();
	if (!pid)
		for (;;)
			pause();
	kill(pid, SIGSTOP);
	until(1);
	printf("%d: code %d status %d\n", chld, last_code == CLD_STOPPED, last_status == SIGSTOP);
	kill(pid, SIGCONT);
	until(2);
	printf("%d: code %d status %d\n", chld, last_code == CLD_CONTINUED, last_status == SIGCONT);
	sa.sa_flags |= SA_NOCLDSTOP;
	sigaction(SIGCHLD, &sa, NULL);
	kill(pid, SIGSTOP);
	waitpid(pid, &status, WUNTRACED);
	printf("nocldstop %d stopped by %d\n", chld, WSTOPSIG(status));
	kill(pid, SIGTERM);
	usleep(20000);
	printf("TERM waits %d\n", waitpid(pid, &status, WNOHANG) == 0);
	kill(pid, SIGCONT);
	until(3);
	printf("%d: code %d status %d\n", chld, last_code == CLD_KILLED, last_status == SIGTERM);
	waitpid(pid, &status, 0);
	pid = fork();
	if (!pid)
		for (;;)
			pause();
	kill(pid, SIGSTOP);
	waitpid(pid, &status, WUNTRACED);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	printf("killed while stopped %d\n", WTERMSIG(status));
	return 0;
}
