/* Synchronous signals: their codes and addresses; what happens when they are ignored or blocked. */
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static sigjmp_buf env;
static void *expect;

static void on(int s, siginfo_t *si, void *uc)
{
	(void)uc;
	printf("%s code %d addr ok %d\n", strsignal(s), si->si_code, !expect || si->si_addr == expect);
	siglongjmp(env, 1);
}

static void ignored(void)
{
	signal(SIGSEGV, SIG_IGN);
	*(volatile int *)8 = 1;
}

static void blocked(void)
{
	sigset_t m;

	sigfillset(&m);
	sigprocmask(SIG_SETMASK, &m, NULL);
	*(volatile int *)8 = 1;
}

static void run(const char *what, void (*fn)(void))
{
	struct rlimit none = {0, 0};
	int status;

	fflush(stdout);
	if (!fork()) {
		setrlimit(RLIMIT_CORE, &none);
		fn();
		_exit(0);
	}
	wait(&status);
	printf("%s: signal %d\n", what, WIFSIGNALED(status) ? WTERMSIG(status) : 0);
}

int main(void)
{
	struct sigaction sa = {.sa_sigaction = on, .sa_flags = SA_SIGINFO};
	char *ro = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	volatile int zero = 0, one = 1;

	sigaction(SIGSEGV, &sa, NULL);
	sigaction(SIGFPE, &sa, NULL);
	sigaction(SIGILL, &sa, NULL);
	sigaction(SIGTRAP, &sa, NULL);
	sigaction(SIGBUS, &sa, NULL);
	expect = (void *)16;
	if (!sigsetjmp(env, 1))
		*(volatile int *)16 = 1;
	expect = ro;
	if (!sigsetjmp(env, 1))
		*ro = 1;
	expect = NULL;
	if (!sigsetjmp(env, 1))
		one = one / zero;
	if (!sigsetjmp(env, 1))
		__asm__ volatile("ud2");
	if (!sigsetjmp(env, 1))
		__asm__ volatile("int3");
	if (!sigsetjmp(env, 1))
		__asm__ volatile("hlt");
	run("ignored", ignored);
	run("blocked", blocked);
	return 0;
}
