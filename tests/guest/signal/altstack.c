/* The alternate stack: used, reported, refused while in use; stack overflow is survived on it. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static char alt[65536];
static sigjmp_buf env;

static void on(int s)
{
	char here;
	stack_t ss;

	sigaltstack(NULL, &ss);
	printf("on it %d flag %d\n", &here >= alt && &here < alt + sizeof(alt), ss.ss_flags);
	ss.ss_flags = SS_DISABLE;
	{
		long r_ = sigaltstack(&ss, NULL);

		printf("change while on it: %d %s\n", (int)r_, strerror(errno));
	}
	(void)s;
}

static void overflow(int s, siginfo_t *si, void *uc)
{
	(void)uc;
	(void)si;
	printf("overflow caught %d\n", s == SIGSEGV);
	siglongjmp(env, 1);
}

static int recurse(int n)
{
	volatile char big[4096];

	big[0] = (char)n;
	return recurse(n + 1) + big[0];
}

int main(void)
{
	struct sigaction sa = {.sa_handler = on, .sa_flags = SA_ONSTACK};
	stack_t ss = {.ss_sp = alt, .ss_size = sizeof(alt)}, old;
	struct rlimit r = {1 << 20, 1 << 20};

	sigaltstack(NULL, &old);
	printf("first %d\n", old.ss_flags == SS_DISABLE);
	printf("set %d\n", sigaltstack(&ss, NULL));
	sigaction(SIGUSR1, &sa, NULL);
	raise(SIGUSR1);
	sigaltstack(NULL, &old);
	printf("after flag %d sp %d size %zu\n", old.ss_flags, old.ss_sp == alt, old.ss_size);
	ss.ss_size = 100;
	{
		long r_ = sigaltstack(&ss, NULL);

		printf("small: %d %s\n", (int)r_, strerror(errno));
	}
	ss.ss_flags = 77;
	{
		long r_ = sigaltstack(&ss, NULL);

		printf("bad flag: %d %s\n", (int)r_, strerror(errno));
	}
	setrlimit(RLIMIT_STACK, &r);
	sa.sa_sigaction = overflow;
	sa.sa_flags = SA_ONSTACK | SA_SIGINFO;
	sigaction(SIGSEGV, &sa, NULL);
	if (!sigsetjmp(env, 1))
		recurse(0);
	if (!sigsetjmp(env, 1))
		recurse(0);
	printf("alive\n");
	return 0;
}
