/* Real-time signals queue in order, lowest number first; standard ones coalesce. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static void on(int s, siginfo_t *si, void *uc)
{
	(void)uc;
	printf("RTMIN+%d value %d code %d\n", s - SIGRTMIN, si->si_value.sival_int, si->si_code);
}
static int count;
static void usr(int s)
{
	(void)s;
	count++;
}

int main(void)
{
	struct sigaction sa = {.sa_sigaction = on, .sa_flags = SA_SIGINFO};
	struct rlimit r;
	sigset_t all, old, pend;
	int n = 0;

	sigfillset(&sa.sa_mask);
	for (int i = 0; i < 3; i++)
		sigaction(SIGRTMIN + i, &sa, NULL);
	signal(SIGUSR1, usr);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	sigqueue(getpid(), SIGRTMIN + 1, (union sigval){.sival_int = 1});
	sigqueue(getpid(), SIGRTMIN + 1, (union sigval){.sival_int = 2});
	sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 3});
	sigqueue(getpid(), SIGRTMIN + 2, (union sigval){.sival_int = 4});
	sigqueue(getpid(), SIGRTMIN + 1, (union sigval){.sival_int = 5});
	for (int i = 0; i < 3; i++)
		kill(getpid(), SIGUSR1);
	sigpending(&pend);
	printf("pending USR1 %d RTMIN %d USR2 %d\n", sigismember(&pend, SIGUSR1), sigismember(&pend, SIGRTMIN),
	       sigismember(&pend, SIGUSR2));
	sigprocmask(SIG_SETMASK, &old, NULL);
	printf("USR1 once: %d\n", count);
	r = (struct rlimit){10, 10};
	sigprocmask(SIG_SETMASK, &all, NULL);
	setrlimit(RLIMIT_SIGPENDING, &r);
	while (sigqueue(getpid(), SIGRTMIN + 5, (union sigval){.sival_int = 0}) == 0)
		n++;
	printf("limit reached %d: %s\n", n <= 10, strerror(errno));
	return 0;
}
