/* Threads that check their registers while others signal them and they come and go. */
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include "tests/guest/show.h"

static volatile int stop;
static volatile int bad;
static unsigned long handled;

static void on_usr1(int signo)
{
	__atomic_fetch_add(&handled, 1, __ATOMIC_RELAXED);
	__asm__ volatile("pcmpeqb %%xmm0, %%xmm0\n\tpcmpeqb %%xmm9, %%xmm9\n\tpcmpeqb %%xmm15, %%xmm15" : : : "xmm0", "xmm9", "xmm15");
}

static void *checker(void *arg)
{
	long kind = (long)arg;

	while (!stop) {
		uint64_t ok;

		__asm__ volatile("movq $0x111, %%rbx\n\tmovq $0x222, %%r12\n\tmovq $0x333, %%r15\n\tmovq %%rbx, %%xmm9\n\t"
				 "movq %%r12, %%xmm15\n\tmovq $200, %%r13\n"
				 "1:\tcmpq $1, %1\n\tjne 2f\n\tmovl $39, %%eax\n\tsyscall\n\tjmp 4f\n"
				 "2:\tcmpq $2, %1\n\tjne 3f\n\tmovl $95, %%eax\n\tmovl $022, %%edi\n\tsyscall\n\tjmp 4f\n"
				 "3:\tcmpq $3, %1\n\tjne 4f\n\tmovl $24, %%eax\n\tsyscall\n"
				 "4:\tdecq %%r13\n\tjnz 1b\n\t"
				 "movq %%xmm9, %%r8\n\tmovq %%xmm15, %%r9\n\t"
				 "subq %%rbx, %%r8\n\tsubq %%r12, %%r9\n\tsubq $0x111, %%rbx\n\tsubq $0x222, %%r12\n\tsubq $0x333, %%r15\n\t"
				 "orq %%r9, %%r8\n\torq %%rbx, %%r8\n\torq %%r12, %%r8\n\torq %%r15, %%r8\n\tmovq %%r8, %0"
				 : "=&r"(ok) : "r"(kind)
				 : "rax", "rbx", "rcx", "rdi", "r8", "r9", "r11", "r12", "r13", "r15", "xmm9", "xmm15", "memory", "cc");
		if (ok)
			bad = 1;
	}
	return NULL;
}

static void *nothing(void *arg)
{
	return arg;
}

int main(void)
{
	struct sigaction sa = {.sa_handler = on_usr1, .sa_flags = SA_RESTART};
	pthread_t t[4], u;

	sigaction(SIGUSR1, &sa, NULL);
	for (long i = 0; i < 4; i++)
		pthread_create(&t[i], NULL, checker, (void *)i);
	for (int i = 0; i < 400; i++) {
		for (int k = 0; k < 4; k++)
			pthread_kill(t[k], SIGUSR1);
		if (i % 10 == 0 && pthread_create(&u, NULL, nothing, NULL) == 0)
			pthread_join(u, NULL);
		usleep(200);
	}
	stop = 1;
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	printf("bad %d handled %d\n", bad, handled > 100);
	return 0;
}
