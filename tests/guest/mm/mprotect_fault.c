/* Faults report address and reason; protections come and go. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

static sigjmp_buf env;
static siginfo_t last;
static void on_fault(int s, siginfo_t *si, void *uc)
{
	last = *si;
	siglongjmp(env, s);
}

static void report(const char *what, char *base, int s)
{
	printf("%s: signal %d code %d offset %ld\n", what, s, last.si_code, (long)((char *)last.si_addr - base));
}

int main(void)
{
	long r;

	struct sigaction sa = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
	char *p = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	volatile char *v = p;
	int s;

	sigaction(SIGSEGV, &sa, NULL);
	p[4096] = 1;
	printf("protect %d\n", mprotect(p + 4096, 4096, PROT_READ));
	if (!(s = sigsetjmp(env, 1)))
		v[4096 + 8] = 1;
	else
		report("write to read-only", p, s);
	printf("value %d\n", v[4096]);
	mprotect(p + 4096, 4096, PROT_NONE);
	if (!(s = sigsetjmp(env, 1)))
		printf("%d\n", v[4096 + 16]);
	else
		report("read of none", p, s);
	mprotect(p, 3 * 4096, PROT_READ | PROT_WRITE);
	v[4096 + 8] = 7;
	printf("writable again %d %d\n", v[4096], v[4096 + 8]);
	munmap(p + 8192, 4096);
	if (!(s = sigsetjmp(env, 1)))
		v[8192] = 1;
	else
		report("unmapped", p, s);
	if (!(s = sigsetjmp(env, 1)))
		*(volatile int *)24 = 1;
	else
		report("null page", NULL, s);
	if (!(s = sigsetjmp(env, 1)))
		((void (*)(void))(p + 32))();
	else
		report("execute of data", p, s);
	errno = 0;
	r = mprotect(p, 3 * 4096, PROT_READ);
	printf("mprotect over a hole %ld %s\n", r, strerror(errno));
	errno = 0;
	r = mprotect(p + 1, 4096, PROT_READ);
	printf("mprotect odd %ld %s\n", r, strerror(errno));
	printf("mprotect empty %d\n", mprotect(p, 0, PROT_READ));
	return 0;
}
