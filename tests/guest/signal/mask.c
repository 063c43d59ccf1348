/* sigprocmask, sigpending, sigsuspend, sigwait, sigtimedwait. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int got;
static void on(int s)
{
	got = s;
}

int main(void)
{
	sigset_t set, old, empty;
	struct timespec ts = {0, 20000000}, zero = {0, 0};
	siginfo_t si;
	int r;
	pid_t pid, me = getpid();

	signal(SIGUSR1, on);
	sigemptyset(&empty);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, &old);
	raise(SIGUSR1);
	printf("blocked %d\n", got);
	r = sigsuspend(&empty);
	printf("suspend %d %s got %d\n", r, strerror(errno), got == SIGUSR1);
	sigprocmask(SIG_BLOCK, NULL, &old);
	printf("mask is back %d\n", sigismember(&old, SIGUSR1));
	r = sigtimedwait(&set, &si, &zero);
	printf("nothing: %d %s\n", r, strerror(errno));
	r = sigtimedwait(&set, &si, &ts);
	printf("timed out: %d %s\n", r, strerror(errno));
	raise(SIGUSR1);
	r = sigwaitinfo(&set, &si);
	printf("took %d code %d\n", r == SIGUSR1, si.si_code);
	pid = fork();
	if (!pid) {
		usleep(30000);
		sigqueue(me, SIGUSR1, (union sigval){.sival_int = 42});
		_exit(0);
	}
	got = 0;
	r = sigwaitinfo(&set, &si);
	printf("slept and took %d value %d from child %d handler %d\n", r == SIGUSR1, si.si_value.sival_int,
	       si.si_pid == pid, got);
	wait(NULL);
	signal(SIGUSR2, on);
	pid = fork();
	if (!pid) {
		usleep(30000);
		kill(me, SIGUSR2);
		_exit(0);
	}
	ts = (struct timespec){5, 0};
	r = sigtimedwait(&set, &si, &ts);
	printf("interrupted: %d %s got %d\n", r, strerror(errno), got == SIGUSR2);
	wait(NULL);
	{
		long r_ = sigprocmask(77, &set, NULL);

		printf("bad how: %d %s\n", (int)r_, strerror(errno));
	}
	sigemptyset(&set);
	sigaddset(&set, SIGKILL);
	sigaddset(&set, SIGSTOP);
	sigprocmask(SIG_SETMASK, &set, NULL);
	sigprocmask(SIG_SETMASK, NULL, &old);
	printf("KILL blocked %d STOP blocked %d\n", sigismember(&old, SIGKILL), sigismember(&old, SIGSTOP));
	return 0;
}
