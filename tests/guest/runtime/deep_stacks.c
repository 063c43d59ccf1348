/* Signals on small and exhausted stacks: the alternate stack, its overflow, and death without one. */
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include "tests/guest/show.h"

static sigjmp_buf jb;
static void on_segv(int signo)
{
	siglongjmp(jb, 1);
}
static volatile int sink;
__attribute__((noinline)) static int deeper(int n)
{
	volatile char room[4096];

	room[0] = 1;
	sink += room[0];
	return sink < 0 ? 0 : deeper(n + 1) + room[0];
}

static int child(void (*fn)(void))
{
	int status;

	fflush(stdout);
	pid_t pid = fork();

	if (!pid) {
		struct rlimit lim = {1 << 20, 1 << 20}, core = {0, 0};

		setrlimit(RLIMIT_STACK, &lim);
		setrlimit(RLIMIT_CORE, &core);
		fn();
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return status;
}

static void no_altstack(void)
{
	signal(SIGSEGV, on_segv);
	if (!sigsetjmp(jb, 1))
		deeper(0);
}

static void bad_altstack(void)
{
	stack_t ss = {.ss_sp = (void *)0x10000, .ss_size = 65536};
	struct sigaction sa = {.sa_handler = on_segv, .sa_flags = SA_ONSTACK};

	sigaltstack(&ss, NULL);
	sigaction(SIGUSR1, &sa, NULL);
	raise(SIGUSR1);
}

static void bad_altstack_caught(void)
{
	stack_t ss = {.ss_sp = (void *)0x10000, .ss_size = 65536};
	struct sigaction sa = {.sa_handler = on_segv, .sa_flags = SA_ONSTACK};

	sigaltstack(&ss, NULL);
	sigaction(SIGUSR1, &sa, NULL);
	signal(SIGSEGV, on_segv);
	if (sigsetjmp(jb, 1))
		_exit(5);
	raise(SIGUSR1);
}

int main(void)
{
	stack_t ss = {.ss_sp = malloc(65536), .ss_size = 65536};
	struct sigaction sa = {.sa_handler = on_segv, .sa_flags = SA_ONSTACK};
	struct rlimit lim = {1 << 20, RLIM_INFINITY};

	printf("no alternate stack: %x\n", child(no_altstack));
	printf("one that is not there: %x\n", child(bad_altstack));
	printf("and SIGSEGV caught: %x\n", child(bad_altstack_caught));
	SHOW(sigaltstack(&ss, NULL));
	sigaction(SIGSEGV, &sa, NULL);
	setrlimit(RLIMIT_STACK, &lim);
	for (int i = 0; i < 5; i++) {
		if (!sigsetjmp(jb, 1))
			deeper(0);
		printf("recovered %d\n", i);
	}
	return 0;
}
