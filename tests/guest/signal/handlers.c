/* Handlers: siginfo, masks while they run, SA_NODEFER, SA_RESETHAND, errors of sigaction. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int depth, deepest, calls;

static void info(int s, siginfo_t *si, void *uc)
{
	(void)uc;
	printf("signal %d code %d from me %d\n", s, si->si_code, si->si_pid == getpid() && si->si_uid == getuid());
}

static void nest(int s)
{
	if (++depth > deepest)
		deepest = depth;
	if (++calls < 3)
		raise(s);
	depth--;
}

static void show_mask(int s)
{
	sigset_t m;

	sigprocmask(SIG_BLOCK, NULL, &m);
	printf("in handler of %d: USR1 %d USR2 %d TERM %d\n", s, sigismember(&m, SIGUSR1), sigismember(&m, SIGUSR2),
	       sigismember(&m, SIGTERM));
}

int main(void)
{
	struct sigaction sa = {.sa_sigaction = info, .sa_flags = SA_SIGINFO}, old;
	sigset_t m;

	sigaction(SIGUSR1, &sa, NULL);
	kill(getpid(), SIGUSR1);
	raise(SIGUSR1);
	sigqueue(getpid(), SIGUSR1, (union sigval){.sival_int = 5});
	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = nest;
	sigaction(SIGUSR1, &sa, NULL);
	raise(SIGUSR1);
	printf("deferred: deepest %d\n", deepest);
	deepest = calls = 0;
	sa.sa_flags = SA_NODEFER;
	sigaction(SIGUSR1, &sa, NULL);
	raise(SIGUSR1);
	printf("nodefer: deepest %d\n", deepest);
	sa.sa_flags = SA_RESETHAND;
	sigaction(SIGUSR1, &sa, NULL);
	calls = 3;
	raise(SIGUSR1);
	sigaction(SIGUSR1, NULL, &old);
	printf("reset %d\n", old.sa_handler == SIG_DFL);
	sa.sa_handler = show_mask;
	sa.sa_flags = 0;
	sigemptyset(&sa.sa_mask);
	sigaddset(&sa.sa_mask, SIGTERM);
	sigaddset(&sa.sa_mask, SIGKILL);
	sigaction(SIGUSR2, &sa, NULL);
	sigaction(SIGUSR2, NULL, &old);
	printf("KILL in sa_mask %d\n", sigismember(&old.sa_mask, SIGKILL));
	raise(SIGUSR2);
	sigprocmask(SIG_BLOCK, NULL, &m);
	printf("after: USR2 %d TERM %d\n", sigismember(&m, SIGUSR2), sigismember(&m, SIGTERM));
	{
		long r_ = sigaction(SIGKILL, &sa, NULL);

		printf("KILL: %d %s\n", (int)r_, strerror(errno));
	}
	{
		long r_ = sigaction(SIGSTOP, &sa, NULL);

		printf("STOP: %d %s\n", (int)r_, strerror(errno));
	}
	{
		long r_ = sigaction(65, &sa, NULL);

		printf("65: %d %s\n", (int)r_, strerror(errno));
	}
	printf("read KILL: %d\n", sigaction(SIGKILL, NULL, &old));
	return 0;
}
