/* siglongjmp out of handlers, many times; the mask comes back. */
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>

static sigjmp_buf env;
static void on(int s)
{
	siglongjmp(env, s);
}

int main(void)
{
	volatile int n = 0;
	sigset_t m;

	signal(SIGUSR1, on);
	while (n < 1000)
		if (sigsetjmp(env, 1) == 0)
			raise(SIGUSR1);
		else
			n++;
	sigprocmask(SIG_BLOCK, NULL, &m);
	printf("%d jumps, blocked %d\n", n, sigismember(&m, SIGUSR1));
	return 0;
}
