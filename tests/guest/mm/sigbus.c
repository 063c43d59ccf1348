/* Beyond the end of a mapped file: zeros up to the page's end, SIGBUS behind it. */
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>
#include <stdlib.h>

static sigjmp_buf env;
static siginfo_t last;
static void on_fault(int s, siginfo_t *si, void *uc)
{
	last = *si;
	siglongjmp(env, s);
}

int main(void)
{
	struct sigaction sa = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
	char name[] = "/tmp/mmapXXXXXX";
	int fd = mkstemp(name), s;

	sigaction(SIGBUS, &sa, NULL);
	sigaction(SIGSEGV, &sa, NULL);
	write(fd, "abc", 3);
	volatile char *p = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	printf("%c %d\n", p[2], p[4095]);
	if (!(s = sigsetjmp(env, 1)))
		printf("%d\n", p[4096]);
	else
		printf("signal %d code %d offset %ld\n", s, last.si_code, (long)((char *)last.si_addr - p));
	ftruncate(fd, 8192);
	printf("grown: %d\n", p[4096]);
	p[4096] = 1;
	ftruncate(fd, 4096);
	if (!(s = sigsetjmp(env, 1)))
		p[4100] = 1;
	else
		printf("signal %d code %d offset %ld\n", s, last.si_code, (long)((char *)last.si_addr - p));
	ftruncate(fd, 8192);
	printf("grown again: %d\n", p[4096]);
	unlink(name);
	return 0;
}
