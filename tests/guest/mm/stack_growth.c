/* The stack grows by itself, up to its limit; beyond is SIGSEGV, handled on an alternate stack. */
#pragma GCC diagnostic ignored "-Winfinite-recursion"
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static int deep(int n)
{
	volatile char pad[4096];

	pad[0] = (char)n;
	pad[4095] = (char)n;
	return n ? deep(n - 1) + pad[0] - pad[4095] : 1;
}

static volatile int frames;
static int endless(int n)
{
	volatile char pad[4096];

	pad[0] = (char)n;
	frames++;
	return endless(n + 1) + pad[0];
}

static sigjmp_buf env;
static void on_segv(int s)
{
	siglongjmp(env, 1);
}

int main(void)
{
	struct rlimit lim;
	stack_t ss = {.ss_sp = malloc(65536), .ss_size = 65536};
	struct sigaction sa = {.sa_handler = on_segv, .sa_flags = SA_ONSTACK};

	getrlimit(RLIMIT_STACK, &lim);
	printf("limit %ld\n", (long)lim.rlim_cur);
	printf("6 MiB deep: %d\n", deep(1500));
	sigaltstack(&ss, NULL);
	sigaction(SIGSEGV, &sa, NULL);
	if (!sigsetjmp(env, 1))
		endless(0);
	printf("overflow after about 8 MiB: %d\n", frames > 1900 && frames < 2050);
	lim.rlim_cur = 32 << 20;
	setrlimit(RLIMIT_STACK, &lim);
	frames = 0;
	if (!sigsetjmp(env, 1))
		endless(0);
	printf("with a larger limit: %d\n", frames > 7000);
	return 0;
}
