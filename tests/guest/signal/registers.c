/* A handler sees the registers and may change them; vector registers survive it. */
#include <signal.h>
#include <stdio.h>
#include <sys/time.h>
#include <ucontext.h>

static volatile int ticks;

static void fix(int s, siginfo_t *si, void *p)
{
	ucontext_t *uc = p;

	(void)s;
	(void)si;
	uc->uc_mcontext.gregs[REG_RBX] = 77;
	uc->uc_mcontext.gregs[REG_RIP] += 2;
}

static void tick(int s)
{
	volatile double x = 1.5;

	(void)s;
	for (int i = 0; i < 100; i++)
		x *= 1.0001;
	ticks++;
}

int main(void)
{
	struct sigaction sa = {.sa_sigaction = fix, .sa_flags = SA_SIGINFO};
	struct itimerval it = {{0, 1000}, {0, 1000}};
	long rbx = 5;
	double sum = 0, again = 0;

	sigaction(SIGILL, &sa, NULL);
	__asm__ volatile("ud2" : "+b"(rbx));
	printf("rbx %ld\n", rbx);
	for (int i = 1; i < 3000000; i++)
		sum += 1.0 / i;
	signal(SIGALRM, tick);
	setitimer(ITIMER_REAL, &it, NULL);
	while (ticks < 20) {
		again = 0;
		for (int i = 1; i < 3000000; i++)
			again += 1.0 / i;
	}
	printf("same sum %d\n", sum == again);
	return 0;
}
